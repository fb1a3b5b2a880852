package dev.stubpool.bench;

import dev.stubpool.AddressSpace;
import dev.stubpool.FaultDetails;
import dev.stubpool.Guest;
import dev.stubpool.Protection;
import dev.stubpool.StubMemory;
import dev.stubpool.Trap;
import dev.stubpool.bench.report.Figure;
import dev.stubpool.bench.report.Group;
import dev.stubpool.bench.report.Row;
import dev.stubpool.nativestubs.calls.Abi;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * What a program does with its guest, from Java to Java. Beside the floor's rows of the same names.
 */
@Fork(
    value = 1,
    jvmArgsAppend = {
      StubBenchmark.NATIVE_ACCESS,
      StubBenchmark.UNSAFE_ACCESS,
      StubBenchmark.OWN_EXECUTOR,
      StubBenchmark.GUEST_EXECUTOR
    })
public class GuestBenchmark extends StubBenchmark {
  private static final long UNMAPPED = 0x40_0000;

  /** What the guest does. */
  @Param({"CALL", "READ"})
  public String code;

  private Guest guest;
  private long number;

  /** The guest at its first trap. */
  @Setup(Level.Iteration)
  public void begin() {
    guest = GuestExecutor.guest();
    guest
        .registers()
        .rip(code.equals("CALL") ? GuestExecutor.CALL : GuestExecutor.READ)
        .rdi(UNMAPPED);
    guest.resume();
  }

  /** Row {@code guest_syscall}: the result is the next call's number. */
  @Benchmark
  @Row(
      group = Group.GUEST,
      name = "guest_syscall",
      floor = "guest_syscall",
      gate = 1.2,
      params = "code=CALL")
  @Row(
      group = Group.GUEST,
      name = "guest_syscall_{threads}",
      floor = "guest_syscall_{threads}",
      params = "code=CALL",
      threads = {2, 4, 8},
      mode = Mode.Throughput,
      figure = Figure.MEAN)
  public Trap systemCall() {
    guest.complete(number++ & 0xff);
    return guest.resume();
  }

  /** Row {@code guest_syscall_registers}. */
  @Benchmark
  @Row(
      group = Group.GUEST,
      name = "guest_syscall_registers",
      floor = "guest_syscall_registers",
      params = "code=CALL")
  public long systemCallWithRegisters() {
    guest.registers().rax(number++ & 0xff);
    guest.resume();
    return guest.registers().rdi();
  }

  /** Row {@code guest_fault}: all registers are written and read, as after a signal. */
  @Benchmark
  @Row(
      group = Group.GUEST,
      name = "guest_fault",
      floor = "guest_fault",
      gate = 1.2,
      params = "code=READ")
  public Trap fault() {
    guest.registers().rax(number++);
    return guest.resume();
  }

  /** Row {@code guest_fault_exact}. */
  @Benchmark
  @Row(
      group = Group.GUEST,
      name = "guest_fault_exact",
      floor = "guest_fault_exact",
      gate = 1.3,
      params = "code=READ")
  public FaultDetails exactFault() {
    guest.registers().rax(number++);
    return guest.examine((Trap.Fault) guest.resume());
  }

  /** Row {@code guest_map}: a third of mapping, protecting and unmapping a page not touched. */
  @Benchmark
  @OperationsPerInvocation(3)
  @Row(group = Group.GUEST, name = "guest_map", floor = "map_page", params = "code=CALL")
  public void map() {
    StubMemory memory = guest.memory();
    memory.mapAnonymous(UNMAPPED, AddressSpace.PAGE_SIZE, Protection.READ_WRITE);
    memory.protect(UNMAPPED, AddressSpace.PAGE_SIZE, Protection.READ);
    memory.unmap(UNMAPPED, AddressSpace.PAGE_SIZE);
  }

  /** Row {@code guest_injection}: getpid in the stopped guest, and its next call. */
  @Benchmark
  @Row(
      group = Group.GUEST,
      name = "guest_injection",
      floor = "guest_injection",
      gate = 1.2,
      params = "code=CALL")
  public Trap injection() {
    guest.stub().syscall(Abi.SYS_getpid);
    guest.complete(number++ & 0xff);
    return guest.resume();
  }
}
