/** Open file descriptions of all kinds, and descriptor tables. */
package dev.stubpool.kernel.file;
