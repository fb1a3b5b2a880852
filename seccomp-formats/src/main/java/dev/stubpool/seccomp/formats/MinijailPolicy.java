package dev.stubpool.seccomp.formats;

public final class MinijailPolicy {
  private MinijailPolicy() {}
}
