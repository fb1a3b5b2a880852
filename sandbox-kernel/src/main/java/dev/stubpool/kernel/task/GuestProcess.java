package dev.stubpool.kernel.task;

import dev.stubpool.kernel.file.DescriptorTable;
import dev.stubpool.kernel.fs.FileTree;
import dev.stubpool.kernel.memory.AddressMap;
import dev.stubpool.kernel.memory.UserMemory;
import java.time.Duration;
import java.util.function.Supplier;

/** A process of the guest's: what all of its threads share. */
public final class GuestProcess {
  /** The first process, and so far the only one. */
  public static final int FIRST_PID = 1;

  private final AddressMap map;
  private final UserMemory memory;
  private final DescriptorTable descriptors;
  private final FileTree files;
  private final Identity identity;
  private final Supplier<Duration> cpuTime;
  private final Signals signals = new Signals();
  private final Limits limits = new Limits();
  private String workingDirectory;

  /** Makes one that has nothing but what it is given. */
  public GuestProcess(
      AddressMap map,
      UserMemory memory,
      DescriptorTable descriptors,
      FileTree files,
      Identity identity,
      Supplier<Duration> cpuTime,
      String workingDirectory) {
    this.map = map;
    this.memory = memory;
    this.descriptors = descriptors;
    this.files = files;
    this.identity = identity;
    this.cpuTime = cpuTime;
    this.workingDirectory = workingDirectory;
  }

  /** Its number. */
  public int pid() {
    return FIRST_PID;
  }

  /** What it has mapped. */
  public AddressMap map() {
    return map;
  }

  /** Copies to and from its memory. */
  public UserMemory memory() {
    return memory;
  }

  /** Its descriptors. */
  public DescriptorTable descriptors() {
    return descriptors;
  }

  /** The files that it sees. */
  public FileTree files() {
    return files;
  }

  /** Whom it runs as. */
  public Identity identity() {
    return identity;
  }

  /** How long it had a CPU. */
  public Duration cpuTime() {
    return cpuTime.get();
  }

  /** Its signals. */
  public Signals signals() {
    return signals;
  }

  /** Its limits. */
  public Limits limits() {
    return limits;
  }

  /** Where relative paths begin. */
  public String workingDirectory() {
    return workingDirectory;
  }

  /** chdir(2). */
  public void workingDirectory(String path) {
    workingDirectory = path;
  }
}
