/**
 * Audit of filters: {@link dev.stubpool.seccomp.audit.SeccompAudit} finds common mistakes, each
 * {@link dev.stubpool.seccomp.audit.Finding} with an input that demonstrates it.
 *
 * <p>Sources: seccomp(2) with its caveats, seccomp_unotify(2), {@code
 * Documentation/userspace-api/seccomp_filter.rst} of the kernel, and section 2 of the manual for
 * how calls use their arguments.
 */
package dev.stubpool.seccomp.audit;
