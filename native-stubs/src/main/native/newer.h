/*
 * Kernel constants newer than the oldest headers we build with (Linux 6.1, Debian 12).
 * Where the headers have one, it is checked against ours.
 */
#ifndef STUBPOOL_NEWER_H
#define STUBPOOL_NEWER_H

#include <asm/unistd.h>
#include <linux/memfd.h>
#include <linux/ptrace.h>

/* Linux 6.10, mseal(2) */
#define STUBPOOL_NR_mseal 462
#ifdef __NR_mseal
_Static_assert(__NR_mseal == STUBPOOL_NR_mseal, "mseal");
#endif

/* Linux 6.3, memfd_create(2) */
#define STUBPOOL_MFD_NOEXEC_SEAL 0x8U
#ifdef MFD_NOEXEC_SEAL
_Static_assert(MFD_NOEXEC_SEAL == STUBPOOL_MFD_NOEXEC_SEAL, "MFD_NOEXEC_SEAL");
#endif

#endif
