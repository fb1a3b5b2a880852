/*
 * Names that change under a guest's feet. On the host:
 *     swapped swap A B          exchanges two names until it is killed; says so before it begins
 *     swapped lease FILE        holds a write lease of a file and never gives it back
 * In the sandbox, each many times, counting what must not be seen:
 *     swapped read|map|link|stat|list PATH ROUNDS
 * and once: swapped open|opennow FILE
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PAGE = 4096, EXCHANGE = 2 };

static long seen, leaked, lost;

/* What is shown begins with "public". */
static void judge(const char *text) {
    seen++;
    if (strncmp(text, "public", 6)) leaked++;
}

static void reads(const char *path) {
    char text[8] = "";
    int fd = open(path, O_RDONLY | O_NOFOLLOW);
    if (fd < 0) return;
    if (read(fd, text, 6) < 0) lost++;
    else judge(text);
    close(fd);
}

static void maps(const char *path) {
    int fd = open(path, O_RDONLY | O_NOFOLLOW);
    if (fd < 0) return;
    char *page = mmap(0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
    if (page == MAP_FAILED) lost++;
    else {
        judge(page);
        munmap(page, PAGE);
    }
    close(fd);
}

static void links(const char *path) {
    char text[100] = "";
    if (readlink(path, text, sizeof text - 1) > 0) judge(text);
}

/* What is shown has 6 bytes, what is not has more. */
static void stats(const char *path) {
    struct stat status;
    if (lstat(path, &status) || !S_ISREG(status.st_mode)) return;
    judge(status.st_size == 6 ? "public" : "other");
}

static void lists(const char *path) {
    DIR *directory = opendir(path);
    if (!directory) return;
    for (struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] != '.') judge(entry->d_name);
    closedir(directory);
}

static int opens(const char *path, int flags) {
    int fd = open(path, O_RDONLY | flags);
    puts(fd >= 0 ? "opened" : strerrorname_np(errno));
    return 0;
}

static int swap(const char *a, const char *b) {
    puts("begun");
    fflush(stdout);
    while (!syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, EXCHANGE)) {}
    perror("renameat2");
    return 1;
}

static int lease(const char *path) {
    signal(SIGIO, SIG_IGN);
    if (fcntl(open(path, O_RDWR), F_SETLEASE, F_WRLCK)) {
        puts(strerrorname_np(errno));
        return 1;
    }
    puts("begun");
    fflush(stdout);
    for (;;) pause();
}

int main(int count, char **arguments) {
    static const struct {
        const char *name;
        void (*once)(const char *path);
    } all[] = {{"read", reads}, {"map", maps}, {"link", links}, {"stat", stats}, {"list", lists}};
    if (count < 3) return 2;
    if (!strcmp(arguments[1], "swap")) return swap(arguments[2], arguments[3]);
    if (!strcmp(arguments[1], "lease")) return lease(arguments[2]);
    if (!strcmp(arguments[1], "open")) return opens(arguments[2], 0);
    if (!strcmp(arguments[1], "opennow")) return opens(arguments[2], O_NONBLOCK);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (!strcmp(all[i].name, arguments[1])) {
            for (long round = atol(arguments[3]); round > 0; round--) all[i].once(arguments[2]);
            printf("%s leaked %ld lost %ld\n", seen ? "seen" : "nothing seen", leaked, lost);
            return 0;
        }
    return 2;
}
