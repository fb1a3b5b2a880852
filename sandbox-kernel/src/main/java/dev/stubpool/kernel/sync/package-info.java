/** The kernel's single lock, and waiting under it. */
package dev.stubpool.kernel.sync;
