package dev.stubpool;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.support.Internals;
import dev.stubpool.testing.ChildJvm;
import dev.stubpool.testing.Descriptors;
import dev.stubpool.testing.Proc;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of the host in stubs: what open(2) and mmap(2) let through, and what they do not. */
class HostFileIT {
  private static final long SOMEWHERE = 0x1000_0000L;
  private static final long PAGE = AddressSpace.PAGE_SIZE;
  private static final String PRIVATE_INSTEAD =
      "; to write only to private copies of its pages, open it with READ and map it PRIVATE";

  private final StubPool pool =
      StubPool.open(StubPoolOptions.builder().name("files").minIdle(0).maxStubs(8).build());

  @TempDir private Path folder;

  @AfterEach
  void shouldLeaveNothing() {
    assertThat(Internals.window(pool).freeSlots()).isEqualTo(pool.isClosed() ? 0 : 256);
    pool.close();
    assertThat(Descriptors.of(folder.toString())).isEmpty();
    assertThat(Proc.stubs()).isEmpty();
  }

  private Path write(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private static String read(Stub stub, int length) {
    return new String(stub.memory().read(SOMEWHERE, length), UTF_8);
  }

  private static void map(Stub stub, Mappable file, Protection protection, Sharing sharing) {
    stub.memory().map(SOMEWHERE, file, 0, PAGE, protection, sharing);
  }

  /** What the kernel says to the opening of a path. */
  private void assertOpenFails(Path path, String errno, String advice, OpenOption... options) {
    assertThatThrownBy(() -> pool.mappable(path, options))
        .isInstanceOf(SystemCallException.class)
        .hasMessage("openat: " + errno + " while opening " + path + " to map it" + advice);
  }

  /** What the kernel says to a mapping of what could be opened. */
  private void assertMapFails(HostFile file, String errno) {
    try (Stub stub = pool.acquire()) {
      assertThatThrownBy(() -> map(stub, file, Protection.READ, Sharing.PRIVATE))
          .isInstanceOf(SystemCallException.class)
          .hasMessage("mmap: " + errno + " while mapping " + file + " into stub " + stub.pid());
      assertThat(stub.syscall(Abi.SYS_getpid)).as("nothing happened to it").isEqualTo(stub.pid());
    }
  }

  // ---- how it is opened ----

  @Test
  void shouldOpenForWhatIsAsked() throws IOException {
    Path path = write("file", "0123456789");
    OpenOption[][] writing = {{WRITE}, {READ, WRITE}, {WRITE, READ}, {WRITE, WRITE}};
    int round = 0;
    for (OpenOption[] options : writing) {
      String text = "by stub " + round++;
      try (HostFile file = pool.mappable(path, options);
          Stub stub = pool.acquire()) {
        map(stub, file, Protection.READ_WRITE, Sharing.SHARED);
        stub.memory().write(SOMEWHERE, text.getBytes(UTF_8));
        assertThat(read(stub, 9)).isEqualTo(text);
      }
      assertThat(Files.readString(path)).isEqualTo(text + "9");
    }
    OpenOption[][] reading = {{}, {READ}, {READ, READ}};
    for (OpenOption[] options : reading) {
      try (HostFile file = pool.mappable(path, options);
          Stub stub = pool.acquire()) {
        map(stub, file, Protection.READ, Sharing.SHARED);
        assertThat(read(stub, 10)).isEqualTo("by stub 39");
        assertThat(file.size()).isEqualTo(10);
        assertThat(file).hasToString(path.toString());
      }
    }
  }

  @Test
  void shouldRefuseOptionsThatMakeNoSense() throws IOException {
    Path path = write("file", "text");
    for (OpenOption option : new OpenOption[] {APPEND, LinkOption.NOFOLLOW_LINKS}) {
      assertThatThrownBy(() -> pool.mappable(path, READ, option))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage(option + " makes no sense for a mapping; use READ, or READ and WRITE");
    }
    assertThatThrownBy(() -> pool.mappable(path, (OpenOption) null))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> pool.mappable(null)).isInstanceOf(NullPointerException.class);
  }

