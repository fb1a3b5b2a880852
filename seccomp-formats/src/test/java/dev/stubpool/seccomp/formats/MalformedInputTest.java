package dev.stubpool.seccomp.formats;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.testing.Effort;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** Whatever a text is, it ends in a policy or in an error that says where. */
final class MalformedInputTest {
  private static final String OCI =
      """
      {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,
        "archMap": [
          {"architecture": "SCMP_ARCH_X86_64",
           "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]}
        ],
        "flags": ["SECCOMP_FILTER_FLAG_LOG"],
        "listenerPath": "/run/x",
        "syscalls": [
          {"names": ["read", "write", "socket", "0x10", "no_such_call"],
           "action": "SCMP_ACT_ALLOW",
           "args": [
             {"index": 0, "value": 4294967295, "valueTwo": 7, "op": "SCMP_CMP_MASKED_EQ"},
             {"index": 1, "value": 0, "op": "SCMP_CMP_LT"}]},
          {"name": "clone", "action": "SCMP_ACT_TRACE", "errnoRet": 38, "comment": "x",
           "args": null,
           "includes": {"caps": ["CAP_SYS_ADMIN"], "arches": ["amd64"], "minKernel": "4.8"},
           "excludes": {"caps": ["CAP_BPF"]}}
        ]
      }
      """;

  private static final String MINIJAIL =
      """
      # a policy
      @default trap
      @frequency ./a.frequency
      read: 1
      {write, close[arch=x86_64,arm; other=x]}: arg0 == 1 || arg1 in ~(O_RDONLY|0x10) && arg2 & 07
      ioctl: arg1 != -1; return ENOSYS
      mmap: { arg2 >= 4; log, arg3 < 18446744073709551615, \\
        return 5 }
      kill[arch=riscv64]: user-notify
      @include ./b.policy
      """;

  private static final List<String> PIECES =
      List.of(
          "{",
          "}",
          "[",
          "]",
          "(",
          ")",
          ":",
          ",",
          ";",
          "|",
          "||",
          "&",
          "&&",
          "~",
          "\"",
          "\\",
          "\n",
          "\0",
          "\u00e9",
          "\ud83d",
          "-",
          "0",
          "1",
          "-1",
          "07",
          "0x",
          "1e999",
          "1.5",
          "99999999999999999999",
          "18446744073709551616",
          "4294967296",
          "null",
          "true",
          "NaN",
          "\"names\"",
          "\"args\"",
          "\"index\"",
          "\"defaultAction\"",
          "\"syscalls\"",
          "arg0",
          "arg9",
          "in",
          "return",
          "allow",
          "@include ./b.policy",
          "@default",
          "@denylist",
          "read",
          "{}",
          "[]",
          "SCMP_ACT_ALLOW",
          "\"SCMP_ACT_KILL\"",
          " ",
          "\t",
          "\r\n",
          "#",
          "/",
          "./");

  private static String random(RandomGenerator random, String valid) {
    StringBuilder text = new StringBuilder();
    switch (random.nextInt(8)) {
      case 0 -> {
        for (int i = random.nextInt(60); i > 0; i--) {
          text.append((char) random.nextInt(0x100));
        }
      }
      case 1 -> {
        for (int i = random.nextInt(30); i > 0; i--) {
          text.append((char) random.nextInt(0x10000));
        }
      }
      case 2 -> {
        for (int i = random.nextInt(40); i > 0; i--) {
          text.append(Effort.oneOf(random, PIECES));
        }
      }
      case 3 -> text.append(Effort.oneOf(random, PIECES).repeat(random.nextInt(1, 300)));
      default -> {
        text.append(valid);
        for (int i = random.nextInt(1, 4); i > 0; i--) {
          mutate(random, text);
        }
      }
    }
    return text.toString();
  }

