package dev.stubpool.cli.pools;

import dev.stubpool.cli.proc.ProcFs;
import dev.stubpool.lease.LeaseLayout;
import dev.stubpool.lease.LeaseTable;
import dev.stubpool.lease.PublishedPool;
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
 * The lease tables that a process holds open.
 *
 * <p>The process may be a hostile user's, and the reader root. So a table is copied, not mapped:
 * who maps a file is hurt when somebody else cuts it off; and only a file of a table's kind and
 * size is opened, for opening a pipe may take for ever.
 *
 * @param pools those that could be read
 * @param unknown how many more have the name of one, but are of another version, or something else
 * @param isDenied whether the process may not be looked into
 */
record LeaseTables(List<PublishedPool> pools, int unknown, boolean isDenied) {
  private static final Path LINK = Path.of("/memfd:" + LeaseLayout.FILE_NAME + " (deleted)");

  /** More than the largest pool has. */
  private static final long LARGEST = LeaseTable.bytes(1 << 20);

  /** Those of a process, none if it is gone. */
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
          // Its pool was closed meanwhile.
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

  /** Each once, however many descriptors it has. */
  private static Collection<Path> find(Path descriptors) throws IOException {
    Map<Object, Path> tables = new LinkedHashMap<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(descriptors)) {
      for (Path descriptor : entries) {
        try {
          if (Files.readSymbolicLink(descriptor).equals(LINK)) {
            tables.putIfAbsent(attributes(descriptor).fileKey(), descriptor);
          }
        } catch (NoSuchFileException e) {
          // Closed meanwhile.
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
        // What is missing at the end stays zero.
      }
      return PublishedPool.read(copy);
    }
  }
}
