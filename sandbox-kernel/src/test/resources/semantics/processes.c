/* Processes. */

CHECK(exit_status_has_eight_bits) {
    int codes[] = {0, 1, 7, 255, 256, 263, -1};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        pid_t pid;
        CHILD(pid) _exit(codes[i]);
        int status = waited(pid);
        want(WIFEXITED(status) && !WIFSIGNALED(status) && WEXITSTATUS(status) == (codes[i] & 255));
    }
}

CHECK(wait_finds_any_child) {
    pid_t one, two;
    int status;
    CHILD(one) _exit(1);
    CHILD(two) {
        nap(20);
        _exit(2);
    }
    pid_t first = wait(&status);
    want(first == one || first == two);
    want(WEXITSTATUS(status) == (first == one ? 1 : 2));
    want(waitpid(-1, &status, 0) == (first == one ? two : one));
    fails(ECHILD, waitpid(-1, &status, 0));
    fails(ECHILD, waitpid(-1, &status, WNOHANG));
}

CHECK(wait_without_waiting) {
    int ends[2], status = 77;
    char byte;
    pid_t pid;
    want(pipe(ends) == 0);
    CHILD(pid) {
        close(ends[1]);
        read(ends[0], &byte, 1);
        _exit(3);
    }
    want(waitpid(pid, &status, WNOHANG) == 0);
    want(waitpid(-1, &status, WNOHANG) == 0);
    close(ends[1]);
    pid_t got;
    eventually((got = waitpid(pid, &status, WNOHANG)) != 0);
    want(got == pid && status == 3 << 8);
}

CHECK(wait_is_for_children_only) {
    int status;
    fails(ECHILD, waitpid(getppid(), &status, 0));
    fails(ECHILD, waitpid(getpid(), &status, 0));
    fails(ECHILD, waitpid(-getpid(), &status, 0));
    fails(EINVAL, waitpid(-1, &status, 0x100));
    pid_t pid;
    CHILD(pid) _exit(0);
    exits(pid, 0);
    fails(ECHILD, waitpid(pid, &status, 0));
}

