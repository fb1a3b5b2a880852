/* ---- Pipes and FIFOs ---- */

CHECK(pipe_holds_64_kilobytes) {
    int ends[2];
    static char page[PAGE];
    want(pipe2(ends, O_NONBLOCK) == 0);
    fails(EAGAIN, read(ends[0], page, 1));
    for (int i = 0; i < 16; i++) want(write(ends[1], page, PAGE) == PAGE);
    fails(EAGAIN, write(ends[1], page, 1));
    int queued;
    want(ioctl(ends[0], FIONREAD, &queued) == 0 && queued == 65536);
    want(read(ends[0], page, PAGE) == PAGE);
    want(write(ends[1], page, PAGE) == PAGE);
    fails(EAGAIN, write(ends[1], page, PAGE));
}

CHECK(pipe_takes_part_of_what_is_large) {
    int ends[2];
    static char large[100000];
    want(pipe2(ends, O_NONBLOCK) == 0);
    want(write(ends[1], large, sizeof large) == 65536);
    want(read(ends[0], large, sizeof large) == 65536);
    want(write(ends[1], large, 15 * PAGE) == 15 * PAGE);
    want(write(ends[1], large, 2 * PAGE) == PAGE);
}

CHECK(pipe_takes_small_writes_whole_or_not) {
    int ends[2];
    static char large[65536];
    want(pipe2(ends, O_NONBLOCK) == 0);
    want(write(ends[1], large, 15 * PAGE) == 15 * PAGE);
    want(write(ends[1], large, 100) == 100);
    fails(EAGAIN, write(ends[1], large, PAGE));
    want(write(ends[1], large, PAGE - 100) == PAGE - 100);
}

CHECK(pipe_writes_of_a_page_do_not_mix) {
    int ends[2];
    static char page[PAGE];
    want(pipe(ends) == 0);
    pid_t pids[3];
    for (int i = 0; i < 3; i++)
        CHILD(pids[i]) {
            memset(page, 'a' + i, PAGE);
            for (int j = 0; j < 60; j++) want(write(ends[1], page, PAGE) == PAGE);
        }
    close(ends[1]);
    int blocks = 0;
    for (size_t have = 0;;) {
        ssize_t size = read(ends[0], page + have, PAGE - have);
        want(size >= 0);
        if (!size) break;
        have += size;
        if (have < PAGE) continue;
        want(all(page, page[0], PAGE));
        blocks++;
        have = 0;
    }
    want(blocks == 180);
    for (int i = 0; i < 3; i++) exits(pids[i], 0);
}

CHECK(pipe_ends_with_its_last_writer) {
    int ends[2];
    char text[10];
    want(pipe(ends) == 0);
    int copy = dup(ends[1]);
    pid_t pid;
    CHILD(pid) {
        close(copy);
        nap(20);
        want(write(ends[1], "late", 4) == 4);
    }
    close(ends[1]);
    close(copy);
    want(read(ends[0], text, 10) == 4);
    want(read(ends[0], text, 10) == 0);
    want(read(ends[0], text, 10) == 0);
    exits(pid, 0);
}

CHECK(pipe_without_a_reader_is_broken) {
    int ends[2];
    want(pipe(ends) == 0);
    close(ends[0]);
    pid_t pid;
    CHILD(pid) write(ends[1], "x", 1);
    dies(pid, SIGPIPE);
    handle(SIGPIPE, 0);
    fails(EPIPE, write(ends[1], "x", 1));
    want(calls == 1);
    signal(SIGPIPE, SIG_IGN);
    fails(EPIPE, write(ends[1], "x", 1));
}

CHECK(pipe_breaks_under_a_blocked_writer) {
    int ends[2];
    static char large[200000];
    want(pipe(ends) == 0);
    pid_t pid;
    CHILD(pid) {
        close(ends[0]);
        signal(SIGPIPE, SIG_IGN);
        want(write(ends[1], large, 65536) == 65536);
        fails(EPIPE, write(ends[1], large, 1));
    }
    int queued;
    eventually(ioctl(ends[0], FIONREAD, &queued) == 0 && queued == 65536);
    nap(20);
    close(ends[0]);
    exits(pid, 0);
}

