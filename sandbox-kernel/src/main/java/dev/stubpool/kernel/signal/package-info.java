/** Signals: what processes do with them, which wait, and the frames in which handlers run. */
package dev.stubpool.kernel.signal;
