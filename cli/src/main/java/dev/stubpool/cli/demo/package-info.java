/** The command {@code demo}: the life cycle of stubs, step by step, checked and timed. */
package dev.stubpool.cli.demo;
