/* SPDX-License-Identifier: Apache-2.0
 *
 * The harness of the C tests: checks that are counted, and tests that each start in an empty directory of their own.
 *
 * Counts live in memory that forked children share, because what applies a sandbox has to do so in a child. */
#ifndef NONO_CHECK_H
#define NONO_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "nono.h"

/* Every check counts, evaluates its arguments once, and prints what it found when it fails. */
#define CHECK(condition) check_that((condition), __FILE__, __LINE__, #condition)
#define CHECK_INT(actual, expected) check_int((long long)(actual), (long long)(expected), __FILE__, __LINE__, #actual)
#define CHECK_TEXT(actual, expected) check_text((actual), (expected), __FILE__, __LINE__, #actual)
/* The same for a string that the library returned, which is released. */
#define CHECK_OWNED(actual, expected) check_owned((actual), (expected), __FILE__, __LINE__, #actual)
#define CHECK_OK(call) CHECK_INT((call), NONO_ERROR_CODE_OK)

/* What a failure is to leave behind. The defaults of a designated initialiser are what most failures have. */
struct failure {
    const char *message;
    int os_error;
    const char *path; /* NULL: the error is not about a path */
    const char *remediation;
    int diagnostic;
};

/* Clears the thread's error, makes the call, and compares what it returned and everything that can be asked about the
 * error. The diagnostic has to be named: FAILS(f(NULL), NONO_ERROR_CODE_ERR_INVALID_ARG, OTHER, .message = "..."). */
#define FAILS(call, expected, diagnostic_name, ...)                                                                    \
    do {                                                                                                               \
        nono_clear_error();                                                                                            \
        long long returned_ = (long long)(call);                                                                       \
        check_int(returned_, (long long)(expected), __FILE__, __LINE__, #call);                                        \
        check_failure(&(struct failure){.diagnostic = NONO_DIAGNOSTIC_CODE_##diagnostic_name, __VA_ARGS__}, __FILE__,  \
                      __LINE__, #call);                                                                                \
    } while (0)
/* The same for the common kind. */
#define FAILS_ARGUMENT(call, text) FAILS(call, NONO_ERROR_CODE_ERR_INVALID_ARG, OTHER, .message = (text))
/* The same for a function that returns a pointer, NULL on failure. */
#define FAILS_NULL(call, diagnostic_name, ...) FAILS((call) == NULL ? 0 : 1, 0, diagnostic_name, __VA_ARGS__)

/* The call leaves no error behind. */
#define NO_ERROR(statement)                                                                                            \
    do {                                                                                                               \
        nono_clear_error();                                                                                            \
        statement;                                                                                                     \
        check_no_error(__FILE__, __LINE__, #statement);                                                                \
    } while (0)

bool check_that(bool condition, const char *file, int line, const char *text);
bool check_int(long long actual, long long expected, const char *file, int line, const char *text);
bool check_text(const char *actual, const char *expected, const char *file, int line, const char *text);
bool check_owned(char *actual, const char *expected, const char *file, int line, const char *text);
void check_failure(const struct failure *expected, const char *file, int line, const char *text);
void check_no_error(const char *file, int line, const char *text);
/* Something that this machine cannot show. Counted and printed, so that it is not taken for a success. */
void check_skip(const char *why);

struct test {
    const char *name;
    void (*run)(void);
};

/* Runs the tests, each in an empty directory that is removed afterwards, and prints "program: N passed, N failed".
 * Returns what main() is to return. */
int check_run(const char *program, const struct test *tests, size_t count);
#define CHECK_MAIN(program, tests)                                                                                     \
    int main(void) {                                                                                                   \
        return check_run((program), (tests), sizeof(tests) / sizeof((tests)[0]));                                      \
    }

/* Runs the body in a forked child and waits. A child that dies by a signal, or takes longer than a minute, is a failed
 * check, and false is returned. */
bool in_child(void (*body)(void));
bool in_child_with(void (*body)(void *), void *argument);

#endif