  @Test
  void shouldWriteToAFileOnlyIfItWasOpenedForThat() throws IOException {
    Path path = write("file", "untouched");
    try (HostFile file = pool.mappable(path);
        Stub stub = pool.acquire()) {
      for (Protection protection :
          List.of(Protection.WRITE, Protection.READ_WRITE, Protection.READ_WRITE_EXECUTE)) {
        assertThatThrownBy(() -> map(stub, file, protection, Sharing.SHARED))
            .isInstanceOf(SystemCallException.class)
            .hasMessage(
                "mmap: EACCES while mapping "
                    + path
                    + " into stub "
                    + stub.pid()
                    + "; the file was opened with READ alone: open it with READ and WRITE, or map"
                    + " it PRIVATE");
      }
      map(stub, file, Protection.READ, Sharing.SHARED);
      assertThatThrownBy(() -> stub.memory().protect(SOMEWHERE, PAGE, Protection.READ_WRITE))
          .isInstanceOf(SystemCallException.class)
          .hasMessageStartingWith("mprotect: EACCES");
      map(stub, file, Protection.READ_WRITE, Sharing.PRIVATE);
      stub.memory().write(SOMEWHERE, "OWN".getBytes(UTF_8));
      assertThat(read(stub, 9)).isEqualTo("OWNouched");
    }
    assertThat(Files.readString(path)).isEqualTo("untouched");
  }

  @Test
  void shouldOpenPathsOfAnyForm() throws IOException {
    Path file = write("a name, with\na \"line\" break", "odd");
    Files.createSymbolicLink(folder.resolve("link"), file.getFileName());
    Files.createSymbolicLink(folder.resolve("link to link"), folder.resolve("link"));
    Path relative = Path.of("").toAbsolutePath().relativize(file);
    for (Path path :
        List.of(
            file,
            relative,
            folder.resolve("link"),
            folder.resolve("link to link"),
            folder.resolve("../" + folder.getFileName() + "/./link"))) {
      try (HostFile mappable = pool.mappable(path);
          Stub stub = pool.acquire()) {
        map(stub, mappable, Protection.READ, Sharing.PRIVATE);
        assertThat(read(stub, 3)).isEqualTo("odd");
      }
    }
  }

  /** Bytes that are no UTF-8; a letter and a question mark, which Java may not tell from others. */
  @Test
  void shouldOpenNamesThatAreNoText() throws IOException {
    for (String name : new String[] {"%ff%fe", "%c3%a4", "%3f"}) {
      Path odd = Path.of(URI.create(folder.toUri() + name));
      Files.writeString(odd, name);
      try (HostFile file = pool.mappable(odd)) {
        assertThat(file.size()).isEqualTo(name.length());
      }
    }
  }

  /** A path of a zip file, say, may have the name of another file of the host. */
  @Test
  void shouldRefusePathsThatAreNotOfTheHost() {
    Path path = FileSystems.getFileSystem(URI.create("jrt:/")).getPath("/etc/passwd");
    assertThatThrownBy(() -> pool.mappable(path))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("/etc/passwd is no file of the host but of jrt:/");
  }

  // ---- what cannot be opened ----

  @Test
  void shouldSayWhatIsNotThere() throws IOException {
    Path file = write("file", "");
    assertOpenFails(folder.resolve("missing"), "ENOENT", "");
    assertOpenFails(folder.resolve("missing"), "ENOENT", "", WRITE);
    assertThat(folder.resolve("missing")).doesNotExist();
    assertOpenFails(file.resolve("below"), "ENOTDIR", "");
    Path loop = folder.resolve("loop");
    Files.createSymbolicLink(loop, loop);
    assertOpenFails(loop, "ELOOP", "");
    Path dangling = folder.resolve("dangling");
    Files.createSymbolicLink(dangling, folder.resolve("missing"));
    assertOpenFails(dangling, "ENOENT", "");
    assertOpenFails(folder.resolve("n".repeat(300)), "ENAMETOOLONG", "");
  }

