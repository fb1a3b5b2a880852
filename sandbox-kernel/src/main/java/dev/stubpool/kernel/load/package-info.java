/** Loading of programs: ELF files, scripts, the initial stack and the auxiliary vector. */
package dev.stubpool.kernel.load;
