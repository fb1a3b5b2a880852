package dev.stubpool;

import static dev.stubpool.GuestCode.DATA;
import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.GuestCode.Natively;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every kind of fault: what the kernel says of it, what the CPU says, and nothing is changed. */
class GuestFaultIT {
  private static final int PAGE = AddressSpace.PAGE_SIZE;

  /** In a table of faults: whatever an ordinary process shows. */
  private static final String CPU = "CPU";

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

  /**
   * What is the CPU's choice:
   *
   * <ul>
   *   <li>2^55: canonical with five levels of page tables (Intel SDM volume 3, LA57; AMD APM volume
   *       2, 5-Level Paging); and so is 0xff00800000000000.
   *   <li>kernel half: #PF, or #GP with linear address-space separation (Intel SDM volume 3, LASS).
   *   <li>over user space's end: which half of the access faults first.
   *   <li>x87 exception: which instruction the kernel is told of, the one that waits or the one
   *       that the exception is of.
   * </ul>
   */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          read                    | a0 0000210000000000        | SEGV 1 0x210000 +0 | 14 4 0x210000
          write                   | a2 0000210000000000        | SEGV 1 0x210000 +0 | 14 6 0x210000
          fetch                   | 6800002100 c3              | SEGV 1 0x210000 0x210000 | 14 14 0x210000
          no execution            | 8807 ffe7                  | SEGV 2 0x200000 0x200000 | 14 15 0x200000
          execution into data     | 8807 48ffc7 ffe7           | SEGV 2 0x200001 0x200001 | 14 15 0x200001
          write to the untouched  | a2 0010200000000000        | SEGV 2 0x201000 +0 | 14 6 0x201000
          copy on write           | a0 0010200000000000 a2 0010200000000000 | SEGV 2 0x201000 +9 | 14 7 0x201000
          read and write at once  | 488db700100000 8a06 f0ff06 | SEGV 2 0x201000 +9 | 14 7 0x201000
          write to the code       | fe0425 00001000            | SEGV 2 +0 +0      | 14 7 0x100000
          guard, read             | a0 0120200000000000        | SEGV 2 0x202001 +0 | 14 4 0x202001
          guard, write            | a2 ff2f200000000000        | SEGV 2 0x202fff +0 | 14 6 0x202fff
          guard, fetch            | 6800202000 c3              | SEGV 2 0x202000 0x202000 | 14 14 0x202000
          over a page's end       | 488b87fc0f0000 488987fc0f0000 | SEGV 2 0x201000 +7 | 14 7 0x201000
          behind a file, read     | a0 0040200000000000        | BUS 2 0x204000 +0 | 14 4 0x204000
          behind a file, write    | a2 0840200000000000        | BUS 2 0x204008 +0 | 14 6 0x204008
          before the file's end   | a0 ff3f200000000000 a0 0040200000000000 | BUS 2 0x204000 +9 | 14 4 0x204000
          2^55, read              | a0 0000000000008000        | CPU               |
          2^55, write             | a2 0000000000008000        | CPU               |
          2^55, jump              | 48b80000000000008000 ffe0  | CPU               |
          2^55, stack             | 48bc0000000000008000 58    | CPU               |
          0xff00800000000000, read | a0 00000000008000ff        | CPU               |
          not canonical, read     | a0 0000000000000080        | SEGV 128 - +0     | 13 0 -
          not canonical, write    | a2 0000000000000080        | SEGV 128 - +0     | 13 0 -
          not canonical, stack    | 48bc0000000000000080 58    | BUS 128 - +10     | 12 0 -
          kernel half, low        | a0 000000000080ffff        | CPU               |
          kernel half, read top   | a0 f8ffffffffffffff        | CPU               |
          kernel half, write      | a2 00000081ffffffff        | CPU               |
          kernel half, fetch      | 48c7c000000081 ffe0        | CPU               |
          over user space's end   | 48a1 fcefffffff7f0000 90   | CPU               |
          movaps, misaligned      | 0f284701                   | SEGV 128 - +0     | 13 0 -
          cmpxchg16b, misaligned  | 480fc74f08                 | SEGV 128 - +0     | 13 0 -
          misaligned with AC      | 9c 810c2400000400 9d 8b4701 | BUS 1 0x0 +9      | 17 0 -
          privileged              | f4                         | SEGV 128 - +0     | 13 0 -
          selector                | b810000000 8ed8            | SEGV 128 - +5     | 13 10 -
          interrupt gate          | cd20                       | SEGV 128 - +0     | 13 102 -
          undefined               | 0f0b                       | ILL 2 +0 +0       | 6 0 -
          division                | f7f1                       | FPE 1 +0 +0       | 0 0 -
          overflowing division    | b900000080 89c8 99 83c9ff f7f9 | FPE 1 +11 +11     | 0 0 -
          SSE exception           | c70700000000 0fae17 0f5ec0 | FPE 7 +9 +9       | 19 0 -
          x87 exception           | 66c7070003 d92f d9e8 d9ee def9 9b | CPU               |
          """)
  void shouldTellWhatTheCpuTells(String name, String hex, String words, String details) {
    Natively natively = GuestCode.natively(hex, "pages").getFirst();
    if (!words.equals(CPU)) {
      assertThat(natively.words()).as("in an ordinary process").isEqualTo(words);
      String[] trap = details.split(" ", -1);
      assertThat(natively.details())
          .isEqualTo(
              new FaultDetails(
                  Integer.parseInt(trap[0]),
                  Long.parseLong(trap[1], 16),
                  trap[2].equals("-")
                      ? 0
                      : Long.parseUnsignedLong(trap[2], 2, trap[2].length(), 16)));
    }
    runBesidePages(
        hex,
        guest -> {
          Trap.Fault fault = (Trap.Fault) guest.resume();
          Access guess = fault.access();
          natively.check(code, guest, fault);
          assertThat(guess).isIn(natively.details().access(), Access.UNKNOWN);
          return null;
        });
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
