/*
 * Programs that mean harm or mean nothing: hostile WHAT [ARGUMENT]. They are for the sandbox alone,
 * so they want HOSTILE=yes in the environment. What ends by itself prints how.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, MEGABYTE = 1 << 20 };

static const char *argument = "";

static const char *name(int error) {
    static const struct {
        int error;
        const char *name;
    } all[] = {
        {EAGAIN, "EAGAIN"}, {ENOMEM, "ENOMEM"}, {EMFILE, "EMFILE"}, {ENFILE, "ENFILE"}, {ENOSPC, "ENOSPC"},
        {EFBIG, "EFBIG"}, {ELOOP, "ELOOP"}, {EDQUOT, "EDQUOT"}, {ENAMETOOLONG, "ENAMETOOLONG"},
    };
    static char other[30];
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].error == error) return all[i].name;
    sprintf(other, "error %d", error);
    return other;
}

static void say(const char *text) {
    write(1, text, strlen(text));
    write(1, "\n", 1);
}

static uint64_t state;

/* The numbers of SplitMix64, so that a seed means the same with every libc. */
static uint64_t any(void) {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static uint64_t below(uint64_t bound) { return any() % bound; }

static int forks(void) {
    pid_t first = getpid();
    for (int told = 0;;)
        if (fork() < 0 && getpid() == first && !told++) say(name(errno));
    return 0;
}

/* Children that have ended, and for which nobody waits. */
static int zombies(void) {
    siginfo_t info;
    for (int i = 0; i < 200; i++) {
        pid_t pid = fork();
        if (!pid) _exit(0);
        if (pid < 0) {
            say(name(errno));
            return 0;
        }
        waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
    }
    say("no limit");
    return 4;
}

/* Takes memory of one kind until there is no more, but no more than 2 GiB. */
static int memory(void) {
    char *at = 0, *grown = 0;
    for (int i = 0; i < 2048; i++) {
        errno = 0;
        if (!strcmp(argument, "brk")) {
            at = (char *)syscall(SYS_brk, 0);
            if ((char *)syscall(SYS_brk, at + MEGABYTE) != at + MEGABYTE) at = MAP_FAILED;
        } else if (!strcmp(argument, "remapped")) {
            if (!grown) grown = mmap(0, MEGABYTE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            at = mremap(grown, (size_t)(i + 1) * MEGABYTE, (size_t)(i + 2) * MEGABYTE, MREMAP_MAYMOVE);
            if (at != MAP_FAILED) at = (grown = at) + (size_t)(i + 1) * MEGABYTE;
        } else {
            int kind = strcmp(argument, "shared") ? MAP_PRIVATE : MAP_SHARED;
            at = mmap(0, MEGABYTE, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);
        }
        if (at == MAP_FAILED) {
            say(errno && errno != ENOMEM ? name(errno) : "ENOMEM");
            return 3;
        }
        for (int page = 0; page < MEGABYTE; page += PAGE) at[page] = 1;
    }
    say("no limit");
    return 4;
}

static int loop(void) {
    for (;;) asm volatile("");
}

static int pipes(void) {
    static char full[65536];
    int ends[2], count = 0;
    for (; !pipe2(ends, O_NONBLOCK); count++)
        while (write(ends[1], full, sizeof full) > 0) {
        }
    say(name(errno));
    return !count;
}

static int descriptors(void) {
    int count = 0;
    while (open("/dev/null", O_RDONLY) >= 0) count++;
    say(name(errno));
    return !count;
}

/* One file of at most 4 GiB, written or only stretched and mapped. */
static int files(void) {
    static char block[MEGABYTE];
    int fd = open("/tmp/large", O_RDWR | O_CREAT | O_TRUNC, 0600);
    memset(block, 'x', sizeof block);
    if (!strcmp(argument, "mapped")) {
        size_t size = 1L << 32;
        if (ftruncate(fd, size)) {
            say(name(errno));
            return 0;
        }
        char *at = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (at == MAP_FAILED) {
            say(name(errno));
            return 0;
        }
        for (size_t i = 0; i < size; i += PAGE) at[i] = 1;
        say("no limit");
        return 4;
    }
    for (int i = 0; i < 4096; i++)
        if (write(fd, block, sizeof block) < 0) {
            say(name(errno));
            return 0;
        }
    say("no limit");
    return 4;
}

/* Empty files, each with a long name. */
static int names(void) {
    char path[300];
    for (int i = 0; i < 1000000; i++) {
        sprintf(path, "/tmp/%0200d", i);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (fd < 0) {
            say(name(errno));
            return 0;
        }
        close(fd);
    }
    say("no limit");
    return 4;
}

static void *sleeps(void *unused) {
    for (;;) pause();
}

static int threads(void) {
    pthread_attr_t small;
    pthread_t thread;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 32768);
    for (int count = 0; count < 100000; count++) {
        int error = pthread_create(&thread, &small, sleeps, 0);
        if (error) {
            say(name(error));
            return !count;
        }
    }
    say("no limit");
    return 4;
}

static sigjmp_buf back;

static void jump(int signal) { siglongjmp(back, 1); }

static char handlersStack[65536];

static void survive(void) {
    stack_t stack = {.ss_sp = handlersStack, .ss_size = sizeof handlersStack};
    sigaltstack(&stack, 0);
    struct sigaction wanted = {.sa_handler = jump, .sa_flags = SA_ONSTACK | SA_NODEFER};
    int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
    for (int i = 0; i < 6; i++) sigaction(signals[i], &wanted, 0);
}

extern char __executable_start[], etext[], end[];

/* Addresses that a sandbox might use: next to what is mapped, in regular steps, and anywhere. */
static uintptr_t guess(int i) {
    int pages = i / 8;
    char here;
    switch (i % 8) {
    case 0: return (uintptr_t)pages << 36;
    case 1: return 0x7ffffffff000 - (uintptr_t)pages * PAGE;
    case 2: return 0x7ffffffff000 - ((uintptr_t)pages << 26);
    case 3: return (uintptr_t)pages * PAGE;
    case 4: return (uintptr_t)__executable_start + (uintptr_t)pages * PAGE;
    case 5: return ((uintptr_t)&here & -PAGE) + 64 * PAGE + (uintptr_t)pages * PAGE;
    case 6: return (uintptr_t)__executable_start - (uintptr_t)pages * PAGE;
    default: return below(1L << 47) >> below(30) & -PAGE;
    }
}

/* Its own variables and the stack, which it needs to go on. */
static int needed(uintptr_t at) {
    uintptr_t stack = (uintptr_t)&at;
    return (at >= (uintptr_t)etext && at < ((uintptr_t)end | (PAGE - 1)) + 64 * PAGE)
        || (at > stack - 64 * PAGE && at < stack + 64 * PAGE);
}

static int scribble(void) {
    static volatile int i, written;
    survive();
    for (i = 0; i < 8000; i++) {
        uintptr_t at = guess(i);
        if (needed(at) || sigsetjmp(back, 1)) continue;
        memset((char *)at, (int)any(), 64);
        memset((char *)at + PAGE - 64, (int)any(), 64);
        written++;
    }
    say("scribbled");
    return 0;
}

/* Executes what it finds, with system call numbers and addresses in the registers. */
static int jumps(void) {
    static volatile int i;
    survive();
    signal(SIGALRM, jump);
    for (i = 0; i < 2000; i++) {
        uintptr_t at = guess(i) + below(PAGE);
        if (sigsetjmp(back, 1)) continue;
        alarm(1);
        asm volatile("call *%0"
                     :
                     : "r"(at), "a"(below(335)), "D"(below(64) * PAGE), "S"(any()), "d"(below(8))
                     : "rcx", "r8", "r9", "r10", "r11", "memory");
    }
    alarm(0);
    say("jumped");
    return 0;
}

/* All ways into a kernel but the usual one. */
static int gates(void) {
    survive();
    static volatile int way;
    for (way = 0; way < 12; way++) {
        if (sigsetjmp(back, 1)) continue;
        long result = 39;
        switch (way) {
        case 0: asm volatile("int $0x80" : "+a"(result) : : "memory"); break;
        case 1: result = 0x40000000 + 39; asm volatile("syscall" : "+a"(result) : : "rcx", "r11", "memory"); break;
        case 2: result = -1; asm volatile("syscall" : "+a"(result) : : "rcx", "r11", "memory"); break;
        case 3: ((long (*)(void *, void *))0xffffffffff600000)(0, 0); break;
        case 4: ((long (*)(void *))0xffffffffff600400)(0); break;
        case 5: ((long (*)(void *, void *, void *))0xffffffffff600800)(0, 0, 0); break;
        case 6: asm volatile("push %%rbp; mov %%rsp, %%rbp; sysenter; pop %%rbp" : "+a"(result) : : "memory"); break;
        case 7: asm volatile("int $3; int $4; int1"); break;
        case 8: asm volatile("hlt"); break;
        case 9: asm volatile("pushf; orl $0x100, (%%rsp); popf; syscall; nop" : "+a"(result) : : "rcx", "r11", "memory"); break;
        case 10: result = (1L << 32) + 39; asm volatile("syscall" : "+a"(result) : : "rcx", "r11", "memory"); break;
        case 11: asm volatile("pushf; orl $0x40000, (%%rsp); popf; movl $1, 1(%%rsp)" : : : "memory"); break;
        }
    }
    say("through");
    return 0;
}

static int closed(void) {
    for (int i = 0; i < 1024; i++) close(i);
    int fd = open("/tmp/after", O_RDWR | O_CREAT, 0600);
    int good = fd == 0 && write(fd, "text", 4) == 4 && write(1, "x", 1) == -1 && errno == EBADF && fork() >= 0;
    return good ? 7 : 1;
}

static void nothing(int signal) {}

static void something(int signal) {
    sigset_t set;
    memset(&set, (int)any(), sizeof set);
    sigprocmask(SIG_BLOCK, &set, 0);
}

static int signals(void) {
    for (int i = 1; i < 65; i++) signal(i, nothing);
    for (int sent = 0; sent < 20000; sent++) {
        struct sigaction wanted = {.sa_handler = below(2) ? nothing : something, .sa_flags = (int)any()};
        sigset_t set;
        for (size_t i = 0; i < sizeof set; i++) ((char *)&set)[i] = ((char *)&wanted.sa_mask)[i] = any() & any();
        wanted.sa_flags &= SA_NODEFER | SA_RESTART | SA_SIGINFO | SA_ONSTACK | SA_NOCLDWAIT;
        if (!below(8)) wanted.sa_handler = SIG_IGN;
        if (!below(2000)) wanted.sa_handler = SIG_DFL;
        sigaction(1 + below(64), &wanted, 0);
        sigprocmask((int)below(3), &set, 0);
        int signal = 1 + below(64);
        if (signal == SIGKILL || (signal >= SIGSTOP && signal <= SIGTTOU)) continue;
        if (signal >= 32 && signal < 35) continue; /* the libc's own */
        if (below(2)) kill(getpid(), signal);
        else if (below(2)) syscall(SYS_tgkill, getpid(), getpid(), signal);
        else sigqueue(getpid(), signal, (union sigval){0});
    }
    say("20000");
    return 0;
}

/* Calls that end the program, or wait as they should. */
static int excepted(long number) {
    static const long all[] = {
        SYS_pause, SYS_exit, SYS_exit_group, SYS_rt_sigsuspend, SYS_rt_sigtimedwait, SYS_nanosleep,
        SYS_clock_nanosleep, SYS_select, SYS_pselect6, SYS_poll, SYS_ppoll, SYS_epoll_wait, SYS_epoll_pwait, 441,
        SYS_flock, SYS_rt_sigreturn, SYS_msgrcv, SYS_semop, SYS_semtimedop, SYS_accept, SYS_reboot,
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i] == number) return 1;
    return 0;
}

