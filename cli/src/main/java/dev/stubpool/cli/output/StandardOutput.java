package dev.stubpool.cli.output;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** Standard output that remembers why it failed, which writers do not tell. */
public final class StandardOutput extends OutputStream {
  private final FileOutputStream stream = new FileOutputStream(FileDescriptor.out);
  private IOException failure;

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) throws IOException {
    try {
      stream.write(bytes, offset, length);
    } catch (IOException e) {
      failure = e;
      throw e;
    }
  }

  /** Why it failed, "" if it did not. */
  public String failure() {
    return failure == null ? "" : Diagnostics.describe(failure);
  }

  /**
   * Whether it failed since nobody reads it any more, as after {@code | head}: nothing to complain
   * of.
   */
  public boolean isReaderGone() {
    return failure().contains("Broken pipe");
  }
}
