/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's side of landlock(7) as far as it depends on the ABI; the rest is left to the kernel that is there. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "shim.h"

enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2 };
enum { NEWEST_EMULATED_ABI = 10, FIRST_ABI_WITH_PORTS = 4, PAGE = 4096 };

struct ruleset_attr {
    uint64_t handled_fs;
    uint64_t handled_net;
    uint64_t scoped;
};

struct path_beneath_attr {
    uint64_t allowed;
    int32_t parent_fd;
} __attribute__((packed));

struct net_port_attr {
    uint64_t allowed;
    uint64_t port;
};

/* What each ABI knows; the first row is not an ABI. */
static const struct {
    struct ruleset_attr bits;
    size_t attr_size;
    uint32_t restrict_flags;
} abis[NEWEST_EMULATED_ABI + 1] = {
    {{0, 0, 0}, 0, 0},        {{0x1fff, 0, 0}, 8, 0},    {{0x3fff, 0, 0}, 8, 0},     {{0x7fff, 0, 0}, 8, 0},
    {{0x7fff, 3, 0}, 16, 0},  {{0xffff, 3, 0}, 16, 0},   {{0xffff, 3, 3}, 24, 0},    {{0xffff, 3, 3}, 24, 7},
    {{0xffff, 3, 3}, 24, 15}, {{0x1ffff, 3, 3}, 24, 15}, {{0x1ffff, 15, 3}, 24, 15},
};

/* What the kernel that is there knows. What only the emulated one knows is left out of what the former is told. */
static long real_abi(void) {
    long abi = shim_syscall(SHIM_CREATE_RULESET, 0, 0, CREATE_RULESET_VERSION, 0, 0, 0);
    return abi < 0 ? 0 : abi > NEWEST_EMULATED_ABI ? NEWEST_EMULATED_ABI : abi;
}

/* The errno with which the emulated kernel answers before it looks at any argument, or 0. */
static int missing_landlock(long *abi) {
    const char *text = getenv("NONO_TEST_LANDLOCK_ABI");
    *abi = text != NULL ? strtol(text, NULL, 10) : real_abi();
    return text == NULL || *abi > 0 ? 0 : *abi == 0 ? ENOSYS : EOPNOTSUPP;
}

/* The errno with which a kernel of that ABI refuses to make the ruleset, or 0. */
static int judge_ruleset(long abi, const struct ruleset_attr *attr, size_t size) {
    const unsigned char *bytes = (const unsigned char *)attr;
    struct ruleset_attr known = {0, 0, 0};
    if (size < sizeof known.handled_fs) {
        return EINVAL;
    }
    if (size > PAGE) {
        return E2BIG;
    }
    for (size_t i = abis[abi].attr_size; i < size; i++) {
        if (bytes[i] != 0) {
            return E2BIG;
        }
    }
    memcpy(&known, attr, size < sizeof known ? size : sizeof known);
    bool is_known = (known.handled_fs & ~abis[abi].bits.handled_fs) == 0 &&
                    (known.handled_net & ~abis[abi].bits.handled_net) == 0 &&
                    (known.scoped & ~abis[abi].bits.scoped) == 0;
    return is_known ? 0 : EINVAL;
}

