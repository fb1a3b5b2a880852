/* Threads and futexes. */

enum { WAIT = 0, WAKE = 1, REQUEUE = 3, CMP_REQUEUE = 4, WAIT_BITSET = 9, WAKE_BITSET = 10, OWN = 128, REALTIME = 256 };

static long futex(volatile int *word, int operation, int value, const void *fourth, volatile int *second, int third) {
    return syscall(SYS_futex, word, operation, value, fourth, second, third);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static volatile int counter, turn;

static void *increments(void *argument) {
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&mutex);
        counter = counter + 1;
        pthread_mutex_unlock(&mutex);
    }
    return argument;
}

CHECK(mutex_excludes) {
    pthread_t threads[4];
    for (long i = 0; i < 4; i++) threads[i] = thread(increments, (void *)i);
    for (long i = 0; i < 4; i++) want(join(threads[i]) == (void *)i);
    want(counter == 8000);
}

static void *takesTurns(void *argument) {
    int mine = (int)(long)argument;
    for (int i = 0; i < 200; i++) {
        pthread_mutex_lock(&mutex);
        while (turn != mine) pthread_cond_wait(&condition, &mutex);
        turn = !mine;
        counter++;
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&mutex);
    }
    return 0;
}

CHECK(condition_hands_over) {
    pthread_t one = thread(takesTurns, 0), two = thread(takesTurns, (void *)1);
    join(one);
    join(two);
    want(counter == 400 && turn == 0);
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_nsec += 20000000;
    if (limit.tv_nsec >= 1000000000) {
        limit.tv_nsec -= 1000000000;
        limit.tv_sec++;
    }
    pthread_mutex_lock(&mutex);
    want(pthread_cond_timedwait(&condition, &mutex, &limit) == ETIMEDOUT);
}

static void *locks(void *which) {
    want(pthread_mutex_lock(which) == 0);
    return 0;
}

CHECK(robust_mutex_tells_that_its_owner_died) {
    pthread_mutex_t *robust = (pthread_mutex_t *)shared(1);
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    want(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    want(pthread_mutex_init(robust, &attributes) == 0);
    join(thread(locks, robust));
    want(pthread_mutex_lock(robust) == EOWNERDEAD);
    want(pthread_mutex_consistent(robust) == 0 && pthread_mutex_unlock(robust) == 0);
    pid_t pid;
    CHILD(pid) {
        want(pthread_mutex_lock(robust) == 0);
        kill(getpid(), SIGKILL);
    }
    int error = pthread_mutex_lock(robust);
    if (!error) { /* before the child: it has it afterwards */
        want(pthread_mutex_unlock(robust) == 0);
        dies(pid, SIGKILL);
        error = pthread_mutex_lock(robust);
    } else {
        dies(pid, SIGKILL);
    }
    want(error == EOWNERDEAD);
}

CHECK(futex_wait_compares) {
    static volatile int word = 5;
    fails(EAGAIN, futex(&word, WAIT, 4, 0, 0, 0));
    fails(EAGAIN, futex(&word, WAIT | OWN, 4, 0, 0, 0));
    fails(EFAULT, futex((int *)8, WAIT, 4, 0, 0, 0));
    fails(EINVAL, futex((int *)((char *)&word + 1), WAIT, 4, 0, 0, 0));
    fails(ENOSYS, futex(&word, 77, 4, 0, 0, 0));
    want(futex(&word, WAKE, 1, 0, 0, 0) == 0);
}

CHECK(futex_wait_gives_up) {
    static volatile int word;
    struct timespec brief = {0, 20000000}, odd = {0, 2000000000}, until;
    long before = millis();
    fails(ETIMEDOUT, futex(&word, WAIT | OWN, 0, &brief, 0, 0));
    want(millis() - before >= 19);
    fails(EINVAL, futex(&word, WAIT | OWN, 0, &odd, 0, 0));
    clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME};
    for (int i = 0; i < 2; i++) {
        clock_gettime(clocks[i], &until);
        until.tv_nsec += 20000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        before = millis();
        fails(ETIMEDOUT, futex(&word, WAIT_BITSET | OWN | (i ? REALTIME : 0), 0, &until, 0, -1));
        want(millis() - before >= 18);
    }
    until.tv_sec = 1;
    fails(ETIMEDOUT, futex(&word, WAIT_BITSET | OWN | REALTIME, 0, &until, 0, -1));
}

