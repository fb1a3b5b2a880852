/* Directories and names. */

CHECK(mkdir_and_rmdir) {
    struct stat status;
    want(mkdir("d", 0750) == 0 && mkdir("d/e", 0777) == 0);
    want(stat("d", &status) == 0 && S_ISDIR(status.st_mode));
    fails(EEXIST, mkdir("d", 0777));
    fails(EEXIST, mkdir("/", 0777));
    fails(ENOENT, mkdir("none/d", 0777));
    fails(ENOENT, mkdir("", 0777));
    fails(ENOTEMPTY, rmdir("d"));
    fails(EINVAL, rmdir("d/."));
    fails(ENOTEMPTY, rmdir("d/e/.."));
    want(rmdir("d/e/") == 0 && rmdir("d") == 0);
    fails(ENOENT, rmdir("d"));
}

CHECK(files_are_not_directories) {
    close(file("f", "text"));
    want(mkdir("d", 0755) == 0);
    fails(EEXIST, mkdir("f", 0755));
    fails(ENOTDIR, mkdir("f/d", 0755));
    fails(ENOTDIR, rmdir("f"));
    fails(ENOTDIR, open("f/x", O_RDONLY));
    fails(ENOTDIR, open("f/", O_RDONLY));
    fails(ENOTDIR, open("f", O_RDONLY | O_DIRECTORY));
    fails(ENOTDIR, chdir("f"));
    fails(EISDIR, unlink("d"));
    fails(EISDIR, open("d", O_RDWR));
    fails(EISDIR, open("d", O_RDONLY | O_CREAT, 0644));
    fails(EPERM, link("d", "e"));
    fails(ENOTDIR, unlink("f/"));
    struct stat status;
    fails(ENOTDIR, stat("f/.", &status));
    want(stat("d/.", &status) == 0 && stat("d/", &status) == 0);
}

CHECK(names_have_a_length) {
    char name[300], path[5000];
    memset(name, 'n', sizeof name);
    name[255] = 0;
    want(close(file(name, "x")) == 0 && holds(name, "x") && unlink(name) == 0);
    name[255] = 'n';
    name[256] = 0;
    fails(ENAMETOOLONG, open(name, O_RDWR | O_CREAT, 0644));
    fails(ENAMETOOLONG, mkdir(name, 0755));
    for (size_t i = 0; i < sizeof path; i += 2) memcpy(path + i, "./", 2);
    path[4094] = '.';
    path[4095] = 0;
    struct stat status;
    want(stat(path, &status) == 0);
    path[4095] = '/';
    path[4096] = 0;
    fails(ENAMETOOLONG, stat(path, &status));
    fails(EFAULT, open((char *)8, O_RDONLY));
}

CHECK(symbolic_links_are_followed) {
    struct stat status;
    char target[20] = "................";
    want(mkdir("d", 0755) == 0);
    close(file("d/f", "text"));
    want(symlink("d/f", "link") == 0 && symlink("d", "dir") == 0 && symlink("f", "d/inner") == 0);
    want(holds("link", "text") && holds("dir/f", "text") && holds("dir/inner", "text") && holds("dir/../link", "text"));
    want(lstat("link", &status) == 0 && S_ISLNK(status.st_mode) && status.st_size == 3);
    want(stat("link", &status) == 0 && S_ISREG(status.st_mode));
    want(lstat("dir/", &status) == 0 && S_ISDIR(status.st_mode));
    want(readlink("link", target, sizeof target) == 3 && !memcmp(target, "d/f.", 4));
    want(readlink("link", target, 2) == 2);
    fails(EINVAL, readlink("d/f", target, sizeof target));
    fails(EINVAL, syscall(SYS_readlink, "link", target, 0));
    fails(ENOENT, readlink("none", target, sizeof target));
    fails(EEXIST, symlink("x", "link"));
    fails(ENOENT, symlink("", "empty"));
    fails(EEXIST, mkdir("link", 0755));
    fails(ENOTDIR, rmdir("dir"));
    want(unlink("link") == 0 && holds("d/f", "text"));
}

CHECK(symbolic_links_may_go_nowhere) {
    want(symlink("none", "dangling") == 0);
    fails(ENOENT, open("dangling", O_RDONLY));
    fails(EEXIST, open("dangling", O_WRONLY | O_CREAT | O_EXCL, 0644));
    fails(ELOOP, open("dangling", O_RDONLY | O_NOFOLLOW));
    int fd = open("dangling", O_WRONLY | O_CREAT, 0644);
    want(fd >= 0 && write(fd, "made", 4) == 4 && holds("none", "made"));
    want(open("none", O_RDONLY | O_NOFOLLOW) >= 0);
}

