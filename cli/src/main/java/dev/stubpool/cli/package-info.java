/**
 * The command line {@code stubpool}: {@link dev.stubpool.cli.Main} and what all of its commands
 * share.
 */
package dev.stubpool.cli;
