/** {@code stubpool bpf}: seccomp filters as files. */
package dev.stubpool.cli.bpf;
