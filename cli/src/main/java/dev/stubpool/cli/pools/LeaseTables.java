package dev.stubpool.cli.pools;

import dev.stubpool.lease.LeaseLayout;
import dev.stubpool.lease.LeaseTable;
import dev.stubpool.lease.PublishedPool;
import dev.stubpool.nativestubs.proc.ProcFs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The lease tables that a process has open.
 *
 * <p>The process may belong to a hostile user while the reader is root. Therefore a table is
 * copied, not mapped, because truncating a mapped file causes SIGBUS; and only a file of a table's
 * type and size is opened, because opening a pipe may block forever.
 *
 * @param pools the tables that could be read
 * @param unknown the number of files that have a table's name, but another version or other
 *     contents
 * @param isDenied whether the process's files are not readable
 */
record LeaseTables(List<PublishedPool> pools, int unknown, boolean isDenied) {
  private static final Path LINK = Path.of("/memfd:" + LeaseLayout.FILE_NAME + " (deleted)");

  /** The size limit in bytes; larger than the table of the largest pool. */
  private static final long LARGEST = LeaseTable.bytes(1 << 20);

  /** Reads the tables of a process; none if it is gone. */
  static LeaseTables of(ProcFs proc, int pid) throws IOException {
    List<PublishedPool> pools = new ArrayList<>();
    int unknown = 0;
    try {
      for (Path table : find(proc.path(pid, "fd"))) {
        try {
          Optional<PublishedPool> pool = read(table);
          pool.ifPresent(pools::add);
          unknown += pool.isEmpty() ? 1 : 0;
        } catch (NoSuchFileException e) {
          // The pool was closed meanwhile.
        }
      }
    } catch (IOException e) {
      if (ProcFs.isDenied(e)) {
        return new LeaseTables(List.of(), 0, true);
      }
      if (!ProcFs.isGone(e)) {
        throw e;
      }
    }
    return new LeaseTables(pools, unknown, false);
  }

  /** Finds each table once, even if several descriptors refer to it. */
  private static Collection<Path> find(Path descriptors) throws IOException {
    Map<Object, Path> tables = new LinkedHashMap<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(descriptors)) {
      for (Path descriptor : entries) {
        try {
          if (Files.readSymbolicLink(descriptor).equals(LINK)) {
            tables.putIfAbsent(attributes(descriptor).fileKey(), descriptor);
          }
        } catch (NoSuchFileException e) {
          // The descriptor was closed meanwhile.
        }
      }
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return tables.values();
  }

  private static BasicFileAttributes attributes(Path file) throws IOException {
    return Files.readAttributes(file, BasicFileAttributes.class);
  }

  private static Optional<PublishedPool> read(Path table) throws IOException {
    BasicFileAttributes file = attributes(table);
    if (!file.isRegularFile() || file.size() > LARGEST) {
      return Optional.empty();
    }
    try (FileChannel channel = FileChannel.open(table, StandardOpenOption.READ);
        Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocate(file.size(), Long.BYTES);
      ByteBuffer rest = copy.asByteBuffer();
      while (rest.hasRemaining() && channel.read(rest) > 0) {
        // If the file is shorter, the rest stays zero.
      }
      return PublishedPool.read(copy);
    }
  }
}
