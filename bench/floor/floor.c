/* The floors themselves: what the kernel's share of each of the library's operations costs from C. See README.md. */

#include "floor.h"
#include "guest.h"

static struct {
	int n, batch, keep, clones;
} options = {.n = 2000, .batch = 64, .keep = 64, .clones = 5};

static struct image image;
static struct source source;
static cpu_set_t other_cpus; /* than the one that all is pinned to; empty: not pinned, or there is no other */

static double us(int64_t from, int64_t to)
{
	return (double) (to - from) / 1000;
}

/* Children stay alive in groups, as in a pool, and are killed between the timed parts. */
static void kill_all(pid_t *children, int *n)
{
	for (int i = 0; i < *n; i++)
		kill_and_reap(children[i]);
	*n = 0;
}

static int warm_up(void)
{
	return options.n / 10;
}

static void row_create(void)
{
	struct samples s = {0};
	pid_t children[options.keep];
	int alive = 0;
	for (int i = -warm_up(); i < options.n; i++) {
		int64_t start = now();
		pid_t child = create_child(&source);
		int64_t end = now();
		if (i >= 0)
			sample(&s, us(start, end));
		children[alive++] = child;
		if (alive == options.keep)
			kill_all(children, &alive);
	}
	kill_all(children, &alive);
	report("create", "us", &s);
}

static void row_create_batch(void)
{
	struct samples s = {0};
	pid_t children[options.batch];
	struct user_regs_struct r = clone_registers(&image, image_batch, CHILD_FLAGS);
	int batches = (options.n + options.batch - 1) / options.batch;
	for (int i = -1 - batches / 10; i < batches; i++) {
		int64_t start = now();
		create_batch(&source, &r, children, options.batch);
		int64_t end = now();
		if (i >= 0)
			sample(&s, us(start, end) / options.batch);
		int alive = options.batch;
		kill_all(children, &alive);
	}
	report("create_batch", "us", &s);
}

/* The call in which a stub arms its own end. */
static struct user_regs_struct first_injection(long nr)
{
	struct user_regs_struct r = constructed(at(&image, image_first));
	r.rdi = PR_SET_PDEATHSIG;
	r.rsi = SIGKILL;
	r.r14 = (uint64_t) nr;
	r.r15 = (uint64_t) getpid();
	return r;
}

static void row_create_first_injection(void)
{
	struct samples s = {0};
	struct user_regs_struct first = first_injection(SYS_getpid), r;
	pid_t children[options.keep];
	int alive = 0;
	for (int i = -warm_up(); i < options.n; i++) {
		int64_t start = now();
		pid_t child = create_child(&source);
		set_registers(child, &first);
		resume(child);
		await(child, STOP_INT3);
		get_registers(child, &r);
		int64_t end = now();
		if (r.rip != at(&image, image_first_end) || (pid_t) r.rax != child)
			die("first injection into %d: %lld at %#llx", child, r.rax, r.rip);
		if (i >= 0)
			sample(&s, us(start, end));
		children[alive++] = child;
		if (alive == options.keep)
			kill_all(children, &alive);
	}
	kill_all(children, &alive);
	report("create_first_injection", "us", &s);
}

static void row_injection(void)
{
	struct samples s = {0};
	pid_t child = create_child(&source);
	for (int i = -warm_up(); i < options.n; i++) {
		int64_t start = now();
		long result = inject(&image, child, SYS_getpid, 0, 0, 0, 0, 0, 0);
		int64_t end = now();
		if (result != child)
			die("getpid in %d gave %ld", child, result);
		if (i >= 0)
			sample(&s, us(start, end));
	}
	kill_and_reap(child);
	report("injection", "us", &s);
}

static void map_page(const char *name, int flags, int fd)
{
	const uint64_t address = 0x10000000;
	struct samples s = {0};
	pid_t child = create_child(&source);
	for (int i = -warm_up(); i < options.n; i++) {
		int64_t start = now();
		long mapped = inject(&image, child, SYS_mmap, address, PAGE, PROT_READ | PROT_WRITE, (uint64_t) (flags | MAP_FIXED),
				     (uint64_t) fd, 0);
		long unmapped = inject(&image, child, SYS_munmap, address, PAGE, 0, 0, 0, 0);
		int64_t end = now();
		if (mapped != (long) address || unmapped)
			die("map in %d: %ld, %ld", child, mapped, unmapped);
		if (i >= 0)
			sample(&s, us(start, end) / 2);
	}
	kill_and_reap(child);
	report(name, "us", &s);
}

static void row_map_page(void)
{
	map_page("map_page", MAP_PRIVATE | MAP_ANONYMOUS, -1);
	int fd = memfd_create("page", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t) PAGE) || dup3(fd, WINDOW_FIRST, O_CLOEXEC) < 0)
		die("a file in the window");
	map_page("map_page_shared", MAP_SHARED, WINDOW_FIRST);
	close(fd);
	close(WINDOW_FIRST);
}

static void row_kill_reap(void)
{
	struct samples s = {0};
	struct user_regs_struct r = clone_registers(&image, image_batch, CHILD_FLAGS);
	pid_t children[options.batch];
	for (int i = -warm_up(); i < options.n;) {
		create_batch(&source, &r, children, options.batch);
		for (int j = 0; j < options.batch; j++, i++) {
			int64_t start = now();
			kill_and_reap(children[j]);
			int64_t end = now();
			if (i >= 0)
				sample(&s, us(start, end));
		}
	}
	report("kill_reap", "us", &s);
}

/* ---- the pool ---- */

/* Rows of slow calls take fewer samples. */
static int few(size_t pages)
{
	return options.n / (pages > 300 ? 10 : 1);
}

