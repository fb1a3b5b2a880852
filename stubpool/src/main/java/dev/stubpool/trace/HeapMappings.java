package dev.stubpool.trace;

import dev.stubpool.nativestubs.Abi;
import dev.stubpool.nativestubs.ProcMaps.Mapping;
import dev.stubpool.nativestubs.SourceClone.Range;
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
 * The mappings of the Java heap, which a forked source has no use for. Copying their page tables
 * takes tens of milliseconds a gigabyte, and costs the JVM a page fault for every page it writes
 * afterwards.
 *
 * <p>Only mappings that are wholly within the heap as the JVM tells it, private and anonymous:
 * leaving out thread stacks, libraries or libc's memory would kill the child.
 */
final class HeapMappings {
  private static final Logger LOG = LoggerFactory.getLogger(HeapMappings.class);

  /**
   * {@code [0x0000000700000000, 0x0000000800000000)}, with one or more addresses between on some
   * lines.
   */
  private static final Pattern RANGE =
      Pattern.compile("\\[0x([0-9a-f]+),(?: 0x[0-9a-f]+,)* 0x([0-9a-f]+)[)\\]]");

  private HeapMappings() {}

  /**
   * The heap's mappings among {@code maps}; empty, with a report, where the JVM's collector does
   * not tell.
   */
  static List<Range> among(List<Mapping> maps) {
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
   * The address ranges in a heap report. Adjoining ones are one: a mapping may span two
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