static char anything[16 * PAGE] __attribute__((aligned(PAGE)));

static long argumentAtRandom(void) {
    static const char *const texts[] = {"/tmp", "/tmp/x", "/", "..", "x", "/proc/self/exe", "/dev/zero", "/tmp/y/z", ""};
    switch (below(12)) {
    case 0: return 0;
    case 1: return -1;
    case 2: return (long)below(20);
    case 3: return (long)(1UL << below(64));
    case 4: return (long)any();
    case 5: return -(long)below(5000);
    case 6: return (long)(anything + below(sizeof anything));
    case 7: return (long)(anything + (below(sizeof anything) & -64));
    case 8: return (long)texts[below(sizeof texts / sizeof *texts)];
    case 9: return (long)below(70000);
    case 10: return (long)(below(sizeof anything) & -PAGE) + (long)anything;
    default: return (long)below(10);
    }
}

static void callsAtRandom(void) {
    alarm(1);
    for (int i = 0; i < 300; i++) {
        long number = (long)below(471), a[6];
        for (int j = 0; j < 6; j++) a[j] = argumentAtRandom();
        for (int j = 0; j < 16; j++) ((long *)anything)[below(sizeof anything / 8)] = argumentAtRandom();
        if (excepted(number)) continue;
        if (number == SYS_kill || number == SYS_tkill || number == SYS_tgkill || number == SYS_rt_sigqueueinfo
            || number == SYS_rt_tgsigqueueinfo) a[0] = getpid();
        syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
}

/* Not to be run on a host. Each child makes 300 calls, or ends earlier. */
static int calls(void) {
    for (int round = 0; round < 30; round++) {
        any();
        pid_t pid = fork();
        if (!pid) {
            setpgid(0, 0);
            dup2(open("/dev/null", O_RDWR), 1);
            dup2(1, 2);
            callsAtRandom();
            _exit(0);
        }
        if (pid < 0) return 1;
        waitpid(pid, 0, 0);
        kill(-pid, SIGKILL);
    }
    say("called");
    return 0;
}

static __attribute__((noinline)) int deeper(int level) {
    volatile char frame[PAGE / 2];
    frame[0] = (char)level;
    return deeper(level + 1) + frame[0];
}

static int deep(void) { return deeper(0); }

static int execs(void) {
    char count[20], *words[] = {"hostile", "execs", count, 0};
    if (atoi(argument) == 200) {
        say("200");
        return 0;
    }
    sprintf(count, "%d", atoi(argument) + 1);
    execv("/proc/self/exe", words);
    return 1;
}

/* A long chain of links, a link to itself, links that multiply, and directories in each other. */
static int links(void) {
    char from[100], to[100];
    if (open("/tmp/0", O_WRONLY | O_CREAT, 0600) < 0) return 8;
    for (int i = 1; i <= 3000; i++) {
        sprintf(to, "/tmp/../tmp/./%d", i - 1);
        sprintf(from, "/tmp/%d", i);
        if (symlink(to, from)) return 1;
    }
    if (open(from, O_RDONLY) >= 0) return 2;
    say(name(errno));
    if (mkdir("/tmp/a", 0700)) return 3;
    for (int i = 1; i <= 60; i++) {
        sprintf(from, "/tmp/a/%d", i);
        sprintf(to, "%d/../%d", i - 1, i - 1);
        if (symlink(i == 1 ? "." : to, from)) return 4;
    }
    if (open("/tmp/a/60", O_RDONLY) >= 0) return 5;
    say(name(errno));
    if (chdir("/tmp")) return 6;
    static char path[10000];
    int depth = 0;
    while (depth < 3000 && !mkdir("d", 0700) && !chdir("d")) depth++;
    if (syscall(SYS_getcwd, path, sizeof path) < 0) say(name(errno));
    for (; depth > 0 && !chdir("..") && !rmdir("d"); depth--) {
    }
    return depth ? 7 : 0;
}

static void tryAll(long number, int count, const long *values, int size) {
    long a[6] = {0};
    for (int at = 0; at < count; at++)
        for (int i = 0; i < size; i++)
            for (int j = 0; j < size; j++) {
                for (int k = 0; k < 6; k++) a[k] = values[(i + k) % size];
                a[at] = values[j];
                syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
            }
}

/* Sizes, counts and addresses that cannot be. */
static int sizes(void) {
    long huge[] = {-1, (long)(1UL << 63), 1L << 62, 1L << 47, 1L << 32, (1L << 31) - 1, -PAGE, 8};
    int fd = open("/tmp/file", O_RDWR | O_CREAT, 0600), zero = open("/dev/zero", O_RDWR), ends[2];
    int directory = open("/tmp", O_RDONLY), epoll = epoll_create1(0);
    if (pipe2(ends, O_NONBLOCK) || write(fd, "text", 4) != 4) return 1;
    int all[] = {fd, zero, ends[0], ends[1], directory, epoll};
    static long none[2];
    for (int i = 1; i < 65; i++) signal(i, SIG_IGN); /* children choose what they end with */
    char *buffer = mmap(0, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 6; j++) {
            long size = huge[i];
            long each[] = {SYS_read, SYS_getdents64, SYS_pread64};
            for (int k = 0; k < 3; k++) {
                syscall(each[k], all[j], buffer, size, size);
                syscall(each[k], all[j], size, size, size);
            }
            if (all[j] != fd) syscall(SYS_write, all[j], buffer, size);
            syscall(SYS_write, all[j], size, size);
            struct iovec two[] = {{buffer, size}, {buffer, size}};
            syscall(SYS_readv, all[j], two, 2);
            syscall(SYS_readv, all[j], buffer, size);
            syscall(SYS_writev, all[j], two, 2);
            syscall(SYS_writev, all[j], size, size);
            syscall(SYS_lseek, all[j], size, SEEK_SET);
            syscall(SYS_lseek, all[j], size, SEEK_END);
            syscall(SYS_pwrite64, all[j], "x", 1, size);
            syscall(SYS_epoll_wait, all[j], buffer, size, 0);
            syscall(SYS_mmap, 0, size, PROT_READ, MAP_PRIVATE, all[j], size & -PAGE);
        }
    for (int i = 0; i < 8; i++) {
        long size = huge[i];
        syscall(SYS_poll, buffer, size, 0);
        syscall(SYS_select, size, buffer, buffer, buffer, none);
        syscall(SYS_futex, buffer, 0, 1, size, size, size);
        syscall(SYS_futex, buffer, 1, size, size, size, size);
        syscall(SYS_futex, buffer, 3, size, size, buffer + 64, size);
        syscall(SYS_futex, size, 0, 0, 0, 0, 0);
        syscall(SYS_getcwd, buffer, size);
        syscall(SYS_readlink, "/proc/self/exe", buffer, size);
        syscall(SYS_getrandom, size, size, 0);
        syscall(SYS_getgroups, size, buffer);
        syscall(SYS_execve, "/proc/self/exe", size, size);
        syscall(SYS_ftruncate, fd, size);
        syscall(SYS_sched_getaffinity, 0, size, buffer);
        syscall(SYS_clone, size & ~0x4000L, size, size, size, size); /* no vfork, which may wait */
    }
    ftruncate(fd, 0);
    tryAll(SYS_mmap, 4, huge, 8);
    tryAll(SYS_mremap, 5, huge, 8);
    tryAll(SYS_mprotect, 2, huge, 8);
    tryAll(SYS_madvise, 2, huge, 8);
    tryAll(SYS_brk, 1, huge, 8);
    say("done");
    return 0;
}

int main(int count, char **arguments) {
    static const struct {
        const char *name;
        int (*run)(void);
    } all[] = {
        {"forks", forks}, {"memory", memory}, {"loop", loop}, {"pipes", pipes}, {"descriptors", descriptors},
        {"files", files}, {"names", names}, {"threads", threads}, {"scribble", scribble}, {"jumps", jumps},
        {"gates", gates}, {"closed", closed}, {"signals", signals}, {"calls", calls}, {"deep", deep},
        {"execs", execs}, {"links", links}, {"zombies", zombies}, {"sizes", sizes},
    };
    const char *sandboxed = getenv("HOSTILE");
    if (!sandboxed || strcmp(sandboxed, "yes")) return 2;
    if (count > 2) argument = arguments[2];
    state = strtoull(argument, 0, 0);
    for (size_t i = 0; count > 1 && i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i].name, arguments[1])) return all[i].run();
    return 99;
}
