package dev.stubpool.seccomp.formats;

import dev.stubpool.seccomp.Architecture;
import dev.stubpool.seccomp.SystemCallTable;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * System calls that 32-bit x86 and some other architectures multiplex through another call, whose
 * first argument selects them: {@code socketcall} ({@code linux/net.h}) and {@code ipc} ({@code
 * linux/ipc.h}). Newer kernels also have many of them as direct calls (x86 since Linux 4.3 and
 * 5.1).
 *
 * @param carrier the call that carries them
 * @param selector the carrier's first argument
 */
record Multiplexed(String carrier, int selector) {

  private static final List<String> SOCKET_CALLS =
      List.of(
          "socket",
          "bind",
          "connect",
          "listen",
          "accept",
          "getsockname",
          "getpeername",
          "socketpair",
          "send",
          "recv",
          "sendto",
          "recvfrom",
          "shutdown",
          "setsockopt",
          "getsockopt",
          "sendmsg",
          "recvmsg",
          "accept4",
          "recvmmsg",
          "sendmmsg");

  private static final Map<String, Multiplexed> CALLS = calls();

  private static Map<String, Multiplexed> calls() {
    Map<String, Multiplexed> calls = new HashMap<>();
    for (int i = 0; i < SOCKET_CALLS.size(); i++) {
      calls.put(SOCKET_CALLS.get(i), new Multiplexed("socketcall", i + 1));
    }
    Map<String, Integer> ipc =
        Map.ofEntries(
            Map.entry("semop", 1),
            Map.entry("semget", 2),
            Map.entry("semctl", 3),
            Map.entry("semtimedop", 4),
            Map.entry("msgsnd", 11),
            Map.entry("msgrcv", 12),
            Map.entry("msgget", 13),
            Map.entry("msgctl", 14),
            Map.entry("shmat", 21),
            Map.entry("shmdt", 22),
            Map.entry("shmget", 23),
            Map.entry("shmctl", 24));
    ipc.forEach((name, selector) -> calls.put(name, new Multiplexed("ipc", selector)));
    return Map.copyOf(calls);
  }

  /** The multiplexed form of a call on an architecture, if there is one. */
  static Optional<Multiplexed> of(Architecture architecture, String name) {
    return Optional.ofNullable(CALLS.get(name))
        .filter(call -> SystemCallTable.of(architecture).find(call.carrier()).isPresent());
  }
}
