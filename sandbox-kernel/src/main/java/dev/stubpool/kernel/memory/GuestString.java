package dev.stubpool.kernel.memory;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;

/**
 * Converts guest strings, which are bytes, usually UTF-8. A byte that is not valid UTF-8 becomes an
 * unpaired low surrogate, 0xdc00 plus the byte, so that the conversion is lossless.
 */
public final class GuestString {
  private static final char ESCAPE = 0xdc00;
  private static final int LOWEST_ESCAPED = 0x80;

  private GuestString() {}

  /** Decodes bytes. */
  public static String of(byte[] bytes) {
    ByteBuffer from = ByteBuffer.wrap(bytes);
    CharBuffer to = CharBuffer.allocate(bytes.length);
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    CoderResult result = decoder.decode(from, to, true);
    while (result.isError()) {
      for (int i = 0; i < result.length(); i++) {
        to.put((char) (ESCAPE | (from.get() & 0xff)));
      }
      result = decoder.reset().decode(from, to, true);
    }
    return to.flip().toString();
  }

  /** Encodes a text; the inverse of {@link #of}. */
  public static byte[] bytes(String text) {
    ByteBuffer to = ByteBuffer.allocate(3 * text.length());
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      if (isEscaped(text, i)) {
        to.put(text.substring(start, i).getBytes(StandardCharsets.UTF_8))
            .put((byte) text.charAt(i));
        start = i + 1;
      }
    }
    to.put(text.substring(start).getBytes(StandardCharsets.UTF_8));
    byte[] bytes = new byte[to.position()];
    to.get(0, bytes);
    return bytes;
  }

  private static boolean isEscaped(String text, int index) {
    int escaped = text.charAt(index) - ESCAPE;
    return escaped >= LOWEST_ESCAPED
        && escaped <= 0xff
        && (index == 0 || !Character.isHighSurrogate(text.charAt(index - 1)));
  }
}