static int mappings(pid_t pid)
{
	char path[64], line[256];
	snprintf(path, sizeof path, "/proc/%d/maps", pid);
	FILE *f = fopen(path, "r");
	if (!f)
		die("%s", path);
	int n = 0;
	while (fgets(line, sizeof line, f))
		n += !strstr(line, "[vsyscall]");
	fclose(f);
	return n;
}

static struct template template;

static void need_template(void)
{
	if (template.proc)
		return;
	pid_t fresh = create_child(&source);
	template_open(&template, &image, fresh);
	kill_and_reap(fresh);
}

static void recycle_or_die(pid_t child)
{
	if (!recycle(&image, &template, child))
		die("stub %d cannot be recycled", child);
}

static void unmap_only(pid_t child)
{
	start_unmap(&template, child);
	await(child, STOP_INT3);
}

static void recycle_row(const char *name, size_t pages, void (*timed)(pid_t))
{
	struct samples s = {0};
	pid_t child = create_child(&source);
	int n = few(pages);
	for (int i = -n / 10; i < n; i++) {
		dirty(&image, child, pages);
		int64_t start = now();
		timed(child);
		int64_t end = now();
		if (i >= 0)
			sample(&s, us(start, end));
		else if (mappings(child) != 2)
			die("recycled stub %d has %d mappings", child, mappings(child));
	}
	kill_and_reap(child);
	report(name, "us", &s);
}

static void row_recycle(void)
{
	need_template();
	recycle_row("recycle_1", 1, recycle_or_die);
	recycle_row("recycle_32", 32, recycle_or_die);
	recycle_row("recycle_512", 512, recycle_or_die);
	recycle_row("recycle_1_unmap", 1, unmap_only);
}

static void row_discard_refill(void)
{
	struct samples s = {0};
	pid_t child = create_child(&source);
	for (int i = -warm_up(); i < options.n; i++) {
		dirty(&image, child, 1);
		int64_t start = now();
		kill_and_reap(child);
		child = create_child(&source);
		int64_t end = now();
		if (i >= 0)
			sample(&s, us(start, end));
	}
	kill_and_reap(child);
	report("discard_refill", "us", &s);
}

/* A cycle of a user of the pool: a page is mapped and written, and the stub goes back. */
static void row_lease(void)
{
	need_template();
	struct samples s = {0};
	pid_t child = create_child(&source);
	uint64_t value = 1;
	struct iovec from = {&value, sizeof value}, to = {(void *) BELOW_IMAGE, sizeof value};
	for (int i = -warm_up(); i < options.n; i++) {
		int64_t start = now();
		guest_map(&image, child, BELOW_IMAGE, 1);
		if (process_vm_writev(child, &from, 1, &to, 1, 0) != sizeof value)
			die("writing to %d", child);
		recycle_or_die(child);
		int64_t end = now();
		if (i >= 0)
			sample(&s, us(start, end));
	}
	kill_and_reap(child);
	report("lease_1", "us", &s);
}

/* A copy of a stub. No page is shared for its pid: the kernel ignores that it cannot write to address 0, and the parent's rax has it. */
static pid_t spawn_child(pid_t parent)
{
	struct user_regs_struct r = clone_registers(&image, image_call, CHILD_FLAGS);
	r.rdx = 0;
	set_registers(parent, &r);
	resume(parent);
	await(parent, STOP_INT3);
	get_registers(parent, &r);
	pid_t child = (pid_t) r.rax;
	if (r.rip != at(&image, image_call_end) || child <= 0)
		die("clone of stub %d: %lld at %#llx", parent, r.rax, r.rip);
	await(child, STOP_BORN);
	return child;
}

/* What the parent has written since its last child are pages of its own, all others it still shares, even with a dead child. */
static void spawn_child_row(size_t pages, bool rewritten)
{
	struct samples s = {0};
	pid_t parent = create_child(&source);
	dirty(&image, parent, pages / 2);
	int n = few(pages);
	for (int i = -n / 10; i < n; i++) {
		if (rewritten) {
			guest_write(parent, BELOW_IMAGE, pages / 2);
			guest_write(parent, above(&image), pages / 2);
		}
		int64_t start = now();
		pid_t child = spawn_child(parent);
		int64_t end = now();
		if (i >= 0)
			sample(&s, us(start, end));
		kill_and_reap(child);
	}
	kill_and_reap(parent);
	char name[64];
	snprintf(name, sizeof name, "spawn_child_%zu%s", pages, rewritten ? "_rewritten" : "");
	report(name, "us", &s);
}

static void row_spawn_child(void)
{
	spawn_child_row(0, false);
	spawn_child_row(256, false);
	spawn_child_row(2560, false);
	spawn_child_row(25600, false);
	spawn_child_row(256, true);
	spawn_child_row(2560, true);
	spawn_child_row(25600, true);
}

static pid_t map_again(size_t pages)
{
	pid_t child = create_child(&source);
	dirty(&image, child, pages / 2);
	return child;
}

static void map_again_row(size_t pages)
{
	struct samples s = {0};
	int n = few(pages);
	for (int i = -n / 10; i < n; i++) {
		int64_t start = now();
		pid_t child = map_again(pages);
		int64_t end = now();
		if (i >= 0)
			sample(&s, us(start, end));
		kill_and_reap(child);
	}
	char name[64];
	snprintf(name, sizeof name, "map_again_%zu", pages);
	report(name, "us", &s);
}

static void row_map_again(void)
{
	map_again_row(256);
	map_again_row(2560);
}

/* ---- guests ---- */

/* One stub whose guest threads have a tracer each. */
static pid_t guest_stub(void)
{
	pid_t stub = create_child(&source);
	guest_prepare(&image, stub);
	return stub;
}

static void take(void *g)
{
	guest_take(g);
}

