/* Floors of guests that are run over shared memory, without ptrace: what a system call, a patched one, and a fault with the page mapped in
   the answer cost two processes that take turns on a word. See README.md. */

#include "floor.h"
#include "shared.h"

#include <linux/futex.h>
#include <ucontext.h>

extern const char shared_text[], shared_text_end[], shared_handler[], shared_patched[], guest_call[], guest_call_patched[], guest_read[];

_Static_assert(offsetof(ucontext_t, uc_mcontext.gregs[REG_R8]) == FRAME_R8 && offsetof(ucontext_t, uc_mcontext.gregs[REG_RAX]) == FRAME_RAX
		       && offsetof(ucontext_t, uc_mcontext.gregs[REG_RSP]) == FRAME_RSP
		       && offsetof(ucontext_t, uc_mcontext.gregs[REG_RIP]) == FRAME_RIP
		       && offsetof(ucontext_t, uc_mcontext.gregs[REG_EFL]) == FRAME_FLAGS
		       && offsetof(ucontext_t, uc_mcontext.gregs[REG_CSGSFS]) == FRAME_CS && FRAME_SS == FRAME_CS + 6
		       && offsetof(ucontext_t, uc_mcontext.fpregs) == FRAME_FPSTATE,
	       "the frame");

#define PAGES_AT 0x600000000000UL /* where the guest reads: page after page */

static struct {
	int n, cpu;
} options = {.n = 200000, .cpu = -1};

static char *slot;

static uint32_t *word32(size_t offset)
{
	return (uint32_t *) (slot + offset);
}

static uint64_t *word64(size_t offset)
{
	return (uint64_t *) (slot + offset);
}

/* ---- the guest's process ---- */

/* Whatever is called from elsewhere than the shared text is told to the handler. */
static long filter_calls(void)
{
	uint64_t from = (uint64_t) shared_text, end = (uint64_t) shared_text_end;
	if (from >> 32 != end >> 32)
		die("the text lies across 4 GiB");
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) (from >> 32), 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer)),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t) from, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t) end, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};
	struct sock_fprog program = {sizeof code / sizeof *code, code};
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

__attribute__((noreturn)) static void guest(const char *code, pid_t parent)
{
	const int told[] = {SIGSYS, SIGSEGV};
	struct kernel_action action = {(uint64_t) shared_handler, SA_SIGINFO | SA_NODEFER | SA_ONSTACK | SA_RESTORER, 0, 0};
	stack_t stack = {.ss_sp = slot + SLOT_STACK, .ss_size = SLOT_SIZE - SLOT_STACK};
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent || sigaltstack(&stack, NULL) || !rseq_unregister())
		die("the guest's process");
	for (size_t i = 0; i < sizeof told / sizeof *told; i++)
		if (syscall(SYS_rt_sigaction, told[i], &action, NULL, sizeof action.mask))
			die("handler of signal %d", told[i]);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || filter_calls())
		die("the guest's filter");
	__asm__ volatile("jmp *%0" : : "r"(code), "a"(SYS_getpid), "D"(PAGES_AT) : "memory");
	__builtin_unreachable();
}

/* ---- turns ---- */

/* How a side waits; who spins has a CPU of its own. */
struct patience {
	int spins, yields;
};