static volatile int words[4], woken;

static void *waits(void *flags) {
    while (futex(&words[0], WAIT | (int)(long)flags, 0, 0, 0, 0) == -1 && errno == EINTR) {
    }
    __sync_fetch_and_add(&woken, 1);
    return 0;
}

/* Waits until so many are asleep on words[0], and moves them to another word. */
static void moved(int count, volatile int *to, int flags) {
    int have = 0;
    eventually((have += futex(&words[0], CMP_REQUEUE | flags, 0, (void *)100, to, 0)) == count);
}

CHECK(futex_wake_counts) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = thread(waits, (void *)OWN);
    moved(4, &words[1], OWN);
    want(futex(&words[0], WAKE | OWN, 10, 0, 0, 0) == 0);
    want(futex(&words[1], WAKE | OWN, 1, 0, 0, 0) == 1);
    eventually(woken == 1);
    want(futex(&words[1], WAKE | OWN, 2, 0, 0, 0) == 2);
    eventually(woken == 3);
    want(futex(&words[1], WAKE | OWN, INT_MAX, 0, 0, 0) == 1);
    for (int i = 0; i < 4; i++) join(threads[i]);
}

CHECK(futex_requeue_wakes_and_moves) {
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) threads[i] = thread(waits, (void *)OWN);
    moved(3, &words[1], OWN);
    fails(EAGAIN, futex(&words[1], CMP_REQUEUE | OWN, 1, (void *)1, &words[2], 5));
    want(futex(&words[1], REQUEUE | OWN, 1, (void *)1, &words[2], 0) == 2);
    eventually(woken == 1);
    want(futex(&words[2], WAKE | OWN, 10, 0, 0, 0) == 1);
    want(futex(&words[1], WAKE | OWN, 10, 0, 0, 0) == 1);
    for (int i = 0; i < 3; i++) join(threads[i]);
}

static void *waitsForBits(void *bits) {
    while (futex(&words[0], WAIT_BITSET | OWN, 0, 0, 0, (int)(long)bits) == -1 && errno == EINTR) {
    }
    woken |= (int)(long)bits;
    return 0;
}

CHECK(futex_bits_select) {
    pthread_t one = thread(waitsForBits, (void *)1), two = thread(waitsForBits, (void *)2);
    moved(2, &words[1], OWN);
    want(futex(&words[1], WAKE_BITSET | OWN, 10, 0, 0, 4) == 0);
    want(futex(&words[1], WAKE_BITSET | OWN, 10, 0, 0, 2 | 4) == 1);
    join(two);
    want(woken == 2);
    want(futex(&words[1], WAKE | OWN, 10, 0, 0, 0) == 1);
    join(one);
    fails(EINVAL, futex(&words[1], WAKE_BITSET | OWN, 10, 0, 0, 0));
    fails(EINVAL, futex(&words[1], WAIT_BITSET | OWN, 0, 0, 0, 0));
}

CHECK(futex_of_shared_memory_is_shared) {
    volatile int *word = (int *)shared(1);
    pid_t pid;
    CHILD(pid) { want(futex(word, WAIT, 0, 0, 0, 0) == 0); }
    eventually(futex(word, WAKE, 1, 0, 0, 0) == 1);
    exits(pid, 0);
}

