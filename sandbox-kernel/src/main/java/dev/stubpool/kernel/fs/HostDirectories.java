package dev.stubpool.kernel.fs;

import dev.stubpool.PathHandle;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A cache of handles to host directories. Names are resolved relative to a handle, so in the
 * directory that was found, even if a component of its path is replaced on the host meanwhile.
 */
final class HostDirectories implements AutoCloseable {
  private static final int MOST = 64;

  /** Handles by key, in order of last use. */
  private final Map<Object, PathHandle> held = new LinkedHashMap<>();

  /**
   * A path to a name in a directory, relative to the directory's handle. Valid until the next call.
   *
   * @throws NoSuchFileException if the directory is no longer where it was found
   */
  Path path(HostDirectory directory, Path name) throws IOException {
    return handle(directory).path().resolve(name);
  }

  /** All names in a directory. */
  List<String> names(HostDirectory directory) throws IOException {
    List<String> names = new ArrayList<>();
    try (DirectoryStream<Path> children = Files.newDirectoryStream(handle(directory).path())) {
      children.forEach(child -> names.add(HostNames.text(child.getFileName())));
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return names;
  }

  private PathHandle handle(HostDirectory directory) throws IOException {
    PathHandle known = held.remove(directory.key());
    PathHandle handle = known != null ? known : HeldFile.handle(directory.path(), directory.key());
    held.put(directory.key(), handle);
    if (held.size() > MOST) {
      Map.Entry<Object, PathHandle> oldest = held.entrySet().iterator().next();
      held.remove(oldest.getKey());
      oldest.getValue().close();
    }
    return handle;
  }

  @Override
  public void close() {
    held.values().forEach(PathHandle::close);
    held.clear();
  }
}
