/* SPDX-License-Identifier: Apache-2.0
 *
 * What the C tests of commands share: a sandbox in which a shell works, and running one command to its end. */
#ifndef NONO_COMMANDS_H
#define NONO_COMMANDS_H

#include "check.h"

/* What became of a command. Strings are terminated and belong to the caller. */
struct finished {
    char *output;
    char *error;
    size_t output_length;
    uint64_t output_cut;
    uint64_t error_cut;
    struct NonoProcessStatus status;
};

/* Grants what programs of the system need, and the working directory. */
struct NonoCapabilitySet *system_caps(void);
/* The same, prepared. */
struct NonoPreparedSandbox *system_sandbox(void);
/* A file "secret", and "d/f", which narrow_caps() grants beside what programs of the system and /proc need. */
void make_secret(void);
struct NonoCapabilitySet *narrow_caps(void);
/* Runs a command that does nothing, and checks that it has. */
void run_true(const struct NonoPreparedSandbox *sandbox);
/* Options with both outputs piped. */
struct NonoSpawnOptions piped(void);
/* Starts; a failure is a failed check, and NULL. */
struct NonoProcess *start(const struct NonoPreparedSandbox *sandbox, const char *const *argv,
                          const struct NonoSpawnOptions *options);
/* Starts a shell command and runs it to its end, in a sandbox of its own. */
struct finished run_shell(const char *command, const struct NonoSpawnOptions *options);
struct finished finish(struct NonoProcess *process, const struct NonoCommunication *communication);
void free_finished(struct finished *finished);
/* How many processes have this text in their command line. */
int count_processes(const char *text);
/* Waits until there are none, a few seconds at most. */
bool vanish(const char *text);

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The first Landlock ABI that scopes signals. */
enum { SCOPED_SIGNALS = 6 };

/* CHECK_MAIN for tests that all take a kernel with that Landlock ABI. */
int commands_run(const char *program, int abi, const struct test *tests, size_t count);
#define COMMANDS_MAIN(program, abi, tests)                                                                             \
    int main(void) {                                                                                                   \
        return commands_run((program), (abi), (tests), sizeof(tests) / sizeof((tests)[0]));                            \
    }

#endif
