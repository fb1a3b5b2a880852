package dev.stubpool.kernel.file;

import static dev.stubpool.kernel.file.Data.assertFails;
import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.file.FileLocks.Lock;
import org.junit.jupiter.api.Test;

class FileLocksTest {
  private final FileLocks locks = new FileLocks();
  private final OpenFile a = new Pipes().pipe().reader(0);
  private final OpenFile b = new PipeEnd("b", new Pipes().pipe(), 0, a::status);

  private static Lock lock(OpenFile owner, long first, long last, boolean isExclusive) {
    return new Lock(owner, 1, first, last, isExclusive);
  }

  @Test
  void shouldShareAndExclude() {
    locks.lock(a, lock(a, 0, 9, false));
    locks.lock(b, lock(b, 5, 20, false));
    assertFails(Errno.EAGAIN, () -> locks.lock(a, lock(a, 0, 9, true)));
    locks.lock(a, lock(a, 0, 4, true));
    assertFails(Errno.EAGAIN, () -> locks.lock(b, lock(b, 4, 5, false)));
  }

  @Test
  void shouldSplitWhatIsUnlockedInTheMiddle() {
    locks.lock(a, lock(a, 0, 9, true));
    locks.unlock(a.id(), a, 3, 5);
    locks.lock(b, lock(b, 3, 5, true));
    assertFails(Errno.EAGAIN, () -> locks.lock(b, lock(b, 2, 2, false)));
    assertFails(Errno.EAGAIN, () -> locks.lock(b, lock(b, 6, 6, false)));
  }

  @Test
  void shouldGiveUpWhatAClosedFileHas() {
    boolean[] isWoken = new boolean[1];
    a.hold();
    locks.lock(a, lock(a, 0, Long.MAX_VALUE, true));
    locks.released().add(() -> isWoken[0] = true);
    a.release();
    assertThat(isWoken[0]).isTrue();
    locks.lock(b, lock(b, 0, Long.MAX_VALUE, true));
  }
}
