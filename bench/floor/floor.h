/* What the floor programs share: the stub image, the seccomp filter, the birth of a source stub, ptrace, waiting, statistics.
   "Stub", "source", "injection" are used as in the design document. Everything here runs on one thread, the tracer. */

#ifndef FLOOR_H
#define FLOOR_H

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/elf.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/memfd.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif
#ifndef PTRACE_EVENT_STOP
#define PTRACE_EVENT_STOP 128 /* in linux/ptrace.h, which clashes with sys/ptrace.h */
#endif

#ifndef SA_RESTORER
#define SA_RESTORER 0x04000000 /* in asm/signal.h, which clashes with signal.h */
#endif

#define PAGE 4096UL
#define KIB 1024UL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define USER_END 0x7ffffffff000UL /* the last page of the lower half is never mapped */

/* Constructed selectors of a 64-bit user process; flags: interrupts on, and the bit that always reads 1. */
#define USER_CS 0x33
#define USER_SS 0x2b
#define FLAGS 0x202

/* SIGCHLD here is what CLONE_PARENT ignores: the exit signal comes from the source. */
#define CHILD_FLAGS                                                                                                      \
	((uint64_t) (CLONE_FILES | CLONE_FS | CLONE_IO | CLONE_SYSVSEM | CLONE_PARENT | CLONE_PTRACE | CLONE_PARENT_SETTID \
		     | SIGCHLD))
#define THREAD_FLAGS \
	((uint64_t) (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_PTRACE))
_Static_assert(CHILD_FLAGS == 0x8014A611 && THREAD_FLAGS == 0x52F00, "the two forms that the design's filter allows");

#define TRACE_OPTIONS (PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)
#define STOP_INT3 (SIGTRAP << 8 | 0x7f)
#define STOP_BORN (PTRACE_EVENT_STOP << 16 | SIGTRAP << 8 | 0x7f)

/* ---- failure ---- */

/* No clean-up: EXITKILL and PDEATHSIG end every stub with this process. */
__attribute__((noreturn, format(printf, 1, 2))) static inline void die(const char *format, ...)
{
	int error = errno;
	va_list list;
	va_start(list, format);
	fputs("floor: ", stderr);
	vfprintf(stderr, format, list);
	va_end(list);
	if (error)
		fprintf(stderr, " (errno %d, %s)", error, strerror(error));
	fputs("\n", stderr);
	exit(1);
}

/* Bounds every wait that follows: SIGALRM's default action ends the process, and with it the stubs. */
static inline void bound(void)
{
	alarm(60);
}

/* ---- time and statistics ---- */

static inline int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}

struct samples {
	double *value;
	size_t n, capacity;
};

static inline void sample(struct samples *s, double value)
{
	if (s->n == s->capacity) {
		s->capacity = s->capacity ? 2 * s->capacity : 4096;
		s->value = realloc(s->value, s->capacity * sizeof *s->value);
		if (!s->value)
			die("out of memory");
	}
	s->value[s->n++] = value;
}

static inline int ascending(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;
	return (x > y) - (x < y);
}

/* One JSON object on one line; empties the samples. */
static inline void report(const char *name, const char *unit, struct samples *s)
{
	if (!s->n)
		die("%s has no samples", name);
	qsort(s->value, s->n, sizeof *s->value, ascending);
	double sum = 0;
	for (size_t i = 0; i < s->n; i++)
		sum += s->value[i];
	printf("{\"name\":\"%s\",\"unit\":\"%s\",\"n\":%zu,\"mean\":%.3f,\"p50\":%.3f,\"p90\":%.3f,\"p99\":%.3f,\"min\":%.3f}\n", name, unit, s->n,
	       sum / (double) s->n, s->value[s->n / 2], s->value[s->n * 90 / 100], s->value[s->n * 99 / 100], s->value[0]);
	fflush(stdout);
	free(s->value);
	*s = (struct samples) {0};
}

/* ---- options common to the programs ---- */

static inline void pin(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set))
		die("cannot pin to CPU %d", cpu);
}

static inline long number(const char *text, long least, long most)
{
	char *end;
	errno = 0;
	long value = strtol(text ? text : "", &end, 10);
	if (errno || !text || end == text || *end || value < least || value > most)
		die("expected a number from %ld to %ld, not '%s'", least, most, text ? text : "");
	return value;
}

/* ---- the image ---- */

extern const char image_text[], image_call[], image_call_end[], image_again[], image_again_end[], image_first[], image_first_end[],
	image_batch[], image_batch_end[], image_unmap[], image_unmap_end[], image_fault[], image_fault_return[], image_park[],
	image_park_word[], image_text_end[];

