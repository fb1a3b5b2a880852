package dev.stubpool.kernel.fs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.OpenDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class FileTreeTest {
  @TempDir private Path scratch;
  private Path shown;
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
    tree = new FileTree();
    tree.add(shown);
  }

  private void link(String name, String target) throws IOException {
    Files.createSymbolicLink(shown.resolve(name), Path.of(target));
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
    assertThat(tree.resolve(shown.toString(), path, true).path()).isEqualTo(shown + found);
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
          top/etc,             ENOENT
          top/proc/self/root,  ENOENT
          proc,                ENOENT
          in/up/secret,        ENOENT
          ../../../../../../../../etc/passwd, ENOENT
          /etc/passwd,         ENOENT
          /proc/self/environ,  ENOENT
          /dev/mem,            ENOENT
          gone,                ENOENT
          none/../file,        ENOENT
          '',                  ENOENT
          file/,               ENOTDIR
          file/..,             ENOTDIR
          file/x,              ENOTDIR
          relative/,           ENOTDIR
          /dev/null/,          ENOTDIR
          loop,                ELOOP
          ping,                ELOOP
          """)
  void shouldNotFollowWhatLeadsAnywhereElse(String path, String errno) {
    assertThatThrownBy(() -> tree.resolve(shown.toString(), path, true))
        .isInstanceOf(ErrnoException.class)
        .hasMessage(errno);
  }

  @Test
  void shouldRefuseALongName() {
    assertThatThrownBy(() -> tree.resolve("/", shown + "/" + "n".repeat(256), true))
        .hasMessage("ENAMETOOLONG");
  }

  @ParameterizedTest
  @ValueSource(strings = {"loop", "out", "gone", "relative"})
  void shouldFindALinkItself(String name) {
    assertThat(tree.resolve(shown.toString(), name, false).node()).isInstanceOf(Node.Link.class);
  }

  @Test
  void shouldStayAtTheTop() {
    assertThat(tree.resolve("/", "/../../dev/../..", true).path()).isEqualTo("/");
    assertThat(tree.resolve(shown.toString(), "top", true).path()).isEqualTo("/");
  }

  @Test
  void shouldShowOnlyTheWayToWhatIsShown() {
    Node.Directory parent = (Node.Directory) tree.resolve("/", scratch.toString(), true).node();

    assertThat(parent.names()).containsExactly("shown");
    assertThat(((Node.Directory) tree.resolve("/", "/dev", true).node()).names())
        .containsExactly("null", "urandom", "zero");
  }

  @Test
  void shouldHideProcEvenIfAllIsShown() throws IOException {
    tree.add(Path.of("/"));

    assertThat(tree.resolve("/", scratch + "/secret", true).path()).endsWith("/secret");
    assertThatThrownBy(() -> tree.resolve("/", "/proc/self/mem", true)).hasMessage("ENOENT");
    assertThatThrownBy(() -> tree.add(Path.of("/proc/self")))
        .hasMessageContaining("not for guests");
  }

  @Test
  void shouldAddWhatIsShownTwiceOnce() throws IOException {
    tree.add(shown.resolve("in"));
    tree.add(shown.resolve("file"));
    tree.add(scratch);

    assertThat(tree.resolve("/", scratch + "/secret", true).path()).endsWith("/secret");
    assertThat(tree.resolve("/", shown + "/in/up/hidden/x", true).path()).endsWith("/hidden/x");
  }

  @Test
  void shouldShowALinkUnderItsOwnNameIfItIsAskedFor() throws IOException {
    tree.add(shown.resolve("hiddenFolder"));

    assertThat(tree.resolve(shown.toString(), "hiddenFolder/x", true).path())
        .isEqualTo(shown + "/hiddenFolder/x");
  }

  @Test
  void shouldReadADirectory() {
    OpenDirectory directory = (OpenDirectory) tree.open(tree.resolve("/", shown + "/in", true), 0);

    // struct linux_dirent64 of ".", "..", "deeper", "pong", "up", padded to 8 bytes
    assertThat(directory.entries(4096)).hasSize(24 + 24 + 32 + 24 + 24);
    assertThat(directory.entries(4096)).isEmpty();
    directory.position(0);
    assertThat(directory.entries(24)).hasSize(24);
    assertThatThrownBy(() -> directory.entries(23)).hasMessage("EINVAL");
  }
}
