/**
 * A small kernel for static Linux programs, on the public API of {@link dev.stubpool.StubPool}
 * alone: {@link dev.stubpool.kernel.SandboxKernel} is where to start.
 *
 * <p>Packages use those below them only: this one; {@code call}, the system calls; {@code process},
 * threads and processes; {@code load}; {@code fs}; {@code file}; {@code memory}, {@code signal};
 * {@code sync}; {@code abi}.
 */
package dev.stubpool.kernel;
