/* System calls without a C library: the result, or -errno. The instruction itself is the architecture's. */
#ifndef STUBPOOL_RAW_H
#define STUBPOOL_RAW_H

#include "arch.h"

static inline long raw5(long number, long a, long b, long c, long d, long e) { return raw6(number, a, b, c, d, e, 0); }

static inline long raw3(long number, long a, long b, long c) { return raw6(number, a, b, c, 0, 0, 0); }

#endif
