/* Which order of waiting, which image and which flags make stubs fastest, and what a recycle consists of: each way in turn, round after
   round in one run, so that a noisy machine hurts all alike. The plain way of each group is what floor.c and the library do. */

#include "floor.h"

static struct {
	int rounds, batch;
} options = {.rounds = 100, .batch = 64};

#define SINGLES 16 /* children that a way makes, one by one, at each turn */

enum { PLAIN, AGAIN, SOURCE_LATER, OWN_SESSION, BATCH_POLICY, NO_FILTER, NO_DATA, ANONYMOUS_DATA, DATA_PLUS_4, DATA_PLUS_8,
       ANONYMOUS_DATA_PLUS_8, TOUCHED_DATA, INHERITED_PIDS, VARIANTS };

/* Each has an image and a source of its own, so that all live at once. */
static const struct variant variants[VARIANTS] = {
	[OWN_SESSION] = {.own_session = true},
	[BATCH_POLICY] = {.batch_policy = true},
	[NO_FILTER] = {.no_filter = true},
	[NO_DATA] = {.more_data = -1},
	[ANONYMOUS_DATA] = {.anonymous_data = true},
	[DATA_PLUS_4] = {.more_data = 4},
	[DATA_PLUS_8] = {.more_data = 8},
	[ANONYMOUS_DATA_PLUS_8] = {.anonymous_data = true, .more_data = 8},
	[TOUCHED_DATA] = {.touched_data = true},
	[INHERITED_PIDS] = {.inherited_pids = true},
};

static struct image images[VARIANTS];
static struct source sources[VARIANTS];
static struct template template; /* of the plain image's stubs */

/* ---- one child ---- */

static void start(const struct source *source)
{
	struct user_regs_struct r = clone_registers(source->image, image_call, CHILD_FLAGS);
	source->image->pids[0] = 0;
	set_registers(source->pid, &r);
	resume(source->pid);
}

static pid_t first_pid(const volatile int32_t *word)
{
	pid_t pid;
	while (!(pid = spin_for_pid(word)))
		;
	return pid;
}

static pid_t child_of(const struct source *source)
{
	pid_t pid = source->image->pids[0];
	if (pid <= 0)
		die("the source could not clone");
	return pid;
}

static pid_t plain(const struct source *source)
{
	return create_child(source);
}

static pid_t source_first(const struct source *source)
{
	start(source);
	await(source->pid, STOP_INT3);
	pid_t pid = child_of(source);
	await(pid, STOP_BORN);
	return pid;
}

static pid_t blocking(const struct source *source)
{
	start(source);
	pid_t pid = first_pid(source->image->pids);
	expect(pid, wait_blocking(pid), STOP_BORN);
	expect(source->pid, wait_blocking(source->pid), STOP_INT3);
	return pid;
}

static pid_t source_first_blocking(const struct source *source)
{
	start(source);
	expect(source->pid, wait_blocking(source->pid), STOP_INT3);
	pid_t pid = child_of(source);
	expect(pid, wait_blocking(pid), STOP_BORN);
	return pid;
}

static pid_t with_getregs(const struct source *source)
{
	struct user_regs_struct r;
	pid_t pid = create_child(source);
	get_registers(source->pid, &r);
	return pid;
}

static pid_t with_child_setregs(const struct source *source)
{
	struct user_regs_struct r = constructed(at(source->image, image_call));
	pid_t pid = create_child(source);
	set_registers(pid, &r);
	return pid;
}

static pid_t with_flags(const struct source *source, uint64_t flags)
{
	struct user_regs_struct r = clone_registers(source->image, image_call, flags);
	return create(source, &r);
}

static pid_t files_only(const struct source *source)
{
	return with_flags(source, CLONE_FILES | CLONE_PARENT | CLONE_PTRACE | CLONE_PARENT_SETTID | SIGCHLD);
}

/* A lower bound, not a stub: it shares the source's memory. */
static pid_t shared_memory(const struct source *source)
{
	return with_flags(source, CHILD_FLAGS | CLONE_VM);
}

/* The source stays at image_again between requests, so CONT alone makes the next child. Its first request has set the registers. */
static bool again_ready;

