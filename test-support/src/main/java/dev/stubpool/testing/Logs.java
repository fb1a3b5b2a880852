package dev.stubpool.testing;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import ch.qos.logback.core.read.ListAppender;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.LoggerFactory;

/** What a class logs as warning or worse while this is open; it is printed nowhere. */
public final class Logs implements AutoCloseable {
  private final Logger logger;
  private final ListAppender<ILoggingEvent> appender = new ListAppender<>();

  public Logs(Class<?> type) {
    logger = (Logger) LoggerFactory.getLogger(type);
    appender.setContext(logger.getLoggerContext());
    appender.start();
    logger.setAdditive(false);
    logger.addAppender(appender);
  }

  /** "WARN message", and for what was thrown with it its message and "at Class.method" a frame. */
  public List<String> lines() {
    List<ILoggingEvent> events;
    synchronized (appender) { // as it is when it appends
      events = List.copyOf(appender.list);
    }
    List<String> lines = new ArrayList<>();
    for (ILoggingEvent event : events) {
      if (event.getLevel().isGreaterOrEqual(Level.WARN)) {
        lines.add(event.getLevel() + " " + event.getFormattedMessage());
        addThrown(event.getThrowableProxy(), lines);
      }
    }
    return lines;
  }

  private static void addThrown(IThrowableProxy thrown, List<String> lines) {
    if (thrown != null) {
      lines.add(thrown.getMessage());
      for (StackTraceElementProxy frame : thrown.getStackTraceElementProxyArray()) {
        StackTraceElement element = frame.getStackTraceElement();
        lines.add("at " + element.getClassName() + "." + element.getMethodName());
      }
    }
  }

  /** Forgets what was logged so far. */
  public void clear() {
    synchronized (appender) {
      appender.list.clear();
    }
  }

  @Override
  public void close() {
    logger.detachAppender(appender);
    logger.setAdditive(true);
  }
}
