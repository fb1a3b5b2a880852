package dev.stubpool.cli.bpf;

import dev.stubpool.seccomp.SeccompAction;

/** The names of actions in the output of the commands. */
final class ActionNames {
  private ActionNames() {}

  /** The name, with the data if the caller or the tracer can see it. */
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