CHECK(futex_of_private_memory_is_not_shared) {
    volatile int *both = (int *)shared(1), *apart = (int *)memory(1);
    *apart = 0;
    struct timespec brief = {0, 60000000};
    pid_t pid;
    CHILD(pid) {
        fails(ETIMEDOUT, futex(both, WAIT | OWN, 0, &brief, 0, 0));
        fails(ETIMEDOUT, futex(apart, WAIT, 0, &brief, 0, 0));
    }
    int status;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        want(futex(both, WAKE | OWN, 1, 0, 0, 0) == 0);
        want(futex(apart, WAKE, 1, 0, 0, 0) == 0);
        nap(1);
    }
    want(status == 0);
}

static void *waitsShared(void *word) {
    want(futex(word, WAIT, 0, 0, 0, 0) == 0);
    return 0;
}

CHECK(futex_of_a_file_is_known_by_the_file) {
    int fd = file("f", "");
    want(ftruncate(fd, PAGE) == 0);
    void *one = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    void *two = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    want(one != two);
    pthread_t waiter = thread(waitsShared, (int *)one + 5);
    eventually(futex((int *)two + 5, WAKE, 1, 0, 0, 0) == 1);
    join(waiter);
}

static __thread int ownValue = 5;
static volatile pid_t threadTid, threadPid;

static void *identifies(void *argument) {
    threadTid = tid();
    threadPid = getpid();
    ownValue += 1;
    return (void *)(long)ownValue;
}

CHECK(thread_has_its_own_id_and_variables) {
    want(tid() == getpid());
    want(join(thread(identifies, 0)) == (void *)6);
    want(threadPid == getpid() && threadTid != getpid() && ownValue == 5);
    want(syscall(SYS_set_tid_address, &words[0]) == tid());
    eventually(syscall(SYS_tgkill, getpid(), threadTid, 0) == -1 && errno == ESRCH);
}

static void *nothing(void *argument) { return argument; }

CHECK(threads_come_and_go) {
    for (long i = 0; i < 100; i++) want(join(thread(nothing, (void *)i)) == (void *)i);
    pthread_t threads[30];
    for (long i = 0; i < 30; i++) threads[i] = thread(nothing, (void *)i);
    for (long i = 0; i < 30; i++) join(threads[i]);
}

static void *endsAll(void *status) {
    nap(20);
    exit((int)(long)status);
}

static void *endsItself(void *argument) {
    syscall(SYS_exit, 9);
    return 0;
}

CHECK(exit_of_a_thread_and_of_all) {
    pid_t pid;
    CHILD(pid) {
        thread(endsAll, (void *)17);
        for (;;) pause();
    }
    exits(pid, 17);
    CHILD(pid) {
        thread(endsItself, 0);
        nap(20);
        _exit(18);
    }
    exits(pid, 18);
    CHILD(pid) {
        thread(endsAll, (void *)19);
        pthread_exit(0);
    }
    exits(pid, 19);
    CHILD(pid) {
        thread(sleeps, 0);
        exit(20);
    }
    exits(pid, 20);
}

static void *faultsHere(void *argument) {
    *(volatile int *)8 = 1;
    return 0;
}

CHECK(fault_of_a_thread_ends_all) {
    pid_t pid;
    CHILD(pid) {
        thread(sleeps, 0);
        thread(faultsHere, 0);
        for (;;) pause();
    }
    dies(pid, SIGSEGV);
    CHILD(pid) {
        for (int i = 0; i < 5; i++) thread(sleeps, 0);
        for (;;) asm volatile("");
    }
    nap(20);
    end(pid);
}

static void *unblocks(void *signal) {
    threadTid = tid();
    unblock((int)(long)signal);
    while (!calls) nap(1);
    return 0;
}

CHECK(signal_goes_to_a_thread_that_takes_it) {
    handle(SIGUSR1, 0);
    block(SIGUSR1);
    pthread_t which = thread(unblocks, (void *)SIGUSR1);
    want(kill(getpid(), SIGUSR1) == 0);
    join(which);
    want(calls == 1 && taker == threadTid && threadTid != getpid() && blocked(SIGUSR1));
}

static volatile int stop;

static void *untilStopped(void *argument) {
    threadTid = tid();
    while (!stop) nap(1);
    return 0;
}

