/**
 * The stub image and the calls into it and into the kernel: the only module that calls restricted
 * methods of the foreign function interface, and so the only one that needs {@code
 * --enable-native-access}.
 */
module dev.stubpool.nativestubs {
  exports dev.stubpool.nativestubs to
      dev.stubpool,
      dev.stubpool.cli;
}
