package dev.stubpool.cli.run;

import dev.stubpool.kernel.RunningProgram;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;

/**
 * Forwards signals from this JVM to the program that it runs. The only way to catch SIGINT is
 * {@code sun.misc.Signal} of jdk.unsupported, a supported critical API; reflection avoids javac's
 * warnings.
 */
final class SignalForwarding {
  private static final List<String> NAMES = List.of("INT", "TERM", "HUP");

  private SignalForwarding() {}

  /** Forwards signals until the JVM ends. */
  static void to(RunningProgram program) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Method number = signal.getMethod("getNumber");
      Method handle = signal.getMethod("handle", signal, handler);
      Object forwarder =
          Proxy.newProxyInstance(
              handler.getClassLoader(),
              new Class<?>[] {handler},
              (_, _, arguments) -> {
                program.signal((Integer) number.invoke(arguments[0]));
                return null;
              });
      for (String name : NAMES) {
        handle(handle, signal.getConstructor(String.class).newInstance(name), forwarder);
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this JVM has no sun.misc.Signal", e);
    }
  }

  private static void handle(Method handle, Object signal, Object forwarder)
      throws ReflectiveOperationException {
    try {
      Object _ = handle.invoke(null, signal, forwarder);
    } catch (InvocationTargetException e) {
      if (!(e.getCause() instanceof IllegalArgumentException)) {
        throw e;
      }
      // The JVM was started with -Xrs: signals end it, and with it the program.
    }
  }
}
