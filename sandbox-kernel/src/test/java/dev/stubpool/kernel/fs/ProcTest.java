package dev.stubpool.kernel.fs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.stubpool.kernel.abi.OpenFlags;
import dev.stubpool.kernel.file.Identity;
import dev.stubpool.kernel.file.OpenFile;
import dev.stubpool.kernel.file.Pipe;
import dev.stubpool.kernel.file.Pipes;
import dev.stubpool.kernel.memory.MemoryBudget;
import dev.stubpool.kernel.memory.Region;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProcTest {
  private static final Identity WHO = new Identity(0, 0);

  private final TreeMap<Integer, OpenFile> descriptors = new TreeMap<>();
  private final Pipes pipes = new Pipes();
  private FileTree tree;

  @BeforeEach
  void make() throws IOException {
    tree = new FileTree(Path.of("/"), new MemoryBudget(1 << 24), pipes::fifo, new OneProcess());
  }

  @AfterEach
  void close() {
    tree.close();
  }

  private Location find(String path, boolean follow) {
    return tree.find(tree.root(), path, follow, WHO);
  }

  private OpenFile open(String path, int flags) {
    OpenFile file = new Opening(flags, 0644, WHO).open(tree, tree.root(), path);
    file.hold();
    return file;
  }

  private String text(String path) {
    ByteBuffer bytes = ByteBuffer.allocate(5000);
    int _ = open(path, OpenFlags.O_RDONLY).read(bytes);
    return new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
  }

  private String target(String path) {
    return ((Node.Link) find(path, false).node()).target();
  }

  @Test
  void shouldTellOfTheProcessThatAsks() {
    assertThat(target("/proc/self")).isEqualTo("7");
    assertThat(target("/proc/thread-self")).isEqualTo("7/task/9");
    assertThat(text("/proc/self/cmdline")).isEqualTo("sh\0-c\0");
    assertThat(text("/proc/self/environ")).isEqualTo("A=1\0");
    assertThat(text("/proc/thread-self/comm")).isEqualTo("worker\n");
    assertThat(text("/proc/7/status"))
        .contains("Name:\tsh\n", "\nPid:\t7\n", "\nThreads:\t2\n", "SigBlk:\t0000000000000003\n");
    assertThat(text("/proc/7/task/9/stat")).startsWith("9 (worker) S 1 7 7 ");
    assertThat(text("/proc/7/stat").trim().split(" ", -1)).hasSize(52);
    assertThat(((Node.Directory) find("/proc", true).node()).names()).contains("7", "meminfo");
    assertThat(((Node.Directory) find("/proc/7/task", true).node()).names())
        .containsExactly("7", "9");
    assertThat(find("/proc/7/status", true).node().status().size()).isZero();
  }

  @ParameterizedTest
  @CsvSource({"/proc/8", "/proc/07", "/proc/7/none", "/proc/7/task/8", "/proc/7/fd/5"})
  void shouldHaveNothingElse(String path) {
    assertThatThrownBy(() -> find(path, true)).hasMessage("ENOENT");
  }

  @Test
  void shouldJumpWhereSomethingIs() {
    OpenFile file = open("/tmp/f", OpenFlags.O_RDWR | OpenFlags.O_CREAT);
    descriptors.put(3, file);
    int _ = file.write(ByteBuffer.wrap(new byte[] {'x'}));
    DirectoryChanges.unlink(tree.look(tree.root(), "/tmp/f", LastName.CHANGED, WHO), WHO);

    assertThat(target("/proc/self/fd/3")).isEqualTo("/tmp/f (deleted)");
    assertThat(text("/dev/fd/3")).isEqualTo("x");
    assertThat(open("/proc/self/fd/3", OpenFlags.O_RDONLY)).isNotSameAs(file);
    assertThat(target("/proc/self/exe")).isEqualTo("/dev/null");
    assertThat(find("/proc/self/exe", true).node().status().specialDevice()).isEqualTo(0x103);
    assertThat(find("/proc/self/cwd/../etc", true).path()).isEqualTo("/etc");
    assertThat(find("/proc/self/root/usr", true).path()).isEqualTo("/usr");
  }

  @Test
  void shouldGiveAPipeThatIsOpen() {
    Pipe pipe = pipes.pipe();
    OpenFile reader = pipe.reader(0);
    descriptors.put(0, reader);

    assertThat(target("/proc/self/fd/0")).startsWith("pipe:[");
    assertThat(open("/dev/stdin", OpenFlags.O_RDONLY)).isSameAs(reader);
    assertThatThrownBy(() -> open("/dev/stdin", OpenFlags.O_WRONLY)).hasMessage("EACCES");
    assertThat(find("/dev/stdin", true).node().status().mode()).isEqualTo(010600);
  }

  @Test
  void shouldTellOfTheSystem() {
    assertThat(text("/proc/sys/kernel/ostype")).isEqualTo("Linux\n");
    assertThat(text("/proc/meminfo")).startsWith("MemTotal:          16384 kB\n");
    assertThat(text("/proc/mounts")).contains("\ntmpfs /tmp tmpfs rw,nosuid,nodev,relatime 0 0\n");
    assertThat(text("/proc/cpuinfo")).contains("processor\t: 0\n");
    assertThat(text("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size")).isEqualTo("2097152\n");
    assertThatThrownBy(() -> open("/proc/version", OpenFlags.O_WRONLY)).hasMessage("EROFS");
  }

  private final class OneProcess implements ProcessViews, ProcessView {
    @Override
    public int currentProcess() {
      return 7;
    }

    @Override
    public int currentThread() {
      return 9;
    }

    @Override
    public List<Integer> processes() {
      return List.of(7);
    }

    @Override
    public Optional<ProcessView> process(int pid) {
      return pid == 7 ? Optional.of(this) : Optional.empty();
    }

    @Override
    public long processesMade() {
      return 1;
    }

    @Override
    public int pid() {
      return 7;
    }

    @Override
    public int parent() {
      return 1;
    }

    @Override
    public int group() {
      return 7;
    }

    @Override
    public int session() {
      return 7;
    }

    @Override
    public Identity identity() {
      return WHO;
    }

    @Override
    public int umask() {
      return 022;
    }

    @Override
    public String name() {
      return "sh";
    }

    @Override
    public List<String> arguments() {
      return List.of("sh", "-c");
    }

    @Override
    public List<String> environment() {
      return List.of("A=1");
    }

    @Override
    public Optional<Location> executable() {
      return Optional.of(find("/dev/null", true));
    }

    @Override
    public Location workingDirectory() {
      return find("/usr", true);
    }

    @Override
    public NavigableMap<Integer, OpenFile> descriptors() {
      return descriptors;
    }

    @Override
    public List<Region> regions() {
      return List.of();
    }

    @Override
    public long started() {
      return 0;
    }

    @Override
    public Duration cpuTime() {
      return Duration.ZERO;
    }

    @Override
    public Duration childrenCpuTime() {
      return Duration.ZERO;
    }

    @Override
    public long pendingSignals() {
      return 0;
    }

    @Override
    public long ignoredSignals() {
      return 0;
    }

    @Override
    public long caughtSignals() {
      return 0;
    }

    @Override
    public List<ProcessView.ThreadView> threads() {
      return List.of(
          new ProcessView.ThreadView(7, "sh", 'R', 0, 3),
          new ProcessView.ThreadView(9, "worker", 'S', 0, 0));
    }

    @Override
    public int threadCount() {
      return 2;
    }
  }
}
