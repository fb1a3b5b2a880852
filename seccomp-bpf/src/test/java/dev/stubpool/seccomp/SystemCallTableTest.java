package dev.stubpool.seccomp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SystemCallTableTest {

  private static final Pattern HEADER_LINE =
      Pattern.compile("#define __NR_(\\w+) (?:(\\d+)|\\(__X32_SYSCALL_BIT \\+ (\\d+)\\))");

  /** From the manual pages and the kernel's tables, not from the headers the tables are made of. */
  @ParameterizedTest
  @CsvSource({
    "X86_64, read, 0",
    "X86_64, clone3, 435",
    "X86_64, mseal, 462",
    "I386, exit, 1",
    "I386, socketcall, 102",
    "I386, futex_time64, 422",
    "X32, read, 0x40000000",
    "X32, rt_sigaction, 0x40000200",
    "X32, pwritev2, 0x40000223",
    "AARCH64, openat, 56",
    "AARCH64, newfstatat, 79",
    "AARCH64, mmap, 222",
    "ARM, mmap2, 192",
    "ARM, cacheflush, 0xf0002",
    "ARM, set_tls, 0xf0005",
    "ARM, sync_file_range2, 341",
    "ARM, arm_sync_file_range, 341",
    "RISCV64, riscv_hwprobe, 258",
    "RISCV64, riscv_flush_icache, 259",
    "RISCV32, clock_gettime64, 403",
    "LOONGARCH64, statx, 291",
    "MIPSEL, read, 4003",
    "MIPSEL64, read, 5000",
    "MIPSEL64N32, read, 6000",
    "PPC64LE, clone3, 435",
    "SH, cacheflush, 123",
  })
  void shouldKnowTheNumber(Architecture architecture, String name, String number) {
    SystemCallTable table = SystemCallTable.of(architecture);

    assertThat(table.number(name)).isEqualTo(Integer.decode(number));
    assertThat(table.names()).contains(name);
  }

  @ParameterizedTest
  @EnumSource
  void shouldLeadFromNamesToNumbersAndBack(Architecture architecture) {
    SystemCallTable table = SystemCallTable.of(architecture);

    assertThat(table.names()).hasSizeBetween(300, 500).contains("read", "exit_group", "mseal");
    for (String name : table.names()) {
      int nr = table.number(name);
      assertThat(architecture.owns(nr)).as(name).isTrue();
      assertThat(table.number(table.name(nr).orElseThrow())).as(name).isEqualTo(nr);
      assertThat(name).matches("[a-z_][a-z0-9_]*");
    }
  }

  @Test
  void shouldPreferTheUsualName() {
    assertThat(SystemCallTable.of(Architecture.ARM).name(341)).contains("arm_sync_file_range");
    assertThat(SystemCallTable.of(Architecture.X86_64).name(9999)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "39, 39",
    "-1, -1",
    "0x28, 40",
    "0xffffffff, -1",
    "4294967295, -1",
    "010, 10",
    "-2147483648, -2147483648",
    "0x40000001, 0x40000001",
  })
  void shouldTakeNumbersForNames(String text, String number) {
    assertThat(SystemCallTable.of(Architecture.X86_64).number(text))
        .isEqualTo(Integer.decode(number));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "raed",
        "READ",
        "read ",
        "-",
        "0x",
        "+1",
        "#1",
        "1.0",
        "-0x1",
        "4294967296",
        "-2147483649",
        "99999999999999999999",
        "0x10000000000000000",
        "\u0661"
      })
  void shouldRefuseWhatIsNeitherNameNorNumber(String text) {
    SystemCallTable table = SystemCallTable.of(Architecture.X86_64);

    assertThat(table.find(text)).isEmpty();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> table.number(text))
        .withMessage("x86_64 has no system call \"" + text + "\"");
  }

  /** Numbers are never given anew, so a header of any version has to agree with the tables. */
  @ParameterizedTest
  @CsvSource({"X86_64, unistd_64.h, 0", "I386, unistd_32.h, 0", "X32, unistd_x32.h, 0x40000000"})
  void shouldAgreeWithTheHeadersOfThisMachine(Architecture architecture, String header, String base)
      throws IOException {
    Path file = Path.of("/usr/include/x86_64-linux-gnu/asm", header);
    assumeTrue(Files.exists(file), () -> "no comparison with the headers: there is no " + file);
    Map<String, Integer> expected = new TreeMap<>();
    for (String line : Files.readAllLines(file)) {
      Matcher matcher = HEADER_LINE.matcher(line);
      if (matcher.matches()) {
        String number = matcher.group(2) != null ? matcher.group(2) : matcher.group(3);
        expected.put(matcher.group(1), Integer.parseInt(number) + Integer.decode(base));
      }
    }
    SystemCallTable table = SystemCallTable.of(architecture);

    assertThat(expected).hasSizeGreaterThan(300);
    expected.forEach((name, nr) -> assertThat(table.find(name)).as(name).hasValue(nr));
    // The tables have every name of an older header, and of the numbers it has no other names.
    int last = expected.values().stream().mapToInt(Integer::intValue).max().orElseThrow();
    for (String name : table.names()) {
      if (table.number(name) <= last && !expected.containsKey(name)) {
        assertThat(expected).as(name).doesNotContainValue(table.number(name));
      }
    }
  }
}
