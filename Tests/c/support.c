/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "support.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#else
#define SOCK_CLOEXEC 0
#endif

enum { TEXTS = 512, LANDLOCK_CREATE_RULESET = 444, LANDLOCK_VERSION = 1 };

void make_directory(const char *path) {
    CHECK_INT(mkdir(path, 0755), 0);
}

void make_file(const char *path, const char *contents) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    size_t length = strlen(contents);
    CHECK(fd >= 0 && write(fd, contents, length) == (ssize_t)length);
    close(fd);
}

void make_link(const char *target, const char *path) {
    CHECK_INT(symlink(target, path), 0);
}

/* Keeps a text until long after; the tests hold but a few at a time. */
static const char *keep(char *string) {
    static char *kept[TEXTS];
    static unsigned next;
    if (string == NULL) {
        return "";
    }
    unsigned slot = next++ % TEXTS;
    free(kept[slot]);
    kept[slot] = string;
    return string;
}

const char *absolute(const char *path) {
    char *resolved = realpath(path, NULL);
    CHECK(resolved != NULL);
    return keep(resolved);
}

const char *text(const char *format, ...) {
    char *string = NULL;
    va_list arguments;
    va_start(arguments, format);
    CHECK(vasprintf(&string, format, arguments) >= 0);
    va_end(arguments);
    return keep(string);
}

static int outcome(int result) {
    return result < 0 ? errno : 0;
}

static int try_open(const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC, 0644);
    if (fd < 0) {
        return errno;
    }
    int error = 0;
    char byte = 'x';
    if ((flags & O_ACCMODE) == O_RDONLY && (flags & O_DIRECTORY) == 0) {
        error = outcome((int)read(fd, &byte, 1));
    } else if ((flags & O_ACCMODE) == O_WRONLY) {
        error = outcome((int)write(fd, &byte, 1));
    }
    close(fd);
    return error;
}

int try_read(const char *path) {
    return try_open(path, O_RDONLY);
}

int try_list(const char *path) {
    return try_open(path, O_RDONLY | O_DIRECTORY);
}

int try_write(const char *path) {
    return try_open(path, O_WRONLY);
}

int try_append(const char *path) {
    return try_open(path, O_WRONLY | O_APPEND);
}

int try_truncate(const char *path) {
    return outcome(truncate(path, 0));
}

int try_create(const char *path) {
    return try_open(path, O_WRONLY | O_CREAT | O_EXCL);
}

int try_remove(const char *path) {
    return outcome(unlink(path));
}

int try_mkdir(const char *path) {
    return outcome(mkdir(path, 0755));
}

int try_rmdir(const char *path) {
    return outcome(rmdir(path));
}

int try_rename(const char *from, const char *to) {
    return outcome(rename(from, to));
}

int try_hard_link(const char *from, const char *to) {
    return outcome(link(from, to));
}

int try_symlink(const char *path) {
    return outcome(symlink("anywhere", path));
}

int try_mknod(const char *path, mode_t type, unsigned major_number, unsigned minor_number) {
    return outcome(mknod(path, type | 0644, makedev(major_number, minor_number)));
}

int try_exec(const char *path) {
    pid_t child = fork();
    if (child == 0) {
        /* The shim cannot be read from within a sandbox, and the loader would say so. */
        unsetenv("LD_PRELOAD");
        execl(path, path, (char *)NULL);
        _exit(errno);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
        return -1;
    }
    return WEXITSTATUS(status);
}

static int try_tcp(uint16_t port, int (*call)(int, const struct sockaddr *, socklen_t)) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    int error = outcome(call(fd, (struct sockaddr *)&address, sizeof address));
    close(fd);
    return error;
}

int try_bind(uint16_t port) {
    return try_tcp(port, bind);
}

int try_connect(uint16_t port) {
    return try_tcp(port, connect);
}

int listen_on_loopback(uint16_t *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 8) == 0 &&
          getsockname(fd, (struct sockaddr *)&address, &length) == 0);
    *port = ntohs(address.sin_port);
    return fd;
}

bool is_denied(int error) {
    return error == EACCES || error == EPERM;
}

struct NonoCapabilitySet *caps_with_path(const char *path, uint32_t mode) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_OK(nono_capability_set_allow_path(caps, path, mode));
    return caps;
}

struct NonoCapabilitySet *caps_with_file(const char *path, uint32_t mode) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_OK(nono_capability_set_allow_file(caps, path, mode));
    return caps;
}

void apply(struct NonoCapabilitySet *caps) {
    if (!CHECK_OK(nono_sandbox_apply(caps))) {
        char *why = nono_last_error();
        fprintf(stderr, "    %s\n", why);
        nono_string_free(why);
    }
    nono_capability_set_free(caps);
}

int landlock_abi(void) {
#ifdef __linux__
    long abi = syscall(LANDLOCK_CREATE_RULESET, NULL, 0, LANDLOCK_VERSION);
    return abi < 0 ? 0 : (int)abi;
#else
    return 0;
#endif
}

bool has_landlock(int abi) {
    if (landlock_abi() >= abi) {
        return true;
    }
    check_skip(text("this kernel has no Landlock ABI %d", abi));
    return false;
}

void require_shim(void) {
    enum { NO_SUCH_ABI = 4242 };
    setenv("NONO_TEST_LANDLOCK_ABI", "4242", 1);
    bool is_loaded = landlock_abi() == NO_SUCH_ABI;
    unsetenv("NONO_TEST_LANDLOCK_ABI");
    if (!is_loaded) {
        fputs("the shim is missing: LD_PRELOAD has to name faults.so\n", stderr);
        exit(2);
    }
}

int open_descriptors(void) {
    DIR *directory = opendir("/proc/self/fd");
    if (!CHECK(directory != NULL)) {
        return -1;
    }
    int count = 0;
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count;
}
