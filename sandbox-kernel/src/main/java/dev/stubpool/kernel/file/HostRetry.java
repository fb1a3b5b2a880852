package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.locks.LockSupport;

/**
 * Retries reads and writes of the JVM's own streams, which another process may have made
 * non-blocking.
 */
final class HostRetry {
  private static final long PAUSE_NANOS = 5_000_000;

  private HostRetry() {}

  static int read(InputStream from, byte[] to, int size) throws IOException {
    while (true) {
      try {
        return from.read(to, 0, size);
      } catch (IOException e) {
        pauseOrThrow(e);
      }
    }
  }

  static void write(OutputStream to, byte[] bytes, int size) throws IOException {
    while (true) {
      try {
        to.write(bytes, 0, size);
        to.flush();
        return;
      } catch (IOException e) {
        pauseOrThrow(e);
      }
    }
  }

  private static void pauseOrThrow(IOException e) throws IOException {
    if (Errno.of(e) != Errno.EAGAIN) {
      throw e;
    }
    LockSupport.parkNanos(PAUSE_NANOS);
  }
}
