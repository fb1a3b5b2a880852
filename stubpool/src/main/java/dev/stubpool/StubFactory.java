package dev.stubpool;

import dev.stubpool.trace.Tracee;
import java.util.function.Consumer;

/**
 * What can be done to processes, as {@link StubSupply} sees it: the kernel's side in {@link
 * ForgeWork}, none at all in tests. Called on the tracer thread.
 */
interface StubFactory {
  /**
   * Makes stubs.
   *
   * @param born is given each; fewer than {@code count} if some died or it fails
   */
  void forge(int count, Consumer<Tracee> born);

  /** Makes a copy-on-write copy of a stub. */
  Tracee copy(Tracee stub);

  /**
   * Makes a used stub like new.
   *
   * @return null, or why it must be discarded
   */
  String recycle(Tracee stub);

  /** Kills a stub and does not wait for its end: {@link #discard} follows. */
  void kill(Tracee stub);

  /** Kills a stub and waits for its end; {@link StubSupply#ended} is told of it. */
  void discard(Tracee stub);
}
