package dev.stubpool.kernel.file;

/** A place among the files that a guest sees, at which an open file is. */
public interface Place {
  /** Its absolute path by now; that of a name that was removed ends in {@code (deleted)}. */
  String path();
}