static void retire(void *g)
{
	guest_retire(g);
}

static void hand_over(struct guest *g, struct tracer *t)
{
	guest_let_go(g);
	on_tracer(t, take, g);
}

static void new_guest(struct guest *g, pid_t stub, struct tracer *t)
{
	g->image = &image;
	g->stub = stub;
	guest_create(g);
	hand_over(g, t);
}

/* What is answered is the number of the guest's next call, so each round differs from the one before. */
static uint64_t next_number(uint64_t number)
{
	return number == SYS_getpid ? SYS_getppid : SYS_getpid;
}

static void answer_lazily(struct guest *g)
{
	struct __ptrace_syscall_info info;
	g->r.rax = next_number(g->r.rax);
	set_result(g->tid, g->r.rax);
	guest_resume(g);
	await(g->tid, STOP_CALL);
	if (ptrace(PTRACE_GET_SYSCALL_INFO, g->tid, sizeof info, &info) <= 0 || info.entry.nr != g->r.rax)
		die("GET_SYSCALL_INFO of %d", g->tid);
}

static void answer_with_registers(struct guest *g)
{
	uint64_t number = g->r.rax = next_number(g->r.orig_rax);
	g->r.orig_rax = ~0UL;
	set_general(g->tid, &g->r);
	guest_resume(g);
	await(g->tid, STOP_CALL);
	get_registers(g->tid, &g->r);
	if (g->r.orig_rax != number)
		die("guest %d made call %lld", g->tid, g->r.orig_rax);
}

static void fault_again(struct guest *g)
{
	set_general(g->tid, &g->r);
	guest_resume(g);
	await(g->tid, STOP_SIGNAL(SIGSEGV));
	get_signal(g);
	get_general(g);
	if (g->info.si_addr != (void *) UNMAPPED)
		die("guest %d faulted at %p", g->tid, g->info.si_addr);
}

static void fault_exactly(struct guest *g)
{
	fault_again(g);
	struct exact exact = guest_exact(g);
	if (exact.cr2 != UNMAPPED)
		die("guest %d faulted at %#lx", g->tid, exact.cr2);
}

/* The guest goes on with the registers that were put back; its call is not answered, so the next one's number is -ENOSYS. */
static void call_in_guest(struct guest *g)
{
	struct __ptrace_syscall_info info;
	if (guest_inject(g, SYS_getpid) != g->stub)
		die("getpid in guest %d", g->tid);
	guest_resume(g);
	await(g->tid, STOP_CALL);
	if (ptrace(PTRACE_GET_SYSCALL_INFO, g->tid, sizeof info, &info) <= 0 || (int) info.entry.nr != -ENOSYS)
		die("GET_SYSCALL_INFO of %d", g->tid);
}

struct loop {
	const char *name, *code;
	int first_stop;
	void (*timed)(struct guest *);
	struct guest *guest;
};

static void run_loop(void *p)
{
	struct loop *loop = p;
	struct guest *g = loop->guest;
	struct samples s = {0};
	guest_enter(g, loop->code);
	guest_resume(g);
	await(g->tid, loop->first_stop);
	get_registers(g->tid, &g->r);
	for (int i = -warm_up(); i < options.n; i++) {
		int64_t start = now();
		loop->timed(g);
		int64_t end = now();
		if (i >= 0)
			sample(&s, us(start, end));
	}
	report(loop->name, "us", &s);
}

static void guest_loops(struct guest *g, struct tracer *t)
{
	const struct loop loops[] = {
		{"guest_syscall", code_call, STOP_CALL, answer_lazily, g},
		{"guest_syscall_registers", code_call, STOP_CALL, answer_with_registers, g},
		{"guest_fault", code_read, STOP_SIGNAL(SIGSEGV), fault_again, g},
		{"guest_fault_exact", code_read, STOP_SIGNAL(SIGSEGV), fault_exactly, g},
		{"guest_injection", code_call, STOP_CALL, call_in_guest, g},
	};
	for (size_t i = 0; i < sizeof loops / sizeof *loops; i++)
		on_tracer(t, run_loop, (void *) &loops[i]);
}

#define GUESTS_MAX 8
#define CALLS 100 /* of each guest in one sample */

static void many_calls(void *g)
{
	for (int i = 0; i < CALLS; i++)
		answer_lazily(g);
}

static void first_call(void *p)
{
	struct guest *g = p;
	guest_enter(g, code_call);
	guest_resume(g);
	await(g->tid, STOP_CALL);
}

static void guests_at_once(int count)
{
	static struct guest guests[GUESTS_MAX];
	struct tracer tracers[GUESTS_MAX];
	struct samples s = {0};
	pid_t stub = guest_stub();
	for (int j = 0; j < count; j++) {
		tracer_start(&tracers[j]);
		new_guest(&guests[j], stub, &tracers[j]);
		on_tracer(&tracers[j], first_call, &guests[j]);
	}
	int n = (options.n + CALLS - 1) / CALLS;
	for (int i = -1 - n / 10; i < n; i++) {
		int64_t start = now();
		for (int j = 0; j < count; j++)
			tracer_ask(&tracers[j], many_calls, &guests[j]);
		for (int j = 0; j < count; j++)
			tracer_answer(&tracers[j]);
		int64_t end = now();
		if (i >= 0)
			sample(&s, us(start, end) / (count * CALLS));
	}
	for (int j = 0; j < count; j++) {
		on_tracer(&tracers[j], retire, &guests[j]);
		tracer_stop(&tracers[j]);
	}
	kill_and_reap(stub);
	char name[64];
	snprintf(name, sizeof name, "guest_syscall_%d", count);
	report(name, "us", &s);
}

static void enter_spin(void *g)
{
	guest_enter(g, code_spin);
}

