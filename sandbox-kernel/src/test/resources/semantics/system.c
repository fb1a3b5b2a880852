/* ---- Limits, clocks, names ---- */

CHECK(limits) {
    struct rlimit limit, lower;
    want(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= limit.rlim_max && limit.rlim_cur >= 20);
    lower = (struct rlimit){limit.rlim_cur - 1, limit.rlim_cur - 1};
    want(setrlimit(RLIMIT_NOFILE, &lower) == 0);
    want(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == lower.rlim_cur && limit.rlim_max == lower.rlim_max);
    lower.rlim_cur++;
    fails(EINVAL, setrlimit(RLIMIT_NOFILE, &lower));
    fails(EINVAL, getrlimit(99, &limit));
    pid_t pid;
    CHILD(pid) {
        want(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max == lower.rlim_max);
    }
    exits(pid, 0);
    want(getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur >= 1 << 20);
}

CHECK(processor_time_passes) {
    struct rusage usage;
    struct timespec spent;
    struct tms ticks;
    clock_t start = times(&ticks);
    do want(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent) == 0);
    while (spent.tv_sec == 0 && spent.tv_nsec < 40000000);
    want(getrusage(RUSAGE_SELF, &usage) == 0);
    want(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec * 1000000
             + usage.ru_stime.tv_usec >= 20000);
    want(times(&ticks) - start >= 2 && ticks.tms_utime + ticks.tms_stime >= 2);
    want(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent) == 0 && (spent.tv_sec || spent.tv_nsec > 0));
    fails(EINVAL, getrusage(77, &usage));
}

CHECK(clocks_go_forward) {
    struct timespec before, after, resolution;
    want(clock_gettime(CLOCK_MONOTONIC, &before) == 0);
    for (int i = 0; i < 500; i++) {
        want(clock_gettime(CLOCK_MONOTONIC, &after) == 0);
        want(after.tv_sec > before.tv_sec || (after.tv_sec == before.tv_sec && after.tv_nsec >= before.tv_nsec));
        want(after.tv_nsec >= 0 && after.tv_nsec < 1000000000);
        before = after;
    }
    struct timeval now;
    want(clock_gettime(CLOCK_REALTIME, &after) == 0 && gettimeofday(&now, 0) == 0);
    want(labs(now.tv_sec - after.tv_sec) <= 1 && labs(time(0) - now.tv_sec) <= 1 && now.tv_sec > 1600000000);
    want(clock_getres(CLOCK_MONOTONIC, &resolution) == 0 && resolution.tv_sec == 0 && resolution.tv_nsec > 0);
    fails(EINVAL, syscall(SYS_clock_gettime, 77, &after));
    want(clock_gettime(CLOCK_BOOTTIME, &after) == 0 && clock_gettime(CLOCK_MONOTONIC_COARSE, &after) == 0);
}

CHECK(sleep_until_a_time) {
    struct timespec until;
    long before = millis();
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 30000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    want(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, 0) == 0);
    want(millis() - before >= 29);
    want(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, 0) == 0);
    until.tv_nsec = 1000000000;
    want(clock_nanosleep(CLOCK_MONOTONIC, 0, &until, 0) == EINVAL);
    fails(EINVAL, nanosleep(&until, 0));
    fails(EFAULT, syscall(SYS_nanosleep, 8, 0));
}

CHECK(random_bytes_differ) {
    char one[64] = {0}, two[64] = {0};
    want(getrandom(one, 64, 0) == 64 && getrandom(two, 64, GRND_NONBLOCK) == 64);
    want(memcmp(one, two, 64));
    fails(EINVAL, getrandom(one, 64, 0x100));
    fails(EFAULT, getrandom((void *)8, 64, 0));
    int fd = open("/dev/urandom", O_RDONLY);
    want(read(fd, one, 64) == 64 && read(fd, two, 64) == 64 && memcmp(one, two, 64));
}

CHECK(devices) {
    char text[100] = "x";
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
    want(write(null, text, 100) == 100 && read(null, text, 100) == 0);
    want(read(zero, text, 100) == 100 && all(text, 0, 100) && write(zero, text, 100) == 100);
    want(lseek(null, 0, SEEK_END) == 0);
    want(isatty(null) == 0 && open("/dev/null", O_WRONLY | O_TRUNC | O_CREAT, 0666) >= 0);
}

CHECK(not_a_terminal) {
    int ends[2], fd = file("f", "x");
    want(pipe(ends) == 0);
    want(!isatty(fd) && errno == ENOTTY);
    want(!isatty(ends[0]) && errno == ENOTTY);
    want(!isatty(99) && errno == EBADF);
    fails(ENOTTY, ioctl(fd, TIOCGWINSZ, ends));
}

