/** The command line: see {@link dev.stubpool.cli.Main}. */
module dev.stubpool.cli {
  requires com.fasterxml.jackson.core;
  requires dev.stubpool;
  requires dev.stubpool.kernel;
  requires dev.stubpool.nativestubs;
  requires dev.stubpool.seccomp;
  requires dev.stubpool.seccomp.formats;
  requires info.picocli;
  requires jdk.unsupported;

  opens dev.stubpool.cli to
      info.picocli;
  opens dev.stubpool.cli.bpf to
      info.picocli;
  opens dev.stubpool.cli.demo to
      info.picocli;
  opens dev.stubpool.cli.inspect to
      info.picocli;
  opens dev.stubpool.cli.run to
      info.picocli;
}
