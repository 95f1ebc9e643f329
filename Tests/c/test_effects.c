/* SPDX-License-Identifier: Apache-2.0
 *
 * What a sandbox does to files, judged by effect. Every refusal has its counterpart that still works. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

enum { READ = 0, WRITE = 1, READ_WRITE = 2 };

/* "in" is granted in each test, "out" never is. Both have a file, a file to run, and a directory. */
static void make_tree(void) {
    static const char *const places[] = {"in", "out"};
    for (size_t i = 0; i < 2; i++) {
        const char *place = places[i];
        make_directory(place);
        make_directory(text("%s/sub", place));
        make_file(text("%s/f", place), "contents");
        make_file(text("%s/g", place), "contents");
        make_file(text("%s/run", place), "not a program");
        CHECK_INT(chmod(text("%s/run", place), 0755), 0);
    }
    CHECK_INT(chmod("in", 0777), 0);
}

/* Everything that can be tried with a directory that nothing is granted in. */
static void check_closed(const char *place) {
    CHECK_INT(try_read(text("%s/f", place)), EACCES);
    CHECK_INT(try_list(place), EACCES);
    CHECK_INT(try_list(text("%s/sub", place)), EACCES);
    CHECK_INT(try_exec(text("%s/run", place)), EACCES);
    CHECK_INT(try_write(text("%s/f", place)), EACCES);
    CHECK_INT(try_append(text("%s/f", place)), EACCES);
    CHECK_INT(try_create(text("%s/new", place)), EACCES);
    CHECK_INT(try_mkdir(text("%s/new", place)), EACCES);
    CHECK_INT(try_symlink(text("%s/new", place)), EACCES);
    CHECK_INT(try_hard_link(text("%s/f", place), text("%s/new", place)), EACCES);
    CHECK_INT(try_mknod(text("%s/new", place), S_IFIFO, 0, 0), EACCES);
    CHECK_INT(try_rename(text("%s/f", place), text("%s/new", place)), EACCES);
    CHECK_INT(try_remove(text("%s/f", place)), EACCES);
    CHECK_INT(try_rmdir(text("%s/sub", place)), EACCES);
    if (landlock_abi() >= 3) {
        CHECK_INT(try_truncate(text("%s/f", place)), EACCES);
    }
}

/* Nothing granted: nothing works but what needs no right. */
static void nothing(void) {
    int already_open = open("out/f", O_RDONLY | O_CLOEXEC);
    apply(nono_capability_set_new());
    check_closed("in");
    check_closed("out");
    CHECK_INT(try_read("/etc/passwd"), EACCES);
    struct stat status;
    char byte;
    CHECK_INT(stat("out/f", &status), 0);
    CHECK_INT(read(already_open, &byte, 1), 1);
    CHECK_INT(chdir("out"), 0);
}

static void reading(void) {
    apply(caps_with_path("in", READ));
    CHECK_INT(try_read("in/f"), 0);
    CHECK_INT(try_list("in"), 0);
    CHECK_INT(try_list("in/sub"), 0);
    CHECK_INT(try_exec("in/run"), ENOEXEC);
    CHECK_INT(try_write("in/f"), EACCES);
    CHECK_INT(try_create("in/new"), EACCES);
    CHECK_INT(try_mkdir("in/new"), EACCES);
    CHECK_INT(try_remove("in/f"), EACCES);
    CHECK_INT(try_rmdir("in/sub"), EACCES);
    CHECK_INT(try_rename("in/f", "in/new"), EACCES);
    CHECK_INT(try_symlink("in/new"), EACCES);
    if (landlock_abi() >= 3) {
        CHECK_INT(try_truncate("in/f"), EACCES);
    }
    check_closed("out");
}

static void check_writable(const char *place) {
    CHECK_INT(try_write(text("%s/f", place)), 0);
    CHECK_INT(try_append(text("%s/f", place)), 0);
    CHECK_INT(try_truncate(text("%s/f", place)), 0);
    CHECK_INT(try_create(text("%s/new", place)), 0);
    CHECK_INT(try_rename(text("%s/new", place), text("%s/renamed", place)), 0);
    if (landlock_abi() >= 2) {
        CHECK_INT(try_rename(text("%s/renamed", place), text("%s/sub/moved", place)), 0);
        CHECK_INT(try_hard_link(text("%s/sub/moved", place), text("%s/linked", place)), 0);
        CHECK_INT(try_remove(text("%s/sub/moved", place)), 0);
    }
    CHECK_INT(try_symlink(text("%s/symlink", place)), 0);
    CHECK_INT(try_mknod(text("%s/fifo", place), S_IFIFO, 0, 0), 0);
    CHECK_INT(try_mkdir(text("%s/dir", place)), 0);
    CHECK_INT(try_rmdir(text("%s/dir", place)), 0);
    CHECK_INT(try_remove(text("%s/g", place)), 0);
}

static void writing(void) {
    apply(caps_with_path("in", WRITE));
    check_writable("in");
    CHECK_INT(try_read("in/f"), EACCES);
    CHECK_INT(try_list("in"), EACCES);
    CHECK_INT(try_exec("in/run"), EACCES);
    /* The directory itself belongs to the one above it. */
    CHECK_INT(try_rename("in", "elsewhere"), EACCES);
    check_closed("out");
}

static void both(void) {
    apply(caps_with_path("in", READ_WRITE));
    CHECK_INT(try_read("in/f"), 0);
    CHECK_INT(try_list("in"), 0);
    CHECK_INT(try_exec("in/run"), ENOEXEC);
    check_writable("in");
    check_closed("out");
}

