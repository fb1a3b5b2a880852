package dev.stubpool.nativestubs.calls;

/** The JVM cannot find a function of libc that the host text is mapped with. */
public final class MissingFunctionException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  MissingFunctionException(String function) {
    super(
        "the JVM cannot find libc's function "
            + function
            + ": it could not load its own library libsyslookup.so, most likely because all file"
            + " descriptors were in use; raise the limit (ulimit -n 4096) and start the JVM again");
  }
}
