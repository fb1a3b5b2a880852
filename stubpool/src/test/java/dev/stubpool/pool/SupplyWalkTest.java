package dev.stubpool.pool;

import dev.stubpool.OnRelease;
import dev.stubpool.OnStubDeath;
import dev.stubpool.StubPoolException;
import dev.stubpool.StubPoolFullException;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.StubPoolStats;
import dev.stubpool.StubState;
import dev.stubpool.SystemCallException;
import dev.stubpool.abi.Errno;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.pool.FakeStubs.Recycling;
import dev.stubpool.pool.FakeStubs.Waiter;
import dev.stubpool.ptrace.Tracees;
import dev.stubpool.testing.Effort;
import dev.stubpool.testing.Logs;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Random walks of a {@link Supply} beside a model of plain lists: after every step each stub is in
 * exactly one place, the same in both, and the counts add up.
 */
class SupplyWalkTest {
  private static final int STEPS_OF_A_WALK = 2_000;
  private static final Duration WINDOW = Duration.ofMinutes(1);
  private static final Duration REST = Duration.ofSeconds(1);
  private static final Duration TRIM = Duration.ofSeconds(1);
  private static final int LARGEST_BATCH = 32;
  private static final int MOST_TRIMMED_AT_ONCE = 8;

  private static final Duration[] TICKS = {
    Duration.ofMillis(1), Duration.ofMillis(400), REST, WINDOW.dividedBy(3), WINDOW
  };

  @Test
  void shouldDoAsTheModelDoes() {
    int steps = Effort.cases(200_000, 10_000_000);
    long seed = new Random().nextLong();
    System.out.println("SupplyWalkTest: seed " + seed + ", " + steps + " steps");
    Random seeds = new Random(seed);
    try (Logs logs = new Logs(Supply.class)) {
      int failures = 0;
      for (int i = 0; i < steps / STEPS_OF_A_WALK; i++) {
        new Walk(seeds.nextLong()).run();
        failures += logs.lines().size();
        logs.clear();
      }
      check(failures > 0, "walks on which nothing goes wrong prove little");
    }
  }

  private static void check(boolean holds, Object what) {
    if (!holds) {
      throw new AssertionError(what.toString());
    }
  }

  private static void checkEqual(Object actual, Object expected, String what) {
    if (!Objects.equals(actual, expected)) {
      throw new AssertionError(what + " is " + actual + ", and ought to be " + expected);
    }
  }

  /** A living stub of the model. */
  private static final class Living {
    final StubProcess process;
    boolean used;
    boolean held;
    boolean dead;

    /** Made as a copy, and not idle since. */
    boolean copy;

    /** How recycling will end; null is well. */
    Recycling recycling;

    Living(StubProcess process) {
      this.process = process;
    }

    int pid() {
      return process.tracee.pid();
    }
  }

  /** One walk: what is done, and what the model expects of it. */
  private static final class Walk {
    private final long seed;
    private final Random random;
    private final FakeStubs fake;
    private final StubPoolOptions options;

    // The model.
    private final Map<Integer, Living> living = new HashMap<>();
    private final Deque<Living> idle = new ArrayDeque<>();
    private final Deque<Living> returned = new ArrayDeque<>();
    private final Deque<Living> held = new ArrayDeque<>();
    private final List<Lease> leased = new ArrayList<>();
    private final Deque<Waiter> coming = new ArrayDeque<>();
    private final Deque<Waiter> line = new ArrayDeque<>();
    private final Set<Waiter> gone = new HashSet<>();
    private final Set<Waiter> goneWhileForging = new HashSet<>();
    private long created;
    private long recycled;
    private long discarded;
    private long died;
    private boolean resting;
    private long restUntil;
    private long windowStart;
    private int demand;
    private int demandBefore;
    private long trimmedAt;
    private int surplus;

    /** Handles that were closed: some of all the walk's. */
    private final Lease[] closed = new Lease[32];

    /** What the factory did in the turn that the model looks at. */
    private Deque<String> done = new ArrayDeque<>();

    private int step;
    private String last = "";