#define IMAGE_SIZE (4 * MIB)     /* reserved; all that is mapped lies in the first 2 MiB, under one page table */
#define DATA_OFFSET (64 * KIB)   /* of the first data mapping, and from each to the next, so that none merge */
#define DATA_SIZE (4 * PAGE)
#define DATA_MAX 16
#define PIDS_OFFSET (MIB + 512 * KIB)
#define BATCH_MAX (PAGE / sizeof(int32_t))

/* All zero is the plain image of a floor; the rest are the alternatives that are measured against it. */
struct variant {
	int more_data;          /* mappings beyond the first; -1: no data at all */
	bool anonymous_data;    /* rather than private mappings of the memfd */
	bool touched_data;      /* the source writes each data page: an anon_vma, and page tables to copy */
	bool inherited_pids;    /* the pid page is not DONTFORK */
	bool own_session;       /* setsid rather than setpgid: with autogroup, the stubs are a scheduling group of their own */
	bool batch_policy;      /* SCHED_BATCH for the stubs */
	bool no_filter;
};

struct image {
	uint64_t base;
	volatile int32_t *pids;
	struct variant variant;
};

/* Where a routine lies in the image, given its label in the program. */
static inline uint64_t at(const struct image *image, const char *label)
{
	return image->base + (uint64_t) (label - image_text);
}

static inline uint64_t data_at(const struct image *image, int i)
{
	return image->base + DATA_OFFSET * (uint64_t) (i + 1);
}

