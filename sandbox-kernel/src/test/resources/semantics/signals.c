/* ---- Signals ---- */

CHECK(blocked_signal_waits) {
    handle(SIGUSR1, 0);
    block(SIGUSR1);
    want(kill(getpid(), SIGUSR1) == 0);
    want(calls == 0 && pending(SIGUSR1) && !pending(SIGUSR2));
    unblock(SIGUSR1);
    want(calls == 1 && !pending(SIGUSR1));
}

CHECK(blocked_signals_do_not_interrupt) {
    handle(SIGUSR1, 0);
    block(SIGUSR1);
    kill(getpid(), SIGUSR1);
    struct timespec length = {0, 20000000};
    want(nanosleep(&length, 0) == 0);
    want(calls == 0);
}

CHECK(standard_signals_coalesce) {
    handle(SIGUSR1, 0);
    block(SIGUSR1);
    for (int i = 0; i < 5; i++) kill(getpid(), SIGUSR1);
    unblock(SIGUSR1);
    want(calls == 1);
}

static volatile int order[8], ordered;

static void inOrder(int signal, siginfo_t *info, void *context) {
    order[ordered++] = info->si_value.sival_int;
}

CHECK(realtime_signals_queue_in_order) {
    struct sigaction wanted = {.sa_sigaction = inOrder, .sa_flags = SA_SIGINFO};
    sigfillset(&wanted.sa_mask);
    int low = SIGRTMIN + 1, high = SIGRTMIN + 2;
    want(sigaction(low, &wanted, 0) == 0 && sigaction(high, &wanted, 0) == 0);
    sigset_t both = setOf(low);
    sigaddset(&both, high);
    want(sigprocmask(SIG_BLOCK, &both, 0) == 0);
    int signals[] = {high, low, low, high, low};
    for (int i = 0; i < 5; i++) want(sigqueue(getpid(), signals[i], (union sigval){.sival_int = i}) == 0);
    want(sigprocmask(SIG_UNBLOCK, &both, 0) == 0);
    want(ordered == 5);
    int expected[] = {1, 2, 4, 0, 3};
    for (int i = 0; i < 5; i++) want(order[i] == expected[i]);
}

CHECK(sigqueue_carries_a_value) {
    handle(SIGUSR2, 0);
    want(sigqueue(getpid(), SIGUSR2, (union sigval){.sival_ptr = (void *)0x123456789abc}) == 0);
    want(calls == 1 && last.si_signo == SIGUSR2 && last.si_code == SI_QUEUE);
    want(last.si_value.sival_ptr == (void *)0x123456789abc && last.si_pid == getpid());
}

CHECK(kill_tells_its_sender) {
    handle(SIGUSR1, 0);
    pid_t target = getpid(), pid;
    CHILD(pid) { want(kill(target, SIGUSR1) == 0); }
    exits(pid, 0);
    eventually(calls == 1);
    want(last.si_code == SI_USER && last.si_pid == pid && last.si_uid == getuid());
}

static volatile int own, other, depth, deepest;

static void whichAreBlocked(int signal) {
    own = blocked(SIGUSR1);
    other = blocked(SIGUSR2);
}

CHECK(handler_blocks_what_it_asked_for) {
    struct sigaction wanted = {.sa_handler = whichAreBlocked};
    sigemptyset(&wanted.sa_mask);
    sigaddset(&wanted.sa_mask, SIGUSR2);
    want(sigaction(SIGUSR1, &wanted, 0) == 0);
    raise(SIGUSR1);
    want(own == 1 && other == 1);
    want(!blocked(SIGUSR1) && !blocked(SIGUSR2));
}

static void again(int signal) {
    if (++depth > deepest) deepest = depth;
    if (calls++ < 2) raise(signal);
    depth--;
}

CHECK(handler_nests_only_with_nodefer) {
    struct sigaction wanted = {.sa_handler = again};
    want(sigaction(SIGUSR1, &wanted, 0) == 0);
    raise(SIGUSR1);
    want(calls == 3 && deepest == 1);
    wanted.sa_flags = SA_NODEFER;
    want(sigaction(SIGUSR1, &wanted, 0) == 0);
    calls = deepest = 0;
    raise(SIGUSR1);
    want(calls == 3 && deepest == 3);
}

