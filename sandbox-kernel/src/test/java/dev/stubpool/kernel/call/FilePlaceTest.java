package dev.stubpool.kernel.call;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.sync.KernelLock;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.Test;

class FilePlaceTest {
  private final KernelLock lock = new KernelLock();
  private final List<Long> read = new ArrayList<>();
  private final Queue<Runnable> meanwhile = new ArrayDeque<>();

  /** A file of the host; each byte is its own offset. */
  private final class HostFile extends OpenFile {
    private long position;

    HostFile() {
      super("/file", 0);
    }

    @Override
    public boolean isOfHost() {
      return true;
    }

    @Override
    public FileStatus status() {
      throw new UnsupportedOperationException();
    }

    @Override
    public int read(ByteBuffer to) {
      throw new AssertionError("not by the position of the moment");
    }

    @Override
    public int read(ByteBuffer to, long from) {
      assertThat(lock.isHeld()).isFalse();
      read.add(from);
      to.put((byte) from).put((byte) (from + 1));
      if (!meanwhile.isEmpty()) {
        lock.with(meanwhile.remove());
      }
      return 2;
    }

    @Override
    public long position() {
      return position;
    }

    @Override
    public void position(long to) {
      position = to;
    }
  }

  private final HostFile file = new HostFile();

  private byte[] read(FilePlace place) {
    ByteBuffer buffer = ByteBuffer.allocate(2);
    lock.lock();
    try {
      assertThat(place.read(buffer, lock)).isEqualTo(2);
      assertThat(lock.isHeld()).isTrue();
    } finally {
      lock.unlock();
    }
    return buffer.array();
  }

  @Test
  void shouldReadWithoutTheLock() {
    assertThat(read(FilePlace.own(file))).containsExactly(0, 1);
    assertThat(read(FilePlace.own(file))).containsExactly(2, 3);
    assertThat(file.position()).isEqualTo(4);
  }

  @Test
  void shouldReadWhatIsNextWhenAnotherReadMeanwhile() {
    meanwhile.add(() -> file.position(10));
    meanwhile.add(() -> file.position(20));
    assertThat(read(FilePlace.own(file))).containsExactly(20, 21);
    assertThat(read).containsExactly(0L, 10L, 20L);
    assertThat(file.position()).isEqualTo(22);
  }

  @Test
  void shouldReadAtItsOwnPositionWhateverOthersDo() {
    FilePlace place = FilePlace.at(file, 5);
    meanwhile.add(() -> file.position(10));
    assertThat(read(place)).containsExactly(5, 6);
    assertThat(place.position()).isEqualTo(7);
    assertThat(file.position()).isEqualTo(10);
  }
}
