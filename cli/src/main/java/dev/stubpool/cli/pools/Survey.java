package dev.stubpool.cli.pools;

import dev.stubpool.cli.proc.ProcFs;
import dev.stubpool.cli.proc.ProcessStatus;
import dev.stubpool.cli.proc.StatusFields;
import dev.stubpool.lease.PublishedPool;
import dev.stubpool.lease.PublishedPool.PublishedStub;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/**
 * Finds stubs and asks their JVMs what they are doing.
 *
 * <p>Processes first, tables after. So a process that is in no table was made by a pool that
 * publishes none, or a moment ago, or has ended since: it is looked at once more. What is in a
 * table only has come or gone meanwhile, and is left out.
 */
public final class Survey {
  private final ProcFs proc;
  private final LongSupplier clock;

  /**
   * A survey of what is in {@code proc}.
   *
   * @param clock {@link System#nanoTime}
   */
  public Survey(ProcFs proc, LongSupplier clock) {
    this.proc = proc;
    this.clock = clock;
  }

  /** All JVMs that have stubs, by pid. */
  public List<JvmStubs> all() throws IOException {
    Map<Integer, List<ProcessStatus>> stubs = new TreeMap<>();
    for (ProcessStatus process : proc.all()) {
      if (process.isNamedStub()) {
        stubs.computeIfAbsent(process.parent(), jvm -> new ArrayList<>()).add(process);
      }
    }
    List<JvmStubs> jvms = new ArrayList<>();
    for (Map.Entry<Integer, List<ProcessStatus>> entry : stubs.entrySet()) {
      jvms.add(of(entry.getKey(), entry.getValue()));
    }
    return jvms;
  }

  /** One JVM and some of its stubs, or all. */
  public JvmStubs of(int jvm, List<ProcessStatus> stubs) throws IOException {
    LeaseTables tables = LeaseTables.of(proc, jvm);
    List<LivePool> pools = new ArrayList<>();
    Map<Integer, ProcessStatus> rest = new TreeMap<>();
    stubs.forEach(stub -> rest.put(stub.pid(), stub));
    if (!tables.pools().isEmpty()) {
      List<Integer> pids = pids(jvm);
      Map<Integer, ProcessStatus> atHome = byPidAtHome(pids.size() > 1, stubs);
      for (PublishedPool published : tables.pools()) {
        // If not, it is another's, which the process only reads, as this one does.
        if (!pids.isEmpty() && published.jvmPid() == pids.getLast()) {
          LivePool pool = join(published, jvm, atHome);
          pool.source().ifPresent(stub -> rest.remove(stub.process().pid()));
          pool.stubs().forEach(stub -> rest.remove(stub.process().pid()));
          pools.add(pool);
        }
      }
    }
    pools.sort(Comparator.comparing(LivePool::name));
    return new JvmStubs(jvm, pools, stillThere(rest.values()), tables.isDenied(), tables.unknown());
  }

  private LivePool join(PublishedPool pool, int jvm, Map<Integer, ProcessStatus> atHome)
      throws IOException {
    long now = clock.getAsLong();
    Duration uptime = proc.uptime();
    List<PooledStub> stubs = new ArrayList<>();
    for (PublishedStub stub : pool.stubs()) {
      ProcessStatus process = atHome.get(stub.pid());
      if (process != null) {
        stubs.add(PooledStub.of(process, stub, now, uptime));
      }
    }
    stubs.sort(Comparator.comparingInt(stub -> stub.process().pid()));
    return new LivePool(
        pool,
        jvm,
        Optional.ofNullable(atHome.get(pool.sourcePid()))
            .map(process -> PooledStub.source(process, uptime)),
        stubs);
  }

  /**
   * Stubs by the pids that their JVM knows them by.
   *
   * @param isBelow whether it lives in a pid namespace below that of {@code /proc}
   */
  private Map<Integer, ProcessStatus> byPidAtHome(boolean isBelow, List<ProcessStatus> stubs)
      throws IOException {
    Map<Integer, ProcessStatus> atHome = new HashMap<>();
    for (ProcessStatus stub : stubs) {
      List<Integer> pids = isBelow ? pids(stub.pid()) : List.of(stub.pid());
      if (!pids.isEmpty()) {
        atHome.put(pids.getLast(), stub);
      }
    }
    return atHome;
  }

  private List<Integer> pids(int pid) throws IOException {
    return proc.fields(pid).map(StatusFields::pids).orElse(List.of());
  }

  private List<UnpublishedStub> stillThere(Iterable<ProcessStatus> stubs) throws IOException {
    List<UnpublishedStub> there = new ArrayList<>();
    for (ProcessStatus before : stubs) {
      // In this order: who dies in between is a zombie without a tracer, not a stub without one.
      Optional<Integer> tracer = proc.fields(before.pid()).map(StatusFields::tracer);
      Optional<ProcessStatus> now = proc.status(before.pid()).filter(before::isSame);
      if (now.isPresent() && tracer.isPresent()) {
        there.add(new UnpublishedStub(now.get(), tracer.get()));
      }
    }
    return there;
  }
}
