package dev.stubpool.cli.demo;

import dev.stubpool.AddressSpace;
import dev.stubpool.HostFile;
import dev.stubpool.Protection;
import dev.stubpool.Sharing;
import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import dev.stubpool.cli.output.CommandFailure;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/** A sample file that is always present: the executable of this JVM. */
final class SampleFile implements AutoCloseable {
  private static final Path PROGRAM = Path.of("/proc/self/exe");
  private static final int MOST_BYTES = 64 << 10;

  /** The address of programs that are not position-independent. */
  private static final long USUAL_ADDRESS = 0x40_0000L;

  private final Path path;
  private final byte[] content;
  private final long mappedSize;
  private final long address;
  private final HostFile file;

  private SampleFile(StubPool pool) throws IOException {
    path = PROGRAM.toRealPath();
    try (InputStream in = Files.newInputStream(path)) {
      content = in.readNBytes(MOST_BYTES);
    }
    long page = AddressSpace.PAGE_SIZE;
    mappedSize = Math.ceilDiv(content.length, page) * page;
    AddressSpace space = pool.addressSpace();
    address = space.contains(USUAL_ADDRESS, mappedSize) ? USUAL_ADDRESS : space.lowest();
    file = pool.mappable(path);
  }

  static SampleFile open(StubPool pool) {
    try {
      return new SampleFile(pool);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the executable of this JVM", e);
    }
  }

  /** Maps the file, or its first part, into the stub. */
  void mapInto(Stub stub) {
    stub.memory().map(address, file, 0, mappedSize, Protection.READ_EXECUTE, Sharing.PRIVATE);
  }

  /** Compares the stub's mapping with the contents of the file. */
  void checkIn(Stub stub) {
    byte[] seen = stub.memory().read(address, content.length);
    int difference = Arrays.mismatch(content, seen);
    if (difference >= 0) {
      throw new CommandFailure(
          "stub %d sees byte %d of %s as 0x%02x, but the file has 0x%02x"
              .formatted(stub.pid(), difference, path, seen[difference], content[difference]));
    }
  }

  /** Describes the mapped part of the file. */
  String describe() {
    return String.format(
        Locale.ROOT, "%,d bytes of this JVM's executable, %s", content.length, path.getFileName());
  }

  @Override
  public void close() {
    file.close();
  }
}