static void read_registers(void *g)
{
	get_general(g);
}

static void until_interrupted(void *p)
{
	struct guest *g = p;
	guest_resume(g);
	await(g->tid, STOP_SIGNAL(SIGURG));
	g->end = now();
}

static void interrupt(struct guest *g)
{
	nanosleep(&(struct timespec) {.tv_nsec = 5000000}, NULL); /* now the guest runs, and its tracer sleeps */
	g->start = now();
	if (syscall(SYS_tgkill, g->stub, g->tid, SIGURG))
		die("SIGURG to %d", g->tid);
}

static void guest_interrupt(struct guest *g, struct tracer *t)
{
	struct samples s = {0};
	cpu_set_t own;
	if (sched_getaffinity(0, sizeof own, &own) || (CPU_COUNT(&other_cpus) && sched_setaffinity(0, sizeof other_cpus, &other_cpus)))
		die("another CPU");
	int n = (options.n + 9) / 10;
	on_tracer(t, enter_spin, g);
	for (int i = -1 - n / 10; i < n; i++) {
		tracer_ask(t, until_interrupted, g);
		interrupt(g);
		tracer_answer(t);
		if (i >= 0)
			sample(&s, us(g->start, g->end));
	}
	if (sched_setaffinity(0, sizeof own, &own))
		die("the CPU before");
	report("guest_interrupt", "us", &s);
}

static void timed_take(void *p)
{
	struct guest *g = p;
	guest_take(g);
	g->end = now();
}

static void timed_retire(void *p)
{
	struct guest *g = p;
	g->start = now();
	guest_retire(g);
	g->end = now();
}

static void guest_threads(struct guest *g, struct tracer *t)
{
	struct samples made = {0}, retired = {0};
	for (int i = -warm_up(); i < options.n; i++) {
		int64_t start = now();
		guest_create(g);
		guest_let_go(g);
		on_tracer(t, timed_take, g);
		if (i >= 0)
			sample(&made, us(start, g->end));
		on_tracer(t, timed_retire, g);
		if (i >= 0)
			sample(&retired, us(g->start, g->end));
	}
	report("guest_thread", "us", &made);
	report("guest_thread_retire", "us", &retired);
}

static void take_call_retire(void *g)
{
	guest_take(g);
	first_call(g);
	guest_retire(g);
}

static void guest_runs(struct guest *g, struct tracer *t)
{
	struct samples s = {0};
	for (int i = -warm_up(); i < options.n; i++) {
		int64_t start = now();
		guest_create(g);
		guest_let_go(g);
		on_tracer(t, take_call_retire, g);
		int64_t end = now();
		if (i >= 0)
			sample(&s, us(start, end));
	}
	report("guest_run", "us", &s);
}

static void row_guest(void)
{
	static struct guest g;
	struct tracer t;
	pid_t stub = guest_stub();
	tracer_start(&t);
	new_guest(&g, stub, &t);
	guest_loops(&g, &t);
	guest_interrupt(&g, &t);
	on_tracer(&t, retire, &g);
	guest_threads(&g, &t);
	guest_runs(&g, &t);
	tracer_stop(&t);
	kill_and_reap(stub);
	for (int count = 2; count <= GUESTS_MAX; count *= 2)
		guests_at_once(count);
}

/* ---- the source ---- */

static double touch(const struct heap *heap)
{
	int64_t start = now();
	for (size_t i = 0; i < heap->size; i += PAGE)
		((volatile char *) heap->start)[i]++;
	return us(start, now()) / (double) (heap->size / MIB);
}

static void source_clone(size_t gib)
{
	struct heap heap = {NULL, gib * GIB, false};
	if (gib) {
		heap.start = mmap(NULL, heap.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (heap.start == MAP_FAILED || madvise(heap.start, heap.size, MADV_NOHUGEPAGE))
			die("%zu GiB", gib);
		touch(&heap);
	}
	struct samples pause[2] = {0}, again[2] = {0};
	for (int i = 0; i < options.clones; i++)
		for (int naive = 0; naive <= (gib > 0); naive++) {
			struct source extra;
			bound();
			heap.dontfork = !naive && gib;
			source_birth(&extra, &image, &heap);
			sample(&pause[naive], us(0, extra.clone_ns));
			if (gib)
				sample(&again[naive], touch(&heap));
			kill_and_reap(extra.pid);
		}
	char name[64];
	for (int naive = 0; naive <= (gib > 0); naive++) {
		const char *kind = naive ? "_naive" : "";
		snprintf(name, sizeof name, "source_clone_%zugib%s", gib, kind);
		report(name, "us", &pause[naive]);
		if (gib) {
			snprintf(name, sizeof name, "retouch_%zugib%s", gib, kind);
			report(name, "us/MiB", &again[naive]);
		}
	}
	if (gib)
		munmap(heap.start, heap.size);
}

static void row_source_clone(void)
{
	source_clone(0);
	source_clone(1);
	source_clone(4);
}

/* ---- the programs' own check: are these stubs what the design describes? ---- */

static int failures;

static void check(bool good, const char *what)
{
	printf("%s %s\n", good ? "ok  " : "FAIL", what);
	failures += !good;
}

/* Does the call end in a seccomp trap? The stub stays usable. */
static bool denied(pid_t child, uint64_t site, long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	struct user_regs_struct r = constructed(site);
	r.rax = (uint64_t) nr;
	r.rdi = a;
	r.rsi = b;
	r.rdx = c;
	r.r10 = d;
	r.r8 = e;
	set_registers(child, &r);
	resume(child);
	int status = wait_yielding(child);
	siginfo_t info;
	if (!WIFSTOPPED(status) || ptrace(PTRACE_GETSIGINFO, child, NULL, &info))
		die("stub %d after a call: wait status %#x", child, status);
	return WSTOPSIG(status) == SIGSYS && info.si_code == 1 /* SYS_SECCOMP */ && info.si_syscall == nr;
}

static long status_field(pid_t pid, const char *field)
{
	char path[64], line[256];
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	FILE *f = fopen(path, "r");
	long value = -1;
	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, field, strlen(field)))
			value = strtol(line + strlen(field) + 1, NULL, 16);
	if (f)
		fclose(f);
	return value;
}

