/* SPDX-License-Identifier: Apache-2.0
 *
 * The floor of nono_sandbox_apply(): the very system calls it makes, from C, in the order that capture.c wrote down.
 * `apply RECORDING PATHS RULES TIMES` does it TIMES times, each in a child of its own, with the first RULES of the
 * paths in the file PATHS, and prints the median in microseconds. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "floor.h"

enum { MOST_CALLS = 256, MOST_WORDS = 4096 };

enum kind { VERSION, RULESET, RULE, RESTRICT, ACTION, SECCOMP, CAPGET, CAPSET, PRCTL, UNSHARE, KINDS };
static const char *const names[KINDS] = {"version", "ruleset", "rule",   "restrict", "action",
                                         "seccomp", "capget",  "capset", "prctl",    "unshare"};

struct call {
    enum kind kind;
    uint64_t *words;
};

struct program {
    unsigned short length;
    const uint64_t *instructions;
};

struct rules {
    int count;
    char **paths;
};

static struct call calls[MOST_CALLS];
static size_t call_count;

static void read_recording(const char *name) {
    FILE *file = fopen(name, "r");
    char line[1 << 16];
    require(file != NULL, name);
    while (fgets(line, sizeof line, file) != NULL) {
        struct call *call = &calls[call_count++];
        require(call_count < MOST_CALLS, "calls");
        char *rest = line + strcspn(line, " \n");
        size_t length = (size_t)(rest - line);
        while (strlen(names[call->kind]) != length || strncmp(names[call->kind], line, length) != 0) {
            require(++call->kind < KINDS, line);
        }
        call->words = calloc(MOST_WORDS, sizeof *call->words);
        for (size_t i = 0; i < MOST_WORDS && *rest == ' '; i++) {
            call->words[i] = strtoull(rest, &rest, 16);
        }
    }
    fclose(file);
}

static void add_rules(int ruleset, uint64_t rights, const struct rules *rules) {
    for (int i = 0; i < rules->count; i++) {
        const char *path = rules->paths[i];
        struct open_how how = {.flags = O_PATH | O_CLOEXEC, .mode = 0, .resolve = RESOLVE_NO_SYMLINKS};
        struct stat status;
        struct {
            uint64_t rights;
            int32_t fd;
        } __attribute__((packed)) rule = {.rights = rights,
                                          .fd = (int32_t)syscall(SYS_OPENAT2, AT_FDCWD, path, &how, sizeof how)};
        require(rule.fd >= 0 && fstat(rule.fd, &status) == 0, path);
        require(syscall(445, ruleset, 1, &rule, 0) == 0, "landlock_add_rule");
        close(rule.fd);
    }
}

/* Capabilities the process does not have any more, and such, fail as they did in the recording: that is not checked. */
static void apply(void *argument) {
    const struct rules *rules = argument;
    int ruleset = -1;
    uint32_t header[2] = {0x20080522, 0};
    uint32_t data[6];
    for (const struct call *call = calls; call < calls + call_count; call++) {
        const uint64_t *words = call->words;
        switch (call->kind) {
        case VERSION:
            syscall(444, NULL, 0, 1);
            break;
        case RULESET:
            ruleset = (int)syscall(444, words + 1, words[0], 0);
            require(ruleset >= 0, "landlock_create_ruleset");
            break;
        case RULE:
            add_rules(ruleset, words[0], rules);
            break;
        case RESTRICT:
            require(syscall(446, ruleset, words[0]) == 0, "landlock_restrict_self");
            break;
        case ACTION: {
            uint32_t action = (uint32_t)words[1];
            require(syscall(SYS_seccomp, words[0], 0, &action) == 0, "seccomp");
            break;
        }
        case SECCOMP: {
            struct program program = {.length = (unsigned short)words[1], .instructions = words + 2};
            require(syscall(SYS_seccomp, 1, words[0], &program) == 0, "seccomp");
            break;
        }
        case CAPGET:
            syscall(SYS_capget, header, data);
            break;
        case CAPSET:
            for (int i = 0; i < 6; i++) {
                data[i] = (uint32_t)words[i];
            }
            require(syscall(SYS_capset, header, data) == 0, "capset");
            break;
        case PRCTL:
            prctl((int)words[0], words[1], 0, 0, 0);
            break;
        case UNSHARE:
            unshare((int)words[0]);
            break;
        case KINDS:
            break;
        }
    }
    close(ruleset);
}

int main(int argc, char **argv) {
    require(argc == 4, "usage: apply RECORDING RULES TIMES <PATHS");
    read_recording(argv[1]);
    struct rules rules = {.count = atoi(argv[2])};
    rules.paths = calloc((size_t)rules.count, sizeof *rules.paths);
    char line[PATH_MAX];
    require(rules.paths != NULL, "calloc");
    for (int i = 0; i < rules.count; i++) {
        require(fgets(line, sizeof line, stdin) != NULL, "paths");
        line[strcspn(line, "\n")] = '\0';
        rules.paths[i] = strdup(line);
    }
    printf("%.4f\n", median_in_children(apply, &rules, (size_t)atoi(argv[3])));
    return 0;
}
