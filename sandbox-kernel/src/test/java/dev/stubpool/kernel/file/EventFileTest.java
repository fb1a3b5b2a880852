package dev.stubpool.kernel.file;

import static dev.stubpool.kernel.file.Data.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.Poll;
import dev.stubpool.kernel.abi.Struct;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class EventFileTest {
  static ByteBuffer number(long value) {
    return Struct.allocate(Long.BYTES).putLong(value).flip();
  }

  private static long read(EventFile file) {
    ByteBuffer buffer = Struct.allocate(Long.BYTES);
    assertThat(file.read(buffer)).isEqualTo(Long.BYTES);
    return buffer.getLong(0);
  }

  @Test
  void shouldCount() {
    EventFile file = new EventFile(2, false, 0);
    assertThat(file.write(number(3))).isEqualTo(Long.BYTES);
    assertThat(file.readiness()).isEqualTo(Poll.POLLIN | Poll.POLLOUT);
    assertThat(read(file)).isEqualTo(5);
    assertThat(file.readiness()).isEqualTo(Poll.POLLOUT);
    assertFails(Errno.EAGAIN, () -> read(file));
  }

  @Test
  void shouldCountDownAsASemaphore() {
    EventFile file = new EventFile(2, true, 0);
    assertThat(read(file)).isEqualTo(1);
    assertThat(read(file)).isEqualTo(1);
    assertFails(Errno.EAGAIN, () -> read(file));
  }

  @Test
  void shouldBeFullBelowItsLargestNumber() {
    EventFile file = new EventFile(0, false, 0);
    assertFails(Errno.EINVAL, () -> file.write(number(-1)));
    assertThat(file.write(number(-2))).isEqualTo(Long.BYTES);
    assertThat(file.readiness()).isEqualTo(Poll.POLLIN);
    assertFails(Errno.EAGAIN, () -> file.write(number(1)));
    assertThat(read(file)).isEqualTo(-2);
    assertFails(Errno.EINVAL, () -> file.write(ByteBuffer.allocate(7)));
    assertFails(Errno.EINVAL, () -> file.read(ByteBuffer.allocate(7)));
  }
}
