package dev.stubpool.seccomp.formats;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SystemCallTable;
import dev.stubpool.testing.Effort;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

final class OciWriterTest {
  private static final SeccompAction EPERM = SeccompAction.errno(1);

  private static SeccompPolicy.Builder policy() {
    return SeccompPolicy.builder(Architecture.X86_64)
        .defaultAction(EPERM)
        .badArchitectureAction(SeccompAction.KILL_THREAD);
  }

  private static SeccompPolicy read(String text) {
    LoadedPolicy loaded = OciProfile.parse(text, LoadContext.DEFAULT);
    assertThat(loaded.warnings()).isEmpty();
    return loaded.policy();
  }

  @Test
  void aPolicyLooksLikeThis() {
    SeccompPolicy policy =
        policy()
            .allow("read")
            .allow("write")
            .rule("clone", SeccompAction.errno(38), Condition.argument(0).maskedEqualTo(12, 4))
            .build();
    assertThat(OciProfile.write(policy))
        .isEqualToIgnoringWhitespace(
            """
            {
              "defaultAction" : "SCMP_ACT_ERRNO",
              "defaultErrnoRet" : 1,
              "architectures" : [ "SCMP_ARCH_X86_64" ],
              "syscalls" : [ {
                "names" : [ "read", "write" ],
                "action" : "SCMP_ACT_ALLOW"
              }, {
                "names" : [ "clone" ],
                "action" : "SCMP_ACT_ERRNO",
                "errnoRet" : 38,
                "args" : [
                  { "index" : 0, "value" : 12, "valueTwo" : 4, "op" : "SCMP_CMP_MASKED_EQ" } ]
              } ]
            }
            """);
  }

  /** Random conditions of the kinds that OCI can say, of few values, so that many hold. */
  private static Condition condition(RandomGenerator random, boolean lowHalf, int depth) {
    Condition.Subject subject = Condition.argument(random.nextInt(3));
    if (lowHalf || random.nextInt(3) == 0) {
      subject = subject.low32();
    }
    long value = random.nextInt(10) == 0 ? random.nextInt() & 0xffff_ffffL : random.nextInt(9);
    return switch (random.nextInt(depth > 0 ? 16 : 13)) {
      case 0 -> subject.equalTo(value);
      case 1 -> subject.notEqualTo(value);
      case 2 -> subject.lessThan(value);
      case 3 -> subject.lessOrEqual(value);
      case 4 -> subject.greaterThan(value);
      case 5 -> subject.greaterOrEqual(value);
      case 6 -> subject.lessThanSigned(value);
      case 7 -> subject.greaterOrEqualSigned(random.nextInt(-3, 4));
      case 8 -> subject.maskedEqualTo(value, value & random.nextInt(8));
      case 9 -> subject.onlyBits(value);
      case 10 -> subject.anyOf(value, random.nextInt(9), random.nextInt(9));
      case 11 -> subject.inRange(Math.min(value, 3), Math.max(value, 3));
      case 12 -> subject.nonNegativeDescriptor();
      case 13 ->
          Condition.all(
              condition(random, lowHalf, depth - 1), condition(random, lowHalf, depth - 1));
      case 14 ->
          Condition.any(
              condition(random, lowHalf, depth - 1), condition(random, lowHalf, depth - 1));
      default -> Condition.not(condition(random, lowHalf, depth - 1));
    };
  }

  @Test
  void randomPoliciesMeanTheSameWhenReadAgain() {
    int[] written = new int[2];
    Effort.forEachSeed(
        Effort.cases(300, 3_000),
        seed -> {
          RandomGenerator random = Effort.random(seed);
          SeccompPolicy.Builder builder = policy();
          List<SeccompAction> actions =
              List.of(SeccompAction.ALLOW, SeccompAction.LOG, EPERM, SeccompAction.trace(3));
          List<String> calls = List.of("read", "openat", "ioctl");
          for (int i = random.nextInt(6); i >= 0; i--) {
            Condition[] conditions = new Condition[random.nextInt(3)];
            for (int j = 0; j < conditions.length; j++) {
              conditions[j] = condition(random, false, 2);
            }
            builder.rule(Effort.oneOf(random, calls), Effort.oneOf(random, actions), conditions);
          }
          SeccompPolicy policy = builder.build();
          String text;
          try {
            text = OciProfile.write(policy);
          } catch (IllegalArgumentException e) {
            assertThat(e).as("%s", policy).hasMessageContaining("more than 4096 alternatives");
            written[1]++;
            return;
          }
          written[0]++;
          SeccompPolicy again = read(text);
          for (int i = 0; i < 200; i++) {
            SeccompData data = data(random, calls);
            assertThat(again.evaluate(data))
                .as("%s of %s written as %s", data, policy, text)
                .isEqualTo(policy.evaluate(data));
          }
        });
    System.out.printf("[oci] %d policies written, %d too long%n", written[0], written[1]);
    assertThat(written[0]).isGreaterThan(20 * written[1]);
  }

