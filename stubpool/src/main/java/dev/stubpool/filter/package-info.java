/** The seccomp filter of stubs: what a stub may ask of the kernel. */
package dev.stubpool.filter;
