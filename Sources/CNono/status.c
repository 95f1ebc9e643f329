/* SPDX-License-Identifier: Apache-2.0
 *
 * The record of what this process put in force, and what the kernel says of it. In C because it must survive as plain
 * memory: a fork inherits it as the kernel's restrictions are inherited. */
#define _GNU_SOURCE
#include "nono_sys.h"

#ifdef __linux__
#include <sys/prctl.h>
#endif

static struct nono_sys_status status;

void nono_sys_add_layer(const struct nono_sys_status *layer) {
    nono_sys_lock();
    bool is_first = status.layers == 0;
    status.layers += layer->layers;
    status.is_incomplete |= layer->is_incomplete;
    if (layer->layers > 0) {
        status.allowed = is_first ? layer->allowed : status.allowed & layer->allowed;
        status.unenforced = is_first ? layer->unenforced : status.unenforced & layer->unenforced;
        status.blocks_network |= layer->blocks_network;
        /* A narrower layer never widens: a proxy port stays only where every layer leaves it. */
        status.allows_proxy = is_first ? layer->allows_proxy : status.allows_proxy && layer->allows_proxy;
        status.blocks_unix_sockets |= layer->blocks_unix_sockets;
        status.landlock_abi = layer->landlock_abi;
    }
    nono_sys_unlock();
}

void nono_sys_get_status(struct nono_sys_status *out) {
    nono_sys_lock();
    *out = status;
    nono_sys_unlock();
}

#ifdef __linux__

int nono_sys_has_no_new_privs(void) {
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

int nono_sys_seccomp_mode(void) {
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
}

#else

int nono_sys_has_no_new_privs(void) {
    return 0;
}

int nono_sys_seccomp_mode(void) {
    return 0;
}

#endif
