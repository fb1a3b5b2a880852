/** Seccomp policies from and to the formats of other tools; pure Java. */
module dev.stubpool.seccomp.formats {
  requires transitive dev.stubpool.seccomp;
  requires com.fasterxml.jackson.core;

  exports dev.stubpool.seccomp.formats;
}
