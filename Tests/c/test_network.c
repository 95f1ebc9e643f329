/* SPDX-License-Identifier: Apache-2.0
 *
 * What a sandbox does to the network, judged by effect. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support.h"

/* Listening outside of the sandbox. */
static uint16_t open_port;
static uint16_t other_port;

static struct NonoCapabilitySet *caps_with_mode(uint32_t mode) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_OK(nono_capability_set_set_network_mode(caps, mode));
    return caps;
}

/* What stays open whatever the mode: sockets between one's own. */
static void check_local(void) {
    int pair[2];
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    CHECK_INT(send(pair[0], "x", 1, 0), 1);
    close(pair[0]);
    close(pair[1]);
}

static void open_network(void) {
    apply(caps_with_mode(NONO_NETWORK_MODE_ALLOW_ALL));
    CHECK_INT(try_connect(open_port), 0);
    CHECK_INT(try_bind(0), 0);
    check_local();
}

static void blocked(void) {
    apply(caps_with_mode(NONO_NETWORK_MODE_BLOCKED));
    CHECK(is_denied(try_connect(open_port)));
    CHECK(is_denied(try_bind(0)));
    check_local();
}

static void blocked_and_open_again(void) {
    struct NonoCapabilitySet *caps = caps_with_mode(NONO_NETWORK_MODE_BLOCKED);
    CHECK_OK(nono_capability_set_set_network_blocked(caps, false));
    apply(caps);
    CHECK_INT(try_connect(open_port), 0);
}

static void proxy(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_OK(nono_capability_set_set_proxy_port(caps, open_port));
    apply(caps);
    CHECK_INT(try_connect(open_port), 0);
    CHECK(is_denied(try_connect(other_port)));
    CHECK(is_denied(try_bind(0)));
    CHECK(is_denied(try_bind(open_port)));
    check_local();
}

static void proxy_without_port(void) {
    apply(caps_with_mode(NONO_NETWORK_MODE_PROXY_ONLY));
    CHECK(is_denied(try_connect(open_port)));
    CHECK(is_denied(try_bind(0)));
}

/* The network does not open again with the next layer. */
static void blocked_stays(void) {
    apply(caps_with_mode(NONO_NETWORK_MODE_BLOCKED));
    apply(caps_with_mode(NONO_NETWORK_MODE_ALLOW_ALL));
    CHECK(is_denied(try_connect(open_port)));
}

static void modes(void) {
    static void (*const bodies[])(void) = {open_network,       blocked,      blocked_and_open_again, proxy,
                                           proxy_without_port, blocked_stays};
    if (!has_landlock(4)) {
        return;
    }
    int listeners[] = {listen_on_loopback(&open_port), listen_on_loopback(&other_port)};
    CHECK_INT(try_connect(open_port), 0);
    CHECK_INT(try_connect(other_port), 0);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        in_child(bodies[i]);
    }
    close(listeners[0]);
    close(listeners[1]);
}

static const struct test tests[] = {{"modes", modes}};

CHECK_MAIN("network", tests)