static pid_t again(const struct source *source)
{
	source->image->pids[0] = 0;
	if (!again_ready) {
		struct user_regs_struct r = clone_registers(source->image, image_again, CHILD_FLAGS);
		set_registers(source->pid, &r);
		again_ready = true;
	}
	resume(source->pid);
	pid_t pid = first_pid(source->image->pids);
	await(pid, STOP_BORN);
	await(source->pid, STOP_INT3);
	return pid;
}

/* The source's stop is waited for by the next request: ptrace fails with ESRCH until then. */
static pid_t source_later(const struct source *source)
{
	struct user_regs_struct r = clone_registers(source->image, image_call, CHILD_FLAGS);
	source->image->pids[0] = 0;
	while (ptrace(PTRACE_SETREGS, source->pid, NULL, &r))
		if (errno != ESRCH)
			die("SETREGS");
		else
			sched_yield();
	resume(source->pid);
	pid_t pid = first_pid(source->image->pids);
	await(pid, STOP_BORN);
	return pid;
}

/* ---- a batch ---- */

static void batch_start(const struct source *source)
{
	struct user_regs_struct r = clone_registers(source->image, image_batch, CHILD_FLAGS);
	r.r12 = (uint64_t) options.batch;
	for (int i = 0; i < options.batch; i++)
		source->image->pids[i] = 0;
	set_registers(source->pid, &r);
	resume(source->pid);
}

static void batch_plain(const struct source *source, pid_t *children)
{
	struct user_regs_struct r = clone_registers(source->image, image_batch, CHILD_FLAGS);
	create_batch(source, &r, children, options.batch);
}

static void batch_rest(const struct source *source, pid_t *children)
{
	for (int i = 0; i < options.batch; i++) {
		children[i] = source->image->pids[i];
		if (children[i] <= 0)
			die("the source could not clone");
		await(children[i], STOP_BORN);
	}
}

static void batch_source_first(const struct source *source, pid_t *children)
{
	batch_start(source);
	await(source->pid, STOP_INT3);
	batch_rest(source, children);
}

static void batch_source_first_blocking(const struct source *source, pid_t *children)
{
	batch_start(source);
	expect(source->pid, wait_blocking(source->pid), STOP_INT3);
	batch_rest(source, children);
}

static void batch_last_blocking(const struct source *source, pid_t *children)
{
	batch_start(source);
	pid_t last = first_pid(&source->image->pids[options.batch - 1]);
	expect(last, wait_blocking(last), STOP_BORN);
	expect(source->pid, wait_blocking(source->pid), STOP_INT3);
	for (int i = 0; i < options.batch; i++) {
		children[i] = source->image->pids[i];
		if (children[i] != last)
			await(children[i], STOP_BORN);
	}
}

static void batch_in_turn(const struct source *source, pid_t *children)
{
	batch_start(source);
	for (int i = 0; i < options.batch; i++) {
		children[i] = first_pid(&source->image->pids[i]);
		await(children[i], STOP_BORN);
	}
	await(source->pid, STOP_INT3);
}

static void batch_files_only(const struct source *source, pid_t *children)
{
	struct user_regs_struct r =
		clone_registers(source->image, image_batch, CLONE_FILES | CLONE_PARENT | CLONE_PTRACE | CLONE_PARENT_SETTID | SIGCHLD);
	create_batch(source, &r, children, options.batch);
}

/* ---- killing ---- */

static void kill_one_by_one(pid_t *children, int n)
{
	for (int i = 0; i < n; i++)
		kill_and_reap(children[i]);
}

static void kill_one_by_one_blocking(pid_t *children, int n)
{
	for (int i = 0; i < n; i++) {
		if (kill(children[i], SIGKILL))
			die("kill");
		expect(children[i], wait_blocking(children[i]), SIGKILL);
	}
}

static void kill_all_then_reap(pid_t *children, int n)
{
	for (int i = 0; i < n; i++)
		if (kill(children[i], SIGKILL))
			die("kill");
	for (int i = n; i--;)
		expect(children[i], wait_yielding(children[i]), SIGKILL);
}

static void kill_all_then_reap_blocking(pid_t *children, int n)
{
	for (int i = 0; i < n; i++)
		if (kill(children[i], SIGKILL))
			die("kill");
	for (int i = n; i--;)
		expect(children[i], wait_blocking(children[i]), SIGKILL);
}

