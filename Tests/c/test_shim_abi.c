/* SPDX-License-Identifier: Apache-2.0
 *
 * What kernels of every Landlock ABI are told, call by call. Needs the shim (Tests/shim/faults.c). */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

enum { READ = 0, WRITE = 1, READ_WRITE = 2, NEWEST_REAL_ABI = 6, FIRST_SHARED_ABI = 8 };

static const struct kernel {
    int abi; /* what the kernel says */
    unsigned files;
    unsigned network;
    unsigned scopes;
    unsigned attr_size;
    int used; /* what the library makes of it */
    unsigned unenforced;
} kernels[] = {
    {1, 0x1fff, 0, 0, 8, 1, 0x3f},     {2, 0x3fff, 0, 0, 8, 2, 0x3f},     {3, 0x7fff, 0, 0, 8, 3, 0x3d},
    {4, 0x7fff, 3, 0, 16, 4, 0x3d},    {5, 0xffff, 3, 0, 16, 5, 0x39},    {6, 0xffff, 3, 3, 24, 6, 0x21},
    {7, 0xffff, 3, 3, 24, 6, 0x21},    {8, 0xffff, 3, 3, 24, 8, 0x21},    {9, 0x1ffff, 3, 3, 24, 9, 0x1},
    {10, 0x1ffff, 15, 3, 24, 10, 0x1}, {99, 0x1ffff, 15, 3, 24, 10, 0x1},
};
enum { KERNELS = sizeof kernels / sizeof kernels[0] };

/* Everything that decides which rights a rule has, and those of a kernel that knows all. */
static const struct {
    const char *path;
    bool is_file;
    uint32_t mode;
    unsigned rights;
} grants[] = {
    {"d", false, READ, 0x000d},           {"d", false, WRITE, 0x177b2},
    {"d", false, READ_WRITE, 0x177bf},    {"f", true, READ, 0x0005},
    {"f", true, WRITE, 0x14002},          {"f", true, READ_WRITE, 0x14007},
    {"fifo", true, READ, 0x0005},         {"fifo", true, READ_WRITE, 0x14007},
    {"dev", false, READ_WRITE, 0x177bf},  {"/dev/null", true, READ, 0x0005},
    {"/dev/null", true, WRITE, 0x1c002},  {"/dev/null", true, READ_WRITE, 0x1c007},
    {"/dev", false, READ, 0x000d},        {"/dev", false, WRITE, 0x1f7b2},
    {"/dev", false, READ_WRITE, 0x1f7bf}, {"/proc", false, READ_WRITE, 0x177bf},
};
enum { GRANTS = sizeof grants / sizeof grants[0] };

static void make_tree(void) {
    make_directory("d");
    make_directory("dev");
    make_file("f", "");
    CHECK_INT(mkfifo("fifo", 0600), 0);
}

static struct NonoCapabilitySet *grant_all(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    for (size_t i = 0; i < GRANTS; i++) {
        CHECK_OK((grants[i].is_file ? nono_capability_set_allow_file
                                    : nono_capability_set_allow_path)(caps, grants[i].path, grants[i].mode));
    }
    return caps;
}

static void emulate(int abi) {
    CHECK_INT(setenv("NONO_TEST_LANDLOCK_ABI", text("%d", abi), 1), 0);
}

static void emulate_nothing(void) {
    unsetenv("NONO_TEST_LANDLOCK_ABI");
    unsetenv("NONO_TEST_TRACE");
}

static void apply_set(void *caps) {
    apply(caps);
}

static void *sleep_on(void *argument) {
    for (;;) {
        pause();
    }
    return argument;
}

static void apply_with_thread(void *caps) {
    pthread_t thread;
    CHECK_INT(pthread_create(&thread, NULL, sleep_on, NULL), 0);
    apply(caps);
}

/* Applies a set in a child, and compares all that the kernel was told. Frees nothing. What only the emulated kernel
 * knows, the shim keeps from the one that is there. */
static void check_trace_of(void (*body)(void *), const struct kernel *kernel, struct NonoCapabilitySet *caps,
                           const char *expected) {
    static char trace[16384];
    if (!has_landlock(kernel->used < NEWEST_REAL_ABI ? kernel->used : NEWEST_REAL_ABI)) {
        return;
    }
    const char *path = text("%s/trace", absolute("."));
    (void)unlink(path);
    emulate(kernel->abi);
    setenv("NONO_TEST_TRACE", path, 1);
    in_child_with(body, caps);
    emulate_nothing();
    FILE *file = fopen(path, "r");
    size_t length = file != NULL ? fread(trace, 1, sizeof trace - 1, file) : 0;
    trace[length] = '\0';
    CHECK(file != NULL && fclose(file) == 0);
    CHECK_TEXT(trace, expected);
}

