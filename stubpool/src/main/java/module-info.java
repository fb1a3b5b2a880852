import org.jspecify.annotations.NullMarked;

/** Pools of stub processes: see {@link dev.stubpool.StubPool}. */
@NullMarked
module dev.stubpool {
  requires transitive dev.stubpool.seccomp;
  requires transitive dev.stubpool.nativestubs;
  requires java.management;
  requires jdk.management; // the DiagnosticCommand bean that tells where the Java heap is
  requires org.jctools.core.jdk11;
  requires org.slf4j;
  requires static org.jspecify;

  exports dev.stubpool;
  exports dev.stubpool.lease to
      dev.stubpool.cli;
}
