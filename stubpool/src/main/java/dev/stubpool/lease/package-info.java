/**
 * Who has which stub: one word a stub, moved by CAS, in memory that other processes may read.
 *
 * <p>Pure Java, without a kernel call: the table lies in whatever segment it is given.
 */
package dev.stubpool.lease;
