/** Signals: dispositions, pending signals, timers, and signal frames. */
package dev.stubpool.kernel.signal;
