/** Looks at living stubs, of any JVM. */
package dev.stubpool.cli.inspect;
