/* How checks are written, and what they share. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

/* What musl's headers may lack. */
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif
#ifndef SI_KERNEL
#define SI_KERNEL 0x80
#endif

struct check {
    const char *name;
    void (*run)(void);
};

#define CHECK(name)                                                                                \
    static void check_##name(void);                                                                \
    static const struct check entry_##name                                                         \
        __attribute__((section("checks"), used, no_reorder, aligned(8))) = {#name, check_##name}; \
    static void check_##name(void)

extern const struct check __start_checks[], __stop_checks[];

enum { SECONDS = 5, PAGE = 4096, REPORTED = 91, NOTED = 92 };

static const struct check *current;
static pid_t checker;
static char self[PATH_MAX];

static void say(const char *format, ...) {
    char line[1000];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (write(1, line, size) != size) _exit(93);
}

static void fail(int line, const char *what, int error) {
    int own = getpid() == checker;
    say("%s %s: line %d: %s, errno %d (%s)\n", own ? "FAIL" : "note", current ? current->name : "?", line, what,
        error, strerror(error));
    _exit(own ? REPORTED : NOTED);
}

/* The check fails unless this holds. */
#define want(condition)                                             \
    do {                                                            \
        errno = 0;                                                  \
        if (!(condition)) fail(__LINE__, #condition, errno);        \
    } while (0)

/* A call that must fail with this error. */
#define fails(error, call) want((long)(call) == -1 && errno == (error))

/* Something that another process or thread will bring about. */
#define eventually(condition)                                                                  \
    do {                                                                                       \
        long limit_ = millis() + 4000;                                                         \
        int held_;                                                                             \
        while (!(held_ = (condition)) && millis() < limit_) nap(1);                            \
        if (!held_) fail(__LINE__, "never " #condition, 0);                                    \
    } while (0)

/* The block that follows is run by a child, whose status is then 0. */
#define CHILD(pid) for ((pid) = start(); !(pid); _exit(0))

#define exits(pid, code) want(waited(pid) == (code) << 8)
#define dies(pid, signal) want((waited(pid) & 0x7f) == (signal))

static long millis(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void nap(int milliseconds) {
    struct timespec rest = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&rest, &rest) && errno == EINTR) {
    }
}

static pid_t start(void) {
    pid_t pid = fork();
    want(pid >= 0);
    return pid;
}

static int waited(pid_t pid) {
    int status;
    pid_t got;
    do got = waitpid(pid, &status, 0);
    while (got == -1 && errno == EINTR);
    want(got == pid);
    return status;
}

static pid_t tid(void) { return syscall(SYS_gettid); }

static pthread_t thread(void *(*run)(void *), void *argument) {
    pthread_t made;
    want(pthread_create(&made, 0, run, argument) == 0);
    return made;
}

static void *join(pthread_t which) {
    void *result;
    want(pthread_join(which, &result) == 0);
    return result;
}

/* A file with this text, open to read and write, at its start. */
static int file(const char *name, const char *text) {
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    want(fd >= 0);
    want(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    want(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static int holds(const char *name, const char *text) {
    char found[200];
    int fd = open(name, O_RDONLY);
    want(fd >= 0);
    ssize_t size = read(fd, found, sizeof found);
    close(fd);
    return size == (ssize_t)strlen(text) && !memcmp(found, text, size);
}

static int all(const char *bytes, int value, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != (char)value) return 0;
    return 1;
}

static char *pages(int count, int protection, int flags) {
    char *at = mmap(0, (size_t)count * PAGE, protection, flags | MAP_ANONYMOUS, -1, 0);
    want(at != MAP_FAILED);
    return at;
}

static char *memory(int count) { return pages(count, PROT_READ | PROT_WRITE, MAP_PRIVATE); }

static char *shared(int count) { return pages(count, PROT_READ | PROT_WRITE, MAP_SHARED); }

static volatile int calls;
static volatile siginfo_t last;
static volatile pid_t taker;

/* The handler of most checks: it counts, and keeps what it was told. */
static void note(int signal, siginfo_t *info, void *context) {
    last = *info;
    taker = tid();
    calls++;
}

static void action(int signal, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction wanted = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    sigemptyset(&wanted.sa_mask);
    want(sigaction(signal, &wanted, 0) == 0);
}

static void handle(int signal, int flags) { action(signal, note, flags); }

static sigset_t setOf(int signal) {
    sigset_t set;
    sigemptyset(&set);
    if (signal) sigaddset(&set, signal);
    return set;
}

static void block(int signal) {
    sigset_t set = setOf(signal);
    want(sigprocmask(SIG_BLOCK, &set, 0) == 0);
}

static void unblock(int signal) {
    sigset_t set = setOf(signal);
    want(sigprocmask(SIG_UNBLOCK, &set, 0) == 0);
}

static int blocked(int signal) {
    sigset_t set;
    want(sigprocmask(SIG_BLOCK, 0, &set) == 0);
    return sigismember(&set, signal);
}

static int pending(int signal) {
    sigset_t set;
    want(sigpending(&set) == 0);
    return sigismember(&set, signal);
}

/* A child that sends a signal to this process every few milliseconds until it is ended. */
static pid_t pestering(int signal) {
    pid_t target = getpid(), pid;
    CHILD(pid) {
        for (int i = 0; i < 500 && !kill(target, signal); i++) nap(10);
    }
    return pid;
}

static void end(pid_t pid) {
    want(kill(pid, SIGKILL) == 0);
    waited(pid);
}

static sigjmp_buf back;
static volatile unsigned long lastRip;

static void jump(int signal, siginfo_t *info, void *context) {
    last = *info;
    lastRip = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    siglongjmp(back, 1);
}

/* A statement that must raise this signal. */
#define faults(signal, statement)                                                 \
    do {                                                                          \
        action(signal, jump, SA_NODEFER);                                         \
        last.si_signo = 0;                                                        \
        if (!sigsetjmp(back, 1)) {                                                \
            statement;                                                            \
            fail(__LINE__, "no signal from " #statement, 0);                      \
        }                                                                         \
        want(last.si_signo == (signal));                                          \
    } while (0)

/* Goes on as asChild() of this program with these words. */
static void become(const char *mode, ...) {
    char *words[10] = {self, "--child", (char *)mode};
    va_list more;
    va_start(more, mode);
    for (int i = 3; i < 9 && (words[i] = va_arg(more, char *)); i++) {
    }
    va_end(more);
    execv(self, words);
    fail(__LINE__, "execv", errno);
}

static char *number(long value) {
    static char texts[4][24];
    static int next;
    char *text = texts[next++ % 4];
    sprintf(text, "%ld", value);
    return text;
}
