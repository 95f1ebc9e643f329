/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls that fail while the process is being restricted: who is restricted then, and what is said of it. Needs the shim
 * (Tests/shim/faults.c). */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "crew.h"

enum { READ_WRITE = 2, THREADS = 5 };

#define FAILED "Sandbox initialization failed: Failed to restrict self: "
#define IN_PART ". THE PROCESS IS RESTRICTED IN PART: end it, and do not rely on this sandbox"

static struct NonoCapabilitySet *caps;

static void begin(const char *faults, const char *abi) {
    if (abi != NULL) {
        setenv("NONO_TEST_LANDLOCK_ABI", abi, 1);
    }
    setenv("NONO_TEST_FAIL", faults, 1);
}

static void end(void) {
    unsetenv("NONO_TEST_FAIL");
    unsetenv("NONO_TEST_LANDLOCK_ABI");
    /* A call that finds it unset makes the shim count anew. */
    free(getcwd(NULL, 0));
}

static NonoSandboxStatus status(void) {
    NonoSandboxStatus found = {.struct_size = sizeof found};
    CHECK_OK(nono_sandbox_status(&found));
    return found;
}

struct fault {
    const char *faults;
    const char *message; /* without what all have in common; NULL: it works all the same */
    int error;
    bool is_partial;
    bool has_threads;
    bool takes_root;
    bool has_no_name; /* the message names a thread by a number that is not known here */
    const char *abi;  /* NULL: that of the kernel that is there */
};

static const struct fault cases[] = {
    /* Nobody is restricted. */
    {"no_new_privs:1", "failed to set no_new_privs: Operation not permitted (os error 1)", EPERM, .has_threads = true},
    {"clone:11", "failed to restrict the calling thread: Resource temporarily unavailable (os error 11)", EAGAIN,
     .has_threads = true},
    {"landlock_restrict_self:1", "failed to restrict the calling thread: Operation not permitted (os error 1)", EPERM,
     .is_partial = false, .has_threads = false},
    {"landlock_restrict_self:7:1", "failed to restrict the calling thread: Argument list too long (os error 7)", E2BIG,
     .has_threads = true},
    {"seccomp:22", "failed to install the seccomp filter: Invalid argument (os error 22)", EINVAL, .is_partial = false,
     .has_threads = false},
    {"seccomp:22", "failed to install the seccomp filter: Invalid argument (os error 22)", EINVAL, .has_threads = true},
    {"rt_sigaction:22", "failed to stop the other threads: Invalid argument (os error 22)", EINVAL,
     .has_threads = true},
    {"rt_sigaction:22:2", "failed to stop the other threads: Invalid argument (os error 22)", EINVAL,
     .has_threads = true},
    {"rt_tgsigqueueinfo:1", "failed to stop the other threads: Operation not permitted (os error 1)", EPERM,
     .has_threads = true},
    {"rt_tgsigqueueinfo:1:3", "failed to stop the other threads: Operation not permitted (os error 1)", EPERM,
     .has_threads = true},
    /* A full queue of signals. */
    {"rt_tgsigqueueinfo:11", "failed to stop the other threads: Resource temporarily unavailable (os error 11)", EAGAIN,
     .has_threads = true},
    /* A list of threads that names none of ours, as the /proc of another PID namespace does. */
    {"rt_tgsigqueueinfo:3", "failed to stop the other threads: Device or resource busy (os error 16)", EBUSY,
     .has_threads = true},
    /* What does not matter, or passes. */
    {"clone:11", NULL, 0, .is_partial = false, .has_threads = false},
    {"unshare:1", NULL, 0, .is_partial = false, .has_threads = false},
    {"unshare:1", NULL, 0, .has_threads = true},
    {"rt_sigaction:22", NULL, 0, .is_partial = false, .has_threads = false},
    {"rt_tgsigqueueinfo:11:1,rt_tgsigqueueinfo:11:3", NULL, 0, .has_threads = true},
    {"rt_tgsigqueueinfo:3:1", NULL, 0, .has_threads = true},
    {"open:24", NULL, 0, .has_threads = true},
    {"getdents64:5", NULL, 0, .has_threads = true},
    /* Halfway. */
    {"seccomp:12:2", "failed to install the seccomp filter: Cannot allocate memory (os error 12)", ENOMEM,
     .is_partial = true},
    {"landlock_restrict_self:12:2", "failed to restrict the calling thread: Cannot allocate memory (os error 12)",
     ENOMEM, .is_partial = true, .has_threads = true},
    /* From ABI 8 on one call restricts all threads. */
    {"landlock_restrict_self:12:5", "failed to restrict thread ", ENOMEM, .is_partial = true, .has_threads = true,
     .has_no_name = true, .abi = "3"},
    {"capget:1", "failed to drop capabilities: Operation not permitted (os error 1)", EPERM, .is_partial = true},
    {"capset:1", "failed to drop capabilities: Operation not permitted (os error 1)", EPERM, .is_partial = true,
     .takes_root = true},
    {"capbset_drop:22:3", "failed to drop capabilities: Invalid argument (os error 22)", EINVAL, .is_partial = true,
     .takes_root = true},
    {"capset:1:4", "failed to restrict thread ", EPERM, .is_partial = true, .has_threads = true, .takes_root = true,
     .has_no_name = true},
};

