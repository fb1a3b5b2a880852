/** {@code stubpool run}: a program in the sandbox kernel. */
package dev.stubpool.cli.run;
