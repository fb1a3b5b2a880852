/** Output and errors of commands. */
package dev.stubpool.cli.output;
