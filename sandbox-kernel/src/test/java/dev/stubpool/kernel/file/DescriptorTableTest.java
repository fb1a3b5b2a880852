package dev.stubpool.kernel.file;

import static dev.stubpool.kernel.file.Data.assertFails;
import static dev.stubpool.kernel.file.Data.read;
import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.file.FileLocks.Lock;
import org.junit.jupiter.api.Test;

class DescriptorTableTest {
  private final DescriptorTable table = new DescriptorTable();
  private final Pipe pipe = new Pipes().pipe();
  private final OpenFile reader = pipe.reader(0);
  private final OpenFile writer = pipe.writer(0);

  @Test
  void shouldGiveTheLowestFreeNumber() {
    assertThat(table.add(reader, false)).isZero();
    assertThat(table.add(writer, false)).isEqualTo(1);
    assertThat(table.add(writer, false, 5)).isEqualTo(5);
    assertThat(table.add(writer, false, 5)).isEqualTo(6);
    table.close(1);
    assertThat(table.add(writer, false)).isEqualTo(1);
    assertThat(table.add(writer, false)).isEqualTo(2);
    assertThat(table.numbers()).containsExactly(0, 1, 2, 5, 6);
  }

  @Test
  void shouldEndAtItsLimit() {
    table.limit(3);
    for (int i = 0; i < 3; i++) {
      assertThat(table.add(reader, false)).isEqualTo(i);
    }
    assertFails(Errno.EMFILE, () -> table.add(writer, false));
    assertThat(read(reader, 1)).as("the only writer was closed").isEmpty();
  }

  @Test
  void shouldCloseAFileWithItsLastDescriptor() {
    table.put(3, reader, false);
    table.put(4, writer, false);
    table.put(5, writer, false);
    table.close(4);
    assertFails(Errno.EAGAIN, () -> read(reader, 1));
    table.put(5, reader, false);
    assertThat(read(reader, 1)).isEmpty();
    assertThat(table.get(5)).isSameAs(reader);
    assertFails(Errno.EBADF, () -> table.close(4));
  }

  @Test
  void shouldCloseWhatExecCloses() {
    table.put(3, reader, true);
    table.put(4, writer, false);
    table.closeOnExec(4, true);
    table.closeOnExec(3, false);
    table.exec();
    assertThat(table.numbers()).containsExactly(3);
  }

  @Test
  void shouldShareFilesWithItsCopy() {
    table.put(3, reader, true);
    table.put(4, writer, false);
    DescriptorTable copy = table.copy();
    table.close();
    assertFails(Errno.EAGAIN, () -> read(reader, 1));
    assertThat(copy.isCloseOnExec(3)).isTrue();
    assertThat(copy.isCloseOnExec(4)).isFalse();
    copy.close(4);
    assertThat(read(reader, 1)).isEmpty();
  }

  @Test
  void shouldBeClosedByTheLastWhoSharesIt() {
    table.put(3, reader, false);
    assertThat(table.shared()).isSameAs(table);
    DescriptorTable own = table.unshared();
    assertThat(own).isNotSameAs(table);
    own.close(3);
    assertThat(table.get(3)).isSameAs(reader);
    assertThat(table.unshared()).isSameAs(table);
    table.close();
    assertThat(table.numbers()).isEmpty();
  }

  @Test
  void shouldLoseItsLocksWithAnyDescriptorOfTheFile() {
    FileLocks locks = new FileLocks();
    DescriptorTable other = new DescriptorTable();
    table.put(3, reader, false);
    table.put(4, reader, false);
    locks.lock(table, reader, new Lock(table, 2, 0, 9, true));
    Lock wanted = new Lock(other, 3, 5, 5, false);
    assertFails(Errno.EAGAIN, () -> locks.lock(other, reader, wanted));
    table.close(4);
    locks.lock(other, reader, wanted);
    assertThat(locks.conflict(reader.id(), new Lock(table, 2, 0, 9, true))).contains(wanted);
  }
}
