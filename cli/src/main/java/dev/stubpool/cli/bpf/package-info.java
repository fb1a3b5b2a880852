/** The commands {@code stubpool bpf}: tools for seccomp filters in files. */
package dev.stubpool.cli.bpf;
