/* Stands between a program and the kernel, by LD_PRELOAD: it writes down what reaches the disk of one SQLite database and
 * in which order, and lets calls fail or take their time. Nothing of the program changes.
 *
 * FAULT_DB is the absolute path of the database; only it, its -wal and its directory are looked at. FAULT_CONTROL is a
 * file of 64-bit words that the test maps too (see enum), FAULT_JOURNAL a file to which a record is appended for each
 * call, before a write is done and after a sync is. Several processes may share both. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { FAIL_WRITE, FAIL_SYNC, FAIL_ERRNO, STICKY, PARTIAL, SYNC_DELAY, GIVEN, WRITES, SYNCS, WORDS };
enum { WRITE = 1, TRUNCATE, SYNC_BEGIN, SYNC_END, UNLINK };
enum { NOT_OURS, DATABASE, LOG, DIRECTORY };

struct record { uint32_t type, file; int64_t offset, length, at; };

static int64_t none[WORDS];
static volatile int64_t *control = none;
static int journal = -1;
static char database[PATH_MAX], wal[PATH_MAX], directory[PATH_MAX];

__attribute__((constructor)) static void begin(void) {
  const char *db = getenv("FAULT_DB"), *words = getenv("FAULT_CONTROL"), *log = getenv("FAULT_JOURNAL");
  if (!db || !words) return;
  snprintf(database, sizeof database, "%s", db);
  snprintf(wal, sizeof wal, "%s-wal", db);
  snprintf(directory, sizeof directory, "%s", db);
  char *slash = strrchr(directory, '/');
  if (slash) *slash = 0;
  int fd = open(words, O_RDWR | O_CLOEXEC);
  void *m = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (m == MAP_FAILED) { perror("faultshim"); _exit(70); }
  control = m;
  if (log && (journal = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)) < 0) { perror("faultshim"); _exit(70); }
}

static int file_of(const char *path) {
  if (!*database) return NOT_OURS;
  return !strcmp(path, database) ? DATABASE : !strcmp(path, wal) ? LOG : !strcmp(path, directory) ? DIRECTORY : NOT_OURS;
}

static int which(int fd) {
  if (!*database) return NOT_OURS;
  char name[64], path[PATH_MAX];
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(name, path, sizeof path - 1);
  if (n < 0) return NOT_OURS;
  path[n] = 0;
  return file_of(path);
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void note(int type, int file, int64_t offset, const void *data, int64_t length) {
  if (journal < 0) return;
  struct record r = {type, file, offset, length, now()};
  struct iovec parts[2] = {{&r, sizeof r}, {(void *)data, data ? length : 0}};
  if (syscall(SYS_writev, journal, parts, 2) != (ssize_t)(sizeof r + parts[1].iov_len)) { perror("faultshim: journal"); _exit(70); }
}

/* due counts down to the call that fails. */
static int due(int word) {
  int64_t left = __atomic_load_n(&control[word], __ATOMIC_SEQ_CST);
  if (left < 0) { __atomic_add_fetch(&control[GIVEN], 1, __ATOMIC_SEQ_CST); return 1; }
  if (left == 0 || __atomic_sub_fetch(&control[word], 1, __ATOMIC_SEQ_CST) != 0) return 0;
  if (control[STICKY]) __atomic_store_n(&control[word], -1, __ATOMIC_SEQ_CST);
  __atomic_add_fetch(&control[GIVEN], 1, __ATOMIC_SEQ_CST);
  return 1;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
  int file = which(fd), saved;
  if (file != DATABASE && file != LOG) return syscall(SYS_pwrite64, fd, data, length, offset);
  __atomic_add_fetch(&control[WRITES], 1, __ATOMIC_SEQ_CST);
  if (due(FAIL_WRITE)) {
    saved = control[FAIL_ERRNO];
    if (control[PARTIAL] && length > 1) { /* a disk takes what it can before it says no */
      note(WRITE, file, offset, data, length / 2);
      syscall(SYS_pwrite64, fd, data, length / 2, offset);
    }
    errno = saved;
    return -1;
  }
  note(WRITE, file, offset, data, length);
  return syscall(SYS_pwrite64, fd, data, length, offset);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }

ssize_t write(int fd, const void *data, size_t length) {
  int file = which(fd);
  if (file == DATABASE || file == LOG) return pwrite64(fd, data, length, lseek(fd, 0, SEEK_CUR));
  return syscall(SYS_write, fd, data, length);
}

int ftruncate64(int fd, off64_t length) {
  int file = which(fd);
  if (file == DATABASE || file == LOG) {
    __atomic_add_fetch(&control[WRITES], 1, __ATOMIC_SEQ_CST);
    if (due(FAIL_WRITE)) { errno = control[FAIL_ERRNO]; return -1; }
    note(TRUNCATE, file, length, NULL, 0);
  }
  return syscall(SYS_ftruncate, fd, length);
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int synced(int fd, long call) {
  int file = which(fd), result;
  if (file == NOT_OURS) return syscall(call, fd);
  __atomic_add_fetch(&control[SYNCS], 1, __ATOMIC_SEQ_CST);
  if (due(FAIL_SYNC)) { errno = control[FAIL_ERRNO]; return -1; }
  note(SYNC_BEGIN, file, 0, NULL, 0);
  if (control[SYNC_DELAY]) {
    struct timespec t = {control[SYNC_DELAY] / 1000000, control[SYNC_DELAY] % 1000000 * 1000};
    nanosleep(&t, NULL);
  }
  result = syscall(call, fd);
  if (result == 0) note(SYNC_END, file, 0, NULL, 0);
  return result;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int unlink(const char *path) {
  int file = file_of(path);
  if (file == DATABASE || file == LOG) note(UNLINK, file, 0, NULL, 0);
  return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
