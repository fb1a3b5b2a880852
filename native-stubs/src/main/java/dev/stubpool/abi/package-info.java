/** Numbers of the Linux ABI that users of the library need, generated from the kernel's headers. */
package dev.stubpool.abi;
