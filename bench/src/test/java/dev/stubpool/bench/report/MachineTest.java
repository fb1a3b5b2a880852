package dev.stubpool.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.bench.report.Machine.CpuTime;
import java.util.List;
import org.junit.jupiter.api.Test;

class MachineTest {
  private static final String ALL = "cpu  9 0 9 9 0 0 0 9 5 0";

  @Test
  void shouldTellWhatTheHypervisorTook() {
    List<String> before = List.of(ALL, "cpu0 0 0 0 0 0 0 0 0 0 0", "cpu1 10 0 10 70 0 0 0 10 7 0");
    List<String> after = List.of(ALL, "cpu0 0 0 0 0 0 0 0 0 0 0", "cpu1 50 0 50 80 0 0 0 20 9 0");

    assertThat(CpuTime.of(before, "1")).isEqualTo(new CpuTime(100, 10));
    assertThat(CpuTime.of(after, "1").stolenSince(CpuTime.of(before, "1"))).isEqualTo(10);
    assertThat(CpuTime.of(before, "")).isEqualTo(new CpuTime(36, 9));
  }

  @Test
  void shouldReadThisMachine() {
    assertThat(Machine.load()).isNotNegative();
    assertThat(Machine.availableMemory()).isPositive();
    assertThat(Machine.lastCpu()).matches("\\d+");
    assertThat(Machine.kernel()).startsWith("Linux ");
    assertThat(Machine.cpuModel()).isNotEmpty();
    assertThat(CpuTime.now(Machine.lastCpu()).total()).isPositive();
  }
}