    Walk(long seed) {
      this.seed = seed;
      this.random = new Random(seed);
      int maxStubs = 1 + random.nextInt(random.nextInt(5) == 0 ? 80 : 6);
      StubPoolOptions.Builder builder =
          StubPoolOptions.builder()
              .maxStubs(maxStubs)
              .minIdle(random.nextBoolean() ? 0 : random.nextInt(maxStubs + 1))
              .idleTimeout(WINDOW);
      switch (random.nextInt(4)) {
        case 0 -> builder.onRelease(OnRelease.DISCARD);
        case 1 -> builder.onStubDeath(OnStubDeath.KILL_JVM);
        default -> {}
      }
      fake = new FakeStubs(builder);
      options = fake.options;
      windowStart = fake.now;
      trimmedAt = fake.now;
    }

    void run() {
      try {
        for (step = 0; step < STEPS_OF_A_WALK; step++) {
          act();
          compare();
        }
        comeToAnEnd();
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError(
            "seed %d, step %d (%s), %s: %s".formatted(seed, step, last, options, e.getMessage()),
            e);
      }
    }

    // ---- what is done ----

    private void act() {
      switch (random.nextInt(24)) {
        case 0, 1 -> take();
        case 2, 3, 4 -> come();
        case 5, 6, 7, 8 -> close();
        case 9 -> closeAgain();
        case 10 -> die();
        case 11 -> giveUp();
        case 12 -> tick();
        case 13 -> foul();
        case 14 -> hold();
        case 15 -> spawn();
        default -> turn();
      }
    }

    private void take() {
      last = "take";
      Lease stub = fake.take();
      Living expected = isSomebodyWaiting() ? null : idle.poll();
      checkEqual(
          stub == null ? null : stub.pid(), expected == null ? null : expected.pid(), "the taken");
      if (stub != null) {
        leased.add(stub);
      }
    }

    private boolean isSomebodyWaiting() {
      return Stream.concat(line.stream(), coming.stream())
          .anyMatch(waiter -> waiter.outcome() == null);
    }

    private void come() {
      last = "come";
      coming.add(fake.new Waiter());
    }

    private void close() {
      last = "close";
      if (leased.isEmpty()) {
        return;
      }
      Lease stub = leased.remove(random.nextInt(leased.size()));
      Living one = living.get(stub.pid());
      if (stub.process().tracee.death() == null) {
        if (random.nextInt(3) > 0) {
          Tracees.use(one.process.tracee);
          one.used = true;
        }
        if (random.nextInt(8) == 0) {
          Recycling[] all = Recycling.values();
          one.recycling = all[random.nextInt(all.length)];
          fake.recycling.put(one.pid(), one.recycling);
        }
        returned.add(one);
      }
      stub.close();
      closed[random.nextInt(closed.length)] = stub;
    }

    private void closeAgain() {
      last = "close again";
      Lease stub = closed[random.nextInt(closed.length)];
      if (stub != null) {
        stub.close();
        check(!stub.beginLease(), "a closed handle was leased");
        check(!stub.process().giveBack(stub.generation()), "a closed handle was given back");
      }
    }

    private void die() {
      last = "die";
      List<Living> all = List.copyOf(living.values());
      if (!all.isEmpty()) {
        Living one = all.get(random.nextInt(all.size()));
        fake.die(one.process, "killed by SIGKILL");
        died++;
        buried(one);
        idle.remove(one);
      }
    }

    private void giveUp() {
      last = "give up";
      Waiter waiter = anyWaiter();
      if (waiter != null && waiter.giveUp()) {
        gone.add(waiter);
      }
    }

    private Waiter anyWaiter() {
      List<Waiter> all = new ArrayList<>(line);
      all.addAll(coming);
      return all.isEmpty() ? null : all.get(random.nextInt(all.size()));
    }

    private void tick() {
      Duration time = TICKS[random.nextInt(TICKS.length)];
      last = "tick " + time;
      fake.pass(time);
    }

