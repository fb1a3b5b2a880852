/*
 * Asks the kernel about seccomp filters.
 *
 * Reads requests from standard input and answers each on standard output; all numbers are
 * little-endian. First of all writes the address behind the system call instruction that the calls
 * below are made with (u64).
 *
 *   request: u32 instructions, u32 calls, struct sock_filter[instructions], struct call[calls]
 *   answer:  i32 errno of the installation (0: accepted), i32 0, i64 result[calls] if accepted
 *
 * Where calls are to be made, the filter is installed by a child that makes them, leaves the results
 * in shared memory and ends itself without a system call, which the filter might not let it make. A
 * call that kills the child has the result KILLED; the next child goes on behind it.
 *
 * Without calls nothing is installed: a listener is asked for where no descriptor is left for it.
 * The kernel looks at the filter first, so that EMFILE says that it takes it.
 *
 * With STACK calls, none of which follows, a child installs the filter until the kernel refuses it;
 * the second number of the answer is how often it did not. The filter has to allow seccomp(2).
 *
 * Answers are written when no request is waiting, so that many may be sent at once.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILLED INT64_MIN
#define NOT_REACHED (INT64_MIN + 1)

#define STACK UINT32_MAX

enum { MAX_INSTRUCTIONS = 65535, MAX_CALLS = 4096 };

struct call {
	int32_t nr;
	uint32_t unused;
	uint64_t arguments[6];
};

struct answer {
	int32_t error;
	int32_t installed;
	int64_t results[MAX_CALLS];
};

/* long raw_call(long nr, const uint64_t arguments[6]) */
long raw_call(long nr, const uint64_t *arguments);
extern char raw_call_return[];
__asm__(".text\n"
	".globl raw_call, raw_call_return\n"
	".type raw_call, @function\n"
	"raw_call:\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rcx\n"
	"	mov 0(%rcx), %rdi\n"
	"	mov 8(%rcx), %rsi\n"
	"	mov 16(%rcx), %rdx\n"
	"	mov 24(%rcx), %r10\n"
	"	mov 32(%rcx), %r8\n"
	"	mov 40(%rcx), %r9\n"
	"	syscall\n"
	"raw_call_return:\n"
	"	ret\n"
	".size raw_call, . - raw_call\n");

static struct sock_filter instructions[MAX_INSTRUCTIONS];
static struct call calls[MAX_CALLS];
static volatile struct answer *answer;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int read_fully(void *to, size_t size)
{
	return size == 0 || fread(to, size, 1, stdin) == 1;
}

static int install(const struct sock_fprog *program, unsigned flags)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program) < 0 ? errno : 0;
}

/* What the kernel says to a filter; nothing is installed. */
static int verdict(const struct sock_fprog *program)
{
	int error = install(program, SECCOMP_FILTER_FLAG_NEW_LISTENER);

	return error == EMFILE ? 0 : error;
}

/* The child: never returns, and makes no system call once the filter is in place. */
static void __attribute__((noreturn)) ask(const struct sock_fprog *program, uint32_t first, uint32_t count)
{
	answer->error = install(program, 0);
	if (answer->error != 0)
		_exit(0);
	for (uint32_t i = first; i < count; i++) {
		answer->results[i] = KILLED;
		answer->results[i] = raw_call(calls[i].nr, calls[i].arguments);
	}
	for (;;)
		__builtin_trap();
}

/* Runs a child that begins with call number first; gives the number to go on with. */
static uint32_t ask_in_child(const struct sock_fprog *program, uint32_t first, uint32_t count)
{
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (child == 0)
		ask(program, first, count);
	if (waitpid(child, NULL, 0) != child)
		fail("waitpid");
	while (first < count && answer->results[first] != NOT_REACHED)
		first++;
	return first;
}

/* How often a child can install a filter. */
static void stack(const struct sock_fprog *program)
{
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (child == 0) {
		while ((answer->error = install(program, 0)) == 0)
			answer->installed++;
		_exit(0);
	}
	if (waitpid(child, NULL, 0) != child)
		fail("waitpid");
}

/* Whether a request is there already; standard input has no buffer. */
static int is_waiting(void)
{
	int bytes;

	return ioctl(0, FIONREAD, &bytes) == 0 && bytes > 0;
}

int main(void)
{
	struct rlimit none = {0, 0};
	uint64_t address = (uint64_t)raw_call_return;
	uint32_t head[2];

	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_NOFILE, &none);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		fail("PR_SET_NO_NEW_PRIVS");
	answer = mmap(NULL, sizeof(*answer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (answer == MAP_FAILED)
		fail("mmap");
	setvbuf(stdin, NULL, _IONBF, 0);
	fwrite(&address, sizeof(address), 1, stdout);
	fflush(stdout);

	while (read_fully(head, sizeof(head))) {
		int is_stack = head[1] == STACK;
		uint32_t count = is_stack ? 0 : head[1], next = 0;

		if (head[0] > MAX_INSTRUCTIONS || count > MAX_CALLS ||
		    !read_fully(instructions, head[0] * sizeof(instructions[0])) ||
		    !read_fully(calls, count * sizeof(calls[0]))) {
			fprintf(stderr, "bad request\n");
			return 1;
		}
		struct sock_fprog program = {(unsigned short)head[0], instructions};

		answer->error = -1;
		answer->installed = 0;
		for (uint32_t i = 0; i < count; i++)
			answer->results[i] = NOT_REACHED;
		if (is_stack)
			stack(&program);
		else if (count == 0)
			answer->error = verdict(&program);
		while (next < count) {
			uint32_t first = next;

			next = ask_in_child(&program, first, count);
			if (answer->error < 0 || (answer->error == 0 && next == first)) {
				fprintf(stderr, "child died early\n");
				return 1;
			}
			if (answer->error != 0)
				break;
		}

		size_t size = answer->error == 0 ? 8 + 8 * count : 8;
		if (fwrite((const void *)answer, size, 1, stdout) != 1 || (!is_waiting() && fflush(stdout) != 0))
			fail("write");
	}
	return 0;
}
