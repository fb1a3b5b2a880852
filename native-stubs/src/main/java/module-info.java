import org.jspecify.annotations.NullMarked;

/**
 * The calls into the kernel, the stub image, and what /proc tells: the only module that calls
 * restricted methods of the foreign function interface, and so the only one that needs {@code
 * --enable-native-access}.
 */
@NullMarked
module dev.stubpool.nativestubs {
  requires static org.jspecify;

  exports dev.stubpool.abi;
  exports dev.stubpool.nativestubs.calls to
      dev.stubpool,
      dev.stubpool.cli;
  exports dev.stubpool.nativestubs.image to
      dev.stubpool,
      dev.stubpool.cli;
  exports dev.stubpool.nativestubs.proc to
      dev.stubpool,
      dev.stubpool.cli;
}
