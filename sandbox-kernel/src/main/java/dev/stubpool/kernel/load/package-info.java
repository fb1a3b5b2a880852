/** Programs into memory: the ELF file, the first stack, the auxiliary vector. */
package dev.stubpool.kernel.load;
