package dev.stubpool.cli.pools;

import dev.stubpool.lease.PublishedPool;
import dev.stubpool.lease.PublishedPool.PublishedStub;
import dev.stubpool.nativestubs.proc.ProcFs;
import dev.stubpool.nativestubs.proc.ProcessStatus;
import dev.stubpool.nativestubs.proc.StatusFields;
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
 * Finds all stubs in /proc and joins them with the lease tables of their JVMs.
 *
 * <p>Processes are read first, then tables. A process that is in no table belongs to a pool that
 * does not publish, is very new, or has ended since; its status is read again. An entry without a
 * process was created or ended meanwhile, and is left out.
 */
public final class Survey {
  private final ProcFs proc;
  private final LongSupplier clock;

  /**
   * Creates a survey of {@code proc}.
   *
   * @param clock {@link System#nanoTime}
   */
  public Survey(ProcFs proc, LongSupplier clock) {
    this.proc = proc;
    this.clock = clock;
  }

  /** Surveys all JVMs that have stubs, by pid. */
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

  /** Surveys one JVM and the given stubs of it. */
  public JvmStubs of(int jvm, List<ProcessStatus> stubs) throws IOException {
    LeaseTables tables = LeaseTables.of(proc, jvm);
    List<LivePool> pools = new ArrayList<>();
    Map<Integer, ProcessStatus> rest = new TreeMap<>();
    stubs.forEach(stub -> rest.put(stub.pid(), stub));
    if (!tables.pools().isEmpty()) {
      List<Integer> pids = pids(jvm);
      Map<Integer, ProcessStatus> atHome = byPidAtHome(pids.size() > 1, stubs);
      for (PublishedPool published : tables.pools()) {
        // Otherwise the table is another JVM's, which the process only reads, as this one does.
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
   * Maps pids in the JVM's pid namespace to stubs.
   *
   * @param isBelow whether the JVM is in a pid namespace below that of {@code /proc}
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
      // In this order: a stub that dies in between is a zombie, not an untraced stub.
      Optional<Integer> tracer = proc.fields(before.pid()).map(StatusFields::tracer);
      Optional<ProcessStatus> now = proc.status(before.pid()).filter(before::isSame);
      if (now.isPresent() && tracer.isPresent()) {
        there.add(new UnpublishedStub(now.get(), tracer.get()));
      }
    }
    return there;
  }
}
