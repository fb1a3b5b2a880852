/** Reads and writes seccomp policies in the formats of other tools, in pure Java. */
module dev.stubpool.seccomp.formats {
  requires transitive dev.stubpool.seccomp;
  requires com.fasterxml.jackson.core;

  exports dev.stubpool.seccomp.formats;
}
