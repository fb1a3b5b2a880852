package dev.stubpool.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.Access;
import dev.stubpool.AddressSpace;
import dev.stubpool.DeniedSystemCallException;
import dev.stubpool.Mapping;
import dev.stubpool.Protection;
import dev.stubpool.Sharing;
import dev.stubpool.abi.Errno;
import dev.stubpool.diagnose.Failures;
import dev.stubpool.memory.MappingTable.Kind;
import dev.stubpool.memory.MappingTable.Range;
import dev.stubpool.nativestubs.calls.Abi;
import dev.stubpool.nativestubs.proc.ProcMaps;
import dev.stubpool.testing.Effort;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the table notes of calls, without a stub, and what it makes of faults. */
class MappingTableTest {
  private static final long PAGE = AddressSpace.PAGE_SIZE;
  private static final long START = 0x1000_0000L;
  private static final int PAGES = 40;
  private static final int MAPERR = 1;
  private static final int ACCERR = 2;
  private static final long PRIVATE_MEMORY = Abi.MAP_PRIVATE | Abi.MAP_ANONYMOUS | Abi.MAP_FIXED;
  private static final long SHARED_MEMORY = Abi.MAP_SHARED | Abi.MAP_ANONYMOUS | Abi.MAP_FIXED;

  private static Memfd[] files;

  private List<ProcMaps.Mapping> reality = List.of();
  private IOException unreadable;
  private boolean exhausted;
  private boolean discarded;
  private final MappingTable table =
      new MappingTable(
          () -> {
            if (unreadable != null) {
              throw unreadable;
            }
            if (exhausted) {
              throw new OutOfMemoryError("reading the mappings");
            }
            return reality;
          },
          () -> discarded = true);

  @BeforeAll
  static void makeFiles() {
    files = new Memfd[] {Memfd.create(4 * PAGE), Memfd.create(8 * PAGE)};
  }

  @AfterAll
  static void closeFiles() {
    for (Memfd file : files) {
      file.close();
    }
  }

  private void memory(long address, long size, Protection protection) {
    map(address, size, protection, PRIVATE_MEMORY, 0, null);
  }

  private void map(
      long address, long size, Protection protection, long flags, long offset, MappableFile file) {
    table.callAndRecord(
        Abi.SYS_mmap, address, size, protection.bits(), flags, offset, file, () -> address);
  }

  private long protect(long address, long size, Protection protection, long result) {
    return table.callAndRecord(
        Abi.SYS_mprotect, address, size, protection.bits(), 0, 0, null, () -> result);
  }

  private long unmap(long address, long size, long result) {
    return table.callAndRecord(Abi.SYS_munmap, address, size, 0, 0, 0, null, () -> result);
  }

  private static Mapping mapping(long start, long end, Protection protection) {
    return new Mapping(start, end, protection, Sharing.PRIVATE);
  }

  // ---- against a model ----

  /** A page of the model: {@code at} is where it is in its source. */
  private record Page(Protection protection, Sharing sharing, Kind kind, Object source, long at) {
    Page with(Protection other) {
      return new Page(other, sharing, kind, source, at);
    }
  }

  @Test
  void shouldBeAsAnArrayOfPagesIs() {
    int rounds = Effort.cases(100, 3_000);
    long seed = new Random().nextLong();
    for (int round = 0; round < rounds; round++) {
      table.clear();
      walk(new Random(seed + round), "seed " + (seed + round));
    }
  }

  private void walk(Random random, String name) {
    Page[] model = new Page[PAGES];
    for (int step = 0; step < 150; step++) {
      List<Range> kept = table.ranges();
      String before = kept.toString();
      step(random, model);
      assertThat(kept).as("what a reader has does not change").hasToString(before);
      assertThat(table.ranges()).as("%s, step %d", name, step).isEqualTo(rangesOf(model));
    }
  }

