package dev.stubpool.kernel.fs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.OpenDirectory;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.file.Pipes;
import dev.stubpool.kernel.memory.MemoryBudget;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemoryTreeTest {
  private static final int READ_WRITE = OpenFlags.O_RDWR | OpenFlags.O_CREAT;
  private static final Identity ROOT = new Identity(0, 0);
  private static final Identity ANN = new Identity(1000, 1000);
  private static final Identity BOB = new Identity(1001, 1001);

  private final MemoryBudget budget = new MemoryBudget(8 << 20);
  private FileTree tree;
  private long before;

  @BeforeEach
  void make() throws IOException {
    tree = new FileTree(Path.of("/"), budget, new Pipes()::fifo, new NoProcesses());
    before = budget.used();
  }

  @AfterEach
  void close() {
    tree.close();
  }

  private Location tmp() {
    return tree.find(tree.root(), "/tmp", true, ROOT);
  }

  private Found name(String path) {
    return name(path, ROOT);
  }

  private Found name(String path, Identity who) {
    return tree.look(tmp(), path, LastName.CHANGED, who);
  }

  private Location find(String path) {
    return tree.find(tmp(), path, false, ROOT);
  }

  private OpenFile open(String path, int flags) {
    return open(path, flags, ROOT);
  }

  private OpenFile open(String path, int flags, Identity who) {
    OpenFile file = new Opening(flags, 0644, who).open(tree, tmp(), path);
    file.hold();
    return file;
  }

  private void make(String path, String text) {
    OpenFile file = open(path, READ_WRITE);
    int _ = file.write(bytes(text));
    file.release();
  }

  private String text(String path) {
    OpenFile file = open(path, OpenFlags.O_RDONLY);
    try {
      return text(file);
    } finally {
      file.release();
    }
  }

  private static String text(OpenFile file) {
    ByteBuffer bytes = ByteBuffer.allocate(100);
    int _ = file.read(bytes);
    return new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
  }

  private static ByteBuffer bytes(String text) {
    return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
  }

  private void mkdir(String path) {
    DirectoryChanges.makeDirectory(name(path), 0755, ROOT);
  }

  private void rename(String from, String to, int flags) {
    DirectoryChanges.rename(name(from), name(to), flags, ROOT);
  }

  @Test
  void shouldKeepWhatIsWritten() {
    make("f", "0123456789");
    OpenFile file = open("f", OpenFlags.O_RDWR);
    assertThat(file.write(bytes("abc"), 8)).isEqualTo(3);
    assertThat(text(file)).isEqualTo("01234567abc");
    file.truncate(4);
    file.truncate(6);
    assertThat(text("f")).isEqualTo("0123\0\0");
    OpenFile append = open("f", OpenFlags.O_WRONLY | OpenFlags.O_APPEND);
    assertThat(append.write(bytes("!"))).isEqualTo(1);
    assertThat(append.position()).isEqualTo(7);
    assertThatThrownBy(() -> append.read(ByteBuffer.allocate(1))).hasMessage("EBADF");
    assertThat(open("f", OpenFlags.O_RDONLY | OpenFlags.O_TRUNC).status().size()).isZero();
  }

  @Test
  void shouldKeepHolesForNothing() {
    OpenFile file = open("f", READ_WRITE);
    long far = 5L << 30;
    assertThat(file.write(bytes("x"), far)).isEqualTo(1);
    assertThat(file.status().size()).isEqualTo(far + 1);
    assertThat(file.status().blocks()).isEqualTo(8);
    ByteBuffer read = ByteBuffer.allocate(3);
    assertThat(file.read(read, far - 1)).isEqualTo(2);
    assertThat(read.array()).containsExactly(0, 'x', 0);
    assertThatThrownBy(() -> file.write(bytes("x"), Long.MAX_VALUE)).hasMessage("EFBIG");
    file.truncate(0);
    assertThat(file.status().blocks()).isZero();
  }

  @Test
  void shouldBeFullAtSomeTime() {
    OpenFile file = open("f", READ_WRITE);
    ByteBuffer much = ByteBuffer.allocate(3 << 20);
    assertThat(file.write(much)).isEqualTo(3 << 20);
    int rest = file.write(much.clear());
    assertThat(rest).isPositive().isLessThan(3 << 20);
    assertThatThrownBy(() -> file.write(much.clear())).hasMessage("ENOSPC");
    assertThatThrownBy(() -> file.allocate(0, 1L << 40)).hasMessage("ENOSPC");
    DirectoryChanges.unlink(name("f"), ROOT);
    file.release();
    make("g", "x");
    DirectoryChanges.unlink(name("g"), ROOT);
    assertThat(budget.used()).isEqualTo(before);
  }

  @Test
  void shouldTakeRoomForNames() {
    make("f", "");
    assertThatThrownBy(
            () -> {
              for (int i = 0; i < 10_000; i++) {
                DirectoryChanges.link(find("f"), name("name-" + i), ROOT);
              }
            })
        .hasMessage("ENOSPC");
  }

  @Test
  void shouldKeepAFileThatIsOpen() {
    make("f", "text");
    OpenFile file = open("f", OpenFlags.O_RDONLY);
    DirectoryChanges.unlink(name("f"), ROOT);
    assertThatThrownBy(() -> find("f")).hasMessage("ENOENT");
    assertThat(file.status().links()).isZero();
    assertThat(file.path()).isEqualTo("/tmp/f (deleted)");
    assertThat(text(file)).isEqualTo("text");
    file.release();
    assertThat(budget.used()).isEqualTo(before);
  }

  @Test
  void shouldMakeFilesWithoutNames() {
    int flags = OpenFlags.O_RDWR | OpenFlags.O_DIRECTORY | OpenFlags.TMPFILE_BIT;
    OpenFile file = open(".", flags);
    assertThat(file.write(bytes("text"))).isEqualTo(4);
    DirectoryChanges.link((Location) file.place(), name("f"), ROOT);
    assertThat(text("f")).isEqualTo("text");
    DirectoryChanges.unlink(name("f"), ROOT);
    file.release();
    assertThat(budget.used()).isEqualTo(before);
    assertThatThrownBy(() -> open(".", flags | OpenFlags.O_CREAT)).hasMessage("EINVAL");
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          none,  x,       0, ENOENT
          f,     no/x,    0, ENOENT
          f,     f/x,     0, ENOTDIR
          f,     d,       0, EISDIR
          d,     f,       0, ENOTDIR
          d,     d/x,     0, EINVAL
          d,     d/e/x,   0, EINVAL
          d/e,   d,       0, ENOTEMPTY
          e,     d,       0, ENOTEMPTY
          f,     x/,      0, ENOTDIR
          f/,    x,       0, ENOTDIR
          .,     x,       0, EBUSY
          f,     ..,      0, EBUSY
          f,     g,       1, EEXIST
          f,     none,    2, ENOENT
          f,     g,       3, EINVAL
          f,     g,       4, EINVAL
          d/e,   d,       2, EINVAL
          f,     /dev/shm/x, 0, EXDEV
          f,     /usr/x,  0, EXDEV
          """)
  void shouldRefuseToRename(String from, String to, int flags, String errno) {
    make("f", "f");
    make("g", "g");
    mkdir("d");
    mkdir("d/e");
    mkdir("e");
    assertThatThrownBy(() -> rename(from, to, flags)).hasMessage(errno);
  }

  @Test
  void shouldRename() {
    make("f", "f");
    make("g", "g");
    mkdir("d");
    mkdir("e");
    OpenFile open = open("f", OpenFlags.O_RDONLY);
    Location inside = find("d");
    rename("f", "g", 0);
    assertThat(open.path()).isEqualTo("/tmp/g");
    assertThat(text("g")).isEqualTo("f");
    rename("d", "e", 0);
    assertThat(inside.path()).isEqualTo("/tmp/e");
    rename("e", "g", DirectoryChanges.RENAME_EXCHANGE);
    assertThat(inside.path()).isEqualTo("/tmp/g");
    assertThat(text("e")).isEqualTo("f");
    mkdir("o");
    rename("g", "o/p/", 0);
    assertThat(tree.find(inside, "..", true, ROOT).path()).isEqualTo("/tmp/o");
    assertThat(find("o").node().status().links()).isEqualTo(3);
    rename("o/p", "o/p", 0);
    DirectoryChanges.link(find("e"), name("h"), ROOT);
    rename("e", "h", 0);
    assertThat(find("e").node().status().links()).isEqualTo(2);
  }

  @Test
  void shouldRemoveDirectoriesThatAreEmpty() {
    mkdir("d");
    mkdir("d/e");
    make("d/f", "");
    Location directory = find("d");
    assertThatThrownBy(() -> DirectoryChanges.removeDirectory(name("d"), ROOT))
        .hasMessage("ENOTEMPTY");
    assertThatThrownBy(() -> DirectoryChanges.removeDirectory(name("d/."), ROOT))
        .hasMessage("EINVAL");
    assertThatThrownBy(() -> DirectoryChanges.removeDirectory(name("d/e/.."), ROOT))
        .hasMessage("ENOTEMPTY");
    assertThatThrownBy(() -> DirectoryChanges.removeDirectory(name("d/f"), ROOT))
        .hasMessage("ENOTDIR");
    assertThatThrownBy(() -> DirectoryChanges.unlink(name("d/e"), ROOT)).hasMessage("EISDIR");
    assertThatThrownBy(() -> DirectoryChanges.unlink(name("d/f/"), ROOT)).hasMessage("ENOTDIR");
    assertThatThrownBy(() -> DirectoryChanges.removeDirectory(name("/tmp"), ROOT))
        .hasMessage("EROFS");
    DirectoryChanges.removeDirectory(name("d/e/"), ROOT);
    DirectoryChanges.unlink(name("d/f"), ROOT);
    DirectoryChanges.removeDirectory(name("d"), ROOT);
    assertThat(directory.isRemoved()).isTrue();
    assertThat(directory.node().status().links()).isZero();
    assertThatThrownBy(() -> new Opening(READ_WRITE, 0644, ROOT).open(tree, directory, "f"))
        .hasMessage("ENOENT");
    assertThat(tree.find(directory, "..", true, ROOT).path()).isEqualTo("/tmp");
    assertThat(budget.used()).isEqualTo(before);
  }

  @Test
  void shouldCreateWhereALinkLeads() {
    DirectoryChanges.makeLink(name("l"), "d/f", ROOT);
    assertThatThrownBy(() -> open("l", READ_WRITE)).hasMessage("ENOENT");
    mkdir("d");
    assertThatThrownBy(() -> open("l", READ_WRITE | OpenFlags.O_EXCL)).hasMessage("EEXIST");
    assertThatThrownBy(() -> open("l", READ_WRITE | OpenFlags.O_NOFOLLOW)).hasMessage("ELOOP");
    make("l", "text");
    assertThat(text("d/f")).isEqualTo("text");
    assertThat(open("l", OpenFlags.O_PATH | OpenFlags.O_NOFOLLOW).status().type())
        .isEqualTo(FileStatus.S_IFLNK);
    assertThatThrownBy(() -> open("new/", READ_WRITE)).hasMessage("EISDIR");
    assertThatThrownBy(() -> open("d", READ_WRITE)).hasMessage("EISDIR");
    assertThatThrownBy(() -> open("d", OpenFlags.O_RDWR)).hasMessage("EISDIR");
    assertThatThrownBy(() -> open("d/f", OpenFlags.O_DIRECTORY)).hasMessage("ENOTDIR");
    assertThatThrownBy(() -> DirectoryChanges.makeDirectory(name("l/"), 0755, ROOT))
        .hasMessage("EEXIST");
  }

  @Test
  void shouldHeedPermissions() {
    make("f", "text");
    DirectoryChanges.makeDirectory(name("d"), 0700, ROOT);
    assertThatThrownBy(() -> open("f", OpenFlags.O_RDWR, ANN)).hasMessage("EACCES");
    assertThatThrownBy(() -> open("d/f", READ_WRITE, ANN)).hasMessage("EACCES");
    assertThatThrownBy(() -> DirectoryChanges.unlink(name("f", ANN), ANN)).hasMessage("EPERM");
    open("mine", READ_WRITE, ANN).release();
    assertThat(find("mine").node().status().uid()).isEqualTo(ANN.uid());
    assertThatThrownBy(() -> DirectoryChanges.unlink(name("mine", BOB), BOB)).hasMessage("EPERM");
    Node mine = find("mine").node();
    assertThatThrownBy(() -> AttributeChanges.chmod(mine, 0, BOB)).hasMessage("EPERM");
    assertThatThrownBy(() -> AttributeChanges.chown(mine, BOB.uid(), -1, ANN)).hasMessage("EPERM");
    AttributeChanges.chmod(mine, 04755, ANN);
    assertThat(mine.status().mode()).isEqualTo(FileStatus.S_IFREG | 04755);
    AttributeChanges.chown(mine, BOB.uid(), -1, ROOT);
    assertThat(mine.status().mode()).isEqualTo(FileStatus.S_IFREG | 0755);
    assertThatThrownBy(() -> Opening.checkAccess(find("f").node(), 1, ROOT)).hasMessage("EACCES");
    DirectoryChanges.unlink(name("mine", BOB), BOB);
  }

  @Test
  void shouldKeepTimes() {
    make("f", "text");
    Node node = find("f").node();
    Instant then = Instant.ofEpochSecond(1000, 500);
    AttributeChanges.times(node, new FileTimes(Optional.of(then), Optional.empty(), false), ROOT);
    assertThat(node.status().accessed()).isEqualTo(then);
    assertThat(node.status().modified()).isAfter(then);
    assertThatThrownBy(
            () ->
                AttributeChanges.times(
                    node, new FileTimes(Optional.of(then), Optional.empty(), false), ANN))
        .hasMessage("EPERM");
    assertThatThrownBy(() -> AttributeChanges.times(node, FileTimes.now(), ANN))
        .hasMessage("EACCES");
  }

  @Test
  void shouldListEachNameOnceWhateverChanges() {
    for (int i = 0; i < 10; i++) {
      make("f" + i, "");
    }
    OpenDirectory directory = (OpenDirectory) open(".", OpenFlags.O_RDONLY);
    assertThat(directory.entries(24 * 6)).hasSize(24 * 6); // ".", "..", f0 to f3
    for (int i = 0; i < 8; i++) {
      DirectoryChanges.unlink(name("f" + i), ROOT);
    }
    make("new", "");
    assertThat(directory.entries(4096)).hasSize(24 * 2); // f8 and f9
    directory.position(11);
    assertThat(directory.entries(4096)).hasSize(24);
    directory.position(0);
    assertThat(directory.entries(4096)).hasSize(24 * 5);
  }
}
