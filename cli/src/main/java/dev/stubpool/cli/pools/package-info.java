/**
 * The pools of all JVMs of the machine: what {@code /proc} tells of their stubs, joined with the
 * lease tables that the pools publish.
 */
package dev.stubpool.cli.pools;
