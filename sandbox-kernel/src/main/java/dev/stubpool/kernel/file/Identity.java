package dev.stubpool.kernel.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The user and group of a program, credentials(7): real, effective and saved ids are equal. */
public record Identity(int uid, int gid) {
  /** The user that this JVM runs as. */
  public static Identity ofHost() throws IOException {
    Path self = Path.of("/proc/self");
    return new Identity(
        (Integer) Files.getAttribute(self, "unix:uid"),
        (Integer) Files.getAttribute(self, "unix:gid"));
  }
}
