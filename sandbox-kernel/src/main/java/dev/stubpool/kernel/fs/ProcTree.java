package dev.stubpool.kernel.fs;

import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.memory.MemoryBudget;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** The files of /proc, proc(5). */
final class ProcTree {
  /** The shift of inode numbers of dynamic files, beyond those of static files. */
  private static final int KIND_SHIFT = 56;

  private static final int ID_SHIFT = 24;

  private static final long PROCESS = 1;
  private static final long DESCRIPTOR = 2;
  private static final long THREAD = 3;

  private final ProcessViews processes;
  private final SystemTexts texts;
  private final LongSupplier inodes;
  private final FileTree tree;

  /** The texts of a process, by name. */
  private static final Map<String, Function<ProcessView, String>> PROCESS_TEXTS =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("cgroup", _ -> "0::/\n"),
              Map.entry("cmdline", process -> ProcessTexts.terminated(process.arguments())),
              Map.entry("comm", process -> process.name() + "\n"),
              Map.entry("environ", process -> ProcessTexts.terminated(process.environment())),
              Map.entry("maps", ProcessTexts::maps),
              Map.entry("mountinfo", _ -> SystemTexts.mountInfo()),
              Map.entry("mounts", _ -> SystemTexts.mounts()),
              Map.entry("oom_score", _ -> "0\n"),
              Map.entry("oom_score_adj", _ -> "0\n"),
              Map.entry("stat", ProcessTexts::stat),
              Map.entry("statm", ProcessTexts::statm),
              Map.entry("status", ProcessTexts::status)));

  /** The texts of a thread, by name. */
  private static final Map<String, ThreadText> THREAD_TEXTS =
      new TreeMap<>(
          Map.of(
              "comm",
              (_, thread) -> thread.name() + "\n",
              "stat",
              ProcessTexts::stat,
              "status",
              ProcessTexts::status));

  @FunctionalInterface
  private interface ThreadText {
    String of(ProcessView process, ProcessView.ThreadView thread);
  }

  /**
   * Creates the files.
   *
   * @param inodes assigns inode numbers to static files
   * @param tree the tree of all files
   */
  ProcTree(ProcessViews processes, MemoryBudget memory, LongSupplier inodes, FileTree tree) {
    this.processes = processes;
    this.texts = new SystemTexts(processes, memory);
    this.inodes = inodes;
    this.tree = tree;
  }

  /** Fills a directory with them. */
  void fill(Location proc) {
    texts.all().forEach((path, text) -> file(proc, path, text));
    link(proc, "mounts", () -> "self/mounts");
    link(proc, "self", () -> Integer.toString(current()));
    link(proc, "thread-self", () -> current() + "/task/" + processes.currentThread());
    DynamicDirectory all =
        new DynamicDirectory(
            inodes.getAsLong(),
            () -> processes.processes().stream().map(String::valueOf).toList(),
            name ->
                number(name).filter(pid -> processes.process(pid).isPresent()).map(this::process));
    ((MadeDirectory) proc.node()).below(proc, all);
  }

  private int current() {
    int pid = processes.currentProcess();
    if (pid == 0) {
      throw new ErrnoException(Errno.ENOENT);
    }
    return pid;
  }

  private void file(Location proc, String path, Supplier<String> text) {
    Location at = proc;
    String[] names = path.split("/", -1);
    for (int i = 0; i < names.length - 1; i++) {
      at = enter(at, names[i]);
    }
    String name = names[names.length - 1];
    put(at, new Location(at, name, new MadeFile(inodes.getAsLong(), FileSystem.PROC, text)));
  }

  private Location enter(Location at, String name) {
    return at.child(name)
        .orElseGet(
            () -> {
              MadeDirectory made =
                  new MadeDirectory(inodes.getAsLong(), FileSystem.PROC, Optional.empty());
              return put(at, new Location(at, name, made));
            });
  }

  private void link(Location proc, String name, Supplier<String> target) {
    MadeLink link = new MadeLink(inodes.getAsLong(), FileSystem.PROC, target, Optional::empty);
    put(proc, new Location(proc, name, link));
  }

  private static Location put(Location at, Location child) {
    ((MadeDirectory) at.node()).put(child);
    return child;
  }

  // ---- processes ----

  private static Optional<Integer> number(String name) {
    return name.matches("[1-9][0-9]{0,8}") ? Optional.of(Integer.parseInt(name)) : Optional.empty();
  }

  private static long inode(long kind, int id, int index) {
    return (kind << KIND_SHIFT) | ((long) id << ID_SHIFT) | index;
  }

  /** The process with a pid; ESRCH if it is gone. */
  private ProcessView view(int pid) {
    return processes.process(pid).orElseThrow(() -> new ErrnoException(Errno.ESRCH));
  }

  private Node process(int pid) {
    Map<String, Node> entries = new TreeMap<>();
    PROCESS_TEXTS.forEach(
        (name, text) ->
            entries.put(
                name,
                new MadeFile(
                    inode(PROCESS, pid, entries.size() + 1),
                    FileSystem.PROC,
                    () -> text.apply(view(pid)))));
    entries.put("exe", jump(pid, 101, () -> view(pid).executable()));
    entries.put("cwd", jump(pid, 102, () -> Optional.of(view(pid).workingDirectory())));
    entries.put("root", jump(pid, 103, () -> Optional.of(tree.root())));
    entries.put("fd", descriptors(pid));
    entries.put("task", threads(pid));
    return directory(inode(PROCESS, pid, 0), entries);
  }

  private static Node directory(long inode, Map<String, Node> entries) {
    return new DynamicDirectory(
        inode, () -> List.copyOf(entries.keySet()), name -> Optional.ofNullable(entries.get(name)));
  }

  private static Node jump(int pid, int index, Supplier<Optional<Location>> destination) {
    Supplier<Location> there =
        () -> destination.get().orElseThrow(() -> new ErrnoException(Errno.ENOENT));
    return new MadeLink(
        inode(PROCESS, pid, index),
        FileSystem.PROC,
        () -> there.get().path(),
        () -> Optional.of(there.get()));
  }

  private Node descriptors(int pid) {
    return new DynamicDirectory(
        inode(PROCESS, pid, 104),
        () -> view(pid).descriptors().keySet().stream().map(String::valueOf).toList(),
        name ->
            (name.equals("0") ? Optional.of(0) : number(name))
                .filter(view(pid).descriptors()::containsKey)
                .map(number -> descriptor(pid, number)));
  }

  private Node descriptor(int pid, int number) {
    Supplier<OpenFile> file =
        () ->
            Optional.ofNullable(view(pid).descriptors().get(number))
                .orElseThrow(() -> new ErrnoException(Errno.ENOENT));
    return new MadeLink(
        inode(DESCRIPTOR, pid, number),
        FileSystem.PROC,
        () -> file.get().path(),
        () -> Optional.of(tree.locate(file.get())));
  }

  private Node threads(int pid) {
    return new DynamicDirectory(
        inode(PROCESS, pid, 105),
        () -> view(pid).threads().stream().map(thread -> String.valueOf(thread.tid())).toList(),
        name ->
            number(name).filter(tid -> find(pid, tid).isPresent()).map(tid -> thread(pid, tid)));
  }

  private Optional<ProcessView.ThreadView> find(int pid, int tid) {
    return view(pid).threads().stream().filter(thread -> thread.tid() == tid).findAny();
  }

  private Node thread(int pid, int tid) {
    Map<String, Node> entries = new TreeMap<>();
    THREAD_TEXTS.forEach(
        (name, text) ->
            entries.put(
                name,
                new MadeFile(
                    inode(THREAD, tid, entries.size() + 1),
                    FileSystem.PROC,
                    () -> text.of(view(pid), find(pid, tid).orElseThrow(ProcTree::gone)))));
    return directory(inode(THREAD, tid, 0), entries);
  }

  private static ErrnoException gone() {
    return new ErrnoException(Errno.ESRCH);
  }
}
