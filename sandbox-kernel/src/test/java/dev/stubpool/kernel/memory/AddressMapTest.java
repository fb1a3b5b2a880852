package dev.stubpool.kernel.memory;

import static dev.stubpool.kernel.abi.MapFlags.MAP_ANONYMOUS;
import static dev.stubpool.kernel.abi.MapFlags.MAP_FIXED;
import static dev.stubpool.kernel.abi.MapFlags.MAP_FIXED_NOREPLACE;
import static dev.stubpool.kernel.abi.MapFlags.MAP_PRIVATE;
import static dev.stubpool.kernel.abi.MapFlags.MAP_SHARED;
import static dev.stubpool.kernel.abi.MapFlags.PROT_READ;
import static dev.stubpool.kernel.abi.MapFlags.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.AddressSpace;
import dev.stubpool.Mappable;
import dev.stubpool.StubPool;
import dev.stubpool.kernel.abi.Errno;
import dev.stubpool.kernel.abi.ErrnoException;
import dev.stubpool.kernel.sync.KernelLock;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class AddressMapTest {
  private static final long PAGE = AddressSpace.PAGE_SIZE;
  private static final int READ_WRITE = PROT_READ | PROT_WRITE;
  private static final long IMAGE = 0x7000_0000L;
  private static final AddressSpace SPACE =
      new AddressSpace(0x1_0000, 0x7fff_ffff_f000L, IMAGE, IMAGE + 16 * PAGE);
  private static final int MAYMOVE = 1;

  private final FakeMapper mapper = new FakeMapper();
  private final MemoryBudget budget = new MemoryBudget(100 * PAGE);
  private final AddressMap map = new AddressMap(SPACE, mapper, budget);
  private final KernelLock lock = new KernelLock();

  /** A file that knows who maps it. */
  private static final class CountingBacking implements Backing {
    private final List<AddressMap> maps = new ArrayList<>();

    @Override
    public Mappable open(StubPool pool) {
      throw new UnsupportedOperationException();
    }

    @Override
    public String name() {
      return "/file";
    }

    @Override
    public void mapped(AddressMap by) {
      maps.add(by);
    }

    @Override
    public void unmapped(AddressMap by) {
      maps.remove(by);
    }
  }

  private long anonymous(long address, int pages, int protection, int flags) {
    return map.map(
        new MapRequest(
            address,
            pages * PAGE,
            protection,
            MAP_PRIVATE | MAP_ANONYMOUS | flags,
            null,
            false,
            0));
  }

  private long file(Backing file, long address, int pages, int protection, int flags, long offset) {
    return map.map(new MapRequest(address, pages * PAGE, protection, flags, file, true, offset));
  }

  private long remap(long address, long oldPages, long newPages, int flags) {
    return new Remapping(address, oldPages * PAGE, newPages * PAGE, flags, 0)
        .perform(map, lock, ByteBuffer.allocate(1));
  }

  private static void fails(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
  }

  @Test
  void shouldHaveInItsBooksWhatIsMapped() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    CountingBacking[] files = {new CountingBacking(), new CountingBacking()};
    long base = IMAGE - 20 * PAGE;
    for (int i = 0; i < 3_000; i++) {
      if (random.nextInt(5) == 0) {
        mapper.failOnce();
      }
      long at = base + random.nextInt(60) * PAGE;
      int pages = 1 + random.nextInt(12);
      int protection = random.nextInt(4);
      try {
        switch (random.nextInt(7)) {
          case 0 -> anonymous(at, pages, protection, MAP_FIXED);
          case 1 ->
              file(
                  files[random.nextInt(2)],
                  at,
                  pages,
                  protection,
                  MAP_FIXED | (random.nextBoolean() ? MAP_SHARED : MAP_PRIVATE),
                  random.nextInt(4) * PAGE);
          case 2 -> map.unmap(at, pages * PAGE);
          case 3, 4 -> map.protect(at, pages * PAGE, protection);
          case 5 -> map.discard(at, pages * PAGE);
          default -> remap(at, pages, 1 + random.nextInt(12), random.nextInt(2));
        }
      } catch (ErrnoException _) {
        // nothing or something was done, which the books say
      }
      check("seed %d, step %d".formatted(seed, i), files);
    }
    map.close();
    assertThat(budget.used()).isZero();
    assertThat(files).allMatch(file -> file.maps.isEmpty());
  }

  private void check(String step, CountingBacking... files) {
    TreeMap<Long, FakeMapper.Page> pages = new TreeMap<>();
    long charged = 0;
    for (Region region : map.regions()) {
      for (long at = region.start(); at < region.end(); at += PAGE) {
        pages.put(
            at, new FakeMapper.Page(region.protection(), region.backing(), region.offsetOf(at), 0));
      }
      charged += region.chargedSize();
      assertThat(region.charged() || region.isShared() || !Protections.writes(region.protection()))
          .as(step)
          .isTrue();
    }
    TreeMap<Long, FakeMapper.Page> real = new TreeMap<>(mapper.pages());
    real.replaceAll(
        (_, page) -> new FakeMapper.Page(page.protection(), page.backing(), page.offset(), 0));
    assertThat(pages).as(step).isEqualTo(real);
    assertThat(budget.used()).as(step).isEqualTo(charged);
    for (CountingBacking file : files) {
      boolean mapped = map.regions().stream().anyMatch(region -> file.equals(region.backing()));
      assertThat(file.maps).as(step).hasSize(mapped ? 1 : 0);
    }
  }

  @Test
  void shouldPlaceMappings() {
    long high = anonymous(0, 2, READ_WRITE, 0);
    assertThat(anonymous(0, 2, READ_WRITE, 0)).isEqualTo(high - 2 * PAGE);
    assertThat(map.regions()).hasSize(1);
    assertThat(anonymous(IMAGE - PAGE, 2, PROT_READ, 0)).isGreaterThan(IMAGE + 16 * PAGE);
    assertThat(anonymous(IMAGE - PAGE + 1, 1, PROT_READ, 0)).isEqualTo(IMAGE - PAGE);
    assertThat(anonymous(0, 1, PROT_READ, 0x40)).isBetween(0x4000_0000L, 0x8000_0000L);
    fails(Errno.EEXIST, () -> anonymous(high + PAGE, 2, PROT_READ, MAP_FIXED_NOREPLACE));
    fails(Errno.EEXIST, () -> anonymous(IMAGE, 1, PROT_READ, MAP_FIXED_NOREPLACE));
    fails(Errno.ENOMEM, () -> anonymous(IMAGE, 1, PROT_READ, MAP_FIXED));
    fails(Errno.EPERM, () -> anonymous(0, 1, PROT_READ, MAP_FIXED));
    fails(Errno.EINVAL, () -> anonymous(high + 1, 1, PROT_READ, MAP_FIXED));
    fails(Errno.ENOMEM, () -> anonymous(-PAGE, 1, PROT_READ, MAP_FIXED));
    fails(Errno.EINVAL, () -> map.unmap(IMAGE, PAGE));
    fails(Errno.ENOMEM, () -> map.protect(IMAGE, PAGE, PROT_READ));
    map.unmap(0, PAGE);
  }

  @Test
  void shouldCountWhatCanBeWritten() {
    long reserved = anonymous(0, 1 << 20, 0, 0);
    assertThat(budget.used()).isZero();
    map.protect(reserved, 60 * PAGE, READ_WRITE);
    map.protect(reserved, 60 * PAGE, 0);
    assertThat(budget.used()).isEqualTo(60 * PAGE);
    fails(Errno.ENOMEM, () -> anonymous(0, 41, READ_WRITE, 0));
    fails(Errno.ENOMEM, map::chargeCopy);
    anonymous(reserved, 60, READ_WRITE, MAP_FIXED);
    assertThat(budget.used()).isEqualTo(60 * PAGE);
    map.unmap(reserved, 30 * PAGE);
    map.chargeCopy();
    AddressMap copy = map.copyTo(null);
    assertThat(budget.used()).isEqualTo(60 * PAGE);
    map.close();
    assertThat(budget.used()).isEqualTo(30 * PAGE);
    copy.close();
    assertThat(budget.used()).isZero();
  }

  @Test
  void shouldForgetWhatPrivateMemoryHas() {
    long at = anonymous(0, 3, READ_WRITE, 0);
    long before = mapper.pages().get(at).age();
    map.discard(at + PAGE, PAGE);
    assertThat(mapper.pages().get(at).age()).isEqualTo(before);
    assertThat(mapper.pages().get(at + PAGE).age()).isGreaterThan(before);
    assertThat(map.regions()).hasSize(1);
  }

  @Test
  void shouldMoveMemoryWithWhatItHas() {
    long at = anonymous(0, 4, READ_WRITE, 0);
    long age = mapper.pages().get(at).age();
    fails(Errno.ENOMEM, () -> remap(at, 2, 8, 0));
    long moved = remap(at, 2, 8, MAYMOVE);
    assertThat(mapper.pages().get(moved).age()).isEqualTo(age);
    assertThat(mapper.pages().get(moved + 2 * PAGE).age()).isGreaterThan(age);
    assertThat(mapper.pages()).doesNotContainKey(at).containsKey(at + 2 * PAGE);
    assertThat(remap(moved, 8, 12, 0)).as("with room to grow").isEqualTo(moved);
    assertThat(budget.used()).isEqualTo(14 * PAGE);
    fails(Errno.EFAULT, () -> remap(at, 1, 2, MAYMOVE));
    fails(Errno.EINVAL, () -> remap(moved, 1, 0, MAYMOVE));
    fails(Errno.EINVAL, () -> remap(moved, 0, 1, MAYMOVE));
  }

  @Test
  void shouldChangeWhatLiesBeforeAPageThatCannotBeProtected() {
    long at = anonymous(0, 3, READ_WRITE, 0);
    map.unmap(at + 2 * PAGE, PAGE);
    fails(Errno.ENOMEM, () -> map.protect(at, 3 * PAGE, PROT_READ));
    assertThat(map.find(at).permissions()).isEqualTo("r--p");
    map.map(
        new MapRequest(
            at + PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, new CountingBacking(), false, 0));
    fails(Errno.EACCES, () -> map.protect(at, 2 * PAGE, READ_WRITE));
    assertThat(map.find(at).permissions()).isEqualTo("rw-p");
    assertThat(map.find(at + PAGE).permissions()).isEqualTo("r--s");
  }

  @Test
  void shouldMoveTheEndOfTheData() {
    map.beginBrk(0x50_0000);
    long start = map.brk(0);
    assertThat(map.brk(start + 10)).isEqualTo(start + 10);
    assertThat(map.brk(start + 3 * PAGE)).isEqualTo(start + 3 * PAGE);
    assertThat(map.regions()).singleElement().extracting(Region::name).isEqualTo("[heap]");
    assertThat(map.brk(start + 1000 * PAGE)).isEqualTo(start + 3 * PAGE);
    assertThat(map.brk(start - 1)).isEqualTo(start + 3 * PAGE);
    assertThat(map.brk(start + 1)).isEqualTo(start + 1);
    assertThat(budget.used()).isEqualTo(PAGE);
  }

  @Test
  void shouldKnowWordsByWhatIsShared() {
    Backing backing = new CountingBacking();
    long one = file(backing, 0, 2, PROT_READ, MAP_SHARED, PAGE);
    long other = file(backing, 0, 1, PROT_READ, MAP_SHARED, 2 * PAGE);
    long own = anonymous(0, 1, PROT_READ, 0);
    assertThat(FutexTable.key(map, one + PAGE + 8, false))
        .isEqualTo(FutexTable.key(map, other + 8, false))
        .isNotEqualTo(FutexTable.key(map, other + 8, true));
    assertThat(FutexTable.key(map, own, false)).isEqualTo(FutexTable.key(map, own, true));
    fails(Errno.EINVAL, () -> FutexTable.key(map, own + 2, true));
    fails(Errno.EFAULT, () -> FutexTable.key(map, 8, false));
    fails(Errno.EFAULT, () -> FutexTable.key(map, -8, true));
  }

  @Test
  void shouldLimitTheNumberOfMappings() {
    // Pages apart, for those that continue each other are joined.
    long base = 0x1000_0000_0000L;
    for (int i = 0; i < AddressMap.MOST_REGIONS; i++) {
      anonymous(base + 2L * i * PAGE, 1, 0, MAP_FIXED); // PROT_NONE: nothing of the budget
    }
    fails(Errno.ENOMEM, () -> anonymous(base - 2 * PAGE, 1, 0, MAP_FIXED));
    long last = base + 2L * (AddressMap.MOST_REGIONS - 1) * PAGE;
    anonymous(last, 1, READ_WRITE, MAP_FIXED); // in place of another

    map.discard(last, PAGE);
    map.unmap(last, PAGE);
    anonymous(last, 3, 0, MAP_FIXED);
    fails(Errno.ENOMEM, () -> map.protect(last + PAGE, PAGE, READ_WRITE));
    fails(Errno.ENOMEM, () -> map.unmap(last + PAGE, PAGE));
    assertThat(map.regions()).hasSize(AddressMap.MOST_REGIONS);

    map.unmap(last + 2 * PAGE, PAGE); // its end: no more than before
    map.unmap(base, PAGE);
    map.protect(last, PAGE, READ_WRITE);
    assertThat(map.regions()).hasSize(AddressMap.MOST_REGIONS);
  }
}
