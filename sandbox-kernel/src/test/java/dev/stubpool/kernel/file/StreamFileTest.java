package dev.stubpool.kernel.file;

import static dev.stubpool.kernel.file.Data.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Poll;
import dev.stubpool.kernel.sync.KernelLock;
import dev.stubpool.kernel.sync.Sleeper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class StreamFileTest {
  private static final int EDGE = 1 << 31;
  private static final long LONG_NANOS = 10_000_000_000L;

  private final KernelLock lock = new KernelLock();
  private final Sleeper sleeper = new Sleeper(lock);

  @BeforeEach
  void lock() {
    lock.lock();
  }

  @AfterEach
  void unlock() {
    lock.unlock();
  }

  /** As a task waits. */
  private int await(OpenFile file, IntSupplier attempt) {
    file.waiters().add(sleeper);
    while (true) {
      try {
        return attempt.getAsInt();
      } catch (ErrnoException e) {
        assertThat(e.errno()).isEqualTo(Errno.EAGAIN);
        assertThat(sleeper.sleep(Sleeper.NEVER)).isTrue();
      }
    }
  }

  private String read(OpenFile file, int size) {
    ByteBuffer buffer = ByteBuffer.allocate(size);
    int read = await(file, () -> file.read(buffer));
    return new String(buffer.array(), 0, read, StandardCharsets.UTF_8);
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void shouldReadToTheEnd() {
    InputStream in = new ByteArrayInputStream("hello".getBytes(StandardCharsets.UTF_8));
    OpenFile file = StreamFile.input(in, lock);
    assertThat(read(file, 3)).isEqualTo("hel");
    file.unread(bytes("l"));
    assertThat(read(file, 9)).isEqualTo("llo");
    assertThat(read(file, 9)).isEmpty();
    assertThat(read(file, 9)).isEmpty();
  }

  @Test
  void shouldKeepWhatComesForNobody() throws IOException {
    PipedOutputStream source = new PipedOutputStream();
    OpenFile file = StreamFile.input(new PipedInputStream(source), lock);
    assertFails(Errno.EAGAIN, () -> file.read(ByteBuffer.allocate(1)));
    assertThat(file.readiness()).isZero();
    source.write("late".getBytes(StandardCharsets.UTF_8));
    source.flush();
    assertThat(read(file, 9)).isEqualTo("late");
  }

  @Test
  void shouldTellOfAnEdgeAfterAReadThatTookAll() throws IOException {
    PipedOutputStream source = new PipedOutputStream();
    OpenFile file = StreamFile.input(new PipedInputStream(source), lock);
    EpollFile epoll = new EpollFile(new EpollWatches());
    epoll.waiters().add(sleeper);
    epoll.add(0, file, Poll.POLLIN | EDGE, 0);
    for (String text : List.of("one", "two")) {
      source.write(text.getBytes(StandardCharsets.UTF_8));
      source.flush();
      assertThat(sleeper.sleep(System.nanoTime() + LONG_NANOS)).as("told of " + text).isTrue();
      assertThat(epoll.take(1)).hasSize(1);
      assertThat(epoll.take(1)).isEmpty();
      assertThat(read(file, 9)).isEqualTo(text);
    }
    source.close();
  }

  @Test
  void shouldWriteOnceWhatIsWaitedFor() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    OpenFile file = StreamFile.output(out, lock);
    ByteBuffer buffer = bytes("hello");
    assertThat(await(file, () -> file.write(buffer))).isEqualTo(5);
    assertThat(buffer.hasRemaining()).isFalse();
    assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("hello");
  }

  @Test
  void shouldGoOnWithWhatIsAbandoned() {
    CountDownLatch room = new CountDownLatch(1);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    OpenFile file = StreamFile.output(new Slow(out, room), lock);
    ByteBuffer first = bytes("one");
    ByteBuffer second = bytes("two");
    assertFails(Errno.EAGAIN, () -> file.write(first));
    assertFails(Errno.EAGAIN, () -> file.write(second));
    assertThat(file.readiness()).isZero();
    assertThat(file.abandonWrite(second)).isZero();
    assertThat(file.abandonWrite(first)).isEqualTo(3);
    assertFails(Errno.EAGAIN, () -> file.write(second));
    room.countDown();
    assertThat(await(file, () -> file.write(second))).isEqualTo(3);
    assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("onetwo");
  }

  @Test
  void shouldTellOfAFailureOnce() {
    OpenFile file = StreamFile.output(new Broken(), lock);
    ByteBuffer buffer = bytes("x");
    assertFails(
        Errno.EPIPE,
        () -> {
          int _ = awaitFailure(file, buffer);
        });
    assertFails(Errno.EAGAIN, () -> file.write(buffer));
  }

  @Test
  void shouldTellTheNextWriterOfTheEndOfOneThatFails() {
    OpenFile file = StreamFile.output(new Broken(), lock);
    ByteBuffer first = bytes("x");
    ByteBuffer second = bytes("y");
    file.waiters().add(sleeper);
    assertFails(Errno.EAGAIN, () -> file.write(first));
    assertThat(sleeper.sleep(Sleeper.NEVER)).isTrue();
    assertFails(Errno.EAGAIN, () -> file.write(second));
    assertFails(Errno.EPIPE, () -> file.write(first));
    assertThat(sleeper.sleep(System.nanoTime())).as("told").isTrue();
  }

  private int awaitFailure(OpenFile file, ByteBuffer buffer) {
    file.waiters().add(sleeper);
    assertFails(Errno.EAGAIN, () -> file.write(buffer));
    assertThat(sleeper.sleep(Sleeper.NEVER)).isTrue();
    return file.write(buffer);
  }

  private static final class Broken extends OutputStream {
    @Override
    public void write(int b) throws IOException {
      throw new IOException("Broken pipe");
    }
  }

  private static final class Slow extends OutputStream {
    private final OutputStream to;
    private final CountDownLatch room;

    Slow(OutputStream to, CountDownLatch room) {
      this.to = to;
      this.room = room;
    }

    @Override
    public void write(int b) throws IOException {
      try {
        room.await();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      to.write(b);
    }
  }
}
