package dev.stubpool.cli.bpf;

import dev.stubpool.seccomp.SeccompAction;

/** The names of actions that seccomp's tools agree on. */
final class ActionNames {
  private ActionNames() {}

  /** The name, with the data where that makes a difference to the caller or the tracer. */
  static String of(SeccompAction action) {
    return switch (action.kind()) {
      case KILL_PROCESS -> "KILL_PROCESS";
      case KILL_THREAD -> "KILL";
      case TRAP -> "TRAP";
      case ERRNO -> "ERRNO(" + action.data() + ")";
      case USER_NOTIF -> "NOTIFY";
      case TRACE -> "TRACE(" + action.data() + ")";
      case LOG -> "LOG";
      case ALLOW -> "ALLOW";
    };
  }
}
