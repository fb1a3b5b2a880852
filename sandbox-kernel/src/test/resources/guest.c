/* What SandboxKernelIT runs, natively and in the kernel: guest WHAT [ARGUMENT]... */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static char **arguments;
static int count;

static int hello(void) {
  for (int i = 0; i < count; i++) printf("%d: %s\n", i, arguments[i]);
  printf("GREETING is %s\n", getenv("GREETING"));
  fprintf(stderr, "and a line to standard error\n");
  return 0;
}

static int cat(void) {
  for (int i = 2; i < count; i++) {
    FILE *file = fopen(arguments[i], "r");
    if (!file) {
      printf("%s: %s\n", arguments[i], strerror(errno));
      continue;
    }
    char buffer[1000];
    for (size_t size; (size = fread(buffer, 1, sizeof buffer, file)) > 0;) fwrite(buffer, 1, size, stdout);
    fclose(file);
  }
  return 0;
}

static int lines(void) {
  char line[100];
  int number = 0;
  while (fgets(line, sizeof line, stdin)) printf("%d %s", ++number, line);
  return number;
}

static int allocate(void) {
  unsigned char *blocks[500] = {0};
  unsigned long sum = 0;
  srand(1);
  for (int i = 0; i < 20000; i++) {
    int at = rand() % 500;
    size_t size = 1 + rand() % (i % 50 ? 3000 : 300000);
    free(blocks[at]);
    blocks[at] = malloc(size);
    memset(blocks[at], i, size);
    sum = sum * 31 + blocks[at][size / 2];
  }
  for (int i = 0; i < 500; i++) blocks[i] = realloc(blocks[i], 100000 + i);
  printf("%lx\n", sum);
  return 0;
}

static int floats(void) {
  for (int i = 0; i < 10; i++) printf("%d %.10f %g %e %a\n", i, sin(i), exp(i), sqrt(i), cos(i));
  printf("%.20Lf\n", 1.0L / 3);
  return 0;
}

static int leave(void) { return atoi(arguments[2]); }

static int fault(void) {
  puts("before");
  fflush(stdout);
  *(volatile int *)strtol(arguments[2], 0, 0) = 1;
  return 0;
}

static int sent(void) {
  raise(atoi(arguments[2]));
  puts("survived");
  return 3;
}

static int blocked(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, 0);
  raise(SIGTERM);
  puts("blocked");
  fflush(stdout);
  sigprocmask(SIG_UNBLOCK, &set, 0);
  puts("not here");
  return 0;
}

static int divide(void) {
  volatile int zero = 0;
  return 1 / zero;
}

static int status(void) {
  for (int i = 2; i < count; i++) {
    struct stat s;
    if (lstat(arguments[i], &s)) printf("%s: %s\n", arguments[i], strerror(errno));
    else printf("%s: %o %ld %ld %ld %ld %u\n", arguments[i], s.st_mode, (long)s.st_size, (long)s.st_ino,
                (long)s.st_mtime, (long)s.st_dev, s.st_uid);
  }
  return 0;
}

