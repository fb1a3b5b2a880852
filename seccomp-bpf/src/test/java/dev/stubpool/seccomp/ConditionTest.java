package dev.stubpool.seccomp;

import static dev.stubpool.seccomp.Condition.argument;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.stubpool.testing.Effort;
import java.math.BigInteger;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.FieldSource;

class ConditionTest {

  private static final long MIN = Long.MIN_VALUE;

  private static SeccompData with(long... arguments) {
    return SeccompData.of(Architecture.X86_64, 1, 0x1000, arguments);
  }

  private static List<Long> values(long... values) {
    return LongStream.of(values).boxed().toList();
  }

  static final List<Arguments> COMPARISONS =
      List.of(
          arguments(argument(0).equalTo(5), values(5), values(4, 6, 0x1_0000_0005L)),
          arguments(argument(0).equalTo(-1), values(-1), values(0xffffffffL, -2)),
          arguments(argument(0).notEqualTo(5), values(4, 0x1_0000_0005L), values(5)),
          arguments(argument(0).lessThan(5), values(0, 4), values(5, -1, MIN)),
          arguments(argument(0).lessThan(0), values(), values(0, 1, -1)),
          arguments(argument(0).lessOrEqual(MIN), values(5, MIN), values(MIN + 1, -1)),
          arguments(argument(0).greaterThan(5), values(6, -1, MIN), values(0, 5)),
          arguments(argument(0).greaterThan(-1), values(), values(0, -1)),
          arguments(argument(0).greaterOrEqual(MIN), values(MIN, -1), values(5, MIN - 1)),
          arguments(argument(0).maskedEqualTo(0xf0, 0x10), values(0x1f, -0xf0), values(0x20, 0)),
          arguments(argument(0).onlyBits(7), values(0, 5, 7), values(8, -1, MIN)),
          arguments(argument(0).onlyBits(-1), values(0, -1), values()),
          arguments(argument(0).anyOf(1, -1, 3), values(1, 3, -1), values(0, 2, 0xffffffffL)),
          arguments(argument(0).low32().equalTo(-1), values(-1, 0xffffffffL), values(0, -2)),
          arguments(argument(0).inRange(5, 5), values(5), values(4, 6)),
          arguments(argument(0).inRange(5, MIN), values(5, 6, MIN), values(4, MIN + 1, -1)));

  @ParameterizedTest
  @FieldSource("COMPARISONS")
  void shouldCompare(Condition condition, List<Long> matching, List<Long> others) {
    assertThat(matching).allMatch(value -> condition.matches(with(value)));
    assertThat(others).noneMatch(value -> condition.matches(with(value)));
  }

