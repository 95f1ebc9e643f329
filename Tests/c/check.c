/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "check.h"

#include <ftw.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LONGEST_CHILD_SECONDS = 60 };

struct counts {
    atomic_uint passed;
    atomic_uint failed;
    atomic_uint skipped;
};

static struct counts *counts;
static const char *current_test = "";

static void fail(const char *file, int line, const char *text) {
    atomic_fetch_add(&counts->failed, 1);
    fprintf(stderr, "%s:%d: in %s: %s", file, line, current_test, text);
}

bool check_that(bool condition, const char *file, int line, const char *text) {
    if (condition) {
        atomic_fetch_add(&counts->passed, 1);
    } else {
        fail(file, line, text);
        fputs(" is false\n", stderr);
    }
    return condition;
}

bool check_int(long long actual, long long expected, const char *file, int line, const char *text) {
    if (actual == expected) {
        atomic_fetch_add(&counts->passed, 1);
        return true;
    }
    fail(file, line, text);
    fprintf(stderr, " is %lld, expected %lld\n", actual, expected);
    return false;
}

bool check_text(const char *actual, const char *expected, const char *file, int line, const char *text) {
    if (actual == NULL || expected == NULL ? actual == expected : strcmp(actual, expected) == 0) {
        atomic_fetch_add(&counts->passed, 1);
        return true;
    }
    fail(file, line, text);
    fprintf(stderr, " is\n    %s, expected\n    %s\n", actual ? actual : "NULL", expected ? expected : "NULL");
    return false;
}

bool check_owned(char *actual, const char *expected, const char *file, int line, const char *text) {
    bool is_equal = check_text(actual, expected, file, line, text);
    nono_string_free(actual);
    return is_equal;
}

void check_failure(const struct failure *expected, const char *file, int line, const char *text) {
    char what[512];
    size_t length = 99;
    snprintf(what, sizeof what, "the message after %s", text);
    check_owned(nono_last_error(), expected->message, file, line, what);
    char *bytes = nono_last_error_bytes(&length);
    snprintf(what, sizeof what, "the length of the message after %s", text);
    /* A message may hold a NUL byte, behind which the terminated form ends. */
    check_that(bytes == NULL ? length == 0 : length >= strlen(bytes), file, line, what);
    nono_string_free(bytes);
    snprintf(what, sizeof what, "nono_last_os_error() after %s", text);
    check_int(nono_last_os_error(), expected->os_error, file, line, what);
    snprintf(what, sizeof what, "nono_last_error_path() after %s", text);
    char *path = nono_last_error_path(&length);
    check_text(path, expected->path, file, line, what);
    check_that(path == NULL ? length == 0 : length >= strlen(path), file, line, what);
    nono_string_free(path);
    snprintf(what, sizeof what, "nono_last_diagnostic_code() after %s", text);
    check_int(nono_last_diagnostic_code(), expected->diagnostic, file, line, what);
    snprintf(what, sizeof what, "nono_last_remediation_json() after %s", text);
    check_owned(nono_last_remediation_json(), expected->remediation, file, line, what);
}

void check_no_error(const char *file, int line, const char *text) {
    check_failure(&(struct failure){.diagnostic = NONO_DIAGNOSTIC_CODE_OTHER}, file, line, text);
}

void check_skip(const char *why) {
    atomic_fetch_add(&counts->skipped, 1);
    fprintf(stderr, "skipped in %s: %s\n", current_test, why);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

static int make_searchable(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)at;
    if (type == FTW_DNR || (type == FTW_D && (status->st_mode & S_IRWXU) != S_IRWXU)) {
        (void)chmod(path, S_IRWXU);
    }
    return 0;
}

static void remove_tree(const char *path) {
    nftw(path, make_searchable, 16, FTW_PHYS);
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        perror(path);
    }
}

static void run_test(const struct test *test) {
    const char *parent = getenv("TMPDIR");
    char directory[256];
    snprintf(directory, sizeof directory, "%s/nono-test-XXXXXX", parent != NULL ? parent : "/tmp");
    /* Open to everyone: some tests go on as another user. */
    if (mkdtemp(directory) == NULL || chmod(directory, 0777) != 0 || chdir(directory) != 0) {
        perror(directory);
        exit(2);
    }
    current_test = test->name;
    test->run();
    if (chdir("/") != 0) {
        perror("/");
    }
    remove_tree(directory);
}

int check_run(const char *program, const struct test *tests, size_t count) {
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (counts == MAP_FAILED) {
        perror("mmap");
        return 2;
    }
    umask(022);
    for (size_t i = 0; i < count; i++) {
        run_test(&tests[i]);
    }
    unsigned failed = atomic_load(&counts->failed);
    printf("%s: %u passed, %u failed, %u skipped\n", program, atomic_load(&counts->passed), failed,
           atomic_load(&counts->skipped));
    return failed == 0 ? 0 : 1;
}

bool in_child_with(void (*body)(void *), void *argument) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(LONGEST_CHILD_SECONDS);
        body(argument);
        fflush(NULL);
        _exit(0);
    }
    int status = -1;
    bool has_ended = CHECK(child > 0 && waitpid(child, &status, 0) == child);
    return CHECK_INT(status, 0) && has_ended;
}

static void call(void *argument) {
    void (**body)(void) = argument;
    (*body)();
}

bool in_child(void (*body)(void)) {
    return in_child_with(call, &body);
}
