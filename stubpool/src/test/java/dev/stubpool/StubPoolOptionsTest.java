package dev.stubpool;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SeccompAction;
import dev.stubpool.seccomp.SeccompPolicy;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class StubPoolOptionsTest {
  @Test
  void shouldHaveDefaults() {
    StubPoolOptions options = StubPoolOptions.defaults();
    assertThat(options.name()).isEqualTo("stubpool");
    assertThat(options.minIdle()).isEqualTo(8);
    assertThat(options.maxStubs()).isEqualTo(1024);
    assertThat(options.acquireTimeout()).isEqualTo(Duration.ofSeconds(30));
    assertThat(options.maxWaiters()).isEqualTo(10_000);
    assertThat(options.idleTimeout()).isEqualTo(Duration.ofMinutes(1));
    assertThat(options.onStubDeath()).isEqualTo(OnStubDeath.REPLACE);
    assertThat(options.onRelease()).isEqualTo(OnRelease.RECYCLE);
    assertThat(options.policy()).isEqualTo(policy().build());
    assertThat(options.affinity()).isEqualTo(Affinity.ONE_CPU);
    assertThat(options.leakTraces()).isFalse();
    assertThat(options.inspectable()).isTrue();
  }

  /** Takes nothing away. */
  private static SeccompPolicy.Builder policy() {
    return SeccompPolicy.builder(Architecture.X86_64)
        .defaultAction(SeccompAction.ALLOW)
        .badArchitectureAction(SeccompAction.TRAP);
  }

  /** Every option by its setter's name, with a value that is not the default. */
  private static final Map<String, UnaryOperator<StubPoolOptions.Builder>> OTHERS =
      Map.ofEntries(
          entry("name", builder -> builder.name("other")),
          entry("minIdle", builder -> builder.minIdle(5)),
          entry("maxStubs", builder -> builder.maxStubs(50)),
          entry("acquireTimeout", builder -> builder.acquireTimeout(Duration.ofSeconds(5))),
          entry("maxWaiters", builder -> builder.maxWaiters(5)),
          entry("idleTimeout", builder -> builder.idleTimeout(Duration.ofSeconds(5))),
          entry("onStubDeath", builder -> builder.onStubDeath(OnStubDeath.KILL_JVM)),
          entry("onRelease", builder -> builder.onRelease(OnRelease.DISCARD)),
          entry(
              "policy",
              builder -> builder.policy(policy().rule("getpid", SeccompAction.TRAP).build())),
          entry("affinity", builder -> builder.affinity(Affinity.ANY_CPU)),
          entry("leakTraces", builder -> builder.leakTraces(true)),
          entry("inspectable", builder -> builder.inspectable(false)));

  private static Object value(StubPoolOptions options, String name) {
    try {
      return StubPoolOptions.class.getMethod(name).invoke(options);
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(name, e);
    }
  }

  @Test
  void shouldHaveAnAccessorForEverySetterOfTheBuilder() {
    Set<String> setters = new HashSet<>();
    for (Method method : StubPoolOptions.Builder.class.getDeclaredMethods()) {
      if (Modifier.isPublic(method.getModifiers()) && method.getParameterCount() == 1) {
        setters.add(method.getName());
      }
    }
    assertThat(OTHERS.keySet()).isEqualTo(setters);
  }

  @Test
  void shouldCompareCopyAndPrintEveryOption() {
    StubPoolOptions defaults = StubPoolOptions.defaults();
    assertThat(defaults)
        .isEqualTo(StubPoolOptions.defaults())
        .hasSameHashCodeAs(StubPoolOptions.defaults());
    OTHERS.forEach(
        (name, set) -> {
          StubPoolOptions other = set.apply(StubPoolOptions.builder()).build();
          assertThat(other).as(name).isNotEqualTo(defaults);
          assertThat(other.toBuilder().build()).as(name).isEqualTo(other).hasSameHashCodeAs(other);
          assertThat(other.toString()).contains(name + "=" + value(other, name));
          for (String each : OTHERS.keySet()) {
            if (each.equals(name)) {
              assertThat(value(other, each)).as(each).isNotEqualTo(value(defaults, each));
            } else {
              assertThat(value(other, each)).as(each).isEqualTo(value(defaults, each));
            }
          }
        });
  }

  @Test
  void shouldKeepInACopyThatOneDefaultFollowsAnotherOption() {
    StubPoolOptions defaults = StubPoolOptions.defaults();
    assertThat(defaults.toBuilder().maxStubs(4).build().minIdle()).isEqualTo(4);
    assertThat(defaults.toBuilder().minIdle(2000).build().maxStubs()).isEqualTo(2000);
  }

  @Test
  void shouldRefuseAPolicyThatCouldAddCallsOrKill() {
    assertThatThrownBy(() -> withPolicy(policy().allow("getpid")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "the policy's action for call 39 is ALLOW, must be TRAP: a policy can only take calls"
                + " away");
    assertThatThrownBy(() -> withPolicy(policy().rule("getpid", SeccompAction.errno(1))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is ERRNO(1), must be TRAP");
    assertThatThrownBy(() -> withPolicy(policy().defaultAction(SeccompAction.TRAP)))
        .hasMessage("the policy's default action is TRAP(0), must be ALLOW");
    assertThatThrownBy(() -> withPolicy(policy().badArchitectureAction(SeccompAction.ALLOW)))
        .hasMessage("the policy's action for other architectures is ALLOW, must be TRAP");
    assertThatThrownBy(
            () ->
                withPolicy(
                    SeccompPolicy.builder(Architecture.I386)
                        .defaultAction(SeccompAction.ALLOW)
                        .badArchitectureAction(SeccompAction.TRAP)))
        .hasMessage("the policy is for [I386], must be for X86_64: it would take away all calls");
    assertThatThrownBy(() -> withPolicy(policy().architecture(Architecture.X32).allow(0x4000_0027)))
        .hasMessageContaining("is ALLOW, must be TRAP");
  }

  private static void withPolicy(SeccompPolicy.Builder policy) {
    StubPoolOptions.builder().policy(policy.build()).build();
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
