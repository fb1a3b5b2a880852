/** A process's memory: what is mapped where, and copies to and from it. */
package dev.stubpool.kernel.memory;
