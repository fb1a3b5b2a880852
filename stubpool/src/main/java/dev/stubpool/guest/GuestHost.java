package dev.stubpool.guest;

import dev.stubpool.AddressSpace;
import dev.stubpool.FaultDetails;
import dev.stubpool.Stub;
import dev.stubpool.memory.MappingTable;
import dev.stubpool.ptrace.Tracee;

/** The lease in whose stub a guest runs. */
public interface GuestHost {
  /** The handle that the guest's program sees. */
  Stub stub();

  /** The stub's process, whose other threads are guests. */
  Tracee tracee();

  /** The addresses that can be mapped. */
  AddressSpace addressSpace();

  /** What the library has mapped in the stub. */
  MappingTable mappings();

  /** Throws if the lease or its pool is closed. */
  void checkUsable();

  /** Marks a guest as running; waits while the stub is being copied, which is bounded. */
  void guestRuns();

  /** Ends {@link #guestRuns}. */
  void guestStopped();

  /** Waits until the stub, which is dead or dying, is reaped; returns how it died. */
  String awaitDeath();

  /** {@link GuestEngine#examine}, once the place for a signal frame is mapped. */
  FaultDetails examine(GuestEngine engine);
}
