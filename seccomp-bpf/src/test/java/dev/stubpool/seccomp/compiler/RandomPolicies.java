package dev.stubpool.seccomp.compiler;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.Condition;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompData;
import dev.stubpool.seccomp.SeccompField;
import dev.stubpool.seccomp.SeccompPolicy;
import dev.stubpool.seccomp.SeccompRule;
import dev.stubpool.testing.Effort;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * Random policies, and system calls that come near what they test: both draw from one small pool of
 * values.
 */
public final class RandomPolicies {

  private static final List<Long> BOUNDARIES =
      List.of(
          0L,
          1L,
          0x1000L,
          0x7fffffffL,
          0x80000000L,
          0xfffff000L,
          0xffffffffL,
          0x100000000L,
          0x1_00001000L,
          0x7fff_ffff_ffffL,
          0x7fff_ffff_ffff_ffffL,
          0x8000_0000_0000_0000L,
          0xffff_ffff_0000_0000L,
          0xffff_ffff_ffff_f000L,
          -1L);

  private static final List<SeccompAction> ACTIONS =
      List.of(
          SeccompAction.ALLOW,
          SeccompAction.ALLOW,
          SeccompAction.KILL_PROCESS,
          SeccompAction.KILL_THREAD,
          SeccompAction.LOG,
          SeccompAction.USER_NOTIF,
          SeccompAction.trap(0),
          SeccompAction.trap(7),
          SeccompAction.errno(1),
          SeccompAction.errno(4095),
          SeccompAction.trace(9));

  private static final List<Architecture> ARCHITECTURES =
      List.of(
          Architecture.X86_64,
          Architecture.X86_64,
          Architecture.X86_64,
          Architecture.I386,
          Architecture.X32,
          Architecture.AARCH64);

  private final RandomGenerator random;
  private final Set<Architecture> architectures = EnumSet.noneOf(Architecture.class);
  private final List<Long> values = new ArrayList<>();
  private final List<Integer> numbers = new ArrayList<>();

  public RandomPolicies(RandomGenerator random) {
    this.random = random;
    for (int i = random.nextInt(3) == 0 ? 3 : 1; i > 0; i--) {
      architectures.add(Effort.oneOf(random, ARCHITECTURES));
    }
    for (int i = 0; i < 6; i++) {
      values.add(
          switch (random.nextInt(4)) {
            case 0 -> random.nextLong();
            case 1 -> random.nextLong(0x7fff_ffff_ffffL) & -0x1000L;
            default -> Effort.oneOf(random, BOUNDARIES);
          });
    }
    int count = random.nextInt(1, random.nextInt(10) == 0 ? 100 : 12);
    IntStream.range(0, count)
        .map(i -> random.nextInt(4) == 0 ? random.nextInt(0x40000000) : random.nextInt(500))
        .forEach(numbers::add);
  }

  public SeccompPolicy policy() {
    SeccompPolicy.Builder policy =
        SeccompPolicy.builder(architectures.iterator().next())
            .defaultAction(action())
            .badArchitectureAction(action());
    for (Architecture architecture : architectures) {
      policy.architecture(architecture);
      List<Condition> shared = random.nextInt(3) == 0 ? List.of(condition()) : List.of();
      int rules = random.nextInt(numbers.size() + 10);
      for (int i = 0; i < rules; i++) {
        List<Condition> conditions = new ArrayList<>(shared);
        for (int more = random.nextInt(4); more > 0; more--) {
          conditions.add(random.nextInt(conditions.size() + 1), condition());
        }
        int nr = number(architecture, Effort.oneOf(random, numbers));
        policy.rule(new SeccompRule(nr, conditions, action()));
      }
    }
    return policy.build();
  }

  private static int number(Architecture architecture, int nr) {
    return architecture == Architecture.X32 ? nr | Architecture.X32_BIT : nr;
  }

  public boolean matchesARule(SeccompPolicy policy, SeccompData data) {
    return Architecture.of(data.arch(), data.nr()).map(policy.rules()::get).stream()
        .flatMap(List::stream)
        .anyMatch(rule -> rule.matches(data));
  }

  public Condition condition() {
    return condition(2);
  }

