package dev.stubpool.forge;

import dev.stubpool.ptrace.Tracee;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The operations on processes that the pool's policy asks for: performed by {@link Forge},
 * simulated in tests of the policy. Called on the forge tracer's thread.
 */
public interface StubFactory {
  /**
   * Makes stubs.
   *
   * @param born is given each; fewer than {@code count} if some died or it fails
   */
  void forge(int count, Consumer<Tracee> born);

  /** Makes a copy-on-write copy of a stub. */
  Tracee copy(Tracee stub);

  /**
   * Resets a used stub.
   *
   * @return null if it is reset, or why it must be discarded
   */
  @Nullable String recycle(Tracee stub);

  /** Kills a stub without waiting for its end: {@link #discard} follows. */
  void kill(Tracee stub);

  /** Kills a stub and waits for its end, which the pool is then told of. */
  void discard(Tracee stub);
}
