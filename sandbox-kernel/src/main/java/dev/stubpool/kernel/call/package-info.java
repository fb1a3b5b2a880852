/** System calls: the table, the handlers by family, and strace output. */
package dev.stubpool.kernel.call;
