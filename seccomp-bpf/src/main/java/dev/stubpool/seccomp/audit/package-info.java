/**
 * Audit of filters: {@link dev.stubpool.seccomp.audit.SeccompAudit} finds what is often wrong, each
 * {@link dev.stubpool.seccomp.audit.Finding} with an input that shows it.
 *
 * <p>Sources: seccomp(2) with its caveats, seccomp_unotify(2), {@code
 * Documentation/userspace-api/seccomp_filter.rst} of the kernel, and section 2 of the manual for
 * what calls do with their arguments.
 */
package dev.stubpool.seccomp.audit;
