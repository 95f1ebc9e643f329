/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "commands.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

struct NonoCapabilitySet *system_caps(void) {
    static const char *const directories[] = {"/usr", "/etc", "/proc", "/lib", "/lib64", "/bin"};
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++) {
        (void)nono_capability_set_allow_path(caps, directories[i], NONO_ACCESS_MODE_READ);
    }
    CHECK_OK(nono_capability_set_allow_path(caps, ".", NONO_ACCESS_MODE_READ_WRITE));
    CHECK_OK(nono_capability_set_allow_file(caps, "/dev/null", NONO_ACCESS_MODE_READ_WRITE));
    CHECK_OK(nono_capability_set_allow_file(caps, "/dev/zero", NONO_ACCESS_MODE_READ));
    return caps;
}

struct NonoPreparedSandbox *system_sandbox(void) {
    struct NonoCapabilitySet *caps = system_caps();
    struct NonoPreparedSandbox *sandbox = NULL;
    CHECK_OK(nono_sandbox_prepare(caps, NULL, &sandbox));
    nono_capability_set_free(caps);
    return sandbox;
}

struct NonoSpawnOptions piped(void) {
    return (struct NonoSpawnOptions){
        .struct_size = sizeof(struct NonoSpawnOptions), .stdout_mode = NONO_STDIO_PIPE, .stderr_mode = NONO_STDIO_PIPE};
}

struct NonoProcess *start(const struct NonoPreparedSandbox *sandbox, const char *const *argv,
                          const struct NonoSpawnOptions *options) {
    struct NonoProcess *process = NULL;
    if (!CHECK_OK(nono_sandbox_spawn(sandbox, argv, options, &process))) {
        char *why = nono_last_error();
        fprintf(stderr, "%s: %s\n", argv[0], why);
        nono_string_free(why);
    }
    return process;
}

static char *terminate(char *bytes, size_t length) {
    char *text = calloc(length + 1, 1);
    if (text != NULL && length > 0) {
        memcpy(text, bytes, length);
    }
    nono_string_free(bytes);
    return text;
}

struct finished finish(struct NonoProcess *process, const struct NonoCommunication *communication) {
    struct finished finished = {.status = {.struct_size = sizeof finished.status}};
    struct NonoOutput output = {.struct_size = sizeof output};
    enum NonoErrorCode code = nono_process_communicate(process, communication, &output);
    CHECK(code == NONO_ERROR_CODE_OK || nono_last_diagnostic_code() == NONO_DIAGNOSTIC_CODE_CANCELLED);
    CHECK_OK(nono_process_wait(process, 0, &finished.status));
    CHECK(finished.status.has_ended);
    finished.output = terminate(output.stdout_bytes, output.stdout_length);
    finished.error = terminate(output.stderr_bytes, output.stderr_length);
    finished.output_length = output.stdout_length;
    finished.output_cut = output.stdout_cut;
    finished.error_cut = output.stderr_cut;
    nono_process_free(process);
    return finished;
}

struct finished run_shell(const char *command, const struct NonoSpawnOptions *options) {
    struct NonoSpawnOptions standard = piped();
    struct NonoPreparedSandbox *sandbox = system_sandbox();
    struct NonoProcess *process = start(sandbox, ARGV("/bin/sh", "-c", command), options == NULL ? &standard : options);
    nono_prepared_sandbox_free(sandbox);
    if (process == NULL) {
        return (struct finished){.output = calloc(1, 1), .error = calloc(1, 1)};
    }
    return finish(process, NULL);
}

void free_finished(struct finished *finished) {
    free(finished->output);
    free(finished->error);
}

void make_secret(void) {
    make_directory("d");
    make_file("d/f", "granted");
    make_file("secret", "secret");
}

struct NonoCapabilitySet *narrow_caps(void) {
    struct NonoCapabilitySet *caps = caps_with_path("d", NONO_ACCESS_MODE_READ);
    CHECK_OK(nono_capability_set_allow_path(caps, "/usr", NONO_ACCESS_MODE_READ));
    CHECK_OK(nono_capability_set_allow_path(caps, "/proc", NONO_ACCESS_MODE_READ));
    return caps;
}

void run_true(const struct NonoPreparedSandbox *sandbox) {
    struct NonoSpawnOptions options = piped();
    struct finished result = finish(start(sandbox, ARGV("/bin/true"), &options), NULL);
    CHECK_INT(result.status.exit_code, 0);
    free_finished(&result);
}

static bool has_text(const char *pid, const char *text) {
    char path[300], line[4096];
    snprintf(path, sizeof path, "/proc/%s/cmdline", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return false;
    }
    size_t length = fread(line, 1, sizeof line, file);
    fclose(file);
    return memmem(line, length, text, strlen(text)) != NULL;
}

int count_processes(const char *text) {
    DIR *processes = opendir("/proc");
    int count = 0;
    for (struct dirent *entry; processes != NULL && (entry = readdir(processes)) != NULL;) {
        count += entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && has_text(entry->d_name, text);
    }
    if (processes != NULL) {
        closedir(processes);
    }
    return count;
}

bool vanish(const char *text) {
    const struct timespec pause = {.tv_nsec = 10000000};
    for (int i = 0; i < 500; i++) {
        if (count_processes(text) == 0) {
            return true;
        }
        nanosleep(&pause, NULL);
    }
    return false;
}

static int wanted_abi;

static void skip_all(void) {
    (void)has_landlock(wanted_abi);
}

int commands_run(const char *program, int abi, const struct test *tests, size_t count) {
    static const struct test nothing[] = {{"all of them", skip_all}};
    wanted_abi = abi;
    return landlock_abi() >= abi ? check_run(program, tests, count) : check_run(program, nothing, 1);
}