static inline void image_open(struct image *image, struct variant variant)
{
	size_t size = (size_t) (image_text_end - image_text);
	int data = 1 + variant.more_data;
	if (size > PAGE || data > DATA_MAX)
		die("the image does not fit");
	int fd = memfd_create("floor-image", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("floor-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || ftruncate(fd, (off_t) (PAGE + DATA_SIZE)) || write(fd, image_text, size) != (ssize_t) size
	    || fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		die("image memfd");

	*image = (struct image) {.variant = variant};
	for (int tries = 0; !image->base; tries++) {
		uint64_t random;
		if (getrandom(&random, sizeof random, 0) != sizeof random || tries == 32)
			die("no place for the image");
		/* High, yet with room above it: a recycle unmaps on both sides. */
		uint64_t address = 0x400000000000 + random % (0x200000000000 / IMAGE_SIZE) * IMAGE_SIZE;
		void *p = mmap((void *) address, IMAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
			       -1, 0);
		if (p == (void *) address)
			image->base = address;
		else if (p != MAP_FAILED)
			munmap(p, IMAGE_SIZE);
	}
	if (mmap((void *) image->base, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		die("image text");
	for (int i = 0; i < data; i++) {
		int flags = MAP_PRIVATE | MAP_FIXED | (variant.anonymous_data ? MAP_ANONYMOUS : 0);
		if (mmap((void *) data_at(image, i), DATA_SIZE, PROT_READ | PROT_WRITE, flags, variant.anonymous_data ? -1 : fd,
			 variant.anonymous_data ? 0 : (off_t) PAGE)
		    == MAP_FAILED)
			die("image data");
	}
	image->pids = mmap((void *) (image->base + PIDS_OFFSET), PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED,
			   -1, 0);
	if (image->pids == MAP_FAILED)
		die("pid page");
	image->pids[0] = 0; /* present in the tracer from here on */
	close(fd);
}

/* ---- the filter: the design's table ---- */

#define WINDOW_FIRST 12288 /* descriptors that a stub may map */
#define WINDOW_SIZE 256
#define LOWEST_ADDRESS 65536

struct filter {
	struct sock_filter code[256];
	unsigned n;
};

/* Jump targets until finish() knows where the verdicts are; no jump in between is that long. */
enum { DENY = 254, ALLOW = 255 };

static inline unsigned emit(struct filter *f, unsigned code, uint8_t yes, uint8_t no, uint32_t k)
{
	f->code[f->n] = (struct sock_filter) {(uint16_t) code, yes, no, k};
	return f->n++;
}

static inline unsigned load(struct filter *f, size_t offset)
{
	return emit(f, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t) offset);
}

static inline unsigned jump(struct filter *f, unsigned test, uint32_t k, uint8_t yes, uint8_t no)
{
	return emit(f, BPF_JMP | BPF_K | test, yes, no, k);
}

#define ARGUMENT_LOW(i) (offsetof(struct seccomp_data, args) + 8 * (i))
#define ARGUMENT_HIGH(i) (ARGUMENT_LOW(i) + 4)
#define LOW(value) ((uint32_t) (value))
#define HIGH(value) ((uint32_t) ((uint64_t) (value) >> 32))

static inline void require_equal(struct filter *f, int i, uint64_t value)
{
	load(f, ARGUMENT_HIGH(i));
	jump(f, BPF_JEQ, HIGH(value), 0, DENY);
	load(f, ARGUMENT_LOW(i));
	jump(f, BPF_JEQ, LOW(value), 0, DENY);
}

/* Jumps at `from` that were left open, if untrue, now lead here. */
static inline void otherwise_here(struct filter *f, unsigned from)
{
	f->code[from].jf = (uint8_t) (f->n - from - 1);
}

static inline void if_so_here(struct filter *f, unsigned from)
{
	f->code[from].jt = (uint8_t) (f->n - from - 1);
}

static inline void verdict(struct filter *f, uint8_t to)
{
	jump(f, BPF_JEQ, 0, to, to);
}

static inline void build_filter(struct filter *f, const struct image *image)
{
	uint64_t base = image->base, end = base + IMAGE_SIZE;
	unsigned row;
	f->n = 0;

	load(f, offsetof(struct seccomp_data, arch));
	jump(f, BPF_JEQ, AUDIT_ARCH_X86_64, 0, DENY);
	/* The image is aligned to its size, so the text page does not straddle 4 GiB. */
	load(f, offsetof(struct seccomp_data, instruction_pointer) + 4);
	jump(f, BPF_JEQ, HIGH(base), 0, DENY);
	load(f, offsetof(struct seccomp_data, instruction_pointer));
	jump(f, BPF_JGE, LOW(base), 0, DENY);
	jump(f, BPF_JGT, LOW(base + PAGE - 1), DENY, 0);

	load(f, offsetof(struct seccomp_data, nr));
	row = jump(f, BPF_JEQ, SYS_clone, 0, 0);
	load(f, ARGUMENT_HIGH(0));
	jump(f, BPF_JEQ, 0, 0, DENY);
	load(f, ARGUMENT_LOW(0));
	jump(f, BPF_JEQ, LOW(CHILD_FLAGS), ALLOW, 0);
	jump(f, BPF_JEQ, LOW(THREAD_FLAGS), ALLOW, DENY);

	otherwise_here(f, row);
	row = jump(f, BPF_JEQ, SYS_futex, 0, 0);
	require_equal(f, 0, at(image, image_park_word));
	require_equal(f, 1, FUTEX_WAIT_PRIVATE);
	verdict(f, ALLOW);

	otherwise_here(f, row);
	row = jump(f, BPF_JEQ, SYS_prctl, 0, 0);
	require_equal(f, 0, PR_SET_PDEATHSIG);
	require_equal(f, 1, SIGKILL);
	verdict(f, ALLOW);

	otherwise_here(f, row);
	jump(f, BPF_JEQ, SYS_getpid, ALLOW, 0);
	jump(f, BPF_JEQ, SYS_gettid, ALLOW, 0);
	jump(f, BPF_JEQ, SYS_getppid, ALLOW, 0);
	jump(f, BPF_JEQ, SYS_exit, ALLOW, 0);
	jump(f, BPF_JEQ, SYS_restart_syscall, ALLOW, 0);

	unsigned is_munmap = jump(f, BPF_JEQ, SYS_munmap, 0, 0);
	unsigned is_mprotect = jump(f, BPF_JEQ, SYS_mprotect, 0, 0);
	jump(f, BPF_JEQ, SYS_mmap, 0, DENY);
	load(f, ARGUMENT_HIGH(3));
	jump(f, BPF_JEQ, 0, 0, DENY);
	load(f, ARGUMENT_LOW(3));
	jump(f, BPF_JSET,
	     ~(uint32_t) (MAP_SHARED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_NORESERVE | MAP_POPULATE), DENY,
	     0);
	jump(f, BPF_JSET, MAP_FIXED | MAP_FIXED_NOREPLACE, 0, DENY);
	/* The kernel takes the descriptor as an int. */
	load(f, ARGUMENT_LOW(4));
	jump(f, BPF_JEQ, UINT32_MAX, 2, 0);
	jump(f, BPF_JGE, WINDOW_FIRST, 0, DENY);
	jump(f, BPF_JGE, WINDOW_FIRST + WINDOW_SIZE, DENY, 0);

	if_so_here(f, is_mprotect); /* mmap too has its protection in argument 2 */
	load(f, ARGUMENT_HIGH(2));
	jump(f, BPF_JEQ, 0, 0, DENY);
	load(f, ARGUMENT_LOW(2));
	jump(f, BPF_JGT, PROT_READ | PROT_WRITE | PROT_EXEC, DENY, 0);

	/* [address, address + length) is to lie above the image, or below it and not below the lowest address. */
	if_so_here(f, is_munmap);
	load(f, ARGUMENT_HIGH(0));
	jump(f, BPF_JGT, HIGH(end), ALLOW, 0);
	row = jump(f, BPF_JEQ, HIGH(end), 0, 0);
	load(f, ARGUMENT_LOW(0));
	jump(f, BPF_JGE, LOW(end), ALLOW, 0);
	otherwise_here(f, row);
	load(f, ARGUMENT_HIGH(0));
	row = jump(f, BPF_JEQ, 0, 0, 0);
	load(f, ARGUMENT_LOW(0));
	jump(f, BPF_JGE, LOWEST_ADDRESS, 0, DENY);
	otherwise_here(f, row);
	/* 64-bit sum with carry; the bound on the length keeps the upper half from overflowing. */
	load(f, ARGUMENT_HIGH(1));
	jump(f, BPF_JGT, 0xffff, DENY, 0);
	load(f, ARGUMENT_LOW(1));
	emit(f, BPF_MISC | BPF_TAX, 0, 0, 0);
	load(f, ARGUMENT_LOW(0));
	emit(f, BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0);
	emit(f, BPF_ST, 0, 0, 0);
	emit(f, BPF_JMP | BPF_JGE | BPF_X, 2, 0, 0);
	emit(f, BPF_LDX | BPF_IMM, 0, 0, 1);
	emit(f, BPF_JMP | BPF_JA, 0, 0, 1);
	emit(f, BPF_LDX | BPF_IMM, 0, 0, 0);
	load(f, ARGUMENT_HIGH(0));
	emit(f, BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0);
	emit(f, BPF_MISC | BPF_TAX, 0, 0, 0);
	load(f, ARGUMENT_HIGH(1));
	emit(f, BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0);
	jump(f, BPF_JGT, HIGH(base), DENY, 0);
	jump(f, BPF_JEQ, HIGH(base), 0, ALLOW);
	emit(f, BPF_LD | BPF_MEM, 0, 0, 0);
	jump(f, BPF_JGT, LOW(base), DENY, ALLOW);

	unsigned allow = emit(f, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	unsigned deny = emit(f, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_TRAP);
	for (unsigned i = 0; i < allow; i++) {
		struct sock_filter *c = &f->code[i];
		if (BPF_CLASS(c->code) != BPF_JMP || BPF_OP(c->code) == BPF_JA)
			continue;
		uint8_t *target[] = {&c->jt, &c->jf};
		for (int j = 0; j < 2; j++)
			if (*target[j] >= DENY)
				*target[j] = (uint8_t) ((*target[j] == ALLOW ? allow : deny) - i - 1);
	}
}

/* ---- waiting and ptrace ---- */

#define SPIN_NS 50000

static inline int wait_blocking(pid_t pid)
{
	int status;
	pid_t got;
	do
		got = wait4(pid, &status, __WALL, NULL);
	while (got < 0 && errno == EINTR);
	if (got != pid)
		die("wait for %d", pid);
	return status;
}

/* A yield is cheaper than sleeping and being woken; but not for long. */
static inline int wait_yielding(pid_t pid)
{
	int status;
	int64_t end = 0;
	for (;;) {
		pid_t got = wait4(pid, &status, WNOHANG | __WALL, NULL);
		if (got == pid)
			return status;
		if (got < 0)
			die("wait for %d", pid);
		int64_t t = now();
		if (!end)
			end = t + SPIN_NS;
		else if (t > end)
			return wait_blocking(pid);
		sched_yield();
	}
}

static inline void expect(pid_t pid, int status, int wanted)
{
	if (status != wanted)
		die("stub %d: wait status %#x where %#x was due", pid, status, wanted);
}

static inline void await(pid_t pid, int wanted)
{
	expect(pid, wait_yielding(pid), wanted);
}

static inline void set_registers(pid_t pid, const struct user_regs_struct *r)
{
	if (ptrace(PTRACE_SETREGS, pid, NULL, r))
		die("SETREGS of %d", pid);
}

static inline void get_registers(pid_t pid, struct user_regs_struct *r)
{
	if (ptrace(PTRACE_GETREGS, pid, NULL, r))
		die("GETREGS of %d", pid);
}

static inline void resume(pid_t pid)
{
	if (ptrace(PTRACE_CONT, pid, NULL, NULL))
		die("CONT of %d", pid);
}

/* Nothing in these comes from this process; orig_rax -1: no system call to restart. */
static inline struct user_regs_struct constructed(uint64_t rip)
{
	return (struct user_regs_struct) {.rip = rip, .cs = USER_CS, .ss = USER_SS, .eflags = FLAGS, .orig_rax = ~0UL};
}

/* One system call in a stopped stub; the result is raw. */
static inline long inject(const struct image *image, pid_t pid, long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
			  uint64_t f)
{
	struct user_regs_struct r = constructed(at(image, image_call));
	r.rax = (uint64_t) nr;
	r.rdi = a;
	r.rsi = b;
	r.rdx = c;
	r.r10 = d;
	r.r8 = e;
	r.r9 = f;
	set_registers(pid, &r);
	resume(pid);
	await(pid, STOP_INT3);
	get_registers(pid, &r);
	if (r.rip != at(image, image_call_end))
		die("stub %d stopped at %#llx, not after its injection", pid, r.rip);
	return (long) r.rax;
}

static inline void inject_or_die(const struct image *image, pid_t pid, long nr, uint64_t a, uint64_t b)
{
	long result = inject(image, pid, nr, a, b, 0, 0, 0, 0);
	if (result < 0) {
		errno = (int) -result;
		die("system call %ld in stub %d", nr, pid);
	}
}

/* ---- the source ---- */

/* Where a failed birth is told from; shared with the source until it is unmapped there. */
struct boot {
	volatile int32_t step, error;
};

enum { STEP_NONE, STEP_SESSION, STEP_HANDLERS, STEP_MASK, STEP_ALTSTACK, STEP_RSEQ, STEP_CORE, STEP_CAPABILITIES, STEP_PDEATHSIG,
       STEP_PARENT, STEP_IMAGE, STEP_PRIVILEGES, STEP_FILTER, STEP_READY };

/* Memory that stands for the Java heap. */
struct heap {
	void *start;
	size_t size;
	bool dontfork;
};

struct source {
	pid_t pid;
	const struct image *image;
	int64_t clone_ns; /* the tracer's pause */
};

static inline void boot_step(struct boot *boot, int32_t step, long result)
{
	if (result < 0) {
		boot->error = errno;
		boot->step = -step;
		_exit(1);
	}
}

static inline bool rseq_unregister(void)
{
	if (!__rseq_size)
		return true;
	/* The registered length is the C library's choice and differs between versions. */
	for (unsigned length = 32; length <= 512; length += 32)
		if (!syscall(SYS_rseq, (char *) __builtin_thread_pointer() + __rseq_offset, length, RSEQ_FLAG_UNREGISTER, RSEQ_SIG))
			return true;
	return false;
}

/* struct sigaction of the kernel: the C library's call would put in a restorer of its own. */
struct kernel_action {
	uint64_t handler, flags, restorer, mask;
};

/* What delivers a fault to the image, should a tracer let it: only to have the kernel write a signal frame. */
static inline long fault_handlers(const struct image *image)
{
	const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};
	struct kernel_action action = {at(image, image_fault), SA_SIGINFO | SA_NODEFER | SA_RESTORER, at(image, image_fault_return), 0};
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		if (syscall(SYS_rt_sigaction, faults[i], &action, NULL, sizeof action.mask))
			return -1;
	return 0;
}

/* Everything that must happen before the filter, then park. Runs in the source, on a copy of the tracer's stack. */
__attribute__((noreturn)) static inline void source_main(const struct image *image, struct boot *boot, pid_t parent,
							 const struct sock_fprog *filter)
{
	const struct variant *v = &image->variant;
	prctl(PR_SET_NAME, "floor-stub");
	boot_step(boot, STEP_SESSION, v->own_session ? setsid() : setpgid(0, 0));
	if (v->batch_policy)
		boot_step(boot, STEP_SESSION, sched_setscheduler(0, SCHED_BATCH, &(struct sched_param) {0}));
	boot_step(boot, STEP_HANDLERS, fault_handlers(image));
	sigset_t mask;
	sigfillset(&mask);
	int unblocked[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGURG};
	for (size_t i = 0; i < sizeof unblocked / sizeof *unblocked; i++)
		sigdelset(&mask, unblocked[i]);
	boot_step(boot, STEP_MASK, sigprocmask(SIG_SETMASK, &mask, NULL));
	boot_step(boot, STEP_ALTSTACK, sigaltstack(&(stack_t) {.ss_flags = SS_DISABLE}, NULL));
	boot_step(boot, STEP_RSEQ, rseq_unregister() ? 0 : -1);
	boot_step(boot, STEP_CORE, setrlimit(RLIMIT_CORE, &(struct rlimit) {0, 0}));
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
	boot_step(boot, STEP_CAPABILITIES, syscall(SYS_capset, &header, none));
	boot_step(boot, STEP_PDEATHSIG, prctl(PR_SET_PDEATHSIG, SIGKILL));
	boot_step(boot, STEP_PARENT, syscall(SYS_getppid) == parent ? 0 : -1);

	if (!v->inherited_pids)
		boot_step(boot, STEP_IMAGE, madvise((void *) image->pids, PAGE, MADV_DONTFORK));
	/* The reservation between the image's parts would be one more mapping in every stub. */
	int data = 1 + v->more_data;
	uint64_t hole = image->base + PAGE;
	for (int i = 0; i < data; i++) {
		boot_step(boot, STEP_IMAGE, munmap((void *) hole, data_at(image, i) - hole));
		hole = data_at(image, i) + DATA_SIZE;
		for (uint64_t page = data_at(image, i); v->touched_data && page < hole; page += PAGE)
			*(volatile char *) page = 1;
	}
	boot_step(boot, STEP_IMAGE, munmap((void *) hole, image->base + PIDS_OFFSET - hole));
	hole = image->base + PIDS_OFFSET + PAGE;
	boot_step(boot, STEP_IMAGE, munmap((void *) hole, image->base + IMAGE_SIZE - hole));

	boot_step(boot, STEP_PRIVILEGES, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	if (!v->no_filter)
		boot_step(boot, STEP_FILTER, syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter));
	boot->step = STEP_READY;

	register uint64_t timeout __asm__("r10") = 0;
	__asm__ volatile("jmp *%0"
			 :
			 : "r"(at(image, image_park)), "D"(at(image, image_park_word)), "S"(FUTEX_WAIT_PRIVATE), "d"(0), "r"(timeout)
			 : "memory");
	__builtin_unreachable();
}

/* Clone, seize, unmap. `heap` may be null. */
static inline void source_birth(struct source *source, const struct image *image, const struct heap *heap)
{
	struct filter filter;
	build_filter(&filter, image);
	struct sock_fprog program = {(unsigned short) filter.n, filter.code};
	struct boot *boot = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (boot == MAP_FAILED)
		die("boot page");
	boot->step = STEP_NONE;
	pid_t parent = getpid();
	fflush(NULL);

	sigset_t all, before;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	int64_t start = now();
	if (heap && heap->dontfork && madvise(heap->start, heap->size, MADV_DONTFORK))
		die("DONTFORK");
	pid_t pid = (pid_t) syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, NULL, NULL, 0);
	if (!pid)
		source_main(image, boot, parent, &program);
	int error = errno;
	if (heap && heap->dontfork && madvise(heap->start, heap->size, MADV_DOFORK))
		die("DOFORK");
	int64_t end = now();
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = error;
	if (pid < 0)
		die("clone of the source");

	while (boot->step != STEP_READY) {
		if (boot->step < 0) {
			errno = boot->error;
			die("birth of the source, step %d", -boot->step);
		}
		int status;
		if (waitpid(pid, &status, WNOHANG | __WALL) == pid && boot->step >= 0)
			die("the source died at birth, wait status %#x", status);
		sched_yield();
	}
	if (ptrace(PTRACE_SEIZE, pid, NULL, TRACE_OPTIONS) || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL))
		die("SEIZE of the source");
	await(pid, STOP_BORN);
	inject_or_die(image, pid, SYS_munmap, LOWEST_ADDRESS, image->base - LOWEST_ADDRESS);
	inject_or_die(image, pid, SYS_munmap, image->base + IMAGE_SIZE, USER_END - image->base - IMAGE_SIZE);
	munmap(boot, PAGE);
	*source = (struct source) {pid, image, end - start};
}

/* ---- children ---- */

static inline struct user_regs_struct clone_registers(const struct image *image, const char *routine, uint64_t flags)
{
	struct user_regs_struct r = constructed(at(image, routine));
	r.rax = SYS_clone;
	r.rdi = flags;
	r.rdx = (uint64_t) image->pids;
	return r;
}

/* The pid that the running source writes to a word, without asking where the source is; 0 if it takes too long. */
static inline pid_t spin_for_pid(const volatile int32_t *word)
{
	int64_t end = 0;
	for (;;) {
		pid_t pid = __atomic_load_n(word, __ATOMIC_ACQUIRE);
		if (pid)
			return pid;
		int64_t t = now();
		if (!end)
			end = t + SPIN_NS;
		else if (t > end)
			return 0;
		sched_yield();
	}
}

/* One child: the source is resumed with `r`, and both have stopped on return. */
static inline pid_t create(const struct source *source, const struct user_regs_struct *r)
{
	volatile int32_t *word = source->image->pids;
	*word = 0;
	set_registers(source->pid, r);
	resume(source->pid);
	pid_t pid = spin_for_pid(word);
	if (pid) {
		await(pid, STOP_BORN);
		await(source->pid, STOP_INT3);
	} else {
		await(source->pid, STOP_INT3);
		pid = *word;
		if (pid <= 0)
			die("the source could not clone");
		await(pid, STOP_BORN);
	}
	return pid;
}

static inline pid_t create_child(const struct source *source)
{
	struct user_regs_struct r = clone_registers(source->image, image_call, CHILD_FLAGS);
	return create(source, &r);
}

/* N children in one injection. */
static inline void create_batch(const struct source *source, struct user_regs_struct *r, pid_t *children, int n)
{
	volatile int32_t *words = source->image->pids;
	for (int i = 0; i < n; i++)
		words[i] = 0;
	r->r12 = (uint64_t) n;
	set_registers(source->pid, r);
	resume(source->pid);
	pid_t last = spin_for_pid(&words[n - 1]);
	if (last)
		await(last, STOP_BORN);
	await(source->pid, STOP_INT3);
	for (int i = 0; i < n; i++) {
		children[i] = words[i];
		if (children[i] <= 0)
			die("the source could not clone");
		if (children[i] != last)
			await(children[i], STOP_BORN);
	}
}

static inline void kill_and_reap(pid_t pid)
{
	if (kill(pid, SIGKILL))
		die("kill of %d", pid);
	expect(pid, wait_yielding(pid), SIGKILL);
}

/* ---- what a guest does to a stub ---- */

#define BELOW_IMAGE 0x401000UL
#define CHUNK 512UL /* pages; the next chunk begins 4 MiB further */
#define SIDE_MAX (25 * CHUNK)

/* Private memory; no chunk contains a whole huge page, so that the pages touched are small ones, and as many as asked for. */
static inline void guest_map(const struct image *image, pid_t pid, uint64_t address, size_t pages)
{
	for (; pages; address += 4 * MIB) {
		size_t n = pages < CHUNK ? pages : CHUNK;
		long mapped = inject(image, pid, SYS_mmap, address, n * PAGE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, (uint64_t) -1, 0);
		if (mapped != (long) address)
			die("mapping %zu pages in %d", n, pid);
		pages -= n;
	}
}

static inline void guest_write(pid_t pid, uint64_t address, size_t pages)
{
	static char *bytes;
	if (!bytes) {
		bytes = mmap(NULL, SIDE_MAX * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (bytes == MAP_FAILED || madvise(bytes, SIDE_MAX * PAGE, MADV_DONTFORK)) /* no part of a source's clone */
			die("bytes to write");
		memset(bytes, 1, SIDE_MAX * PAGE); /* or all would be read from the one zero page */
	}
	struct iovec from = {bytes, pages * PAGE}, to[SIDE_MAX / CHUNK];
	size_t chunks = (pages + CHUNK - 1) / CHUNK;
	for (size_t i = 0; i < chunks; i++)
		to[i] = (struct iovec) {(void *) (address + i * 4 * MIB), (i + 1 < chunks ? CHUNK : pages - i * CHUNK) * PAGE};
	if (pages && process_vm_writev(pid, &from, 1, to, chunks, 0) != (ssize_t) (pages * PAGE))
		die("writing %zu pages of %d", pages, pid);
}

static inline uint64_t above(const struct image *image)
{
	return image->base + IMAGE_SIZE + PAGE;
}

/* As many touched pages on each side of the image. */
static inline void dirty(const struct image *image, pid_t pid, size_t pages)
{
	guest_map(image, pid, BELOW_IMAGE, pages);
	guest_map(image, pid, above(image), pages);
	guest_write(pid, BELOW_IMAGE, pages);
	guest_write(pid, above(image), pages);
}

/* ---- recycling ---- */

#define PEEK_SHARED 1 /* PTRACE_PEEKSIGINFO_SHARED, in linux/ptrace.h */
#define FEATURE_PKRU 9
#define PKRU_AT_START 0x55555554 /* what the kernel gives a new program */

/* The limits that bear on what the filter lets a stub do: use CPU time, map memory, clone, be signalled. The library's list. */
static const int stub_limits[] = {RLIMIT_CPU, RLIMIT_DATA, RLIMIT_CORE, RLIMIT_NPROC, RLIMIT_AS, RLIMIT_SIGPENDING};
#define STUB_LIMITS (sizeof stub_limits / sizeof *stub_limits)

/* What a stub is to be like before its next lease. */
struct template {
	struct user_regs_struct unmap;
	_Alignas(64) char xstate[16384];
	struct iovec vector; /* of exactly the size that this CPU's state has, as the kernel demands */
	uint64_t mask;
	cpu_set_t affinity;
	struct rlimit limits[STUB_LIMITS];
	int proc; /* /proc: from here the path to a stub is short */
};

/* `fresh` tells what is inherited; all else is constructed. */
static inline void template_open(struct template *t, const struct image *image, pid_t fresh)
{
	memset(t, 0, sizeof *t);
	t->unmap = constructed(at(image, image_unmap));
	t->unmap.rdi = LOWEST_ADDRESS;
	t->unmap.rsi = image->base - LOWEST_ADDRESS;
	t->unmap.r12 = image->base + IMAGE_SIZE;
	t->unmap.r13 = USER_END - t->unmap.r12;

	t->vector = (struct iovec) {t->xstate, sizeof t->xstate};
	if (ptrace(PTRACE_GETREGSET, fresh, NT_X86_XSTATE, &t->vector))
		die("GETREGSET of %d", fresh);
	uint64_t features;
	memcpy(&features, t->xstate + 464, sizeof features); /* what the system has switched on */
	memset(t->xstate, 0, sizeof t->xstate);
	*(uint16_t *) t->xstate = 0x37f;         /* x87 control word at reset */
	*(uint32_t *) (t->xstate + 24) = 0x1f80; /* mxcsr at reset */
	uint64_t given = 3;                      /* x87 and SSE; all that is not given takes its initial state */
	if (features & 1UL << FEATURE_PKRU) {
		unsigned size, offset, unused;
		__cpuid_count(0xd, FEATURE_PKRU, size, offset, unused, unused);
		*(uint32_t *) (t->xstate + offset) = PKRU_AT_START;
		given |= 1UL << FEATURE_PKRU; /* its initial state would allow all keys */
	}
	*(uint64_t *) (t->xstate + 512) = given;

	const int unblocked[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGURG};
	t->mask = ~0UL;
	for (size_t i = 0; i < sizeof unblocked / sizeof *unblocked; i++)
		t->mask &= ~(1UL << (unblocked[i] - 1));
	if (sched_getaffinity(fresh, sizeof t->affinity, &t->affinity))
		die("affinity of %d", fresh);
	for (size_t i = 0; i < STUB_LIMITS; i++)
		if (prlimit(fresh, stub_limits[i], NULL, &t->limits[i]))
			die("limit %d of %d", stub_limits[i], fresh);
	t->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (t->proc < 0)
		die("/proc");
}

static inline void reset_vector(const struct template *t, pid_t pid)
{
	struct iovec vector = t->vector;
	if (ptrace(PTRACE_SETREGSET, pid, NT_X86_XSTATE, &vector))
		die("SETREGSET of %d", pid);
}

static inline void reset_debug(pid_t pid)
{
	if (ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[7]), 0))
		die("DR7 of %d", pid);
}

