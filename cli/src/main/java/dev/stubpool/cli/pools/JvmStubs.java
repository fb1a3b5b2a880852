package dev.stubpool.cli.pools;

import java.util.List;

/**
 * The stubs of one JVM.
 *
 * @param jvm the JVM
 * @param pools its pools by name, those that publish their stubs
 * @param unpublished its other stubs, by pid
 * @param isDenied whether it may not be looked into, so that all of its stubs are among the others
 * @param unknownTables how many tables it publishes that this version cannot read
 */
public record JvmStubs(
    int jvm,
    List<LivePool> pools,
    List<UnpublishedStub> unpublished,
    boolean isDenied,
    int unknownTables) {
  /** Whether it controls stubs that it does not tell of. */
  public boolean isSilent() {
    return unpublished.stream().anyMatch(stub -> stub.tracer() != 0);
  }
}
