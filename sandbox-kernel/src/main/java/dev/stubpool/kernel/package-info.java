/**
 * A small kernel for static Linux programs, built only on the public API of {@link
 * dev.stubpool.StubPool}. The entry point is {@link dev.stubpool.kernel.SandboxKernel}.
 *
 * <p>The packages are layers; each uses only those after it: this one; {@code call}, system calls;
 * {@code process}, threads and processes; {@code load}, program loading; {@code fs}, the file tree;
 * {@code file}, open files; {@code memory}, {@code signal}; {@code sync}, the lock; {@code abi},
 * constants and structures.
 */
package dev.stubpool.kernel;
