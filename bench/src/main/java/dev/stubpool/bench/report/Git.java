package dev.stubpool.bench.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What a checkout contains. */
final class Git {
  private static final String UNKNOWN = "unknown";

  /** What a run itself writes does not make a commit a changed one. */
  private static final List<String> BUT_REPORTS =
      List.of("--", ":/", ":!/README.md", ":!/bench/RESULTS*.md", ":!/bench/charts*");

  private Git() {}

  /** The commit that is checked out, and whether there are changes to it. */
  static String commit(Path folder) {
    String id = git(folder, List.of("rev-parse", "--short", "HEAD"));
    if (id.equals(UNKNOWN)) {
      return id;
    }
    List<String> status = new ArrayList<>(List.of("status", "--porcelain"));
    status.addAll(BUT_REPORTS);
    return git(folder, status).isEmpty() ? id : id + ", with changes";
  }

  private static String git(Path folder, List<String> arguments) {
    List<String> command = new ArrayList<>(List.of("git"));
    command.addAll(arguments);
    try {
      Process git =
          new ProcessBuilder(command)
              .directory(folder.toFile())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String printed = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return git.waitFor() == 0 ? printed.strip() : UNKNOWN;
    } catch (IOException e) {
      return UNKNOWN; // there is no git
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BenchException("interrupted while git was asked for the commit", e);
    }
  }
}