static void check_message(const struct fault *fault) {
    char *message = nono_last_error();
    const char *expected = text(FAILED "%s%s", fault->message, fault->is_partial && !fault->has_no_name ? IN_PART : "");
    if (fault->has_no_name) {
        CHECK(message != NULL && strncmp(message, expected, strlen(expected)) == 0 && strstr(message, IN_PART) != NULL);
    } else {
        CHECK_TEXT(message, expected);
    }
    nono_string_free(message);
    CHECK_INT(nono_last_os_error(), fault->error);
}

static void apply_with(void *argument) {
    static struct crew crew;
    const struct fault *fault = argument;
    bool is_allowed = fault->message == NULL;
    if (fault->has_threads) {
        crew_start(&crew, THREADS, WAYS);
    }
    int descriptors = open_descriptors();
    begin(fault->faults, fault->abi);
    enum NonoErrorCode code = nono_sandbox_apply(caps);
    end();
    if (!CHECK_INT(code, is_allowed ? NONO_ERROR_CODE_OK : NONO_ERROR_CODE_ERR_SANDBOX_INIT)) {
        fprintf(stderr, "    with %s: %s\n", fault->faults, nono_last_error());
    }
    if (!is_allowed) {
        check_message(fault);
    }
    NonoSandboxStatus found = status();
    CHECK_INT(found.layers, is_allowed);
    CHECK_INT(found.is_incomplete, fault->is_partial);
    bool has_program = is_allowed || (fault->is_partial && strncmp(fault->faults, "seccomp", 7) != 0);
    CHECK_INT(found.seccomp_mode, has_program ? 2 : 0);
    CHECK_INT(found.no_new_privs, strncmp(fault->faults, "no_new_privs", 12) != 0);
    if (fault->is_partial) {
        if (fault->has_threads) {
            /* They run again, in whatever state. */
            (void)crew_ask(&crew);
        }
        return;
    }
    CHECK_INT(try_read("secret"), is_allowed ? EACCES : 0);
    CHECK_INT(try_read("d/f"), 0);
    if (!is_allowed) {
        CHECK_INT(open_descriptors(), descriptors);
        if (fault->has_threads && fault->error != EBUSY) {
            /* And the next time it works. */
            CHECK_OK(nono_sandbox_apply(caps));
            CHECK_INT(status().layers, 1);
            crew_check_restricted(&crew);
        } else if (fault->has_threads) {
            crew_check_free(&crew);
        }
    } else if (fault->has_threads) {
        crew_check_restricted(&crew);
    }
}

static void restricting(void) {
    if (!has_landlock(3)) {
        return;
    }
    make_directory("d");
    make_file("d/f", "contents");
    make_file("secret", "secret");
    caps = caps_with_path("d", READ_WRITE);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fault fault = cases[i];
        if (fault.takes_root && geteuid() != 0) {
            check_skip("only root has capabilities to drop");
        } else if (!in_child_with(apply_with, &fault)) {
            fprintf(stderr, "    with %s\n", fault.faults);
        }
    }
    nono_capability_set_free(caps);
}

static const struct test tests[] = {{"shim", require_shim}, {"restricting", restricting}};

CHECK_MAIN("restrict", tests)
