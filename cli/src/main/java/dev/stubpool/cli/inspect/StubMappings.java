package dev.stubpool.cli.inspect;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.ProcMaps;
import dev.stubpool.nativestubs.ProcMaps.Mapping;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * The mappings of a stub, and what each is for. The image is found by the file that its text is a
 * mapping of.
 */
public final class StubMappings {
  private static final String IMAGE_FILE = "/memfd:stubpool-image";
  private static final String VSYSCALL = "[vsyscall]";
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
   * Those of a living process.
   *
   * @throws IOException if there is no such process, or it may not be looked into
   */
  public static StubMappings of(int pid) throws IOException {
    return new StubMappings(ProcMaps.of(pid));
  }

  /** All of them, by address. */
  public List<Mapping> all() {
    return mappings;
  }

  /** Whether the process has an image at all. */
  public boolean hasImage() {
    return imageBase.isPresent();
  }

  /** What a mapping is for, in an operator's words. */
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
        return "pid page (source)";
      }
      if (offset >= Abi.IMAGE_DATA_OFFSET
          && offset < Abi.IMAGE_DATA_OFFSET + Abi.IMAGE_DATA_SIZE
          && isOfImage(mapping)) {
        return "image data";
      }
    }
    return "guest";
  }

  /** A mapping as a line: addresses, permissions, size, purpose, file and offset. */
  public String line(Mapping mapping) {
    String purpose = purpose(mapping);
    boolean file = purpose.equals("guest") && !mapping.name().isEmpty();
    return String.format(
            Locale.ROOT,
            "%012x-%012x  %s  %7d kB  %-17s %s",
            mapping.start(),
            mapping.end(),
            mapping.permissions(),
            mapping.size() / KIBIBYTE,
            purpose,
            file ? "%s at 0x%x".formatted(printable(mapping.name()), mapping.offset()) : "")
        .stripTrailing();
  }

  private static boolean isOfImage(Mapping mapping) {
    return mapping.name().startsWith(IMAGE_FILE);
  }

  /** File names may hold what a terminal would obey. */
  private static String printable(String name) {
    return name.replaceAll("\\p{Cntrl}", "?");
  }
}
