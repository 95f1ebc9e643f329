/* SPDX-License-Identifier: Apache-2.0
 *
 * What root may still do in a sandbox, and what not. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

enum { READ_WRITE = 2, NOBODY = 65534, LAST_CAPABILITY = 40 };

static const int kept[] = {0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 14, 15, 18, 23, 24, 28, 29, 31};

static bool is_kept(int capability) {
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if (kept[i] == capability) {
            return true;
        }
    }
    return false;
}

static void apply_allowing(uint64_t allow) {
    struct NonoCapabilitySet *caps = caps_with_path(".", READ_WRITE);
    CHECK_OK(nono_capability_set_allow_path(caps, "/usr", 0));
    CHECK_OK(nono_capability_set_allow_path(caps, "/proc", 0));
    NonoApplyOptions options = {.struct_size = sizeof options, .allow = allow};
    CHECK_OK(nono_sandbox_apply_with_options(caps, &options));
    nono_capability_set_free(caps);
}

/* Of the bounding set, which says what root could ever have. */
static void dropped(void) {
    bool before[LAST_CAPABILITY + 1];
    for (int i = 0; i <= LAST_CAPABILITY; i++) {
        before[i] = prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1;
    }
    apply_allowing(0);
    for (int i = 0; i <= LAST_CAPABILITY; i++) {
        /* CAP_SYS_RESOURCE and others are what ordinary work needs. */
        CHECK_INT(prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1, before[i] && is_kept(i));
    }
    CHECK_INT(unshare(CLONE_NEWNS), -1);
    CHECK_INT(errno, EPERM);
    CHECK_INT(chroot("."), 0);
}

static void still_works(void) {
    make_file("of-nobody", "contents");
    CHECK_INT(chown("of-nobody", NOBODY, NOBODY), 0);
    CHECK_INT(chmod("of-nobody", 0), 0);
    apply_allowing(0);
    CHECK_INT(try_read("of-nobody"), 0);
    CHECK_INT(try_append("of-nobody"), 0);
    CHECK_INT(chmod("of-nobody", 0600), 0);
    CHECK_INT(chown("of-nobody", 0, 0), 0);
    CHECK(is_denied(try_mknod("device", S_IFCHR, 1, 3)));
    CHECK_INT(try_exec("/usr/bin/true"), 0);
    CHECK_INT(socket(AF_INET, SOCK_RAW, 1), -1);
    CHECK_INT(errno, EPERM);
    CHECK_INT(setgid(NOBODY), 0);
    CHECK_INT(setuid(NOBODY), 0);
}

static void kept_with_option(void) {
    bool before = prctl(PR_CAPBSET_READ, 21, 0, 0, 0) == 1;
    apply_allowing(NONO_ALLOW_CAPABILITIES);
    CHECK_INT(prctl(PR_CAPBSET_READ, 21, 0, 0, 0) == 1, before);
    if (before) {
        CHECK_INT(unshare(CLONE_NEWNS), 0);
        int fd = socket(AF_INET, SOCK_RAW, 1);
        CHECK(fd >= 0);
        close(fd);
    }
}

/* Nothing to drop, and not allowed to touch the bounding set. */
static void without_any(void) {
    CHECK_INT(setgid(NOBODY), 0);
    CHECK_INT(setuid(NOBODY), 0);
    apply_allowing(0);
    CHECK_INT(try_create("new"), 0);
    CHECK_INT(try_read("/etc/hostname"), EACCES);
}

static void capabilities(void) {
    static void (*const bodies[])(void) = {still_works, kept_with_option, without_any, dropped};
    if (!has_landlock(1)) {
        return;
    }
    if (geteuid() != 0) {
        check_skip("only root has capabilities to drop");
        return;
    }
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        in_child(bodies[i]);
    }
}

static const struct test tests[] = {{"capabilities", capabilities}};

CHECK_MAIN("capabilities", tests)