static void check_trace(const struct kernel *kernel, struct NonoCapabilitySet *caps, const char *expected) {
    check_trace_of(apply_set, kernel, caps, expected);
}

/* The calls, all of them, in this order, with the lines of the rules in between. */
static const char *calls(const struct kernel *kernel, unsigned network, const char *rules) {
    return text("landlock_version abi=%d\n"
                "landlock_create_ruleset size=%u handled_fs=0x%x handled_net=0x%x scoped=0x%x flags=0x0\n"
                "%sno_new_privs\nlandlock_restrict_self flags=0x0\n",
                kernel->abi, kernel->attr_size, kernel->files, network, kernel->scopes, rules);
}

static void rights(void) {
    /* Everything below /dev has a right more. */
    if (strncmp(absolute("."), "/dev/", 5) == 0) {
        check_skip("the tests run below /dev");
        return;
    }
    make_tree();
    struct NonoCapabilitySet *caps = grant_all();
    for (size_t k = 0; k < KERNELS; k++) {
        const char *rules = "";
        for (size_t i = 0; i < GRANTS; i++) {
            rules = text("%slandlock_add_rule path=%s rights=0x%x flags=0x0\n", rules, absolute(grants[i].path),
                         grants[i].rights & kernels[k].files);
        }
        check_trace(&kernels[k], caps, calls(&kernels[k], 0, rules));
    }
    nono_capability_set_free(caps);
}

static void network(void) {
    struct NonoCapabilitySet *blocked = nono_capability_set_new();
    CHECK_OK(nono_capability_set_set_network_blocked(blocked, true));
    struct NonoCapabilitySet *proxy = nono_capability_set_new();
    CHECK_OK(nono_capability_set_set_proxy_port(proxy, 8080));
    struct NonoCapabilitySet *no_port = nono_capability_set_new();
    CHECK_OK(nono_capability_set_set_network_mode(no_port, NONO_NETWORK_MODE_PROXY_ONLY));
    for (size_t k = 0; k < KERNELS; k++) {
        struct NonoCapabilitySet *sets[] = {blocked, proxy, no_port};
        for (size_t i = 0; i < 3; i++) {
            /* All of it is closed without Landlock's help. */
            if (kernels[k].network != 0 || i == 0) {
                check_trace(&kernels[k], sets[i],
                            calls(&kernels[k], kernels[k].network,
                                  i == 1 ? "landlock_add_rule port=8080 rights=0x2 flags=0x0\n" : ""));
                continue;
            }
            /* Refused before the kernel is told anything. */
            emulate(kernels[k].abi);
            setenv("NONO_TEST_FAIL", "landlock_create_ruleset:5,no_new_privs:5", 1);
            FAILS(nono_sandbox_apply(sets[i]), NONO_ERROR_CODE_ERR_SANDBOX_INIT, UNSUPPORTED_PLATFORM_FEATURE,
                  .message = "Sandbox initialization failed: Network filtering requested but kernel Landlock ABI "
                             "doesn't support it (requires V4+). Refusing to start without network restrictions.");
            unsetenv("NONO_TEST_FAIL");
            emulate_nothing();
        }
    }
    nono_capability_set_free(blocked);
    nono_capability_set_free(proxy);
    nono_capability_set_free(no_port);
}

/* Threads: each restricts itself, or one does it for all. */
static void threads(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    for (size_t k = 0; k < KERNELS; k++) {
        bool is_shared = kernels[k].abi >= FIRST_SHARED_ABI;
        check_trace_of(apply_with_thread, &kernels[k], caps,
                       text("landlock_version abi=%d\n"
                            "landlock_create_ruleset size=%u handled_fs=0x%x handled_net=0x0 scoped=0x%x flags=0x0\n"
                            "no_new_privs\nlandlock_restrict_self flags=0x0\n%s",
                            kernels[k].abi, kernels[k].attr_size, kernels[k].files, kernels[k].scopes,
                            is_shared ? "landlock_restrict_self flags=0x8\n"
                                      : "landlock_restrict_self flags=0x0\nlandlock_restrict_self flags=0x0\n"));
    }
    nono_capability_set_free(caps);
}