  private void step(Random random, Page[] model) {
    int first = random.nextInt(PAGES);
    int last = Math.min(PAGES, first + 1 + random.nextInt(12));
    long address = START + first * PAGE;
    long size = (last - first) * PAGE - random.nextInt((int) PAGE); // the kernel rounds up
    Protection protection = Protection.of(random.nextInt(8));
    switch (random.nextInt(9)) {
      case 0 -> {
        assertThat(unmap(address, size, 0)).isZero();
        for (int i = first; i < last; i++) {
          model[i] = null;
        }
      }
      case 1, 2 -> {
        assertThat(protect(address, size, protection, 0)).isZero();
        for (int i = first; i < last; i++) {
          model[i] = model[i] == null ? null : model[i].with(protection);
        }
      }
      case 3 -> {
        map(address, size, protection, SHARED_MEMORY, 0, null);
        Object source = table.find(address).source();
        assertThat(source).isNotNull();
        for (int i = first; i < last; i++) {
          long at = (i - first) * PAGE;
          model[i] = new Page(protection, Sharing.SHARED, Kind.ANONYMOUS, source, at);
        }
      }
      case 4, 5 -> {
        memory(address, size, protection);
        for (int i = first; i < last; i++) {
          model[i] = new Page(protection, Sharing.PRIVATE, Kind.ANONYMOUS, null, 0);
        }
      }
      case 6 -> {
        // Nothing is done by these.
        assertThat(protect(address, 0, protection, 0)).isZero();
        assertThat(
                table.callAndRecord(
                    Abi.SYS_mmap, address, size, 7, 0, 0, null, () -> -Errno.EEXIST))
            .isEqualTo(-Errno.EEXIST);
        assertThat(table.callAndRecord(Abi.SYS_getpid, address, size, 7, 0, 0, null, () -> 5))
            .isEqualTo(5);
      }
      default -> {
        Memfd file = files[random.nextInt(files.length)];
        Sharing sharing = random.nextBoolean() ? Sharing.SHARED : Sharing.PRIVATE;
        long flag = sharing == Sharing.SHARED ? Abi.MAP_SHARED : Abi.MAP_PRIVATE;
        // Often such that it goes on where the page before it ends.
        long offset =
            first > 0 && model[first - 1] != null && random.nextBoolean()
                ? model[first - 1].at + PAGE
                : random.nextInt(3) * PAGE;
        map(address, size, protection, flag | Abi.MAP_FIXED, offset, file);
        for (int i = first; i < last; i++) {
          long at = offset + (i - first) * PAGE;
          model[i] = new Page(protection, sharing, Kind.MEMORY_FILE, file, at);
        }
      }
    }
  }

  private static List<Range> rangesOf(Page[] model) {
    List<Range> ranges = new ArrayList<>();
    int first = 0;
    for (int i = 0; i < PAGES; i++) {
      Page page = model[i];
      if (page == null) {
        continue;
      }
      if (i == 0 || model[i - 1] == null || !next(model[i - 1]).equals(page)) {
        first = i;
      }
      if (i + 1 == PAGES || model[i + 1] == null || !next(page).equals(model[i + 1])) {
        ranges.add(
            new Range(
                START + first * PAGE,
                START + (i + 1) * PAGE,
                page.protection,
                page.sharing,
                page.kind,
                page.source,
                model[first].at));
      }
    }
    return ranges;
  }

  /** What the next page must be to belong to the same range. */
  private static Page next(Page page) {
    long at = page.source == null ? 0 : page.at + PAGE;
    return new Page(page.protection, page.sharing, page.kind, page.source, at);
  }

  // ---- single calls ----

  @Test
  void shouldKnowWhatIsMapped() {
    map(START, PAGE, Protection.READ, Abi.MAP_PRIVATE | Abi.MAP_FIXED, 3 * PAGE, files[1]);
    map(START + PAGE, PAGE, Protection.READ, Abi.MAP_SHARED | Abi.MAP_FIXED, 0, null);
    map(
        START + 2 * PAGE,
        PAGE,
        Protection.READ,
        Abi.MAP_SHARED | Abi.MAP_PRIVATE | Abi.MAP_FIXED, // MAP_SHARED_VALIDATE
        0,
        files[0]);
    Range file = table.find(START + 5);
    assertThat(file.kind()).isEqualTo(Kind.MEMORY_FILE);
    assertThat(file.sharing()).isEqualTo(Sharing.PRIVATE);
    assertThat(file.file()).isSameAs(files[1]);
    assertThat(file.fileSize()).isEqualTo(8 * PAGE);
    assertThat(file.offsetOf(START + 5)).isEqualTo(3 * PAGE + 5);
    Range unknown = table.find(START + PAGE);
    assertThat(unknown.kind()).isEqualTo(Kind.UNKNOWN_FILE);
    assertThat(unknown.file()).isNull();
    assertThat(unknown.fileSize()).isEqualTo(-1);
    assertThat(table.find(START + 2 * PAGE).sharing()).isEqualTo(Sharing.SHARED);
    assertThat(table.find(START - 1)).isNull();
    assertThat(table.find(START + 3 * PAGE)).isNull();
    assertThat(table.find(-1)).isNull();
    assertThat(table.find(Long.MIN_VALUE)).isNull();
  }

