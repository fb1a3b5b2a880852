/* ---- Files and offsets ---- */

CHECK(offset_is_shared_by_dup) {
    char text[3];
    int one = file("f", "0123456789"), two = dup(one);
    want(read(one, text, 3) == 3);
    want(lseek(two, 0, SEEK_CUR) == 3);
    want(lseek(two, 7, SEEK_SET) == 7);
    want(read(one, text, 1) == 1 && text[0] == '7');
}

CHECK(offset_is_shared_over_fork) {
    int fd = file("f", "0123456789");
    char text[4];
    pid_t pid;
    CHILD(pid) { want(read(fd, text, 4) == 4); }
    exits(pid, 0);
    want(lseek(fd, 0, SEEK_CUR) == 4);
}

CHECK(offset_is_not_shared_by_two_opens) {
    char text[4];
    int one = file("f", "0123456789"), two = open("f", O_RDONLY);
    want(read(one, text, 4) == 4);
    want(lseek(two, 0, SEEK_CUR) == 0);
    want(write(one, "x", 1) == 1);
    want(pread(two, text, 1, 4) == 1 && text[0] == 'x');
}

CHECK(append_goes_to_the_end) {
    int plain = file("f", "abc"), append = open("f", O_RDWR | O_APPEND);
    want(lseek(append, 0, SEEK_SET) == 0);
    want(write(append, "d", 1) == 1);
    want(lseek(append, 0, SEEK_CUR) == 4);
    want(lseek(plain, 0, SEEK_END) == 4 && write(plain, "e", 1) == 1);
    want(write(append, "f", 1) == 1);
    want(holds("f", "abcdef"));
}

CHECK(append_from_two_processes_loses_nothing) {
    close(file("f", ""));
    pid_t pids[3];
    for (int i = 0; i < 3; i++)
        CHILD(pids[i]) {
            int fd = open("f", O_WRONLY | O_APPEND);
            for (int j = 0; j < 100; j++) want(write(fd, "line\n", 5) == 5);
        }
    for (int i = 0; i < 3; i++) exits(pids[i], 0);
    char text[1600];
    want(read(open("f", O_RDONLY), text, sizeof text) == 1500);
    for (int i = 0; i < 300; i++) want(!memcmp(text + 5 * i, "line\n", 5));
}

CHECK(pread_and_pwrite_keep_the_offset) {
    int fd = file("f", "0123456789");
    char text[4];
    want(lseek(fd, 2, SEEK_SET) == 2);
    want(pread(fd, text, 4, 5) == 4 && !memcmp(text, "5678", 4));
    want(pwrite(fd, "xy", 2, 8) == 2);
    want(lseek(fd, 0, SEEK_CUR) == 2);
    want(pread(fd, text, 4, 100) == 0);
    fails(EINVAL, pread(fd, text, 4, -1));
    want(holds("f", "01234567xy"));
}

CHECK(holes_read_as_zeros) {
    int fd = file("f", "ab");
    want(lseek(fd, 1000000, SEEK_SET) == 1000000);
    want(write(fd, "z", 1) == 1);
    struct stat status;
    want(fstat(fd, &status) == 0 && status.st_size == 1000001);
    char text[PAGE];
    want(pread(fd, text, PAGE, 500000) == PAGE && all(text, 0, PAGE));
    want(pread(fd, text, 10, 999998) == 3 && text[0] == 0 && text[2] == 'z');
}

CHECK(truncate_cuts_and_fills_with_zeros) {
    int fd = file("f", "0123456789");
    want(ftruncate(fd, 4) == 0);
    want(holds("f", "0123"));
    want(truncate("f", 8) == 0);
    char text[10];
    want(read(fd, text, 10) == 8 && !memcmp(text, "0123\0\0\0\0", 8));
    want(lseek(fd, 0, SEEK_CUR) == 8);
    want(ftruncate(fd, 0) == 0);
    want(read(fd, text, 10) == 0);
    want(write(fd, "x", 1) == 1 && lseek(fd, 0, SEEK_END) == 9);
}

