/* ---- Offsets and sizes that are no int ---- */

/* Behind the end of a small file by so much that the difference overflows an int in each way. */
static const long far_offsets[] = {
    1L << 31, (1L << 31) + 5, 3L << 30, (1L << 32) - 1000, (1L << 32) - 1, 1L << 32, (1L << 32) + 2, 1L << 33,
    5L << 31, 1L << 47, (1L << 62) + 3, LONG_MAX - (1L << 31), LONG_MAX - (3L << 30), LONG_MAX - 2 * PAGE,
};

enum { FAR = sizeof far_offsets / sizeof *far_offsets };

/* A file that can be as large as an offset, whatever the file system of this check's directory. */
static int memory_file(void) {
    int fd = syscall(SYS_memfd_create, "offsets", 0);
    want(fd >= 0 && write(fd, "text", 4) == 4);
    return fd;
}

static int isZero(const char *text, int size) {
    for (int i = 0; i < size; i++)
        if (text[i]) return 0;
    return 1;
}

/* Nothing is read from there, by any call, nor copied to another file of the same file system. */
static void nothing_from(int fd, long at, int other) {
    char text[PAGE];
    struct iovec vector = {text, sizeof text};
    long in = at;
    want(pread(fd, text, sizeof text, at) == 0);
    want(preadv(fd, &vector, 1, at) == 0);
    want(lseek(fd, at, SEEK_SET) == at && read(fd, text, sizeof text) == 0);
    want(readv(fd, &vector, 1) == 0 && lseek(fd, 0, SEEK_CUR) == at);
    want(syscall(SYS_sendfile, other, fd, &in, sizeof text) == 0 && in == at);
    want(syscall(SYS_copy_file_range, fd, &in, other, 0, sizeof text, 0) == 0 && in == at);
    fails(ENXIO, lseek(fd, at, SEEK_DATA));
}

CHECK(nothing_is_read_far_behind_the_end) {
    int fd = memory_file(), named = file("f", "text"), empty = syscall(SYS_memfd_create, "offsets", 0);
    int other = memory_file(), next = file("g", "");
    for (int i = 0; i < FAR; i++) {
        nothing_from(fd, far_offsets[i], other);
        nothing_from(empty, far_offsets[i], other);
        if (far_offsets[i] <= 1L << 33) nothing_from(named, far_offsets[i], next); /* all file systems have these */
    }
}

CHECK(nothing_is_read_far_behind_the_end_of_what_is_mapped) {
    int fd = memory_file(), other = memory_file();
    char *page = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    want(page != MAP_FAILED && page[0] == 't');
    for (int i = 0; i < FAR; i++) nothing_from(fd, far_offsets[i], other);
}

CHECK(a_file_with_holes_may_be_as_large_as_an_offset) {
    int fd = memory_file();
    char text[10];
    struct stat status;
    for (int i = 0; i < FAR; i++) {
        long at = far_offsets[i];
        want(pwrite(fd, "here", 4, at) == 4);
        want(fstat(fd, &status) == 0 && status.st_size == at + 4);
        want(pread(fd, text, 10, at) == 4 && !memcmp(text, "here", 4));
        memset(text, 'x', sizeof text);
        want(pread(fd, text, 10, at - 10) == 10 && isZero(text, 10));
        memset(text, 'x', sizeof text);
        want(pread(fd, text, 10, 100) == 10 && isZero(text, 10));
        want(lseek(fd, -4, SEEK_END) == at && read(fd, text, 10) == 4 && !memcmp(text, "here", 4));
        want(ftruncate(fd, at + 2) == 0 && pread(fd, text, 10, at) == 2);
        want(ftruncate(fd, 4) == 0 && pread(fd, text, 10, 0) == 4 && !memcmp(text, "text", 4));
        want(pread(fd, text, 10, at) == 0);
    }
}

CHECK(no_range_ends_beyond_the_last_offset) {
    int fd = memory_file(), null = open("/dev/null", O_WRONLY), zero = open("/dev/zero", O_RDONLY);
    char text[10];
    struct iovec vector = {text, 10};
    long in = LONG_MAX - 5;
    fails(EINVAL, pread(fd, text, 10, LONG_MAX));
    fails(EINVAL, pread(fd, text, 10, LONG_MAX - 5));
    fails(EINVAL, preadv(fd, &vector, 1, LONG_MAX - 5));
    fails(EINVAL, pwrite(fd, text, 10, LONG_MAX - 5));
    fails(EINVAL, pwritev(fd, &vector, 1, LONG_MAX - 5));
    fails(EINVAL, pread(zero, text, 10, LONG_MAX - 5));
    fails(EINVAL, syscall(SYS_sendfile, null, zero, &in, 10));
    want(in == LONG_MAX - 5);
    fails(EINVAL, pread(fd, text, 10, -1));
    fails(EINVAL, pwrite(fd, text, 10, LONG_MIN));
    fails(EINVAL, lseek(fd, LONG_MIN, SEEK_CUR));
    want(lseek(fd, LONG_MAX - 10, SEEK_SET) == LONG_MAX - 10);
    fails(EINVAL, lseek(fd, 11, SEEK_CUR));
    fails(EINVAL, ftruncate(fd, LONG_MIN));
    fails(EFBIG, fallocate(fd, 0, LONG_MAX, 1));
    fails(EFBIG, fallocate(fd, 0, LONG_MAX - 10, LONG_MAX));
    fails(EINVAL, fallocate(fd, 0, -1, 10));
    fails(EINVAL, fallocate(fd, 0, 10, 0));
}

CHECK(room_can_be_had_far_behind_the_end) {
    int fd = memory_file();
    struct stat status;
    for (int i = 0; i < FAR; i++) {
        want(fallocate(fd, 0, far_offsets[i], 5) == 0);
        want(fstat(fd, &status) == 0 && status.st_size == far_offsets[i] + 5);
        want(ftruncate(fd, 4) == 0);
    }
}

CHECK(what_lies_far_behind_the_end_can_be_mapped_and_faults) {
    int files[] = {memory_file(), syscall(SYS_memfd_create, "offsets", 0)};
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < FAR; j++) {
            long at = far_offsets[j] & -PAGE;
            char *page = mmap(0, PAGE, PROT_READ, MAP_SHARED, files[i], at);
            want(page != MAP_FAILED);
            pid_t pid;
            CHILD(pid) _exit(*(volatile char *)page);
            dies(pid, SIGBUS);
            want(munmap(page, PAGE) == 0);
        }
    fails(EOVERFLOW, mmap(0, 2 * PAGE, PROT_READ, MAP_SHARED, files[0], LONG_MAX & -PAGE));
    for (int i = 0; i < 2; i++) {
        char *page = mmap(0, PAGE, PROT_READ, MAP_SHARED, files[i], (LONG_MAX & -PAGE) - PAGE);
        want(page != MAP_FAILED);
        mremap(page, PAGE, 8 * PAGE, MREMAP_MAYMOVE); /* Linux does it, the sandbox need not, but must live */
    }
}

CHECK(sizes_of_almost_all_memory_are_no_small_ones) {
    char *page = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char resident[8];
    fails(ENOMEM, syscall(SYS_mincore, page, SIZE_MAX, resident));
    fails(EINVAL, syscall(SYS_munmap, page, SIZE_MAX));
    fails(ENOMEM, syscall(SYS_mprotect, page, SIZE_MAX, PROT_READ));
    fails(EINVAL, syscall(SYS_madvise, page, SIZE_MAX, MADV_DONTNEED));
    want(*page == 0);
}
