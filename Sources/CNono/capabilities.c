/* SPDX-License-Identifier: Apache-2.0
 *
 * Giving up capabilities(7), for the calling thread. Runs in signal handlers and in the child before exec: system calls
 * only, in the latter past libc. */
#define _GNU_SOURCE
#include "nono_restrict.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "nono_raw.h"

static uint64_t wide(const struct __user_cap_data_struct data[2], size_t offset) {
    const uint32_t *low = (const uint32_t *)(const void *)((const char *)&data[0] + offset);
    const uint32_t *high = (const uint32_t *)(const void *)((const char *)&data[1] + offset);
    return (uint64_t)*high << 32 | *low;
}

/* The ambient set follows: it holds only what is permitted and inheritable. */
static void remove_from(struct __user_cap_data_struct data[2], uint64_t dropped) {
    for (int half = 0; half < 2; half++) {
        uint32_t kept = ~(uint32_t)(dropped >> (32 * half));
        data[half].effective &= kept;
        data[half].permitted &= kept;
        data[half].inheritable &= kept;
    }
}

static uint64_t held(const struct __user_cap_data_struct data[2]) {
    return wide(data, offsetof(struct __user_cap_data_struct, permitted)) |
           wide(data, offsetof(struct __user_cap_data_struct, inheritable));
}

int nono_sys_drop_capabilities(uint64_t dropped) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    if (dropped == 0) {
        return 0;
    }
    if (syscall(SYS_capget, &header, data) != 0) {
        return -errno;
    }
    uint64_t effective = wide(data, offsetof(struct __user_cap_data_struct, effective));

    /* Without CAP_SETPCAP the bounding set stays as it is. With no_new_privs, which is set by now, no exec gains
     * anything from it. */
    if (effective & (UINT64_C(1) << CAP_SETPCAP)) {
        for (unsigned capability = 0; capability < 64; capability++) {
            if ((dropped >> capability & 1) == 0 || prctl(PR_CAPBSET_READ, capability, 0, 0, 0) != 1) {
                continue;
            }
            if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
                return -errno;
            }
        }
    }
    if ((held(data) & dropped) == 0) {
        return 0;
    }
    remove_from(data, dropped);
    return syscall(SYS_capset, &header, data) != 0 ? -errno : 0;
}

int nono_raw_drop_capabilities(uint64_t dropped) {
    const struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    if (dropped == 0) {
        return 0;
    }
    long result = nono_raw(SYS_capget, &header, data);
    if (result < 0 || (held(data) & dropped) == 0) {
        return (int)result;
    }
    remove_from(data, dropped);
    return (int)nono_raw(SYS_capset, &header, data);
}
