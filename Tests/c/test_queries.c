/* SPDX-License-Identifier: Apache-2.0
 *
 * Queries: the answers, and that they are what the kernel does. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

enum { READ = 0, WRITE = 1, READ_WRITE = 2 };

static uint32_t mode_of(const char *access) {
    return strcmp(access, "read") == 0 ? READ : strcmp(access, "write") == 0 ? WRITE : READ_WRITE;
}

/* The answer without strings says the same, into a buffer of any size. */
static void compare(const struct NonoQueryContext *ctx, const char *path, uint32_t mode,
                    const NonoQueryResult *result) {
    const char *granted = result->granted_path == NULL ? "" : result->granted_path;
    char buffer[4096];
    const size_t sizes[] = {0, 1, 2, 7, strlen(granted), strlen(granted) + 1, sizeof buffer};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(buffer, 'x', sizeof buffer);
        NonoPathAnswer answer = {.struct_size = sizeof answer, .path = buffer, .path_size = sizes[i], .path_length = 9};
        CHECK_OK(nono_query_context_answer_path(ctx, path, strlen(path), mode, &answer));
        CHECK(answer.status == result->status && answer.reason == result->reason);
        CHECK_INT(answer.path_length, strlen(granted));
        if (result->granted_path != NULL && sizes[i] > 0) {
            size_t kept = strlen(granted) < sizes[i] ? strlen(granted) : sizes[i] - 1;
            CHECK(memcmp(buffer, granted, kept) == 0 && buffer[kept] == '\0' && buffer[kept + 1] == 'x');
        } else {
            CHECK_INT(buffer[0], 'x');
        }
        const char *access = result->access != NULL ? result->access : result->granted;
        CHECK_INT(answer.access, access == NULL ? NONO_ACCESS_MODE_INVALID : mode_of(access));
    }
    NonoPathAnswer without = {.struct_size = sizeof without};
    CHECK_OK(nono_query_context_answer_path(ctx, path, strlen(path), mode, &without));
    CHECK_INT(without.path_length, strlen(granted));
}

/* One answer as text, for comparison: "granted_path ACCESS PATH", "insufficient_access GRANTED < REQUESTED" or
 * "path_not_granted". Checks that just the strings of the reason are there. */
static const char *ask(const struct NonoQueryContext *ctx, const char *path, uint32_t mode) {
    NonoQueryResult result;
    memset(&result, 0x5a, sizeof result);
    NonoQueryResult same;
    if (!CHECK_OK(nono_query_context_query_path(ctx, path, mode, &result)) ||
        !CHECK_OK(nono_query_context_query_path_bytes(ctx, path, strlen(path), mode, &same))) {
        return "failed";
    }
    CHECK(same.status == result.status && same.reason == result.reason);
    CHECK_TEXT(same.granted_path, result.granted_path);
    CHECK_TEXT(same.access, result.access);
    compare(ctx, path, mode, &result);
    const char *answer = "unknown";
    bool allowed = result.reason == NONO_QUERY_REASON_GRANTED_PATH;
    bool insufficient = result.reason == NONO_QUERY_REASON_INSUFFICIENT_ACCESS;
    CHECK_INT(result.status, allowed ? NONO_QUERY_STATUS_ALLOWED : NONO_QUERY_STATUS_DENIED);
    CHECK((result.granted_path != NULL) == allowed && (result.access != NULL) == allowed);
    CHECK((result.granted != NULL) == insufficient && (result.requested != NULL) == insufficient);
    if (allowed) {
        answer = text("granted_path %s %s", result.access, result.granted_path);
    } else if (insufficient) {
        answer = text("insufficient_access %s < %s", result.granted, result.requested);
    } else if (result.reason == NONO_QUERY_REASON_PATH_NOT_GRANTED) {
        answer = "path_not_granted";
    }
    char *owned[] = {result.granted_path, result.access, result.granted, result.requested,
                     same.granted_path,   same.access,   same.granted,   same.requested};
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) {
        nono_string_free(owned[i]);
    }
    return answer;
}

static struct NonoQueryContext *freeze(struct NonoCapabilitySet *caps) {
    struct NonoQueryContext *ctx = nono_query_context_new(caps);
    CHECK(ctx != NULL);
    nono_capability_set_free(caps);
    return ctx;
}

