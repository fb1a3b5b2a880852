/** Commands that inspect live stubs of any JVM. */
package dev.stubpool.cli.inspect;