static inline void reset_mask(const struct template *t, pid_t pid)
{
	if (ptrace(PTRACE_SETSIGMASK, pid, sizeof t->mask, &t->mask))
		die("SETSIGMASK of %d", pid);
}

/* The looks: true if nothing is there that a recycle cannot mend. */

static inline bool no_signal(pid_t pid)
{
	siginfo_t info;
	for (uint32_t flags = 0; flags <= PEEK_SHARED; flags++) {
		struct __ptrace_peeksiginfo_args first = {0, flags, 1};
		long n = ptrace(PTRACE_PEEKSIGINFO, pid, &first, &info);
		if (n < 0)
			die("PEEKSIGINFO of %d", pid);
		if (n)
			return false;
	}
	return true;
}

static inline bool same_affinity(const struct template *t, pid_t pid)
{
	cpu_set_t set;
	return !sched_getaffinity(pid, sizeof set, &set) && CPU_EQUAL(&set, &t->affinity);
}

static inline bool same_limits(const struct template *t, pid_t pid)
{
	for (size_t i = 0; i < STUB_LIMITS; i++) {
		struct rlimit limit;
		if (prlimit(pid, stub_limits[i], NULL, &limit) || limit.rlim_cur != t->limits[i].rlim_cur || limit.rlim_max != t->limits[i].rlim_max)
			return false;
	}
	return true;
}

