package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PathHandleTest {
  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void fill() throws IOException {
    file = Files.writeString(folder.resolve("file"), "text");
  }

  private static String text(PathHandle handle) throws IOException {
    try (FileChannel channel = handle.open()) {
      ByteBuffer bytes = ByteBuffer.allocate(100);
      int read = channel.read(bytes);
      return new String(bytes.array(), 0, read, StandardCharsets.UTF_8);
    }
  }

  @Test
  void shouldStayWithAFileThatLosesItsName() throws IOException {
    try (PathHandle handle = PathHandle.of(file)) {
      Files.delete(file);
      Files.writeString(file, "another");

      assertThat(text(handle)).isEqualTo("text");
      assertThat(Files.size(handle.path())).isEqualTo(4);
    }
  }

  @Test
  void shouldResolveNamesInADirectoryThatWasMoved() throws IOException {
    Path directory = Files.createDirectory(folder.resolve("d"));
    Files.writeString(directory.resolve("inner"), "inner");
    try (PathHandle handle = PathHandle.of(directory)) {
      Files.move(directory, folder.resolve("moved"));

      assertThat(handle.path().resolve("inner")).hasContent("inner");
    }
  }

  @Test
  void shouldNotFollowALink() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("link"), file);
    try (PathHandle handle = PathHandle.of(link)) {
      BasicFileAttributes attributes =
          Files.readAttributes(handle.path(), BasicFileAttributes.class);

      assertThat(attributes.isSymbolicLink()).isTrue();
      assertThatThrownBy(handle::open).isInstanceOf(IOException.class);
    }
  }

  @Test
  void shouldOpenNothingButRegularFiles() throws IOException {
    try (PathHandle directory = PathHandle.of(folder);
        PathHandle device = PathHandle.of(Path.of("/dev/zero"))) {
      assertThatThrownBy(directory::open).hasMessageContaining("no regular file");
      assertThatThrownBy(device::open).hasMessageContaining("no regular file");
    }
  }

  /** One byte of the name is no UTF-8, and a question mark is none that Java could not say. */
  @Test
  void shouldFindNamesThatAreNoText() throws IOException {
    for (String name : new String[] {"%ff%fe?", "%c3%a4", "%3f", "%25"}) {
      Path odd = Path.of(URI.create(folder.toUri() + name.replace("?", "%3f")));
      Files.writeString(odd, name);
      try (PathHandle handle = PathHandle.of(odd)) {
        assertThat(text(handle)).isEqualTo(name);
      }
      Path directory = Files.createDirectory(Path.of(URI.create(odd.toUri() + "d")));
      try (PathHandle handle = PathHandle.of(directory)) {
        assertThat(handle.path()).isDirectory();
      }
    }
  }

  @Test
  void shouldSayWhyThereIsNone() {
    assertThatThrownBy(() -> PathHandle.of(folder.resolve("none")))
        .isInstanceOf(SystemCallException.class)
        .hasMessageContaining("openat: ENOENT while making a handle of " + folder + "/none");
  }

  @Test
  void shouldBeOfNoUseOnceClosed() {
    PathHandle handle = PathHandle.of(file);
    handle.close();
    handle.close();

    assertThatThrownBy(handle::path).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(handle::open).isInstanceOf(IllegalStateException.class);
  }
}
