package dev.stubpool.nativestubs.proc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import dev.stubpool.nativestubs.proc.ResourceLimits.Limit;
import org.junit.jupiter.api.Test;

class ResourceLimitsTest {
  private static final String JVM =
      """
      Limit                     Soft Limit           Hard Limit           Units
      Max cpu time              unlimited            unlimited            seconds
      Max core file size        0                    unlimited            bytes
      Max nice priority         0                    0
      """;

  @Test
  void shouldTellWhatIsDifferent() {
    ResourceLimits jvm = ResourceLimits.parse(JVM);
    ResourceLimits stub =
        ResourceLimits.parse(
            JVM.replace("size        0                    unlimited", "size        0  0"));

    assertThat(stub.differentFrom(jvm))
        .containsExactly(entry("core file size", new Limit("0", "0")));
    assertThat(jvm.differentFrom(jvm)).isEmpty();
  }
}