static void vector_state(pid_t pid, char *state)
{
	struct iovec vector = {state, template.vector.iov_len};
	memset(state, 0, vector.iov_len);
	if (ptrace(PTRACE_GETREGSET, pid, NT_X86_XSTATE, &vector))
		die("GETREGSET of %d", pid);
}

static void check_recycle(void)
{
	static _Alignas(64) char clean[sizeof template.xstate], used[sizeof template.xstate];
	const uint64_t nothing = 0, never_blocked = 1UL << (SIGKILL - 1) | 1UL << (SIGSTOP - 1);
	struct user_regs_struct r;
	need_template();
	struct iovec vector = {used, template.vector.iov_len};
	pid_t child = create_child(&source);
	check(recycle(&image, &template, child), "a fresh child passes a recycle");
	vector_state(child, clean);
	/* All but mxcsr's mask and what the kernel says about the format. */
	check(!memcmp(clean, template.xstate, 28) && !memcmp(clean + 32, template.xstate + 32, 464 - 32)
		      && !memcmp(clean + 576, template.xstate + 576, template.vector.iov_len - 576),
	      "its vector state is the template's, PKRU included");
	dirty(&image, child, 1);
	memcpy(used, clean, sizeof used);
	memset(used + 32, 0x5a, 256 + 128);  /* x87 and xmm registers */
	*(uint64_t *) (used + 512) |= 7;     /* these, and the upper halves of ymm */
	memset(used + 576, 0xa5, 256);
	if (ptrace(PTRACE_SETREGSET, child, NT_X86_XSTATE, &vector)
	    || ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg[0]), BELOW_IMAGE)
	    || ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg[7]), 1)
	    || ptrace(PTRACE_SETSIGMASK, child, sizeof nothing, &nothing))
		die("state of %d", child);
	vector_state(child, used);
	check(memcmp(clean, used, sizeof used), "vector state can be made dirty");
	check(recycle(&image, &template, child) && mappings(child) == 2, "a used child passes, and only the image is mapped");
	vector_state(child, used);
	uint64_t mask = 0;
	if (ptrace(PTRACE_GETSIGMASK, child, sizeof mask, &mask))
		die("GETSIGMASK of %d", child);
	check(!memcmp(clean, used, sizeof used), "its vector state is as before");
	check(mask == (template.mask & ~never_blocked), "and its signal mask");
	errno = 0;
	check(!(ptrace(PTRACE_PEEKUSER, child, offsetof(struct user, u_debugreg[7]), NULL) & 0xff) && !errno, "no breakpoint is armed");
	get_registers(child, &r);
	check(!r.rdi && !r.r12 && !r.rsp && !r.fs_base && !r.gs_base, "nothing is left in its registers");

	/* What a recycle cannot mend, each in a child of its own. */
	kill(child, SIGUSR1);
	check(!recycle(&image, &template, child), "refused: a signal pending for the process");
	kill_and_reap(child);
	child = create_child(&source);
	syscall(SYS_tgkill, child, child, SIGUSR1);
	check(!recycle(&image, &template, child), "refused: a signal pending for the thread");
	kill_and_reap(child);
	child = create_child(&source);
	cpu_set_t other = template.affinity;
	int cpu = 0;
	while (!CPU_ISSET(cpu, &other))
		cpu++;
	if (CPU_COUNT(&other) > 1)
		CPU_CLR(cpu, &other);
	else { /* pinned: any other CPU, or none on a machine that has only one */
		CPU_CLR(cpu, &other);
		CPU_SET(!cpu, &other);
	}
	if (!sched_setaffinity(child, sizeof other, &other))
		check(!recycle(&image, &template, child), "refused: another affinity");
	kill_and_reap(child);
	child = create_child(&source);
	struct rlimit limit;
	if (prlimit(child, RLIMIT_AS, NULL, &limit))
		die("prlimit of %d", child);
	limit.rlim_cur = limit.rlim_cur / 2 - 1;
	if (prlimit(child, RLIMIT_AS, &limit, NULL))
		die("prlimit of %d", child);
	check(!recycle(&image, &template, child), "refused: another limit");
	kill_and_reap(child);
	child = create_child(&source);
	pid_t thread = (pid_t) inject(&image, child, SYS_clone, THREAD_FLAGS, 0, 0, 0, 0, 0);
	await(thread, STOP_BORN);
	check(!recycle(&image, &template, child), "refused: a second thread");
	if (kill(child, SIGKILL))
		die("kill of %d", child);
	expect(thread, wait_blocking(thread), SIGKILL); /* before its leader, or that one's end is not reported */
	expect(child, wait_blocking(child), SIGKILL);
}

static uint64_t word(pid_t pid, uint64_t address)
{
	uint64_t value = 0;
	struct iovec to = {&value, sizeof value}, from = {(void *) address, sizeof value};
	if (process_vm_readv(pid, &to, 1, &from, 1, 0) != sizeof value)
		die("reading %#lx of %d", address, pid);
	return value;
}