CHECK(symbolic_links_have_a_limit) {
    want(symlink("loop", "loop") == 0);
    fails(ELOOP, open("loop", O_RDONLY));
    fails(ELOOP, chdir("loop/x"));
    close(file("l0", "end"));
    for (int i = 1; i <= 41; i++) {
        char from[10], to[10];
        sprintf(from, "l%d", i);
        sprintf(to, "l%d", i - 1);
        want(symlink(to, from) == 0);
    }
    want(holds("l40", "end"));
    fails(ELOOP, open("l41", O_RDONLY));
}

CHECK(open_creates) {
    struct stat status;
    umask(0027);
    int fd = open("f", O_WRONLY | O_CREAT | O_EXCL, 0666);
    want(fd >= 0 && fstat(fd, &status) == 0 && status.st_mode == (S_IFREG | 0640));
    want(write(fd, "abc", 3) == 3);
    fails(EEXIST, open("f", O_WRONLY | O_CREAT | O_EXCL, 0666));
    want(open("f", O_RDWR | O_CREAT, 0666) >= 0 && holds("f", "abc"));
    want(open("f", O_WRONLY | O_TRUNC) >= 0);
    want(fstat(fd, &status) == 0 && status.st_size == 0);
    fails(ENOENT, open("none/f", O_WRONLY | O_CREAT, 0666));
    fails(ENOENT, open("none", O_WRONLY));
    fails(EISDIR, open("new/", O_WRONLY | O_CREAT, 0666));
    want(mkdir("d", 0777) == 0 && stat("d", &status) == 0 && status.st_mode == (S_IFDIR | 0750));
    want(creat("r", 0400) >= 0 && stat("r", &status) == 0 && status.st_mode == (S_IFREG | 0400));
    want(umask(0) == 0027);
}

CHECK(rename_replaces_a_file) {
    struct stat before, after;
    int fd = file("a", "of a"), old = file("b", "of b");
    want(stat("a", &before) == 0 && rename("a", "b") == 0 && stat("b", &after) == 0);
    want(before.st_ino == after.st_ino && holds("b", "of a"));
    fails(ENOENT, stat("a", &after));
    char text[5];
    want(read(old, text, 5) == 4 && !memcmp(text, "of b", 4));
    want(fstat(old, &after) == 0 && after.st_nlink == 0);
    want(write(fd, "OF", 2) == 2 && holds("b", "OF a"));
    want(rename("b", "b") == 0 && link("b", "c") == 0 && rename("b", "c") == 0 && holds("b", "OF a"));
    fails(ENOENT, rename("none", "x"));
    fails(ENOENT, rename("b", "none/x"));
    fails(EEXIST, syscall(SYS_renameat2, AT_FDCWD, "b", AT_FDCWD, "c", RENAME_NOREPLACE));
    want(syscall(SYS_renameat2, AT_FDCWD, "b", AT_FDCWD, "new", RENAME_NOREPLACE) == 0);
}

CHECK(rename_of_directories) {
    struct stat status;
    want(mkdir("a", 0755) == 0 && mkdir("empty", 0755) == 0 && mkdir("full", 0755) == 0);
    want(mkdir("a/b", 0755) == 0);
    close(file("a/f", "text"));
    close(file("full/f", "x"));
    close(file("plain", "x"));
    fails(EINVAL, rename("a", "a/b"));
    fails(EINVAL, rename("a", "a/b/c"));
    fails(EBUSY, rename("a/.", "x"));
    fails(ENOTDIR, rename("a", "plain"));
    fails(EISDIR, rename("plain", "empty"));
    want(rename("a", "full") == -1 && (errno == ENOTEMPTY || errno == EEXIST));
    want(rename("a", "empty") == 0 && holds("empty/f", "text"));
    fails(ENOENT, stat("a", &status));
    want(rename("empty", "full/inner") == 0 && holds("full/inner/f", "text"));
    want(rename("full/inner/f", "f") == 0 && rmdir("full/inner/b") == 0 && rmdir("full/inner") == 0);
}

