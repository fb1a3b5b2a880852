/* Guests: code that runs in threads of a stub under PTRACE_SYSEMU. The stub's leader stays stopped, its tracer makes the threads; each is
   handed to a tracer of its own, where everything that follows happens until it is retired. What the library does, request by request. */

#ifndef GUEST_H
#define GUEST_H

#include "floor.h"

#include <pthread.h>

extern const char code_text[], code_call[], code_read[], code_write[], code_spin[], code_text_end[];

#define GUEST_CODE BELOW_IMAGE
#define UNMAPPED (BELOW_IMAGE + MIB + 8) /* read and written by guests */
#define FRAMES (64 * KIB)                /* lent for signal frames, right below the image */

#define STOP_CALL ((SIGTRAP | 0x80) << 8 | 0x7f)
#define STOP_SIGNAL(signal) ((signal) << 8 | 0x7f)

/* Of general registers only these are written: a base that the guest has chosen need not be one that the kernel takes back. */
#define GENERAL offsetof(struct user_regs_struct, fs_base)
_Static_assert(GENERAL == 21 * sizeof(uint64_t), "the words before the bases");

#define VECTOR_MAX (16 * KIB)

struct guest {
	const struct image *image;
	pid_t stub, tid;
	struct user_regs_struct r; /* its own, as last read or about to be written */
	siginfo_t info;
	int64_t start, end; /* of what one thread times and another reports */
	_Alignas(64) char xstate[VECTOR_MAX];
};

/* ---- turns ---- */

/* Two threads take turns. Who waits looks, yielding, then sleeps; who passes the turn makes no call unless the other one sleeps.
   `asleep` counts, for one may go to sleep while the other has been woken and has not run yet. */
struct turn {
	uint32_t count, asleep;
};

