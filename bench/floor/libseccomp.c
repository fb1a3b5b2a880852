/*
 * libseccomp's time from an empty filter to a program of the rules that CompileBenchmark prints: the
 * first time in this process, and the median of N. Usage: libseccomp N NAME RULES
 */
#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MAX_RULES 4096

struct rule {
	uint32_t action;
	int call;
	unsigned int count;
	struct scmp_arg_cmp comparisons[6];
};

static uint32_t default_action;
static struct rule rules[MAX_RULES];
static size_t rule_count;

static void fail(const char *what)
{
	fprintf(stderr, "libseccomp: %s\n", what);
	exit(1);
}

static enum scmp_compare operator_of(const char *name)
{
	static const char *const names[] = {"NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"};
	static const enum scmp_compare values[] = {SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE, SCMP_CMP_EQ,
						   SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(names[i], name))
			return values[i];
	fail("no such operator");
	return SCMP_CMP_EQ;
}

static char *word(void)
{
	char *next = strtok(NULL, " \n");
	if (!next)
		fail("a word is missing");
	return next;
}

static void read_rules(const char *path)
{
	FILE *in = fopen(path, "r");
	char line[1024];
	if (!in || !fgets(line, sizeof line, in))
		fail(path);
	default_action = strtoul(line, NULL, 0);
	while (fgets(line, sizeof line, in)) {
		if (rule_count == MAX_RULES)
			fail("too many rules");
		struct rule *rule = &rules[rule_count++];
		rule->action = strtoul(strtok(line, " \n"), NULL, 0);
		rule->call = strtol(word(), NULL, 0);
		for (char *argument; (argument = strtok(NULL, " \n")); rule->count++) {
			if (rule->count == 6)
				fail("too many comparisons");
			rule->comparisons[rule->count].arg = strtoul(argument, NULL, 0);
			rule->comparisons[rule->count].op = operator_of(word());
			rule->comparisons[rule->count].datum_a = strtoull(word(), NULL, 0);
			rule->comparisons[rule->count].datum_b = strtoull(word(), NULL, 0);
		}
	}
	fclose(in);
}

/* With a binary tree, as container runtimes ask for. Microseconds. */
static double build(int file, long *length)
{
	struct timespec begin, end;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	scmp_filter_ctx filter = seccomp_init(default_action);
	if (!filter || seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2))
		fail("no filter");
	for (size_t i = 0; i < rule_count; i++)
		if (seccomp_rule_add_array(filter, rules[i].action, rules[i].call, rules[i].count, rules[i].comparisons))
			fail("a rule is refused");
	if (seccomp_export_bpf(filter, file))
		fail("no program");
	clock_gettime(CLOCK_MONOTONIC, &end);
	seccomp_release(filter);
	*length = lseek(file, 0, SEEK_END) / 8;
	if (ftruncate(file, 0) || lseek(file, 0, SEEK_SET))
		fail("the file cannot be emptied");
	return (end.tv_sec - begin.tv_sec) * 1e6 + (end.tv_nsec - begin.tv_nsec) / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	int n = argc == 4 ? atoi(argv[1]) : 0;
	if (n < 1)
		fail("usage: libseccomp N NAME RULES");
	read_rules(argv[3]);
	int file = memfd_create("program", 0);
	long length = 0;
	double *times = calloc(n, sizeof *times);
	if (file < 0 || !times)
		fail("no memory");
	double cold = build(file, &length);
	printf("{\"name\":\"compile_%s_cold\",\"unit\":\"us\",\"n\":1,\"p50\":%.3f,\"length\":%ld}\n", argv[2],
	       cold, length);
	for (int i = 0; i < n; i++)
		times[i] = build(file, &length);
	qsort(times, n, sizeof *times, compare);
	printf("{\"name\":\"compile_%s\",\"unit\":\"us\",\"n\":%d,\"p50\":%.3f,\"min\":%.3f}\n", argv[2], n,
	       times[n / 2], times[0]);
	return 0;
}