CHECK(signal_to_a_thread_is_for_it) {
    handle(SIGUSR1, 0);
    pthread_t which = thread(untilStopped, 0);
    eventually(threadTid != 0);
    want(pthread_kill(which, SIGUSR1) == 0);
    eventually(calls == 1);
    want(taker == threadTid);
    block(SIGUSR1);
    want(syscall(SYS_tgkill, getpid(), tid(), SIGUSR1) == 0);
    nap(10);
    want(calls == 1 && pending(SIGUSR1));
    unblock(SIGUSR1);
    want(calls == 2 && taker == getpid());
    stop = 1;
    join(which);
}

static void *inLoop(void *argument) {
    threadTid = tid();
    while (!calls) asm volatile("");
    return 0;
}

CHECK(signal_reaches_a_thread_in_a_loop) {
    handle(SIGURG, SA_RESTART);
    pthread_t which = thread(inLoop, 0);
    eventually(threadTid != 0);
    want(syscall(SYS_tgkill, getpid(), threadTid, SIGURG) == 0);
    join(which);
    want(taker == threadTid);
}

static void *reads(void *fd) {
    char byte;
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, 0);
    read((int)(long)fd, &byte, 1);
    return 0;
}

CHECK(thread_is_cancelled_in_a_read) {
    int ends[2];
    want(pipe(ends) == 0);
    pthread_t which = thread(reads, (void *)(long)ends[0]);
    nap(20);
    want(pthread_cancel(which) == 0);
    want(join(which) == PTHREAD_CANCELED);
}

static void *changesAll(void *fd) {
    want(close((int)(long)fd) == 0);
    want(chdir("inner") == 0);
    umask(0077);
    return 0;
}

CHECK(threads_share_descriptors_directory_and_umask) {
    int fd = open("/dev/null", O_RDONLY);
    want(mkdir("inner", 0755) == 0);
    join(thread(changesAll, (void *)(long)fd));
    fails(EBADF, fcntl(fd, F_GETFD));
    char path[PATH_MAX];
    want(getcwd(path, sizeof path) && strstr(path, "/inner"));
    want(umask(0) == 0077);
}

CHECK(fork_takes_one_thread_along) {
    pthread_t which = thread(untilStopped, 0);
    eventually(threadTid != 0);
    pid_t pid;
    CHILD(pid) {
        want(tid() == getpid());
        want(syscall(SYS_tgkill, getpid(), threadTid, 0) == -1);
        join(thread(nothing, 0));
    }
    exits(pid, 0);
    stop = 1;
    join(which);
}

static void *forks(void *argument) {
    pid_t pid;
    CHILD(pid) _exit(6);
    exits(pid, 6);
    return 0;
}

CHECK(threads_fork_at_once) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = thread(forks, 0);
    for (int i = 0; i < 4; i++) join(threads[i]);
}

static volatile pid_t forkedByThread;

static void *forksOnly(void *argument) {
    CHILD(forkedByThread) _exit(6);
    return 0;
}

CHECK(child_of_a_thread_is_a_child_of_all) {
    join(thread(forksOnly, 0));
    exits(forkedByThread, 6);
}

/* What is done up to 200 times, but not for longer than this many milliseconds. */
#define REPEATED for (long until_ = millis() + 1200, round = 0; round < 200 && millis() < until_; round++)

static void *waitsForEver(void *argument) {
    for (;;) pause();
}

static void *makesThreads(void *argument) {
    pthread_attr_t small;
    pthread_t made;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 4 * PAGE);
    while (counter < 40 && !pthread_create(&made, &small, waitsForEver, 0)) __sync_fetch_and_add(&counter, 1);
    return 0;
}

CHECK(process_ends_while_threads_are_made) {
    REPEATED {
        pid_t pid;
        CHILD(pid) {
            thread(makesThreads, 0);
            thread(makesThreads, 0);
            while (counter < 1 + round % 4) asm volatile("");
            _exit(7);
        }
        exits(pid, 7);
    }
}

