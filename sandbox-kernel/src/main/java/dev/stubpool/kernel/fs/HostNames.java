package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.memory.GuestString;
import java.net.URI;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * Names of the host's, which are bytes, as the guest has them. What Java makes of bytes that are no
 * ASCII depends on the locale it was started in, so they go by way of a URI, which has them all.
 */
final class HostNames {
  private HostNames() {}

  /** A name in a directory; empty if Java cannot say it to the host. */
  static Optional<Path> in(Path directory, String name) {
    return path(name).map(directory::resolve);
  }

  /** A name alone; empty if Java cannot say it to the host. */
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

  /** The text of a path of the host's, whatever it is relative to. */
  static String text(Path path) {
    String text = path.toString();
    if (isPlain(text)) {
      return text;
    }
    // A URI is absolute, and of the names of a path no other part than its bytes.
    String absolute = Path.of("/").resolve(path).toUri().getRawPath();
    return GuestString.of(unescaped(path.isAbsolute() ? absolute : absolute.substring(1), text));
  }

  private static byte[] unescaped(String escaped, String text) {
    // Java asks the host, and adds a slash, if that has a directory there.
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
      // A question mark may stand for what Java could not say.
      if (c >= 0x7f || c == '?') {
        return false;
      }
    }
    return true;
  }
}
