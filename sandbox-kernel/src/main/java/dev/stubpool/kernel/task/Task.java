package dev.stubpool.kernel.task;

import dev.stubpool.Guest;
import dev.stubpool.kernel.memory.UserMemory;
import java.nio.ByteBuffer;
import java.util.OptionalInt;

/** A thread of a process, and the guest that runs it. Belongs to the guest's tracer thread. */
public final class Task {
  private static final int TRANSFER_SIZE = 1 << 18;

  private final GuestProcess process;
  private final Guest guest;
  private final ByteBuffer transfer = ByteBuffer.allocateDirect(TRANSFER_SIZE);
  private OptionalInt exit = OptionalInt.empty();

  /** Makes a thread. */
  public Task(GuestProcess process, Guest guest) {
    this.process = process;
    this.guest = guest;
  }

  /** Its process. */
  public GuestProcess process() {
    return process;
  }

  /** What runs it. */
  public Guest guest() {
    return guest;
  }

  /** Its number: that of its process, as it is the first. */
  public int tid() {
    return process.pid();
  }

  /** Copies to and from its memory. */
  public UserMemory memory() {
    return process.memory();
  }

  /** A native buffer for file data on their way, empty, with room for at most {@code size}. */
  public ByteBuffer transfer(long size) {
    return transfer.clear().limit((int) Math.min(size, TRANSFER_SIZE));
  }

  /** exit_group(2): it does not go on after this call. */
  public void exit(int status) {
    exit = OptionalInt.of(status);
  }

  /** The exit status, once there is one. */
  public OptionalInt exitStatus() {
    return exit;
  }
}
