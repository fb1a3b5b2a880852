package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.SeccompPolicy;

final class OciWriter {
  OciWriter(SeccompPolicy p) {}

  String write() {
    return "";
  }
}
