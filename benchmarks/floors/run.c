/* SPDX-License-Identifier: Apache-2.0
 *
 * The least work that runs a command in a Landlock sandbox and captures what it writes: pipes, a ruleset, vfork(2),
 * landlock_restrict_self(2), exec, reading to the end, waiting. Nothing of what makes a sandbox tight: no seccomp, no
 * capabilities, no scope, no descriptors closed, nothing that ends what the command leaves behind.
 *
 *   run RULES TIMES MEBIBYTES PREPARED <paths
 *
 * prints the median in microseconds. MEBIBYTES are touched by the program before; with PREPARED 1 the ruleset is made
 * once, and with 0 for each command. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "floor.h"

enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, PATH_BENEATH = 1 };

/* READ_FILE, READ_DIR, EXECUTE. */
static const uint64_t reading = 0xd;

struct beneath {
    uint64_t rights;
    int32_t fd;
} __attribute__((packed));

static char **paths;
static int rules;

static void add(int ruleset, const char *path) {
    struct beneath rule = {reading, open(path, O_PATH | O_CLOEXEC)};
    require(rule.fd >= 0 && syscall(ADD_RULE, ruleset, PATH_BENEATH, &rule, 0) == 0, path);
    close(rule.fd);
}

static int make_ruleset(void) {
    const uint64_t handled = 0xffff;
    int ruleset = (int)syscall(CREATE_RULESET, &handled, sizeof handled, 0);
    require(ruleset >= 0, "landlock_create_ruleset");
    for (int i = 0; i < rules; i++) {
        add(ruleset, paths[i]);
    }
    return ruleset;
}

static void run(int ruleset) {
    static char *const argv[] = {"/bin/true", NULL};
    static char *const environment[] = {NULL};
    char buffer[4096];
    int out[2], error[2];
    require(pipe2(out, O_CLOEXEC) == 0 && pipe2(error, O_CLOEXEC) == 0, "pipe2");
    int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pid_t child = vfork();
    if (child == 0) {
        dup2(input, 0);
        dup2(out[1], 1);
        dup2(error[1], 2);
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(RESTRICT_SELF, ruleset, 0) == 0) {
            execve(argv[0], argv, environment);
        }
        _exit(127);
    }
    require(child > 0, "vfork");
    close(input);
    close(out[1]);
    close(error[1]);
    while (read(out[0], buffer, sizeof buffer) > 0 || read(error[0], buffer, sizeof buffer) > 0) {
    }
    close(out[0]);
    close(error[0]);
    int status = 0;
    require(waitpid(child, &status, 0) == child && status == 0, "the command");
}

int main(int argc, char **argv) {
    require(argc == 5, "arguments");
    rules = atoi(argv[1]);
    size_t times = (size_t)atoi(argv[2]);
    size_t size = (size_t)atoi(argv[3]) << 20;
    int is_prepared = atoi(argv[4]);
    char line[4096];
    paths = calloc((size_t)rules + 1, sizeof *paths);
    double *results = calloc(times, sizeof *results);
    require(paths != NULL && results != NULL, "calloc");
    /* What the command needs to start, and the rest of the rules. */
    paths[0] = "/usr";
    for (int i = 1; i < rules && fgets(line, sizeof line, stdin) != NULL; i++) {
        line[strcspn(line, "\n")] = '\0';
        paths[i] = strdup(line);
    }
    if (size > 0) {
        char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        require(memory != MAP_FAILED && madvise(memory, size, MADV_NOHUGEPAGE) == 0, "memory");
        memset(memory, 1, size);
    }
    int prepared = is_prepared ? make_ruleset() : -1;
    for (size_t i = 0; i < times; i++) {
        int64_t start = nanoseconds();
        int ruleset = is_prepared ? prepared : make_ruleset();
        run(ruleset);
        if (!is_prepared) {
            close(ruleset);
        }
        results[i] = (double)(nanoseconds() - start) / 1000;
    }
    printf("%.3f\n", median(results, times));
    return 0;
}