  @Test
  void shouldSayThatAProgramRuns() throws Exception {
    Path program = folder.resolve("sleep");
    Files.copy(Path.of("/bin/sleep"), program, StandardCopyOption.COPY_ATTRIBUTES);
    Process process = new ProcessBuilder(program.toString(), "60").start();
    try {
      Proc.await(
          "the program",
          () ->
              process
                  .info()
                  .command()
                  .filter(command -> command.equals(program.toString()))
                  .isPresent());
      assertOpenFails(program, "ETXTBSY", PRIVATE_INSTEAD, READ, WRITE);
      try (HostFile file = pool.mappable(program);
          Stub stub = pool.acquire()) {
        map(stub, file, Protection.READ_WRITE_EXECUTE, Sharing.PRIVATE);
        stub.memory().write(SOMEWHERE, "#ELF".getBytes(UTF_8));
        assertThat(read(stub, 4)).isEqualTo("#ELF");
      }
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  @Test
  void shouldSayWhatMayNotBeOpened() throws IOException {
    Path secret = write("secret", "root's");
    Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
    Path readable = write("readable", "everybody's");
    Files.setPosixFilePermissions(readable, PosixFilePermissions.fromString("r--r--r--"));
    Path closed = Files.createDirectory(folder.resolve("closed"));
    write("closed/file", "");
    Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    String output =
        Unprivileged.run(
            "files", List.of(), Opening.class, "" + secret, "" + readable, "" + closed);
    assertThat(output)
        .contains("openat: EACCES while opening " + secret + " to map it\n")
        .contains("openat: EACCES while opening " + readable + " to map it" + PRIVATE_INSTEAD)
        .contains("openat: EACCES while opening " + closed.resolve("file") + " to map it\n")
        .contains("read and changed: EVErybody's")
        .contains("descriptors left: 0");
    assertThat(readable).hasContent("everybody's");
  }

  /** Opens what another user lets it, and does not. */
  static final class Opening {
    public static void main(String[] arguments) {
      Path secret = Path.of(arguments[0]);
      Path readable = Path.of(arguments[1]);
      Path closed = Path.of(arguments[2]);
      try (StubPool pool = StubPool.open(StubPoolOptions.builder().minIdle(0).maxStubs(1).build());
          Stub stub = pool.acquire()) {
        tell(pool, secret, READ);
        tell(pool, readable, READ, WRITE);
        tell(pool, closed.resolve("file"), READ);
        try (HostFile file = pool.mappable(readable)) {
          map(stub, file, Protection.READ_WRITE, Sharing.PRIVATE);
          stub.memory().write(SOMEWHERE, "EVE".getBytes(UTF_8));
          System.out.println("read and changed: " + read(stub, 11));
        }
      }
      System.out.println("descriptors left: " + Descriptors.of(closed.getParent() + "").size());
    }

    private static void tell(StubPool pool, Path path, OpenOption... options) {
      try (HostFile file = pool.mappable(path, options)) {
        System.out.println("opened " + file);
      } catch (SystemCallException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  // ---- what cannot be mapped ----

  /** Its opening would wait for somebody at the other end: open(2), fifo(7). */
  @Test
  void shouldNotWaitForTheOtherEndOfAPipe() throws Exception {
    Path pipe = folder.resolve("pipe");
    Assumptions.assumeTrue(
        new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0, "mkfifo fails");
    for (OpenOption option : new OpenOption[] {READ, WRITE}) {
      CompletableFuture<HostFile> opened = new CompletableFuture<>();
      Thread.ofPlatform().daemon().start(() -> opened.complete(pool.mappable(pipe, option)));
      try (HostFile file = opened.get(20, TimeUnit.SECONDS)) {
        assertThat(file.size()).isZero();
        assertMapFails(file, "ENODEV");
      }
    }
  }

  @Test
  void shouldSayWhatCannotBeMapped() throws IOException {
    try (HostFile directory = pool.mappable(folder)) {
      assertMapFails(directory, "ENODEV");
    }
    assertOpenFails(folder, "EISDIR", "", READ, WRITE);
    try (HostFile nothing = pool.mappable(Path.of("/dev/null"), READ, WRITE)) {
      assertMapFails(nothing, "ENODEV");
    }
    Path socket = folder.resolve("socket");
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      assertOpenFails(socket, "ENXIO", "");
    }
    try (HostFile maps = pool.mappable(Path.of("/proc/self/maps"));
        Stub stub = pool.acquire()) {
      assertThat(maps.size()).isZero();
      assertThatThrownBy(() -> map(stub, maps, Protection.READ, Sharing.PRIVATE))
          .isInstanceOf(SystemCallException.class)
          .hasMessageMatching("mmap: (EIO|ENODEV) while mapping /proc/self/maps into stub \\d+");
    }
  }

  @Test
  void shouldMapDevicesThatCanBeMapped() {
    try (HostFile zeros = pool.mappable(Path.of("/dev/zero"), READ, WRITE);
        Stub stub = pool.acquire()) {
      for (Sharing sharing : Sharing.values()) {
        map(stub, zeros, Protection.READ_WRITE, sharing);
        assertThat(stub.memory().read(SOMEWHERE, (int) PAGE)).containsOnly(0);
        stub.memory().write(SOMEWHERE, new byte[] {1});
        assertThat(stub.memory().read(SOMEWHERE, 1)).containsExactly(1);
      }
    }
  }

  @Test
  void shouldSayThatNothingMayBeExecuted() {
    Path mount = folder.resolve("noexec");
    List<String> command =
        new ArrayList<>(
            List.of(
                "unshare",
                "--mount",
                "sh",
                "-c",
                "mkdir "
                    + mount
                    + " && mount -t tmpfs -o noexec,mode=755 none "
                    + mount
                    + " && echo mounted && exec \"$@\"",
                "sh"));
    command.addAll(ChildJvm.command(Executing.class, mount.toString()));
    ChildJvm.Outcome outcome = ChildJvm.run(command);
    Assumptions.assumeTrue(
        outcome.output().startsWith("mounted"), "cannot mount: " + outcome.output());
    assertThat(outcome.output())
        .contains(
            "mmap: EPERM while mapping "
                + mount
                + "/file into stub N; the file system may be mounted noexec: map the file without"
                + " execute permission, or remount the file system\n")
        .contains("can be read: text");
  }

  /** Maps a file to be executed that may not be. */
  static final class Executing {
    public static void main(String[] arguments) throws IOException {
      Path path = Files.writeString(Path.of(arguments[0], "file"), "text");
      try (StubPool pool = StubPool.open(StubPoolOptions.builder().minIdle(0).maxStubs(1).build());
          Stub stub = pool.acquire();
          HostFile file = pool.mappable(path)) {
        try {
          map(stub, file, Protection.READ_EXECUTE, Sharing.PRIVATE);
        } catch (SystemCallException e) {
          System.out.println(e.getMessage().replace("stub " + stub.pid(), "stub N"));
        }
        map(stub, file, Protection.READ, Sharing.PRIVATE);
        System.out.println("can be read: " + read(stub, 4));
      }
    }
  }

  // ---- sizes ----

  @Test
  void shouldFaultBeyondTheEnd() throws IOException {
    Path path = write("file", "x".repeat((int) PAGE + 5));
    try (HostFile file = pool.mappable(path);
        Stub stub = pool.acquire()) {
      StubMemory memory = stub.memory();
      memory.map(SOMEWHERE, file, 0, 4 * PAGE, Protection.READ_WRITE, Sharing.PRIVATE);
      byte[] expected = new byte[2 * (int) PAGE];
      Arrays.fill(expected, 0, (int) PAGE + 5, (byte) 'x');
      assertThat(memory.read(SOMEWHERE, expected.length))
          .as("zeros up to the end of the page")
          .isEqualTo(expected);
      assertThatThrownBy(() -> memory.read(SOMEWHERE, 3 * (int) PAGE))
          .hasMessage(
              "process_vm_readv: EFAULT while copying memory of stub "
                  + stub.pid()
                  + " at 0x10002000");
      assertThatThrownBy(() -> memory.write(SOMEWHERE + 2 * PAGE, new byte[1]))
          .hasMessageStartingWith("process_vm_writev: EFAULT");
      memory.map(SOMEWHERE, file, 100 * PAGE, PAGE, Protection.READ, Sharing.SHARED);
      assertThatThrownBy(() -> memory.read(SOMEWHERE, 1)).hasMessageContaining("EFAULT");
      assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
    }
  }

  @Test
  void shouldMapEmptyFiles() throws IOException {
    Path path = write("empty", "");
    try (HostFile file = pool.mappable(path, READ, WRITE);
        Stub stub = pool.acquire()) {
      assertThat(file.size()).isZero();
      map(stub, file, Protection.READ_WRITE, Sharing.SHARED);
      assertThatThrownBy(() -> read(stub, 1)).hasMessageContaining("EFAULT");
      Files.writeString(path, "no longer");
      assertThat(read(stub, 9)).isEqualTo("no longer");
      assertThat(file.size()).as("when it was opened").isZero();
      try (FileChannel channel = FileChannel.open(path, WRITE)) {
        channel.truncate(0);
      }
      assertThatThrownBy(() -> read(stub, 1)).hasMessageContaining("EFAULT");
      assertThat(stub.syscall(Abi.SYS_getpid)).isEqualTo(stub.pid());
    }
  }

  @Test
  void shouldMapFromBehindFourGibibytes() throws IOException {
    Path path = folder.resolve("sparse");
    long offset = (5L << 30) + PAGE;
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(6L << 30);
      file.seek(offset);
      file.write("far".getBytes(UTF_8));
    } catch (IOException e) {
      Assumptions.abort("no sparse file of 6 GiB in " + folder + ": " + e);
    }
    try (HostFile file = pool.mappable(path);
        Stub stub = pool.acquire()) {
      assertThat(file.size()).isEqualTo(6L << 30);
      stub.memory().map(SOMEWHERE, file, offset, PAGE, Protection.READ, Sharing.SHARED);
      assertThat(read(stub, 3)).isEqualTo("far");
    }
  }

  // ---- what becomes of it ----

  @Test
  void shouldStayWhatWasOpened() throws IOException {
    Path path = write("file", "first");
    try (HostFile file = pool.mappable(path);
        Stub stub = pool.acquire()) {
      Files.move(write("other", "second one"), path, StandardCopyOption.REPLACE_EXISTING);
      map(stub, file, Protection.READ, Sharing.SHARED);
      assertThat(read(stub, 5)).isEqualTo("first");
      assertThat(file.size()).isEqualTo(5);
      Files.delete(path);
      map(stub, file, Protection.READ, Sharing.PRIVATE);
      assertThat(read(stub, 5)).isEqualTo("first");
    }
  }

  @Test
  void shouldLeaveMappingsWhenClosed() throws IOException {
    Path path = write("file", "text");
    HostFile file = pool.mappable(path);
    try (Stub stub = pool.acquire()) {
      map(stub, file, Protection.READ, Sharing.SHARED);
      file.close();
      file.close();
      assertThat(Descriptors.of(folder.toString())).isEmpty();
      assertThat(read(stub, 4)).isEqualTo("text");
      assertThatThrownBy(() -> map(stub, file, Protection.READ, Sharing.SHARED))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage(path + " is closed");
      assertThat(file.size()).isEqualTo(4);
    }
  }

  @Test
  void shouldOutliveItsPool() throws IOException {
    Path path = write("file", "text");
    try (HostFile file = pool.mappable(path)) {
      pool.close();
      assertThatThrownBy(() -> pool.mappable(path))
          .isInstanceOf(StubPoolClosedException.class)
          .hasMessage("pool files is closed");
      try (StubPool other =
              StubPool.open(StubPoolOptions.builder().minIdle(0).maxStubs(1).build());
          Stub stub = other.acquire()) {
        map(stub, file, Protection.READ, Sharing.SHARED);
        assertThat(read(stub, 4)).isEqualTo("text");
      }
    }
  }
}
