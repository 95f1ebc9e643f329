/* SPDX-License-Identifier: Apache-2.0
 *
 * The floors of granting and asking. `paths MILLISECONDS` reads lines `OPERATION ROW PATH` and measures each operation
 * on its path for that long; `add` adds the path to what is granted. Prints a JSON object of microseconds. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "floor.h"

enum { BATCHES = 5, SLOTS = 1 << 15 };

/* A set of strings: open addressing, no removal. */
static const char *slots[SLOTS];

static uint64_t hash_step(uint64_t hash, char byte) {
    return (hash ^ (unsigned char)byte) * 0x100000001b3;
}

static const char **slot_of(uint64_t hash, const char *path, size_t length) {
    size_t slot = (hash ^ hash >> 32) % SLOTS;
    while (slots[slot] != NULL && (strncmp(slots[slot], path, length) != 0 || slots[slot][length] != '\0')) {
        slot = (slot + 1) % SLOTS;
    }
    return &slots[slot];
}

static void insert(const char *path) {
    uint64_t hash = 0xcbf29ce484222325;
    for (const char *byte = path; *byte != '\0'; byte++) {
        hash = hash_step(hash, *byte);
    }
    *slot_of(hash, path, strlen(path)) = strdup(path);
}

/* Whether the path, or a directory above it, is in the set. */
static int is_covered(const char *path) {
    uint64_t hash = 0xcbf29ce484222325;
    size_t length = 0;
    int found = 0;
    for (;; length++) {
        if (length > 0 && (path[length] == '/' || path[length] == '\0')) {
            found |= *slot_of(hash, path, length) != NULL;
        }
        if (path[length] == '\0') {
            return found;
        }
        hash = hash_step(hash, path[length]);
    }
}

static int open_object(const char *path) {
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .mode = 0, .resolve = RESOLVE_NO_SYMLINKS};
    return (int)syscall(SYS_OPENAT2, AT_FDCWD, path, &how, sizeof how);
}

static int volatile sink;

static void grant(const char *path) {
    struct stat status;
    int fd = open_object(path);
    require(fd >= 0 && fstat(fd, &status) == 0, path);
    close(fd);
}

static void grant_link(const char *path) {
    char resolved[PATH_MAX];
    struct stat status;
    require(realpath(path, resolved) != NULL && stat(resolved, &status) == 0, path);
}

static void query(const char *path) {
    int fd = open_object(path);
    require(fd >= 0, path);
    close(fd);
    sink = is_covered(path);
}

/* The kernel tells a link before what is missing behind it: one failure is the whole answer. */
static void query_missing(const char *path) {
    require(open_object(path) < 0 && errno == ENOENT, path);
    sink = is_covered(path);
}

static void measure(const char *row, void operation(const char *), const char *path, double milliseconds) {
    double batches[BATCHES];
    int64_t start = nanoseconds();
    for (int i = 0; i < 20; i++) {
        operation(path);
    }
    double once = (double)(nanoseconds() - start) / 20;
    int count = (int)(milliseconds * 1e6 / BATCHES / once) + 1;
    for (int batch = 0; batch < BATCHES; batch++) {
        start = nanoseconds();
        for (int i = 0; i < count; i++) {
            operation(path);
        }
        batches[batch] = (double)(nanoseconds() - start) / count / 1000;
    }
    report(row, median(batches, BATCHES));
}

static const struct {
    const char *name;
    void (*function)(const char *);
} operations[] = {{"grant", grant}, {"grant_link", grant_link}, {"query", query}, {"query_missing", query_missing}};

int main(int argc, char **argv) {
    char operation[32];
    char row[64];
    char path[PATH_MAX];
    require(argc == 2, "usage: paths MILLISECONDS");
    while (scanf("%31s %63s %4095s", operation, row, path) == 3) {
        if (strcmp(operation, "add") == 0) {
            insert(path);
        }
        for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
            if (strcmp(operation, operations[i].name) == 0) {
                measure(row, operations[i].function, path, atof(argv[1]));
            }
        }
    }
    printf("}\n");
    return 0;
}
