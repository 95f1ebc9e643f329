/* SPDX-License-Identifier: Apache-2.0
 *
 * The system calls about paths as macOS makes them. They are of POSIX, so they run everywhere: the file itself is part
 * of this program. */
#define _GNU_SOURCE
#include "../../Sources/CNono/path_macos.c"

#include <unistd.h>

#include "support.h"

static void identities(void) {
    make_directory("d");
    make_directory("d/sub");
    make_file("d/f", "");
    static const char *const paths[] = {"/",   ".",      "d",     "d/",       "d//sub", "./d/sub/",
                                        "d/f", "d/../d", "d/./f", "d/sub/..", "//",     "d/sub/../f"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct stat status;
        struct nono_sys_identity identity = {.mode = 0};
        CHECK_INT(stat(paths[i], &status), 0);
        CHECK_INT(nono_sys_identify_path(paths[i], &identity), 0);
        CHECK_INT(identity.device, (uint64_t)status.st_dev);
        CHECK_INT(identity.inode, status.st_ino);
        CHECK_INT(identity.mode, status.st_mode);
        CHECK_INT(nono_sys_identify_path(paths[i], NULL), 0);
    }
    CHECK_INT(nono_sys_identify_path(absolute("d/f"), NULL), 0);
}

/* Wherever a link stands, the path is not one without links. */
static void links(void) {
    make_directory("d");
    make_directory("d/sub");
    make_link("d", "l");
    make_link("l", "d/up");
    make_link("nowhere", "dangling");
    static const char *const paths[] = {"l",          "l/",   "l/.",      "l/sub",      "./l",
                                        "d/../l/sub", "d/up", "dangling", "dangling/x", "l/nowhere"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        CHECK_INT(nono_sys_identify_path(paths[i], NULL), -ELOOP);
    }
}

static void failures(void) {
    make_file("f", "");
    make_directory("closed");
    CHECK_INT(nono_sys_identify_path("", NULL), -ENOENT);
    CHECK_INT(nono_sys_identify_path("nowhere", NULL), -ENOENT);
    CHECK_INT(nono_sys_identify_path("nowhere/..", NULL), -ENOENT);
    CHECK_INT(nono_sys_identify_path("f/", NULL), -ENOTDIR);
    CHECK_INT(nono_sys_identify_path("f/x", NULL), -ENOTDIR);
    CHECK_INT(nono_sys_identify_path("f/.", NULL), -ENOTDIR);
    char path[PATH_MAX + 1];
    memset(path, '/', sizeof path);
    path[PATH_MAX] = '\0';
    CHECK_INT(nono_sys_identify_path(path, NULL), -ENAMETOOLONG);
    path[PATH_MAX - 1] = '\0';
    CHECK_INT(nono_sys_identify_path(path, NULL), 0);
}

static void names(void) {
    char buffer[PATH_MAX];
    make_directory("d");
    make_link("d", "l");
    const char *expected = absolute("d");
    CHECK_INT(nono_sys_name_on_disk("l", buffer, sizeof buffer), strlen(expected));
    CHECK_TEXT(buffer, expected);
    CHECK_INT(nono_sys_name_on_disk("l", buffer, strlen(expected) + 1), strlen(expected));
    CHECK_INT(nono_sys_name_on_disk("l", buffer, strlen(expected)), -ENAMETOOLONG);
    CHECK_INT(nono_sys_name_on_disk("nowhere", buffer, sizeof buffer), -ENOENT);
    CHECK_INT(nono_sys_name_on_disk("/", buffer, sizeof buffer), 1);
}

static const struct test tests[] = {
    {"identities", identities}, {"links", links}, {"failures", failures}, {"names", names}};

CHECK_MAIN("path_macos", tests)