static void check_spawn(void)
{
	const uint64_t last = above(&image) + 4 * MIB; /* where the second chunk is but one page */
	pid_t parent = map_again(2 * (CHUNK + 1));
	check(mappings(parent) == 6 && word(parent, BELOW_IMAGE) && word(parent, last), "two chunks on each side are mapped and written");
	pid_t child = spawn_child(parent);
	check(mappings(child) == 6 && word(child, BELOW_IMAGE) == word(parent, BELOW_IMAGE) && word(child, last) == word(parent, last),
	      "a stub's child has its memory");
	uint64_t other = 42;
	struct iovec from = {&other, sizeof other}, to = {(void *) last, sizeof other};
	check(process_vm_writev(child, &from, 1, &to, 1, 0) == sizeof other && word(child, last) == 42 && word(parent, last) != 42,
	      "what it writes is its own");
	check(inject(&image, child, SYS_getppid, 0, 0, 0, 0, 0, 0) == getpid(), "and it is this process's child");
	kill_and_reap(child);
	kill_and_reap(parent);
}

enum { PAGE_FAULT = 14, PRESENT = 1, WRITE = 2, USER = 4, FETCH = 16 }; /* a trap number, and bits of its error code */

static bool stops(const struct guest *g, int wanted)
{
	guest_resume(g);
	return wait_yielding(g->tid) == wanted;
}

static bool calls(const struct guest *g, uint64_t nr, uint64_t rip)
{
	struct __ptrace_syscall_info info;
	return ptrace(PTRACE_GET_SYSCALL_INFO, g->tid, sizeof info, &info) > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY
	       && info.arch == AUDIT_ARCH_X86_64 && info.entry.nr == nr && info.entry.args[0] == UNMAPPED && info.instruction_pointer == rip;
}

static void check_calls(void *p)
{
	struct guest *g = p;
	const uint64_t rip = guest_at(code_call) + 2, call = at(&image, image_call), base = GUEST_CODE;
	guest_enter(g, code_call);
	check(stops(g, STOP_CALL) && calls(g, SYS_getpid, rip), "a guest's call stops it: number, arguments, ABI, address");
	set_result(g->tid, SYS_exit_group);
	check(stops(g, STOP_CALL) && calls(g, SYS_exit_group, rip), "its answer arrives, here as the number of the next");
	set_result(g->tid, (uint64_t) -1);
	check(stops(g, STOP_CALL) && calls(g, (uint64_t) -1, rip), "that one is not executed; the next one's number is -1");
	get_general(g);
	g->r.rip = call;
	g->r.rax = SYS_exit;
	set_general(g->tid, &g->r);
	check(stops(g, STOP_CALL) && calls(g, SYS_exit, call + 2), "a call from the image is the guest's, too, as long as a guest runs");
	get_registers(g->tid, &g->r);
	g->r.orig_rax = ~0UL;
	g->r.fs_base = base;
	set_registers(g->tid, &g->r);
	guest_enter(g, code_call);
	check(stops(g, STOP_CALL), "registers are written at a call");
	get_general(g);
	check(g->r.fs_base == base && g->r.rip == rip, "but not the bases");
	struct user_regs_struct before = g->r, after;
	check(guest_inject(g, SYS_getpid) == g->stub && guest_inject(g, SYS_gettid) == g->tid, "calls injected at a call");
	get_registers(g->tid, &after);
	check(!memcmp(&before, &after, sizeof before), "do not change a register");
	set_result(g->tid, SYS_getppid);
	check(stops(g, STOP_CALL) && calls(g, SYS_getppid, rip), "and the guest then gets its answer");
}

/* Is everything of a fault as it ought to be, and does asking for it exactly change nothing? */
static bool faults(struct guest *g, int code, uint64_t address, uint64_t error)
{
	static _Alignas(64) char before[sizeof template.xstate], after[sizeof template.xstate];
	struct user_regs_struct r;
	uint64_t mask[2];
	set_general(g->tid, &g->r);
	if (!stops(g, STOP_SIGNAL(SIGSEGV)))
		return false;
	get_signal(g);
	get_general(g);
	vector_state(g->tid, before);
	struct iovec vector = {before, template.vector.iov_len};
	memset(before + 32, 0x5a, 256 + 128); /* x87 and xmm registers */
	*(uint64_t *) (before + 512) |= 3;
	if (ptrace(PTRACE_SETREGSET, g->tid, NT_X86_XSTATE, &vector) || ptrace(PTRACE_GETSIGMASK, g->tid, sizeof *mask, &mask[0]))
		die("state of %d", g->tid);
	vector_state(g->tid, before);
	struct exact exact = guest_exact(g);
	vector_state(g->tid, after);
	get_registers(g->tid, &r);
	if (ptrace(PTRACE_GETSIGMASK, g->tid, sizeof *mask, &mask[1]))
		die("mask of %d", g->tid);
	return g->info.si_code == code && g->info.si_addr == (void *) address && exact.trapno == PAGE_FAULT && exact.error == error
	       && exact.cr2 == address && !memcmp(&r, &g->r, sizeof r) && !memcmp(before, after, sizeof before) && mask[0] == mask[1];
}

static void check_faults(void *p)
{
	struct guest *g = p;
	guest_enter(g, code_read);
	g->r.eflags |= 1; /* carry */
	check(faults(g, SEGV_MAPERR, UNMAPPED, USER), "exact fault: a read of what is not mapped; registers, vector state and mask stay");
	check(faults(g, SEGV_MAPERR, UNMAPPED, USER), "and again");
	guest_enter(g, code_write);
	check(faults(g, SEGV_MAPERR, UNMAPPED, USER | WRITE), "exact fault: a write");
	g->r.rdi = GUEST_CODE;
	check(faults(g, SEGV_ACCERR, GUEST_CODE, USER | WRITE | PRESENT), "exact fault: a write to a page that may be read");
	g->r.rip = UNMAPPED;
	check(faults(g, SEGV_MAPERR, UNMAPPED, USER | FETCH), "exact fault: a jump");
	guest_enter(g, code_call);
	check(stops(g, STOP_CALL), "the guest still runs");
}