/* ---- an injection ---- */

static void inject_plain(const struct source *source, pid_t child)
{
	inject(source->image, child, SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static void inject_blocking(const struct source *source, pid_t child)
{
	struct user_regs_struct r = constructed(at(source->image, image_call));
	r.rax = SYS_getpid;
	set_registers(child, &r);
	resume(child);
	expect(child, wait_blocking(child), STOP_INT3);
	get_registers(child, &r);
}

/* ---- recycling: one by one, or all unmap before the first is waited for ---- */

static void must_be_clean(bool clean)
{
	if (!clean)
		die("a stub cannot be recycled");
}

static void recycle_one_by_one(const struct source *source, pid_t *children, int n)
{
	for (int i = 0; i < n; i++)
		must_be_clean(recycle(source->image, &template, children[i]));
}

static void recycle_rest(const struct source *source, pid_t *children, int n)
{
	for (int i = 0; i < n; i++) {
		check_unmap(source->image, children[i]);
		must_be_clean(reset_state(&template, children[i]));
	}
}

static void recycle_last_first(const struct source *source, pid_t *children, int n)
{
	for (int i = 0; i < n; i++)
		start_unmap(&template, children[i]);
	await(children[n - 1], STOP_INT3);
	for (int i = 0; i < n - 1; i++)
		await(children[i], STOP_INT3);
	recycle_rest(source, children, n);
}

static void recycle_in_turn(const struct source *source, pid_t *children, int n)
{
	for (int i = 0; i < n; i++)
		start_unmap(&template, children[i]);
	for (int i = 0; i < n; i++)
		await(children[i], STOP_INT3);
	recycle_rest(source, children, n);
}

/* Instead of recycling. */
static void replace_one_by_one(const struct source *source, pid_t *children, int n)
{
	for (int i = 0; i < n; i++) {
		kill_and_reap(children[i]);
		children[i] = plain(source);
	}
}

/* ---- what a recycle consists of, and other ways to learn the same ---- */

static void unmap_stop(const struct source *source, pid_t child)
{
	start_unmap(&template, child);
	await(child, STOP_INT3);
	check_unmap(source->image, child);
}

static void state_vector(const struct source *source, pid_t child)
{
	(void) source;
	reset_vector(&template, child);
}

static void state_debug(const struct source *source, pid_t child)
{
	(void) source;
	reset_debug(child);
}

static void state_mask(const struct source *source, pid_t child)
{
	(void) source;
	reset_mask(&template, child);
}

static void look_signal(const struct source *source, pid_t child)
{
	(void) source;
	must_be_clean(no_signal(child));
}

static void look_affinity(const struct source *source, pid_t child)
{
	(void) source;
	must_be_clean(same_affinity(&template, child));
}

static void look_limits(const struct source *source, pid_t child)
{
	(void) source;
	must_be_clean(same_limits(&template, child));
}

static void look_all_limits(const struct source *source, pid_t child)
{
	(void) source;
	struct rlimit limit;
	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (prlimit(child, i, NULL, &limit))
			die("limit %d of %d", i, child);
}

static void look_thread(const struct source *source, pid_t child)
{
	(void) source;
	must_be_clean(one_thread(&template, child));
}

/* What is read is not looked at: this is a lower bound. */
static void read_proc(pid_t child, const char *name)
{
	char path[64], text[4096];
	snprintf(path, sizeof path, "%d/%s", child, name);
	int fd = openat(template.proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof text) <= 0)
		die("reading %s", path);
	close(fd);
}

static void look_stat(const struct source *source, pid_t child)
{
	(void) source;
	read_proc(child, "stat");
}

static void look_status(const struct source *source, pid_t child)
{
	(void) source;
	read_proc(child, "status");
}

static void look_limits_file(const struct source *source, pid_t child)
{
	(void) source;
	read_proc(child, "limits");
}

/* ---- the comparison ---- */

/* One of the five functions is set. */
static const struct way {
	const char *name;
	int variant;
	pid_t (*single)(const struct source *);
	void (*batch)(const struct source *, pid_t *);
	void (*end)(pid_t *, int);
	void (*call)(const struct source *, pid_t);
	void (*recycle)(const struct source *, pid_t *, int);
} ways[] = {
	{"create/plain", PLAIN, .single = plain},
	{"create/source_first", PLAIN, .single = source_first},
	{"create/blocking", PLAIN, .single = blocking},
	{"create/source_first_blocking", PLAIN, .single = source_first_blocking},
	{"create/with_getregs", PLAIN, .single = with_getregs},
	{"create/with_child_setregs", PLAIN, .single = with_child_setregs},
	{"create/again", AGAIN, .single = again},
	{"create/source_later", SOURCE_LATER, .single = source_later},
	{"create/own_session", OWN_SESSION, .single = plain},
	{"create/own_session_source_first", OWN_SESSION, .single = source_first},
	{"create/own_session_blocking", OWN_SESSION, .single = blocking},
	{"create/own_session_source_first_blocking", OWN_SESSION, .single = source_first_blocking},
	{"create/batch_policy", BATCH_POLICY, .single = plain},
	{"create/no_filter", NO_FILTER, .single = plain},
	{"create/no_filter_files_only", NO_FILTER, .single = files_only},
	{"create/no_filter_shared_memory", NO_FILTER, .single = shared_memory},
	{"create/no_data", NO_DATA, .single = plain},
	{"create/anonymous_data", ANONYMOUS_DATA, .single = plain},
	{"create/data_plus_8", DATA_PLUS_8, .single = plain},
	{"create/touched_data", TOUCHED_DATA, .single = plain},
	{"create/inherited_pids", INHERITED_PIDS, .single = plain},
	{"batch/plain", PLAIN, .batch = batch_plain},
	{"batch/source_first", PLAIN, .batch = batch_source_first},
	{"batch/source_first_blocking", PLAIN, .batch = batch_source_first_blocking},
	{"batch/in_turn", PLAIN, .batch = batch_in_turn},
	{"batch/last_blocking", PLAIN, .batch = batch_last_blocking},
	{"batch/own_session", OWN_SESSION, .batch = batch_plain},
	{"batch/own_session_source_first_blocking", OWN_SESSION, .batch = batch_source_first_blocking},
	{"batch/batch_policy", BATCH_POLICY, .batch = batch_plain},
	{"batch/no_filter", NO_FILTER, .batch = batch_plain},
	{"batch/no_filter_files_only", NO_FILTER, .batch = batch_files_only},
	{"batch/no_data", NO_DATA, .batch = batch_plain},
	{"batch/anonymous_data", ANONYMOUS_DATA, .batch = batch_plain},
	{"batch/data_plus_4", DATA_PLUS_4, .batch = batch_plain},
	{"batch/data_plus_8", DATA_PLUS_8, .batch = batch_plain},
	{"batch/anonymous_data_plus_8", ANONYMOUS_DATA_PLUS_8, .batch = batch_plain},
	{"batch/touched_data", TOUCHED_DATA, .batch = batch_plain},
	{"batch/inherited_pids", INHERITED_PIDS, .batch = batch_plain},
	{"kill/plain", PLAIN, .end = kill_one_by_one},
	{"kill/blocking", PLAIN, .end = kill_one_by_one_blocking},
	{"kill/all_then_reap", PLAIN, .end = kill_all_then_reap},
	{"kill/all_then_reap_blocking", PLAIN, .end = kill_all_then_reap_blocking},
	{"kill/data_plus_8", DATA_PLUS_8, .end = kill_one_by_one},
	{"kill/anonymous_data", ANONYMOUS_DATA, .end = kill_one_by_one},
	{"kill/touched_data", TOUCHED_DATA, .end = kill_one_by_one},
	{"injection/plain", PLAIN, .call = inject_plain},
	{"injection/blocking", PLAIN, .call = inject_blocking},
	{"injection/own_session", OWN_SESSION, .call = inject_plain},
	{"injection/own_session_blocking", OWN_SESSION, .call = inject_blocking},
	{"injection/no_filter", NO_FILTER, .call = inject_plain},
	{"recycle/plain", PLAIN, .recycle = recycle_one_by_one},
	{"recycle/last_first", PLAIN, .recycle = recycle_last_first},
	{"recycle/in_turn", PLAIN, .recycle = recycle_in_turn},
	{"recycle/discard_refill", PLAIN, .recycle = replace_one_by_one},
	{"part/unmap", PLAIN, .call = unmap_stop},
	{"part/vector", PLAIN, .call = state_vector},
	{"part/debug", PLAIN, .call = state_debug},
	{"part/mask", PLAIN, .call = state_mask},
	{"part/signal", PLAIN, .call = look_signal},
	{"part/affinity", PLAIN, .call = look_affinity},
	{"part/limits", PLAIN, .call = look_limits},
	{"part/limits_all", PLAIN, .call = look_all_limits},
	{"part/limits_file", PLAIN, .call = look_limits_file},
	{"part/thread", PLAIN, .call = look_thread},
	{"part/stat_file", PLAIN, .call = look_stat},
	{"part/status_file", PLAIN, .call = look_status},
};
#define WAYS (sizeof ways / sizeof *ways)

static void turn(const struct way *way, struct samples *samples)
{
	const struct source *source = &sources[way->variant];
	pid_t children[BATCH_MAX];
	int n = way->single || way->recycle ? SINGLES : way->call ? 1 : options.batch;
	int64_t start = now();
	if (way->single)
		for (int i = 0; i < n; i++) {
			start = now();
			children[i] = way->single(source);
			sample(samples, (double) (now() - start) / 1000);
		}
	else if (way->call) {
		children[0] = plain(source);
		for (int i = 0; i < SINGLES; i++) {
			start = now();
			way->call(source, children[0]);
			sample(samples, (double) (now() - start) / 1000);
		}
	} else if (way->recycle) {
		for (int i = 0; i < n; i++) {
			children[i] = plain(source);
			dirty(source->image, children[i], 1);
		}
		way->recycle(source, children, n); /* the first look at a stub in /proc costs more than those that follow */
		for (int i = 0; i < n; i++)
			dirty(source->image, children[i], 1);
		start = now();
		way->recycle(source, children, n);
		sample(samples, (double) (now() - start) / 1000 / n);
	} else if (way->batch) {
		way->batch(source, children);
		sample(samples, (double) (now() - start) / 1000 / n);
	} else {
		batch_plain(source, children);
		start = now();
		way->end(children, n);
		sample(samples, (double) (now() - start) / 1000 / n);
		return;
	}
	kill_one_by_one(children, n);
}

int main(int argc, char **argv)
{
	const char *prefix = "";
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--cpu"))
			pin((int) number(argv[++i], 0, CPU_SETSIZE - 1));
		else if (!strcmp(argv[i], "--rounds"))
			options.rounds = (int) number(argv[++i], 1, 1000000);
		else if (!strcmp(argv[i], "--batch"))
			options.batch = (int) number(argv[++i], 1, BATCH_MAX);
		else if (argv[i][0] != '-')
			prefix = argv[i];
		else {
			fputs("usage: alternatives [--cpu N] [--rounds N] [--batch N] [create | batch | kill | injection | recycle | part | prefix of a name]\n",
			      stderr);
			return 2;
		}
	bound();
	for (int i = 0; i < VARIANTS; i++) {
		image_open(&images[i], variants[i]);
		source_birth(&sources[i], &images[i], NULL);
	}
	pid_t fresh = plain(&sources[PLAIN]);
	template_open(&template, &images[PLAIN], fresh);
	kill_and_reap(fresh);
	struct samples samples[WAYS] = {0}, warm_up = {0};
	for (int round = -options.rounds / 10 - 1; round < options.rounds; round++) {
		bound();
		/* What the way before it leaves to the kernel to free falls on a way's first children: so no fixed order. */
		size_t order[WAYS];
		for (size_t i = 0; i < WAYS; i++) {
			size_t j = (size_t) random() % (i + 1);
			order[i] = order[j];
			order[j] = i;
		}
		for (size_t i = 0; i < WAYS; i++) {
			size_t w = order[i];
			if (!strncmp(ways[w].name, prefix, strlen(prefix)))
				turn(&ways[w], round < 0 ? &warm_up : &samples[w]);
		}
	}
	for (size_t i = 0; i < WAYS; i++)
		if (samples[i].n)
			report(ways[i].name, "us", &samples[i]);
	for (int i = 0; i < VARIANTS; i++)
		if (i != SOURCE_LATER) /* a stop that was not waited for may hide its death; EXITKILL ends it */
			kill_and_reap(sources[i].pid);
	return 0;
}
