package dev.stubpool.kernel.fs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.OpenDirectory;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.file.Pipes;
import dev.stubpool.kernel.memory.MemoryBudget;
import dev.stubpool.testing.Descriptors;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FileTreeTest {
  private static final long MEMORY = 64 << 20;

  @TempDir private Path scratch;
  private Path shown;
  private Identity who;
  private FileTree tree;

  @BeforeEach
  void fill() throws IOException {
    scratch = scratch.toRealPath();
    shown = Files.createDirectories(scratch.resolve("shown/in/deeper")).getParent().getParent();
    Files.writeString(shown.resolve("file"), "text");
    Files.writeString(scratch.resolve("secret"), "secret");
    Files.writeString(Files.createDirectory(scratch.resolve("hidden")).resolve("x"), "secret");
    link("relative", "in/../file");
    link("chain", "relative");
    link("absolute", shown + "/file");
    link("folder", "in");
    link("loop", "loop");
    link("ping", "in/pong");
    link("in/pong", "../ping");
    link("out", "../secret");
    link("away", scratch + "/secret");
    link("hiddenFolder", scratch + "/hidden");
    link("top", "/");
    link("in/up", "../..");
    link("beyond", "../".repeat(50) + scratch.toString().substring(1) + "/secret");
    link("gone", "none");
    link("proc", "/proc/self/root");
    who = Identity.ofHost();
    tree = tree(Path.of("/"));
    tree.add(shown);
  }

  @AfterEach
  void close() {
    tree.close();
  }

  private static FileTree tree(Path top) throws IOException {
    return new FileTree(top, new MemoryBudget(MEMORY), new Pipes()::fifo, new NoProcesses());
  }

  private void link(String name, String target) throws IOException {
    Files.createSymbolicLink(shown.resolve(name), Path.of(target));
  }

  private Location find(String from, String path, boolean follow) {
    return tree.find(tree.find(tree.root(), from, true, who), path, follow, who);
  }

  private Location find(String path) {
    return find("/", path, true);
  }

  private OpenFile open(String path, int flags) {
    return new Opening(flags, 0666, who).open(tree, tree.root(), path);
  }

  private static String text(OpenFile file) {
    ByteBuffer bytes = ByteBuffer.allocate(1000);
    int _ = file.read(bytes);
    return new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          file,                      /file
          ./file,                    /file
          in//..///file,             /file
          in/deeper/../../file,      /file
          relative,                  /file
          chain,                     /file
          absolute,                  /file
          folder/../file,            /file
          folder/,                   /in
          ../shown/file,             /file
          in/up/shown/in,            /in
          .,                         ''
          """)
  void shouldFollowWhatLeadsToSomethingShown(String path, String found) {
    assertThat(find(shown.toString(), path, true).path()).isEqualTo(shown + found);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          out,                 ENOENT
          away,                ENOENT
          beyond,              ENOENT
          hiddenFolder,        ENOENT
          hiddenFolder/x,      ENOENT
          hiddenFolder/../file, ENOENT
          ../secret,           ENOENT
          ../hidden/x,         ENOENT
          top/proc/self/root,  ENOENT
          proc,                ENOENT
          in/up/secret,        ENOENT
          /proc/self/environ,  ENOENT
          /proc/1/environ,     ENOENT
          /proc/kcore,         ENOENT
          /dev/mem,            ENOENT
          /sys/kernel/debug,   ENOENT
          gone,                ENOENT
          none/../file,        ENOENT
          '',                  ENOENT
          file/,               ENOTDIR
          file/..,             ENOTDIR
          file/.,              ENOTDIR
          file/x,              ENOTDIR
          relative/,           ENOTDIR
          /dev/null/,          ENOTDIR
          loop,                ELOOP
          ping,                ELOOP
          """)
  void shouldNotFollowWhatLeadsAnywhereElse(String path, String errno) {
    assertThatThrownBy(() -> find(shown.toString(), path, true))
        .isInstanceOf(ErrnoException.class)
        .hasMessage(errno);
  }

  @Test
  void shouldRefuseALongName() {
    assertThatThrownBy(() -> find(shown + "/" + "n".repeat(256))).hasMessage("ENAMETOOLONG");
    assertThatThrownBy(() -> find(shown + "/" + "\u00e4".repeat(128))).hasMessage("ENAMETOOLONG");
    assertThatThrownBy(() -> find(shown + "/" + "\u00e4".repeat(127))).hasMessage("ENOENT");
  }

  @ParameterizedTest
  @ValueSource(strings = {"loop", "out", "gone", "relative"})
  void shouldFindALinkItself(String name) {
    assertThat(find(shown.toString(), name, false).node()).isInstanceOf(Node.Link.class);
  }

  @Test
  void shouldStayAtTheTop() {
    assertThat(find("/../../dev/../..").path()).isEqualTo("/");
    assertThat(find(shown.toString(), "top", true).path()).isEqualTo("/");
  }

  @Test
  void shouldShowOnlyTheWayToWhatIsShownWhereAnotherTreeLiesAbove() {
    Node.Directory parent = (Node.Directory) find(scratch.toString()).node();

    assertThat(parent.names()).containsExactly("shown");
  }

  @Test
  void shouldShowTheHost() throws IOException {
    assertThat(((Node.Directory) find("/").node()).names()).contains("dev", "proc", "tmp", "usr");
    assertThat(text(open("/etc/passwd", OpenFlags.O_RDONLY)))
        .isEqualTo(Files.readString(Path.of("/etc/passwd")).substring(0, 1000));
    assertThat(find("/usr/bin").node().status())
        .isEqualTo(FileStatus.of(Path.of("/usr/bin").toRealPath()));
  }

  @Test
  void shouldShowNoProcButItsOwn() {
    assertThat(((Node.Directory) find("/proc").node()).names()).contains("meminfo", "self");
    assertThatThrownBy(() -> tree.add(Path.of("/proc/self")))
        .hasMessageContaining("not for guests");
  }

  @Test
  void shouldShowNothingThatIsHidden() throws IOException {
    tree.hide(shown.resolve("in"));
    tree.hide(Path.of("/usr/share"));

    assertThatThrownBy(() -> find(shown + "/in")).hasMessage("ENOENT");
    assertThatThrownBy(() -> find(shown + "/folder")).hasMessage("ENOENT");
    assertThatThrownBy(() -> find("/usr/share/x")).hasMessage("ENOENT");
    assertThat(((Node.Directory) find("/usr").node()).names()).doesNotContain("share");
    assertThatThrownBy(() -> open("/usr/share", OpenFlags.O_CREAT | OpenFlags.O_WRONLY))
        .hasMessage("EROFS");
  }

  @Test
  void shouldHideAFileAndADirectoryUnderAllTheirNames() throws IOException {
    Path file = shown.resolve("file");
    Files.createLink(shown.resolve("in/other"), file);
    tree.hide(file);
    tree.hide(shown.resolve("in/deeper"));
    Files.move(file, shown.resolve("moved"));
    Files.move(shown.resolve("in/deeper"), shown.resolve("moved2"));

    for (String name : new String[] {"moved", "moved2", "in/other"}) {
      assertThatThrownBy(() -> find(shown + "/" + name)).as(name).hasMessage("ENOENT");
    }
  }

  @Test
  void shouldShowToRootWhatAnybodyMayReadOnly() throws IOException, InterruptedException {
    assumeTrue(who.uid() == 0, "this JVM is not root");
    Path folder =
        Files.createDirectory(Path.of("/var/tmp/stubpool-" + ProcessHandle.current().pid()));
    Path file = Files.writeString(folder.resolve("f"), "text");
    try {
      permit(folder, "rwxr-xr-x");
      permit(file, "rw-r-----");
      assertThat(find(file.toString()).node().status().size()).isEqualTo(4);
      assertThatThrownBy(() -> open(file.toString(), OpenFlags.O_RDONLY)).hasMessage("EACCES");
      permit(file, "r--r--r--");
      permit(folder, "rwxr-x--x");
      assertThatThrownBy(() -> open(folder.toString(), OpenFlags.O_RDONLY)).hasMessage("EACCES");
      assertThat(find(file.toString())).isNotNull();
      permit(folder, "rwxr-xr--");
      assertThat(((Node.Directory) find(folder.toString()).node()).names()).containsExactly("f");
      assertThatThrownBy(() -> find(file.toString())).hasMessage("EACCES");
      permit(file, "rw-------");
      tree.add(file);
      assertThat(text(open(file.toString(), OpenFlags.O_RDONLY))).isEqualTo("text");
    } finally {
      Files.delete(file);
      Files.delete(folder);
    }
  }

  private static void permit(Path path, String permissions)
      throws IOException, InterruptedException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
    Thread.sleep(50); // what was known before counts no more
  }

  @Test
  void shouldHaveAnotherRoot() throws IOException {
    FileTree other = tree(shown);

    assertThat(other.find(other.root(), "/in/deeper", true, who).path()).isEqualTo("/in/deeper");
    assertThat(other.find(other.root(), "in/up", true, who).path()).isEqualTo("/");
    assertThatThrownBy(() -> other.find(other.root(), "/out", true, who)).hasMessage("ENOENT");
    assertThat(((Node.Directory) other.root().node()).names()).contains("dev", "proc", "tmp", "in");
    other.close();
  }

  @Test
  void shouldAddWhatIsShownTwiceOnce() throws IOException {
    tree.add(shown.resolve("in"));
    tree.add(shown.resolve("file"));
    tree.add(scratch);

    assertThat(find(scratch + "/secret").path()).endsWith("/secret");
    assertThat(find(shown + "/in/up/hidden/x").path()).endsWith("/hidden/x");
    assertThat(text(open(shown + "/file", OpenFlags.O_RDONLY))).isEqualTo("text");
  }

  @Test
  void shouldShowALinkUnderItsOwnNameIfItIsAskedFor() throws IOException {
    tree.add(shown.resolve("hiddenFolder"));

    assertThat(find(shown.toString(), "hiddenFolder/x", true).path())
        .isEqualTo(shown + "/hiddenFolder/x");
  }

  @Test
  void shouldLayFilesBehindLinksOfTheHost() throws IOException {
    assumeTrue(Files.isSymbolicLink(Path.of("/bin")), "/bin is no link");
    tree.add(Path.of("/bin/sh"));

    assertThat(find("/usr/bin/sh").path()).isEqualTo("/usr/bin/sh");
    assertThat(find("/bin/ls").path()).isEqualTo("/usr/bin/ls");
  }

  @Test
  void shouldChangeNothingOfTheHost() {
    String file = shown + "/file";
    int creates = OpenFlags.O_CREAT | OpenFlags.O_WRONLY;
    assertThatThrownBy(() -> open(file, OpenFlags.O_WRONLY)).hasMessage("EROFS");
    assertThatThrownBy(() -> open(file, OpenFlags.O_TRUNC)).hasMessage("EROFS");
    assertThatThrownBy(() -> open(shown + "/new", creates)).hasMessage("EROFS");
    assertThatThrownBy(() -> open(shown + "/no/new", creates)).hasMessage("ENOENT");
    assertThatThrownBy(() -> open(shown + "/in", creates)).hasMessage("EISDIR");
    assertThatThrownBy(() -> open(file, creates | OpenFlags.O_EXCL)).hasMessage("EEXIST");
    assertThatThrownBy(() -> open(file + "/x", creates)).hasMessage("ENOTDIR");
    assertThatThrownBy(() -> DirectoryChanges.unlink(name(file), who)).hasMessage("EROFS");
    assertThatThrownBy(() -> DirectoryChanges.unlink(name(shown.toString()), who))
        .hasMessage("EISDIR");
    assertThatThrownBy(() -> DirectoryChanges.makeDirectory(name(file), 0755, who))
        .hasMessage("EEXIST");
    assertThatThrownBy(() -> DirectoryChanges.rename(name(file), name(shown + "/g"), 0, who))
        .hasMessage("EROFS");
    assertThatThrownBy(() -> DirectoryChanges.rename(name(file), name("/tmp/g"), 0, who))
        .hasMessage("EXDEV");
    assertThatThrownBy(() -> DirectoryChanges.link(find(file), name("/tmp/g"), who))
        .hasMessage("EXDEV");
    assertThatThrownBy(() -> AttributeChanges.chmod(find(file).node(), 0777, who))
        .hasMessage("EROFS");
  }

  private Found name(String path) {
    return tree.look(tree.root(), path, LastName.CHANGED, who);
  }

  @Test
  void shouldReadADirectory() {
    OpenDirectory directory = (OpenDirectory) open(shown + "/in", OpenFlags.O_RDONLY);

    // struct linux_dirent64 of ".", "..", "deeper", "pong", "up", padded to 8 bytes
    assertThat(directory.entries(4096)).hasSize(24 + 24 + 32 + 24 + 24);
    assertThat(directory.entries(4096)).isEmpty();
    directory.position(0);
    assertThat(directory.entries(24)).hasSize(24);
    assertThatThrownBy(() -> directory.entries(23)).hasMessage("EINVAL");
  }

  @Test
  void shouldKeepToADirectoryThatWasFound() throws IOException {
    Location in = find(shown + "/in");
    Files.move(shown.resolve("in"), shown.resolve("moved"));
    Files.createSymbolicLink(shown.resolve("in"), scratch.resolve("hidden"));

    assertThatThrownBy(() -> tree.find(in, "x", true, who)).hasMessage("ENOENT");
    assertThatThrownBy(((Node.Directory) in.node())::names).hasMessage("ENOENT");
    assertThatThrownBy(() -> find(shown + "/in/x")).hasMessage("ENOENT");
  }

  @Test
  void shouldNotOpenWhatTookAFilesPlace() throws IOException {
    Location file = find(shown + "/file");
    Files.delete(shown.resolve("file"));
    Files.createSymbolicLink(shown.resolve("file"), scratch.resolve("secret"));

    assertThatThrownBy(() -> new Opening(OpenFlags.O_RDONLY, 0, who).open(file))
        .isInstanceOf(ErrnoException.class);
  }

  @Test
  void shouldReadAndMapWhatIsOpenWhateverBecomesOfItsName() throws IOException {
    OpenFile file = open(shown + "/file", OpenFlags.O_RDONLY);
    file.hold();
    Files.delete(shown.resolve("file"));
    Files.writeString(shown.resolve("file"), "another");
    OpenFile another = open(shown + "/file", OpenFlags.O_RDONLY);
    another.hold();

    assertThat(text(file)).isEqualTo("text");
    assertThat(file.status().size()).isEqualTo(4);
    assertThat(text(another)).isEqualTo("another");
    assertThat(file.backing()).isNotEqualTo(another.backing());
    file.release();
    another.release();
  }

  @Test
  void shouldHoldAFileOnceHoweverOftenItIsOpen() throws IOException {
    List<OpenFile> files = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      files.add(open(shown + "/file", OpenFlags.O_RDONLY));
      files.getLast().hold();
      assertThat(files.getLast().backing()).isEqualTo(files.getFirst().backing());
    }
    assertThat(descriptors()).isEqualTo(2);

    files.forEach(OpenFile::release);

    assertThat(descriptors()).isZero();
  }

  /** How many descriptors this JVM has of the file. */
  private int descriptors() {
    return Descriptors.leadingTo(shown.resolve("file").toString());
  }

  /** Somebody swaps a directory for a link to one that is not shown, all the time. */
  @Test
  void shouldNeverShowWhatALinkInAnotherThreadLeadsTo() throws Exception {
    Path victim = Files.createDirectory(shown.resolve("victim"));
    Files.writeString(victim.resolve("x"), "shown");
    Path aside = shown.resolve("aside");
    Path link = Files.createSymbolicLink(shown.resolve("link"), scratch.resolve("hidden"));
    Thread swapper =
        new Thread(
            () -> {
              while (!Thread.currentThread().isInterrupted()) {
                swap(victim, aside, link);
              }
            });
    swapper.start();
    int seen = 0;
    long end = System.nanoTime() + 1_000_000_000L;
    while (System.nanoTime() < end) {
      try {
        OpenFile file = open(shown + "/victim/x", OpenFlags.O_RDONLY);
        file.hold();
        assertThat(text(file)).isEqualTo("shown");
        file.release();
        seen++;
      } catch (ErrnoException _) {
        // Just then nothing was there, or the link.
      }
    }
    swapper.interrupt();
    swapper.join();
    assertThat(seen).isPositive();
  }

  private static void swap(Path victim, Path aside, Path link) {
    try {
      Files.move(victim, aside, StandardCopyOption.ATOMIC_MOVE);
      Files.move(link, victim, StandardCopyOption.ATOMIC_MOVE);
      Files.move(victim, link, StandardCopyOption.ATOMIC_MOVE);
      Files.move(aside, victim, StandardCopyOption.ATOMIC_MOVE);
    } catch (NoSuchFileException | FileAlreadyExistsException e) {
      throw new IllegalStateException(e);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