CHECK(resethand_handles_once) {
    pid_t pid;
    CHILD(pid) {
        handle(SIGUSR1, SA_RESETHAND);
        raise(SIGUSR1);
        want(calls == 1);
        struct sigaction found;
        want(sigaction(SIGUSR1, 0, &found) == 0 && found.sa_handler == SIG_DFL);
        raise(SIGUSR1);
    }
    dies(pid, SIGUSR1);
}

CHECK(sigsuspend_changes_the_mask_meanwhile) {
    handle(SIGUSR1, 0);
    block(SIGUSR1);
    block(SIGUSR2);
    kill(getpid(), SIGUSR1);
    sigset_t others = setOf(SIGUSR2);
    fails(EINTR, sigsuspend(&others));
    want(calls == 1 && blocked(SIGUSR1) && blocked(SIGUSR2));
    pid_t pid = pestering(SIGUSR1);
    fails(EINTR, sigsuspend(&others));
    want(calls == 2);
    end(pid);
}

CHECK(sigaction_reads_back) {
    struct sigaction wanted = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK}, found;
    sigemptyset(&wanted.sa_mask);
    sigaddset(&wanted.sa_mask, SIGHUP);
    want(sigaction(SIGUSR1, &wanted, &found) == 0 && found.sa_handler == SIG_DFL);
    want(sigaction(SIGUSR1, 0, &found) == 0);
    int flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK | SA_NODEFER | SA_RESETHAND;
    want(found.sa_sigaction == note && (found.sa_flags & flags) == wanted.sa_flags);
    want(sigismember(&found.sa_mask, SIGHUP) && !sigismember(&found.sa_mask, SIGINT));
    fails(EINVAL, sigaction(SIGKILL, &wanted, 0));
    fails(EINVAL, sigaction(SIGSTOP, &wanted, 0));
    fails(EINVAL, sigaction(99, &wanted, 0));
}

CHECK(kill_and_stop_cannot_be_blocked) {
    sigset_t every;
    sigfillset(&every);
    want(sigprocmask(SIG_SETMASK, &every, 0) == 0);
    want(!blocked(SIGKILL) && !blocked(SIGSTOP) && blocked(SIGTERM));
    fails(EINVAL, syscall(SYS_rt_sigprocmask, 99, &every, 0, 8));
    fails(EINVAL, syscall(SYS_rt_sigprocmask, SIG_BLOCK, &every, 0, 4));
    fails(EFAULT, syscall(SYS_rt_sigprocmask, SIG_BLOCK, (void *)8, 0, 8));
}

CHECK(mask_is_inherited_and_pending_is_not) {
    handle(SIGUSR1, 0);
    block(SIGUSR1);
    kill(getpid(), SIGUSR1);
    pid_t pid;
    CHILD(pid) {
        want(blocked(SIGUSR1) && !pending(SIGUSR1));
        unblock(SIGUSR1);
        want(calls == 0);
        kill(getpid(), SIGUSR1);
        want(calls == 1);
    }
    exits(pid, 0);
    want(pending(SIGUSR1));
}

CHECK(default_actions) {
    int fatal[] = {SIGHUP, SIGINT, SIGUSR1, SIGTERM, SIGALRM, SIGPIPE, SIGABRT, SIGRTMIN + 3, SIGSYS};
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        pid_t pid;
        CHILD(pid) kill(getpid(), fatal[i]);
        dies(pid, fatal[i]);
    }
    int harmless[] = {SIGCHLD, SIGURG, SIGWINCH, SIGCONT};
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) want(kill(getpid(), harmless[i]) == 0);
}

