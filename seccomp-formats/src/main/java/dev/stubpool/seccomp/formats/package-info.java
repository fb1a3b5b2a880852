/**
 * Reads and writes seccomp policies in the formats of other tools.
 *
 * <p>{@link dev.stubpool.seccomp.formats.OciProfile} reads and writes the JSON of container
 * runtimes, {@link dev.stubpool.seccomp.formats.MinijailPolicy} reads minijail's text. Both give a
 * {@link dev.stubpool.seccomp.formats.LoadedPolicy}: a policy, and warnings about parts of the text
 * that have no effect. A malformed text causes a {@link
 * dev.stubpool.seccomp.formats.FormatException}, which names file, line and column. The readers
 * throw no other exception, whatever the text.
 *
 * <p>Value types are immutable and thread-safe. No method accepts or returns null.
 */
package dev.stubpool.seccomp.formats;
