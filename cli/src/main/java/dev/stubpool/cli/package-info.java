/**
 * The command line {@code stubpool}: {@link dev.stubpool.cli.Main}, and code shared by all
 * commands.
 */
package dev.stubpool.cli;