static int byName(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static int list(void) {
  struct dirent **entries;
  int found = scandir(arguments[2], &entries, 0, byName);
  for (int i = 0; i < found; i++) printf("%s %d\n", entries[i]->d_name, entries[i]->d_type);
  return found;
}

static int map(void) {
  int fd = open(arguments[2], O_RDONLY);
  struct stat s;
  fstat(fd, &s);
  char *file = mmap(0, s.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  file[0] = '#';
  fwrite(file, 1, s.st_size, stdout);
  munmap(file, s.st_size);
  char *none = mmap(0, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(none, 4096, PROT_READ | PROT_WRITE);
  none[0] = 1;
  char *fixed = mmap(none + 8192, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
  fixed[5] = 2;
  printf("%d %d %d\n", fixed == none + 8192, none[0], fixed[5]);
  char *taken = mmap(none, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  printf("%d %d\n", taken == MAP_FAILED, errno);
  munmap(none, 1 << 20);
  char *hinted = mmap(none, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  printf("%d %d\n", hinted == none, hinted[0]);
  char *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  shared[1] = 4;
  printf("%d\n", shared[1]);
  printf("%d %d\n", munmap((void *)1, 4096), errno);
  char *old = sbrk(1 << 20);
  old[1000000] = 1;
  sbrk(-(1 << 20));
  char *again = sbrk(1 << 20);
  printf("%d %d\n", again == old, again[1000000]);
  return 0;
}

static void result(const char *what, long value) {
  printf("%s: %ld %s\n", what, value, value < 0 ? strerror(errno) : "");
}

static int mistakes(void) {
  char byte;
  result("write from nowhere", write(1, (void *)8, 3));
  result("open of nowhere", open((char *)16, O_RDONLY));
  result("closed descriptor", write(77, &byte, 1));
  result("read to nowhere", read(open("/dev/zero", O_RDONLY), (void *)-1L, 3));
  result("read of a directory", read(open(arguments[2], O_RDONLY), &byte, 1));
  result("directory to write", open(arguments[2], O_WRONLY));
  result("no path", open("", O_RDONLY));
  result("seek before the start", lseek(open("/dev/null", O_RDONLY), -1, SEEK_SET) * 0);
  result("negative count", writev(1, 0, -1));
  result("size of nothing", (long)mmap(0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  result("no advice", fcntl(1, 9999));
  result("dup of nothing", dup2(99, 5));
  return 0;
}

static int devices(void) {
  char bytes[16] = "xxxxxxxxxxxxxxx";
  int null = open("/dev/null", O_RDWR);
  result("zero", read(open("/dev/zero", O_RDONLY), bytes, 16));
  printf("%d\n", bytes[3]);
  result("write null", write(null, bytes, 16));
  result("read null", read(null, bytes, 16));
  result("urandom", read(open("/dev/urandom", O_RDONLY), bytes, 16));
  return 0;
}

static int scattered(void) {
  int fd = open(arguments[2], O_RDONLY);
  char first[3], second[4];
  struct iovec in[] = {{first, sizeof first}, {second, sizeof second}};
  result("readv", readv(fd, in, 2));
  struct iovec out[] = {{second, sizeof second}, {first, 0}, {first, sizeof first}, {"\n", 1}};
  result("writev", writev(1, out, 4));
  result("pread", pread(fd, first, 3, 2));
  result("lseek", lseek(fd, 0, SEEK_CUR));
  result("end", lseek(fd, 0, SEEK_END));
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 20);
  result("dup", copy);
  result("flags", fcntl(copy, F_GETFD));
  close(fd);
  result("copy", lseek(copy, 1, SEEK_SET));
  return write(1, first, 3) == 3 ? 0 : 1;
}

static int changes(void) {
  result("create", open(arguments[2], O_WRONLY | O_CREAT, 0600));
  result("write", open(arguments[3], O_WRONLY));
  result("truncate", open(arguments[3], O_RDONLY | O_TRUNC));
  result("nowhere", open("/no/such/folder", O_WRONLY | O_CREAT, 0600));
  result("unlink", unlink(arguments[3]));
  result("mkdir", mkdir(arguments[2], 0700));
  result("access", access(arguments[3], W_OK));
  return 0;
}

static int self(void) {
  char path[4096] = "", own[4096];
  result("readlink", readlink("/proc/self/exe", path, sizeof path) > 0);
  printf("%d %s\n", strcmp(path, realpath(arguments[0], own)), getcwd(own, sizeof own));
  return access(path, X_OK);
}

static int clocks(void) {
  struct timespec pause = {0, 2000000}, before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  nanosleep(&pause, 0);
  clock_gettime(CLOCK_MONOTONIC, &after);
  long passed = (after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec;
  printf("%d %d %d\n", passed >= 2000000, clock() >= 0, time(0) > 1600000000);
  return 0;
}

static int unknown(void) {
  for (int i = 0; i < 2; i++) result("acct", acct(0));
  return 0;
}

static int yes(void) {
  for (;;) puts("yes, and yes again");
}

static void *writes(void *text) {
  return (void *)write(1, text, strlen(text));
}

/* A write waits; once a line has come O_NONBLOCK is set, and standard error is told. */
static int changed(void) {
  pthread_t writer;
  void *written;
  char line[10];
  pthread_create(&writer, 0, writes, "first\n");
  if (read(0, line, sizeof line) != 1) return 1;
  fcntl(1, F_SETFL, O_WRONLY | O_NONBLOCK);
  write(2, "set\n", 4);
  pthread_join(writer, &written);
  fcntl(1, F_SETFL, O_WRONLY);
  printf("%ld\n", (long)written);
  return 0;
}

/* Waits for input, and an alarm is far away. */
static int waits(void) {
  char byte;
  alarm(1000);
  return read(0, &byte, 1);
}

/* A large file that was mapped once, and stays. */
static int large(void) {
  int fd = open("/tmp/large", O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (ftruncate(fd, 17 << 20)) return 1;
  char *at = mmap(0, 17 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (at == MAP_FAILED) return 2;
  at[0] = 1;
  return munmap(at, 17 << 20);
}

/* Ends while what it wrote may be under way. */
static int late(void) {
  fcntl(1, F_SETFL, O_WRONLY | O_NONBLOCK);
  return write(1, "late\n", 5) != 5;
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    int (*run)(void);
  } all[] = {
    {"hello", hello}, {"cat", cat}, {"lines", lines}, {"allocate", allocate}, {"floats", floats},
    {"leave", leave}, {"fault", fault}, {"sent", sent}, {"blocked", blocked}, {"divide", divide},
    {"status", status}, {"list", list}, {"map", map}, {"mistakes", mistakes}, {"devices", devices},
    {"scattered", scattered}, {"changes", changes}, {"self", self}, {"clocks", clocks},
    {"unknown", unknown}, {"yes", yes}, {"changed", changed}, {"waits", waits}, {"large", large}, {"late", late},
  };
  arguments = argv;
  count = argc;
  for (size_t i = 0; argc > 1 && i < sizeof all / sizeof *all; i++)
    if (!strcmp(all[i].name, argv[1])) return all[i].run();
  return 99;
}
