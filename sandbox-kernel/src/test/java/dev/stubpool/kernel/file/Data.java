package dev.stubpool.kernel.file;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.assertj.core.api.Assertions;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** What tests of open files read, write and fail with. */
final class Data {
  private Data() {}

  static String read(OpenFile file, int size) {
    ByteBuffer buffer = ByteBuffer.allocate(size);
    int read = file.read(buffer);
    return new String(buffer.array(), 0, read, StandardCharsets.UTF_8);
  }

  static int write(OpenFile file, String text) {
    return file.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  static int write(OpenFile file, int size) {
    return file.write(ByteBuffer.allocate(size));
  }

  static void assertFails(Errno errno, ThrowingCallable call) {
    Assertions.assertThatExceptionOfType(ErrnoException.class)
        .isThrownBy(call)
        .extracting(ErrnoException::errno)
        .isEqualTo(errno);
  }
}
