/**
 * The pools of all JVMs on the machine: their stubs in {@code /proc}, joined with the lease tables
 * that the pools publish.
 */
package dev.stubpool.cli.pools;
