/**
 * The program behind {@code bench/run}: runs the benchmarks and what they are compared with, in
 * turn, and writes the report. It knows the benchmarks by their {@link
 * dev.stubpool.bench.report.Row} annotations only, and nothing of the library.
 */
package dev.stubpool.bench.report;
