package dev.stubpool.cli.pools;

import java.util.List;

/**
 * The stubs of one JVM.
 *
 * @param jvm the JVM
 * @param pools its pools that publish their stubs, by name
 * @param unpublished its other stubs, by pid
 * @param isDenied whether its files are not readable, so that all of its stubs are in {@code
 *     unpublished}
 * @param unknownTables the number of published tables that this version cannot read
 */
public record JvmStubs(
    int jvm,
    List<LivePool> pools,
    List<UnpublishedStub> unpublished,
    boolean isDenied,
    int unknownTables) {
  /** Whether it controls stubs that it does not publish. */
  public boolean isSilent() {
    return unpublished.stream().anyMatch(stub -> stub.tracer() != 0);
  }
}