CHECK(pipe_writer_waits_for_room) {
    int ends[2];
    static char large[300000], got[300000];
    want(pipe(ends) == 0);
    for (size_t i = 0; i < sizeof large; i++) large[i] = i * 7 + i / 1000;
    pid_t pid;
    CHILD(pid) { want(write(ends[1], large, sizeof large) == sizeof large); }
    close(ends[1]);
    size_t have = 0;
    for (ssize_t size; (size = read(ends[0], got + have, 7777)) > 0; have += size) {
    }
    want(have == sizeof large && !memcmp(large, got, have));
    exits(pid, 0);
}

CHECK(pipe_ends_have_a_direction) {
    int ends[2];
    char byte;
    struct stat status;
    want(pipe(ends) == 0);
    fails(EBADF, write(ends[0], "x", 1));
    fails(EBADF, read(ends[1], &byte, 1));
    fails(ESPIPE, lseek(ends[0], 0, SEEK_SET));
    fails(ESPIPE, pread(ends[0], &byte, 1, 0));
    fails(EINVAL, pipe2(ends, 1));
    fails(EFAULT, pipe((int *)8));
    want(fstat(ends[0], &status) == 0 && S_ISFIFO(status.st_mode));
    want((fcntl(ends[1], F_GETFL) & O_ACCMODE) == O_WRONLY);
}

CHECK(fifo_waits_for_its_peer) {
    char text[10];
    struct stat status;
    want(mkfifo("fifo", 0600) == 0);
    want(stat("fifo", &status) == 0 && S_ISFIFO(status.st_mode));
    fails(EEXIST, mkfifo("fifo", 0600));
    pid_t pid;
    CHILD(pid) {
        nap(30);
        close(file("late", ""));
        int fd = open("fifo", O_WRONLY);
        want(write(fd, "through", 7) == 7);
    }
    int fd = open("fifo", O_RDONLY);
    want(fd >= 0 && access("late", F_OK) == 0);
    want(read(fd, text, 10) == 7 && !memcmp(text, "through", 7));
    want(read(fd, text, 10) == 0);
    exits(pid, 0);
    CHILD(pid) { want(open("fifo", O_RDONLY) >= 0); }
    close(fd);
    want(open("fifo", O_WRONLY) >= 0);
    exits(pid, 0);
}

CHECK(fifo_opened_without_waiting) {
    char byte;
    want(mkfifo("fifo", 0600) == 0);
    fails(ENXIO, open("fifo", O_WRONLY | O_NONBLOCK));
    int reader = open("fifo", O_RDONLY | O_NONBLOCK);
    want(reader >= 0 && read(reader, &byte, 1) == 0);
    int writer = open("fifo", O_WRONLY | O_NONBLOCK);
    want(writer >= 0);
    fails(EAGAIN, read(reader, &byte, 1));
    want(write(writer, "x", 1) == 1 && read(reader, &byte, 1) == 1);
    close(reader);
    close(writer);
    int both = open("fifo", O_RDWR);
    want(both >= 0 && write(both, "y", 1) == 1 && read(both, &byte, 1) == 1 && byte == 'y');
}

CHECK(fifo_open_is_interrupted) {
    want(mkfifo("fifo", 0600) == 0);
    handle(SIGUSR1, 0);
    pid_t pid = pestering(SIGUSR1);
    fails(EINTR, open("fifo", O_RDONLY));
    end(pid);
}

/* ---- Interrupted calls ---- */

CHECK(read_is_interrupted) {
    int ends[2];
    char byte;
    want(pipe(ends) == 0);
    handle(SIGUSR1, 0);
    pid_t pid = pestering(SIGUSR1);
    fails(EINTR, read(ends[0], &byte, 1));
    want(calls > 0);
    end(pid);
}

CHECK(read_is_restarted) {
    int ends[2];
    char byte;
    want(pipe(ends) == 0);
    handle(SIGUSR1, SA_RESTART);
    pid_t target = getpid(), pid;
    CHILD(pid) {
        for (int i = 0; i < 5; i++) {
            nap(10);
            kill(target, SIGUSR1);
        }
        want(write(ends[1], "x", 1) == 1);
    }
    want(read(ends[0], &byte, 1) == 1 && byte == 'x');
    want(calls > 0);
    exits(pid, 0);
}

