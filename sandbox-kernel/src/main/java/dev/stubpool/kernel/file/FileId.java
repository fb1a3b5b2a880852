package dev.stubpool.kernel.file;

/** The identity of a file, stat(2). */
public record FileId(long device, long inode) {}
