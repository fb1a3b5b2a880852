package dev.stubpool.kernel.load;

/** A file is no program that can be loaded; the message is what to say after its name. */
public final class ElfException extends Exception {
  private static final long serialVersionUID = 1L;

  ElfException(String message) {
    super(message);
  }
}
