package dev.stubpool.kernel.process;

import dev.stubpool.Guest;
import dev.stubpool.GuestState;
import dev.stubpool.Stub;
import dev.stubpool.StubPoolException;
import dev.stubpool.kernel.abi.Bits;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.abi.Signal;
import dev.stubpool.kernel.memory.AddressMap;
import dev.stubpool.kernel.memory.UserMemory;
import dev.stubpool.kernel.signal.AlternateStack;

/**
 * Creates threads and processes, clone(2).
 *
 * <ul>
 *   <li>A thread is another guest in its process's stub.
 *   <li>A child of fork(2) is a copy-on-write copy of the stub, with one guest that continues from
 *       the caller's registers.
 *   <li>A child of vfork(2) is a process whose guest runs in the parent's stub, until it executes a
 *       program or ends; its creator waits for that.
 * </ul>
 *
 * @param flags CLONE_*, with the exit signal in the lowest byte
 * @param stack the new stack pointer; 0 to keep the caller's
 * @param parentTid the address for the tid in the parent
 * @param childTid the address for the tid in the child, which is cleared at its end
 * @param tls the base of fs
 */
public record Cloning(long flags, long stack, long parentTid, long childTid, long tls) {
  public static final long CLONE_VM = 0x100;
  public static final long CLONE_FS = 0x200;
  public static final long CLONE_FILES = 0x400;
  public static final long CLONE_SIGHAND = 0x800;
  public static final long CLONE_PIDFD = 0x1000;
  public static final long CLONE_VFORK = 0x4000;
  public static final long CLONE_PARENT = 0x8000;
  public static final long CLONE_THREAD = 0x1_0000;
  public static final long CLONE_NEWNS = 0x2_0000;
  public static final long CLONE_SETTLS = 0x8_0000;
  public static final long CLONE_PARENT_SETTID = 0x10_0000;
  public static final long CLONE_CHILD_CLEARTID = 0x20_0000;
  public static final long CLONE_CHILD_SETTID = 0x100_0000;
  private static final long NAMESPACES = CLONE_NEWNS | 0x7e02_0000L;

  /** TASK_SIZE_MAX: the limit for the base of fs. */
  private static final long USER_SPACE_END = 0x7fff_ffff_f000L;

  private static final int EXIT_SIGNAL_BITS = 0xff;

  /** fork(2). */
  public static Cloning fork() {
    return new Cloning(Signal.SIGCHLD, 0, 0, 0, 0);
  }

  /** vfork(2). */
  public static Cloning vfork() {
    return new Cloning(CLONE_VM | CLONE_VFORK | Signal.SIGCHLD, 0, 0, 0, 0);
  }

  private boolean has(long flag) {
    return Bits.any(flags, flag);
  }

  /**
   * Creates the thread or process.
   *
   * @return its tid
   */
  public int perform(Task caller) {
    check();
    ProcessTable table = caller.table();
    table.checkRoom();
    GuestState state = caller.guest().save();
    ProgramMemory memory = has(CLONE_VM) ? caller.program() : copy(caller);
    GuestProcess process = caller.process();
    int tid;
    if (has(CLONE_THREAD)) {
      tid = table.nextPid();
    } else {
      process = table.makeChild(process, has(CLONE_FILES), exitSignal());
      tid = process.pid();
    }
    Task task = table.addTask(process, tid, caller.name());
    task.signals().mask(caller.signals().mask());
    boolean ownStack = !has(CLONE_VM) || has(CLONE_VFORK);
    task.signals().stack(ownStack ? caller.signals().stack() : AlternateStack.NONE);
    task.startIn(memory, guest -> prepare(guest, state));
    table.start(task); // it waits for the lock, and runs even if its stub is dead
    tell(caller, task);
    if (has(CLONE_VFORK)) {
      GuestProcess child = process;
      caller.awaitUnlessKilled(
          child.memoryLeft(), () -> child.isZombie() || task.program() != memory);
    }
    return tid;
  }

  /** The exit signal; 0 (none) also for an invalid number. */
  private int exitSignal() {
    int signal = (int) flags & EXIT_SIGNAL_BITS;
    return signal <= Signal.SIGRTMAX ? signal : 0;
  }

  private void check() {
    if ((has(CLONE_THREAD) && !has(CLONE_SIGHAND))
        || (has(CLONE_SIGHAND) && !has(CLONE_VM))
        || has(CLONE_PIDFD)
        || (has(CLONE_THREAD) && has(CLONE_VFORK))
        || (has(CLONE_SIGHAND) && !has(CLONE_THREAD))) {
      throw new ErrnoException(Errno.EINVAL);
    }
    boolean isBaseWrong = has(CLONE_SETTLS) && (tls < 0 || tls >= USER_SPACE_END);
    if (has(NAMESPACES) || isBaseWrong) {
      throw new ErrnoException(Errno.EPERM);
    }
  }

  private void prepare(Guest guest, GuestState state) {
    guest.restore(state);
    guest.registers().rax(0);
    if (stack != 0) {
      guest.registers().rsp(stack);
    }
    if (has(CLONE_SETTLS)) {
      guest.segments().fsBase(tls);
    }
  }

  private void tell(Task caller, Task task) {
    if (has(CLONE_CHILD_CLEARTID)) {
      task.clearTidAddress(childTid);
    }
    if (has(CLONE_PARENT_SETTID)) {
      store(caller, parentTid, task.tid());
    }
    if (has(CLONE_CHILD_SETTID)) {
      store(task, childTid, task.tid());
    }
  }

  private static void store(Task task, long address, int tid) {
    try {
      task.memory().writeInt(address, tid);
    } catch (ErrnoException _) {
      // Ignored as in Linux: the thread exists, and the result has its tid.
    }
  }

  /** Copies the caller's memory while no guest runs in it. */
  private static ProgramMemory copy(Task caller) {
    ProgramMemory memory = caller.program();
    memory.stopAll(caller.table().lock());
    memory.map().chargeCopy();
    Stub copy;
    try {
      copy = memory.stub().spawnChild();
    } catch (StubPoolException _) {
      memory.map().unchargeCopy();
      throw new ErrnoException(Errno.EAGAIN);
    }
    caller.table().countStub();
    AddressMap map = memory.map().copyTo(copy.memory());
    return new ProgramMemory(
        copy, map, new UserMemory(copy.memory(), caller.table().pool().addressSpace()));
  }
}
