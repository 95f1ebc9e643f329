/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels without Landlock, and old ones by effect. Needs the shim (Tests/shim/faults.c). */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

enum { READ = 0, READ_WRITE = 2, NEWEST_REAL_ABI = 6 };

static void emulate(int abi) {
    CHECK_INT(setenv("NONO_TEST_LANDLOCK_ABI", text("%d", abi), 1), 0);
}

static void emulate_nothing(void) {
    unsetenv("NONO_TEST_LANDLOCK_ABI");
}

/* A kernel without Landlock: not built in, or disabled at boot. */
static void none(void) {
    make_file("secret", "secret");
    for (int abi = -1; abi <= 0; abi++) {
        emulate(abi);
        CHECK(!nono_sandbox_is_supported());
        CHECK_INT(nono_sandbox_kernel_abi(), 0);
        CHECK_INT(nono_sandbox_used_abi(), 0);
        struct NonoSupportInfo info = nono_sandbox_support_info();
        CHECK(!info.is_supported);
        CHECK_OWNED(info.platform, "linux");
        CHECK_OWNED(info.details, "Landlock not available. Requires Linux kernel 5.13+ with Landlock enabled.");
        struct NonoCapabilitySet *caps = caps_with_path("/", READ);
        FAILS(nono_sandbox_apply(caps), NONO_ERROR_CODE_ERR_SANDBOX_INIT, UNSUPPORTED_PLATFORM_FEATURE,
              .message = "Sandbox initialization failed: No supported Landlock ABI detected (last error: ABI V1: "
                         "filesystem access probe failed: fully incompatible access-rights: "
                         "BitFlags<AccessFs>(0b1111111111111, Execute | WriteFile | ReadFile | ReadDir | RemoveDir | "
                         "RemoveFile | MakeChar | MakeDir | MakeReg | MakeSock | MakeFifo | MakeBlock | MakeSym))");
        uint64_t unenforced;
        CHECK_INT(nono_sandbox_unenforced(caps, NULL, &unenforced), NONO_ERROR_CODE_ERR_SANDBOX_INIT);
        nono_capability_set_free(caps);
        emulate_nothing();
        CHECK_INT(try_write("secret"), 0);
    }
}

/* The same in effect: what an old kernel does not know stays open, what it knows is closed. */
static void old_kernel(void *abi) {
    emulate(*(int *)abi);
    apply(caps_with_path("d", READ_WRITE));
    CHECK_INT(try_read("f"), EACCES);
    CHECK_INT(try_write("f"), EACCES);
    CHECK_INT(try_create("d/new"), 0);
    CHECK_INT(try_truncate("f"), *(int *)abi >= 3 ? EACCES : 0);
    make_directory("d/sub");
    CHECK_INT(try_rename("d/new", "d/sub/new"), *(int *)abi >= 2 ? 0 : EXDEV);
}

static void effects(void) {
    for (int abi = 1; abi <= NEWEST_REAL_ABI; abi++) {
        const char *place = text("%d", abi);
        make_directory(place);
        CHECK_INT(chdir(place), 0);
        make_directory("d");
        make_file("f", "");
        if (has_landlock(abi)) {
            in_child_with(old_kernel, &abi);
        }
        CHECK_INT(chdir(".."), 0);
    }
}

static const struct test tests[] = {{"shim", require_shim}, {"none", none}, {"effects", effects}};

CHECK_MAIN("old", tests)