CHECK(waitid_can_leave_the_zombie) {
    pid_t pid;
    siginfo_t info;
    CHILD(pid) _exit(9);
    for (int i = 0; i < 2; i++) {
        memset(&info, 0, sizeof info);
        want(waitid(P_PID, pid, &info, WEXITED | WNOWAIT) == 0);
        want(info.si_signo == SIGCHLD && info.si_pid == pid && info.si_status == 9 && info.si_code == CLD_EXITED);
    }
    want(waitid(P_ALL, 0, &info, WEXITED) == 0);
    fails(ECHILD, waitid(P_ALL, 0, &info, WEXITED));
    CHILD(pid) pause();
    info.si_pid = 55;
    want(waitid(P_PID, pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0);
    kill(pid, SIGTERM);
    want(waitid(P_PID, pid, &info, WEXITED) == 0);
    want(info.si_code == CLD_KILLED && info.si_status == SIGTERM);
    fails(EINVAL, waitid(P_PID, pid, &info, 0));
}

CHECK(wait_for_a_group) {
    pid_t in, out;
    int status;
    CHILD(in) {
        setpgid(0, 0);
        nap(20);
        _exit(1);
    }
    setpgid(in, in);
    CHILD(out) _exit(2);
    want(waitpid(-in, &status, 0) == in && WEXITSTATUS(status) == 1);
    fails(ECHILD, waitpid(-in, &status, 0));
    want(waitpid(0, &status, 0) == out && WEXITSTATUS(status) == 2);
}

CHECK(wait_tells_what_was_used) {
    pid_t pid;
    struct rusage usage;
    int status;
    CHILD(pid) {
        while (clock() < CLOCKS_PER_SEC / 20) {
        }
    }
    want(wait4(pid, &status, 0, &usage) == pid && status == 0);
    want(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec * 1000000
             + usage.ru_stime.tv_usec >= 30000);
    struct rusage children;
    want(getrusage(RUSAGE_CHILDREN, &children) == 0);
    want(children.ru_utime.tv_usec + children.ru_stime.tv_usec >= 30000);
    struct tms ticks;
    want(times(&ticks) != -1 && ticks.tms_cutime + ticks.tms_cstime >= 3);
}

CHECK(orphans_get_another_parent) {
    int ends[2], pid;
    char byte = 0;
    want(pipe(ends) == 0);
    CHILD(pid) {
        pid_t parent = getpid(), grandchild;
        CHILD(grandchild) {
            eventually(getppid() != parent);
            write(ends[1], "x", 1);
        }
    }
    exits(pid, 0);
    want(read(ends[0], &byte, 1) == 1);
    int status;
    fails(ECHILD, waitpid(-1, &status, 0));
}

CHECK(process_groups) {
    want(getpgrp() == getpid() && getpgid(0) == getpid());
    want(getsid(0) >= 0); // 0: the session's leader is outside of this pid namespace
    pid_t pid, gone;
    CHILD(gone) _exit(0);
    exits(gone, 0);
    CHILD(pid) {
        nap(10000);
    }
    want(getpgid(pid) == getpid());
    want(setpgid(pid, pid) == 0 && getpgid(pid) == pid);
    want(setpgid(pid, getpid()) == 0 && getpgid(pid) == getpid());
    fails(EINVAL, setpgid(pid, -1));
    fails(EPERM, setpgid(pid, gone));
    end(pid);
    fails(ESRCH, getpgid(pid));
    fails(ESRCH, setpgid(getppid(), 0));
}

CHECK(sessions) {
    fails(EPERM, setsid());
    pid_t pid;
    CHILD(pid) {
        want(setsid() == getpid());
        want(getpgrp() == getpid() && getsid(0) == getpid());
        fails(EPERM, setpgid(0, 0));
    }
    exits(pid, 0);
}

CHECK(fork_copies_memory) {
    static int value = 1;
    int *heap = malloc(sizeof *heap), *mapped = (int *)memory(1), local = 1;
    *heap = *mapped = 1;
    pid_t pid;
    CHILD(pid) {
        want(value == 1 && *heap == 1 && *mapped == 1 && local == 1);
        value = *heap = *mapped = local = 2;
        _exit(value);
    }
    exits(pid, 2);
    want(value == 1 && *heap == 1 && *mapped == 1 && local == 1);
}

CHECK(fork_many_at_once) {
    pid_t pids[20];
    for (int i = 0; i < 20; i++)
        CHILD(pids[i]) {
            nap(10);
            _exit(i);
        }
    for (int i = 19; i >= 0; i--) exits(pids[i], i);
}

CHECK(fork_within_fork) {
    for (int level = 0; level < 6; level++) {
        pid_t pid = start();
        if (!pid) continue;
        exits(pid, level + 1);
        if (level) _exit(level);
        return;
    }
    _exit(6);
}

static volatile int borrowed;

CHECK(vfork_borrows_memory) {
    pid_t pid = vfork();
    if (!pid) {
        borrowed = 5;
        _exit(3);
    }
    want(pid > 0 && borrowed == 5);
    exits(pid, 3);
}

CHECK(vfork_suspends_the_parent) {
    long before = millis();
    pid_t pid = vfork();
    if (!pid) {
        struct timespec rest = {0, 50000000};
        nanosleep(&rest, 0);
        borrowed = 6;
        _exit(0);
    }
    want(borrowed == 6 && millis() - before >= 49);
    exits(pid, 0);
}

CHECK(vfork_lasts_until_exec) {
    int ends[2];
    want(pipe(ends) == 0);
    want(fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0);
    pid_t pid = vfork();
    if (!pid) {
        execl(self, self, "--child", "waits", number(ends[0]), NULL);
        _exit(99);
    }
    close(ends[1]);
    exits(pid, 12);
}

CHECK(vfork_child_fails_to_exec) {
    static volatile int error;
    pid_t pid = vfork();
    if (!pid) {
        execl("/no/such/program", "program", NULL);
        error = errno;
        _exit(127);
    }
    want(error == ENOENT);
    exits(pid, 127);
}

CHECK(spawn_of_nothing) {
    pid_t pid;
    char *words[] = {"program", NULL}, *none[] = {NULL};
    want(posix_spawn(&pid, "/no/such/program", 0, 0, words, none) == ENOENT);
    close(file("plain", "text"));
    want(posix_spawn(&pid, "plain", 0, 0, words, none) == EACCES);
    int status;
    fails(ECHILD, waitpid(-1, &status, 0));
}

CHECK(spawn_with_actions) {
    int ends[2];
    want(pipe(ends) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t mask = setOf(SIGUSR2);
    posix_spawnattr_setsigmask(&attributes, &mask);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    pid_t pid;
    char *words[] = {self, "--child", "echo", "one", NULL}, *environment[] = {"WORD=two", NULL};
    want(posix_spawn(&pid, self, &actions, &attributes, words, environment) == 0);
    close(ends[1]);
    char text[100];
    want(read(ends[0], text, sizeof text) == 10 && !memcmp(text, "one two 1\n", 10));
    want(read(ends[0], text, sizeof text) == 0);
    exits(pid, 0);
}

CHECK(exec_that_fails_leaves_all_as_it_was) {
    char *words[] = {"x", NULL}, *large[] = {"x", 0, NULL}, *none[] = {NULL};
    handle(SIGUSR1, 0);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    fails(ENOENT, execve("/no/such/program", words, none));
    fails(ENOENT, execve("", words, none));
    close(file("plain", "text"));
    fails(EACCES, execve("plain", words, none));
    fails(EACCES, execve("/", words, none));
    fails(ENOTDIR, execve("plain/x", words, none));
    want(chmod("plain", 0755) == 0);
    fails(ENOEXEC, execve("plain", words, none));
    close(file("empty", ""));
    want(chmod("empty", 0755) == 0);
    fails(ENOEXEC, execve("empty", words, none));
    close(file("script", "#!/no/such/interpreter\n"));
    want(chmod("script", 0755) == 0);
    fails(ENOENT, execve("script", words, none));
    large[1] = malloc(200001);
    memset(large[1], 'x', 200000);
    large[1][200000] = 0;
    fails(E2BIG, execve(self, large, none));
    fails(EFAULT, execve((char *)8, words, none));
    fails(EFAULT, execve(self, (char **)8, none));
    raise(SIGUSR1);
    want(calls == 1 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
}

CHECK(exec_passes_arguments_and_environment) {
    char *words[] = {"any name", "--child", "words", "", "two words", "\xc3\xa9", NULL};
    char *environment[] = {"A=1", "EMPTY=", "no equals sign", NULL};
    pid_t pid;
    CHILD(pid) execve(self, words, environment);
    exits(pid, 21);
}

CHECK(exec_takes_many_arguments) {
    char *words[1003] = {self, "--child", "count"};
    for (int i = 3; i < 1002; i++)
        words[i] = "more than a hundred kilobytes in all: some hundred bytes each, and a thousand of them, all alike";
    pid_t pid;
    CHILD(pid) execv(self, words);
    exits(pid, 1002 % 256);
}

CHECK(exec_keeps_what_belongs_to_the_process) {
    pid_t pid, group = getpgrp();
    umask(0027);
    want(mkdir("inner", 0755) == 0 && chdir("inner") == 0);
    struct rlimit limit = {77, 88};
    CHILD(pid) {
        want(setrlimit(RLIMIT_NOFILE, &limit) == 0);
        alarm(100);
        become("kept", number(getpid()), number(group), NULL);
    }
    exits(pid, 0);
}

CHECK(exec_resets_handlers_only) {
    pid_t pid;
    CHILD(pid) {
        stack_t stack = {.ss_sp = altStack, .ss_size = sizeof altStack};
        sigaltstack(&stack, 0);
        handle(SIGUSR1, 0);
        signal(SIGUSR2, SIG_IGN);
        block(SIGTERM);
        kill(getpid(), SIGTERM);
        become("signals", NULL);
    }
    exits(pid, 0);
}

CHECK(exec_runs_a_script) {
    char text[PATH_MAX + 100], *words[] = {"ignored", "one", NULL}, *none[] = {NULL};
    sprintf(text, "#!%s --script\nnothing else\n", self);
    close(file("script", text));
    want(chmod("script", 0755) == 0);
    pid_t pid;
    CHILD(pid) execve("./script", words, none);
    exits(pid, 31);
}

CHECK(exec_of_proc_self_exe) {
    pid_t pid;
    CHILD(pid) execl("/proc/self/exe", "again", "--child", "count", NULL);
    exits(pid, 3);
}

CHECK(exec_of_a_copy) {
    static char bytes[65536];
    int in = open(self, O_RDONLY), out = open("copy", O_WRONLY | O_CREAT | O_EXCL, 0700);
    want(in >= 0 && out >= 0);
    for (ssize_t size; (size = read(in, bytes, sizeof bytes)) > 0;) want(write(out, bytes, size) == size);
    close(out);
    pid_t pid;
    CHILD(pid) execl("copy", "copy", "--child", "count", "1", NULL);
    exits(pid, 4);
}

static void *execs(void *argument) {
    become("leads", number(getpid()), NULL);
    return 0;
}

static void *sleeps(void *argument) {
    for (;;) pause();
}

CHECK(exec_by_another_thread_keeps_the_pid) {
    pid_t pid;
    CHILD(pid) {
        thread(sleeps, 0);
        thread(execs, 0);
        for (;;) pause();
    }
    exits(pid, 0);
}
