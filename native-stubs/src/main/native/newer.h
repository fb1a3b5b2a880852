/*
 * Kernel constants newer than the oldest headers we build with (Linux 6.1, Debian 12).
 * Where the headers have one, it is checked against ours.
 */
#ifndef STUBPOOL_NEWER_H
#define STUBPOOL_NEWER_H

#include <asm/unistd_64.h>
#include <linux/ptrace.h>

/* Linux 6.10, mseal(2) */
#define STUBPOOL_NR_mseal 462
#ifdef __NR_mseal
_Static_assert(__NR_mseal == STUBPOOL_NR_mseal, "mseal");
#endif

#endif