static inline void turn_pass(struct turn *turn)
{
	__atomic_add_fetch(&turn->count, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&turn->asleep, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &turn->count, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static inline void turn_await(struct turn *turn, uint32_t other)
{
	int64_t end = 0;
	while (__atomic_load_n(&turn->count, __ATOMIC_ACQUIRE) == other) {
		int64_t t = now();
		if (!end)
			end = t + SPIN_NS;
		if (t <= end) {
			sched_yield();
			continue;
		}
		__atomic_add_fetch(&turn->asleep, 1, __ATOMIC_SEQ_CST);
		syscall(SYS_futex, &turn->count, FUTEX_WAIT_PRIVATE, other, NULL, NULL, 0);
		__atomic_sub_fetch(&turn->asleep, 1, __ATOMIC_SEQ_CST);
	}
}

/* A thread that traces guests. An odd turn is its own. */
struct tracer {
	pthread_t thread;
	struct turn turn;
	void (*work)(void *);
	void *argument;
};

static inline void *tracer_main(void *p)
{
	struct tracer *t = p;
	for (uint32_t mine = 1;; mine += 2) {
		turn_await(&t->turn, mine - 1);
		if (!t->work)
			return NULL;
		t->work(t->argument);
		turn_pass(&t->turn);
	}
}

static inline void tracer_start(struct tracer *t)
{
	*t = (struct tracer) {0};
	errno = pthread_create(&t->thread, NULL, tracer_main, t);
	if (errno)
		die("a tracer thread");
}

static inline void tracer_ask(struct tracer *t, void (*work)(void *), void *argument)
{
	t->work = work;
	t->argument = argument;
	turn_pass(&t->turn);
}

static inline void tracer_answer(struct tracer *t)
{
	turn_await(&t->turn, __atomic_load_n(&t->turn.count, __ATOMIC_ACQUIRE) | 1);
}

static inline void on_tracer(struct tracer *t, void (*work)(void *), void *argument)
{
	tracer_ask(t, work, argument);
	tracer_answer(t);
}

/* What it still traces dies with it. */
static inline void tracer_stop(struct tracer *t)
{
	tracer_ask(t, NULL, NULL);
	pthread_join(t->thread, NULL);
}

/* ---- registers ---- */

static inline void set_general(pid_t tid, const struct user_regs_struct *r)
{
	struct iovec general = {(void *) r, GENERAL};
	if (ptrace(PTRACE_SETREGSET, tid, NT_PRSTATUS, &general))
		die("SETREGSET of %d", tid);
}

static inline void set_result(pid_t tid, uint64_t rax)
{
	if (ptrace(PTRACE_POKEUSER, tid, offsetof(struct user, regs.rax), rax))
		die("rax of %d", tid);
}

/* As last read, to be written back: no system call to restart. */
static inline void get_general(struct guest *g)
{
	get_registers(g->tid, &g->r);
	g->r.orig_rax = ~0UL;
}

static inline uint64_t guest_at(const char *label)
{
	return GUEST_CODE + (uint64_t) (label - code_text);
}

/* ---- a thread's life ---- */

/* The leader's tracer maps the guests' code and the frame area. */
static inline void guest_prepare(const struct image *image, pid_t stub)
{
	const uint64_t frames = image->base - FRAMES;
	const size_t size = (size_t) (code_text_end - code_text);
	struct iovec from = {(void *) code_text, size}, to = {(void *) GUEST_CODE, size};
	guest_map(image, stub, GUEST_CODE, 1);
	if (process_vm_writev(stub, &from, 1, &to, 1, 0) != (ssize_t) size)
		die("writing guest code");
	if (inject(image, stub, SYS_mprotect, GUEST_CODE, PAGE, PROT_READ | PROT_EXEC, 0, 0, 0))
		die("mprotect of guest code");
	guest_map(image, stub, frames, FRAMES / PAGE);
}

/* So does it make a thread, and lets it go to sleep in the image, where another tracer can seize it. */
static inline void guest_create(struct guest *g)
{
	g->tid = (pid_t) inject(g->image, g->stub, SYS_clone, THREAD_FLAGS, 0, 0, 0, 0, 0);
	if (g->tid <= 0)
		die("a thread in stub %d: %d", g->stub, g->tid);
	await(g->tid, STOP_BORN);
}

static inline void guest_let_go(const struct guest *g)
{
	struct user_regs_struct r = constructed(at(g->image, image_park));
	r.rdi = at(g->image, image_park_word);
	r.rsi = FUTEX_WAIT_PRIVATE;
	set_general(g->tid, &r);
	if (ptrace(PTRACE_DETACH, g->tid, NULL, NULL))
		die("DETACH of %d", g->tid);
}

/* From here on all is done by the guest's own tracer. */
static inline void guest_take(const struct guest *g)
{
	if (ptrace(PTRACE_SEIZE, g->tid, NULL, TRACE_OPTIONS) || ptrace(PTRACE_INTERRUPT, g->tid, NULL, NULL))
		die("SEIZE of %d", g->tid);
	await(g->tid, STOP_BORN);
}

static inline void guest_retire(const struct guest *g)
{
	struct user_regs_struct r = constructed(at(g->image, image_call));
	r.rax = SYS_exit;
	set_general(g->tid, &r);
	resume(g->tid);
	await(g->tid, 0); /* exit status 0 */
}

/* ---- running ---- */

/* Signals that stopped it are dropped. */
static inline void guest_resume(const struct guest *g)
{
	if (ptrace(PTRACE_SYSEMU, g->tid, NULL, NULL))
		die("SYSEMU of %d", g->tid);
}

static inline void guest_enter(struct guest *g, const char *label)
{
	g->r = constructed(guest_at(label));
	g->r.rax = SYS_getpid;
	g->r.rdi = UNMAPPED;
	set_general(g->tid, &g->r);
}

static inline void get_signal(struct guest *g)
{
	if (ptrace(PTRACE_GETSIGINFO, g->tid, NULL, &g->info))
		die("GETSIGINFO of %d", g->tid);
}

/* One call in its stopped thread, as if nothing had happened. Leaves in `g->r` what it wrote back. */
static inline long guest_inject(struct guest *g, long nr)
{
	struct user_regs_struct r = constructed(at(g->image, image_call));
	get_general(g);
	r.rax = (uint64_t) nr;
	set_general(g->tid, &r);
	resume(g->tid);
	await(g->tid, STOP_INT3);
	get_registers(g->tid, &r);
	if (r.rip != at(g->image, image_call_end))
		die("guest %d stopped at %#llx, not after its injection", g->tid, r.rip);
	set_general(g->tid, &g->r);
	return (long) r.rax;
}

/* What the kernel tells of a fault only in a signal frame. */
struct exact {
	uint64_t trapno, error, cr2;
};

/* At a fault's stop, `g->r` and `g->info` being read. The signal is delivered on a lent stack, and one step ends on the handler's first
   instruction; what that has changed is put back. */
static inline struct exact guest_exact(struct guest *g)
{
	struct iovec vector = {g->xstate, sizeof g->xstate};
	if (ptrace(PTRACE_GETREGSET, g->tid, NT_X86_XSTATE, &vector))
		die("GETREGSET of %d", g->tid);
	struct user_regs_struct r = g->r;
	r.rsp = g->image->base;
	set_general(g->tid, &r);
	if (ptrace(PTRACE_SINGLESTEP, g->tid, NULL, (long) g->info.si_signo))
		die("SINGLESTEP of %d", g->tid);
	await(g->tid, STOP_INT3);
	get_registers(g->tid, &r);
	if (r.rip != at(g->image, image_fault))
		die("guest %d stopped at %#llx, not in its handler", g->tid, r.rip);
	gregset_t frame;
	struct iovec to = {frame, sizeof frame}, from = {(void *) (r.rdx + offsetof(ucontext_t, uc_mcontext.gregs)), sizeof frame};
	if (process_vm_readv(g->tid, &to, 1, &from, 1, 0) != sizeof frame)
		die("the signal frame of %d", g->tid);
	if (ptrace(PTRACE_SETREGSET, g->tid, NT_X86_XSTATE, &vector))
		die("SETREGSET of %d", g->tid);
	set_general(g->tid, &g->r);
	return (struct exact) {(uint64_t) frame[REG_TRAPNO], (uint64_t) frame[REG_ERR], (uint64_t) frame[REG_CR2]};
}

#endif
