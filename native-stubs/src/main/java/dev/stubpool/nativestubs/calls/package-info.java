/**
 * Linux system calls, typed by what they are about: memory, files, processes, waiting, tracing.
 *
 * <p>{@link dev.stubpool.nativestubs.calls.HostText} maps a small piece of freestanding machine
 * code (built from {@code src/main/native/host.c}) into the JVM. It holds a bare system call
 * instruction, which {@link dev.stubpool.nativestubs.calls.Kernel} calls; the other classes are a
 * typed layer over {@code Kernel}. Nothing here needs the stub image.
 *
 * <p>Calls return what the kernel returns: a value, or {@code -errno} in [-4095, -1]. Callers know
 * the step that they are in, and name it in the exception that they throw. The few methods that
 * throw {@link dev.stubpool.nativestubs.calls.NativeCallException} themselves say so.
 *
 * <p>Every number and offset comes from generated classes ({@link
 * dev.stubpool.nativestubs.calls.Abi}, {@code HostSymbols}), compiled against the kernel's headers.
 */
package dev.stubpool.nativestubs.calls;
