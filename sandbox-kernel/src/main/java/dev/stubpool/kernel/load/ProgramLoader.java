package dev.stubpool.kernel.load;

import dev.stubpool.AddressSpace;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.memory.AddressMap;
import dev.stubpool.kernel.memory.Backing;
import dev.stubpool.kernel.memory.UserMemory;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** Loads a static program into an empty process, execve(2). */
public final class ProgramLoader {
  private static final long CLOCK_TICKS = 100;
  private static final long NO_ADDRESS = 0;

  private final AddressMap map;
  private final UserMemory memory;

  /** Creates a loader for a process's memory. */
  public ProgramLoader(AddressMap map, UserMemory memory) {
    this.map = map;
    this.memory = memory;
  }

  /**
   * Loads a program.
   *
   * @param file the program
   * @param path its path in the guest
   * @throws ElfException if it cannot be loaded
   */
  public Image load(
      OpenFile file,
      String path,
      List<String> arguments,
      List<String> environment,
      Identity identity)
      throws ElfException {
    ElfFile elf = ElfFile.read(file::read, file.status().size());
    long size = elf.end() - elf.start();
    long moved = elf.relocatable() ? map.placeProgram(size, elf.alignment()) - elf.start() : 0;
    if (!map.isFree(elf.start() + moved, size)) {
      throw new ElfException(
          "wants memory at 0x%x to 0x%x, which is not free"
              .formatted(elf.start() + moved, elf.end() + moved));
    }
    try {
      Backing backing = file.backing();
      for (Segment segment : elf.segments()) {
        load(segment, backing, moved);
      }
      map.beginBrk(elf.end() + moved);
      long top = map.mapStack(elf.executableStack());
      byte[] random = new byte[FirstStack.RANDOM_SIZE];
      new SecureRandom().nextBytes(random);
      FirstStack stack =
          FirstStack.lay(
              top, arguments, environment, path, random, auxiliaryVector(elf, moved, identity));
      if (stack.content().capacity() > AddressMap.STACK_SIZE / 4) {
        throw new ElfException(
            Errno.E2BIG, "cannot have arguments and environment of more than 2 MiB");
      }
      memory.write(stack.pointer(), stack.content());
      return new Image(elf.entry() + moved, stack.pointer());
    } catch (ErrnoException e) {
      throw new ElfException(e.errno(), "cannot be loaded: " + e.errno().message());
    }
  }

  /** Maps the file's pages, zeroes the rest of the last one, then maps anonymous pages. */
  private void load(Segment segment, Backing file, long moved) {
    long start = segment.start() + moved;
    long fileEnd = segment.fileEnd() + moved;
    long end = segment.end() + moved;
    if (fileEnd > start) {
      long offset = segment.offset() - (segment.address() - segment.start());
      map.mapFile(start, fileEnd - start, file, offset, segment.protection());
      long zeroFrom = segment.address() + segment.fileSize() + moved;
      if (segment.memorySize() > segment.fileSize() && segment.isWritable()) {
        memory.write(zeroFrom, new byte[(int) (fileEnd - zeroFrom)]);
      }
    }
    if (end > fileEnd) {
      map.mapAnonymous(fileEnd, end - fileEnd, segment.protection());
    }
  }

  private static SequencedMap<Integer, Long> auxiliaryVector(
      ElfFile elf, long moved, Identity identity) {
    Map<Integer, Long> host = Auxv.HOST;
    SequencedMap<Integer, Long> auxv = new LinkedHashMap<>();
    for (int key : new int[] {Auxv.AT_MINSIGSTKSZ, Auxv.AT_HWCAP, Auxv.AT_HWCAP2}) {
      if (host.containsKey(key)) {
        auxv.put(key, host.get(key));
      }
    }
    auxv.put(Auxv.AT_PAGESZ, (long) AddressSpace.PAGE_SIZE);
    auxv.put(Auxv.AT_CLKTCK, CLOCK_TICKS);
    auxv.put(Auxv.AT_PHDR, elf.headersAddress() == 0 ? NO_ADDRESS : elf.headersAddress() + moved);
    auxv.put(Auxv.AT_PHENT, (long) ElfFile.PROGRAM_HEADER_SIZE);
    auxv.put(Auxv.AT_PHNUM, (long) elf.headers());
    auxv.put(Auxv.AT_BASE, NO_ADDRESS);
    auxv.put(Auxv.AT_FLAGS, 0L);
    auxv.put(Auxv.AT_ENTRY, elf.entry() + moved);
    auxv.put(Auxv.AT_UID, (long) identity.uid());
    auxv.put(Auxv.AT_EUID, (long) identity.uid());
    auxv.put(Auxv.AT_GID, (long) identity.gid());
    auxv.put(Auxv.AT_EGID, (long) identity.gid());
    auxv.put(Auxv.AT_SECURE, 0L);
    return auxv;
  }
}
