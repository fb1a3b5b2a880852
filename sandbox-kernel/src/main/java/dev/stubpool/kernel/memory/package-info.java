/** The memory of processes: address spaces, budgets, futexes, and access to user memory. */
package dev.stubpool.kernel.memory;
