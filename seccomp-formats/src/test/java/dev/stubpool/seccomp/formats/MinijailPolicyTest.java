package dev.stubpool.seccomp.formats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SystemCallTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MinijailPolicyTest {
  private static final LoadContext CONTEXT = LoadContext.DEFAULT.withFile("a.policy");
  private static final MinijailOptions COMPILER =
      MinijailOptions.DEFAULT.withDialect(MinijailOptions.Dialect.COMPILER);

  private static SeccompPolicy load(String text) {
    LoadedPolicy loaded = MinijailPolicy.parse(text, CONTEXT);
    assertThat(loaded.warnings()).isEmpty();
    return loaded.policy();
  }

  private static SeccompPolicy compiled(String text) {
    return MinijailPolicy.parse(text, CONTEXT, COMPILER).policy();
  }

  private static SeccompAction ask(SeccompPolicy policy, String call, long... arguments) {
    return ask(Architecture.X86_64, policy, call, arguments);
  }

  private static SeccompAction ask(
      Architecture architecture, SeccompPolicy policy, String call, long... arguments) {
    int nr = SystemCallTable.of(architecture).number(call);
    return policy.evaluate(SeccompData.of(architecture, nr, 0, arguments));
  }

  @Test
  void callsThatAreNamedAreAllowedOthersKill() {
    SeccompPolicy policy = load("# comment\n\nread: 1\nwrite: allow # another\n3: 1\n0x5: 1\r\n");
    for (String call : new String[] {"read", "write", "close", "fstat"}) {
      assertThat(ask(policy, call)).isEqualTo(SeccompAction.ALLOW);
    }
    assertThat(ask(policy, "open")).isEqualTo(SeccompAction.KILL_PROCESS);
    assertThat(policy.badArchitectureAction()).isEqualTo(SeccompAction.KILL_PROCESS);
    assertThat(
            MinijailPolicy.parse(
                    "read: 1",
                    CONTEXT,
                    MinijailOptions.DEFAULT.withKillAction(SeccompAction.KILL_THREAD))
                .policy()
                .defaultAction())
        .isEqualTo(SeccompAction.KILL_THREAD);
  }

  @ParameterizedTest
  @CsvSource({
    "==,5,5,4 0x100000005",
    "!=,5,4 0x100000005,5",
    "<,5,0 4,5 0x100000000",
    "<=,5,5,6 0x100000000",
    ">,5,6 0x100000000,5",
    ">=,5,5 0x100000000,4",
    "&,6,2 4 7 15,0 1 8 0x100000001",
    "in,6,0 2 6,1 8 0x100000002",
    "==,-1,0xffffffffffffffff,0xffffffff",
    "==,010,8,10",
    "==,0xFF,255,0",
    "==,O_WRONLY|O_CREAT,65,1",
    "==,~0,0xffffffffffffffff,0",
    "in,~PROT_EXEC,3 0x100000000,4 5",
    "==,~(1|2)|1,0xfffffffffffffffd,0",
    "==,(((7))),7,0",
    "==,18446744073709551615,0xffffffffffffffff,0",
    "==,-9223372036854775808,0x8000000000000000,0",
    "==,TCGETS,0x5401,0"
  })
  void operatorsAndValues(String operator, String value, String matching, String other) {
    SeccompPolicy policy = load("read: arg1 " + operator + " " + value);
    for (String argument : matching.split(" ", -1)) {
      assertThat(ask(policy, "read", 9, number(argument)))
          .as(argument)
          .isEqualTo(SeccompAction.ALLOW);
    }
    for (String argument : other.split(" ", -1)) {
      assertThat(ask(policy, "read", 9, number(argument)))
          .as(argument)
          .isEqualTo(SeccompAction.KILL_PROCESS);
    }
  }

  private static long number(String text) {
    return text.startsWith("0x")
        ? Long.parseUnsignedLong(text.substring(2), 16)
        : Long.parseLong(text);
  }

  @Test
  void andBindsTighterThanOr() {
    SeccompPolicy policy = load("ioctl: arg1 == 0x1 || arg1 == 2 && \\\n  arg0 in 0xff");
    assertThat(ask(policy, "ioctl", 0x100, 1)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(policy, "ioctl", 0x10, 2)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(policy, "ioctl", 0x100, 2)).isEqualTo(SeccompAction.KILL_PROCESS);
  }

  @Test
  void returnRefusesWithAnErrno() {
    SeccompPolicy policy = load("read: return EBADF\nwrite: return 5");
    assertThat(ask(policy, "read")).isEqualTo(SeccompAction.errno(9));
    assertThat(ask(policy, "write")).isEqualTo(SeccompAction.errno(5));
  }

  @Test
  void aConditionWithReturnMeansDifferentThingsToMinijailsParsers() {
    String text = "read: arg0 == 0; return EBADF";
    LoadedPolicy loaded = MinijailPolicy.parse(text, CONTEXT);
    assertThat(ask(loaded.policy(), "read", 0)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(loaded.policy(), "read", 1)).isEqualTo(SeccompAction.errno(9));
    assertThat(loaded.warnings())
        .singleElement()
        .asString()
        .startsWith("a.policy:1:16: warning: what matches is allowed, the rest refused");
    assertThat(ask(compiled(text), "read", 0)).isEqualTo(SeccompAction.errno(9));
    assertThat(ask(compiled(text), "read", 1)).isEqualTo(SeccompAction.KILL_PROCESS);
  }

  @Test
  void filtersInBracesAreTriedInOrder() {
    SeccompPolicy policy =
        load("clone: { arg0 == 1; log, arg0 < 5; return EPERM, arg0 == 9, trap }");
    assertThat(ask(policy, "clone", 1)).isEqualTo(SeccompAction.LOG);
    assertThat(ask(policy, "clone", 2)).isEqualTo(SeccompAction.errno(1));
    assertThat(ask(policy, "clone", 9)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(policy, "clone", 7)).isEqualTo(SeccompAction.TRAP);
  }

  @ParameterizedTest
  @CsvSource({
    "kill-process,KILL_PROCESS",
    "kill-thread,KILL_THREAD",
    "trap,TRAP(0)",
    "trace,TRACE(0)",
    "log,LOG",
    "user-notify,USER_NOTIF",
    "kill,KILL_PROCESS"
  })
  void everyAction(String text, String expected) {
    assertThat(ask(load("kill: " + text), "kill")).hasToString(expected);
  }

  @Test
  void severalCallsShareALine() {
    SeccompPolicy policy = load("{read, write[arch=arm64,x86_64], close[arch=arm]}: arg0 == 1");
    assertThat(ask(policy, "read", 1)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(policy, "write", 1)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(policy, "close", 1)).isEqualTo(SeccompAction.KILL_PROCESS);
  }

  @Test
  void aCallOfAnotherArchitectureNeedNotBeKnownHere() {
    String text = "mmap2[arch=arm,x86]: 1\nread: 1";
    load(text);
    SeccompPolicy arm =
        MinijailPolicy.parse(text, CONTEXT.withArchitecture(Architecture.ARM)).policy();
    assertThat(ask(Architecture.ARM, arm, "mmap2")).isEqualTo(SeccompAction.ALLOW);
  }

  @Test
  void on32BitArchitecturesValuesHave32Bits() {
    LoadContext context = CONTEXT.withArchitecture(Architecture.I386);
    SeccompPolicy policy = MinijailPolicy.parse("read: arg0 == -1 || arg0 == ~1", context).policy();
    assertThat(ask(Architecture.I386, policy, "read", 0xffff_ffffL)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(Architecture.I386, policy, "read", 0xffff_fffeL)).isEqualTo(SeccompAction.ALLOW);
    assertThatThrownBy(() -> MinijailPolicy.parse("read: arg0 == 0x100000000", context))
        .hasMessage("a.policy:1:15: expected a number of 32 bits, found 0x100000000");
  }

  @ParameterizedTest
  @CsvSource({
    "X86_64,O_DIRECT,0x4000",
    "AARCH64,O_DIRECT,0x10000",
    "ARM,O_DIRECTORY,0x4000",
    "RISCV64,O_DIRECTORY,0x10000",
    "I386,FS_IOC_GETFLAGS,0x80046601",
    "X86_64,FS_IOC_GETFLAGS,0x80086601",
    "X86_64,MAP_32BIT,0x40",
    "LOONGARCH64,AF_UNIX,1"
  })
  void constantsDependOnTheArchitecture(Architecture architecture, String name, String value) {
    assertThat(Constants.find(architecture, name)).hasValue(number(value));
  }

  @Test
  void constantsThatAnArchitectureLacksAreNone() {
    assertThat(Constants.find(Architecture.AARCH64, "MAP_32BIT")).isEmpty();
    assertThat(Constants.find(Architecture.ARM, "FS_IOC_GETFLAGS")).isEmpty();
    assertThat(Constants.find(Architecture.MIPSEL, "O_CREAT")).isEmpty();
  }

  @Test
  void theDefaultActionCanBeSet() {
    assertThat(load("@default trap\nread: 1").defaultAction()).isEqualTo(SeccompAction.TRAP);
    assertThat(load("@default kill-thread\nread: 1").defaultAction())
        .isEqualTo(SeccompAction.KILL_THREAD);
    assertThat(load("@default user-notify\nread: 1").defaultAction())
        .isEqualTo(SeccompAction.USER_NOTIF);
  }

  @Test
  void aDenyListAllowsWhatItDoesNotName() {
    SeccompPolicy policy = load("read: return EPERM\n@denylist\nwrite: arg0 == 2; return EBADF");
    assertThat(ask(policy, "read")).isEqualTo(SeccompAction.errno(1));
    assertThat(ask(policy, "write", 2)).isEqualTo(SeccompAction.errno(9));
    assertThat(ask(policy, "write", 1)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(policy, "close")).isEqualTo(SeccompAction.ALLOW);
  }

  @Test
  void theCompilersLinesForOneCallAddUp() {
    SeccompPolicy policy =
        compiled("read: arg0 == 1; return EPERM\nread: arg0 == 2; return ENOSYS\nread: allow");
    assertThat(ask(policy, "read", 1)).isEqualTo(SeccompAction.errno(1));
    assertThat(ask(policy, "read", 2)).isEqualTo(SeccompAction.errno(38));
    assertThat(ask(policy, "read", 3)).isEqualTo(SeccompAction.ALLOW);
  }

  @Test
  void frequenciesAreReported() {
    assertThat(MinijailPolicy.parse("@frequency ./x.frequency\nread: 1", CONTEXT).warnings())
        .singleElement()
        .hasToString("a.policy:1:1: warning: @frequency has no effect on the policy");
  }

  private static MinijailOptions including(Map<String, String> texts) {
    return MinijailOptions.DEFAULT.withIncludes(
        (_, path) -> {
          if (!texts.containsKey(path)) {
            throw new IOException("no such text");
          }
          return texts.get(path);
        });
  }

  @Test
  void textsAreIncluded() {
    SeccompPolicy policy =
        MinijailPolicy.parse(
                "@include ./b\nread: 1",
                CONTEXT,
                including(Map.of("./b", "write: 1\n@include /c", "/c", "close: 1")))
            .policy();
    for (String call : new String[] {"read", "write", "close"}) {
      assertThat(ask(policy, call)).isEqualTo(SeccompAction.ALLOW);
    }
    assertThatThrownBy(
            () ->
                MinijailPolicy.parse(
                    "@include ./b", CONTEXT, including(Map.of("./b", "\n reed: 1"))))
        .hasMessage("./b:2:2: x86_64 has no system call \"reed\"");
    assertThatThrownBy(() -> MinijailPolicy.parse("\n@include ./b", CONTEXT, including(Map.of())))
        .hasMessage("a.policy:2:10: cannot include ./b: no such text");
    assertThatThrownBy(() -> MinijailPolicy.parse("@include ./b", CONTEXT))
        .hasMessage("a.policy:1:10: cannot include ./b: nothing may be included: ./b");
    assertThatThrownBy(
            () ->
                MinijailPolicy.parse(
                    "@include ./b", CONTEXT, including(Map.of("./b", "@include ./b"))))
        .hasMessage("./b:1:10: texts are included more than 10 deep");
    assertThatThrownBy(
            () ->
                MinijailPolicy.parse(
                    "@include ./b",
                    CONTEXT,
                    including(
                        Map.of(
                            "./b",
                            "@include ./c\n".repeat(20),
                            "./c",
                            "@include ./d\n".repeat(20),
                            "./d",
                            ""))))
        .hasMessageContaining("more than 256 texts are included");
  }

  @Test
  void filesAreIncludedFromWhereTheTextIs(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("b.policy"), "write: 1");
    MinijailOptions options = MinijailOptions.DEFAULT.withIncludes(MinijailOptions.Includes.FILES);
    LoadContext context = CONTEXT.withFile(folder.resolve("a.policy").toString());
    assertThat(ask(MinijailPolicy.parse("@include ./b.policy", context, options).policy(), "write"))
        .isEqualTo(SeccompAction.ALLOW);
    assertThatThrownBy(() -> MinijailPolicy.parse("@include ./\0", context, options))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("cannot include");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "`reed: 1`;1:1: x86_64 has no system call \"reed\"",
        "`read 1`;1:6: expected :, found \"1\"",
        "`read:`;1:6: expected 1, allow, return",
        "`read: 2`;1:7: expected 1, allow, return",
        "`read: 1 1`;1:9: expected nothing more in this line, found \"1\"",
        "`read: arg6 == 1`;1:7: expected arg0 to arg5, found \"arg6\"",
        "`read: arg0 = 1`;1:12: expected ==, !=",
        "`read: arg0 ==`;1:14: expected a value, found the end of the line",
        "`read: arg0 == FOO`;1:15: no constant \"FOO\" of x86_64 is known",
        "`read: arg0 == 09`;1:15: expected a number of 64 bits, found 09",
        "`read: arg0 == 0x`;1:15: expected a number of 64 bits, found 0x",
        "`read: arg0 == 18446744073709551616`;1:15: expected a number of 64 bits",
        "`read: arg0 == -9223372036854775809`;1:15: expected a number of 64 bits",
        "`read: arg0 == ~~1`;1:16: expected a value, found \"~\"",
        "`read: arg0 == (1`;1:17: expected ), found the end of the line",
        "`read: arg0 == 1 &&`;1:19: expected arg0 to arg5, found the end of the line",
        "`read: arg0 == 1; allow`;1:18: expected return; other answers",
        "`read: return 4096`;1:14: an errno is 0 to 4095, not 4096",
        "`read: return`;1:13: expected a value, found the end of the line",
        "`{read, write: 1`;1:13: expected }, found \":\"",
        "`read[arch=arm: 1`;1:14: expected ], found \":\"",
        "`read[arch=arm;arch=x86]: 1`;1:15: \"arch\" is a duplicate",
        "`read: { allow`;1:14: expected }, found the end of the line",
        "`read: { allow, trap }`;1:16: this never applies to read",
        "`{read, read}: 1`;1:8: read is a duplicate",
        "`@default allow`;1:10: expected kill, kill-process",
        "`@default`;1:9: expected an action, found the end of the line",
        "`@include b`;1:10: expected a path that begins with / or ./, found \"b\"",
        "`@foo`;1:1: expected @default, @denylist, @include or @frequency, found @foo",
        "`read: 1 $`;1:9: expected a word, a number or an operator, found $",
        "`group@name: 1`;1:1: x86_64 has no system call \"group@name\"",
      })
  void errorsNameFileLineAndColumn(String text, String message) {
    assertThatThrownBy(() -> MinijailPolicy.parse(text, CONTEXT))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith("a.policy:" + message);
  }

  @Test
  void errorsInLaterLinesHaveTheirNumbers() {
    assertThatThrownBy(() -> load("read: 1\n\nread: 1"))
        .hasMessage("a.policy:3:1: read is a duplicate, the first is a.policy:1:1");
    assertThatThrownBy(() -> load("read: \\\n  arg0 == \\\n    FOO"))
        .hasMessage("a.policy:3:5: no constant \"FOO\" of x86_64 is known");
    assertThatThrownBy(() -> load("@denylist\nread: 1"))
        .hasMessageStartingWith("a.policy:2:7: expected return: this is a deny list");
    assertThatThrownBy(() -> load("@denylist\nread: arg0 == 1"))
        .hasMessage("a.policy:2:7: in a deny list every line has a return");
    assertThatThrownBy(() -> load("# x \\\nread: 1"))
        .hasMessageStartingWith("a.policy:1:1: a comment cannot be continued");
    assertThatThrownBy(() -> load("read: arg0 == " + "(".repeat(1000)))
        .hasMessage("a.policy:1:79: more than 64 parentheses in each other");
  }
}
