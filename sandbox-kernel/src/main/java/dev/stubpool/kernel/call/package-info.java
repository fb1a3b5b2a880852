/** System calls: the table, the calls by family, and how they are printed. */
package dev.stubpool.kernel.call;