static void check_guests(void)
{
	static struct guest g;
	struct tracer t;
	need_template();
	pid_t stub = guest_stub();
	tracer_start(&t);
	new_guest(&g, stub, &t);
	check(ptrace(PTRACE_GETREGS, g.tid, NULL, &g.r) && errno == ESRCH, "a guest that was handed over is its tracer's alone");
	check(inject(&image, stub, SYS_getpid, 0, 0, 0, 0, 0, 0) == stub, "its leader is not");
	on_tracer(&t, check_calls, &g);
	on_tracer(&t, check_faults, &g);
	on_tracer(&t, enter_spin, &g);
	tracer_ask(&t, until_interrupted, &g);
	interrupt(&g);
	tracer_answer(&t);
	on_tracer(&t, read_registers, &g);
	check(g.r.rip == guest_at(code_spin), "a guest that spins is interrupted");
	on_tracer(&t, retire, &g);
	check(syscall(SYS_tgkill, stub, g.tid, 0) && errno == ESRCH && one_thread(&template, stub), "a retired thread is gone");
	check(recycle(&image, &template, stub) && mappings(stub) == 2, "and its stub passes a recycle");
	new_guest(&g, stub, &t);
	tracer_stop(&t);
	check(wait_blocking(stub) == SIGKILL, "the end of a guest's tracer is the stub's");
}

/* A program like this one makes a source and children and is killed; this process, as the subreaper, sees what becomes of them. */
static void check_death(void)
{
	int channel[2];
	pid_t pids[9];
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || pipe(channel))
		die("subreaper");
	fflush(NULL);
	pid_t program = fork();
	if (!program) {
		struct source own;
		source_birth(&own, &image, NULL);
		pids[0] = own.pid;
		for (int i = 1; i < 9; i++)
			pids[i] = create_child(&own);
		if (write(channel[1], pids, sizeof pids) != sizeof pids)
			_exit(1);
		pause();
		_exit(1);
	}
	if (program < 0 || read(channel[0], pids, sizeof pids) != sizeof pids)
		die("the program to kill");
	kill(program, SIGKILL);
	waitpid(program, NULL, 0);
	int dead = 0, status;
	for (int i = 0; i < 9; i++)
		dead += waitpid(pids[i], &status, __WALL) == pids[i] && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	check(dead == 9, "SIGKILL of the program ends its source and its children");
	close(channel[0]);
	close(channel[1]);
}

