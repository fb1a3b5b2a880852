package dev.stubpool.kernel.file;

import static dev.stubpool.kernel.file.Data.assertFails;
import static dev.stubpool.kernel.file.Data.read;
import static dev.stubpool.kernel.file.Data.write;
import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.Poll;
import java.util.List;
import org.junit.jupiter.api.Test;

class EpollTest {
  private static final int IN = Poll.POLLIN;
  private static final int ONESHOT = 1 << 30;
  private static final int EDGE = 1 << 31;

  private final EpollWatches watches = new EpollWatches();
  private final EpollFile epoll = new EpollFile(watches);
  private final Pipe pipe = new Pipes().pipe();
  private final OpenFile reader = held(pipe.reader(0));
  private final OpenFile writer = held(pipe.writer(0));

  private static OpenFile held(OpenFile file) {
    file.hold();
    return file;
  }

  private List<EpollFile.Event> take() {
    return epoll.take(9);
  }

  private static List<EpollFile.Event> events(int events, long data) {
    return List.of(new EpollFile.Event(events, data));
  }

  @Test
  void shouldTellOfALevelAsLongAsItIsThere() {
    epoll.add(3, reader, IN, 7);
    assertThat(take()).isEmpty();
    assertThat(write(writer, "ab")).isEqualTo(2);
    assertThat(take()).isEqualTo(events(IN, 7));
    assertThat(read(reader, 1)).isEqualTo("a");
    assertThat(take()).isEqualTo(events(IN, 7));
    assertThat(read(reader, 1)).isEqualTo("b");
    assertThat(take()).isEmpty();
    writer.release();
    assertThat(take()).isEqualTo(events(Poll.POLLHUP, 7));
  }

  @Test
  void shouldTellOfAnEdgeOnce() {
    assertThat(write(writer, "a")).isEqualTo(1);
    epoll.add(3, reader, IN | EDGE, 7);
    assertThat(take()).isEqualTo(events(IN, 7));
    assertThat(take()).isEmpty();
    assertThat(write(writer, "b")).isEqualTo(1);
    assertThat(take()).isEqualTo(events(IN, 7));
    assertThat(read(reader, 9)).isEqualTo("ab");
    assertThat(take()).isEmpty();
  }

  @Test
  void shouldTellOfACounterOnceForEachWrite() {
    EventFile event = new EventFile(0, false, 0);
    epoll.add(3, event, IN | EDGE, 7);
    event.write(EventFileTest.number(1));
    event.write(EventFileTest.number(1));
    assertThat(take()).isEqualTo(events(IN, 7));
    assertThat(take()).isEmpty();
    event.write(EventFileTest.number(1));
    assertThat(take()).isEqualTo(events(IN, 7));
  }

  @Test
  void shouldTellOnceUntilItIsModified() {
    epoll.add(3, reader, IN | ONESHOT, 7);
    assertThat(write(writer, "a")).isEqualTo(1);
    assertThat(take()).isEqualTo(events(IN, 7));
    assertThat(write(writer, "b")).isEqualTo(1);
    assertThat(take()).isEmpty();
    epoll.modify(3, reader, IN | ONESHOT, 8);
    assertThat(take()).isEqualTo(events(IN, 8));
  }

  @Test
  void shouldForgetWhatIsClosedOrDeleted() {
    epoll.add(3, reader, IN, 7);
    epoll.add(4, reader, IN, 8);
    assertThat(write(writer, "a")).isEqualTo(1);
    assertThat(take()).hasSize(2);
    epoll.delete(4, reader);
    assertThat(take()).isEqualTo(events(IN, 7));
    reader.release();
    assertThat(take()).isEmpty();
    assertThat(epoll.readiness()).isZero();
  }

  @Test
  void shouldGiveEachItsTurn() {
    epoll.add(3, reader, IN, 3);
    epoll.add(4, writer, Poll.POLLOUT, 4);
    assertThat(write(writer, "a")).isEqualTo(1);
    assertThat(epoll.take(1)).isEqualTo(events(Poll.POLLOUT, 4));
    assertThat(epoll.take(1)).isEqualTo(events(IN, 3));
    assertThat(epoll.take(1)).isEqualTo(events(Poll.POLLOUT, 4));
  }

  @Test
  void shouldRefuseWhatItCannotWaitFor() {
    OpenFile device = new DeviceFile("/dev/null", 0, Device.NULL);
    assertFails(Errno.EPERM, () -> epoll.add(5, device, IN, 0));
    assertFails(Errno.EINVAL, () -> epoll.add(5, epoll, IN, 0));
    assertFails(Errno.ENOENT, () -> epoll.delete(3, reader));
    epoll.add(3, reader, IN, 0);
    assertFails(Errno.EEXIST, () -> epoll.add(3, reader, IN, 0));
  }

  @Test
  void shouldNestOnce() {
    EpollFile outer = new EpollFile(watches);
    epoll.add(3, reader, IN, 7);
    outer.add(4, epoll, IN, 8);
    assertThat(outer.take(9)).isEmpty();
    assertThat(write(writer, "a")).isEqualTo(1);
    assertThat(outer.take(9)).isEqualTo(events(IN, 8));
    assertFails(Errno.ELOOP, () -> epoll.add(5, outer, IN, 0));
    assertFails(Errno.ELOOP, () -> new EpollFile(watches).add(5, outer, IN, 0));
  }
}
