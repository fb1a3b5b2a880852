package dev.stubpool.nativestubs.proc;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StatusFieldsTest {
  private static final String STUB =
      """
      Name:\tstubpool-stub
      State:\tt (tracing stop)
      Pid:\t20640
      TracerPid:\t20633
      Uid:\t1\t2\t3\t4
      NSpid:\t20640\t17
      SigPnd:\t0000000000000400
      ShdPnd:\t0000000100000001
      SigBlk:\tffffffffbfbbfa27
      CapInh:\t0000000000000000
      CapPrm:\t0000000000000000
      CapEff:\t0000000000000000
      CapBnd:\t000001ffffffffff
      CapAmb:\t0000000000000000
      NoNewPrivs:\t1
      Seccomp:\t2
      Cpus_allowed_list:\t1
      """;

  @Test
  void shouldReadAStub() {
    StatusFields fields = StatusFields.parse(STUB);

    assertThat(fields.pid()).contains(20640);
    assertThat(fields.tracer()).isEqualTo(20633);
    assertThat(fields.pids()).containsExactly(20640, 17);
    assertThat(fields.user()).contains(2);
    assertThat(fields.onlyCpu()).contains(1);
    assertThat(fields.isFiltered()).isTrue();
    assertThat(fields.hasNoNewPrivileges()).isTrue();
    assertThat(fields.capabilities())
        .containsEntry("permitted", 0L)
        .containsEntry("bounding", 0x1ff_ffff_ffffL)
        .hasSize(5);
    assertThat(fields.pendingSignals().names()).containsExactly("HUP", "SEGV");
    assertThat(fields.pendingSignals().realTime()).isEqualTo(1);
    assertThat(fields.blockedSignals().complement().names())
        .containsExactly("ILL", "TRAP", "BUS", "FPE", "KILL", "SEGV", "STOP", "URG", "SYS");
    assertThat(fields.blockedSignals().complement().realTime()).isZero();
  }

  @Test
  void shouldDoWithoutWhatAKernelDoesNotTell() {
    StatusFields fields = StatusFields.parse("Name:\tx\nSeccomp:\t1\nCpus_allowed_list:\t0-3,8\n");

    assertThat(fields.pid()).isEmpty();
    assertThat(fields.tracer()).isZero();
    assertThat(fields.pids()).isEmpty();
    assertThat(fields.user()).isEmpty();
    assertThat(fields.cpus()).contains("0-3,8");
    assertThat(fields.onlyCpu()).isEmpty();
    assertThat(fields.isFiltered()).as("strict mode").isFalse();
    assertThat(fields.hasNoNewPrivileges()).isFalse();
    assertThat(fields.pendingSignals().names()).isEmpty();
  }
}
