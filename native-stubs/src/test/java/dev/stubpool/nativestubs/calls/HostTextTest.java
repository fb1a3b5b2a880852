package dev.stubpool.nativestubs.calls;

import static org.assertj.core.api.Assertions.assertThat;

import dev.stubpool.nativestubs.image.StubImage;
import dev.stubpool.nativestubs.proc.ProcMaps;
import dev.stubpool.testing.ChildJvm;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Calls need the host text alone; in child JVMs, for there is one text a JVM, never unmapped. */
class HostTextTest {
  /** The exit status of a JVM that took too long, 128 + SIGKILL. */
  private static final int KILLED = 137;

  /** Makes a call, and prints what is mapped for it. */
  static final class Caller {
    private Caller() {}

    public static void main(String[] arguments) throws IOException {
      System.out.println("own pid: " + (ProcessCalls.pid() == ProcessHandle.current().pid()));
      printMappings();
    }
  }

  /** Maps the image, too. */
  static final class ImageUser {
    private ImageUser() {}

    public static void main(String[] arguments) throws IOException {
      StubImage.get();
      printMappings();
    }
  }

  private static void printMappings() throws IOException {
    for (ProcMaps.Mapping mapping : ProcMaps.self()) {
      if (mapping.name().startsWith("/memfd:stubpool-")) {
        System.out.println(mapping.name() + " " + mapping.permissions() + " " + mapping.size());
      }
    }
  }

  @Test
  void shouldMakeACallWithoutTheStubImage() {
    assertThat(run(List.of("-Xlog:class+load"), Caller.class))
        .contains("own pid: true")
        .anyMatch(line -> line.contains(HostText.class.getName()))
        .noneMatch(line -> line.contains(StubImage.class.getPackageName()))
        .filteredOn(line -> line.startsWith("/memfd:"))
        .containsExactly("/memfd:stubpool-host (deleted) r-xs " + Abi.HOST_TEXT_SIZE);
  }

  @Test
  void shouldLieApartFromTheStubImage() {
    assertThat(run(List.of(), ImageUser.class))
        .containsExactlyInAnyOrder(
            "/memfd:stubpool-host (deleted) r-xs " + Abi.HOST_TEXT_SIZE,
            "/memfd:stubpool-image (deleted) r-xs " + Abi.IMAGE_STUB_SIZE,
            "/memfd:stubpool-image (deleted) r-xs " + Abi.IMAGE_BIRTH_SIZE);
  }

  @Test
  void shouldRefuseAnotherArchitecture() {
    assertThat(run(List.of("-Dos.arch=riscv64"), ImageUser.class))
        .anyMatch(
            line ->
                line.endsWith(
                    "UnsupportedOperationException: native-stubs was built for amd64, this JVM is"
                        + " for riscv64; build it on such a machine"));
  }

  @Test
  void shouldNameTheOptionThatAllowsNativeCalls() {
    assertThat(run(List.of("-Ddenied=true"), ImageUser.class))
        .anyMatch(
            line ->
                line.endsWith(
                    "IllegalCallerException: stubpool may not call native code in this JVM: add the"
                        + " option --enable-native-access=ALL-UNNAMED to the java command"));
  }

  /** The lines that a child JVM prints, on the class path, allowed to call native code or not. */
  private static List<String> run(List<String> options, Class<?> main) {
    List<String> all = new ArrayList<>(options);
    if (!options.contains("-Ddenied=true")) {
      all.add("--enable-native-access=ALL-UNNAMED");
    }
    ChildJvm.Outcome outcome = ChildJvm.run(ChildJvm.command(all, ChildJvm.classPath(main), main));
    assertThat(outcome.status()).as("not killed: %s", outcome.output()).isNotEqualTo(KILLED);
    return outcome.output().lines().toList();
  }
}
