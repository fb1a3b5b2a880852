package dev.stubpool.cli.inspect;

import dev.stubpool.cli.output.HumanTime;
import dev.stubpool.cli.output.Printable;
import dev.stubpool.cli.output.TextTable;
import dev.stubpool.cli.output.TextTable.Column;
import dev.stubpool.cli.pools.JvmStubs;
import dev.stubpool.cli.pools.LivePool;
import dev.stubpool.cli.pools.PooledStub;
import dev.stubpool.cli.pools.UnpublishedStub;
import dev.stubpool.nativestubs.proc.ProcessStatus;
import java.io.PrintWriter;
import java.util.List;

/** The output of {@code ps}: one line per stub. */
final class PsTable {
  private static final String UNKNOWN = "-";

  private PsTable() {}

  static void print(PrintWriter out, List<JvmStubs> jvms) {
    // The name is last because it may be long and contain spaces.
    TextTable table =
        new TextTable(
            Column.number("PID"),
            Column.number("JVM"),
            Column.text("STATE"),
            Column.number("FOR"),
            Column.number("LEASE"),
            Column.text("S"),
            Column.number("RSS"),
            Column.number("THREADS"),
            Column.text("POOL"));
    for (JvmStubs jvm : jvms) {
      for (LivePool pool : jvm.pools()) {
        pool.source().ifPresent(stub -> add(table, pool, stub));
        pool.stubs().forEach(stub -> add(table, pool, stub));
      }
      for (UnpublishedStub stub : jvm.unpublished()) {
        String state = stub.isUntraced() ? "untraced" : UNKNOWN;
        add(table, stub.process(), state, UNKNOWN, UNKNOWN, UNKNOWN);
      }
    }
    table.print(out);
  }

  private static void add(TextTable table, LivePool pool, PooledStub stub) {
    add(
        table,
        stub.process(),
        stub.state(),
        stub.since().map(HumanTime::of).orElse(UNKNOWN),
        stub.lease().map(String::valueOf).orElse(UNKNOWN),
        Printable.of(pool.name()));
  }

  private static void add(
      TextTable table,
      ProcessStatus process,
      String state,
      String since,
      String lease,
      String pool) {
    table.add(
        List.of(
            Integer.toString(process.pid()),
            Integer.toString(process.parent()),
            state,
            since,
            lease,
            String.valueOf(process.state()),
            Long.toString(process.residentKibibytes()),
            Integer.toString(process.threads()),
            pool));
  }
}
