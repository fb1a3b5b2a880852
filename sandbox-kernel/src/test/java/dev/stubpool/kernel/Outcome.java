package dev.stubpool.kernel;

/**
 * What a program left behind.
 *
 * @param status as {@link Process#exitValue()}: 128 and the signal's number if a signal ended it
 * @param out its standard output, a character for each byte
 * @param err its standard error
 */
record Outcome(int status, String out, String err) {}
