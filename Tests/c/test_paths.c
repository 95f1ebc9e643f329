/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a granted path leads. The oracle is realpath(3): the library has to find what it finds, and to fail where and
 * as it fails. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support.h"

enum { READ = 0 };

static void make_tree(void) {
    make_directory("d");
    make_directory("d/sub");
    make_directory("d/sub/deep");
    make_file("f.txt", "");
    make_file("d/f.txt", "");
    make_directory(" blanks ");
    make_directory("d\xcc\x88"); /* decomposed */
    make_link("d", "ld");
    make_link("ld", "lld");
    make_link("d/sub/", "lslash");
    make_link("d/sub/deep", "ldeep");
    make_link("f.txt", "lf");
    make_link("f.txt/", "lfslash");
    make_link("nowhere", "dangling");
    make_link("loop2", "loop1");
    make_link("loop1", "loop2");
    make_link("self", "self");
    make_link(".", "here");
    make_link("..", "up");
    make_link("../d/../f.txt", "d/back");
    make_link("/", "root");
    make_link(absolute("d/sub"), "labs");
}

/* The grant that fits what realpath(3) finds, or its error. */
static void compare(const char *path) {
    char expected[PATH_MAX + 1];
    bool exists = realpath(path, expected) != NULL;
    int error = exists ? 0 : errno;
    struct stat status = {.st_mode = 0};
    bool is_directory = exists && stat(expected, &status) == 0 && S_ISDIR(status.st_mode);
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    enum NonoErrorCode (*fits)(struct NonoCapabilitySet *, const char *, uint32_t) =
        is_directory ? nono_capability_set_allow_path : nono_capability_set_allow_file;
    enum NonoErrorCode (*other)(struct NonoCapabilitySet *, const char *, uint32_t) =
        is_directory ? nono_capability_set_allow_file : nono_capability_set_allow_path;
    if (exists) {
        if (!CHECK_OK(fits(caps, path, READ))) {
            fprintf(stderr, "    for %.60s\n", path);
        }
        CHECK_OWNED(nono_capability_set_fs_original(caps, 0), path);
        CHECK_OWNED(nono_capability_set_fs_resolved(caps, 0), expected);
        CHECK_INT(nono_capability_set_fs_is_file(caps, 0), !is_directory);
        const char *kind = is_directory ? "Expected a file but got a directory" : "Expected a directory but got a file";
        FAILS(other(caps, path, READ),
              is_directory ? NONO_ERROR_CODE_ERR_EXPECTED_FILE : NONO_ERROR_CODE_ERR_EXPECTED_DIRECTORY,
              CONFIGURATION_ERROR, .message = text("%s: %s", kind, path), .path = path,
              .remediation = text("{\"kind\":\"grant_path\",\"path\":\"%s\",\"access\":\"Read\",\"is_file\":%s}", path,
                                  is_directory ? "false" : "true"));
        CHECK_INT(nono_capability_set_fs_count(caps), 1);
    } else if (error == ENOENT) {
        for (int i = 0; i < 2; i++) {
            FAILS((i == 0 ? fits : other)(caps, path, READ), NONO_ERROR_CODE_ERR_PATH_NOT_FOUND, CONFIGURATION_ERROR,
                  .message = text("Path does not exist: %s", path), .os_error = ENOENT, .path = path);
        }
    } else {
        for (int i = 0; i < 2; i++) {
            FAILS((i == 0 ? fits : other)(caps, path, READ), NONO_ERROR_CODE_ERR_PATH_CANONICALIZATION, IO_ERROR,
                  .message = text("Failed to canonicalize path %s: %s (os error %d)", path, strerror(error), error),
                  .os_error = error, .path = path);
        }
    }
    nono_capability_set_free(caps);
}

static void spellings(void) {
    static const char *const paths[] = {
        "", ".", "..", "./", "./d", "d/", "d/.", "d/..", "d/../d", "d//sub", "d/./sub/.", "d/sub/../../d", "/", "//",
        "///", "/.", "/..", "/../..", "///tmp//", "f.txt", "./f.txt", "d/../f.txt", "d/f.txt", "ld", "ld/", "ld/.",
        "ld/..", "ld/sub", "lld/sub/..", "lslash", "lslash/..", "ldeep/..", "ldeep/../..", "labs", "labs/..",
        "labs/deep", "lf", "d/back", "here", "here/here/d", "up", "here/up", "root", "root/", "root/tmp", " blanks ",
        "d\xcc\x88", "...", "..d", "~", "~/", "~root", "$HOME", "*", "d ", " d", "d\n",
        /* What is not a directory has nothing below it, not even itself. */
        "f.txt/", "f.txt//", "f.txt/.", "f.txt/..", "f.txt/x", "f.txt/./x", "lf/", "lf/.", "lf/..", "lf/x", "lfslash",
        "d/f.txt/../sub", "d/back/",
        /* Missing, at every place. */
        "missing", "missing/", "missing/.", "missing/..", "missing/../d", "d/missing", "d/missing/../sub", "dangling",
        "dangling/", "dangling/x", "dangling/..", "ld/missing",
        /* Loops. */
        "loop1", "loop2/", "loop1/x", "self", "self/..", "d/../loop1"};
    make_tree();
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        compare(paths[i]);
    }
    CHECK_INT(chdir("d/sub"), 0);
    compare("..");
    compare("../..");
    compare("deep");
    compare("../../ld/sub");
}

