package dev.stubpool;

import dev.stubpool.memory.OpenPathHandle;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A reference to a file of the host, of any type, by a descriptor that keeps referring to that file
 * if its name is changed or removed (O_PATH of open(2)). Making a handle does not open the file: it
 * never waits, breaks no lease of the file, and has no effect on devices or pipes.
 *
 * <p>To use a path safely that other processes may change meanwhile, make a handle of it, check by
 * {@link #path} whether it is the intended file, and then use {@link #path} instead of the name.
 * Must not be closed by one thread while others use it.
 */
public interface PathHandle extends AutoCloseable {
  /**
   * Makes a handle of the file at a path. If the path's last name is a symbolic link, the handle is
   * of the link itself.
   *
   * @param path a path of the host's file system
   * @return the handle, which holds one descriptor until it is closed
   * @throws SystemCallException if there is no such file, or its path may not be searched
   * @throws IllegalArgumentException if the path is of another file system, such as a zip file's
   */
  static PathHandle of(Path path) {
    return OpenPathHandle.of(path);
  }

  /**
   * A path that refers to this very file until the handle is closed, in all calls that follow
   * symbolic links, such as {@link Files#readAttributes} and {@link StubPool#mappable}. If the file
   * is a directory, names can be resolved against the path.
   *
   * @return the path, in /proc/self/fd
   * @throws IllegalStateException if the handle is closed
   */
  Path path();

  /**
   * Opens the file for reading, if it is a regular file.
   *
   * @return a channel at the beginning of the file, to be closed by the caller
   * @throws SystemCallException if the file cannot be opened; EAGAIN if another process holds a
   *     lease of it (fcntl(2)), which this call makes the kernel break: try again
   * @throws IOException if it is not a regular file
   * @throws IllegalStateException if the handle is closed
   */
  FileChannel open() throws IOException;

  /** Closes the handle, but not the channels that were opened by it. Idempotent. */
  @Override
  void close();
}
