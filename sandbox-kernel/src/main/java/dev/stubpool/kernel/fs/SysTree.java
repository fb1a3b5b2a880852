package dev.stubpool.kernel.fs;

import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * The files that language runtimes read in /sys, sysfs(5): the size of transparent huge pages, and
 * the CPUs.
 */
final class SysTree {
  private final LongSupplier inodes;

  SysTree(LongSupplier inodes) {
    this.inodes = inodes;
  }

  void fill(Location sys) {
    file(sys, "kernel/mm/transparent_hugepage/enabled", "always [madvise] never");
    file(sys, "kernel/mm/transparent_hugepage/hpage_pmd_size", "2097152");
    for (String name : new String[] {"online", "possible", "present"}) {
      file(sys, "devices/system/cpu/" + name, SystemTexts.processors());
    }
  }

  private void file(Location sys, String path, String text) {
    String[] names = path.split("/", -1);
    Location at = sys;
    for (int i = 0; i < names.length - 1; i++) {
      at = enter(at, names[i]);
    }
    MadeFile file = new MadeFile(inodes.getAsLong(), FileSystem.DEVICES, () -> text + "\n");
    put(at, new Location(at, names[names.length - 1], file));
  }

  private Location enter(Location at, String name) {
    Optional<Location> known = at.child(name);
    if (known.isPresent()) {
      return known.get();
    }
    MadeDirectory made =
        new MadeDirectory(inodes.getAsLong(), FileSystem.DEVICES, Optional.empty());
    return put(at, new Location(at, name, made));
  }

  private static Location put(Location at, Location child) {
    ((MadeDirectory) at.node()).put(child);
    return child;
  }
}
