/* SPDX-License-Identifier: Apache-2.0
 *
 * Another object in the place of a granted one: nono_sandbox_apply() refuses, and restricts nothing. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

enum { READ_WRITE = 2 };

#define IS_LINK "a symbolic link is on the way to it"
#define AGAIN " Grant the path again if it is meant."

/* "granted" is a directory with a file, "file" is a file, "parent/file" has a directory above it; "secret" is what a
 * swap would like to have granted. */
static void make_tree(void) {
    make_directory("granted");
    make_file("granted/f", "");
    make_file("file", "");
    make_directory("parent");
    make_file("parent/file", "");
    make_directory("secret");
    make_file("secret/f", "secret");
    make_file("secret/file", "secret");
}

/* Applies a set that is refused because of the path, with these words, and with nothing restricted. Then applies an
 * empty set, so that all else that follows is about a sandbox without the swapped grant. */
static void refuse(struct NonoCapabilitySet *caps, const char *path, const char *type, const char *why) {
    FAILS(nono_sandbox_apply(caps), NONO_ERROR_CODE_ERR_SANDBOX_INIT, OTHER, .path = path,
          .message =
              text("Sandbox initialization failed: %s is not the %s that was granted: %s." AGAIN, path, type, why));
    CHECK_INT(try_read("secret/f"), 0);
    nono_capability_set_free(caps);
    apply(nono_capability_set_new());
    CHECK_INT(try_read("secret/f"), EACCES);
}

static void directory_by_link(void) {
    struct NonoCapabilitySet *caps = caps_with_path("granted", READ_WRITE);
    const char *path = absolute("granted");
    CHECK_INT(try_rename("granted", "aside"), 0);
    make_link("secret", "granted");
    refuse(caps, path, "directory", IS_LINK);
}

/* A link back to the very object is not it either: it could be turned at any moment. */
static void directory_by_link_to_itself(void) {
    struct NonoCapabilitySet *caps = caps_with_path("granted", READ_WRITE);
    const char *path = absolute("granted");
    CHECK_INT(try_rename("granted", "aside"), 0);
    make_link("aside", "granted");
    refuse(caps, path, "directory", IS_LINK);
}

static void directory_by_directory(void) {
    struct NonoCapabilitySet *caps = caps_with_path("granted", READ_WRITE);
    const char *path = absolute("granted");
    CHECK_INT(try_rename("granted", "aside"), 0);
    CHECK_INT(try_rename("secret", "granted"), 0);
    make_directory("secret");
    make_file("secret/f", "");
    refuse(caps, path, "directory", "a directory with another identity is there now");
}

static void directory_by_file(void) {
    struct NonoCapabilitySet *caps = caps_with_path("granted", READ_WRITE);
    const char *path = absolute("granted");
    CHECK_INT(try_rename("granted", "aside"), 0);
    make_file("granted", "");
    refuse(caps, path, "directory", "a regular file with another identity is there now");
}

static void file_by_link_to_directory(void) {
    struct NonoCapabilitySet *caps = caps_with_file("file", READ_WRITE);
    const char *path = absolute("file");
    CHECK_INT(try_remove("file"), 0);
    make_link("secret", "file");
    refuse(caps, path, "regular file", IS_LINK);
}

static void file_by_directory(void) {
    struct NonoCapabilitySet *caps = caps_with_file("file", READ_WRITE);
    const char *path = absolute("file");
    CHECK_INT(try_rename("file", "aside"), 0);
    make_directory("file");
    refuse(caps, path, "regular file", "a directory with another identity is there now");
}

static void file_by_file(void) {
    struct NonoCapabilitySet *caps = caps_with_file("file", READ_WRITE);
    const char *path = absolute("file");
    CHECK_INT(try_rename("secret/file", "file"), 0);
    refuse(caps, path, "regular file", "a regular file with another identity is there now");
}

/* A hard link is how a file that cannot be moved takes the place of another. */
static void file_by_hard_link(void) {
    struct NonoCapabilitySet *caps = caps_with_file("file", READ_WRITE);
    const char *path = absolute("file");
    CHECK_INT(try_remove("file"), 0);
    CHECK_INT(try_hard_link("secret/file", "file"), 0);
    refuse(caps, path, "regular file", "a regular file with another identity is there now");
}

static void file_by_fifo(void) {
    struct NonoCapabilitySet *caps = caps_with_file("file", READ_WRITE);
    const char *path = absolute("file");
    CHECK_INT(try_rename("file", "aside"), 0);
    CHECK_INT(mkfifo("file", 0600), 0);
    refuse(caps, path, "regular file", "a FIFO with another identity is there now");
}

