package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.FileStatus;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.file.RegularFile;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Files of the host, to be read. Links are told, not followed. Only regular files can be opened: a
 * FIFO or a device of the host is not for guests. Nor is the host's /proc, where this JVM's own
 * memory could be read.
 */
final class HostTree {
  private final long procDevice;

  HostTree() throws IOException {
    procDevice = FileStatus.of(Path.of("/proc")).device();
  }

  /** What is at a path of the host; empty if nothing is there that a guest may see. */
  Optional<Node> node(Path path) {
    try {
      FileStatus status = FileStatus.of(path, LinkOption.NOFOLLOW_LINKS);
      if (status.device() == procDevice) {
        return Optional.empty();
      }
      return Optional.of(
          switch (status.type()) {
            case FileStatus.S_IFDIR -> new HostDirectory(path, status);
            case FileStatus.S_IFLNK -> new HostLink(path, status);
            default -> new HostFile(path, status);
          });
    } catch (NoSuchFileException _) {
      return Optional.empty();
    } catch (IOException e) {
      throw ErrnoException.of(e);
    }
  }

  private final class HostDirectory implements Node.Directory {
    private final Path path;
    private final FileStatus status;

    HostDirectory(Path path, FileStatus status) {
      this.path = path;
      this.status = status;
    }

    @Override
    public FileStatus status() {
      return status;
    }

    @Override
    public Optional<Node> child(String name) {
      try {
        return node(path.resolve(name));
      } catch (InvalidPathException _) {
        return Optional.empty(); // a name that Java cannot give to the host
      }
    }

    @Override
    public List<String> names() {
      List<String> names = new ArrayList<>();
      try (DirectoryStream<Path> children = Files.newDirectoryStream(path)) {
        children.forEach(child -> names.add(child.getFileName().toString()));
      } catch (IOException e) {
        throw ErrnoException.of(e);
      }
      return names;
    }
  }

  private record HostLink(Path path, FileStatus status) implements Node.Link {
    @Override
    public String target() {
      try {
        return Files.readSymbolicLink(path).toString();
      } catch (IOException e) {
        throw ErrnoException.of(e);
      }
    }
  }

  private record HostFile(Path path, FileStatus status) implements Node.File {
    @Override
    public OpenFile open(String name, int flags) {
      if (status.type() != FileStatus.S_IFREG) {
        throw new ErrnoException(Errno.EACCES);
      }
      return new RegularFile(name, flags, path);
    }
  }
}