CHECK(truncate_refuses) {
    int reading = file("f", "0123456789");
    close(reading);
    reading = open("f", O_RDONLY);
    fails(EINVAL, ftruncate(reading, 1));
    fails(EINVAL, truncate("f", -1));
    fails(ENOENT, truncate("none", 1));
    fails(EISDIR, truncate(".", 1));
    want(holds("f", "0123456789"));
}

CHECK(lseek_from_everywhere) {
    int fd = file("f", "0123456789");
    char byte;
    want(lseek(fd, -3, SEEK_END) == 7);
    want(lseek(fd, 2, SEEK_CUR) == 9);
    want(read(fd, &byte, 1) == 1 && byte == '9');
    want(lseek(fd, 100, SEEK_SET) == 100 && read(fd, &byte, 1) == 0);
    fails(EINVAL, lseek(fd, -1, SEEK_SET));
    fails(EINVAL, lseek(fd, -101, SEEK_CUR));
    fails(EINVAL, lseek(fd, 0, 77));
    want(lseek(fd, 0, SEEK_CUR) == 100);
}

CHECK(readv_and_writev) {
    int fd = file("f", "");
    struct iovec out[] = {{"one", 3}, {0, 0}, {"three", 5}};
    want(writev(fd, out, 3) == 8);
    want(lseek(fd, 1, SEEK_SET) == 1);
    char first[2], second[20];
    struct iovec in[] = {{first, 2}, {second, 20}};
    want(readv(fd, in, 2) == 7);
    want(!memcmp(first, "ne", 2) && !memcmp(second, "three", 5));
    want(pwritev(fd, out, 3, 10) == 8 && preadv(fd, in, 2, 10) == 8 && !memcmp(second, "ethree", 6));
    want(lseek(fd, 0, SEEK_CUR) == 8);
    want(readv(fd, in, 0) == 0);
}

CHECK(iovecs_that_cannot_be) {
    int fd = file("f", "0123456789");
    struct iovec many[1025], negative[] = {{many, 1}, {many, -1}};
    memset(many, 0, sizeof many);
    want(readv(fd, many, 1024) == 0);
    fails(EINVAL, readv(fd, many, 1025));
    fails(EINVAL, readv(fd, many, -1));
    fails(EINVAL, readv(fd, negative, 2));
    fails(EFAULT, readv(fd, (struct iovec *)8, 2));
    want(lseek(fd, 0, SEEK_CUR) == 0);
}

CHECK(read_stops_at_an_unmapped_page) {
    int fd = file("f", "0123456789abcdefghij");
    char *at = memory(2);
    want(munmap(at + PAGE, PAGE) == 0);
    want(read(fd, at + PAGE - 10, 20) == 10);
    want(!memcmp(at + PAGE - 10, "0123456789", 10));
    want(lseek(fd, 0, SEEK_CUR) == 10);
    fails(EFAULT, read(fd, at + PAGE, 10));
    want(lseek(fd, 0, SEEK_CUR) == 10);
}

CHECK(write_stops_at_an_unmapped_page) {
    int fd = file("f", "");
    char *at = memory(2);
    memset(at, 'x', PAGE);
    want(munmap(at + PAGE, PAGE) == 0);
    want(write(fd, at + PAGE - 10, 20) == 10);
    fails(EFAULT, write(fd, at + PAGE, 10));
    struct iovec vector[] = {{at, 4}, {at + PAGE, 4}};
    want(writev(fd, vector, 2) == 4);
    want(lseek(fd, 0, SEEK_END) == 14);
}

CHECK(nothing_is_lost_of_a_pipe_when_the_buffer_is_bad) {
    int ends[2];
    char text[5];
    want(pipe(ends) == 0 && write(ends[1], "hello", 5) == 5);
    char *at = memory(1);
    want(mprotect(at, PAGE, PROT_READ) == 0);
    fails(EFAULT, read(ends[0], at, 5));
    want(read(ends[0], text, 5) == 5 && !memcmp(text, "hello", 5));
    fails(EFAULT, write(ends[1], (void *)8, 5));
}

CHECK(nothing_is_read_or_written_in_no_bytes) {
    int fd = file("f", "abc");
    want(read(fd, 0, 0) == 0);
    want(write(fd, 0, 0) == 0);
    fails(EBADF, read(77, 0, 0));
    want(lseek(fd, 0, SEEK_CUR) == 0);
}

