package dev.stubpool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class StubPoolOptionsTest {
  @Test
  void shouldHaveDefaults() {
    assertThat(StubPoolOptions.defaults())
        .isEqualTo(
            new StubPoolOptions(
                "stubpool",
                8,
                1024,
                Duration.ofSeconds(30),
                10_000,
                Duration.ofMinutes(1),
                OnStubDeath.REPLACE,
                OnRelease.RECYCLE,
                Affinity.ONE_CPU,
                false,
                true));
  }

  @Test
  void shouldKeepNoMoreReadyByDefaultThanThereMayBe() {
    assertThat(StubPoolOptions.builder().maxStubs(4).build().minIdle()).isEqualTo(4);
    assertThat(StubPoolOptions.builder().maxStubs(8).build().minIdle()).isEqualTo(8);
    assertThat(StubPoolOptions.builder().maxStubs(9).build().minIdle()).isEqualTo(8);
    assertThat(StubPoolOptions.builder().maxStubs(4).minIdle(0).build().minIdle()).isZero();
  }

  @Test
  void shouldAllowByDefaultAsManyAsAreToBeReady() {
    assertThat(StubPoolOptions.builder().minIdle(1024).build().maxStubs()).isEqualTo(1024);
    assertThat(StubPoolOptions.builder().minIdle(2000).build().maxStubs()).isEqualTo(2000);
    assertThatThrownBy(() -> StubPoolOptions.builder().minIdle(2_000_000).build())
        .hasMessage("minIdle is 2000000, must be 0 to maxStubs, 1000000");
    assertThatThrownBy(() -> StubPoolOptions.builder().minIdle(9).maxStubs(8).build())
        .as("both were set")
        .hasMessage("minIdle is 9, must be 0 to maxStubs, 8");
  }

  @Test
  void shouldRefuseWhatIsOutOfRange() {
    StubPoolOptions.Builder builder = StubPoolOptions.builder();
    assertThatThrownBy(() -> builder.maxStubs(0).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("maxStubs is 0, must be 1 to 1000000");
    assertThatThrownBy(() -> builder.maxStubs(5).minIdle(6).build())
        .hasMessage("minIdle is 6, must be 0 to maxStubs, 5");
    assertThatThrownBy(() -> builder.minIdle(0).maxWaiters(0).build())
        .hasMessage("maxWaiters is 0, must be at least 1");
    assertThatThrownBy(() -> builder.maxWaiters(1).acquireTimeout(Duration.ofMillis(-1)).build())
        .hasMessage("acquireTimeout is PT-0.001S, must be not negative");
    builder.acquireTimeout(Duration.ZERO);
    assertThatThrownBy(() -> builder.idleTimeout(Duration.ZERO).build())
        .hasMessage("idleTimeout is PT0S, must be positive, at most PT8760H");
    builder.idleTimeout(Duration.ofDays(1));
    assertThatThrownBy(
            () -> builder.onStubDeath(OnStubDeath.KILL_JVM).onRelease(OnRelease.DISCARD).build())
        .hasMessage(
            "onRelease is DISCARD, must be RECYCLE with onStubDeath KILL_JVM: to discard a stub"
                + " would kill the JVM");
    assertThatThrownBy(() -> builder.name(null).build()).isInstanceOf(NullPointerException.class);
  }
}
