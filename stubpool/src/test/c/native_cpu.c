/*
 * Asks the CPU, in an ordinary process that no stub has anything to do with.
 *
 * native_cpu run CODE [pages] [REGISTER=VALUE]...
 *
 *   Runs machine code, given in hex, and prints a line for each signal that it raises:
 *
 *     signal code address rip number architecture trap error cr2
 *
 *   in hex but for the first two. Address, number and architecture are si_addr, si_syscall and
 *   si_arch; trap, error and cr2 are those of the signal frame, which the kernel leaves as they were
 *   when it raises a signal of its own accord: they begin with those of an int3. System calls are not made: a seccomp
 *   filter turns each into SIGSYS, and the result is ENOSYS. It ends with the first fault, the first
 *   int3, or after MOST_TRAPS lines.
 *
 *   The process looks as a guest of GuestCode does: one page of code filled up with int3, one page of
 *   data, two pages of stack, all other registers 0, no vDSO, and the last address that the vDSO had
 *   is the one that a stub's had. With "pages" there are more pages behind the data: a private one of
 *   a file, one without access, two shared ones of a file of one page. Registers are rax, rcx, rdx,
 *   rbx, rsi, cs and ss. With "watch=LENGTH" a debug register watches so many bytes of data, 1 or 2,
 *   for reads and writes.
 *
 * native_cpu state
 *
 *   Reads states from standard input, each a u64 length and an XSAVE area as ptrace(2) takes it. Sets
 *   each by PTRACE_SETREGSET in a process that then executes STMXCSR, and writes what that stored
 *   (u32) to standard output; -1 if the kernel refuses the state.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define PAGE 4096UL
#define CODE 0x100000UL
#define DATA 0x200000UL
#define STACK 0x301000UL
/* where a source stub moves the vDSO before it unmaps it */
#define VDSO 0x10000000UL
#define SIGNAL_STACK_SIZE (1UL << 18)
#define ARCH_SET_FS 0x1002
#define INITIAL_FLAGS 0x202
#define INITIAL_MXCSR 0x1f80
/* of an XSAVE area */
#define AREA_MAGIC1 464
#define AREA_COMPONENTS 512
/* x87, SSE, AVX, and the three of AVX-512 */
#define COMPONENTS_OF_COMPUTATION 0xe7UL
#define MOST_STATE (1UL << 16)

enum { MOST_TRAPS = 8 };

struct trap {
	int signal, code;
	unsigned long address, rip, number, architecture, trap, error, cr2;
};

static struct trap traps[MOST_TRAPS];
static int trap_count;
static int entered;
static greg_t initial[NGREG];
static unsigned long initial_selectors = 0x33 | 0x2bUL << 48;
static unsigned long main_stack, main_stack_length;
static char output[MOST_TRAPS * 160];

