/**
 * The stub image, and the clone of the first stub process.
 *
 * <p>{@link dev.stubpool.nativestubs.image.StubImage} maps freestanding machine code (built from
 * {@code src/main/native}) at a random address of the JVM. Its stub text is what every stub process
 * keeps when all else has been unmapped; its birth text is what {@link
 * dev.stubpool.nativestubs.image.SourceClone} runs to fork a source stub, and what the source runs
 * until it is ready. The labels of both are generated constants: {@link
 * dev.stubpool.nativestubs.image.ImageSymbols}.
 *
 * <p>Built on package {@code calls}, which does not depend on this one.
 */
package dev.stubpool.nativestubs.image;
