/** The command {@code stubpool run}: runs a program in the sandbox kernel. */
package dev.stubpool.cli.run;