CHECK(hard_links_are_one_file) {
    struct stat one, two;
    close(file("a", "text"));
    want(link("a", "b") == 0 && stat("a", &one) == 0 && stat("b", &two) == 0);
    want(one.st_ino == two.st_ino && one.st_dev == two.st_dev && one.st_nlink == 2 && two.st_nlink == 2);
    want(truncate("a", 2) == 0 && holds("b", "te"));
    fails(EEXIST, link("a", "b"));
    fails(ENOENT, link("none", "c"));
    want(unlink("a") == 0 && stat("b", &two) == 0 && two.st_nlink == 1);
    want(symlink("b", "s") == 0 && link("s", "t") == 0 && lstat("t", &one) == 0 && S_ISLNK(one.st_mode));
    want(linkat(AT_FDCWD, "s", AT_FDCWD, "u", AT_SYMLINK_FOLLOW) == 0 && lstat("u", &one) == 0);
    want(one.st_ino == two.st_ino && one.st_nlink == 2);
}

CHECK(unlinked_file_lives_on) {
    struct stat status;
    char text[10];
    int fd = file("f", "text");
    want(unlink("f") == 0);
    fails(ENOENT, unlink("f"));
    fails(ENOENT, open("f", O_RDONLY));
    want(fstat(fd, &status) == 0 && status.st_nlink == 0 && status.st_size == 4);
    want(pwrite(fd, "more", 4, 4) == 4 && read(fd, text, 10) == 8 && !memcmp(text, "textmore", 8));
    close(file("f", "new"));
    want(pread(fd, text, 10, 0) == 8);
}

CHECK(removed_working_directory) {
    char path[PATH_MAX];
    struct stat status;
    want(mkdir("d", 0755) == 0 && chdir("d") == 0);
    want(rmdir("../d") == 0);
    fails(ENOENT, syscall(SYS_getcwd, path, sizeof path));
    fails(ENOENT, open("f", O_WRONLY | O_CREAT, 0644));
    fails(ENOENT, mkdir("x", 0755));
    want(stat(".", &status) == 0 && S_ISDIR(status.st_mode));
    want(chdir("..") == 0 && getcwd(path, sizeof path));
}

CHECK(working_directory_follows_a_rename) {
    char path[PATH_MAX], before[PATH_MAX];
    want(mkdir("old", 0755) == 0 && chdir("old") == 0 && getcwd(before, sizeof before));
    want(rename("../old", "../new") == 0);
    want(getcwd(path, sizeof path) && !strcmp(path + strlen(path) - 4, "/new"));
    close(file("f", "x"));
    want(chdir("..") == 0 && holds("new/f", "x"));
    fails(ENOENT, chdir(before));
}

CHECK(getcwd_needs_room) {
    char path[PATH_MAX];
    want(getcwd(path, sizeof path) == path && path[0] == '/');
    errno = 0;
    want(!getcwd(path, 2) && errno == ERANGE);
    fails(ERANGE, syscall(SYS_getcwd, path, 1));
    want(syscall(SYS_getcwd, path, sizeof path) == (long)strlen(path) + 1);
    fails(EFAULT, syscall(SYS_getcwd, 8, sizeof path));
}

CHECK(paths_relative_to_a_descriptor) {
    struct stat status, other;
    want(mkdir("d", 0755) == 0);
    close(file("d/f", "text"));
    close(file("g", "text"));
    int d = open("d", O_RDONLY | O_DIRECTORY), g = open("g", O_RDONLY);
    int fd = openat(d, "f", O_RDONLY);
    want(fd >= 0);
    want(fstatat(d, "f", &status, 0) == 0 && fstatat(fd, "", &other, AT_EMPTY_PATH) == 0);
    want(status.st_ino == other.st_ino);
    fails(ENOENT, fstatat(fd, "", &other, 0));
    fails(ENOTDIR, openat(g, "f", O_RDONLY));
    fails(EBADF, openat(99, "f", O_RDONLY));
    want(openat(99, "/dev/null", O_RDONLY) >= 0);
    want(mkdirat(d, "e", 0755) == 0 && symlinkat("f", d, "s") == 0 && holds("d/s", "text"));
    want(fstatat(d, "s", &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode));
    want(renameat(d, "f", AT_FDCWD, "moved") == 0 && linkat(AT_FDCWD, "moved", d, "again", 0) == 0);
    fails(EISDIR, unlinkat(d, "e", 0));
    fails(ENOTDIR, unlinkat(d, "s", AT_REMOVEDIR));
    want(unlinkat(d, "e", AT_REMOVEDIR) == 0 && unlinkat(d, "s", 0) == 0);
    want(fchdir(d) == 0 && holds("again", "text"));
    fails(ENOTDIR, fchdir(g));
    fails(EBADF, fchdir(99));
}

