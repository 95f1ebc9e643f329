/* SPDX-License-Identifier: Apache-2.0
 *
 * Running a command in a sandbox of its own as a C program does it, to tell what the library costs from what Python
 * adds: `run_nono RULES TIMES` grants /usr and so many less one of the paths it reads, and prints the median in
 * microseconds. */
#define _GNU_SOURCE
#include <limits.h>
#include <nono.h>
#include <string.h>

#include "floor.h"

static void allow(struct NonoCapabilitySet *caps, const char *path) {
    require(nono_capability_set_allow_path(caps, path, NONO_ACCESS_MODE_READ) == NONO_ERROR_CODE_OK, path);
}

static void run(const struct NonoCapabilitySet *caps) {
    static const char *const argv[] = {"/bin/true", NULL};
    const struct NonoSpawnOptions options = {
        .struct_size = sizeof options,
        .set = NONO_SPAWN_NO_WAIT,
        .stdout_mode = NONO_STDIO_PIPE,
        .stderr_mode = NONO_STDIO_PIPE,
    };
    const struct NonoCommunication all = {.struct_size = sizeof all, .max_output = UINT64_MAX};
    struct NonoOutput output = {.struct_size = sizeof output};
    struct NonoProcessStatus status = {.struct_size = sizeof status};
    struct NonoPreparedSandbox *sandbox = NULL;
    struct NonoProcess *process = NULL;
    require(nono_sandbox_prepare(caps, NULL, &sandbox) == NONO_ERROR_CODE_OK &&
                nono_sandbox_spawn(sandbox, argv, &options, &process) == NONO_ERROR_CODE_OK &&
                nono_process_communicate(process, &all, &output) == NONO_ERROR_CODE_OK &&
                nono_process_wait(process, 0, &status) == NONO_ERROR_CODE_OK && status.has_ended &&
                status.exit_code == 0,
            "the command");
    nono_string_free(output.stdout_bytes);
    nono_string_free(output.stderr_bytes);
    nono_process_free(process);
    nono_prepared_sandbox_free(sandbox);
}

int main(int argc, char **argv) {
    char path[PATH_MAX];
    require(argc == 3, "usage: run_nono RULES TIMES <PATHS");
    size_t times = (size_t)atoi(argv[2]);
    double *results = calloc(times, sizeof *results);
    require(results != NULL, "calloc");
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    allow(caps, "/usr");
    for (int i = atoi(argv[1]); i > 1; i--) {
        require(fgets(path, sizeof path, stdin) != NULL, "paths");
        path[strcspn(path, "\n")] = '\0';
        allow(caps, path);
    }
    for (size_t i = 0; i < times; i++) {
        int64_t start = nanoseconds();
        run(caps);
        results[i] = (double)(nanoseconds() - start) / 1000;
    }
    printf("%.3f\n", median(results, times));
    return 0;
}