    /** Something goes wrong with the next births. */
    private void foul() {
      last = "foul";
      switch (random.nextInt(3)) {
        case 0 -> fake.stillborn = random.nextInt(3);
        case 1 -> {
          Waiter waiter = anyWaiter();
          fake.whileForging =
              () -> {
                if (waiter != null && waiter.giveUp()) {
                  goneWhileForging.add(waiter);
                }
              };
        }
        default -> {
          fake.refusal =
              random.nextBoolean()
                  ? Failures.make().systemCall("clone", Errno.EAGAIN, "forging a stub")
                  : new IllegalStateException("a defect");
          fake.untilRefusal = random.nextInt(4);
        }
      }
    }

    /** Somebody begins to copy a stub's memory, or ends it. */
    private void hold() {
      last = "hold";
      List<Living> all = List.copyOf(living.values());
      if (all.isEmpty()) {
        return;
      }
      Living one = all.get(random.nextInt(all.size()));
      if (one.held) {
        one.process.tracee.release();
        one.held = false;
      } else if (one.process.state() == StubState.LEASED) {
        check(one.process.tracee.hold(), "a living stub cannot be held");
        one.held = true;
      }
    }

    private void spawn() {
      last = "spawn";
      leased.removeIf(stub -> stub.process().tracee.death() != null);
      if (leased.isEmpty()) {
        return;
      }
      Lease parent = leased.get(random.nextInt(leased.size()));
      boolean full = counted() == options.maxStubs();
      if (full && (leased.size() < living.size() || !returned.isEmpty())) {
        return; // one that nobody has would make room: SupplyTest
      }
      boolean refused = !full && fake.refusal != null;
      boolean mayEvict =
          refused
              && fake.refusal instanceof SystemCallException
              && options.onStubDeath() != OnStubDeath.KILL_JVM;
      boolean makesRoom = mayEvict && !(idle.isEmpty() && returned.isEmpty());
      try {
        Lease child = fake.supply.spawn(parent);
        check(!full && (!refused || makesRoom), "a copy too many");
        if (makesRoom) {
          done = new ArrayDeque<>(fake.done());
          expectRoomMade("copy " + parent.pid());
        }
        Living one = born(child.pid());
        one.used = true;
        one.copy = true;
        leased.add(child);
      } catch (StubPoolFullException e) {
        check(full, e);
      } catch (IllegalStateException | SystemCallException e) {
        check(refused && !makesRoom, e);
        if (mayEvict) {
          rest();
        }
      }
      fake.done.clear();
    }

    private void expectRoomMade(String copying) {
      checkEqual(done.poll(), copying, "what was refused");
      rest();
      if (idle.isEmpty()) {
        line.removeIf(gone::contains);
        expectTakenBack(returned.remove());
      } else {
        for (int half = (idle.size() + 1) / 2; half > 0; half--) {
          expectDiscarded(idle.removeLast());
        }
      }
      checkEqual(done.poll(), copying, "what was done again");
    }

    /** The background makes no stub for a while after the kernel refused one to somebody. */
    private void rest() {
      resting = true;
      restUntil = fake.now + REST.toNanos();
    }

    private void turn() {
      last = "turn";
      boolean armed = fake.refusal != null;
      boolean more = fake.turn();
      done = new ArrayDeque<>(fake.done());
      last = "turn: " + done;
      line.addAll(coming);
      coming.clear();
      boolean refused = armed && fake.refusal == null;
      checkEqual(more, expectTurn(refused), "whether there is more to do");
      check(done.isEmpty(), "not expected: " + done);
      gone.addAll(goneWhileForging);
      goneWhileForging.clear();
      line.removeIf(gone::contains);
      gone.retainAll(coming);
      fake.whileForging = () -> {};
    }

    // ---- what the model expects of a turn ----

    private boolean expectTurn(boolean refused) {
      line.removeIf(gone::contains);
      demand = Math.max(demand, demandNow());
      for (int left = held.size(); left > 0; left--) {
        expectTakenBack(held.remove());
      }
      if (!line.isEmpty()) {
        return expectLineServed(refused);
      }
      if (!returned.isEmpty()) {
        expectTakenBack(returned.remove());
        return true;
      }
      return expectRefill(refused) || expectTrim();
    }

