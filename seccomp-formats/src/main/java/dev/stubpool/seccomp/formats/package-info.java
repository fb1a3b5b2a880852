/**
 * Seccomp policies from and to the formats of other tools.
 *
 * <p>{@link dev.stubpool.seccomp.formats.OciProfile} reads and writes the JSON of container
 * runtimes, {@link dev.stubpool.seccomp.formats.MinijailPolicy} reads minijail's text. Both give a
 * {@link dev.stubpool.seccomp.formats.LoadedPolicy}: a policy, and warnings about what of the text
 * is not in it. A text that cannot be understood is a {@link
 * dev.stubpool.seccomp.formats.FormatException}, which names file, line and column; no text makes
 * the readers throw anything else.
 *
 * <p>Value types are immutable and may be shared between threads. No method accepts or returns
 * null.
 */
package dev.stubpool.seccomp.formats;