/* What an option leaves open is not handled, so that nothing is said of it. */
static void scopes(void) {
    static const struct {
        uint64_t allow;
        unsigned scopes;
    } cases[] = {{0, 3},
                 {NONO_ALLOW_SIGNALS, 1},
                 {NONO_ALLOW_ABSTRACT_UNIX_SOCKETS, 2},
                 {NONO_ALLOW_SIGNALS | NONO_ALLOW_ABSTRACT_UNIX_SOCKETS, 0}};
    const char *trace = text("%s/trace", absolute("."));
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        NonoApplyOptions options = {.struct_size = sizeof options, .allow = cases[i].allow};
        char line[256] = "";
        (void)unlink(trace);
        emulate(6);
        setenv("NONO_TEST_TRACE", trace, 1);
        setenv("NONO_TEST_FAIL", "landlock_create_ruleset:5", 1);
        CHECK_INT(nono_sandbox_apply_with_options(caps, &options), NONO_ERROR_CODE_ERR_SANDBOX_INIT);
        unsetenv("NONO_TEST_FAIL");
        emulate_nothing();
        FILE *file = fopen(trace, "r");
        CHECK(file != NULL && fgets(line, sizeof line, file) != NULL && fgets(line, sizeof line, file) != NULL &&
              fclose(file) == 0);
        CHECK_TEXT(line, text("landlock_create_ruleset size=24 handled_fs=0xffff handled_net=0x0 scoped=0x%x flags=0x0 "
                              "error=5\n",
                              cases[i].scopes));
    }
    nono_capability_set_free(caps);
}

/* What is left open, and what is not left open but allowed. */
static void unenforced(void) {
    static const uint64_t sockets = NONO_UNENFORCED_ABSTRACT_UNIX_SOCKETS | NONO_UNENFORCED_PATHNAME_UNIX_SOCKETS;
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    struct NonoCapabilitySet *without_sockets = nono_capability_set_new();
    CHECK(!nono_capability_set_unix_sockets_blocked(without_sockets));
    CHECK_OK(nono_capability_set_block_unix_sockets(without_sockets));
    CHECK(nono_capability_set_unix_sockets_blocked(without_sockets));
    for (size_t k = 0; k < KERNELS; k++) {
        uint64_t found = 0;
        NonoApplyOptions options = {.struct_size = sizeof options, .allow = NONO_ALLOW_SIGNALS};
        emulate(kernels[k].abi);
        CHECK_OK(nono_sandbox_unenforced(caps, NULL, &found));
        CHECK_INT(found, kernels[k].unenforced);
        CHECK_OK(nono_sandbox_unenforced(without_sockets, NULL, &found));
        CHECK_INT(found, kernels[k].unenforced & ~sockets);
        CHECK_OK(nono_sandbox_unenforced(caps, &options, &found));
        CHECK_INT(found, kernels[k].unenforced & ~(uint64_t)NONO_UNENFORCED_SIGNALS);
        options.allow = NONO_ALLOW_ABSTRACT_UNIX_SOCKETS;
        CHECK_OK(nono_sandbox_unenforced(caps, &options, &found));
        CHECK_INT(found, kernels[k].unenforced & ~(uint64_t)NONO_UNENFORCED_ABSTRACT_UNIX_SOCKETS);
        emulate_nothing();
    }
    nono_capability_set_free(caps);
    nono_capability_set_free(without_sockets);
}

/* One line for people, which names what is used, not what there is. */
static void support(void) {
    static const char *const features[] = {"Basic filesystem access control", "File rename across directories (Refer)",
                                           "File truncation (Truncate)",      "TCP network filtering",
                                           "Device ioctl filtering",          "Process scoping"};
    for (size_t k = 0; k < KERNELS; k++) {
        /* The text stops at what it knew first; newer versions are in the numbers. */
        const char *list = features[0];
        int shown = kernels[k].used < 6 ? kernels[k].used : 6;
        for (int i = 1; i < shown; i++) {
            list = text("%s, %s", list, features[i]);
        }
        emulate(kernels[k].abi);
        CHECK(nono_sandbox_is_supported());
        CHECK_INT(nono_sandbox_kernel_abi(), kernels[k].abi);
        CHECK_INT(nono_sandbox_used_abi(), kernels[k].used);
        struct NonoSupportInfo info = nono_sandbox_support_info();
        emulate_nothing();
        CHECK(info.is_supported);
        CHECK_OWNED(info.platform, "linux");
        CHECK_OWNED(info.details, text("Landlock available (Landlock V%d, features: %s)", shown, list));
    }
}

static const struct test tests[] = {
    {"shim", require_shim}, {"rights", rights},         {"network", network}, {"threads", threads},
    {"scopes", scopes},     {"unenforced", unenforced}, {"support", support},
};

CHECK_MAIN("abi", tests)