    private boolean expectLineServed(boolean refused) {
      while (!line.isEmpty() && !idle.isEmpty()) {
        expectServed(idle.remove());
      }
      int room = options.maxStubs() - counted();
      if (line.isEmpty()) {
        return true;
      }
      if (!returned.isEmpty() && (options.onRelease() == OnRelease.RECYCLE || room == 0)) {
        expectTakenBack(returned.remove());
        return true;
      }
      int count = Math.min(line.size(), room);
      if (count == 0) {
        return false;
      }
      int born = expectForged(count);
      if (refused && !returned.isEmpty()) {
        expectTakenBack(returned.remove()); // whose end may be room in the kernel
        return true;
      }
      for (int left = refused ? count - born : 0; left > 0 && !line.isEmpty(); left--) {
        check(line.remove().outcome() instanceof StubPoolException, "a waiter was not told");
      }
      return true;
    }

    private int expectForged(int count) {
      checkEqual(done.poll(), "forge " + count, "what was forged");
      line.removeIf(goneWhileForging::contains);
      int born = 0;
      while (!done.isEmpty() && done.peek().startsWith("born ")) {
        expectReady(born(Integer.parseInt(done.remove().substring("born ".length()))));
        born++;
      }
      check(born <= count, "more were born than forged");
      return born;
    }

    private Living born(int pid) {
      StubProcess process = fake.supply.find(pid);
      check(process != null, "a newborn is not known");
      Living one = new Living(process);
      check(living.put(pid, one) == null, "a pid twice");
      created++;
      return one;
    }

    private void expectReady(Living one) {
      one.used = false;
      one.copy = false;
      if (line.isEmpty()) {
        idle.addFirst(one);
      } else {
        expectServed(one);
      }
    }

    private void expectServed(Living one) {
      Waiter first = line.remove();
      Lease stub = first.stub();
      checkEqual(stub.pid(), one.pid(), "the stub of who is first");
      leased.add(stub);
    }

    private void expectTakenBack(Living one) {
      if (one.dead) {
        return;
      }
      if (one.held) {
        held.add(one);
      } else if (options.onRelease() == OnRelease.DISCARD) {
        expectDiscarded(one);
      } else if (!one.used) {
        expectReady(one);
      } else {
        checkEqual(done.poll(), "recycle " + one.pid(), "what was recycled");
        Recycling how = one.recycling;
        if (how == null) {
          recycled++;
          expectReady(one);
        } else if (how == Recycling.DIED) {
          died++;
          buried(one);
        } else {
          expectDiscarded(one);
        }
      }
    }

    private void expectDiscarded(Living one) {
      checkEqual(done.poll(), "discard " + one.pid(), "what was discarded");
      discarded++;
      buried(one);
    }

    private boolean expectRefill(boolean refused) {
      resting = resting && fake.now - restUntil < 0;
      int missing = Math.min(options.minIdle() - idle.size(), options.maxStubs() - counted());
      if (missing <= 0 || resting) {
        return false;
      }
      expectForged(Math.min(missing, Math.clamp(idle.size(), 1, LARGEST_BATCH)));
      if (refused) {
        rest();
      }
      return !refused;
    }

    /** Stubs that are neither idle nor copies; the dead are counted until they are looked at. */
    private int demandNow() {
      int others = (int) living.values().stream().filter(one -> one.copy).count();
      int dead = 0;
      for (Living one : returned) {
        dead += one.dead && !one.copy ? 1 : 0;
      }
      return living.size() - idle.size() - others + dead;
    }

    private boolean expectTrim() {
      if (fake.now - windowStart >= WINDOW.toNanos()) {
        windowStart = fake.now;
        demandBefore = demand;
        demand = demandNow();
        trimmedAt = fake.now - TRIM.toNanos();
      }
      if (fake.now - trimmedAt >= TRIM.toNanos()) {
        trimmedAt = fake.now;
        surplus = options.onStubDeath() == OnStubDeath.KILL_JVM ? 0 : idle.size();
      }
      int wanted = options.minIdle() + Math.max(demand, demandBefore) - demandNow();
      surplus = Math.min(surplus, idle.size() - wanted);
      if (surplus <= 0) {
        surplus = 0;
        return false;
      }
      int now = Math.min(surplus, MOST_TRIMMED_AT_ONCE);
      for (int i = 0; i < now; i++) {
        expectDiscarded(idle.removeLast());
      }
      check(idle.size() >= options.minIdle(), "trimmed below minIdle");
      surplus -= now;
      return surplus > 0;
    }