static void fail(const char *what)
{
	fprintf(stderr, "native_cpu: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void check(long result, const char *what)
{
	if (result == -1)
		fail(what);
}

/* ---- what follows runs without thread-local storage, and without the stack of main ---- */

/* The only system call instruction that the filter lets through, and the one behind it. */
__asm__(".text\n"
	".globl own_calls, own_call, own_return, own_calls_end\n"
	"own_calls:\n"
	"own_call:\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsi\n"
	"	mov %rcx, %rdx\n"
	"	syscall\n"
	"	ret\n"
	"own_return:\n"
	"	mov $15, %eax\n" /* rt_sigreturn */
	"	syscall\n"
	"own_calls_end:\n");
extern char own_calls[], own_return[], own_calls_end[];
long own_call(long number, unsigned long a, unsigned long b, unsigned long c);

static char *hex(char *to, unsigned long value, char end)
{
	char digits[16];
	int count = 0;

	do {
		digits[count++] = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value != 0);
	while (count > 0)
		*to++ = digits[--count];
	*to++ = end;
	return to;
}

static char *decimal(char *to, int value)
{
	if (value >= 100)
		*to++ = (char)('0' + value / 100);
	if (value >= 10)
		*to++ = (char)('0' + value / 10 % 10);
	*to++ = (char)('0' + value % 10);
	*to++ = ' ';
	return to;
}

static void report_and_exit(void)
{
	char *to = output;

	for (int i = 0; i < trap_count; i++) {
		struct trap *trap = &traps[i];

		to = decimal(to, trap->signal);
		to = decimal(to, trap->code);
		to = hex(to, trap->address, ' ');
		to = hex(to, trap->rip, ' ');
		to = hex(to, trap->number, ' ');
		to = hex(to, trap->architecture, ' ');
		to = hex(to, trap->trap, ' ');
		to = hex(to, trap->error, ' ');
		to = hex(to, trap->cr2, '\n');
	}
	own_call(SYS_write, 1, (unsigned long)output, (unsigned long)(to - output));
	own_call(SYS_exit_group, 0, 0, 0);
}

/* The first signal is our own: it returns to the code, with the registers of a new guest. */
static void enter(ucontext_t *context)
{
	unsigned char *area = (unsigned char *)context->uc_mcontext.fpregs;

	for (int i = 0; i <= REG_RIP; i++)
		context->uc_mcontext.gregs[i] = initial[i];
	context->uc_mcontext.gregs[REG_EFL] = INITIAL_FLAGS;
	context->uc_mcontext.gregs[REG_CSGSFS] = (greg_t)initial_selectors;
	context->uc_mcontext.fpregs->mxcsr = INITIAL_MXCSR;
	if (*(uint32_t *)(area + AREA_MAGIC1) == FP_XSTATE_MAGIC1)
		*(uint64_t *)(area + AREA_COMPONENTS) &= ~COMPONENTS_OF_COMPUTATION;
	own_call(SYS_munmap, main_stack, main_stack_length, 0);
	own_call(SYS_arch_prctl, ARCH_SET_FS, 0, 0);
}

static void handle(int signal, siginfo_t *info, void *frame)
{
	ucontext_t *context = frame;
	greg_t *registers = context->uc_mcontext.gregs;
	struct trap *trap = &traps[trap_count];

	if (!entered) {
		entered = 1;
		enter(context);
		return;
	}
	trap->signal = signal;
	trap->code = info->si_code;
	trap->rip = (unsigned long)registers[REG_RIP];
	trap->trap = (unsigned long)registers[REG_TRAPNO];
	trap->error = (unsigned long)registers[REG_ERR];
	trap->cr2 = (unsigned long)registers[REG_CR2];
	if (signal == SIGSYS) {
		trap->number = (unsigned int)info->si_syscall;
		trap->architecture = info->si_arch;
		registers[REG_RAX] = -ENOSYS;
	} else {
		trap->address = (unsigned long)info->si_addr;
	}
	trap_count++;
	if ((signal != SIGSYS && signal != SIGTRAP) || info->si_code == SI_KERNEL || trap_count == MOST_TRAPS)
		report_and_exit();
}

/* ---- preparations ---- */

static void map(unsigned long address, unsigned long length, int protection, int flags, int fd)
{
	if (mmap((void *)address, length, protection, flags | MAP_FIXED_NOREPLACE, fd, 0) != (void *)address)
		fail("mmap");
}

static void load(const char *code)
{
	unsigned char *to = (unsigned char *)CODE;
	unsigned int byte;

	map(CODE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	memset(to, 0xcc, PAGE);
	for (; sscanf(code, "%2x", &byte) == 1; code += 2)
		*to++ = (unsigned char)byte;
	check(mprotect((void *)CODE, PAGE, PROT_READ | PROT_EXEC), "mprotect");
	map(DATA, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	map(STACK - PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

static void map_pages_behind_the_data(void)
{
	int file = memfd_create("page", MFD_CLOEXEC);

	check(file, "memfd_create");
	check(ftruncate(file, PAGE), "ftruncate");
	map(DATA + PAGE, PAGE, PROT_READ, MAP_PRIVATE, file);
	map(DATA + 2 * PAGE, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	map(DATA + 3 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file);
}

/* As a source stub does it; finds the stack of main on the way. */
static void move_and_unmap_the_vdso(void)
{
	char line[512], name[256];
	unsigned long start, end, vdso = 0, vdso_length = 0;
	FILE *maps = fopen("/proc/self/maps", "re");

	if (maps == NULL)
		fail("/proc/self/maps");
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %255s", &start, &end, name) != 3)
			continue;
		if (strcmp(name, "[vdso]") == 0) {
			vdso = start;
			vdso_length = end - start;
		} else if (strcmp(name, "[stack]") == 0) {
			main_stack = start;
			main_stack_length = end - start;
		}
	}
	fclose(maps);
	if (vdso == 0)
		return;
	if (mremap((void *)vdso, vdso_length, vdso_length, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)VDSO) == MAP_FAILED)
		fail("mremap of the vDSO");
	check(munmap((void *)VDSO, vdso_length), "munmap");
}

static void install_the_filter(void)
{
	uint64_t from = (uint64_t)own_calls, to = (uint64_t)own_calls_end;
	uint32_t low = offsetof(struct seccomp_data, instruction_pointer);
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(from >> 32), 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)from, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)to, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	};
	struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)");
	check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0), "prctl(PR_SET_SECCOMP)");
}

