/*
 * Builds filters with libseccomp. Reads a command a line, answers each with one line:
 *   init ACTION                             0
 *   arch NAME                               result of seccomp_arch_add
 *   rule ACTION CALL [ARG OP VALUE VALUE]...   result of seccomp_rule_add_array; CALL: name or number
 *   number ARCH NAME                        the number of a call
 *   export MODE                             the program's bytes in hexadecimal; MODE: 1, or 2 for a binary tree
 * Numbers are decimal or hexadecimal. A name that libseccomp does not know is answered with "unknown".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static scmp_filter_ctx filter;

static enum scmp_compare operator_of(const char *name)
{
	static const struct {
		const char *name;
		enum scmp_compare value;
	} operators[] = {
		{"NE", SCMP_CMP_NE}, {"LT", SCMP_CMP_LT}, {"LE", SCMP_CMP_LE}, {"EQ", SCMP_CMP_EQ},
		{"GE", SCMP_CMP_GE}, {"GT", SCMP_CMP_GT}, {"MASKED_EQ", SCMP_CMP_MASKED_EQ},
	};
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (strcmp(operators[i].name, name) == 0)
			return operators[i].value;
	fprintf(stderr, "no operator: %s\n", name);
	exit(1);
}

static char *word(void)
{
	char *next = strtok(NULL, " \n");
	if (!next) {
		fprintf(stderr, "a word is missing\n");
		exit(1);
	}
	return next;
}

static void rule(void)
{
	uint32_t action = strtoul(word(), NULL, 0);
	char *name = word();
	struct scmp_arg_cmp comparisons[6];
	unsigned int count = 0;
	for (char *argument; (argument = strtok(NULL, " \n"));) {
		if (count == 6)
			exit(1);
		comparisons[count].arg = strtoul(argument, NULL, 0);
		comparisons[count].op = operator_of(word());
		comparisons[count].datum_a = strtoull(word(), NULL, 0);
		comparisons[count].datum_b = strtoull(word(), NULL, 0);
		count++;
	}
	char *end;
	int call = strtol(name, &end, 0);
	if (*end != '\0')
		call = seccomp_syscall_resolve_name(name);
	if (call == __NR_SCMP_ERROR)
		puts("unknown");
	else
		printf("%d\n", seccomp_rule_add_array(filter, action, call, count, comparisons));
}

static void export(void)
{
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, strtoul(word(), NULL, 0));
	int file = memfd_create("program", 0);
	int result = seccomp_export_bpf(filter, file);
	if (result != 0) {
		fprintf(stderr, "seccomp_export_bpf: %s\n", strerror(-result));
		exit(1);
	}
	off_t size = lseek(file, 0, SEEK_END);
	unsigned char *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
	if (bytes == MAP_FAILED)
		exit(1);
	for (off_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
	puts("");
	munmap(bytes, size);
	close(file);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;
	while (getline(&line, &size, stdin) > 0) {
		char *command = strtok(line, " \n");
		if (strcmp(command, "init") == 0) {
			if (filter)
				seccomp_release(filter);
			filter = seccomp_init(strtoul(word(), NULL, 0));
			puts(filter ? "0" : "1");
		} else if (strcmp(command, "arch") == 0) {
			printf("%d\n", seccomp_arch_add(filter, seccomp_arch_resolve_name(word())));
		} else if (strcmp(command, "rule") == 0) {
			rule();
		} else if (strcmp(command, "number") == 0) {
			uint32_t architecture = seccomp_arch_resolve_name(word());
			printf("%d\n", seccomp_syscall_resolve_name_arch(architecture, word()));
		} else if (strcmp(command, "export") == 0) {
			export();
		} else {
			return 1;
		}
		fflush(stdout);
	}
	return 0;
}
