/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that load the library themselves, and close it while threads live on that have used it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

/* A second copy of the library, which is another library to the loader. */
static void copy_library(const char *path) {
    Dl_info info;
    void *symbol;
    char *(*function)(void) = nono_version;
    memcpy(&symbol, &function, sizeof symbol);
    if (!CHECK(dladdr(symbol, &info) != 0)) {
        return;
    }
    FILE *from = fopen(info.dli_fname, "rb");
    FILE *to = fopen(path, "wb");
    char buffer[65536];
    size_t length;
    while (from != NULL && to != NULL && (length = fread(buffer, 1, sizeof buffer, from)) > 0) {
        CHECK(fwrite(buffer, 1, length, to) == length);
    }
    CHECK(from != NULL && fclose(from) == 0);
    CHECK(to != NULL && fclose(to) == 0);
}

static void *fail_and_close(void *library) {
    enum NonoErrorCode (*set_mode)(struct NonoCapabilitySet *, uint32_t);
    void *symbol = dlsym(library, "nono_capability_set_set_network_mode");
    memcpy(&set_mode, &symbol, sizeof set_mode);
    CHECK_INT(set_mode(NULL, NONO_NETWORK_MODE_BLOCKED), NONO_ERROR_CODE_ERR_INVALID_ARG);
    CHECK_INT(dlclose(library), 0);
    return NULL;
}

/* The thread's error is released when the thread ends, after the program has closed the library. */
static void close_before_thread_ends(void) {
    void *library = dlopen("./copy.so", RTLD_NOW | RTLD_LOCAL);
    pthread_t thread;
    CHECK(library != NULL && pthread_create(&thread, NULL, fail_and_close, library) == 0 &&
          pthread_join(thread, NULL) == 0);
}

/* What the library asked to be done around fork() must not be left behind. */
static void close_before_fork(void) {
    void *library = dlopen("./copy.so", RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL);
    (void)fail_and_close(library);
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    int status = -1;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

static void closed_library(void) {
    copy_library("copy.so");
    in_child(close_before_thread_ends);
    in_child(close_before_fork);
}

static const struct test tests[] = {{"closed_library", closed_library}};

CHECK_MAIN("unload", tests)
