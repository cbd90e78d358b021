/* Notes what a process writes to the database's files, and what it has made sure of by fsync or fdatasync.

   Loaded with LD_PRELOAD into the portal's processes. Each record goes to the journal in one append, after the
   write that it tells of. A sync is noted as it begins and as it ends, by a number of its own: it vouches for what
   was written before it began, and for nothing if the process dies before it ended.
   POWER_CUT_FILES: the path of the database's file; its -wal and -journal count too. POWER_CUT_JOURNAL: the journal. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

struct record {
  char does; /* W rite, S ync begins, D one, T runcate, U nlink */
  char ending[15]; /* of the file's name: "", "-wal" or "-journal" */
  int64_t offset;
  int64_t length;
};

static int journal = -1;

static const char *ending_of(const char *path) {
  const char *base = getenv("POWER_CUT_FILES");
  if (!base) return NULL;
  size_t length = strlen(base);
  if (strncmp(path, base, length)) return NULL;
  const char *ending = path + length;
  if (!strcmp(ending, "") || !strcmp(ending, "-wal") || !strcmp(ending, "-journal")) return ending;
  return NULL;
}

static const char *ending_of_file(int file, char *path, size_t size) {
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, size - 1);
  if (length < 0) return NULL;
  path[length] = 0;
  return ending_of(path);
}

static void note(char does, const char *ending, int64_t offset, int64_t length, const void *data) {
  if (journal < 0) {
    const char *path = getenv("POWER_CUT_JOURNAL");
    if (!path) return;
    journal = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (journal < 0) abort();
  }
  struct record record = {.does = does, .offset = offset, .length = length};
  strncpy(record.ending, ending, sizeof record.ending - 1);
  struct iovec parts[2] = {{&record, sizeof record}, {(void *)data, data ? (size_t)length : 0}};
  if (writev(journal, parts, 2) != (ssize_t)(sizeof record + parts[1].iov_len)) abort();
}

#define NEXT(type, name) \
  static type next; \
  if (!next) next = (type)dlsym(RTLD_NEXT, name)

typedef ssize_t (*pwrite_type)(int, const void *, size_t, off64_t);
typedef ssize_t (*write_type)(int, const void *, size_t);
typedef int (*truncate_type)(int, off64_t);
typedef int (*sync_type)(int);
typedef int (*unlink_type)(const char *);

static ssize_t noted_pwrite(pwrite_type next, int file, const void *data, size_t length, off64_t offset) {
  char path[4096];
  ssize_t done = next(file, data, length, offset);
  const char *ending = done > 0 ? ending_of_file(file, path, sizeof path) : NULL;
  if (ending) note('W', ending, offset, done, data);
  return done;
}

ssize_t pwrite64(int file, const void *data, size_t length, off64_t offset) {
  NEXT(pwrite_type, "pwrite64");
  return noted_pwrite(next, file, data, length, offset);
}

ssize_t pwrite(int file, const void *data, size_t length, off_t offset) {
  NEXT(pwrite_type, "pwrite");
  return noted_pwrite(next, file, data, length, offset);
}

ssize_t write(int file, const void *data, size_t length) {
  NEXT(write_type, "write");
  char path[4096];
  const char *ending = file == journal ? NULL : ending_of_file(file, path, sizeof path);
  off64_t offset = ending ? lseek64(file, 0, SEEK_CUR) : 0;
  ssize_t done = next(file, data, length);
  if (ending && done > 0) note('W', ending, offset, done, data);
  return done;
}

static int noted_truncate(truncate_type next, int file, off64_t length) {
  char path[4096];
  int done = next(file, length);
  const char *ending = done ? NULL : ending_of_file(file, path, sizeof path);
  if (ending) note('T', ending, length, 0, NULL);
  return done;
}

int ftruncate64(int file, off64_t length) {
  NEXT(truncate_type, "ftruncate64");
  return noted_truncate(next, file, length);
}

int ftruncate(int file, off_t length) {
  NEXT(truncate_type, "ftruncate");
  return noted_truncate(next, file, length);
}

static int noted_sync(sync_type next, int file) {
  char path[4096];
  const char *ending = ending_of_file(file, path, sizeof path);
  static uint32_t syncs;
  int64_t number = ((int64_t)getpid() << 32) | __atomic_add_fetch(&syncs, 1, __ATOMIC_RELAXED);
  if (ending) note('S', ending, number, 0, NULL);
  int done = next(file);
  if (ending && !done) note('D', ending, number, 0, NULL);
  return done;
}

int fsync(int file) {
  NEXT(sync_type, "fsync");
  return noted_sync(next, file);
}

int fdatasync(int file) {
  NEXT(sync_type, "fdatasync");
  return noted_sync(next, file);
}

int unlink(const char *path) {
  NEXT(unlink_type, "unlink");
  int done = next(path);
  const char *ending = done ? NULL : ending_of(path);
  if (ending) note('U', ending, 0, 0, NULL);
  return done;
}