long shim_create_ruleset(const void *attr, size_t size, uint32_t flags) {
    long abi;
    int error = missing_landlock(&abi);
    int trace = shim_begin_trace();
    if (attr == NULL && flags == CREATE_RULESET_VERSION) {
        int failure = shim_fault("landlock_version");
        error = failure != 0 ? failure : error;
        bool is_reported = error == 0 && getenv("NONO_TEST_LANDLOCK_ABI") != NULL;
        long result = is_reported ? abi : shim_refuse(error);
        if (error == 0 && !is_reported) {
            result = shim_syscall(SHIM_CREATE_RULESET, 0, (long)size, CREATE_RULESET_VERSION, 0, 0, 0);
        }
        shim_end_trace(trace, result, "landlock_version abi=%ld", result < 0 ? 0 : result);
        return result;
    }
    int failure = shim_fault("landlock_create_ruleset");
    error = failure != 0 ? failure : error;
    if (error == 0 && attr != NULL && abi > 0) {
        error = judge_ruleset(abi < NEWEST_EMULATED_ABI ? abi : NEWEST_EMULATED_ABI, attr, size);
    }
    struct ruleset_attr told = {0, 0, 0};
    struct ruleset_attr known = {0, 0, 0};
    if (attr != NULL) {
        const struct ruleset_attr *real = &abis[real_abi()].bits;
        memcpy(&told, attr, size < sizeof told ? size : sizeof told);
        known.handled_fs = told.handled_fs & real->handled_fs;
        known.handled_net = told.handled_net & real->handled_net;
        known.scoped = told.scoped & real->scoped;
    }
    long result = error != 0 ? shim_refuse(error)
                             : shim_syscall(SHIM_CREATE_RULESET, attr != NULL ? (long)&known : 0, (long)size,
                                            (long)flags, 0, 0, 0);
    shim_end_trace(trace, result,
                   "landlock_create_ruleset size=%zu handled_fs=0x%llx handled_net=0x%llx scoped=0x%llx flags=0x%x",
                   size, (unsigned long long)told.handled_fs, (unsigned long long)told.handled_net,
                   (unsigned long long)told.scoped, flags);
    return result;
}

long shim_add_rule(int ruleset, int type, const void *attr, uint32_t flags) {
    long abi;
    int error = missing_landlock(&abi);
    int trace = shim_begin_trace();
    int failure = shim_fault("landlock_add_rule");
    error = failure != 0 ? failure : error;
    /* Rights that the ruleset does not handle are refused by the kernel itself. */
    if (error == 0 && abi < FIRST_ABI_WITH_PORTS && type == RULE_NET_PORT) {
        error = EINVAL;
    }
    struct path_beneath_attr known;
    if (type == RULE_PATH_BENEATH) {
        memcpy(&known, attr, sizeof known);
        known.allowed &= abis[real_abi()].bits.handled_fs;
    }
    long told = type == RULE_PATH_BENEATH ? (long)&known : (long)attr;
    long result = error != 0 ? shim_refuse(error) : shim_syscall(SHIM_ADD_RULE, ruleset, type, told, (long)flags, 0, 0);
    if (type == RULE_PATH_BENEATH) {
        struct path_beneath_attr rule;
        char object[PAGE];
        memcpy(&rule, attr, sizeof rule);
        shim_path_of(rule.parent_fd, object, sizeof object);
        shim_end_trace(trace, result, "landlock_add_rule path=%s rights=0x%llx flags=0x%x", object,
                       (unsigned long long)rule.allowed, flags);
    } else {
        struct net_port_attr rule;
        memcpy(&rule, attr, sizeof rule);
        shim_end_trace(trace, result, "landlock_add_rule port=%llu rights=0x%llx flags=0x%x",
                       (unsigned long long)rule.port, (unsigned long long)rule.allowed, flags);
    }
    return result;
}

long shim_restrict_self(int ruleset, uint32_t flags) {
    long abi;
    int error = missing_landlock(&abi);
    int trace = shim_begin_trace();
    int failure = shim_fault("landlock_restrict_self");
    error = failure != 0 ? failure : error;
    if (error == 0 && (flags & ~abis[abi < NEWEST_EMULATED_ABI ? abi : NEWEST_EMULATED_ABI].restrict_flags) != 0) {
        error = EINVAL;
    }
    long known = (long)(flags & abis[real_abi()].restrict_flags);
    long result = error != 0 ? shim_refuse(error) : shim_syscall(SHIM_RESTRICT_SELF, ruleset, known, 0, 0, 0, 0);
    shim_end_trace(trace, result, "landlock_restrict_self flags=0x%x", flags);
    return result;
}
