/**
 * What the library has to know about a CPU architecture, as data: {@link
 * dev.stubpool.arch.Architecture} has the layout of the registers that ptrace(2) reads and writes,
 * and the registers in which the entries of the stub image take their arguments. The packages
 * {@code pool}, {@code forge} and {@code ptrace} name no register; {@code guest} runs x86-64
 * guests, and does.
 *
 * <p>Another architecture is another implementation of {@code Architecture}, a folder of native
 * sources, and an engine with register interfaces in {@code guest}. Numbers of system calls, errors
 * and signals are not here: they are generated from the headers of the machine that the library is
 * built on.
 */
package dev.stubpool.arch;
