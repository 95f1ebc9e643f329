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

/* A system call: what it returns, or -errno. */
typedef long system_call(long number, long a, long b);

static long call_libc(long number, long a, long b) {
    long result = number == SYS_prctl ? prctl((int)a, b, 0, 0, 0) : syscall(number, a, b);
    return result < 0 ? -errno : result;
}

static long call_kernel(long number, long a, long b) {
    return nono_raw(number, a, b, 0, 0, 0);
}

static uint64_t wide(const struct __user_cap_data_struct data[2], size_t offset) {
    const uint32_t *low = (const uint32_t *)(const void *)((const char *)&data[0] + offset);
    const uint32_t *high = (const uint32_t *)(const void *)((const char *)&data[1] + offset);
    return (uint64_t)*high << 32 | *low;
}

static inline int drop(uint64_t dropped, system_call *call) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2];
    if (dropped == 0) {
        return 0;
    }
    long result = call(SYS_capget, (long)&header, (long)data);
    if (result < 0) {
        return (int)result;
    }
    uint64_t effective = wide(data, offsetof(struct __user_cap_data_struct, effective));
    uint64_t held = wide(data, offsetof(struct __user_cap_data_struct, permitted)) |
                    wide(data, offsetof(struct __user_cap_data_struct, inheritable));

    /* Without CAP_SETPCAP the bounding set stays as it is. With no_new_privs, which is set by now, no exec gains
     * anything from it. */
    if (effective & (UINT64_C(1) << CAP_SETPCAP)) {
        for (unsigned capability = 0; capability < 64; capability++) {
            if ((dropped >> capability & 1) == 0 || call(SYS_prctl, PR_CAPBSET_READ, capability) != 1) {
                continue;
            }
            result = call(SYS_prctl, PR_CAPBSET_DROP, capability);
            if (result < 0) {
                return (int)result;
            }
        }
    }
    if ((held & dropped) == 0) {
        return 0;
    }
    /* The ambient set follows: it holds only what is permitted and inheritable. */
    for (int half = 0; half < 2; half++) {
        uint32_t kept = ~(uint32_t)(dropped >> (32 * half));
        data[half].effective &= kept;
        data[half].permitted &= kept;
        data[half].inheritable &= kept;
    }
    return (int)call(SYS_capset, (long)&header, (long)data);
}

int nono_sys_drop_capabilities(uint64_t dropped) {
    return drop(dropped, call_libc);
}

int nono_raw_drop_capabilities(uint64_t dropped) {
    return drop(dropped, call_kernel);
}
