package embedding;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.stubpool.MemoryFile;
import dev.stubpool.Protection;
import dev.stubpool.Sharing;
import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import java.time.Duration;

/**
 * Shares a page with a stub. {@code mvn package}, then either of:
 *
 * <pre>
 * java --enable-native-access=ALL-UNNAMED -cp 'target/embedding.jar:target/lib/*' embedding.Embedding
 * java --enable-native-access=dev.stubpool.nativestubs -p target/embedding.jar:target/lib \
 *     -m embedding/embedding.Embedding
 * </pre>
 */
public class Embedding {
  static final int GETPID = 39; // x86-64 system call numbers, as the kernel counts

  public static void main(String[] args) {
    try (StubPool pool = StubPool.open(StubPoolOptions.defaults());
        MemoryFile file = pool.memoryFile(4096);
        Stub stub = pool.acquire(Duration.ofSeconds(5))) {
      // One page, seen by both: here as a segment, in the stub wherever you want it.
      stub.memory().map(0x1000_0000, file, 0, 4096, Protection.READ_WRITE, Sharing.SHARED);
      file.segment().set(JAVA_INT, 0, 42);
      System.out.println("the stub sees " + stub.memory().read(0x1000_0000, 4)[0]);

      // Any system call that the filter allows, made by the stub.
      System.out.println("it is process " + stub.syscall(GETPID) + ", which is " + stub.pid());
    } // the stub is made like new, then the pool kills all of them; so would the end of the JVM
  }
}
