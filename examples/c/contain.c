/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a program with one project folder and no network: the child gives up its
 * rights between fork() and exec, and the parent keeps its own.
 *
 *     make -C examples/c LIBDIR=directory-of-libnono.so
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nono.h>

/* The program to run. It does its job in the project, then helps itself to more. */
static const char script[] = "echo done > report.txt && echo 'program: report.txt written'\n"
                             "cat ../secret.txt || echo 'program: no secret'\n"
                             "touch ../stray.txt || echo 'program: no stray file'\n";

/* What the shell and its tools are made of. Not every system has every one. */
static const char *const system_folders[] = {"/usr", "/bin", "/lib", "/lib64"};

static void fail(const char *what) {
    perror(what);
    exit(EXIT_FAILURE);
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0) {
        fail(path);
    }
}

static enum NonoErrorCode contain(const char *project) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    enum NonoErrorCode code = nono_capability_set_allow_path(caps, project, NONO_ACCESS_MODE_READ_WRITE);
    for (size_t i = 0; code == NONO_ERROR_CODE_OK && i < sizeof system_folders / sizeof *system_folders; i++) {
        if (access(system_folders[i], F_OK) == 0) {
            code = nono_capability_set_allow_path(caps, system_folders[i], NONO_ACCESS_MODE_READ);
        }
    }
    if (code == NONO_ERROR_CODE_OK) {
        code = nono_capability_set_set_network_blocked(caps, true);
    }
    if (code == NONO_ERROR_CODE_OK) {
        code = nono_sandbox_apply(caps);
    }
    nono_capability_set_free(caps);
    return code;
}

/* In the child: contained, or not at all. */
static void run_contained(void) {
    if (contain("project") != NONO_ERROR_CODE_OK) {
        char *why = nono_last_error();
        fprintf(stderr, "not contained, so not run: %s\n", why);
        nono_string_free(why);
        _exit(127);
    }
    if (chdir("project") == 0 && dup2(STDOUT_FILENO, STDERR_FILENO) >= 0) {
        execl("/bin/sh", "sh", "-c", script, (char *)NULL);
    }
    perror("sh");
    _exit(127);
}

int main(void) {
    char folder[4096];
    const char *tmp = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/nono-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(folder) == NULL || chdir(folder) != 0 || mkdir("project", 0700) != 0) {
        fail(folder);
    }
    write_file("secret.txt", "the launch code\n");

    pid_t child = fork();
    if (child == 0) {
        run_contained();
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0) {
        fail("fork");
    }

    bool worked = status == 0 && access("project/report.txt", F_OK) == 0;
    bool escaped = access("stray.txt", F_OK) == 0;
    printf("the program %s its job and %s its project\n", worked ? "did" : "did not do",
           escaped ? "left" : "did not leave");

    unlink("project/report.txt");
    unlink("stray.txt");
    unlink("secret.txt");
    rmdir("project");
    if (chdir("/") != 0 || rmdir(folder) != 0) {
        fail(folder);
    }
    return worked && !escaped ? EXIT_SUCCESS : EXIT_FAILURE;
}