static void answers(void) {
    make_directory("r");
    make_directory("r/w");
    make_directory("r/w/rw");
    make_file("r/f", "");
    make_file("file", "");
    const char *r = absolute("r");
    const char *w = absolute("r/w");
    const char *rw = absolute("r/w/rw");
    struct NonoCapabilitySet *caps = caps_with_path("r", READ);
    CHECK_OK(nono_capability_set_allow_path(caps, "r/w", WRITE));
    CHECK_OK(nono_capability_set_allow_path(caps, "r/w/rw", READ_WRITE));
    CHECK_OK(nono_capability_set_allow_file(caps, "file", WRITE));
    struct NonoQueryContext *ctx = freeze(caps);
    CHECK_TEXT(ask(ctx, "r", READ), text("granted_path read %s", r));
    CHECK_TEXT(ask(ctx, "r/f", WRITE), "insufficient_access read < write");
    CHECK_TEXT(ask(ctx, "r/f", READ_WRITE), "insufficient_access read < read+write");
    /* All grants that cover count together, as in the kernel. The first one is named when none suffices alone. */
    CHECK_TEXT(ask(ctx, "r/w/new", READ), text("granted_path read %s", r));
    CHECK_TEXT(ask(ctx, "r/w/new", WRITE), text("granted_path write %s", w));
    CHECK_TEXT(ask(ctx, "r/w/new", READ_WRITE), text("granted_path read+write %s", r));
    CHECK_TEXT(ask(ctx, "r/w/rw/new", READ_WRITE), text("granted_path read+write %s", rw));
    CHECK_TEXT(ask(ctx, "r/w/rw/new", WRITE), text("granted_path write %s", w));
    CHECK_TEXT(ask(ctx, "file", WRITE), text("granted_path write %s", absolute("file")));
    CHECK_TEXT(ask(ctx, "file", READ), "insufficient_access write < read");
    CHECK_TEXT(ask(ctx, "file/x", WRITE), "path_not_granted");
    CHECK_TEXT(ask(ctx, "file2", WRITE), "path_not_granted");
    CHECK_TEXT(ask(ctx, ".", READ), "path_not_granted");
    CHECK_TEXT(ask(ctx, "", READ), "path_not_granted");
    CHECK_TEXT(ask(ctx, "r2", READ), "path_not_granted");
    nono_query_context_free(ctx);
}

/* What a path says and where it leads are two things. */
static void resolution(void) {
    make_directory("d");
    make_directory("secret");
    make_file("secret/f", "");
    make_link("../secret", "d/out");
    make_link("secret/f", "link");
    make_link("d", "in");
    make_link("loop", "loop");
    struct NonoQueryContext *ctx = freeze(caps_with_path("in", READ));
    const char *granted = text("granted_path read %s", absolute("d"));
    CHECK_TEXT(ask(ctx, "in/x", READ), granted);
    CHECK_TEXT(ask(ctx, "./in/./x/../y", READ), granted);
    CHECK_TEXT(ask(ctx, "d/../in/x", READ), granted);
    CHECK_TEXT(ask(ctx, "secret/../d", READ), granted);
    CHECK_TEXT(ask(ctx, "d/out", READ), "path_not_granted");
    CHECK_TEXT(ask(ctx, "d/out/f", READ), "path_not_granted");
    CHECK_TEXT(ask(ctx, "d/out/new", READ), "path_not_granted");
    CHECK_TEXT(ask(ctx, "d/missing/../../secret/f", READ), "path_not_granted");
    CHECK_TEXT(ask(ctx, "d/..", READ), "path_not_granted");
    CHECK_TEXT(ask(ctx, "link", READ), "path_not_granted");
    CHECK_TEXT(ask(ctx, "loop", READ), "path_not_granted");
    /* Now, and against the working directory of now. */
    CHECK_INT(chdir("d"), 0);
    CHECK_TEXT(ask(ctx, "x", READ), granted);
    CHECK_TEXT(ask(ctx, "d/x", READ), granted);
    CHECK_INT(chdir("../secret"), 0);
    CHECK_TEXT(ask(ctx, "x", READ), "path_not_granted");
    nono_query_context_free(ctx);
}

static void snapshot(void) {
    make_directory("d");
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    struct NonoQueryContext *before = nono_query_context_new(caps);
    CHECK_OK(nono_capability_set_allow_path(caps, "d", READ));
    struct NonoQueryContext *after = nono_query_context_new(caps);
    nono_capability_set_free(caps);
    CHECK_TEXT(ask(before, "d", READ), "path_not_granted");
    CHECK_TEXT(ask(after, "d", READ), text("granted_path read %s", absolute("d")));
    nono_query_context_free(before);
    nono_query_context_free(after);
}

