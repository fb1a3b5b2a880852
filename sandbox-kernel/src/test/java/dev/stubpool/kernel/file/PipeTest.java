package dev.stubpool.kernel.file;

import static dev.stubpool.kernel.file.Data.assertFails;
import static dev.stubpool.kernel.file.Data.read;
import static dev.stubpool.kernel.file.Data.write;
import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.abi.Poll;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PipeTest {
  private static final int IN = Poll.POLLIN | Poll.POLLRDNORM;
  private static final int OUT = Poll.POLLOUT | Poll.POLLWRNORM;

  private final Pipes pipes = new Pipes();
  private final Pipe pipe = pipes.pipe();
  private final OpenFile reader = held(pipe.reader(0));
  private final OpenFile writer = held(pipe.writer(0));

  private static OpenFile held(OpenFile file) {
    file.hold();
    return file;
  }

  @Test
  void shouldGiveWhatWasPutInInOrder() {
    assertThat(write(writer, "abc")).isEqualTo(3);
    assertThat(write(writer, "def")).isEqualTo(3);
    assertThat(reader.available()).isEqualTo(6);
    assertThat(read(reader, 4)).isEqualTo("abcd");
    assertThat(read(reader, 4)).isEqualTo("ef");
    assertFails(Errno.EAGAIN, () -> read(reader, 1));
    assertThat(read(reader, 0)).isEmpty();
  }

  @Test
  void shouldTakeBackWhatReachedNobody() {
    assertThat(write(writer, "abcdef")).isEqualTo(6);
    assertThat(read(reader, 5)).isEqualTo("abcde");
    reader.unread(ByteBuffer.wrap("cde".getBytes(StandardCharsets.UTF_8)));
    assertThat(read(reader, 9)).isEqualTo("cdef");
  }

  @Test
  void shouldBeFullAtItsCapacity() {
    assertThat(write(writer, 70_000)).isEqualTo(65_536);
    assertFails(Errno.EAGAIN, () -> write(writer, 1));
    assertThat(writer.readiness()).isZero();
    assertThat(read(reader, 4095)).hasSize(4095);
    assertFails(Errno.EAGAIN, () -> write(writer, 1));
    assertThat(read(reader, 1)).hasSize(1);
    assertThat(writer.readiness()).isEqualTo(OUT);
    assertThat(write(writer, 4096)).isEqualTo(4096);
  }

  @Test
  void shouldNotSplitAWriteOfAPage() {
    assertThat(write(writer, 15 * 4096 + 1)).isEqualTo(15 * 4096 + 1);
    assertFails(Errno.EAGAIN, () -> write(writer, 4096));
    assertThat(write(writer, 4095)).isEqualTo(4095);
  }

  @Test
  void shouldEndWithItsLastWriter() {
    OpenFile other = held(pipe.writer(0));
    assertThat(write(writer, "x")).isEqualTo(1);
    writer.release();
    assertThat(reader.readiness()).isEqualTo(IN);
    other.release();
    assertThat(reader.readiness()).isEqualTo(IN | Poll.POLLHUP);
    assertThat(read(reader, 9)).isEqualTo("x");
    assertThat(reader.readiness()).isEqualTo(Poll.POLLHUP);
    assertThat(read(reader, 9)).isEmpty();
  }

  @Test
  void shouldBreakWithItsLastReader() {
    reader.release();
    assertThat(writer.readiness()).isEqualTo(OUT | Poll.POLLERR);
    assertFails(Errno.EPIPE, () -> write(writer, 1));
    assertThat(write(writer, 0)).isZero();
  }

  @Test
  void shouldWakeWhoWaits() {
    List<String> woken = new ArrayList<>();
    reader.waiters().add(() -> woken.add("reader"));
    writer.waiters().add(() -> woken.add("writer"));
    assertThat(write(writer, 65_536)).isEqualTo(65_536);
    assertThat(read(reader, 100)).hasSize(100);
    assertThat(woken).containsExactly("reader");
    assertThat(read(reader, 4096)).hasSize(4096);
    assertThat(woken).containsExactly("reader", "writer");
    writer.release();
    assertThat(woken).contains("reader", "writer", "reader");
  }

  @Test
  void shouldChangeItsCapacity() {
    PipeEnd end = (PipeEnd) writer;
    assertThat(end.capacity()).isEqualTo(65_536);
    assertThat(end.capacity(100_000)).isEqualTo(131_072);
    assertThat(end.capacity(0)).isEqualTo(4096);
    assertThat(write(writer, 8192)).isEqualTo(4096);
    assertThat(end.capacity(4097)).isEqualTo(8192);
    assertThat(write(writer, 4096)).isEqualTo(4096);
    assertFails(Errno.EBUSY, () -> end.capacity(4096));
    assertFails(Errno.EPERM, () -> end.capacity(1 << 21));
    assertFails(Errno.EINVAL, () -> end.capacity(-1));
  }

  @Test
  void shouldHaveAllFifosMemoryBackWhenTheyAreClosed() {
    List<OpenFile> ends = new ArrayList<>();
    int written = 0;
    boolean isRoom = true;
    while (isRoom) {
      Pipe more = pipes.pipe();
      ends.add(held(more.reader(0)));
      OpenFile end = held(more.writer(0));
      ends.add(end);
      isRoom = pipes.hasRoom();
      written += isRoom ? write(end, 65_536) : 0;
      if (!isRoom) {
        assertFails(Errno.ENOMEM, () -> write(end, 65_536));
      }
    }
    assertThat(written).isEqualTo(128 << 20);
    ends.forEach(OpenFile::release);
    assertThat(pipes.hasRoom()).isTrue();
  }

  // ---- fifos ----

  private static OpenFile open(Fifo fifo, int flags) {
    return held(fifo.open("/fifo", flags, () -> FileStatus.made(FileStatus.S_IFIFO, 1, 0)));
  }

  @Test
  void shouldMeetAtAFifo() {
    Fifo fifo = pipes.fifo();
    OpenFile in = open(fifo, OpenFlags.O_RDONLY);
    assertThat(in.isConnected()).isFalse();
    OpenFile out = open(fifo, OpenFlags.O_WRONLY);
    assertThat(out.isConnected()).isTrue();
    out.release();
    assertThat(in.isConnected()).as("a writer was there").isTrue();
    assertThat(read(in, 1)).isEmpty();
  }

  @Test
  void shouldNotWaitAtAFifo() {
    Fifo fifo = pipes.fifo();
    int nonBlocking = OpenFlags.O_NONBLOCK;
    assertFails(Errno.ENXIO, () -> open(fifo, OpenFlags.O_WRONLY | nonBlocking));
    OpenFile in = open(fifo, OpenFlags.O_RDONLY | nonBlocking);
    assertThat(in.isConnected()).isTrue();
    assertThat(in.readiness()).isZero();
    OpenFile out = open(fifo, OpenFlags.O_WRONLY | nonBlocking);
    out.release();
    assertThat(in.readiness()).isEqualTo(Poll.POLLHUP);
    OpenFile both = open(pipes.fifo(), OpenFlags.O_RDWR);
    assertThat(both.isConnected()).isTrue();
    assertThat(write(both, "x")).isEqualTo(1);
    assertThat(read(both, 2)).isEqualTo("x");
  }
}
