/** Open files and descriptors. */
package dev.stubpool.kernel.file;