static void handle_signals(void)
{
	int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
	/* the kernel's own layout: libc would put its own restorer */
	struct {
		void (*handler)(int, siginfo_t *, void *);
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} action = {handle, SA_SIGINFO | SA_ONSTACK | 0x04000000 /* SA_RESTORER */, own_return, 0};
	stack_t stack = {.ss_size = SIGNAL_STACK_SIZE};

	stack.ss_sp =
	    mmap(NULL, SIGNAL_STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (stack.ss_sp == MAP_FAILED)
		fail("mmap");
	check(sigaltstack(&stack, NULL), "sigaltstack");
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		check(syscall(SYS_rt_sigaction, signals[i], &action, NULL, 8), "rt_sigaction");
}

/* Goes on in a child; its parent sets the debug registers, which only ptrace(2) does, and lets it go. */
static void watch_the_data(unsigned long length)
{
	/* DR7: slot 0 is enabled, for reads and writes, of that length */
	unsigned long control = 1 | 3UL << 16 | (length - 1) << 18;
	pid_t child = fork();
	int status;

	check(child, "fork");
	if (child == 0) {
		check(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)");
		check(ptrace(PTRACE_TRACEME, 0, NULL, NULL), "PTRACE_TRACEME");
		raise(SIGSTOP);
		return;
	}
	check(waitpid(child, &status, 0), "waitpid");
	check(ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg[0]), DATA), "PTRACE_POKEUSER");
	check(ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg[7]), control), "PTRACE_POKEUSER");
	check(ptrace(PTRACE_DETACH, child, NULL, NULL), "PTRACE_DETACH");
	check(waitpid(child, &status, 0), "waitpid");
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 2);
}

static void set_register(const char *assignment)
{
	static const struct {
		const char *name;
		int index;
	} registers[] = {
	    {"rax=", REG_RAX}, {"rcx=", REG_RCX}, {"rdx=", REG_RDX}, {"rbx=", REG_RBX}, {"rsi=", REG_RSI},
	};
	unsigned long value = strtoul(strchr(assignment, '=') + 1, NULL, 0);

	if (strncmp(assignment, "cs=", 3) == 0) {
		initial_selectors = (initial_selectors & ~0xffffUL) | (value & 0xffff);
		return;
	}
	if (strncmp(assignment, "ss=", 3) == 0) {
		initial_selectors = (initial_selectors & ~(0xffffUL << 48)) | value << 48;
		return;
	}
	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		if (strncmp(assignment, registers[i].name, 4) == 0) {
			initial[registers[i].index] = (greg_t)value;
			return;
		}
	}
	errno = EINVAL;
	fail(assignment);
}

static void run(char **arguments)
{
	load(*arguments++);
	initial[REG_RIP] = CODE;
	initial[REG_RSP] = STACK;
	initial[REG_RDI] = DATA;
	for (; *arguments != NULL; arguments++) {
		if (strcmp(*arguments, "pages") == 0)
			map_pages_behind_the_data();
		else if (strncmp(*arguments, "watch=", 6) == 0)
			watch_the_data(strtoul(*arguments + 6, NULL, 0));
		else
			set_register(*arguments);
	}
	handle_signals();
	move_and_unmap_the_vdso();
	install_the_filter();
	__asm__ volatile("int3");
}

/* ---- states ---- */

static void await_stop(pid_t child)
{
	int status;

	check(waitpid(child, &status, 0), "waitpid");
	if (!WIFSTOPPED(status)) {
		errno = ECHILD;
		fail("the process that executes STMXCSR");
	}
}

static uint32_t mxcsr_of(pid_t child, const volatile uint32_t *stored, unsigned char *state, uint64_t length)
{
	struct iovec vector = {state, length};

	if (ptrace(PTRACE_SETREGSET, child, (void *)NT_X86_XSTATE, &vector) == -1)
		return (uint32_t)-1;
	check(ptrace(PTRACE_CONT, child, NULL, NULL), "PTRACE_CONT");
	await_stop(child);
	return *stored;
}

static void answer_states(void)
{
	static unsigned char state[MOST_STATE] __attribute__((aligned(64)));
	uint32_t *stored = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t length;
	pid_t child;

	if (stored == MAP_FAILED)
		fail("mmap");
	child = fork();
	check(child, "fork");
	if (child == 0) {
		check(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)");
		check(ptrace(PTRACE_TRACEME, 0, NULL, NULL), "PTRACE_TRACEME");
		__asm__ volatile("1: int3; stmxcsr (%0); jmp 1b" : : "r"(stored) : "memory");
	}
	await_stop(child);
	while (fread(&length, sizeof(length), 1, stdin) == 1) {
		uint32_t answer;

		if (length > sizeof(state) || fread(state, length, 1, stdin) != 1) {
			errno = EINVAL;
			fail("a state");
		}
		answer = mxcsr_of(child, stored, state, length);
		fwrite(&answer, sizeof(answer), 1, stdout);
		fflush(stdout);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

int main(int count, char **arguments)
{
	if (count > 2 && strcmp(arguments[1], "run") == 0)
		run(arguments + 2);
	else if (count == 2 && strcmp(arguments[1], "state") == 0)
		answer_states();
	else
		errno = EINVAL, fail("arguments");
	return 0;
}