static void row_check(void)
{
	uint64_t call = at(&image, image_call), end = image.base + IMAGE_SIZE;
	struct filter filter;
	build_filter(&filter, &image);
	printf("     the filter has %u instructions\n", filter.n);
	check(mappings(source.pid) == 3, "the source maps text, data and pid page, nothing else");
	pid_t child = create_child(&source);
	check(mappings(child) == 2, "a child maps text and data, nothing else");
	check(status_field(child, "Seccomp:") == 2 && status_field(child, "NoNewPrivs:") == 1, "a child has the filter");
	check(status_field(child, "CapEff:") == 0 && status_field(child, "CapPrm:") == 0, "a child has no capability");
	struct user_regs_struct first = first_injection(SYS_getpid);
	set_registers(child, &first);
	resume(child);
	check(wait_yielding(child) == STOP_INT3, "the first injection finds its parent and PDEATHSIG armed");
	check(inject(&image, child, SYS_getppid, 0, 0, 0, 0, 0, 0) == getpid(), "a child is this process's child");
	check(inject(&image, child, SYS_gettid, 0, 0, 0, 0, 0, 0) == child, "gettid");
	uint64_t fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, none = (uint64_t) -1;
	check(inject(&image, child, SYS_mmap, LOWEST_ADDRESS, PAGE, 7, fixed, none, 0) == LOWEST_ADDRESS, "mmap of the lowest page");
	check(inject(&image, child, SYS_mmap, image.base - PAGE, PAGE, 7, fixed, none, 0) == (long) (image.base - PAGE),
	      "mmap up to the image");
	check(inject(&image, child, SYS_mmap, end, PAGE, 7, fixed, none, 0) == (long) end, "mmap right above the image");
	check(!inject(&image, child, SYS_mprotect, end, PAGE, 1, 0, 0, 0), "mprotect");
	check(inject(&image, child, SYS_munmap, none, PAGE, 0, 0, 0, 0) == -EINVAL, "munmap of the kernel's half is the kernel's to refuse");
	check(inject(&image, child, SYS_mmap, 0x10000, PAGE, 7, MAP_SHARED | MAP_FIXED, WINDOW_FIRST, 0) == -EBADF, "mmap from the window");

	const struct {
		const char *what;
		long nr;
		uint64_t a[5];
	} calls[] = {
		{"read", SYS_read, {0}},
		{"write", SYS_write, {1}},
		{"kill", SYS_kill, {(uint64_t) getpid(), SIGSTOP}},
		{"exit_group", SYS_exit_group, {0}},
		{"clone without CLONE_PTRACE", SYS_clone, {CLONE_FILES | SIGCHLD}},
		{"clone with a flag more", SYS_clone, {CHILD_FLAGS | 1UL << 32}},
		{"futex elsewhere", SYS_futex, {at(&image, image_park_word) + 4, FUTEX_WAIT_PRIVATE}},
		{"futex wake", SYS_futex, {at(&image, image_park_word), FUTEX_WAKE_PRIVATE}},
		{"prctl of another kind", SYS_prctl, {PR_SET_DUMPABLE, 0}},
		{"PDEATHSIG of another kind", SYS_prctl, {PR_SET_PDEATHSIG, 0}},
		{"munmap of page 0", SYS_munmap, {0, PAGE}},
		{"munmap of the image", SYS_munmap, {image.base, PAGE}},
		{"munmap of the image's end", SYS_munmap, {end - PAGE, PAGE}},
		{"munmap into the image", SYS_munmap, {image.base - PAGE, PAGE + 1}},
		{"munmap across the image", SYS_munmap, {LOWEST_ADDRESS, USER_END - LOWEST_ADDRESS}},
		{"munmap across the image, lower halves carrying", SYS_munmap, {image.base - 0x80000000, 0x80001000}},
		{"munmap with a length that overflows", SYS_munmap, {image.base - PAGE, none}},
		{"munmap of 4 GiB and more", SYS_munmap, {image.base - GIB, 8 * GIB}},
		{"mprotect of the image", SYS_mprotect, {image.base, PAGE, 7}},
		{"mprotect, growing down", SYS_mprotect, {end, PAGE, PROT_READ | PROT_GROWSDOWN}},
		{"mmap over the image", SYS_mmap, {image.base, PAGE, 7, fixed, none}},
		{"mmap anywhere", SYS_mmap, {end, PAGE, 7, MAP_PRIVATE | MAP_ANONYMOUS, none}},
		{"mmap with another flag", SYS_mmap, {end, PAGE, 7, fixed | MAP_LOCKED, none}},
		{"mmap below the window", SYS_mmap, {end, PAGE, 7, MAP_SHARED | MAP_FIXED, WINDOW_FIRST - 1}},
		{"mmap above the window", SYS_mmap, {end, PAGE, 7, MAP_SHARED | MAP_FIXED, WINDOW_FIRST + WINDOW_SIZE}},
	};
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		const uint64_t *a = calls[i].a;
		char text[128];
		snprintf(text, sizeof text, "denied: %s", calls[i].what);
		check(denied(child, call, calls[i].nr, a[0], a[1], a[2], a[3], a[4]), text);
	}
	const unsigned char guest[] = {0x0f, 0x05, 0xcc}; /* syscall; int3 */
	struct iovec from = {(void *) guest, sizeof guest}, to = {(void *) (image.base - PAGE), sizeof guest};
	if (process_vm_writev(child, &from, 1, &to, 1, 0) != sizeof guest)
		die("writing guest code");
	check(denied(child, image.base - PAGE, SYS_getpid, 0, 0, 0, 0, 0), "denied: getpid from outside the image");
	check(inject(&image, child, SYS_getpid, 0, 0, 0, 0, 0, 0) == child, "the stub is still usable");
	kill_and_reap(child);

	pid_t children[BATCH_MAX];
	struct user_regs_struct r = clone_registers(&image, image_batch, CHILD_FLAGS);
	create_batch(&source, &r, children, options.batch);
	int good = 0;
	for (int i = 0; i < options.batch; i++) {
		good += inject(&image, children[i], SYS_getpid, 0, 0, 0, 0, 0, 0) == children[i];
		kill_and_reap(children[i]);
	}
	check(good == options.batch, "a batch of children answers");
	check_recycle();
	check_spawn();
	check_guests();
	check_death();
	if (failures)
		exit(1);
}

static const struct {
	const char *name;
	void (*run)(void);
} rows[] = {
	{"create", row_create},
	{"create_batch", row_create_batch},
	{"create_first_injection", row_create_first_injection},
	{"injection", row_injection},
	{"map_page", row_map_page},
	{"kill_reap", row_kill_reap},
	{"recycle", row_recycle},
	{"discard_refill", row_discard_refill},
	{"lease", row_lease},
	{"spawn_child", row_spawn_child},
	{"map_again", row_map_again},
	{"guest", row_guest},
	{"source_clone", row_source_clone},
	{"check", row_check}, /* only when asked for */
};
#define ROWS (sizeof rows / sizeof *rows)

static void run(size_t i)
{
	bound();
	rows[i].run();
}

static void pin_all(int cpu)
{
	if (sched_getaffinity(0, sizeof other_cpus, &other_cpus))
		die("affinity");
	CPU_CLR(cpu, &other_cpus);
	pin(cpu);
}

int main(int argc, char **argv)
{
	bool wanted[ROWS] = {0}, all = true;
	for (int i = 1; i < argc; i++) {
		size_t row = 0;
		while (row < ROWS && strcmp(argv[i], rows[row].name))
			row++;
		if (row < ROWS) {
			wanted[row] = true;
			all = false;
		} else if (!strcmp(argv[i], "--cpu"))
			pin_all((int) number(argv[++i], 0, CPU_SETSIZE - 1));
		else if (!strcmp(argv[i], "--n"))
			options.n = (int) number(argv[++i], 1, 10000000);
		else if (!strcmp(argv[i], "--batch"))
			options.batch = (int) number(argv[++i], 1, BATCH_MAX);
		else if (!strcmp(argv[i], "--keep"))
			options.keep = (int) number(argv[++i], 1, 10000);
		else if (!strcmp(argv[i], "--clones"))
			options.clones = (int) number(argv[++i], 1, 1000);
		else {
			fprintf(stderr, "usage: floor [--cpu N] [--n COUNT] [--batch N] [--keep N] [--clones N] [ROW...], rows:");
			for (row = 0; row < ROWS; row++)
				fprintf(stderr, " %s", rows[row].name);
			fputs("\n", stderr);
			return 2;
		}
	}
	bound();
	image_open(&image, (struct variant) {0});
	source_birth(&source, &image, NULL);
	for (size_t i = 0; i < ROWS; i++)
		if (wanted[i] || (all && rows[i].run != row_check))
			run(i);
	kill_and_reap(source.pid);
	return 0;
}
