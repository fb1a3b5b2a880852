package dev.stubpool.kernel.call;

import dev.stubpool.kernel.abi.Errno;
import java.util.HashMap;
import java.util.Map;

/** How often each system call was made, and how long they took. Under the kernel's lock. */
public final class CallCounts {
  private final Map<String, Count> counts = new HashMap<>();

  /** Of one call. */
  public static final class Count {
    private long calls;
    private long errors;
    private long nanos;

    /** How often it was made. */
    public long calls() {
      return calls;
    }

    /** How often it failed. */
    public long errors() {
      return errors;
    }

    /** How long all took. */
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

  /** All, by name. */
  public Map<String, Count> all() {
    return counts;
  }
}