  private static void mutate(RandomGenerator random, StringBuilder text) {
    int begin = random.nextInt(text.length() + 1);
    int end = Math.min(text.length(), begin + random.nextInt(20));
    switch (random.nextInt(6)) {
      case 0 -> text.delete(begin, end);
      case 1 -> text.insert(begin, Effort.oneOf(random, PIECES));
      case 2 -> text.replace(begin, end, Effort.oneOf(random, PIECES));
      case 3 -> text.insert(begin, text.substring(begin, end));
      case 4 -> text.insert(begin, (char) random.nextInt(0x100));
      default -> text.setLength(begin);
    }
  }

  private static void check(int cases, String valid, Function<String, LoadedPolicy> parser) {
    assertThat(parser.apply(valid).policy().rules()).isNotEmpty();
    int[] ends = new int[2];
    List<String> slow = new ArrayList<>();
    Effort.forEachSeed(
        cases,
        seed -> {
          String text = random(Effort.random(seed), valid);
          long begin = System.nanoTime();
          try {
            assertThat(parser.apply(text).policy().rules()).isNotEmpty();
            ends[0]++;
          } catch (FormatException e) {
            // The file is the policy, or what some line of it includes.
            assertThat(e.getMessage()).as(text).matches("(?s).+?:\\d+:\\d+: .+");
            assertThat(e.getMessage().length()).as(e.getMessage()).isLessThan(1000);
            ends[1]++;
          }
          if (System.nanoTime() - begin > 5_000_000_000L) {
            slow.add(text);
          }
        });
    System.out.printf("[malformed] %d policies, %d errors%n", ends[0], ends[1]);
    assertThat(slow).isEmpty();
    assertThat(ends[0]).isPositive();
    assertThat(ends[1]).isPositive();
  }

  @Test
  void ociProfiles() {
    check(Effort.cases(4_000, 500_000), OCI, text -> OciProfile.parse(text, LoadContext.DEFAULT));
  }

  @Test
  void minijailPolicies() {
    MinijailOptions options =
        MinijailOptions.DEFAULT.withIncludes((_, _) -> "fstat: 1\n@frequency ./c");
    check(
        Effort.cases(4_000, 250_000),
        MINIJAIL,
        text -> MinijailPolicy.parse(text, LoadContext.DEFAULT, options));
    MinijailOptions compiler = options.withDialect(MinijailOptions.Dialect.COMPILER);
    check(
        Effort.cases(4_000, 250_000),
        MINIJAIL,
        text -> MinijailPolicy.parse(text, LoadContext.DEFAULT, compiler));
  }

  @Test
  void longTextsEndInTime() {
    String deep = "[".repeat(1 << 20);
    String entries = "{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\"},".repeat(1 << 16);
    String manyCalls = "\"read\",".repeat(1 << 18);
    for (String text :
        List.of(
            deep,
            "{\"syscalls\":" + deep,
            "{\"defaultAction\":\"SCMP_ACT_LOG\",\"syscalls\":[" + entries,
            "{\"defaultAction\":\"SCMP_ACT_LOG\",\"syscalls\":[{\"names\":[" + manyCalls,
            "\"" + "x".repeat(1 << 20),
            "9".repeat(1 << 20))) {
      assertThat(fails(() -> OciProfile.parse(text, LoadContext.DEFAULT))).isTrue();
    }
    for (String text :
        List.of(
            "read: arg0 == " + "(".repeat(1 << 20),
            "read: arg0 == " + "~".repeat(1 << 20),
            "read: arg0 == 1" + " || arg0 == 1".repeat(1 << 16) + " ||",
            "read: arg0 == 1" + "|1".repeat(1 << 16) + "|",
            "\\\n".repeat(1 << 18) + "x",
            "x".repeat(1 << 20))) {
      assertThat(fails(() -> MinijailPolicy.parse(text, LoadContext.DEFAULT))).isTrue();
    }
  }

  private static boolean fails(Runnable parser) {
    try {
      parser.run();
      return false;
    } catch (FormatException e) {
      return true;
    }
  }
}