static void fill(int count) {
    for (int i = 0; i < count; i++) {
        char name[20];
        sprintf(name, "entry-%d", i);
        close(open(name, O_WRONLY | O_CREAT | O_EXCL, 0644));
    }
}

CHECK(directory_lists_all_once) {
    want(mkdir("d", 0755) == 0 && chdir("d") == 0);
    fill(198);
    want(mkdir("sub", 0755) == 0 && symlink("x", "link") == 0);
    int fd = open(".", O_RDONLY | O_DIRECTORY), seen[198] = {0}, others = 0, reads = 0;
    char buffer[1000];
    for (long size; (size = syscall(SYS_getdents64, fd, buffer, sizeof buffer)) > 0; reads++)
        for (long at = 0; at < size; at += *(unsigned short *)(buffer + at + 16)) {
            char *name = buffer + at + 19;
            int type = buffer[at + 18], which;
            if (sscanf(name, "entry-%d", &which) == 1) want(!seen[which]++ && type == DT_REG);
            else if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(name, "sub")) others += type == DT_DIR;
            else if (!strcmp(name, "link")) others += type == DT_LNK;
            else want(!"an unknown entry");
        }
    want(others == 4 && reads > 5);
    for (int i = 0; i < 198; i++) want(seen[i] == 1);
    want(syscall(SYS_getdents64, fd, buffer, sizeof buffer) == 0);
    want(lseek(fd, 0, SEEK_SET) == 0);
    fails(EINVAL, syscall(SYS_getdents64, fd, buffer, 5));
    fails(ENOTDIR, syscall(SYS_getdents64, open("entry-1", O_RDONLY), buffer, sizeof buffer));
}

CHECK(directory_positions) {
    fill(60);
    DIR *directory = opendir(".");
    for (int i = 0; i < 30; i++) want(readdir(directory));
    long at = telldir(directory);
    char name[300];
    strcpy(name, readdir(directory)->d_name);
    while (readdir(directory)) {
    }
    seekdir(directory, at);
    want(!strcmp(readdir(directory)->d_name, name));
    rewinddir(directory);
    int count = 0;
    while (readdir(directory)) count++;
    want(count == 62);
    close(open("later", O_WRONLY | O_CREAT, 0644));
    rewinddir(directory);
    for (count = 0; readdir(directory);) count++;
    want(count == 63);
}

CHECK(directory_can_be_emptied_while_it_is_read) {
    want(mkdir("d", 0755) == 0 && chdir("d") == 0);
    fill(150);
    DIR *directory = opendir(".");
    for (struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] != '.') want(unlink(entry->d_name) == 0);
    want(chdir("..") == 0 && rmdir("d") == 0);
}

CHECK(mode_bits) {
    struct stat status;
    int fd = file("f", "x");
    int modes[] = {0, 0777, 0640, 04755, 02711, 01777};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        want(chmod("f", modes[i]) == 0 && stat("f", &status) == 0 && status.st_mode == (S_IFREG | modes[i]));
        want(fchmod(fd, 0600) == 0 && fstat(fd, &status) == 0 && status.st_mode == (S_IFREG | 0600));
    }
    want(fchmodat(AT_FDCWD, "f", 0123, 0) == 0 && stat("f", &status) == 0 && status.st_mode == (S_IFREG | 0123));
    want(symlink("f", "link") == 0 && chmod("link", 0444) == 0 && stat("f", &status) == 0);
    want(status.st_mode == (S_IFREG | 0444));
    fails(ENOENT, chmod("none", 0777));
    fails(EBADF, fchmod(99, 0777));
    want(mkdir("d", 0755) == 0 && chmod("d", 01777) == 0 && stat("d", &status) == 0);
    want(status.st_mode == (S_IFDIR | 01777));
}