static void await_turn(struct patience patience)
{
	for (int i = 0; i < patience.spins; i++) {
		if (!(__atomic_load_n(word32(SLOT_TURN), __ATOMIC_ACQUIRE) & TURN_GUEST))
			return;
		__builtin_ia32_pause();
	}
	for (int i = 0; i < patience.yields; i++) {
		sched_yield();
		if (!(__atomic_load_n(word32(SLOT_TURN), __ATOMIC_ACQUIRE) & TURN_GUEST))
			return;
	}
	for (;;) {
		uint32_t turn = __atomic_load_n(word32(SLOT_TURN), __ATOMIC_ACQUIRE);
		if (!(turn & TURN_GUEST))
			return;
		uint32_t asleep = turn | TURN_SLEEPS;
		if (__atomic_compare_exchange_n(word32(SLOT_TURN), &turn, asleep, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			syscall(SYS_futex, word32(SLOT_TURN), FUTEX_WAIT, asleep, NULL, NULL, 0);
	}
}

static void pass_turn(void)
{
	if (__atomic_exchange_n(word32(SLOT_TURN), TURN_GUEST, __ATOMIC_SEQ_CST) & TURN_SLEEPS)
		syscall(SYS_futex, word32(SLOT_TURN), FUTEX_WAKE, 1, NULL, NULL, 0);
}

static ucontext_t *frame(void)
{
	uint64_t at = *word64(SLOT_FRAME);
	if (at < (uint64_t) slot + SLOT_STACK || at > (uint64_t) slot + SLOT_SIZE - sizeof(ucontext_t))
		die("the frame is at %#lx", at);
	return (ucontext_t *) at;
}

/* ---- what is timed: an answer, and the guest's next event ---- */

/* Each answer is the number of the next call, so each round differs from the one before. */
static uint64_t called = SYS_getpid;

static uint64_t next_number(void)
{
	called = called == SYS_getpid ? SYS_getppid : SYS_getpid;
	return called;
}

static void answer_call(struct patience patience)
{
	frame()->uc_mcontext.gregs[REG_RAX] = (greg_t) next_number();
	pass_turn();
	await_turn(patience);
	if (*word32(SLOT_SIGNAL) != SIGSYS || frame()->uc_mcontext.gregs[REG_RAX] != (greg_t) called)
		die("call %lld by signal %u", frame()->uc_mcontext.gregs[REG_RAX], *word32(SLOT_SIGNAL));
}

static void answer_patched(struct patience patience)
{
	*word64(SLOT_RESULT) = next_number();
	pass_turn();
	await_turn(patience);
	if (*word32(SLOT_SIGNAL) || *word64(SLOT_NUMBER) != called)
		die("patched call %lu, signal %u", *word64(SLOT_NUMBER), *word32(SLOT_SIGNAL));
}

static uint64_t mapped;

static void answer_fault(struct patience patience)
{
	const uint64_t arguments[] = {mapped, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, (uint64_t) -1, 0};
	memcpy(word64(SLOT_ARGUMENTS), arguments, sizeof arguments);
	*word64(SLOT_OPERATION) = SYS_mmap;
	pass_turn();
	await_turn(patience);
	if (*word64(SLOT_RESULT) != mapped)
		die("mapping in the guest: %ld", (long) *word64(SLOT_RESULT));
	mapped += PAGE;
	if (*word32(SLOT_SIGNAL) != SIGSEGV || (uint64_t) frame()->uc_mcontext.gregs[REG_CR2] != mapped)
		die("signal %u at %#llx", *word32(SLOT_SIGNAL), frame()->uc_mcontext.gregs[REG_CR2]);
}

/* ---- rows ---- */

static struct row {
	const char *name, *code;
	void (*answer)(struct patience);
	bool two_cpus;
	struct patience patience;
} rows[] = {
	{"shared_syscall", guest_call, answer_call, true, {1 << 16, 0}},
	{"shared_syscall_one_cpu", guest_call, answer_call, false, {0, 4}},
	{"shared_syscall_one_cpu_asleep", guest_call, answer_call, false, {0, 0}},
	{"shared_patched", guest_call_patched, answer_patched, true, {1 << 16, 0}},
	{"shared_patched_one_cpu", guest_call_patched, answer_patched, false, {0, 4}},
	{"shared_fault", guest_read, answer_fault, true, {1 << 16, 0}},
	{"shared_fault_one_cpu", guest_read, answer_fault, false, {0, 4}},
};

/* A CPU that this program may use beside its own; -1 if there is none. */
static int other_cpu(const cpu_set_t *allowed)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (cpu != options.cpu && CPU_ISSET(cpu, allowed))
			return cpu;
	return -1;
}

static void run(const struct row *row, int guest_cpu)
{
	struct samples s = {0};
	memset(slot, 0, SLOT_SIZE);
	*word32(SLOT_TURN) = TURN_GUEST;
	*word32(SLOT_SPINS) = (uint32_t) row->patience.spins;
	*word32(SLOT_YIELDS) = (uint32_t) row->patience.yields;
	*word64(SLOT_OPERATION) = (uint64_t) -1;
	called = SYS_getpid;
	mapped = PAGES_AT;
	bound();
	fflush(NULL);
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		pin(guest_cpu);
		guest(row->code, parent);
	}
	await_turn((struct patience) {0, 0});
	for (int i = -options.n / 10; i < options.n; i++) {
		int64_t start = now();
		row->answer(row->patience);
		int64_t end = now();
		if (i >= 0)
			sample(&s, (double) (end - start) / 1000);
	}
	kill_and_reap(pid);
	report(row->name, "us", &s);
}

int main(int argc, char **argv)
{
	cpu_set_t allowed;
	errno = 0;
	if (sched_getaffinity(0, sizeof allowed, &allowed))
		die("affinity");
	int named = argc;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--n"))
			options.n = (int) number(argv[++i], 10, 100000000);
		else if (!strcmp(argv[i], "--cpu"))
			options.cpu = (int) number(argv[++i], 0, CPU_SETSIZE - 1);
		else {
			named = i;
			break;
		}
	}
	if (options.cpu < 0)
		for (options.cpu = CPU_SETSIZE - 1; !CPU_ISSET(options.cpu, &allowed);)
			options.cpu--;
	pin(options.cpu);
	slot = mmap((void *) SLOT_ADDRESS, SLOT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (slot != (char *) SLOT_ADDRESS)
		die("the slot");
	int other = other_cpu(&allowed);
	for (int j = named; j < argc; j++) {
		size_t i = 0;
		while (i < sizeof rows / sizeof *rows && strcmp(argv[j], rows[i].name))
			i++;
		if (i == sizeof rows / sizeof *rows)
			die("there is no row %s", argv[j]);
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool wanted = named == argc;
		for (int j = named; j < argc; j++)
			wanted |= !strcmp(argv[j], rows[i].name);
		if (!wanted)
			continue;
		if (rows[i].two_cpus && other < 0)
			fprintf(stderr, "floor: %s needs two CPUs\n", rows[i].name);
		else
			run(&rows[i], rows[i].two_cpus ? other : options.cpu);
	}
	return 0;
}