  private static SeccompData data(RandomGenerator random, List<String> calls) {
    long[] arguments = new long[6];
    for (int j = 0; j < arguments.length; j++) {
      arguments[j] =
          switch (random.nextInt(6)) {
            case 0 -> random.nextLong();
            case 1 -> random.nextInt(-5, 5);
            case 2 -> (long) random.nextInt(10) << 32 | random.nextInt(10);
            default -> random.nextInt(10);
          };
    }
    int nr = SystemCallTable.of(Architecture.X86_64).number(Effort.oneOf(random, calls));
    return SeccompData.of(Architecture.X86_64, nr, random.nextLong(), arguments);
  }

  @Test
  void severalArchitecturesAreOneText() {
    SeccompPolicy policy =
        policy()
            .allow("read", Condition.argument(0).low32().equalTo(3))
            .allow("open")
            .architecture(Architecture.AARCH64)
            .allow("read", Condition.argument(0).low32().equalTo(3))
            .architecture(Architecture.ARM)
            .allow("read", Condition.argument(0).low32().equalTo(3))
            .allow("open")
            .build();
    SeccompPolicy again = read(OciProfile.write(policy));
    assertThat(again.rules().keySet()).isEqualTo(policy.rules().keySet());
    again
        .rules()
        .forEach(
            (architecture, _) -> {
              int nr = SystemCallTable.of(architecture).number("read");
              for (long argument : new long[] {2, 3, 0x1_0000_0003L}) {
                SeccompData data = SeccompData.of(architecture, nr, 0, argument);
                assertThat(again.evaluate(data)).isEqualTo(policy.evaluate(data));
              }
            });
  }

  @Test
  void dockersDefaultProfileIsWrittenAndReadAgain() throws IOException {
    String folder = System.getenv("STUBPOOL_OCI_CORPUS");
    assumeTrue(
        folder != null && Files.isRegularFile(Path.of(folder, "docker-default.json")),
        "STUBPOOL_OCI_CORPUS names no folder with docker-default.json");
    String text = Files.readString(Path.of(folder, "docker-default.json"));
    for (Set<String> capabilities : List.of(Set.<String>of(), Set.of("CAP_SYS_ADMIN"))) {
      SeccompPolicy policy =
          OciProfile.parse(text, LoadContext.DEFAULT.withCapabilities(capabilities)).policy();
      SeccompPolicy again = read(OciProfile.write(policy));
      List<SeccompData> calls = new ArrayList<>();
      for (Architecture architecture : policy.rules().keySet()) {
        int mark = architecture == Architecture.X32 ? Architecture.X32_BIT : 0;
        for (int nr = 0; nr < 600; nr++) {
          for (long argument : new long[] {0, 8, 38, 39, 41, 0x20008, 0x7e020000, -1}) {
            calls.add(SeccompData.of(architecture, nr | mark, 0, argument));
          }
        }
      }
      assertThat(calls)
          .allSatisfy(call -> assertThat(again.evaluate(call)).isEqualTo(policy.evaluate(call)));
    }
  }

  private static void assertRefused(SeccompPolicy policy, String message) {
    assertThatThrownBy(() -> OciProfile.write(policy))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  @Test
  void whatOciCannotSayIsAnErrorThatNamesTheRule() {
    assertRefused(
        policy().allow("read", Condition.instructionPointer().equalTo(1)).build(),
        "the rule ALLOW for read of x86_64 cannot be expressed in OCI: a condition on the"
            + " instruction pointer");
    assertRefused(
        policy().allow("mmap", Condition.rangeOutside(0, 1, 0x1000, 0x2000)).build(),
        "the rule ALLOW for mmap of x86_64 cannot be expressed in OCI: a condition on two"
            + " arguments");
    assertRefused(
        policy().rule("read", SeccompAction.trap(5)).build(),
        "the rule TRAP(5) for read of x86_64 cannot be expressed in OCI: TRAP(5) has data");
    assertRefused(
        policy().allow(999).build(), "OCI has names only, but call 999 of x86_64 has none");
    assertRefused(
        policy().defaultAction(SeccompAction.trap(5)).build(),
        "the default action cannot be expressed");
    assertRefused(
        policy().badArchitectureAction(SeccompAction.KILL_PROCESS).build(),
        "OCI has KILL_THREAD for other architectures, not KILL_PROCESS");
    assertRefused(
        policy().allow("read").architecture(Architecture.AARCH64).build(),
        "the rules for read of aarch64 cannot be expressed in OCI beside");
    assertRefused(
        policy().allow("socket").architecture(Architecture.I386).allow("socket").build(),
        "the rules for socketcall of x86 cannot be expressed in OCI beside");
    assertRefused(
        policy()
            .architecture(Architecture.X32)
            .allow("read", Condition.argument(0).equalTo(1))
            .build(),
        "it looks at 64 bits where libseccomp sees 32");
  }
}
