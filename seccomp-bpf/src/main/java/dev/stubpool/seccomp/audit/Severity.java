package dev.stubpool.seccomp.audit;

/** How bad a finding is, the worst first. */
public enum Severity {
  /** A process can get around the filter. */
  HIGH,
  /** The filter probably does not do what is wanted. */
  MEDIUM,
  /** The filter works as written, but that may be unwise. */
  LOW,
  /** Good to know. */
  INFO
}
