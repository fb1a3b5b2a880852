package dev.stubpool;

import static dev.stubpool.GuestCode.DATA;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every kind of fault: what the kernel says of it, what the CPU says, and nothing is changed. */
class GuestFaultIT {
  private static final int PAGE = AddressSpace.PAGE_SIZE;

  private static GuestCode code;

  @BeforeAll
  static void open() {
    code = new GuestCode();
  }

  @AfterAll
  static void close() {
    code.close();
  }

  @AfterEach
  void check() {
    code.checkStub();
  }

  /** 201000: file, copied on write; 202000: guard; 203000, 204000: a file of one page. */
  private static void runBesidePages(String hex, GuestProgram<Void, RuntimeException> program) {
    try (MemoryFile file = code.pool.memoryFile(PAGE)) {
      StubMemory memory = code.stub.memory();
      memory.map(DATA + PAGE, file, 0, PAGE, Protection.READ, Sharing.PRIVATE);
      memory.mapAnonymous(DATA + 2 * PAGE, PAGE, Protection.NONE);
      memory.map(DATA + 3 * PAGE, file, 0, 2 * PAGE, Protection.READ_WRITE, Sharing.SHARED);
      code.run(hex, program);
    }
  }

  /** Without asking the CPU, and UNKNOWN only where more than one access fits. */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          copy on write          | a2 0010200000000000     | WRITE
          write to the code      | fe0425 00001000         | WRITE
          no execution           | 8807 ffe7               | EXECUTE
          fetch of nothing       | 6800002100 c3           | EXECUTE
          read of nothing        | a0 0000210000000000     | UNKNOWN
          write to nothing       | a2 0000210000000000     | UNKNOWN
          guard, write           | a2 ff2f200000000000     | UNKNOWN
          behind a file, read    | a0 0040200000000000     | UNKNOWN
          not canonical          | a0 0000000000008000     | UNKNOWN
          """)
  void shouldGuessWhatTheMappingsTell(String name, String hex, Access access) {
    runBesidePages(
        hex,
        guest -> {
          guest.registers().rip(GuestCode.CODE);
          assertThat(((Trap.Fault) guest.resume()).access()).isEqualTo(access);
          return null;
        });
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          read                    | a0 0000210000000000        | SEGV 1 0x210000   | 14 4 0x210000 | +0
          write                   | a2 0000210000000000        | SEGV 1 0x210000   | 14 6 0x210000 | +0
          fetch                   | 6800002100 c3              | SEGV 1 0x210000   | 14 14 0x210000 | 0x210000
          no execution            | 8807 ffe7                  | SEGV 2 0x200000   | 14 15 0x200000 | 0x200000
          execution into data     | 8807 48ffc7 ffe7           | SEGV 2 0x200001   | 14 15 0x200001 | 0x200001
          write to the untouched  | a2 0010200000000000        | SEGV 2 0x201000   | 14 6 0x201000 | +0
          copy on write           | a0 0010200000000000 a2 0010200000000000 | SEGV 2 0x201000 | 14 7 0x201000 | +9
          read and write at once  | 488db700100000 8a06 f0ff06 | SEGV 2 0x201000   | 14 7 0x201000 | +9
          write to the code       | fe0425 00001000            | SEGV 2 +0         | 14 7 0x100000 | +0
          guard, read             | a0 0120200000000000        | SEGV 2 0x202001   | 14 4 0x202001 | +0
          guard, write            | a2 ff2f200000000000        | SEGV 2 0x202fff   | 14 6 0x202fff | +0
          guard, fetch            | 6800202000 c3              | SEGV 2 0x202000   | 14 14 0x202000 | 0x202000
          over a page's end       | 488b87fc0f0000 488987fc0f0000 | SEGV 2 0x201000 | 14 7 0x201000 | +7
          behind a file, read     | a0 0040200000000000        | BUS 2 0x204000    | 14 4 0x204000 | +0
          behind a file, write    | a2 0840200000000000        | BUS 2 0x204008    | 14 6 0x204008 | +0
          before the file's end   | a0 ff3f200000000000 a0 0040200000000000 | BUS 2 0x204000 | 14 4 0x204000 | +9
          not canonical, read     | a0 0000000000008000        | SEGV 128 -        | 13 0 - | +0
          not canonical, write    | a2 0000000000008000        | SEGV 128 -        | 13 0 - | +0
          not canonical, jump     | 48b80000000000008000 ffe0  | SEGV 128 -        | 13 0 - | +10 or 0x80000000000000
          not canonical, stack    | 48bc0000000000008000 58    | BUS 128 -         | 12 0 - | +10
          kernel half, read       | a0 00000000008000ff        | SEGV 128 -        | 13 0 - | +0
          kernel half, low        | a0 000000000080ffff        | SEGV 1 0xffff800000000000 | 14 5 0xffff800000000000 | +0
          kernel half, read top   | a0 f8ffffffffffffff        | SEGV 1 0xfffffffffffffff8 | 14 5 0xfffffffffffffff8 | +0
          kernel half, write      | a2 00000081ffffffff        | SEGV 1 0xffffffff81000000 | 14 7 0xffffffff81000000 | +0
          kernel half, fetch      | 48c7c000000081 ffe0        | SEGV 1 0xffffffff81000000 | 14 15 0xffffffff81000000 | 0xffffffff81000000
          over user space's end   | 48a1 fcefffffff7f0000 90   | SEGV 1 0x7fffffffeffc | 14 4 0x7fffffffeffc | +0
          movaps, misaligned      | 0f284701                   | SEGV 128 -        | 13 0 - | +0
          cmpxchg16b, misaligned  | 480fc74f08                 | SEGV 128 -        | 13 0 - | +0
          misaligned with AC      | 9c 810c2400000400 9d 8b4701 | BUS 1 0x0        | 17 0 - | +9
          privileged              | f4                         | SEGV 128 -        | 13 0 - | +0
          selector                | b810000000 8ed8            | SEGV 128 -        | 13 10 - | +5
          interrupt gate          | cd20                       | SEGV 128 -        | 13 102 - | +0
          undefined               | 0f0b                       | ILL 2 +0          | 6 0 - | +0
          division                | f7f1                       | FPE 1 +0          | 0 0 - | +0
          overflowing division    | b900000080 89c8 99 83c9ff f7f9 | FPE 1 +11     | 0 0 - | +11
          SSE exception           | c70700000000 0fae17 0f5ec0 | FPE 7 +9          | 19 0 - | +9
          x87 exception           | 66c7070003 d92f d9e8 d9ee def9 9b | FPE 3 +13 or FPE 3 +11 | 16 0 - | +13
          """)
  void shouldTellWhatTheCpuTells(
      String name, String hex, String signal, String details, String rip) {
    runBesidePages(
        hex,
        guest -> {
          guest.registers().rip(GuestCode.CODE);
          Trap.Fault fault = (Trap.Fault) guest.resume();
          assertThat(GuestCode.words(fault)).isIn((Object[]) signal.split(" or ", -1));
          assertThat(GuestCode.words(guest, fault)).isIn(withRip(fault, rip));
          Access guess = fault.access();
          FaultDetails seen = code.checkFault(guest, fault);
          String[] trap = details.split(" ", -1);
          assertThat(seen.trap()).isEqualTo(Integer.parseInt(trap[0]));
          assertThat(Long.toHexString(seen.error())).isEqualTo(trap[1]);
          if (!trap[2].equals("-")) {
            assertThat("0x" + Long.toHexString(seen.address())).isEqualTo(trap[2]);
          }
          assertThat(guess).isIn(seen.access(), Access.UNKNOWN);
          return null;
        });
  }

  private static Object[] withRip(Trap.Fault fault, String places) {
    String[] all = places.split(" or ", -1);
    Object[] words = new Object[all.length];
    for (int i = 0; i < all.length; i++) {
      words[i] = GuestCode.words(fault) + " " + all[i];
    }
    return words;
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "read, 8a07, SEGV 4 0x200000 +0, 25",
    "write, 8807, SEGV 4 0x200000 +0, 27",
    "fetch, ffe7, BREAK 0 128 0x200001, ''",
  })
  void shouldTellOfPagesThatCanOnlyBeExecuted(String name, String hex, String words, String error) {
    Assumptions.assumeTrue(GuestCode.has("ospke"));
    code.run(
        hex,
        guest -> {
          guest.memory().write(DATA, new byte[] {(byte) 0xcc});
          guest.memory().protect(DATA, PAGE, Protection.EXECUTE);
          Trap trap = guest.resume();
          assertThat(GuestCode.words(guest, trap)).isEqualTo(words);
          if (trap instanceof Trap.Fault fault) {
            assertThat(Long.toHexString(code.checkFault(guest, fault).error())).isEqualTo(error);
          }
          return null;
        });
  }
}
