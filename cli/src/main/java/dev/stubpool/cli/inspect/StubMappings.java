package dev.stubpool.cli.inspect;

import dev.stubpool.cli.output.Printable;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.proc.ProcMaps;
import dev.stubpool.nativestubs.proc.ProcMaps.Mapping;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.Predicate;

/**
 * The mappings of a stub and their purposes. The image is recognised by the file that its text
 * maps.
 */
public final class StubMappings {
  /**
   * The total of some mappings.
   *
   * @param mappings their number
   * @param bytes their total size
   */
  public record Extent(long mappings, long bytes) {
    /** Their total size in kB. */
    public long kibibytes() {
      return bytes / KIBIBYTE;
    }
  }

  private static final String IMAGE_FILE = "/memfd:stubpool-image";
  private static final String VSYSCALL = "[vsyscall]";
  private static final String GUEST = "guest";
  private static final String PID_PAGE = "pid page (source)";
  private static final String TEXT_PERMISSIONS = "r-xs";
  private static final int KIBIBYTE = 1024;

  private final List<Mapping> mappings;
  private final OptionalLong imageBase;

  StubMappings(List<Mapping> mappings) {
    this.mappings = mappings;
    this.imageBase =
        mappings.stream()
            .filter(m -> isOfImage(m) && m.permissions().equals(TEXT_PERMISSIONS))
            .mapToLong(m -> m.start() - Abi.IMAGE_STUB_OFFSET)
            .findFirst();
  }

  /**
   * Reads the mappings of a process.
   *
   * @throws IOException if there is no such process, or it is not readable
   */
  public static StubMappings of(int pid) throws IOException {
    return new StubMappings(ProcMaps.of(pid));
  }

  /** All mappings, by address. */
  public List<Mapping> all() {
    return mappings;
  }

  /** Whether the process has a stub image. */
  public boolean hasImage() {
    return imageBase.isPresent();
  }

  /** Whether the process is a source stub. */
  public boolean isSource() {
    return mappings.stream().map(this::purpose).anyMatch(PID_PAGE::equals);
  }

  /** The total of the image's mappings. */
  public Extent image() {
    return extent(purpose -> !purpose.equals(GUEST) && !purpose.equals(VSYSCALL));
  }

  /** The total of the mappings made by the lease's holder. */
  public Extent guest() {
    return extent(GUEST::equals);
  }

  private Extent extent(Predicate<String> purposes) {
    List<Mapping> some = mappings.stream().filter(m -> purposes.test(purpose(m))).toList();
    return new Extent(some.size(), some.stream().mapToLong(Mapping::size).sum());
  }

  /** The purpose of a mapping, for display. */
  public String purpose(Mapping mapping) {
    if (mapping.name().equals(VSYSCALL)) {
      return VSYSCALL;
    }
    if (imageBase.isPresent()) {
      long offset = mapping.start() - imageBase.getAsLong();
      if (offset == Abi.IMAGE_STUB_OFFSET) {
        return "image text";
      }
      if (offset == Abi.IMAGE_PID_PAGE_OFFSET) {
        return PID_PAGE;
      }
      if (offset == Abi.STUB_FRAME_OFFSET && mapping.size() == Abi.STUB_FRAME_SIZE) {
        return "signal frame";
      }
    }
    return GUEST;
  }

  /** Formats a mapping as a line: addresses, permissions, size, purpose, file and offset. */
  public String line(Mapping mapping) {
    String purpose = purpose(mapping);
    boolean file = purpose.equals(GUEST) && !mapping.name().isEmpty();
    return String.format(
            Locale.ROOT,
            "%012x-%012x  %s  %7d kB  %-17s %s",
            mapping.start(),
            mapping.end(),
            mapping.permissions(),
            mapping.size() / KIBIBYTE,
            purpose,
            file ? "%s at 0x%x".formatted(Printable.of(mapping.name()), mapping.offset()) : "")
        .stripTrailing();
  }

  private static boolean isOfImage(Mapping mapping) {
    return mapping.name().startsWith(IMAGE_FILE);
  }
}
