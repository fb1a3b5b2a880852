/**
 * A stub's memory: the record of what the library has mapped in it ({@link
 * dev.stubpool.memory.MappingTable}), copies to and from it, atomic operations on memory that it
 * shares with the JVM, and the descriptors that it may map ({@link
 * dev.stubpool.memory.MappableWindow}).
 */
package dev.stubpool.memory;
