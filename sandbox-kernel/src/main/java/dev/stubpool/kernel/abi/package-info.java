/** The Linux ABI of x86-64: constants, and layouts of structures. */
package dev.stubpool.kernel.abi;