/* The kernel, and realpath(3), follow 40 links. */
static void many_links(void) {
    make_directory("link0");
    for (int i = 1; i <= 42; i++) {
        make_link(text("link%d", i - 1), text("link%d", i));
    }
    static const int counts[] = {1, 39, 40, 41, 42};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        compare(text("link%d", counts[i]));
        compare(text("link%d/", counts[i]));
        compare(text("./link%d/.", counts[i]));
    }
}

static void long_paths(void) {
    static char path[3 * PATH_MAX];
    make_directory("d");
    static const size_t names[] = {NAME_MAX - 1, NAME_MAX, NAME_MAX + 1, PATH_MAX - 2,
                                   PATH_MAX - 1, PATH_MAX, PATH_MAX + 1};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        memset(path, 'a', names[i]);
        path[names[i]] = '\0';
        compare(path);
    }
    /* Longer than any system call takes, though what it names is near. */
    static const size_t repeats[] = {10, PATH_MAX / 2 - 2, PATH_MAX / 2, PATH_MAX};
    for (size_t i = 0; i < sizeof repeats / sizeof repeats[0]; i++) {
        path[0] = '\0';
        for (size_t k = 0; k < repeats[i]; k++) {
            memcpy(path + 2 * k, "./", 3);
        }
        compare(path);
        strcat(path, "d");
        compare(path);
        strcat(path, "/missing");
        compare(path);
    }
}

/* A tree whose full path is longer than PATH_MAX. */
static void deep_tree(void) {
    char name[201];
    char home[PATH_MAX];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    CHECK(getcwd(home, sizeof home) != NULL);
    for (int i = 0; i < 24; i++) {
        if (mkdir(name, 0755) != 0 || chdir(name) != 0) {
            CHECK(false);
            break;
        }
        /* Where the working directory has no name that a system call takes, nothing relative to it has. */
        if (i >= 17) {
            compare(".");
        }
    }
    /* For the removal at the end, which cannot name them either. */
    while (chdir("..") == 0 && rmdir(name) == 0) {
    }
    CHECK_INT(chdir(home), 0);
}

static void other_objects(void) {
    CHECK_INT(mkfifo("fifo", 0600), 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_INT(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    compare("fifo");
    compare("fifo/");
    compare("socket");
    compare("/dev/null");
    compare("/dev/null/");
    compare("/dev");
    compare("/proc/self");
    compare("/proc/self/");
    compare("/proc/self/cwd");
    int pipes[2];
    CHECK_INT(pipe2(pipes, O_CLOEXEC), 0);
    compare(text("/proc/self/fd/%d", pipes[0]));
    close(pipes[0]);
    close(pipes[1]);
    int directory = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    compare(text("/proc/self/fd/%d", directory));
    close(directory);
}

/* Not UTF-8: refused as text, taken as bytes, and resolved to bytes when a link leads there. */
static void not_utf8(void) {
    static const char name[] = "n\xff\xfe";
    char expected[PATH_MAX + 8];
    make_directory(name);
    make_link(name, "link");
    snprintf(expected, sizeof expected, "%s/%s", absolute("."), name);
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    FAILS_ARGUMENT(nono_capability_set_allow_path(caps, name, READ), "path is NULL or invalid UTF-8");
    CHECK_OK(nono_capability_set_allow_path_bytes(caps, name, strlen(name), READ));
    CHECK_OK(nono_capability_set_allow_path(caps, "link", READ));
    CHECK_OWNED(nono_capability_set_fs_original(caps, 0), name);
    CHECK_OWNED(nono_capability_set_fs_resolved(caps, 0), expected);
    CHECK_OWNED(nono_capability_set_fs_resolved(caps, 1), expected);
    CHECK(nono_capability_set_path_covered_bytes(caps, name, strlen(name)));
    /* Messages are text; the path of the error is bytes. */
    FAILS(nono_capability_set_allow_file_bytes(caps, name, strlen(name), READ), NONO_ERROR_CODE_ERR_EXPECTED_FILE,
          CONFIGURATION_ERROR, .message = "Expected a file but got a directory: n\xef\xbf\xbd\xef\xbf\xbd",
          .path = name,
          .remediation = "{\"kind\":\"grant_path\",\"path\":\"n\xef\xbf\xbd\xef\xbf\xbd\",\"access\":\"Read\","
                         "\"is_file\":false}");
    /* The length counts, not a terminator. */
    CHECK_OK(nono_capability_set_allow_path_bytes(caps, "link...", 4, READ));
    nono_capability_set_free(caps);
}

static void removed_working_directory(void) {
    make_directory("gone");
    CHECK_INT(chdir("gone"), 0);
    CHECK_INT(rmdir("../gone"), 0);
    compare(".");
    compare("..");
    compare("x");
    compare("/");
}

static void closed_to_us(void) {
    if (geteuid() == 0) {
        CHECK_INT(setresuid(65534, 65534, 65534), 0);
    }
    compare("closed");
    compare("closed/");
    compare("closed/below");
    compare("closed/../closed");
    compare("closed/..");
    compare("closed/missing");
    compare("link");
    compare("link/below");
}

static void without_permission(void) {
    make_directory("closed");
    make_directory("closed/below");
    make_link("closed", "link");
    CHECK_INT(chmod("closed", 0), 0);
    in_child(closed_to_us);
}

static const struct test tests[] = {
    {"spellings", spellings},
    {"many_links", many_links},
    {"long_paths", long_paths},
    {"deep_tree", deep_tree},
    {"others", other_objects},
    {"not_utf8", not_utf8},
    {"removed", removed_working_directory},
    {"permission", without_permission},
};

CHECK_MAIN("paths", tests)