  @Test
  void shouldTellCallersRangesSortedByAddress() {
    memory(START + 4 * PAGE, PAGE, Protection.READ);
    memory(START, 2 * PAGE, Protection.READ_WRITE);
    memory(START + 2 * PAGE, PAGE, Protection.READ_WRITE);
    assertThat(table.mappings())
        .containsExactly(
            mapping(START, START + 3 * PAGE, Protection.READ_WRITE),
            mapping(START + 4 * PAGE, START + 5 * PAGE, Protection.READ));
    assertThat(table.mappings().getFirst().size()).isEqualTo(3 * PAGE);
    assertThatThrownBy(() -> table.mappings().clear())
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void shouldNoteNothingOfACallThatWasNotMade() {
    memory(START, PAGE, Protection.READ);
    List<Mapping> before = table.mappings();
    assertThatThrownBy(
            () ->
                table.callAndRecord(
                    Abi.SYS_munmap,
                    START,
                    PAGE,
                    0,
                    0,
                    0,
                    null,
                    () -> {
                      throw Failures.make().denied(Abi.SYS_munmap);
                    }))
        .isInstanceOf(DeniedSystemCallException.class);
    assertThat(table.mappings()).isEqualTo(before);
  }

  // ---- calls that fail ----

  private static ProcMaps.Mapping real(long start, long end, String permissions) {
    return new ProcMaps.Mapping(start, end, permissions, 0, 0, "");
  }

  @Test
  void shouldLearnWhatAFailedCallDid() {
    map(START, 6 * PAGE, Protection.READ, Abi.MAP_SHARED | Abi.MAP_FIXED, PAGE, files[1]);
    memory(START + 8 * PAGE, PAGE, Protection.READ);
    reality =
        List.of(
            real(START - PAGE, START + PAGE, "---s"),
            real(START + PAGE, START + 2 * PAGE, "-w-s"),
            real(START + 3 * PAGE, START + 5 * PAGE, "r-xs"),
            real(START + 7 * PAGE, START + 20 * PAGE, "r--p"),
            real(0xffff_ffff_ff60_0000L, 0xffff_ffff_ff60_1000L, "--xp"));
    assertThat(protect(START, 20 * PAGE, Protection.WRITE, -Errno.ENOMEM)).isEqualTo(-Errno.ENOMEM);
    assertThat(table.ranges())
        .containsExactly(
            shared(0, 1, Protection.NONE),
            shared(1, 2, Protection.WRITE),
            shared(3, 5, Protection.READ_EXECUTE),
            new Range(
                START + 8 * PAGE,
                START + 9 * PAGE,
                Protection.READ,
                Sharing.PRIVATE,
                Kind.ANONYMOUS,
                null,
                0));
  }

  private static Range shared(int first, int end, Protection protection) {
    return new Range(
        START + first * PAGE,
        START + end * PAGE,
        protection,
        Sharing.SHARED,
        Kind.MEMORY_FILE,
        files[1],
        (1 + first) * PAGE);
  }

  @Test
  void shouldAskTheKernelOnlyWhenSomethingMayHaveChanged() {
    memory(START, 2 * PAGE, Protection.READ);
    List<Mapping> before = table.mappings();
    // Reality is empty: whoever asks forgets everything.
    protect(START + 2 * PAGE, PAGE, Protection.NONE, -Errno.ENOMEM);
    protect(START - PAGE, PAGE, Protection.NONE, -Errno.ENOMEM);
    protect(0, PAGE, Protection.NONE, -Errno.ENOMEM);
    protect(-PAGE, PAGE, Protection.NONE, -Errno.ENOMEM);
    protect(Long.MIN_VALUE, Long.MAX_VALUE, Protection.NONE, -Errno.ENOMEM);
    protect(START, -1, Protection.NONE, 0);
    assertThat(table.mappings()).isEqualTo(before);
    for (long[] range :
        new long[][] {{START + PAGE, 1}, {0, START + 1}, {0, Long.MIN_VALUE}, {5, -2 * PAGE}}) {
      memory(START, 2 * PAGE, Protection.READ);
      protect(range[0], range[1], Protection.NONE, -Errno.ENOMEM);
      assertThat(table.mappings()).as("[%x, +%x)", range[0], range[1]).isEmpty();
    }
  }

  @Test
  void shouldKeepWhatItHasWhenTheKernelCannotBeAsked() {
    memory(START, PAGE, Protection.READ);
    unreadable = new IOException("Too many open files");
    assertThat(protect(START, 2 * PAGE, Protection.NONE, -Errno.ENOMEM)).isEqualTo(-Errno.ENOMEM);
    assertThat(table.mappings()).containsExactly(mapping(START, START + PAGE, Protection.READ));
  }

  // ---- faults ----

  private static final long CODE = START + PAGE;

  /** The table of the faults guide: on pages far from the instruction, which can be executed. */
  @Test
  void shouldGuessWhatDataWasAccessedFor() {
    for (Protection protection : Protection.values()) {
      table.clear();
      memory(CODE, PAGE, Protection.READ_EXECUTE);
      memory(START + 9 * PAGE, PAGE, protection);
      assertThat(AccessGuess.of(table, ACCERR, START + 9 * PAGE + 8, CODE + 16))
          .as("%s", protection)
          .isEqualTo(
              switch (protection) {
                case READ, EXECUTE, READ_EXECUTE -> Access.WRITE;
                // Neither reads nor writes are allowed; and the last four allow both.
                case NONE, WRITE, READ_WRITE, WRITE_EXECUTE, READ_WRITE_EXECUTE -> Access.UNKNOWN;
              });
      for (int code : new int[] {MAPERR, 0, 3, 4, 0x80}) {
        assertThat(AccessGuess.of(table, code, START + 20 * PAGE, CODE)).isEqualTo(Access.UNKNOWN);
      }
    }
  }

  @Test
  void shouldGuessFetches() {
    for (Protection protection :
        new Protection[] {
          Protection.NONE, Protection.READ, Protection.WRITE, Protection.READ_WRITE
        }) {
      table.clear();
      memory(CODE, PAGE, protection);
      assertThat(AccessGuess.of(table, ACCERR, CODE, CODE)).isEqualTo(Access.EXECUTE);
      assertThat(AccessGuess.of(table, ACCERR, CODE + 14, CODE)).isEqualTo(Access.EXECUTE);
      Access behind = protection == Protection.READ ? Access.WRITE : Access.UNKNOWN;
      assertThat(AccessGuess.of(table, ACCERR, CODE + 15, CODE)).isEqualTo(behind);
      assertThat(AccessGuess.of(table, ACCERR, CODE + 4, CODE + 5)).isEqualTo(behind);
    }
    // Nothing is there, in user space or not: by what the kernel says alone.
    for (long address :
        new long[] {START + 7 * PAGE, 0, -PAGE, 0x7fff_ffff_f000L, Long.MIN_VALUE}) {
      assertThat(AccessGuess.of(table, MAPERR, address, address)).isEqualTo(Access.EXECUTE);
      assertThat(AccessGuess.of(table, MAPERR, address + 14, address)).isEqualTo(Access.EXECUTE);
      assertThat(AccessGuess.of(table, MAPERR, address + 15, address)).isEqualTo(Access.UNKNOWN);
      assertThat(AccessGuess.of(table, MAPERR, address - 1, address)).isEqualTo(Access.UNKNOWN);
      assertThat(AccessGuess.of(table, 4, address, address)).isEqualTo(Access.UNKNOWN);
    }
  }

  /**
   * All protections of the instruction's page, of the fault's page, and places of the fault: the
   * answer is the one access that can have failed so, and UNKNOWN where there are more.
   */
  @Test
  void shouldGuessOnlyWhatIsCertain() {
    Set<Access> guessed = EnumSet.noneOf(Access.class);
    for (int code : new int[] {MAPERR, ACCERR}) {
      for (int own = -1; own < 8; own++) {
        for (int other = -1; other < 8; other++) {
          table.clear();
          mapUnlessAbsent(CODE, own);
          mapUnlessAbsent(CODE + PAGE, other);
          for (int before = 0; before < 20; before++) {
            long rip = CODE + PAGE - 1 - before;
            for (int after = 0; after < 20; after++) {
              long address = rip + after;
              int there = address < CODE + PAGE ? own : other;
              if ((code == MAPERR) != (there < 0)) {
                continue; // the kernel does not say so; what the table does not know is below
              }
              Set<Access> possible = possible(own, other, rip, address);
              Access guess = AccessGuess.of(table, code, address, rip);
              guessed.add(guess);
              if (!possible.isEmpty()) {
                assertThat(guess)
                    .as(
                        "code %d, own page %s, next %s, rip %x, address %x: %s",
                        code, name(own), name(other), rip, address, possible)
                    .isEqualTo(possible.size() == 1 ? possible.iterator().next() : Access.UNKNOWN);
              }
            }
          }
        }
      }
    }
    assertThat(guessed).containsExactly(Access.WRITE, Access.EXECUTE, Access.UNKNOWN);
  }

  private void mapUnlessAbsent(long address, int protection) {
    if (protection >= 0) {
      memory(address, PAGE, Protection.of(protection));
    }
  }

  private static String name(int protection) {
    return protection < 0 ? "absent" : Protection.of(protection).name();
  }

  /** What the processor can have wanted that failed at this address. Absent is -1. */
  private static Set<Access> possible(int own, int other, long rip, long address) {
    Set<Access> possible = EnumSet.noneOf(Access.class);
    boolean onNext = address >= CODE + PAGE;
    int there = onNext ? other : own;
    boolean readable = there > 0;
    boolean writable = there > 0 && (there & 2) != 0;
    boolean executable = there > 0 && (there & 4) != 0;
    boolean ownExecutable = own > 0 && (own & 4) != 0;
    // The image is not in the table, and can be executed.
    boolean mayRun = ownExecutable || (own < 0 && onNext);
    if (mayRun && !readable) {
      possible.add(Access.READ);
    }
    if (mayRun && !writable) {
      possible.add(Access.WRITE);
    }
    boolean near = address >= rip && address < rip + 15;
    if (near && !executable && (!onNext || mayRun)) {
      possible.add(Access.EXECUTE);
    }
    return possible;
  }

  /** The kernel speaks of a page that the table does not know, such as one of the image's. */
  @Test
  void shouldNotGuessAboutPagesItDoesNotKnow() {
    memory(CODE, PAGE, Protection.READ_EXECUTE);
    assertThat(AccessGuess.of(table, ACCERR, START + 7 * PAGE, CODE)).isEqualTo(Access.UNKNOWN);
    assertThat(AccessGuess.of(table, ACCERR, START + 7 * PAGE, START + 7 * PAGE))
        .isEqualTo(Access.UNKNOWN);
    // Or that it knows to be there.
    assertThat(AccessGuess.of(table, MAPERR, CODE, CODE + 50)).isEqualTo(Access.UNKNOWN);
  }

  /** A table that is not the kernel's is of no use, nor is its stub. */
  @Test
  void shouldDiscardTheStubWhoseCallItCannotNote() {
    memory(START, PAGE, Protection.READ);
    exhausted = true;
    assertThatThrownBy(() -> unmap(START, PAGE, -Errno.ENOMEM))
        .isInstanceOf(OutOfMemoryError.class);
    assertThat(discarded).isTrue();
  }

  /**
   * The call itself may fail by an Error as well: then nothing was called, or the stub is killed.
   */
  @Test
  void shouldLetGoOfTheTurnAfterAnError() {
    assertThatThrownBy(
            () ->
                table.inTurn(
                    () -> {
                      throw new OutOfMemoryError("a call");
                    }))
        .isInstanceOf(OutOfMemoryError.class);
    CompletableFuture<Long> next =
        CompletableFuture.supplyAsync(() -> table.inTurn(() -> 7), Thread.ofPlatform()::start);
    assertThat(next.orTimeout(20, TimeUnit.SECONDS).join()).isEqualTo(7);
  }
}
