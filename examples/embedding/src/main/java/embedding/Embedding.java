package embedding;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.stubpool.MemoryFile;
import dev.stubpool.Protection;
import dev.stubpool.Sharing;
import dev.stubpool.Stub;
import dev.stubpool.StubPool;
import dev.stubpool.StubPoolOptions;
import dev.stubpool.abi.SystemCalls;
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
  public static void main(String[] args) {
    try (StubPool pool = StubPool.open(StubPoolOptions.defaults());
        MemoryFile file = pool.memoryFile(4096);
        Stub stub = pool.acquire(Duration.ofSeconds(5))) {
      // One page of shared memory: a segment in Java, mapped at a chosen address in the stub.
      stub.memory().map(0x1000_0000, file, 0, 4096, Protection.READ_WRITE, Sharing.SHARED);
      file.segment().set(JAVA_INT, 0, 42);
      System.out.println("the stub sees " + stub.memory().read(0x1000_0000, 4)[0]);

      // The stub can make any system call that the filter allows.
      System.out.println(
          "it is process " + stub.syscall(SystemCalls.GETPID) + ", which is " + stub.pid());
    } // the stub is reset; closing the pool, or the end of the JVM, kills all stubs
  }
}
