package dev.stubpool.seccomp.formats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SystemCallTable;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class OciProfileTest {
  private static final SeccompAction EPERM = SeccompAction.errno(1);

  private static LoadedPolicy load(String text) {
    return load(text, LoadContext.DEFAULT);
  }

  private static LoadedPolicy load(String text, LoadContext context) {
    return OciProfile.parse(text.replace('\'', '"'), context.withFile("p.json"));
  }

  /** A profile that refuses everything but what entries say. */
  private static LoadedPolicy entries(String entries) {
    return load("{'defaultAction': 'SCMP_ACT_ERRNO', 'syscalls': [" + entries + "]}");
  }

  private static SeccompAction ask(SeccompPolicy policy, String call, long... arguments) {
    return ask(policy, Architecture.X86_64, call, arguments);
  }

  private static SeccompAction ask(
      SeccompPolicy policy, Architecture architecture, String call, long... arguments) {
    int nr = SystemCallTable.of(architecture).number(call);
    return policy.evaluate(SeccompData.of(architecture, nr, 0, arguments));
  }

  @Test
  void defaultActionsOfErrnoAndTraceHaveEperm() {
    assertThat(load("{'defaultAction': 'SCMP_ACT_ERRNO'}").policy().defaultAction())
        .isEqualTo(EPERM);
    assertThat(load("{'defaultAction': 'SCMP_ACT_TRACE'}").policy().defaultAction())
        .isEqualTo(SeccompAction.trace(1));
    assertThat(
            load("{'defaultAction': 'SCMP_ACT_ERRNO', 'defaultErrnoRet': 38}")
                .policy()
                .defaultAction())
        .isEqualTo(SeccompAction.errno(38));
  }

  @ParameterizedTest
  @CsvSource({
    "SCMP_ACT_KILL,KILL_THREAD",
    "SCMP_ACT_KILL_THREAD,KILL_THREAD",
    "SCMP_ACT_KILL_PROCESS,KILL_PROCESS",
    "SCMP_ACT_TRAP,TRAP(0)",
    "SCMP_ACT_ERRNO,ERRNO(7)",
    "SCMP_ACT_TRACE,TRACE(7)",
    "SCMP_ACT_LOG,LOG",
    "SCMP_ACT_NOTIFY,USER_NOTIF",
    "SCMP_ACT_ALLOW,ALLOW"
  })
  void everyActionIsKnown(String name, String expected) {
    LoadedPolicy loaded = entries("{'names': ['read'], 'action': '" + name + "', 'errnoRet': 7}");
    assertThat(ask(loaded.policy(), "read")).hasToString(expected);
    assertThat(loaded.warnings().isEmpty()).isEqualTo(expected.endsWith("(7)"));
  }

  @ParameterizedTest
  @CsvSource({
    "NE,5,0,4 6 0x100000005,5",
    "LT,5,0,0 4,5 6 0x100000000",
    "LE,5,0,0 5,6 0x100000000",
    "EQ,5,0,5,4 6 0x100000005",
    "GE,5,0,5 6 0x100000000,4 0",
    "GT,5,0,6 0x100000000,5 0",
    "MASKED_EQ,12,4,4 5 0xfffffff6,0 8 12",
    "EQ,18446744073709551615,0,0xffffffffffffffff,0xffffffff 0"
  })
  void everyOperatorLooksAt64BitsUnsigned(
      String operator, String value, String valueTwo, String matching, String other) {
    SeccompPolicy policy =
        entries(
                "{'names': ['read'], 'action': 'SCMP_ACT_ALLOW', 'args': [{'index': 2, 'value': "
                    + value
                    + ", 'valueTwo': "
                    + valueTwo
                    + ", 'op': 'SCMP_CMP_"
                    + operator
                    + "'}]}")
            .policy();
    for (String argument : matching.split(" ", -1)) {
      assertThat(ask(policy, "read", 0, 0, unsigned(argument)))
          .as(argument)
          .isEqualTo(SeccompAction.ALLOW);
    }
    for (String argument : other.split(" ", -1)) {
      assertThat(ask(policy, "read", 0, 0, unsigned(argument))).as(argument).isEqualTo(EPERM);
    }
  }

  private static long unsigned(String number) {
    return number.startsWith("0x")
        ? Long.parseUnsignedLong(number.substring(2), 16)
        : Long.parseUnsignedLong(number);
  }

  private static String entry(String action, String... arguments) {
    return "{'names': ['read'], 'action': 'SCMP_ACT_%s', 'args': [%s]}"
        .formatted(action, String.join(", ", arguments));
  }

  private static String argument(int index, String operator, long value) {
    return "{'index': %d, 'value': %d, 'op': 'SCMP_CMP_%s'}".formatted(index, value, operator);
  }

  @Test
  void argumentsOfAnEntryAreAndedEntriesAreOred() {
    SeccompPolicy policy =
        entries(
                entry("ALLOW", argument(0, "EQ", 1), argument(1, "EQ", 2))
                    + ","
                    + entry("ALLOW", argument(0, "EQ", 7)))
            .policy();
    assertThat(ask(policy, "read", 1, 2)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(policy, "read", 1, 3)).isEqualTo(EPERM);
    assertThat(ask(policy, "read", 7, 3)).isEqualTo(SeccompAction.ALLOW);
  }

  @Test
  void anIndexThatIsRepeatedMakesAllArgumentsOfTheEntryAlternatives() {
    LoadedPolicy loaded =
        entries(entry("ALLOW", argument(0, "EQ", 1), argument(0, "EQ", 2), argument(1, "EQ", 9)));
    assertThat(ask(loaded.policy(), "read", 1, 0)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(loaded.policy(), "read", 2, 0)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(loaded.policy(), "read", 5, 9)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(loaded.policy(), "read", 5, 0)).isEqualTo(EPERM);
    assertThat(loaded.warnings()).singleElement().asString().contains("alternatives");
  }

  @Test
  void anEntryWithoutArgumentsBeatsThoseWithSome() {
    SeccompPolicy before =
        entries(entry("ALLOW") + "," + entry("LOG", argument(0, "EQ", 1))).policy();
    assertThat(ask(before, "read", 1)).isEqualTo(SeccompAction.ALLOW);
    SeccompPolicy behind =
        entries(entry("LOG", argument(0, "EQ", 1)) + "," + entry("ALLOW")).policy();
    assertThat(ask(behind, "read", 1)).isEqualTo(SeccompAction.ALLOW);
  }

  @Test
  void ofSeveralEntriesThatMatchTheOrderOfTheTextDoesNotDecide() {
    String first = entry("LOG", argument(0, "GE", 1));
    String second = entry("ALLOW", argument(0, "EQ", 5));
    String third = entry("TRAP", argument(3, "EQ", 1));
    for (String text :
        new String[] {first + "," + second + "," + third, third + "," + second + "," + first}) {
      SeccompPolicy policy = entries(text).policy();
      assertThat(ask(policy, "read", 4)).isEqualTo(SeccompAction.LOG);
      assertThat(ask(policy, "read", 5)).isEqualTo(SeccompAction.ALLOW);
      assertThat(ask(policy, "read", 5, 0, 0, 1)).isEqualTo(SeccompAction.TRAP);
    }
  }

  @Test
  void entriesThatContradictEachOtherAreAnError() {
    assertThatThrownBy(
            () ->
                entries(
                    entry("LOG", argument(0, "EQ", 1))
                        + ",\n"
                        + entry("ALLOW", argument(0, "EQ", 1))))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith("p.json:2:12: \"read\" contradicts an earlier entry: ALLOW");
  }

  @Test
  void anEntryThatNeverAppliesIsReported() {
    assertThat(entries(entry("ALLOW") + "," + entry("LOG")).warnings())
        .singleElement()
        .asString()
        .contains("LOG for \"read\" never applies on x86_64");
  }

  @Test
  void entriesWithTheDefaultActionHaveNoEffect() {
    SeccompPolicy policy =
        entries(entry("ERRNO", argument(0, "EQ", 1)) + "," + entry("ALLOW", argument(1, "EQ", 2)))
            .policy();
    assertThat(ask(policy, "read", 1, 2)).isEqualTo(SeccompAction.ALLOW);
  }

  @Test
  void architecturesAreTheNativeOneAndThoseOfTheProfile() {
    assertThat(
            load("{'defaultAction': 'SCMP_ACT_LOG', 'architectures': ['SCMP_ARCH_AARCH64']}")
                .policy()
                .rules())
        .containsOnlyKeys(Architecture.X86_64, Architecture.AARCH64);
    String map =
        """
        {'defaultAction': 'SCMP_ACT_LOG', 'archMap': [
          {'architecture': 'SCMP_ARCH_AARCH64', 'subArchitectures': ['SCMP_ARCH_ARM']},
          {'architecture': 'SCMP_ARCH_X86_64',
           'subArchitectures': ['SCMP_ARCH_X86', 'SCMP_ARCH_X32']},
          {'architecture': 'SCMP_ARCH_RISCV64', 'subArchitectures': null}]}
        """;
    assertThat(load(map).policy().rules())
        .containsOnlyKeys(Architecture.X86_64, Architecture.I386, Architecture.X32);
    assertThat(
            load(map, LoadContext.DEFAULT.withArchitecture(Architecture.RISCV64)).policy().rules())
        .containsOnlyKeys(Architecture.RISCV64);
  }

  @Test
  void callsOfOtherArchitecturesKillTheThread() {
    assertThat(load("{'defaultAction': 'SCMP_ACT_LOG'}").policy().badArchitectureAction())
        .isEqualTo(SeccompAction.KILL_THREAD);
  }

  @Test
  void anArchitectureThatIsNotSupportedIsReported() {
    assertThat(
            load("{'defaultAction': 'SCMP_ACT_LOG', 'architectures': ['SCMP_ARCH_S390X']}")
                .warnings())
        .singleElement()
        .hasToString(
            "p.json:1:53: warning: SCMP_ARCH_S390X is not supported: its calls are of a bad"
                + " architecture");
  }

  @Test
  void onX86SocketCallsAreMadeBothWays() {
    SeccompPolicy policy =
        load("""
        {'defaultAction': 'SCMP_ACT_ERRNO', 'architectures': ['SCMP_ARCH_X86'],
         'syscalls': [{'names': ['socket', 'accept', 'shmat'], 'action': 'SCMP_ACT_ALLOW',
           'args': [{'index': 0, 'value': 2, 'op': 'SCMP_CMP_EQ'}]}]}
        """)
            .policy();
    assertThat(ask(policy, Architecture.X86_64, "socket", 1)).isEqualTo(EPERM);
    assertThat(ask(policy, Architecture.X86_64, "socket", 2)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(policy, Architecture.I386, "socket", 2)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(policy, Architecture.I386, "socket", 1)).isEqualTo(EPERM);
    assertThat(ask(policy, Architecture.I386, "socketcall", 1)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(policy, Architecture.I386, "socketcall", 5)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(policy, Architecture.I386, "socketcall", 2)).isEqualTo(EPERM);
    assertThat(ask(policy, Architecture.I386, "ipc", 21)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(policy, Architecture.I386, "ipc", 22)).isEqualTo(EPERM);
  }

  @Test
  void where32BitsCountTheHighHalfOfAValueIsDropped() {
    SeccompPolicy policy =
        load("""
        {'defaultAction': 'SCMP_ACT_ERRNO',
         'architectures': ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
         'syscalls': [{'name': 'read', 'action': 'SCMP_ACT_ALLOW',
           'args': [{'index': 0, 'value': 18446744073709551615, 'op': 'SCMP_CMP_EQ'}]}]}
        """)
            .policy();
    assertThat(ask(policy, Architecture.X86_64, "read", 0xffff_ffffL)).isEqualTo(EPERM);
    assertThat(ask(policy, Architecture.I386, "read", 0xffff_ffffL)).isEqualTo(SeccompAction.ALLOW);
    assertThat(ask(policy, Architecture.X32, "read", 0xffff_ffffL)).isEqualTo(SeccompAction.ALLOW);
  }

  private static final String CONDITIONAL =
      """
      {'defaultAction': 'SCMP_ACT_ERRNO', 'syscalls': [
        {'names': ['read'], 'action': 'SCMP_ACT_ALLOW', 'includes': {'caps': ['A', 'B']}},
        {'names': ['write'], 'action': 'SCMP_ACT_ALLOW', 'excludes': {'caps': ['A', 'B']}},
        {'names': ['close'], 'action': 'SCMP_ACT_ALLOW', 'includes': {'arches': ['arm64', 'x']}},
        {'names': ['lseek'], 'action': 'SCMP_ACT_ALLOW', 'excludes': {'arches': ['arm64']}},
        {'names': ['dup'], 'action': 'SCMP_ACT_ALLOW', 'includes': {'minKernel': '4.8'}},
        {'names': ['dup3'], 'action': 'SCMP_ACT_ALLOW', 'excludes': {'minKernel': '4.8'}}]}
      """;

  private static void assertAllowed(LoadContext context, String... calls) {
    SeccompPolicy policy = load(CONDITIONAL, context).policy();
    Set<String> allowed = Set.of(calls);
    for (String call : new String[] {"read", "write", "close", "lseek", "dup", "dup3"}) {
      assertThat(ask(policy, context.architecture(), call).equals(SeccompAction.ALLOW))
          .as(call)
          .isEqualTo(allowed.contains(call));
    }
  }

  @Test
  void includesAndExcludesDependOnTheContext() {
    assertAllowed(LoadContext.DEFAULT, "write", "lseek", "dup");
    assertAllowed(LoadContext.DEFAULT.withCapabilities(Set.of("A")), "lseek", "dup");
    assertAllowed(
        LoadContext.DEFAULT.withCapabilities(Set.of("A", "B", "C")), "read", "lseek", "dup");
    assertAllowed(
        LoadContext.DEFAULT.withArchitecture(Architecture.AARCH64), "write", "close", "dup");
    assertAllowed(
        LoadContext.DEFAULT.withKernel(KernelVersion.parse("4.7")), "write", "lseek", "dup3");
    assertAllowed(
        LoadContext.DEFAULT.withKernel(KernelVersion.parse("4.8")), "write", "lseek", "dup");
  }

  @Test
  void numbersAreNamesOfTheNativeArchitecture() {
    SeccompPolicy policy =
        load("""
        {'defaultAction': 'SCMP_ACT_ERRNO', 'architectures': ['SCMP_ARCH_X86'],
         'syscalls': [{'names': ['0', '0x1'], 'action': 'SCMP_ACT_ALLOW'}]}
        """)
            .policy();
    for (Architecture architecture : new Architecture[] {Architecture.X86_64, Architecture.I386}) {
      assertThat(ask(policy, architecture, "read")).isEqualTo(SeccompAction.ALLOW);
      assertThat(ask(policy, architecture, "write")).isEqualTo(SeccompAction.ALLOW);
      assertThat(ask(policy, architecture, "close")).isEqualTo(EPERM);
    }
  }

  @Test
  void unknownNamesAndFieldsAreReported() {
    LoadedPolicy loaded =
        load(
            """
            {'defaultAction': 'SCMP_ACT_ERRNO',
             'color': 1,
             'syscalls': [{'names': ['reed'], 'action': 'SCMP_ACT_ALLOW', 'commment': ''}]}
            """);
    assertThat(loaded.warnings().stream().map(FormatWarning::toString))
        .containsExactly(
            "p.json:2:2: warning: \"color\" is unknown here: ignored",
            "p.json:3:26: warning: no call \"reed\" is known on x86_64: ignored",
            "p.json:3:63: warning: \"commment\" is unknown here: ignored");
  }

  @Test
  void flagsAndListenerAreKept() {
    LoadedPolicy loaded =
        load(
            """
            {'defaultAction': 'SCMP_ACT_ALLOW', 'flags': ['SECCOMP_FILTER_FLAG_LOG'],
             'listenerPath': '/run/agent', 'listenerMetadata': 'x=y'}
            """);
    assertThat(loaded.flags()).containsExactly("SECCOMP_FILTER_FLAG_LOG");
    assertThat(loaded.listenerPath()).contains("/run/agent");
    assertThat(loaded.listenerMetadata()).contains("x=y");
    assertThat(loaded.warnings()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "``|1:1: expected an object, found nothing",
        "`[]`|1:1: expected a profile in braces, found an array",
        "`{'syscalls': []}`|1:1: \"defaultAction\" is missing",
        "`{'defaultAction': 5}`|1:19: expected a string, found 5",
        "`{'defaultAction': 'ALLOW'}`|1:19: expected one of SCMP_ACT_ALLOW, SCMP_ACT_ERRNO",
        "`{'defaultAction': 'SCMP_ACT_LOG', 'syscalls': {}}`|1:47: expected an array, found an"
            + " object",
        "`{'defaultAction': 'SCMP_ACT_LOG', 'defaultAction': 'x'}`|1:35: \"defaultAction\" is a"
            + " duplicate",
        "`{'defaultAction': 'SCMP_ACT_LOG', 'flags': ['X']}`|1:45: expected one of"
            + " SECCOMP_FILTER_FLAG_LOG",
        "`{'defaultAction': 'SCMP_ACT_LOG', 'architectures': ['amd64']}`|1:53: expected an"
            + " architecture such as",
        "`{'defaultAction': 'SCMP_ACT_LOG', 'architectures': ['SCMP_ARCH_X86'], 'archMap':"
            + " [{}]}`|1:71: a profile has either",
        "`{'defaultAction': 'SCMP_ACT_LOG', 'syscalls': [{'names': ['read'], 'action':"
            + " 'SCMP_ACT_ALLOW', 'args': [{'index': 6, 'value': 0, 'op':"
            + " 'SCMP_CMP_EQ'}]}]}`|1:115: expected an integer from 0 to 5, found 6",
        "`{'defaultAction': 'SCMP_ACT_LOG', 'syscalls': [{'names': ['read'], 'action':"
            + " 'SCMP_ACT_ALLOW', 'args': [{'index': 0, 'value': -1, 'op':"
            + " 'SCMP_CMP_EQ'}]}]}`|1:127: expected an integer from 0 to 18446744073709551615,"
            + " found -1",
        "`{'defaultAction': 'SCMP_ACT_LOG', 'syscalls': [{'names': ['read'], 'action':"
            + " 'SCMP_ACT_ALLOW', 'args': [{'index': 0, 'value': 18446744073709551616, 'op':"
            + " 'SCMP_CMP_EQ'}]}]}`|1:127: expected an integer from 0 to",
        "`{'defaultAction': 'SCMP_ACT_LOG', 'syscalls': [{'names': ['read'], 'action':"
            + " 'SCMP_ACT_ALLOW', 'args': [{'index': 0, 'value': 1.5, 'op':"
            + " 'SCMP_CMP_EQ'}]}]}`|1:127: expected an integer from 0 to",
        "`{'defaultAction': 'SCMP_ACT_LOG', 'syscalls': [{'names': ['read'], 'action':"
            + " 'SCMP_ACT_ALLOW', 'args': [{'index': 0, 'value': 1, 'op': 'EQ'}]}]}`|1:136:"
            + " expected one of SCMP_CMP_EQ",
        "`{'defaultAction': 'SCMP_ACT_LOG', 'syscalls': [{'names': ['read'], 'name': 'read',"
            + " 'action': 'SCMP_ACT_ALLOW'}]}`|1:76: an entry has either \"name\" or \"names\"",
        "`{'defaultAction': 'SCMP_ACT_LOG', 'syscalls': [{'names': [''], 'action':"
            + " 'SCMP_ACT_ALLOW'}]}`|1:59: expected the name of a system call",
        "`{'defaultAction': 'SCMP_ACT_LOG', 'syscalls': [{'names': ['read'], 'action':"
            + " 'SCMP_ACT_ALLOW', 'includes': {'minKernel': '4'}}]}`|1:122: expected a kernel"
            + " version such as 4.8, found \"4\"",
        "`{'defaultAction': 'SCMP_ACT_LOG'} {}`|1:35: expected nothing behind the last brace",
        "`{'defaultAction': 'SCMP_ACT_LOG',`|1:",
      },
      quoteCharacter = '`')
  void errorsNameFileLineAndColumn(String text, String message) {
    assertThatThrownBy(() -> load(text))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith("p.json:" + message);
  }

  @Test
  void anErrorInALaterLineHasItsNumber() {
    assertThatThrownBy(() -> load("{\n  'defaultAction':\n    7}"))
        .isInstanceOfSatisfying(
            FormatException.class,
            e -> assertThat(e.location()).isEqualTo(new Location("p.json", 3, 5)));
  }

  @Test
  void tooManyLevelsAreAnError() {
    assertThatThrownBy(() -> load("[".repeat(100_000)))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("nesting depth");
  }

  @Test
  void tooLongATextIsAnError() {
    assertThatThrownBy(() -> load(" ".repeat(OciProfile.MAX_LENGTH + 1)))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("characters");
  }
}