    /** The living, and the dead that were given back and not looked at. */
    private int counted() {
      return living.size() + (int) returned.stream().filter(one -> one.dead).count();
    }

    private void buried(Living one) {
      check(living.remove(one.pid(), one), "buried twice");
      one.dead = true;
      check(one.process.state() == StubState.DEAD, "a dead stub's state");
      fake.recycling.remove(one.pid());
      if (one.held) {
        one.process.tracee.release();
        one.held = false;
      }
    }

    // ---- both compared ----

    private void compare() {
      StubPoolStats stats = fake.stats();
      int deadOnTheWay = (int) returned.stream().filter(one -> one.dead).count();
      checkEqual(stats.total(), living.size() + deadOnTheWay, "total");
      checkEqual(stats.idle(), idle.size(), "idle");
      checkEqual(
          stats.total(), stats.idle() + stats.leased() + stats.resetting(), "the sum of all");
      checkEqual(stats.created(), created, "created");
      checkEqual(stats.recycled(), recycled, "recycled");
      checkEqual(stats.discarded(), discarded, "discarded");
      checkEqual(stats.died(), died - deadOnTheWay, "died");
      checkEqual(created, stats.total() + discarded + stats.died(), "the sum of all ever");
      check(stats.total() <= options.maxStubs(), "more than maxStubs");
      checkEqual(stats.forging(), 0, "forging");
      checkEqual(fake.supply.all().size(), living.size(), "all");
      boolean waits = held.stream().anyMatch(one -> one.held && !one.dead);
      checkEqual(fake.supply.awaitsCopies(), waits, "hasHeld");
      boolean ready = !returned.isEmpty() || held.stream().anyMatch(one -> one.dead || !one.held);
      checkEqual(fake.supply.hasReturned(), ready, "hasReturned");
      int leasedAlive = 0;
      for (Lease stub : leased) {
        boolean dead = stub.process().tracee.death() != null;
        leasedAlive += dead ? 0 : 1;
        checkEqual(stub.state(), dead ? StubState.DEAD : StubState.LEASED, "a leased one");
        check(dead || stub.process().isLeased(stub.generation()), "a lease was lost");
      }
      int onTheWay = 0;
      for (Deque<Living> place : Arrays.asList(returned, held)) {
        for (Living one : place) {
          onTheWay += one.dead ? 0 : 1;
          checkEqual(
              one.process.state(),
              one.dead ? StubState.DEAD : StubState.RESETTING,
              "one on its way");
        }
      }
      for (Living one : idle) {
        checkEqual(one.process.state(), StubState.IDLE, "an idle one");
      }
      checkEqual(idle.size() + leasedAlive + onTheWay, living.size(), "stubs in one place each");
      checkEqual(stats.leased(), leasedAlive, "leased");
      checkEqual(stats.resetting(), onTheWay + deadOnTheWay, "resetting");
      for (Waiter waiter : line) {
        check(waiter.outcome() == null || gone.contains(waiter), "served out of turn");
      }
      Lease old = closed[step % closed.length];
      check(old == null || !old.process().isLeased(old.generation()), "a closed handle is open");
    }

    /** Nobody who waits is forgotten once stubs come back. */
    private void comeToAnEnd() {
      fake.refusal = null;
      fake.stillborn = 0;
      for (int round = 0; !(line.isEmpty() && coming.isEmpty()); round++) {
        check(round < STEPS_OF_A_WALK, "waiters without an end");
        for (Living one : living.values()) {
          if (one.held) {
            one.process.tracee.release();
            one.held = false;
          }
        }
        while (!leased.isEmpty()) {
          close();
        }
        turn();
        compare();
      }
      fake.supply.close();
      checkEqual(fake.take(), null, "what a closed supply gives");
    }
  }
}
