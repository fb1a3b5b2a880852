/* The host text's look at the CPU. */

/*
 * cpuid(leaf, subleaf): eax, ebx, ecx, edx to out.
 *
 * SAFETY: out points to four writable, aligned ints.
 */
void host_cpuid(unsigned leaf, unsigned subleaf, unsigned *out) {
    __asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(subleaf));
}
