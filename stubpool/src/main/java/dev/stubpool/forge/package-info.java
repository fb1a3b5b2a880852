/**
 * How stubs are made and reset. {@link dev.stubpool.forge.SourceStub} forks the source from the
 * JVM, {@link dev.stubpool.forge.Forge} clones stubs from the source and copies of stubs from
 * stubs, {@link dev.stubpool.forge.Recycler} resets a used stub, and {@link
 * dev.stubpool.forge.InitialState} is the register state that every stub starts from and returns
 * to. All of it runs on the forge tracer's thread.
 */
package dev.stubpool.forge;
