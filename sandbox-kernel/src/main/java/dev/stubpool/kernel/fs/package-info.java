/** The guest's file tree: nodes, directory entries and path resolution. */
package dev.stubpool.kernel.fs;