CHECK(times_of_a_file) {
    struct stat status;
    int fd = file("f", "x");
    struct timespec wanted[2] = {{1000, 500}, {2000, 600}};
    want(utimensat(AT_FDCWD, "f", wanted, 0) == 0 && stat("f", &status) == 0);
    want(status.st_atim.tv_sec == 1000 && status.st_atim.tv_nsec == 500);
    want(status.st_mtim.tv_sec == 2000 && status.st_mtim.tv_nsec == 600);
    want(status.st_ctim.tv_sec > 1000000000);
    struct timespec part[2] = {{0, UTIME_OMIT}, {3000, 0}};
    want(futimens(fd, part) == 0 && stat("f", &status) == 0);
    want(status.st_atim.tv_sec == 1000 && status.st_mtim.tv_sec == 3000);
    want(write(fd, "y", 1) == 1 && stat("f", &status) == 0);
    want(status.st_mtim.tv_sec > 1000000000 && status.st_atim.tv_sec == 1000);
    part[0].tv_nsec = part[1].tv_nsec = UTIME_NOW;
    want(utimensat(AT_FDCWD, "f", part, 0) == 0 && stat("f", &status) == 0);
    want(labs(status.st_atim.tv_sec - time(0)) < 3);
    want(symlink("f", "link") == 0 && utimensat(AT_FDCWD, "link", wanted, AT_SYMLINK_NOFOLLOW) == 0);
    want(lstat("link", &status) == 0 && status.st_mtim.tv_sec == 2000);
    want(stat("link", &status) == 0 && status.st_mtim.tv_sec > 1000000000);
    fails(ENOENT, utimensat(AT_FDCWD, "none", wanted, 0));
    wanted[0].tv_nsec = 2000000000;
    fails(EINVAL, utimensat(AT_FDCWD, "f", wanted, 0));
}

CHECK(directory_changes_with_its_entries) {
    struct stat status;
    struct timespec past[2] = {{1000, 0}, {2000, 0}};
    want(mkdir("d", 0755) == 0);
    const char *steps[] = {"make", "remove"};
    for (int i = 0; i < 2; i++) {
        want(utimensat(AT_FDCWD, "d", past, 0) == 0);
        want(stat("d", &status) == 0 && status.st_mtim.tv_sec == 2000);
        if (i) want(unlink("d/f") == 0);
        else close(file("d/f", steps[i]));
        want(stat("d", &status) == 0 && status.st_mtim.tv_sec > 1000000000);
    }
}

CHECK(access_asks) {
    close(file("f", "x"));
    want(chmod("f", 0644) == 0);
    want(access("f", F_OK) == 0 && access("f", R_OK | W_OK) == 0);
    fails(EACCES, access("f", X_OK));
    want(chmod("f", 0755) == 0 && access("f", X_OK) == 0);
    fails(ENOENT, access("none", F_OK));
    fails(ENOTDIR, access("f/x", F_OK));
    fails(EINVAL, access("f", 64));
    want(faccessat(AT_FDCWD, ".", X_OK | R_OK, 0) == 0);
}

CHECK(status_of_a_file) {
    struct stat status, same;
    int fd = file("f", "twelve bytes");
    want(fstat(fd, &status) == 0 && stat("f", &same) == 0 && status.st_ino == same.st_ino);
    want(S_ISREG(status.st_mode) && status.st_size == 12 && status.st_nlink == 1);
    want(status.st_uid == geteuid() && status.st_blksize > 0);
    want(stat("/dev/null", &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == 0x103);
    want(stat(".", &status) == 0 && S_ISDIR(status.st_mode) && status.st_ino != same.st_ino);
    fails(EBADF, fstat(99, &status));
    fails(EFAULT, syscall(SYS_fstat, fd, 8));
    fails(ENOENT, stat("", &status));
}

CHECK(statx_agrees) {
    close(file("f", "twelve bytes"));
    struct stat status;
    want(stat("f", &status) == 0);
    unsigned char x[256];
    want(syscall(SYS_statx, AT_FDCWD, "f", 0, 0x7ff, x) == 0);
    want((*(unsigned *)x & 0x7ff) >= 0x7ff && *(unsigned *)(x + 16) == 1);
    want(*(unsigned short *)(x + 28) == status.st_mode && *(unsigned long *)(x + 32) == status.st_ino);
    want(*(unsigned long *)(x + 40) == 12 && *(long *)(x + 0x70) == status.st_mtim.tv_sec);
    fails(ENOENT, syscall(SYS_statx, AT_FDCWD, "none", 0, 0x7ff, x));
    want(syscall(SYS_statx, open("f", O_RDONLY), "", AT_EMPTY_PATH, 0x7ff, x) == 0 && *(unsigned long *)(x + 40) == 12);
}

CHECK(files_may_be_large) {
    struct stat status;
    int fd = file("f", "");
    want(ftruncate(fd, 5L << 30) == 0);
    want(fstat(fd, &status) == 0 && status.st_size == 5L << 30);
    want(pwrite(fd, "x", 1, (5L << 30) + 7) == 1 && lseek(fd, 0, SEEK_END) == (5L << 30) + 8);
    char text[4];
    want(pread(fd, text, 4, (5L << 30) + 6) == 2 && text[0] == 0 && text[1] == 'x');
    want(ftruncate(fd, 0) == 0);
}
