/**
 * A thin, typed layer over Linux system calls and the stub image.
 *
 * <p>In a nutshell: {@link dev.stubpool.nativestubs.StubImage} maps a small piece of freestanding
 * machine code (built from {@code src/main/native}) at a random address of the JVM. Its host half
 * holds a bare system call instruction, which {@link dev.stubpool.nativestubs.Kernel} calls; its
 * stub half is what forked stub processes keep when everything else has been unmapped. {@link
 * dev.stubpool.nativestubs.SourceClone} forks the first of them.
 *
 * <p>Calls return what the kernel returns: a value, or {@code -errno} in [-4095, -1]. Nothing here
 * throws for a failed call except while the image is set up; callers know the step they are in and
 * say so.
 *
 * <p>Every number and offset comes from generated classes ({@link dev.stubpool.nativestubs.Abi},
 * {@link dev.stubpool.nativestubs.ImageSymbols}), compiled against the kernel's headers.
 */
package dev.stubpool.nativestubs;
