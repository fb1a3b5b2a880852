/**
 * Diagnosis: why the kernel refuses something, and what to change. {@link
 * dev.stubpool.diagnose.Machine} checks what the library needs before a pool opens, the advice
 * classes explain errors, and {@link dev.stubpool.diagnose.Failures} makes the exceptions of the
 * API.
 */
package dev.stubpool.diagnose;
