/* SPDX-License-Identifier: Apache-2.0
 *
 * What untrusted.py does, in the same order, by a program that contains itself if
 * it is told to.
 *
 * usage, in the project: untrusted free|contained SECRET OTHER_SECRET STRAY_FILE TOOL PORT
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nono.h>

/* The grants of grants.py, without those that only Python needs. */
static const char *const readable[] = {"/usr", "/bin", "/lib", "/lib64"};

static bool contain(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    enum NonoErrorCode code = nono_capability_set_allow_path(caps, ".", NONO_ACCESS_MODE_READ_WRITE);
    for (size_t i = 0; code == NONO_ERROR_CODE_OK && i < sizeof readable / sizeof *readable; i++) {
        if (access(readable[i], F_OK) == 0) {
            code = nono_capability_set_allow_path(caps, readable[i], NONO_ACCESS_MODE_READ);
        }
    }
    if (code == NONO_ERROR_CODE_OK) {
        code = nono_capability_set_set_network_blocked(caps, true);
    }
    if (code == NONO_ERROR_CODE_OK) {
        code = nono_sandbox_apply(caps);
    }
    nono_capability_set_free(caps);
    if (code != NONO_ERROR_CODE_OK) {
        char *why = nono_last_error();
        fprintf(stderr, "%s\n", why);
        nono_string_free(why);
    }
    return code == NONO_ERROR_CODE_OK;
}

static void read_a_secret(const char *path) {
    char text[256];
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fgets(text, sizeof text, file) != NULL) {
            puts(text);
        }
        fclose(file);
    }
}

static void write_outside(const char *path) {
    FILE *file = fopen(path, "w");
    if (file != NULL) {
        fputs("I was here\n", file);
        fclose(file);
    }
}

static void run(const char *program, const char *argument) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        execlp(program, program, argument, (char *)NULL);
        _exit(127);
    }
    if (child > 0) {
        waitpid(child, NULL, 0);
    }
}

static void connect_to(const char *port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0) {
        if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
            fputs("not connected\n", stderr);
        }
        close(fd);
    }
}

static void do_the_job(void) {
    FILE *notes = fopen("notes.txt", "r");
    FILE *report = fopen("report.txt", "w");
    if (notes != NULL && report != NULL) {
        int words = 0;
        while (fscanf(notes, "%*s") != EOF) {
            words++;
        }
        fprintf(report, "%d words\n", words);
    }
    if (report != NULL) {
        fclose(report);
    }
    if (notes != NULL) {
        fclose(notes);
    }
}

int main(int argc, char **argv) {
    if (argc != 7 || (strcmp(argv[1], "contained") == 0 && !contain())) {
        return EXIT_FAILURE;
    }
    read_a_secret(argv[2]);
    run("cat", argv[3]);
    write_outside(argv[4]);
    run(argv[5], NULL);
    connect_to(argv[6]);
    do_the_job();
    return EXIT_SUCCESS;
}
