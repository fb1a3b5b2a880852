package dev.stubpool.bench.report;

import java.util.Optional;

/**
 * A row of the report, from a {@link Row} annotation with its placeholders filled in.
 *
 * @param name unique in the report
 * @param group measures it
 * @param run what is started to measure it; several rows may share one run
 * @param figure what is reported of the run
 * @param floor the row of the floor that it is compared with; empty if there is none
 * @param floorFigure what is reported of the floor
 * @param gate the bound that it has to keep
 * @param needs a file without which the row is left out, as in {@link Row#needs}
 */
record RowSpec(
    String name,
    Group group,
    Run run,
    Figure figure,
    String floor,
    Figure floorFigure,
    Optional<Gate> gate,
    String needs) {}
