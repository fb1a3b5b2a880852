/* Waiting for descriptors. */

CHECK(poll_tells_of_pipes) {
    int ends[2];
    want(pipe(ends) == 0);
    struct pollfd both[2] = {{ends[0], POLLIN}, {ends[1], POLLOUT}};
    want(poll(both, 2, 0) == 1 && both[0].revents == 0 && both[1].revents == POLLOUT);
    want(write(ends[1], "x", 1) == 1);
    want(poll(both, 2, -1) == 2 && both[0].revents == POLLIN);
    close(ends[1]);
    both[1].fd = -1;
    want(poll(both, 2, -1) == 1 && both[0].revents == (POLLIN | POLLHUP) && both[1].revents == 0);
    char byte;
    want(read(ends[0], &byte, 1) == 1);
    want(poll(both, 1, -1) == 1 && both[0].revents == POLLHUP);
    close(ends[0]);
    want(poll(both, 1, -1) == 1 && both[0].revents == POLLNVAL);
}

CHECK(poll_tells_of_a_broken_or_full_pipe) {
    int ends[2];
    static char large[65536];
    want(pipe(ends) == 0);
    struct pollfd one = {ends[1], POLLOUT};
    want(write(ends[1], large, sizeof large) == sizeof large);
    want(poll(&one, 1, 0) == 0);
    want(read(ends[0], large, PAGE) == PAGE);
    want(poll(&one, 1, 0) == 1 && one.revents == POLLOUT);
    close(ends[0]);
    want(poll(&one, 1, 0) == 1 && (one.revents & POLLERR));
}

CHECK(poll_waits) {
    int ends[2];
    want(pipe(ends) == 0);
    struct pollfd one = {ends[0], POLLIN};
    long before = millis();
    want(poll(&one, 1, 20) == 0 && millis() - before >= 19);
    want(poll(0, 0, 5) == 0);
    pid_t pid;
    CHILD(pid) {
        nap(20);
        write(ends[1], "x", 1);
    }
    want(poll(&one, 1, 4000) == 1 && one.revents == POLLIN && millis() - before < 4000);
    exits(pid, 0);
    int fd = file("f", "");
    struct pollfd plain = {fd, POLLIN | POLLOUT};
    want(poll(&plain, 1, -1) == 1 && plain.revents == (POLLIN | POLLOUT));
    fails(EINVAL, poll(&one, 2000000000, 0));
    fails(EFAULT, poll((struct pollfd *)8, 1, 0));
}

CHECK(select_tells_and_waits) {
    int ends[2];
    fd_set reading, writing;
    want(pipe(ends) == 0);
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    FD_SET(ends[0], &reading);
    FD_SET(ends[1], &writing);
    want(select(ends[1] + 1, &reading, &writing, 0, 0) == 1);
    want(!FD_ISSET(ends[0], &reading) && FD_ISSET(ends[1], &writing));
    struct timeval brief = {0, 20000};
    long before = millis();
    FD_SET(ends[0], &reading);
    want(select(ends[0] + 1, &reading, 0, 0, &brief) == 0 && millis() - before >= 19);
    want(!FD_ISSET(ends[0], &reading));
    want(write(ends[1], "x", 1) == 1);
    FD_SET(ends[0], &reading);
    want(select(ends[0] + 1, &reading, 0, 0, 0) == 1 && FD_ISSET(ends[0], &reading));
    FD_SET(ends[1], &reading);
    close(ends[1]);
    fails(EBADF, select(ends[1] + 1, &reading, 0, 0, 0));
    fails(EINVAL, select(-1, 0, 0, 0, &brief));
}

CHECK(ppoll_and_pselect_change_the_mask_meanwhile) {
    handle(SIGUSR1, 0);
    block(SIGUSR1);
    sigset_t none = setOf(0);
    struct timespec length = {4, 0};
    long before = millis();
    kill(getpid(), SIGUSR1);
    fails(EINTR, ppoll(0, 0, &length, &none));
    want(calls == 1 && blocked(SIGUSR1));
    kill(getpid(), SIGUSR1);
    fails(EINTR, pselect(0, 0, 0, 0, &length, &none));
    want(calls == 2 && blocked(SIGUSR1));
    kill(getpid(), SIGUSR1);
    struct epoll_event event;
    fails(EINTR, epoll_pwait(epoll_create1(0), &event, 1, 4000, &none));
    want(calls == 3 && blocked(SIGUSR1) && millis() - before < 3000);
}

static void watch(int epoll, int operation, int fd, int events, unsigned long data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    want(epoll_ctl(epoll, operation, fd, &event) == 0);
}

CHECK(epoll_by_level) {
    int ends[2], epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event found[4];
    want(pipe(ends) == 0 && fcntl(epoll, F_GETFD) == FD_CLOEXEC);
    watch(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN, 0x123456789abcdef);
    want(epoll_wait(epoll, found, 4, 0) == 0);
    want(write(ends[1], "xy", 2) == 2);
    for (int i = 0; i < 3; i++) {
        want(epoll_wait(epoll, found, 4, -1) == 1);
        want(found[0].events == EPOLLIN && found[0].data.u64 == 0x123456789abcdef);
    }
    watch(epoll, EPOLL_CTL_ADD, ends[1], EPOLLOUT, 2);
    want(epoll_wait(epoll, found, 4, -1) == 2);
    want(epoll_wait(epoll, found, 1, -1) == 1);
    want(epoll_ctl(epoll, EPOLL_CTL_DEL, ends[0], 0) == 0);
    want(epoll_wait(epoll, found, 4, -1) == 1 && found[0].data.u64 == 2);
    close(ends[1]);
    want(epoll_wait(epoll, found, 4, 0) == 0);
}

