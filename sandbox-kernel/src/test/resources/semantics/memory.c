/* Memory. */

CHECK(brk_grows_and_shrinks) {
    char *base = (char *)((syscall(SYS_brk, 0) + PAGE - 1) & -PAGE), *top = base + 3 * PAGE;
    want((char *)syscall(SYS_brk, top) == top && (char *)syscall(SYS_brk, 0) == top);
    want(all(base, 0, 3 * PAGE));
    memset(base, 'x', 3 * PAGE);
    want((char *)syscall(SYS_brk, base + PAGE) == base + PAGE);
    faults(SIGSEGV, *(volatile char *)(base + PAGE));
    want((char *)syscall(SYS_brk, top) == top);
    want(all(base, 'x', PAGE) && all(base + PAGE, 0, 2 * PAGE));
    want((char *)syscall(SYS_brk, 8) == top);
    want((char *)syscall(SYS_brk, base + (1L << 46)) == top);
}

CHECK(anonymous_memory_is_zero) {
    char *at = memory(64);
    want(all(at, 0, 64 * PAGE));
    memset(at, 'x', 64 * PAGE);
    want(munmap(at, 64 * PAGE) == 0);
    want(mmap(at, 64 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
    want(all(at, 0, 64 * PAGE));
}

CHECK(dontneed_zeroes) {
    char *at = memory(3);
    memset(at, 'x', 3 * PAGE);
    want(madvise(at + PAGE, PAGE, MADV_DONTNEED) == 0);
    want(all(at, 'x', PAGE) && all(at + PAGE, 0, PAGE) && all(at + 2 * PAGE, 'x', PAGE));
    fails(EINVAL, madvise(at + 1, PAGE, MADV_DONTNEED));
    int fd = file("f", "of the file");
    char *mapped = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    mapped[0] = '#';
    want(madvise(mapped, PAGE, MADV_DONTNEED) == 0 && mapped[0] == 'o');
}

CHECK(shared_memory_is_shared_over_fork) {
    char *both = shared(2), *apart = memory(1);
    pid_t pid;
    CHILD(pid) {
        both[PAGE] = 7;
        apart[0] = 7;
        eventually(*(volatile char *)both == 8);
    }
    eventually(*(volatile char *)(both + PAGE) == 7);
    want(apart[0] == 0);
    *(volatile char *)both = 8;
    exits(pid, 0);
}

CHECK(fixed_replaces_and_noreplace_does_not) {
    char *at = memory(3);
    memset(at, 'x', 3 * PAGE);
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    want(mmap(at + PAGE, PAGE, PROT_READ, flags | MAP_FIXED, -1, 0) == at + PAGE);
    want(all(at, 'x', PAGE) && all(at + PAGE, 0, PAGE) && all(at + 2 * PAGE, 'x', PAGE));
    fails(EEXIST, mmap(at, PAGE, PROT_READ, flags | MAP_FIXED_NOREPLACE, -1, 0));
    want(all(at, 'x', PAGE));
    want(munmap(at + PAGE, PAGE) == 0);
    want(mmap(at + PAGE, PAGE, PROT_READ, flags | MAP_FIXED_NOREPLACE, -1, 0) == at + PAGE);
    fails(EINVAL, mmap(at + 1, PAGE, PROT_READ, flags | MAP_FIXED, -1, 0));
}

CHECK(munmap_of_holes_and_parts) {
    char *at = memory(5);
    memset(at, 'x', 5 * PAGE);
    want(munmap(at + 2 * PAGE, PAGE) == 0);
    want(munmap(at + 2 * PAGE, PAGE) == 0);
    want(all(at, 'x', 2 * PAGE) && all(at + 3 * PAGE, 'x', 2 * PAGE));
    faults(SIGSEGV, *(volatile char *)(at + 2 * PAGE));
    want(munmap(at + PAGE, 3 * PAGE) == 0);
    want(all(at, 'x', PAGE) && all(at + 4 * PAGE, 'x', PAGE));
    fails(EINVAL, munmap(at + 1, PAGE));
    fails(EINVAL, munmap(at, 0));
    want(munmap(at, 5 * PAGE) == 0);
}

CHECK(mprotect_splits) {
    char *at = memory(3);
    want(mprotect(at + PAGE, PAGE, PROT_READ) == 0);
    at[0] = at[2 * PAGE] = 1;
    faults(SIGSEGV, *(volatile char *)(at + PAGE) = 1);
    want(mprotect(at + PAGE, PAGE, PROT_READ | PROT_WRITE) == 0);
    at[PAGE] = 2;
    want(munmap(at + PAGE, PAGE) == 0);
    fails(ENOMEM, mprotect(at, 3 * PAGE, PROT_READ));
    fails(EINVAL, syscall(SYS_mprotect, at + 1, PAGE, PROT_READ));
}

CHECK(private_mapping_leaves_the_file) {
    int fd = file("f", "0123456789");
    char *at = mmap(0, 10, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    want(at != MAP_FAILED && close(fd) == 0);
    at[0] = 'x';
    want(holds("f", "0123456789") && at[0] == 'x' && at[1] == '1');
}

CHECK(shared_mapping_is_the_file) {
    int fd = file("f", "0123456789");
    char *at = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    want(at != MAP_FAILED);
    at[0] = 'x';
    want(holds("f", "x123456789"));
    want(pwrite(fd, "y", 1, 1) == 1 && at[1] == 'y');
    pid_t pid;
    CHILD(pid) at[2] = 'z';
    exits(pid, 0);
    want(at[2] == 'z' && msync(at, PAGE, MS_SYNC) == 0);
    char *second = mmap(0, PAGE, PROT_READ, MAP_SHARED, open("f", O_RDONLY), 0);
    at[3] = '!';
    want(second != at && second[3] == '!');
    want(munmap(at, PAGE) == 0 && holds("f", "xyz!456789"));
}

CHECK(mapping_outlives_its_name) {
    int fd = file("f", "0123456789");
    char *at = mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    want(unlink("f") == 0);
    want(pwrite(fd, "x", 1, 3) == 1 && close(fd) == 0);
    want(at[3] == 'x');
}

CHECK(mapping_at_an_offset) {
    int fd = file("f", "");
    want(ftruncate(fd, 3 * PAGE) == 0 && pwrite(fd, "second", 6, PAGE) == 6);
    char *at = mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, PAGE);
    want(at != MAP_FAILED && !memcmp(at, "second", 6));
    fails(EINVAL, mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, 100));
}

CHECK(mmap_refuses) {
    close(file("f", "0123456789"));
    int reading = open("f", O_RDONLY), writing = open("f", O_WRONLY), flags = MAP_PRIVATE | MAP_ANONYMOUS;
    fails(EINVAL, mmap(0, 0, PROT_READ, flags, -1, 0));
    fails(EINVAL, mmap(0, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
    fails(EBADF, mmap(0, PAGE, PROT_READ, MAP_PRIVATE, 99, 0));
    fails(EACCES, mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, reading, 0));
    fails(EACCES, mmap(0, PAGE, PROT_READ, MAP_PRIVATE, writing, 0));
    fails(ENODEV, mmap(0, PAGE, PROT_READ, MAP_PRIVATE, open(".", O_RDONLY), 0));
    fails(ENOMEM, mmap(0, 1L << 47, PROT_NONE, flags | MAP_NORESERVE, -1, 0));
    fails(ENOMEM, mmap(0, -1L, PROT_READ, flags, -1, 0));
    want(mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, reading, 0) != MAP_FAILED);
}

CHECK(mremap_grows_in_place) {
    char *at = memory(4);
    memset(at, 'x', 2 * PAGE);
    want(munmap(at + 2 * PAGE, 2 * PAGE) == 0);
    want(mremap(at, 2 * PAGE, 4 * PAGE, 0) == at);
    want(all(at, 'x', 2 * PAGE) && all(at + 2 * PAGE, 0, 2 * PAGE));
}

CHECK(mremap_moves) {
    char *at = memory(4);
    memset(at, 'x', 4 * PAGE);
    fails(ENOMEM, mremap(at, 2 * PAGE, 8 * PAGE, 0));
    char *moved = mremap(at, 2 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
    want(moved != MAP_FAILED && moved != at);
    want(all(moved, 'x', 2 * PAGE) && all(moved + 2 * PAGE, 0, 6 * PAGE) && all(at + 2 * PAGE, 'x', 2 * PAGE));
    faults(SIGSEGV, *(volatile char *)at);
    moved[8 * PAGE - 1] = 1;
}

CHECK(mremap_shrinks) {
    char *at = memory(4);
    memset(at, 'x', 4 * PAGE);
    want(mremap(at, 4 * PAGE, PAGE, 0) == at && all(at, 'x', PAGE));
    faults(SIGSEGV, *(volatile char *)(at + PAGE));
    fails(EFAULT, mremap(at + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
    fails(EINVAL, mremap(at, PAGE, 0, MREMAP_MAYMOVE));
    fails(EINVAL, mremap(at + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
}

CHECK(code_can_be_made) {
    unsigned char code[] = {0x8d, 0x47, 0x05, 0xc3}; /* lea 5(%rdi), %eax; ret */
    char *at = memory(1);
    memcpy(at, code, sizeof code);
    want(mprotect(at, PAGE, PROT_READ | PROT_EXEC) == 0);
    want(((int (*)(int))at)(37) == 42);
    want(mprotect(at, PAGE, PROT_READ | PROT_WRITE) == 0);
    at[2] = 6;
    want(mprotect(at, PAGE, PROT_READ | PROT_EXEC) == 0);
    want(((int (*)(int))at)(37) == 43);
}

CHECK(much_can_be_reserved) {
    char *at = mmap(0, 4L << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    want(at != MAP_FAILED);
    want(mprotect(at + (3L << 30), PAGE, PROT_READ | PROT_WRITE) == 0);
    at[3L << 30] = 1;
    want(munmap(at, 4L << 30) == 0);
}
