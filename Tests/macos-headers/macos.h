/* SPDX-License-Identifier: Apache-2.0
 *
 * What Sources/CNono uses of macOS's headers, as POSIX and Apple's manual pages have it, for scripts/check-macos.sh:
 * where there are no such headers, our C can still be compiled for macOS. The headers beside this one are this one. */
#ifndef STAND_IN_MACOS_H
#define STAND_IN_MACOS_H

#include <stddef.h>
#include <stdint.h>

/* <errno.h> */
int *__error(void);
#define errno (*__error())
#define ENOENT 2
#define EINTR 4
#define EIO 5
#define E2BIG 7
#define ENOEXEC 8
#define EACCES 13
#define EPERM 1
#define ENOMEM 12
#define ENOTDIR 20
#define EINVAL 22
#define ERANGE 34
#define ENOTSUP 45
#define ELOOP 62
#define ENAMETOOLONG 63

/* <limits.h> */
#define PATH_MAX 1024

/* <sys/stat.h>, <unistd.h>, <fcntl.h> */
typedef long ssize_t;
typedef int64_t off_t;
#define O_RDONLY 0
#define O_NONBLOCK 0x00000004
#define O_NOCTTY 0x00020000
#define O_CLOEXEC 0x01000000
int open(const char *path, int flags, ...);
ssize_t pread(int fd, void *buffer, size_t size, off_t offset);
struct stat {
    int32_t st_dev;
    uint16_t st_mode;
    uint16_t st_nlink;
    uint64_t st_ino;
};
#define S_IFMT 0170000
#define S_ISDIR(mode) (((mode) & S_IFMT) == 0040000)
#define S_ISLNK(mode) (((mode) & S_IFMT) == 0120000)
int stat(const char *path, struct stat *status);
int lstat(const char *path, struct stat *status);
#define S_ISREG(mode) (((mode) & S_IFMT) == 0100000)
#define AT_FDCWD (-2)
#define AT_EACCESS 0x0010
#define X_OK 1
int faccessat(int directory, const char *path, int mode, int flags);
ssize_t readlink(const char *path, char *buffer, size_t size);
char *getcwd(char *buffer, size_t size);

/* <stdlib.h>, <stdio.h>, <string.h> */
void abort(void) __attribute__((noreturn));
void free(void *memory);
void *malloc(size_t size);
void *realloc(void *memory, size_t size);
char *getenv(const char *name);
char *realpath(const char *path, char *resolved);
int snprintf(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
void *memcpy(void *to, const void *from, size_t size);
size_t strlen(const char *text);
int strerror_r(int error, char *text, size_t size);

/* <pthread.h> */
typedef struct {
    long signature;
    char contents[56];
} pthread_mutex_t;
typedef struct {
    long signature;
    char contents[8];
} pthread_once_t;
typedef unsigned long pthread_key_t;
#define PTHREAD_MUTEX_INITIALIZER {0x32AAABA7, {0}}
#define PTHREAD_ONCE_INIT {0x30B1BCBA, {0}}
int pthread_mutex_lock(pthread_mutex_t *mutex);
int pthread_mutex_unlock(pthread_mutex_t *mutex);
int pthread_once(pthread_once_t *once, void (*function)(void));
int pthread_key_create(pthread_key_t *key, void (*destructor)(void *));
int pthread_setspecific(pthread_key_t key, const void *value);
int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

/* <locale.h>, <xlocale.h> */
typedef struct _xlocale *locale_t;
#define LC_ALL_MASK 0x3F
locale_t newlocale(int mask, const char *name, locale_t base);
int freelocale(locale_t locale);
double strtod_l(const char *text, char **end, locale_t locale);

#endif