CHECK(exec_while_threads_are_made) {
    REPEATED {
        pid_t pid;
        CHILD(pid) {
            thread(makesThreads, 0);
            thread(makesThreads, 0);
            while (counter < 1 + round % 4) asm volatile("");
            become("count", 0);
        }
        exits(pid, 3);
    }
}

static void *becomesAnother(void *argument) {
    __sync_fetch_and_add(&counter, 1);
    while (counter < 3) asm volatile("");
    execl(self, self, "--child", "count", (char *)0);
    return 0;
}

CHECK(threads_exec_at_once) {
    REPEATED {
        pid_t pid;
        CHILD(pid) {
            thread(becomesAnother, 0);
            thread(becomesAnother, 0);
            becomesAnother(0);
            for (;;) pause();
        }
        exits(pid, 3);
    }
}

static int asleep(pid_t which) {
    char path[60], text[300] = "";
    sprintf(path, "/proc/self/task/%d/stat", which);
    int fd = open(path, O_RDONLY);
    if (fd < 0) return 0;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    char *name = strrchr(text, ')');
    return size > 0 && name && name[2] == 'S';
}

static struct flock toEnd(int type) { return (struct flock){.l_type = type, .l_whence = SEEK_SET}; }

static void *locksAll(void *fd) {
    threadTid = tid();
    flock((int)(long)fd, LOCK_EX);
    return 0;
}

static void *locksOfFile(void *fd) {
    struct flock all = toEnd(F_WRLCK);
    threadTid = tid();
    fcntl((int)(long)fd, F_OFD_SETLKW, &all);
    return 0;
}

static void *locksOfProcess(void *fd) {
    struct flock all = toEnd(F_WRLCK);
    threadTid = tid();
    fcntl((int)(long)fd, F_SETLKW, &all);
    return 0;
}

/* A thread waits to lock a file, which another one closes. */
static pthread_t waitsToLock(void *(*locks)(void *)) {
    int fd = open("locked", O_RDWR);
    threadTid = 0;
    pthread_t which = thread(locks, (void *)(long)fd);
    eventually(threadTid != 0 && asleep(threadTid));
    close(fd);
    return which;
}

CHECK(lock_ends_with_a_file_that_was_closed_meanwhile) {
    int holder = file("locked", "text");
    struct flock all = toEnd(F_WRLCK), none = toEnd(F_UNLCK);
    want(flock(holder, LOCK_EX) == 0 && fcntl(holder, F_OFD_SETLK, &all) == 0);
    pthread_t one = waitsToLock(locksAll), two = waitsToLock(locksOfFile);
    want(flock(holder, LOCK_UN) == 0 && fcntl(holder, F_OFD_SETLK, &none) == 0);
    join(one);
    join(two);
    want(flock(holder, LOCK_EX | LOCK_NB) == 0 && fcntl(holder, F_OFD_SETLK, &all) == 0);
}

CHECK(lock_of_a_process_ends_with_a_descriptor_that_was_closed_meanwhile) {
    int there[2], back[2];
    char byte;
    want(pipe(there) == 0 && pipe(back) == 0);
    close(file("locked", "text"));
    pid_t pid;
    CHILD(pid) {
        int holder = open("locked", O_RDWR);
        struct flock all = toEnd(F_WRLCK), none = toEnd(F_UNLCK);
        want(fcntl(holder, F_SETLK, &all) == 0 && write(back[1], "x", 1) == 1);
        want(read(there[0], &byte, 1) == 1);
        want(fcntl(holder, F_SETLK, &none) == 0 && write(back[1], "x", 1) == 1);
        want(read(there[0], &byte, 1) == 1);
        want(fcntl(holder, F_SETLK, &all) == 0);
    }
    want(read(back[0], &byte, 1) == 1);
    pthread_t which = waitsToLock(locksOfProcess);
    want(write(there[1], "x", 1) == 1 && read(back[0], &byte, 1) == 1);
    join(which);
    want(write(there[1], "x", 1) == 1);
    exits(pid, 0);
}
