package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Directories of the host that are kept open, to look at names in the very directory that was found
 * and no other, whatever somebody on the host puts in the place of a part of its path meanwhile.
 * Which file it is, by device and inode, is Java's {@link BasicFileAttributes#fileKey}.
 */
final class HostDirectories implements AutoCloseable {
  private static final int MOST = 64;
  private static final Set<OpenOption> TO_READ =
      Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);

  /** By key, the one that was used last at the end. */
  private final Map<Object, SecureDirectoryStream<Path>> open = new LinkedHashMap<>();

  /**
   * Which file has a name in a directory now, a link not being followed.
   *
   * @throws NoSuchFileException if none has, or the directory is no longer where it was found
   */
  Object key(HostDirectory directory, Path name) throws IOException {
    return stream(directory)
        .getFileAttributeView(name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
        .readAttributes()
        .fileKey();
  }

  /** Opens a file in a directory, which must be the one of a key. */
  FileChannel open(HostDirectory directory, Path name, Object key) throws IOException {
    FileChannel channel = (FileChannel) stream(directory).newByteChannel(name, TO_READ);
    try {
      if (!key.equals(key(directory, name))) {
        throw new NoSuchFileException(name.toString());
      }
      return channel;
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  /** All names in a directory. */
  List<String> names(HostDirectory directory) throws IOException {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> children =
        stream(directory).newDirectoryStream(Path.of("."), LinkOption.NOFOLLOW_LINKS)) {
      children.forEach(child -> names.add(HostNames.text(child.getFileName())));
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return names;
  }

  private SecureDirectoryStream<Path> stream(HostDirectory directory) throws IOException {
    SecureDirectoryStream<Path> known = open.remove(directory.key());
    SecureDirectoryStream<Path> stream = known != null ? known : openStream(directory);
    open.put(directory.key(), stream);
    if (open.size() > MOST) {
      Map.Entry<Object, SecureDirectoryStream<Path>> oldest = open.entrySet().iterator().next();
      open.remove(oldest.getKey());
      oldest.getValue().close();
    }
    return stream;
  }

  @SuppressWarnings("StreamResourceLeak") // it is kept open, and closed with all others
  private static SecureDirectoryStream<Path> openStream(HostDirectory directory)
      throws IOException {
    DirectoryStream<Path> stream = Files.newDirectoryStream(directory.path());
    if (!(stream instanceof SecureDirectoryStream<Path> secure)) {
      stream.close();
      throw new ErrnoException(Errno.ENOSYS);
    }
    Object opened =
        secure.getFileAttributeView(BasicFileAttributeView.class).readAttributes().fileKey();
    if (!directory.key().equals(opened)) {
      secure.close();
      throw new NoSuchFileException(directory.path().toString());
    }
    return secure;
  }

  @Override
  public void close() {
    open.values().forEach(HostDirectories::close);
    open.clear();
  }

  private static void close(SecureDirectoryStream<Path> stream) {
    try {
      stream.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
