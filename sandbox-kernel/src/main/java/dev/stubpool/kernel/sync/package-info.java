/** The kernel's one lock, and how threads wait under it. */
package dev.stubpool.kernel.sync;