/* No way in or out by moving things: what is moved may not gain rights. */
static void moving(void) {
    struct NonoCapabilitySet *caps = caps_with_path("in", READ_WRITE);
    CHECK_OK(nono_capability_set_allow_path(caps, "out", READ));
    apply(caps);
    CHECK_INT(try_read("out/f"), 0);
    CHECK_INT(try_rename("out/f", "in/stolen"), EACCES);
    CHECK_INT(try_rename("in/f", "out/new"), EACCES);
    int error = try_hard_link("out/f", "in/stolen");
    CHECK(error == EXDEV || error == EACCES);
    CHECK_INT(try_write("out/f"), EACCES);
    CHECK_INT(try_rename("in/f", "in/renamed"), 0);
}

/* Links lead to where they lead. */
static void links(void) {
    make_link("../out/f", "in/to_file");
    make_link("../out", "in/to_dir");
    make_link("in", "to_in");
    apply(caps_with_path("in", READ_WRITE));
    CHECK_INT(try_read("in/to_file"), EACCES);
    CHECK_INT(try_write("in/to_file"), EACCES);
    CHECK_INT(try_read("in/to_dir/f"), EACCES);
    CHECK_INT(try_create("in/to_dir/new"), EACCES);
    CHECK_INT(try_read("to_in/f"), 0);
    CHECK_INT(try_read("out/../in/f"), 0);
}

static void one_file(void) {
    apply(caps_with_file("in/f", READ_WRITE));
    CHECK_INT(try_read("in/f"), 0);
    CHECK_INT(try_write("in/f"), 0);
    CHECK_INT(try_truncate("in/f"), 0);
    CHECK_INT(try_remove("in/f"), EACCES);
    CHECK_INT(try_rename("in/f", "in/new"), EACCES);
    CHECK_INT(try_read("in/g"), EACCES);
    CHECK_INT(try_create("in/new"), EACCES);
    CHECK_INT(try_list("in"), EACCES);
    check_closed("out");
}

static void one_file_to_read(void) {
    apply(caps_with_file("in/run", READ));
    CHECK_INT(try_read("in/run"), 0);
    CHECK_INT(try_exec("in/run"), ENOEXEC);
    CHECK_INT(try_write("in/run"), EACCES);
    CHECK_INT(try_read("in/f"), EACCES);
}

static void one_file_to_write(void) {
    apply(caps_with_file("in/run", WRITE));
    CHECK_INT(try_append("in/run"), 0);
    CHECK_INT(try_read("in/run"), EACCES);
    CHECK_INT(try_exec("in/run"), EACCES);
    CHECK_INT(try_append("in/f"), EACCES);
}

static void device(void) {
    apply(caps_with_file("/dev/null", READ_WRITE));
    CHECK_INT(try_read("/dev/null"), 0);
    CHECK_INT(try_write("/dev/null"), 0);
    CHECK_INT(try_read("/dev/zero"), EACCES);
}

/* A device node opens the device, whatever directory it is in: WRITE does not make any, not even for root. */
static void device_nodes(void) {
    apply(caps_with_path("in", READ_WRITE));
    CHECK_INT(try_mknod("in/null", S_IFCHR, 1, 3), EACCES);
    CHECK_INT(try_mknod("in/disk", S_IFBLK, 7, 0), EACCES);
    CHECK_INT(try_mknod("in/fifo", S_IFIFO, 0, 0), 0);
    CHECK_INT(try_mknod("in/file", S_IFREG, 0, 0), 0);
}

/* A real program with what it needs. */
static void programs(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    static const char *const needed[] = {"/usr", "/bin", "/lib", "/lib64", "/etc"};
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (access(needed[i], F_OK) == 0) {
            CHECK_OK(nono_capability_set_allow_path(caps, needed[i], READ));
        }
    }
    apply(caps);
    CHECK_INT(try_exec("/bin/true"), 0);
    CHECK_INT(try_exec("in/run"), EACCES);
}

/* Children, and what they start, are bound too. */
static void grandchild(void) {
    CHECK_INT(try_read("in/f"), 0);
    check_closed("out");
}

static void inherited(void) {
    apply(caps_with_path("in", READ));
    in_child(grandchild);
}

static void as_nobody(void) {
    if (geteuid() == 0) {
        CHECK_INT(setresgid(65534, 65534, 65534), 0);
        CHECK_INT(setresuid(65534, 65534, 65534), 0);
    }
    CHECK_INT(try_read("out/f"), 0);
    apply(caps_with_path("in", READ_WRITE));
    CHECK_INT(try_read("in/f"), 0);
    CHECK_INT(try_create("in/of_nobody"), 0);
    CHECK_INT(try_read("out/f"), EACCES);
    CHECK_INT(try_list("/"), EACCES);
}

static void each_in_a_child(void) {
    static void (*const bodies[])(void) = {nothing,  reading,          writing,           both,   moving,   links,
                                           one_file, one_file_to_read, one_file_to_write, device, programs, inherited,
                                           as_nobody};
    if (!has_landlock(1)) {
        return;
    }
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        const char *place = text("%zu", i);
        make_directory(place);
        CHECK_INT(chdir(place), 0);
        make_tree();
        in_child(bodies[i]);
        /* Outside of the sandbox nothing has changed, and what was refused was not done. */
        CHECK_INT(try_read("out/f"), 0);
        CHECK_INT(access("out/new", F_OK), -1);
        CHECK_INT(chdir(".."), 0);
    }
}

static void nodes(void) {
    make_tree();
    /* That it is the sandbox which refuses shows only where it would work without. */
    if (try_mknod("out/null", S_IFCHR, 1, 3) != 0) {
        check_skip("device nodes cannot be made here anyway");
        return;
    }
    if (has_landlock(1)) {
        in_child(device_nodes);
    }
}

static const struct test tests[] = {{"files", each_in_a_child}, {"device_nodes", nodes}};

CHECK_MAIN("effects", tests)