CHECK(epoll_by_edge) {
    int ends[2], epoll = epoll_create1(0);
    struct epoll_event found[4];
    char byte;
    want(pipe(ends) == 0);
    watch(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN | EPOLLET, 1);
    want(write(ends[1], "x", 1) == 1);
    want(epoll_wait(epoll, found, 4, -1) == 1);
    want(epoll_wait(epoll, found, 4, 0) == 0);
    want(write(ends[1], "y", 1) == 1);
    want(epoll_wait(epoll, found, 4, -1) == 1);
    want(read(ends[0], &byte, 1) == 1);
    want(epoll_wait(epoll, found, 4, 0) == 0);
    watch(epoll, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLET, 7);
    want(epoll_wait(epoll, found, 4, -1) == 1 && found[0].data.u64 == 7);
    close(ends[1]);
    want(epoll_wait(epoll, found, 4, -1) == 1 && (found[0].events & EPOLLHUP));
    want(epoll_wait(epoll, found, 4, 0) == 0);
}

CHECK(epoll_once) {
    int ends[2], epoll = epoll_create1(0);
    struct epoll_event found[4];
    want(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
    watch(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN | EPOLLONESHOT, 1);
    want(epoll_wait(epoll, found, 4, -1) == 1);
    want(write(ends[1], "y", 1) == 1 && epoll_wait(epoll, found, 4, 10) == 0);
    watch(epoll, EPOLL_CTL_MOD, ends[0], EPOLLIN | EPOLLONESHOT, 1);
    want(epoll_wait(epoll, found, 4, -1) == 1);
    want(epoll_wait(epoll, found, 4, 0) == 0);
}

CHECK(epoll_refuses) {
    int ends[2], epoll = epoll_create1(0), plain = file("f", "x");
    struct epoll_event event = {.events = EPOLLIN};
    want(pipe(ends) == 0);
    fails(EPERM, epoll_ctl(epoll, EPOLL_CTL_ADD, plain, &event));
    fails(EPERM, epoll_ctl(epoll, EPOLL_CTL_ADD, open(".", O_RDONLY), &event));
    fails(EBADF, epoll_ctl(epoll, EPOLL_CTL_ADD, 99, &event));
    fails(EINVAL, epoll_ctl(epoll, EPOLL_CTL_ADD, epoll, &event));
    fails(EINVAL, epoll_ctl(ends[0], EPOLL_CTL_ADD, ends[1], &event));
    fails(ENOENT, epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &event));
    fails(ENOENT, epoll_ctl(epoll, EPOLL_CTL_DEL, ends[0], 0));
    want(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) == 0);
    fails(EEXIST, epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
    fails(EINVAL, epoll_wait(epoll, &event, 0, 0));
    fails(EINVAL, epoll_wait(ends[0], &event, 1, 0));
    fails(EINVAL, epoll_create1(1));
}

static void *writesLater(void *fd) {
    nap(20);
    want(write((int)(long)fd, "12345678", 8) == 8);
    return 0;
}

CHECK(epoll_is_woken) {
    int ends[2], epoll = epoll_create1(0);
    struct epoll_event found;
    want(pipe(ends) == 0);
    long before = millis();
    watch(epoll, EPOLL_CTL_ADD, ends[0], EPOLLIN, 1);
    want(epoll_wait(epoll, &found, 1, 20) == 0 && millis() - before >= 19);
    pthread_t writer = thread(writesLater, (void *)(long)ends[1]);
    want(epoll_wait(epoll, &found, 1, 4000) == 1 && millis() - before < 4000);
    join(writer);
}

CHECK(eventfd_counts) {
    uint64_t value = 5;
    int fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
    want(fcntl(fd, F_GETFD) == FD_CLOEXEC && write(fd, &value, 8) == 8);
    want(read(fd, &value, 8) == 8 && value == 8);
    fails(EAGAIN, read(fd, &value, 8));
    fails(EINVAL, read(fd, &value, 4));
    value = -1;
    fails(EINVAL, write(fd, &value, 8));
    value = -2;
    want(write(fd, &value, 8) == 8);
    value = 1;
    fails(EAGAIN, write(fd, &value, 8));
    want(read(fd, &value, 8) == 8 && value == -2UL);
    fails(EINVAL, eventfd(0, 2));
}

CHECK(eventfd_as_a_semaphore) {
    uint64_t value;
    int fd = eventfd(2, EFD_NONBLOCK | EFD_SEMAPHORE);
    for (int i = 0; i < 2; i++) want(read(fd, &value, 8) == 8 && value == 1);
    fails(EAGAIN, read(fd, &value, 8));
}

CHECK(eventfd_wakes) {
    int fd = eventfd(0, 0);
    uint64_t value = 0;
    struct pollfd one = {fd, POLLIN | POLLOUT};
    want(poll(&one, 1, 0) == 1 && one.revents == POLLOUT);
    pthread_t writer = thread(writesLater, (void *)(long)fd);
    want(read(fd, &value, 8) == 8 && !memcmp(&value, "12345678", 8));
    join(writer);
    value = 1;
    want(write(fd, &value, 8) == 8);
    want(poll(&one, 1, 0) == 1 && one.revents == (POLLIN | POLLOUT));
}
