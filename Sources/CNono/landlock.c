/* SPDX-License-Identifier: Apache-2.0
 *
 * The Landlock system calls, landlock(7), and no_new_privs. */
#define _GNU_SOURCE
#include "nono_sys.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same numbers on every architecture. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#endif

#define NONO_CREATE_RULESET_VERSION 1U
#define NONO_RULE_PATH_BENEATH 1
#define NONO_RULE_NET_PORT 2

/* The layouts of <linux/landlock.h>, under our names because the host's header may lack the later fields. */
struct nono_ruleset_attr {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

struct nono_path_beneath_attr {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

struct nono_net_port_attr {
    uint64_t allowed_access;
    uint64_t port;
};

int nono_sys_landlock_abi(void) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, NONO_CREATE_RULESET_VERSION);
    return abi < 0 ? -errno : (int)abi;
}

int nono_sys_landlock_create_ruleset(uint64_t handled_fs, uint64_t handled_net, uint64_t scoped, size_t attr_size) {
    struct nono_ruleset_attr attr = {
        .handled_access_fs = handled_fs, .handled_access_net = handled_net, .scoped = scoped};
    if (attr_size > sizeof attr) {
        return -E2BIG;
    }
    long fd = syscall(SYS_landlock_create_ruleset, &attr, attr_size, 0);
    return fd < 0 ? -errno : (int)fd;
}

int nono_sys_landlock_add_path(int ruleset, int object, uint64_t rights) {
    struct nono_path_beneath_attr attr = {.allowed_access = rights, .parent_fd = object};
    return syscall(SYS_landlock_add_rule, ruleset, NONO_RULE_PATH_BENEATH, &attr, 0) != 0 ? -errno : 0;
}

int nono_sys_landlock_add_port(int ruleset, uint16_t port, uint64_t rights) {
    struct nono_net_port_attr attr = {.allowed_access = rights, .port = port};
    return syscall(SYS_landlock_add_rule, ruleset, NONO_RULE_NET_PORT, &attr, 0) != 0 ? -errno : 0;
}

int nono_sys_no_new_privs(void) {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ? -errno : 0;
}
