package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Errno;
import java.util.HashMap;
import java.util.Map;

/** Counts system calls and their times. Guarded by the kernel's lock. */
public final class CallCounts {
  private final Map<String, Count> counts = new HashMap<>();

  /** The counts of one system call. */
  public static final class Count {
    private long calls;
    private long errors;
    private long nanos;

    /** The number of calls. */
    public long calls() {
      return calls;
    }

    /** The number of calls that failed. */
    public long errors() {
      return errors;
    }

    /** The total time in nanoseconds. */
    public long nanos() {
      return nanos;
    }
  }

  void add(String name, long result, long nanos) {
    Count count = counts.computeIfAbsent(name, _ -> new Count());
    count.calls++;
    count.errors += Errno.isError(result) ? 1 : 0;
    count.nanos += nanos;
  }

  /** All counts, by name. */
  public Map<String, Count> all() {
    return counts;
  }
}