static void bytes(void) {
    make_directory("n\xff");
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_OK(nono_capability_set_allow_path_bytes(caps, "n\xff", 2, READ));
    struct NonoQueryContext *ctx = freeze(caps);
    NonoQueryResult result;
    CHECK_OK(nono_query_context_query_path_bytes(ctx, "n\xff/x.", 4, READ, &result));
    CHECK_INT(result.reason, NONO_QUERY_REASON_GRANTED_PATH);
    CHECK_OWNED(result.granted_path, text("%s/n\xff", absolute(".")));
    CHECK_OWNED(result.access, "read");
    /* Not that name, but what it is shown as. */
    CHECK_TEXT(ask(ctx, "n\xef\xbf\xbd/x", READ), "path_not_granted");
    nono_query_context_free(ctx);
}

static void network(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    for (uint32_t mode = NONO_NETWORK_MODE_BLOCKED; mode <= NONO_NETWORK_MODE_PROXY_ONLY; mode++) {
        CHECK_OK(nono_capability_set_set_network_mode(caps, mode));
        struct NonoQueryContext *ctx = nono_query_context_new(caps);
        NonoQueryResult result;
        memset(&result, 0x5a, sizeof result);
        bool allowed = mode == NONO_NETWORK_MODE_ALLOW_ALL;
        CHECK_OK(nono_query_context_query_network(ctx, &result));
        CHECK_INT(result.status, allowed ? NONO_QUERY_STATUS_ALLOWED : NONO_QUERY_STATUS_DENIED);
        CHECK_INT(result.reason, allowed ? NONO_QUERY_REASON_NETWORK_ALLOWED : NONO_QUERY_REASON_NETWORK_BLOCKED);
        CHECK(result.granted_path == NULL && result.access == NULL && result.granted == NULL &&
              result.requested == NULL);
        nono_query_context_free(ctx);
    }
    nono_capability_set_free(caps);
}

/* Every answer about an existing file or directory, against what the kernel then does. */
static void answer_and_effect(void) {
    struct NonoCapabilitySet *caps = caps_with_path("tree/r", READ);
    CHECK_OK(nono_capability_set_allow_path(caps, "tree/r/w", WRITE));
    CHECK_OK(nono_capability_set_allow_path(caps, "tree/w", WRITE));
    CHECK_OK(nono_capability_set_allow_file(caps, "tree/none/f", READ_WRITE));
    CHECK_OK(nono_capability_set_allow_file(caps, "tree/w/f", READ));
    struct NonoQueryContext *ctx = nono_query_context_new(caps);
    static const char *const files[] = {"tree/r/f",    "tree/r/w/f",  "tree/w/f",    "tree/none/f",
                                        "tree/none/g", "tree/r/link", "tree/w/link", "tree/none/link"};
    enum { FILES = sizeof files / sizeof files[0] };
    bool may_read[FILES];
    bool may_write[FILES];
    for (size_t i = 0; i < FILES; i++) {
        may_read[i] = strncmp(ask(ctx, files[i], READ), "granted", 7) == 0;
        may_write[i] = strncmp(ask(ctx, files[i], WRITE), "granted", 7) == 0;
    }
    apply(caps);
    for (size_t i = 0; i < FILES; i++) {
        CHECK_INT(try_read(files[i]), may_read[i] ? 0 : EACCES);
        CHECK_INT(try_write(files[i]), may_write[i] ? 0 : EACCES);
    }
    nono_query_context_free(ctx);
}

static void like_the_kernel(void) {
    static const char *const directories[] = {"tree", "tree/r", "tree/r/w", "tree/w", "tree/none"};
    static const char *const files[] = {"tree/r/f", "tree/r/w/f", "tree/w/f", "tree/none/f", "tree/none/g"};
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
        make_directory(directories[i]);
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        make_file(files[i], "contents");
    }
    make_link("../none/g", "tree/r/link");
    make_link("../r/f", "tree/w/link");
    make_link("../w/f", "tree/none/link");
    if (has_landlock(3)) {
        in_child(answer_and_effect);
    }
}

static const struct test tests[] = {
    {"answers", answers}, {"resolution", resolution}, {"snapshot", snapshot},
    {"bytes", bytes},     {"network", network},       {"like_the_kernel", like_the_kernel},
};

CHECK_MAIN("queries", tests)
