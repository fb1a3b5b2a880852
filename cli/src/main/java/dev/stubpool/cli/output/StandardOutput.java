package dev.stubpool.cli.output;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;

/** Standard output that records why it failed, which a PrintWriter does not report. */
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

  /** The error, or "" if there was none. */
  public String failure() {
    return failure == null ? "" : Diagnostics.describe(failure);
  }

  /**
   * Whether it failed because the reader has closed the pipe, as {@code | head} does; this is not
   * an error.
   */
  public boolean isReaderGone() {
    return failure().contains("Broken pipe");
  }
}
