/*
 * Checks of what Linux system calls mean: semantics DIRECTORY [NAME]...
 *
 * Each check runs in a child of its own, in a process group and a new directory of its own below
 * DIRECTORY, and ends itself when something is not as Linux does it. "ok NAME" or "FAIL NAME: what,
 * errno" is printed for each, then how many passed; the status is 0 if all did. With names, only
 * these run. Lines that begin with "note" come from further processes of a check that then fails.
 */
#include "semantics/check.h"

#include "semantics/files.c"
#include "semantics/offsets.c"
#include "semantics/pipes.c"
#include "semantics/signals.c"
#include "semantics/handlers.c"
#include "semantics/processes.c"
#include "semantics/memory.c"
#include "semantics/threads.c"
#include "semantics/names.c"
#include "semantics/waiting.c"
#include "semantics/system.c"

/* ---- What this program does when a check executes it again ---- */

/* Its status is 0, or a number that the check knows, if it finds what it should. */
static int asChild(int count, char **arguments) {
    const char *mode = arguments[2];
#define NUMBER(i) atoi(arguments[3 + i])
    if (!strcmp(mode, "descriptors")) {
        char byte;
        want(fcntl(NUMBER(0), F_GETFD) == 0 && read(NUMBER(0), &byte, 1) == 1 && byte == 'k');
        fails(EBADF, fcntl(NUMBER(1), F_GETFD));
        fails(EBADF, fcntl(NUMBER(2), F_GETFD));
        return 0;
    }
    if (!strcmp(mode, "waits")) {
        char byte;
        return read(NUMBER(0), &byte, 1) == 0 ? 12 : 13;
    }
    if (!strcmp(mode, "echo")) {
        say("%s %s %d\n", arguments[3], getenv("WORD"), blocked(SIGUSR2));
        return 0;
    }
    if (!strcmp(mode, "words")) {
        want(count == 6 && !strcmp(arguments[0], "any name") && !strcmp(arguments[3], ""));
        want(!strcmp(arguments[4], "two words") && !strcmp(arguments[5], "\xc3\xa9"));
        want(!strcmp(environ[0], "A=1") && !strcmp(environ[1], "EMPTY="));
        want(!strcmp(environ[2], "no equals sign") && !environ[3]);
        return 21;
    }
    if (!strcmp(mode, "count")) return count % 256;
    if (!strcmp(mode, "kept")) {
        char path[PATH_MAX];
        struct rlimit limit;
        want(getpid() == NUMBER(0) && getpgrp() == NUMBER(1) && umask(0) == 0027);
        want(getcwd(path, sizeof path) && !strcmp(path + strlen(path) - 6, "/inner"));
        want(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 77 && limit.rlim_max == 88);
        want(alarm(0) > 90);
        return 0;
    }
    if (!strcmp(mode, "signals")) {
        struct sigaction one, two;
        stack_t stack;
        want(sigaction(SIGUSR1, 0, &one) == 0 && one.sa_handler == SIG_DFL);
        want(sigaction(SIGUSR2, 0, &two) == 0 && two.sa_handler == SIG_IGN);
        want(blocked(SIGTERM) && pending(SIGTERM) && !blocked(SIGUSR1));
        want(sigaltstack(0, &stack) == 0 && (stack.ss_flags & SS_DISABLE));
        return 0;
    }
    if (!strcmp(mode, "leads")) {
        want(getpid() == NUMBER(0) && tid() == getpid());
        return 0;
    }
    return 98;
}

/* As the interpreter of a script: one argument, the script, its arguments. */
static int asInterpreter(int count, char **arguments) {
    want(count == 4 && !strcmp(arguments[0], self));
    want(!strcmp(arguments[2], "./script") && !strcmp(arguments[3], "one"));
    return 31;
}

/* ---- Running checks ---- */

static void removeAll(int parent, const char *name) {
    if (!unlinkat(parent, name, 0) || errno == ENOENT) return;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    DIR *directory = fd < 0 ? 0 : fdopendir(fd);
    if (!directory) return;
    for (struct dirent *entry; (entry = readdir(directory));)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) removeAll(fd, entry->d_name);
    closedir(directory);
    unlinkat(parent, name, AT_REMOVEDIR);
}

static void inChild(const struct check *check, const char *folder) {
    setpgid(0, 0);
    checker = getpid();
    want(chdir(folder) == 0);
    umask(0022);
    check->run();
    _exit(0);
}

static int passes(const struct check *check, const char *directory) {
    char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "%s/%s", directory, check->name);
    current = check;
    if (mkdir(folder, 0755)) {
        say("FAIL %s: mkdir %s, errno %d (%s)\n", check->name, folder, errno, strerror(errno));
        return 0;
    }
    pid_t pid = fork(), got;
    if (!pid) inChild(check, folder);
    int status = -1, late = 0;
    long limit = millis() + SECONDS * 1000;
    for (int pause = 0; (got = waitpid(pid, &status, WNOHANG)) == 0; pause += pause < 5) {
        nap(pause);
        if (millis() < limit) continue;
        if (late++) break;
        kill(pid, SIGKILL);
        limit += 1000;
    }
    if (pid > 0) kill(-pid, SIGKILL);
    removeAll(AT_FDCWD, folder);
    if (late) say("FAIL %s: not done after %d seconds, errno 0\n", check->name, SECONDS);
    else if (got != pid) say("FAIL %s: fork or wait, errno %d (%s)\n", check->name, errno, strerror(errno));
    else if (WIFSIGNALED(status)) say("FAIL %s: ended by signal %d, errno 0\n", check->name, WTERMSIG(status));
    else if (!status) say("ok %s\n", check->name);
    else if (WEXITSTATUS(status) != REPORTED) say("FAIL %s: status %d, errno 0\n", check->name, WEXITSTATUS(status));
    return !late && got == pid && status == 0;
}

static int chosen(const struct check *check, int count, char **names) {
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i], check->name)) return 1;
    return !count;
}

int main(int count, char **arguments) {
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    if (size <= 0 && !realpath(arguments[0], self)) strcpy(self, arguments[0]);
    checker = getpid();
    if (count > 2 && !strcmp(arguments[1], "--child")) return asChild(count, arguments);
    if (count > 1 && !strcmp(arguments[1], "--script")) return asInterpreter(count, arguments);
    if (count < 2 || arguments[1][0] != '/') {
        say("usage: %s DIRECTORY [NAME]...\n", arguments[0]);
        return 2;
    }
    for (int i = 1; i < 65; i++) signal(i, SIG_DFL);
    sigset_t none = setOf(0);
    sigprocmask(SIG_SETMASK, &none, 0);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    for (int fd = 3; fd < 100; fd++) close(fd);
    char directory[PATH_MAX];
    snprintf(directory, sizeof directory, "%s/semantics.%d", arguments[1], getpid());
    removeAll(AT_FDCWD, directory);
    if (mkdir(directory, 0755)) {
        say("FAIL mkdir: %s, errno %d (%s)\n", directory, errno, strerror(errno));
        return 1;
    }
    int ok = 0, failed = 0;
    for (const struct check *check = __start_checks; check < __stop_checks; check++)
        if (chosen(check, count - 2, arguments + 2)) passes(check, directory) ? ok++ : failed++;
    rmdir(directory);
    say("%d ok, %d failed\n", ok, failed);
    return failed || !ok;
}
