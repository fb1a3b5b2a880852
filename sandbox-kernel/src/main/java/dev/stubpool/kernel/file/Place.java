package dev.stubpool.kernel.file;

/** The place of an open file in the file tree. */
public interface Place {
  /** Its current absolute path; if its name was removed, it ends in {@code (deleted)}. */
  String path();
}