static void parent_by_link(void) {
    struct NonoCapabilitySet *caps = caps_with_file("parent/file", READ_WRITE);
    const char *path = absolute("parent/file");
    CHECK_INT(try_rename("parent", "aside"), 0);
    make_link("secret", "parent");
    refuse(caps, path, "regular file", IS_LINK);
}

static void parent_by_directory(void) {
    struct NonoCapabilitySet *caps = caps_with_file("parent/file", READ_WRITE);
    const char *path = absolute("parent/file");
    CHECK_INT(try_rename("parent", "aside"), 0);
    CHECK_INT(try_rename("secret", "parent"), 0);
    make_directory("secret");
    make_file("secret/f", "");
    refuse(caps, path, "regular file", "a regular file with another identity is there now");
}

/* The good grants before and after the swapped one count for nothing. */
static void among_others(void) {
    struct NonoCapabilitySet *caps = caps_with_path("parent", READ_WRITE);
    CHECK_OK(nono_capability_set_allow_path(caps, "granted", READ_WRITE));
    CHECK_OK(nono_capability_set_allow_file(caps, "file", READ_WRITE));
    const char *path = absolute("granted");
    CHECK_INT(try_rename("granted", "aside"), 0);
    make_link("secret", "granted");
    refuse(caps, path, "directory", IS_LINK);
}

/* Gone: a plain error of the system. */
static void removed(void) {
    struct NonoCapabilitySet *caps = caps_with_file("parent/file", READ_WRITE);
    const char *path = absolute("parent/file");
    CHECK_INT(try_remove("parent/file"), 0);
    FAILS(nono_sandbox_apply(caps), NONO_ERROR_CODE_ERR_UNKNOWN, IO_ERROR, .path = path, .os_error = ENOENT,
          .message = text("Landlock path error: failed to open \"%s\": No such file or directory (os error 2)", path));
    CHECK_INT(try_rmdir("parent"), 0);
    make_file("parent", "");
    FAILS(nono_sandbox_apply(caps), NONO_ERROR_CODE_ERR_UNKNOWN, IO_ERROR, .path = path, .os_error = ENOTDIR,
          .message = text("Landlock path error: failed to open \"%s\": Not a directory (os error 20)", path));
    CHECK_INT(try_read("secret/f"), 0);
    nono_capability_set_free(caps);
}

/* The same object is still it, though its contents, its mode and the link it was granted by have changed. */
static void same_object(void) {
    make_link("granted", "by_link");
    struct NonoCapabilitySet *caps = caps_with_path("by_link", READ_WRITE);
    CHECK_OK(nono_capability_set_allow_file(caps, "file", READ_WRITE));
    CHECK_INT(try_remove("by_link"), 0);
    make_link("secret", "by_link");
    CHECK_INT(try_append("file"), 0);
    CHECK_INT(chmod("file", 0600), 0);
    CHECK_INT(try_create("granted/new"), 0);
    CHECK_INT(try_rename("granted", "aside"), 0);
    CHECK_INT(try_rename("aside", "granted"), 0);
    apply(caps);
    CHECK_INT(try_read("granted/f"), 0);
    CHECK_INT(try_write("file"), 0);
    CHECK_INT(try_read("by_link/f"), EACCES);
    CHECK_INT(try_read("secret/f"), EACCES);
}

/* A working directory of another time: what was granted is the object, not the text. */
static void working_directory(void) {
    make_directory("secret/granted");
    make_file("secret/granted/f", "");
    struct NonoCapabilitySet *caps = caps_with_path("granted", READ_WRITE);
    CHECK_INT(chdir("secret"), 0);
    apply(caps);
    CHECK_INT(try_read("granted/f"), EACCES);
    CHECK_INT(try_read("../granted/f"), 0);
}

static void swaps(void) {
    static void (*const bodies[])(void) = {directory_by_link,
                                           directory_by_link_to_itself,
                                           directory_by_directory,
                                           directory_by_file,
                                           file_by_link_to_directory,
                                           file_by_directory,
                                           file_by_file,
                                           file_by_hard_link,
                                           file_by_fifo,
                                           parent_by_link,
                                           parent_by_directory,
                                           among_others,
                                           removed,
                                           same_object,
                                           working_directory};
    if (!has_landlock(3)) {
        return;
    }
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        const char *place = text("%zu", i);
        make_directory(place);
        CHECK_INT(chdir(place), 0);
        make_tree();
        in_child(bodies[i]);
        CHECK_INT(chdir(".."), 0);
    }
}

static const struct test tests[] = {{"swaps", swaps}};

CHECK_MAIN("swaps", tests)