CHECK(ignoring_drops_what_is_pending) {
    handle(SIGUSR1, 0);
    block(SIGUSR1);
    kill(getpid(), SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    want(!pending(SIGUSR1));
    handle(SIGUSR1, 0);
    unblock(SIGUSR1);
    want(calls == 0);
}

CHECK(sigchld_tells_of_an_exit) {
    handle(SIGCHLD, SA_RESTART);
    pid_t pid;
    CHILD(pid) _exit(5);
    exits(pid, 5);
    eventually(calls == 1);
    want(last.si_signo == SIGCHLD && last.si_pid == pid && last.si_status == 5 && last.si_code == CLD_EXITED);
}

CHECK(sigchld_tells_of_a_kill) {
    handle(SIGCHLD, SA_RESTART);
    pid_t pid;
    CHILD(pid) pause();
    want(kill(pid, SIGKILL) == 0);
    dies(pid, SIGKILL);
    eventually(calls == 1);
    want(last.si_pid == pid && last.si_status == SIGKILL && last.si_code == CLD_KILLED);
}

CHECK(ignored_sigchld_reaps) {
    signal(SIGCHLD, SIG_IGN);
    pid_t pid;
    int status;
    CHILD(pid) nap(20);
    fails(ECHILD, waitpid(pid, &status, 0));
    eventually(kill(pid, 0) == -1 && errno == ESRCH);
}

CHECK(nocldwait_reaps) {
    handle(SIGCHLD, SA_NOCLDWAIT | SA_RESTART);
    pid_t pid;
    int status;
    CHILD(pid) _exit(3);
    fails(ECHILD, waitpid(pid, &status, 0));
    eventually(calls == 1);
    want(last.si_status == 3);
}

CHECK(sigtimedwait_takes_and_gives_up) {
    handle(SIGUSR1, 0);
    block(SIGUSR1);
    sigset_t set = setOf(SIGUSR1);
    siginfo_t info;
    struct timespec brief = {0, 20000000}, none = {0, 0};
    long before = millis();
    fails(EAGAIN, sigtimedwait(&set, &info, &brief));
    want(millis() - before >= 19);
    fails(EAGAIN, sigtimedwait(&set, &info, &none));
    kill(getpid(), SIGUSR1);
    want(sigtimedwait(&set, &info, &brief) == SIGUSR1 && info.si_signo == SIGUSR1 && info.si_code == SI_USER);
    want(!pending(SIGUSR1) && calls == 0);
}

CHECK(sigwaitinfo_waits) {
    block(SIGUSR1);
    sigset_t set = setOf(SIGUSR1);
    siginfo_t info;
    pid_t target = getpid(), pid;
    CHILD(pid) {
        nap(20);
        want(sigqueue(target, SIGUSR1, (union sigval){.sival_int = 42}) == 0);
    }
    want(sigwaitinfo(&set, &info) == SIGUSR1);
    want(info.si_pid == pid && info.si_value.sival_int == 42);
    exits(pid, 0);
    handle(SIGUSR2, SA_RESTART);
    pid = pestering(SIGUSR2);
    fails(EINTR, syscall(SYS_rt_sigtimedwait, &set, &info, 0, 8));
    end(pid);
}

CHECK(siglongjmp_restores_the_mask) {
    action(SIGUSR1, jump, 0);
    for (volatile int i = 0; i < 3; i++)
        if (!sigsetjmp(back, 1)) raise(SIGUSR1);
        else want(!blocked(SIGUSR1));
}

/* ---- Sending ---- */

CHECK(kill_of_a_reader) {
    int ends[2];
    char byte;
    pid_t pid;
    want(pipe(ends) == 0);
    CHILD(pid) read(ends[0], &byte, 1);
    nap(20);
    want(kill(pid, SIGKILL) == 0);
    dies(pid, SIGKILL);
}

CHECK(kill_of_an_endless_loop) {
    pid_t pid;
    int ends[2];
    char byte;
    want(pipe(ends) == 0);
    CHILD(pid) {
        write(ends[1], "x", 1);
        for (;;) asm volatile("");
    }
    want(read(ends[0], &byte, 1) == 1);
    want(kill(pid, SIGKILL) == 0);
    dies(pid, SIGKILL);
}

CHECK(handler_interrupts_an_endless_loop) {
    handle(SIGUSR1, 0);
    pid_t pid = pestering(SIGUSR1);
    while (calls < 3) asm volatile("");
    end(pid);
}

CHECK(kill_with_no_signal_asks) {
    pid_t pid;
    CHILD(pid) pause();
    want(kill(pid, 0) == 0 && kill(getpid(), 0) == 0);
    end(pid);
    fails(ESRCH, kill(pid, 0));
    fails(ESRCH, kill(pid, SIGTERM));
    fails(EINVAL, kill(getpid(), 65));
    fails(EINVAL, kill(getpid(), -1));
}

CHECK(kill_of_a_zombie_succeeds) {
    pid_t pid;
    siginfo_t info;
    CHILD(pid) _exit(4);
    want(waitid(P_PID, pid, &info, WEXITED | WNOWAIT) == 0);
    want(kill(pid, 0) == 0 && kill(pid, SIGKILL) == 0);
    exits(pid, 4);
}

CHECK(kill_of_a_group) {
    pid_t first, second;
    CHILD(first) {
        setpgid(0, 0);
        for (;;) pause();
    }
    setpgid(first, first);
    CHILD(second) {
        setpgid(0, first);
        for (;;) pause();
    }
    setpgid(second, first);
    want(kill(-first, SIGTERM) == 0);
    dies(first, SIGTERM);
    dies(second, SIGTERM);
    fails(ESRCH, kill(-first, 0));
}

CHECK(kill_of_the_own_group) {
    pid_t pid, leader;
    CHILD(leader) {
        want(setpgid(0, 0) == 0);
        CHILD(pid) for (;;) pause();
        handle(SIGUSR1, 0);
        want(kill(0, SIGUSR1) == 0);
        want(calls == 1);
        want(killpg(getpgrp(), 0) == 0);
        dies(pid, SIGUSR1);
    }
    exits(leader, 0);
}

CHECK(tgkill_finds_a_thread) {
    handle(SIGUSR1, 0);
    want(syscall(SYS_tgkill, getpid(), tid(), SIGUSR1) == 0);
    want(calls == 1 && last.si_code == SI_TKILL && last.si_pid == getpid());
    want(syscall(SYS_tkill, tid(), SIGUSR1) == 0 && calls == 2);
    fails(ESRCH, syscall(SYS_tgkill, getppid(), tid(), SIGUSR1));
    fails(EINVAL, syscall(SYS_tgkill, 0, tid(), SIGUSR1));
    fails(EINVAL, syscall(SYS_tgkill, getpid(), -1, SIGUSR1));
    want(syscall(SYS_tgkill, getpid(), tid(), 0) == 0);
}

CHECK(alarm_rings) {
    handle(SIGALRM, 0);
    want(alarm(100) == 0);
    unsigned left = alarm(1);
    want(left == 100 || left == 99);
    pid_t pid;
    CHILD(pid) { want(alarm(0) == 0); }
    exits(pid, 0);
    long before = millis();
    if (!calls) pause();
    want(calls == 1 && millis() - before <= 4000);
    want(alarm(0) == 0);
}

CHECK(timer_repeats) {
    handle(SIGALRM, 0);
    struct itimerval every = {{0, 10000}, {0, 10000}}, found;
    long before = millis();
    want(setitimer(ITIMER_REAL, &every, 0) == 0);
    while (calls < 4) pause();
    want(millis() - before >= 39);
    want(last.si_signo == SIGALRM && last.si_code == SI_KERNEL);
    want(getitimer(ITIMER_REAL, &found) == 0 && found.it_interval.tv_usec == 10000);
    struct itimerval none = {{0, 0}, {0, 0}};
    want(setitimer(ITIMER_REAL, &none, &found) == 0 && found.it_interval.tv_usec == 10000);
    int then = calls;
    nap(30);
    want(calls == then);
    fails(EINVAL, setitimer(99, &every, 0));
}

CHECK(timer_interrupts_an_endless_loop) {
    handle(SIGALRM, 0);
    struct itimerval once = {{0, 0}, {0, 20000}};
    want(setitimer(ITIMER_REAL, &once, 0) == 0);
    while (!calls) asm volatile("");
    nap(30);
    want(calls == 1);
}
