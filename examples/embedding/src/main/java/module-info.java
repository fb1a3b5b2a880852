/** Only for the module path; on the class path nobody reads it. */
module embedding {
  requires dev.stubpool;
}