  private Condition condition(int depth) {
    if (depth > 0 && random.nextInt(8) == 0) {
      Condition[] several =
          Stream.generate(() -> condition(depth - 1))
              .limit(random.nextInt(1, 4))
              .toArray(Condition[]::new);
      return switch (random.nextInt(3)) {
        case 0 -> Condition.all(several);
        case 1 -> Condition.any(several);
        default -> Condition.not(several[0]);
      };
    }
    Condition.Subject subject =
        new Condition.Subject(Effort.oneOf(random, fields()), Condition.Width.BITS_64);
    if (random.nextInt(5) == 0) {
      return low32(subject.low32());
    }
    return switch (random.nextInt(18)) {
      case 14 -> subject.lessThanSigned(value());
      case 15 -> subject.lessOrEqualSigned(value());
      case 16 -> subject.greaterThanSigned(value());
      case 17 -> subject.greaterOrEqualSigned(value());
      case 0 -> subject.equalTo(value());
      case 1 -> subject.notEqualTo(value());
      case 2 -> subject.lessThan(value());
      case 3 -> subject.lessOrEqual(value());
      case 4 -> subject.greaterThan(value());
      case 5 -> subject.greaterOrEqual(value());
      case 6 -> {
        long mask = value();
        yield subject.maskedEqualTo(mask, mask & value());
      }
      case 7 -> subject.onlyBits(value());
      case 8 ->
          subject.anyOf(LongStream.generate(this::value).limit(random.nextInt(1, 6)).toArray());
      case 9 -> subject.low32().equalTo(value() & 0xffff_ffffL);
      case 10 -> {
        long[] range = range(order -> order <= 0);
        yield subject.inRange(range[0], range[1]);
      }
      case 11 -> {
        long[] range = range(order -> order < 0);
        yield Condition.instructionPointerIn(range[0], range[1]);
      }
      default -> {
        long[] range = range(order -> order < 0);
        yield Condition.rangeOutside(random.nextInt(6), random.nextInt(6), range[0], range[1]);
      }
    };
  }

  private Condition low32(Condition.Subject subject) {
    int value = (int) value();
    int other = (int) value();
    boolean ordered = Integer.compareUnsigned(value, other) <= 0;
    return switch (random.nextInt(14)) {
      case 0 -> subject.equalTo(value);
      case 1 -> subject.notEqualTo(value);
      case 2 -> subject.lessThan(value);
      case 3 -> subject.lessOrEqual(value);
      case 4 -> subject.greaterThan(value);
      case 5 -> subject.greaterOrEqual(value);
      case 6 -> subject.lessThanSigned(value);
      case 7 -> subject.lessOrEqualSigned(value);
      case 8 -> subject.greaterThanSigned(value);
      case 9 -> subject.greaterOrEqualSigned(value);
      case 10 -> subject.onlyBits(value);
      case 11 -> subject.anyOf(value, other);
      case 12 -> subject.inRange(ordered ? value : other, ordered ? other : value);
      default -> subject.nonNegativeDescriptor();
    };
  }

  /** A system call, mostly one that the policy has rules for. */
  public SeccompData data() {
    Architecture architecture = Effort.oneOf(random, List.copyOf(architectures));
    int arch = architecture.auditValue();
    if (random.nextInt(12) == 0) {
      arch = random.nextBoolean() ? random.nextInt() : Architecture.I386.auditValue();
    }
    int nr = number(architecture, Effort.oneOf(random, numbers));
    switch (random.nextInt(12)) {
      case 0 -> nr += random.nextInt(-1, 2);
      case 1 -> nr |= 0x40000000;
      case 2 -> nr |= 0x80000000;
      case 3 -> nr = random.nextInt();
      case 4 -> nr = -1;
      default -> {}
    }
    return new SeccompData(nr, arch, near(), near(), near(), near(), near(), near(), near());
  }

  private List<SeccompField> fields() {
    return List.of(
        SeccompField.INSTRUCTION_POINTER,
        SeccompField.ARGUMENT_0,
        SeccompField.ARGUMENT_1,
        SeccompField.ARGUMENT_5);
  }

  private SeccompAction action() {
    return Effort.oneOf(random, ACTIONS);
  }

  private long value() {
    return Effort.oneOf(random, values);
  }

  /** Two values in an order that suits. */
  private long[] range(IntPredicate suits) {
    long lo = value();
    long hi = random.nextInt(3) == 0 ? lo + random.nextInt(1, 0x2000) : value();
    if (suits.test(Long.compareUnsigned(lo, hi))) {
      return new long[] {lo, hi};
    }
    return suits.test(Long.compareUnsigned(hi, lo)) ? new long[] {hi, lo} : new long[] {0, -1};
  }

  /** A value of the pool, or one that differs little, in one half only, or by one of the pool. */
  private long near() {
    long value = value();
    return switch (random.nextInt(10)) {
      case 0 -> value + 1;
      case 1 -> value - 1;
      case 2 -> value ^ 1L << random.nextInt(64);
      case 3 -> (value & 0xffffffffL) | (value() & 0xffffffff00000000L);
      case 4 -> value - value();
      case 5 -> value & value();
      default -> value;
    };
  }
}
