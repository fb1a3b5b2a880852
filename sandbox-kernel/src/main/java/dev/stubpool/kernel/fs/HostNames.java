package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.memory.GuestString;
import java.net.URI;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * Converts host file names, which are bytes, from and to the guest's strings. Java's conversion of
 * non-ASCII bytes depends on the locale, so names are converted through URIs, which can represent
 * all bytes.
 */
final class HostNames {
  private HostNames() {}

  /** The path of a name in a directory; empty if Java cannot represent it. */
  static Optional<Path> in(Path directory, String name) {
    return path(name).map(directory::resolve);
  }

  /** The relative path of a name; empty if Java cannot represent it. */
  static Optional<Path> path(String name) {
    try {
      if (isPlain(name)) {
        return Optional.of(Path.of(name));
      }
      StringBuilder uri = new StringBuilder("file:///");
      for (byte b : GuestString.bytes(name)) {
        uri.append('%').append("%02x".formatted(b));
      }
      return Optional.of(Path.of(URI.create(uri.toString())).getFileName());
    } catch (InvalidPathException _) {
      return Optional.empty();
    }
  }

  /** The text of an absolute or relative host path. */
  static String text(Path path) {
    String text = path.toString();
    if (isPlain(text)) {
      return text;
    }
    // A URI is absolute; its path has the bytes of the names.
    String absolute = Path.of("/").resolve(path).toUri().getRawPath();
    return GuestString.of(unescaped(path.isAbsolute() ? absolute : absolute.substring(1), text));
  }

  private static byte[] unescaped(String escaped, String text) {
    // Java adds a slash if the host has a directory there.
    String raw =
        escaped.endsWith("/") && !text.endsWith("/")
            ? escaped.substring(0, escaped.length() - 1)
            : escaped;
    byte[] bytes = new byte[raw.length()];
    int size = 0;
    for (int i = 0; i < raw.length(); i++) {
      if (raw.charAt(i) == '%') {
        bytes[size++] = (byte) Integer.parseInt(raw, i + 1, i + 3, 16);
        i += 2;
      } else {
        bytes[size++] = (byte) raw.charAt(i);
      }
    }
    return Arrays.copyOf(bytes, size);
  }

  private static boolean isPlain(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      // A question mark may replace a character that Java cannot represent.
      if (c >= 0x7f || c == '?') {
        return false;
      }
    }
    return true;
  }
}
