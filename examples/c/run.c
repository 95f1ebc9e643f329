/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a command that may read the system and write one directory, for a minute at most, and shows what came of it.
 *
 *     make -C examples/c LIBDIR=directory-of-libnono.so
 *     ./run DIRECTORY COMMAND [ARGUMENT...]
 *
 * Without arguments it runs a script that leaves a process in the background and reaches for what it was not given.
 */
#include <stdio.h>

#include <nono.h>

static int fail(const char *what) {
    char *why = nono_last_error();
    fprintf(stderr, "%s: %s\n", what, why);
    nono_string_free(why);
    return 125;
}

static struct NonoCapabilitySet *grant(const char *directory, const char *program) {
    static const char *const system[] = {"/usr", "/etc", "/bin", "/lib", "/lib64"};
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    for (size_t i = 0; i < sizeof system / sizeof system[0]; i++) {
        /* Not every system has all of them. */
        (void)nono_capability_set_allow_path(caps, system[i], NONO_ACCESS_MODE_READ);
    }
    if (nono_capability_set_allow_path(caps, directory, NONO_ACCESS_MODE_READ_WRITE) != NONO_ERROR_CODE_OK ||
        nono_capability_set_allow_program(caps, program, NULL) != NONO_ERROR_CODE_OK ||
        nono_capability_set_set_network_blocked(caps, true) != NONO_ERROR_CODE_OK) {
        nono_capability_set_free(caps);
        return NULL;
    }
    return caps;
}

static int show(struct NonoProcess *process) {
    const struct NonoCommunication all = {.struct_size = sizeof all, .max_output = UINT64_MAX};
    struct NonoOutput output = {.struct_size = sizeof output};
    struct NonoProcessStatus status = {.struct_size = sizeof status};
    if (nono_process_communicate(process, &all, &output) != NONO_ERROR_CODE_OK ||
        nono_process_wait(process, 0, &status) != NONO_ERROR_CODE_OK) {
        return fail("wait");
    }
    printf("%s after %zu bytes of output and %zu of errors, with %d\n",
           status.cause == NONO_PROCESS_TIMEOUT ? "stopped" : "ended", output.stdout_length, output.stderr_length,
           (int)status.exit_code);
    fwrite(output.stdout_bytes, 1, output.stdout_length, stdout);
    fwrite(output.stderr_bytes, 1, output.stderr_length, stderr);
    nono_string_free(output.stdout_bytes);
    nono_string_free(output.stderr_bytes);
    return 0;
}

int main(int argc, char **argv) {
    static const char *const script[] = {"sh", "-c", "echo kept >note; cat note; sleep 1000 & cat /root/*", NULL};
    if (argc == 2) {
        fprintf(stderr, "usage: %s [DIRECTORY COMMAND [ARGUMENT...]]\n", argv[0]);
        return 2;
    }
    const char *directory = argc > 2 ? argv[1] : ".";
    const char *const *command = argc > 2 ? (const char *const *)(argv + 2) : script;
    struct NonoCapabilitySet *caps = grant(directory, command[0]);
    if (caps == NULL) {
        return fail("grant");
    }
    const struct NonoSpawnOptions options = {
        .struct_size = sizeof options,
        .set = NONO_SPAWN_TIMEOUT,
        .timeout_ns = UINT64_C(60000000000),
        .directory = directory,
        .stdout_mode = NONO_STDIO_PIPE,
        .stderr_mode = NONO_STDIO_PIPE,
    };
    struct NonoPreparedSandbox *sandbox = NULL;
    struct NonoProcess *process = NULL;
    enum NonoErrorCode code = nono_sandbox_prepare(caps, NULL, &sandbox);
    if (code == NONO_ERROR_CODE_OK) {
        code = nono_sandbox_spawn(sandbox, command, &options, &process);
    }
    int result = code == NONO_ERROR_CODE_OK ? show(process) : fail(command[0]);
    /* Whatever the command left behind has ended with it. */
    nono_process_free(process);
    nono_prepared_sandbox_free(sandbox);
    nono_capability_set_free(caps);
    return result;
}
