/**
 * What a stub may ask of the kernel: its seccomp filter, and the descriptors that the filter lets
 * it map.
 */
package dev.stubpool.filter;