CHECK(system_describes_itself) {
    struct utsname name;
    struct sysinfo info;
    want(uname(&name) == 0 && !strcmp(name.sysname, "Linux") && !strcmp(name.machine, "x86_64"));
    want(isdigit(name.release[0]));
    want(sysinfo(&info) == 0 && info.totalram > 0 && info.freeram <= info.totalram && info.mem_unit > 0);
    fails(EFAULT, syscall(SYS_uname, 8));
    unsigned long processors[128] = {0};
    want(syscall(SYS_sched_getaffinity, 0, sizeof processors, processors) >= 8 && processors[0]);
    fails(EINVAL, syscall(SYS_sched_getaffinity, 0, 1, processors));
    want(sched_yield() == 0 && sysconf(_SC_NPROCESSORS_ONLN) >= 1 && sysconf(_SC_PAGESIZE) == PAGE);
}

CHECK(thread_has_a_name) {
    char name[16];
    want(prctl(PR_SET_NAME, "a name that is too long") == 0);
    want(prctl(PR_GET_NAME, name) == 0 && !strcmp(name, "a name that is "));
    fails(EINVAL, prctl(9999, 0, 0, 0, 0));
}

CHECK(identity) {
    uid_t real, effective, saved;
    want(getresuid(&real, &effective, &saved) == 0 && real == getuid() && effective == geteuid());
    want(getresgid(&real, &effective, &saved) == 0 && real == getgid() && effective == getegid());
    gid_t groups[1000];
    int count = getgroups(0, 0);
    want(count >= 0 && getgroups(1000, groups) == count);
    fails(EINVAL, getgroups(-1, groups));
    want(getpid() > 0 && getppid() > 0 && tid() == getpid());
    umask(0123);
    want(umask(0777) == 0123 && umask(01777) == 0777 && umask(0) == 0777);
}

CHECK(unknown_calls_do_not_exist) {
    fails(ENOSYS, syscall(5000));
    fails(ENOSYS, syscall(-1));
    fails(ENOSYS, syscall(600));
}

/* ---- What the system tells of a process ---- */

CHECK(proc_self_exe) {
    char path[PATH_MAX] = "";
    struct stat one, two;
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    want(size > 0 && !strcmp(path, self));
    want(stat("/proc/self/exe", &one) == 0 && stat(self, &two) == 0 && one.st_ino == two.st_ino);
    char magic[4];
    want(read(open("/proc/self/exe", O_RDONLY), magic, 4) == 4 && !memcmp(magic, "\177ELF", 4));
}

CHECK(proc_self_fd) {
    char name[40], path[PATH_MAX] = "", expected[PATH_MAX];
    int fd = file("f", "text"), ends[2];
    want(getcwd(expected, sizeof expected - 2) != 0);
    strcat(expected, "/f");
    sprintf(name, "/proc/self/fd/%d", fd);
    want(readlink(name, path, sizeof path) == (ssize_t)strlen(expected) && !strcmp(path, expected));
    want(holds(name, "text"));
    want(pipe(ends) == 0);
    sprintf(name, "/proc/self/fd/%d", ends[0]);
    memset(path, 0, sizeof path);
    want(readlink(name, path, sizeof path) > 6 && !strncmp(path, "pipe:[", 6));
    fails(ENOENT, readlink("/proc/self/fd/99", path, sizeof path));
    int found = 0;
    DIR *directory = opendir("/proc/self/fd");
    want(directory != 0);
    for (struct dirent *entry; (entry = readdir(directory));) found += atoi(entry->d_name) == fd;
    want(found == 1);
}

CHECK(proc_self_status) {
    FILE *status = fopen("/proc/self/status", "r");
    want(status != 0);
    char line[300];
    int pid = 0, parent = 0;
    while (fgets(line, sizeof line, status)) {
        sscanf(line, "Pid: %d", &pid);
        sscanf(line, "PPid: %d", &parent);
    }
    want(pid == getpid() && parent == getppid());
}

CHECK(proc_self_maps) {
    char *forbidden = pages(1, PROT_READ, MAP_PRIVATE), line[PATH_MAX], local;
    FILE *maps = fopen("/proc/self/maps", "r");
    want(maps != 0);
    unsigned long from, to, before = 0, offset, inode;
    unsigned major, minor;
    char protection[5];
    int stack = 0, code = 0, page = 0;
    while (fgets(line, sizeof line, maps)) {
        want(sscanf(line, "%lx-%lx %4s %lx %x:%x %lu", &from, &to, protection, &offset, &major, &minor, &inode) == 7);
        want(from >= before && to > from);
        if (to < 1UL << 47) before = to;
#define WITHIN(pointer) ((unsigned long)(pointer) >= from && (unsigned long)(pointer) < to)
        if (WITHIN(&local)) stack += !strncmp(protection, "rw", 2);
        if (WITHIN(mend)) code += !strcmp(protection, "r-xp");
        if (WITHIN(forbidden)) page += !strcmp(protection, "r--p");
    }
    want(stack == 1 && code == 1 && page == 1);
}
