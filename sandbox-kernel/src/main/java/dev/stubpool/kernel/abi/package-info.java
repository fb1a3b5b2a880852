/** What guests and kernels agree on: numbers, and the layouts of structures, each in one place. */
package dev.stubpool.kernel.abi;
