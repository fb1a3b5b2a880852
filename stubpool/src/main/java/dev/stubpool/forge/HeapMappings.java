package dev.stubpool.forge;

import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.image.SourceClone.Range;
import dev.stubpool.nativestubs.proc.ProcMaps.Mapping;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.management.JMException;
import javax.management.ObjectName;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the mappings of the Java heap, which a forked source does not need. Copying their page
 * tables takes tens of milliseconds for each gigabyte, and costs the JVM a page fault for every
 * page that it writes afterwards.
 *
 * <p>Only mappings that are private, anonymous and wholly within the heap that the JVM reports are
 * found: without thread stacks, libraries or libc's memory the child would die.
 */
public final class HeapMappings {
  private static final Logger LOG = LoggerFactory.getLogger(HeapMappings.class);

  /**
   * {@code [0x0000000700000000, 0x0000000800000000)}, with one or more addresses between on some
   * lines.
   */
  private static final Pattern RANGE =
      Pattern.compile("\\[0x([0-9a-f]+),(?: 0x[0-9a-f]+,)* 0x([0-9a-f]+)[)\\]]");

  private HeapMappings() {}

  /**
   * The heap's mappings among {@code maps}; empty, and logged, where the JVM's collector does not
   * report them.
   */
  public static List<Range> among(List<Mapping> maps) {
    List<Range> heap = ranges(heapInfo());
    List<Range> found = new ArrayList<>();
    for (Mapping mapping : maps) {
      if (mapping.isPrivateAnonymous()
          && within(mapping, heap)
          && found.size() < Abi.BOOT_MAX_RANGES) {
        found.add(new Range(mapping.start(), mapping.size()));
      }
    }
    if (found.isEmpty()) {
      LOG.info(
          "cannot tell where the Java heap is (a collector other than Serial, Parallel, G1?):"
              + " forking the source stub takes time in proportion to its touched size");
    }
    return found;
  }

  private static boolean within(Mapping mapping, List<Range> heap) {
    for (Range range : heap) {
      if (Long.compareUnsigned(mapping.start(), range.address()) >= 0
          && Long.compareUnsigned(mapping.end(), range.address() + range.length()) <= 0) {
        return true;
      }
    }
    return false;
  }

  /** What {@code jcmd PID GC.heap_info} prints. */
  private static String heapInfo() {
    try {
      return (String)
          ManagementFactory.getPlatformMBeanServer()
              .invoke(
                  new ObjectName("com.sun.management:type=DiagnosticCommand"),
                  "gcHeapInfo",
                  new Object[0],
                  new String[0]);
    } catch (JMException
        | RuntimeException e) { // the heap is then forked with the rest: slow, not wrong
      LOG.info("the JVM has no GC.heap_info command", e);
      return "";
    }
  }

  /**
   * The address ranges in a heap report. Adjoining ranges are joined: a mapping may span two
   * generations.
   */
  static List<Range> ranges(String heapInfo) {
    List<Range> ranges = new ArrayList<>();
    Matcher matcher = RANGE.matcher(heapInfo);
    while (matcher.find()) {
      long start = Long.parseUnsignedLong(matcher.group(1), 16);
      long end = Long.parseUnsignedLong(matcher.group(2), 16);
      ranges.add(new Range(start, end - start));
    }
    ranges.sort((a, b) -> Long.compareUnsigned(a.address(), b.address()));
    List<Range> joined = new ArrayList<>();
    for (Range range : ranges) {
      Range last = joined.isEmpty() ? null : joined.getLast();
      if (last != null && range.address() <= last.address() + last.length()) {
        long end = Math.max(last.address() + last.length(), range.address() + range.length());
        joined.set(joined.size() - 1, new Range(last.address(), end - last.address()));
      } else {
        joined.add(range);
      }
    }
    return joined;
  }
}