  @Test
  void shouldLookAtTheFieldThatItNames() {
    for (int i = 0; i < SeccompData.ARGUMENTS; i++) {
      long[] arguments = new long[SeccompData.ARGUMENTS];
      arguments[i] = 7;
      assertThat(argument(i).equalTo(7).matches(with(arguments))).isTrue();
      assertThat(argument((i + 1) % 6).equalTo(7).matches(with(arguments))).isFalse();
    }
    assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> argument(6));
    assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> argument(-1));
  }

  @Test
  void shouldKnowWhereACallComesFrom() {
    assertThat(Condition.instructionPointerIn(0x1000, 0x1001).matches(with())).isTrue();
    assertThat(Condition.instructionPointerIn(0, 0x1000).matches(with())).isFalse();
    assertThat(Condition.instructionPointerIn(0x1001, -1).matches(with())).isFalse();
    assertThat(Condition.instructionPointer().equalTo(0x1000).matches(with())).isTrue();
  }

  @Test
  void shouldBeAValue() {
    assertThat(argument(1).anyOf(3, -1, 3, 1)).isEqualTo(argument(1).anyOf(1, 3, -1));
    assertThat(argument(1).equalTo(3)).isNotEqualTo(argument(2).equalTo(3));
  }

  @Test
  void shouldRefuseWhatCouldNeverMatch() {
    assertThatIllegalArgumentException().isThrownBy(() -> argument(0).maskedEqualTo(0xf0, 0x1f));
    assertThatIllegalArgumentException().isThrownBy(() -> argument(0).anyOf());
    assertThatIllegalArgumentException().isThrownBy(() -> argument(0).inRange(6, 5));
    assertThatIllegalArgumentException().isThrownBy(() -> argument(0).inRange(-1, 0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Condition.instructionPointerIn(5, 5))
        .withMessageContaining("empty range");
    assertThatIllegalArgumentException().isThrownBy(() -> Condition.rangeOutside(0, 1, 5, 5));
    assertThatIllegalArgumentException().isThrownBy(() -> Condition.rangeOutside(0, 1, -1, 5));
  }

  static final List<Arguments> RANGES =
      List.of(
          // Forbidden is [0x10000, 0x20000). Below, touching, overlapping, inside, around.
          arguments(0x1000L, 0x1000L, true),
          arguments(0xf000L, 0x1000L, true),
          arguments(0xf000L, 0x1001L, false),
          arguments(0x10000L, 0x1000L, false),
          arguments(0x1f000L, 0x1000L, false),
          arguments(0x20000L, 0x1000L, true),
          arguments(0x1000L, 0x100000L, false),
          // Empty: like a range that touches what lies just below its address.
          arguments(0x10000L, 0L, true),
          arguments(0x10001L, 0L, false),
          arguments(0x1ffffL, 0L, false),
          arguments(0x20000L, 0L, true),
          // Up to the end of the address space, and around it.
          arguments(0x20000L, -0x20001L, true),
          arguments(0x20000L, -0x20000L, false),
          arguments(0x20000L, -1L, false),
          arguments(-0x1000L, 0xfffL, true),
          arguments(-0x1000L, 0x1000L, false),
          arguments(-1L, 0L, true),
          arguments(0L, -1L, false));

  @ParameterizedTest
  @FieldSource("RANGES")
  void shouldKeepOut(long address, long length, boolean outside) {
    Condition condition = Condition.rangeOutside(4, 2, 0x10000, 0x20000);

    assertThat(condition.matches(with(0, 0, length, 0, address))).isEqualTo(outside);
  }

  /**
   * What is proven beside {@link Condition.RangeOutside}, in whole numbers: with aligned bounds and
   * address the condition does not hold for what the kernel could touch, pages rounded up, nor for
   * a length that its rounding wraps to 0; and it refuses nothing else but sums that carry.
   */
  @Test
  void shouldKeepOutWhatTheKernelRoundsUp() {
    Effort.forEachSeed(
        Effort.cases(20_000, 2_000_000),
        seed -> {
          RandomGenerator random = Effort.random(seed);
          long lo = page(random);
          long hi = random.nextBoolean() ? page(random) : lo + (random.nextInt(1, 5) << 12);
          if (Long.compareUnsigned(lo, hi) >= 0) {
            return;
          }
          long address =
              switch (random.nextInt(4)) {
                case 0 -> lo - (random.nextInt(4) << 12);
                case 1 -> hi + (random.nextInt(-2, 3) << 12);
                default -> page(random);
              };
          long length =
              switch (random.nextInt(4)) {
                case 0 -> lo - address + random.nextInt(-0x1001, 0x1002);
                case 1 -> -address + random.nextInt(-0x1001, 0x1002);
                case 2 -> random.nextInt(-0x1001, 0x2000);
                default -> random.nextLong();
              };

          boolean matches = Condition.rangeOutside(0, 1, lo, hi).matches(with(address, length));

          BigInteger start = unsigned(address);
          BigInteger touchedEnd = start.add(roundUp(unsigned(length)));
          boolean carries = start.add(unsigned(length)).bitLength() > 64;
          boolean roundsToZero = Long.compareUnsigned(length, -0x1000) > 0;
          boolean untouched =
              touchedEnd.compareTo(unsigned(lo)) <= 0 || start.compareTo(unsigned(hi)) >= 0;
          assertThat(matches)
              .as("[%x, +%x) outside [%x, %x)", address, length, lo, hi)
              .isEqualTo(untouched && !carries && !roundsToZero);
        });
  }

  private static long page(RandomGenerator random) {
    long page =
        switch (random.nextInt(4)) {
          case 0 -> random.nextInt(4);
          case 1 -> -random.nextInt(1, 4);
          case 2 -> (1L << random.nextInt(52)) + random.nextInt(-2, 3);
          default -> random.nextLong();
        };
    return page << 12;
  }

  private static BigInteger roundUp(BigInteger value) {
    return value.add(BigInteger.valueOf(0xfff)).shiftRight(12).shiftLeft(12);
  }

  private static BigInteger unsigned(long value) {
    return new BigInteger(Long.toUnsignedString(value));
  }
}
