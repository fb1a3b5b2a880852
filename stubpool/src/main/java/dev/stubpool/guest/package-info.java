/**
 * Guests: threads of a stub that run its holder's code. {@link dev.stubpool.guest.GuestRun} is one
 * call of {@link dev.stubpool.Stub#run}, performed on a tracer thread of {@link
 * dev.stubpool.guest.GuestTracers}. {@link dev.stubpool.guest.RunningGuest} is the {@link
 * dev.stubpool.Guest} that the program sees, and a {@link dev.stubpool.guest.GuestEngine} lets the
 * guest run and reports its stops.
 */
package dev.stubpool.guest;
