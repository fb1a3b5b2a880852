/** Names of files: what the guest sees, and how a path leads there. */
package dev.stubpool.kernel.fs;
