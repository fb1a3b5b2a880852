package dev.stubpool.kernel.file;

/** What makes two open files the same file, stat(2). */
public record FileId(long device, long inode) {}
