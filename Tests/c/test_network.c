/* SPDX-License-Identifier: Apache-2.0
 *
 * What a sandbox does to the network, judged by effect. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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

static int try_socket(int family, int type, int protocol) {
    int fd = socket(family, type, protocol);
    int error = fd < 0 ? errno : 0;
    close(fd);
    return error;
}

/* TCP Fast Open: the first data and the connection in one call. */
static int try_fast_open(uint16_t port, bool with_message) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct iovec part = {.iov_base = "x", .iov_len = 1};
    struct msghdr message = {.msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &part, .msg_iovlen = 1};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ssize_t sent = with_message
                       ? sendmsg(fd, &message, MSG_FASTOPEN | MSG_NOSIGNAL)
                       : sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof address);
    int error = sent < 0 ? errno : 0;
    close(fd);
    return error;
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

/* TCP, whose ports the kernel checks, and nothing that passes for something else. */
static void sockets_of_a_proxy(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_OK(nono_capability_set_set_proxy_port(caps, open_port));
    apply(caps);
    CHECK_INT(try_socket(AF_INET, SOCK_STREAM, 0), 0);
    CHECK_INT(try_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP), 0);
    CHECK_INT(try_socket(AF_UNIX, SOCK_DGRAM, 0), 0);
    CHECK_INT(try_socket(AF_INET, SOCK_DGRAM, 0), EACCES);
    CHECK_INT(try_socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), EACCES);
    CHECK_INT(try_socket(AF_INET, SOCK_STREAM, 262 /* IPPROTO_MPTCP */), EACCES);
    CHECK_INT(try_socket(AF_INET, SOCK_STREAM, 132 /* IPPROTO_SCTP */), EACCES);
    CHECK_INT(try_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EACCES);
    CHECK_INT(try_socket(AF_INET, SOCK_SEQPACKET, 0), EACCES);
    CHECK_INT(try_socket(AF_NETLINK, SOCK_RAW, 0), EAFNOSUPPORT);
    CHECK_INT(try_socket(AF_PACKET, SOCK_RAW, 0), EACCES);
    CHECK_INT(try_socket(AF_VSOCK, SOCK_STREAM, 0), EACCES);
    /* TCP Fast Open connects without connect(2). */
    CHECK_INT(try_fast_open(open_port, false), EACCES);
    CHECK_INT(try_fast_open(other_port, false), EACCES);
    CHECK_INT(try_fast_open(other_port, true), EACCES);
}

/* A blocked network is one without sockets, whatever the family, on every kernel. */
static void no_family(void) {
    apply(caps_with_mode(NONO_NETWORK_MODE_BLOCKED));
    for (int family = 0; family < 64; family++) {
        for (int type = SOCK_STREAM; type <= SOCK_PACKET; type++) {
            int error = try_socket(family, type, 0);
            CHECK_INT(error == (family == AF_NETLINK ? EAFNOSUPPORT : EACCES), family != AF_UNIX);
        }
        int pair[2];
        if (family != AF_UNIX) {
            CHECK_INT(socketpair(family, SOCK_STREAM, 0, pair) == 0 ? 0 : errno, EACCES);
        }
    }
    /* The kernel takes the low half of an argument, and so does the filter. */
    CHECK_INT(syscall(SYS_socket, 0x100000000L | AF_INET, (long)SOCK_STREAM, 0L) < 0 ? errno : 0, EACCES);
    CHECK(syscall(SYS_socket, 0x100000000L | AF_UNIX, (long)SOCK_STREAM, 0L) >= 0);
    CHECK_INT(try_socket(AF_UNIX, SOCK_DGRAM, 0), 0);
    check_local();
    CHECK_INT(syscall(SYS_io_uring_setup, 1L, NULL) < 0 ? errno : 0, EPERM);
}

/* Sockets from before stay what they were. */
static void inherited(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(open_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK_INT(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    apply(caps_with_mode(NONO_NETWORK_MODE_BLOCKED));
    CHECK_INT(send(fd, "x", 1, MSG_NOSIGNAL), 1);
}

static void no_unix_sockets(void) {
    struct NonoCapabilitySet *caps = nono_capability_set_new();
    CHECK_OK(nono_capability_set_block_unix_sockets(caps));
    apply(caps);
    int pair[2];
    for (int type = SOCK_STREAM; type <= SOCK_SEQPACKET; type++) {
        CHECK_INT(try_socket(AF_UNIX, type | SOCK_CLOEXEC, 0), EACCES);
    }
    CHECK_INT(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0 ? 0 : errno, EACCES);
    CHECK_INT(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0 ? 0 : errno, EACCES);
    /* AF_UNIX makes a datagram socket of it. */
    CHECK_INT(socketpair(AF_UNIX, SOCK_RAW, 0, pair) == 0 ? 0 : errno, EACCES);
    CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    CHECK_INT(syscall(SYS_io_uring_setup, 1L, NULL) < 0 ? errno : 0, EPERM);
    check_local();
    CHECK_INT(try_connect(open_port), 0);
    CHECK_INT(try_socket(AF_INET, SOCK_DGRAM, 0), 0);
}

static void modes(void) {
    static void (*const bodies[])(void) = {open_network,       blocked,       blocked_and_open_again, proxy,
                                           proxy_without_port, blocked_stays, sockets_of_a_proxy};
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

static void families(void) {
    static void (*const bodies[])(void) = {no_family, inherited, no_unix_sockets};
    if (!has_landlock(1)) {
        return;
    }
    int listener = listen_on_loopback(&open_port);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        in_child(bodies[i]);
    }
    close(listener);
}

static const struct test tests[] = {{"modes", modes}, {"families", families}};

CHECK_MAIN("network", tests)