static inline bool one_thread(const struct template *t, pid_t pid)
{
	char path[] = "0123456789/task", *p = path + 10;
	for (; pid; pid /= 10)
		*--p = (char) ('0' + pid % 10);
	struct stat directory;
	return !fstatat(t->proc, p, &directory, 0) && directory.st_nlink == 3;
}

static inline void start_unmap(const struct template *t, pid_t pid)
{
	set_registers(pid, &t->unmap);
	resume(pid);
}

static inline void check_unmap(const struct image *image, pid_t pid)
{
	struct user_regs_struct r;
	get_registers(pid, &r);
	if (r.rip != at(image, image_unmap_end) || r.rax)
		die("stub %d stopped at %#llx with %#llx, not after its unmap", pid, r.rip, r.rax);
}

/* All but the unmapping, which leaves general registers that are the image's. */
static inline bool reset_state(const struct template *t, pid_t pid)
{
	reset_vector(t, pid);
	reset_debug(pid);
	reset_mask(t, pid);
	return no_signal(pid) && one_thread(t, pid) && same_affinity(t, pid) && same_limits(t, pid);
}

/* Call by call what the library does, in its order. False if the stub has to be discarded. */
static inline bool recycle(const struct image *image, const struct template *t, pid_t pid)
{
	start_unmap(t, pid);
	await(pid, STOP_INT3);
	check_unmap(image, pid);
	return reset_state(t, pid);
}

#endif