CHECK(access_mode_of_a_descriptor_counts) {
    close(file("f", "abc"));
    char byte;
    int reading = open("f", O_RDONLY), writing = open("f", O_WRONLY);
    fails(EBADF, write(reading, "x", 1));
    fails(EBADF, read(writing, &byte, 1));
    fails(EISDIR, read(open(".", O_RDONLY), &byte, 1));
    fails(EISDIR, open(".", O_WRONLY));
    want(fsync(writing) == 0 && fdatasync(writing) == 0);
}

/* ---- Descriptors ---- */

CHECK(lowest_descriptor_is_taken) {
    int low = open("/dev/null", O_RDONLY), high = dup(low);
    want(high == low + 1);
    close(low);
    want(dup(high) == low);
    fails(EBADF, dup(99));
    fails(EBADF, close(99));
    fails(EBADF, close(-1));
}

CHECK(dup2_and_dup3) {
    int one = file("one", "1"), two = file("two", "2");
    char byte;
    want(dup2(one, one) == one);
    fails(EBADF, dup2(99, 99));
    fails(EBADF, dup2(one, -1));
    fails(EINVAL, dup3(one, one, 0));
    fails(EINVAL, syscall(SYS_dup3, one, two, 1));
    want(dup2(one, two) == two && read(two, &byte, 1) == 1 && byte == '1');
    want(dup3(one, two, O_CLOEXEC) == two && fcntl(two, F_GETFD) == FD_CLOEXEC);
    want(dup2(two, one) == one && fcntl(one, F_GETFD) == 0);
}

CHECK(fcntl_duplicates) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    want(fcntl(fd, F_GETFD) == FD_CLOEXEC);
    want(fcntl(fd, F_DUPFD, 50) == 50 && fcntl(50, F_GETFD) == 0);
    want(fcntl(fd, F_DUPFD, 50) == 51);
    want(fcntl(fd, F_DUPFD_CLOEXEC, 50) == 52 && fcntl(52, F_GETFD) == FD_CLOEXEC);
    want(fcntl(52, F_SETFD, 0) == 0 && fcntl(52, F_GETFD) == 0);
    fails(EINVAL, fcntl(fd, F_DUPFD, -1));
    fails(EBADF, fcntl(99, F_DUPFD, 0));
}

CHECK(cloexec_closes_at_exec) {
    int kept = file("kept", "k"), gone = open("kept", O_RDONLY | O_CLOEXEC), ends[2];
    want(pipe2(ends, O_CLOEXEC) == 0);
    pid_t pid;
    CHILD(pid) become("descriptors", number(kept), number(gone), number(ends[0]), NULL);
    exits(pid, 0);
    want(lseek(kept, 0, SEEK_CUR) == 1);
}

CHECK(descriptors_have_a_limit) {
    struct rlimit limit = {20, 20};
    want(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    int fd = open("/dev/null", O_RDONLY), highest = fd, next, ends[2];
    while ((next = dup(fd)) >= 0) highest = next;
    want(highest == 19);
    fails(EMFILE, dup(fd));
    fails(EMFILE, open("/dev/null", O_RDONLY));
    close(19);
    fails(EMFILE, pipe(ends));
    fails(EBADF, dup2(fd, 20));
    fails(EINVAL, fcntl(fd, F_DUPFD, 20));
    want(dup(fd) == 19);
}

CHECK(status_flags_belong_to_the_open_file) {
    int fd = file("f", "abc"), copy = dup(fd), other = open("f", O_RDONLY);
    want((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
    want((fcntl(other, F_GETFL) & O_ACCMODE) == O_RDONLY);
    want(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK | O_RDONLY) == 0);
    want((fcntl(copy, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK)) == (O_RDWR | O_APPEND | O_NONBLOCK));
    want(!(fcntl(other, F_GETFL) & O_APPEND));
    want(write(copy, "d", 1) == 1 && holds("f", "abcd"));
    want(fcntl(copy, F_SETFL, 0) == 0 && !(fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK)));
    fails(EBADF, fcntl(99, F_GETFL));
    fails(EINVAL, fcntl(fd, 9999));
}