CHECK(read_is_not_interrupted_by_what_is_ignored) {
    int ends[2];
    char byte;
    want(pipe(ends) == 0);
    signal(SIGUSR1, SIG_IGN);
    pid_t target = getpid(), pid;
    CHILD(pid) {
        for (int i = 0; i < 3; i++) {
            nap(10);
            kill(target, SIGUSR1);
            kill(target, SIGURG);
            kill(target, SIGWINCH);
            kill(target, SIGCONT);
        }
        want(write(ends[1], "x", 1) == 1);
    }
    want(read(ends[0], &byte, 1) == 1);
    exits(pid, 0);
}

CHECK(write_is_interrupted) {
    int ends[2];
    static char large[65536 + PAGE];
    want(pipe(ends) == 0);
    handle(SIGUSR1, 0);
    pid_t pid = pestering(SIGUSR1);
    want(write(ends[1], large, sizeof large) == 65536);
    fails(EINTR, write(ends[1], large, 1));
    end(pid);
}

CHECK(wait_is_interrupted) {
    handle(SIGUSR1, 0);
    pid_t sleeper, pid = pestering(SIGUSR1);
    CHILD(sleeper) {
        signal(SIGUSR1, SIG_IGN);
        for (;;) pause();
    }
    int status;
    fails(EINTR, waitpid(sleeper, &status, 0));
    end(pid);
    end(sleeper);
}

CHECK(wait_is_restarted) {
    handle(SIGUSR1, SA_RESTART);
    pid_t target = getpid(), pid;
    CHILD(pid) {
        for (int i = 0; i < 5; i++) {
            nap(10);
            kill(target, SIGUSR1);
        }
    }
    int status;
    want(waitpid(pid, &status, 0) == pid && status == 0);
    want(calls > 0);
}

CHECK(sleep_tells_the_rest) {
    handle(SIGUSR1, SA_RESTART);
    pid_t pid = pestering(SIGUSR1);
    struct timespec length = {100, 0}, rest = {0, 0};
    fails(EINTR, nanosleep(&length, &rest));
    want(rest.tv_sec >= 90 && rest.tv_sec <= 100);
    rest.tv_sec = 0;
    want(clock_nanosleep(CLOCK_MONOTONIC, 0, &length, &rest) == EINTR && rest.tv_sec >= 90);
    end(pid);
}

CHECK(poll_is_never_restarted) {
    int ends[2];
    want(pipe(ends) == 0);
    handle(SIGUSR1, SA_RESTART);
    pid_t pid = pestering(SIGUSR1);
    struct pollfd one = {ends[0], POLLIN};
    fails(EINTR, poll(&one, 1, -1));
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    fails(EINTR, select(ends[0] + 1, &set, 0, 0, 0));
    int epoll = epoll_create1(0);
    struct epoll_event event;
    fails(EINTR, epoll_wait(epoll, &event, 1, -1));
    fails(EINTR, pause());
    end(pid);
}

CHECK(futex_wait_is_interrupted) {
    static int word;
    handle(SIGUSR1, 0);
    pid_t pid = pestering(SIGUSR1);
    fails(EINTR, syscall(SYS_futex, &word, 0, 0, 0, 0, 0));
    end(pid);
}

CHECK(pipe_is_opened_again_though_nobody_has_its_other_end) {
    int ends[2];
    char path[30], byte;
    want(pipe(ends) == 0 && close(ends[0]) == 0);
    sprintf(path, "/proc/self/fd/%d", ends[1]);
    int fd = open(path, O_WRONLY);
    want(fd >= 0);
    signal(SIGPIPE, SIG_IGN);
    fails(EPIPE, write(fd, "x", 1));
    want(pipe(ends) == 0 && close(ends[1]) == 0);
    sprintf(path, "/proc/self/fd/%d", ends[0]);
    fd = open(path, O_RDONLY);
    want(fd >= 0 && read(fd, &byte, 1) == 0);
}
