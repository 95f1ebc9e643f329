/* SPDX-License-Identifier: Apache-2.0
 *
 * What the cases cannot do in Python: threads that the interpreter does not know, io_uring(7), and calls in the other
 * modes of the processor. Functions return 0 or a number that is none, or -errno. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Threads that read a file when they are told to */

enum { BLOCKS_NOTHING, BLOCKS_SIGNALS, BLOCKS_SIGNALS_OF_LIBC_TOO };

struct reader {
    pthread_t thread;
    int ends[2]; /* the teller's and the thread's */
    int blocks;
    char path[256];
    char content[64];
    long result;
};

static struct reader readers[64];

static void *read_when_told(void *argument) {
    struct reader *reader = argument;
    uint64_t every = ~UINT64_C(0);
    sigset_t all;
    char word = 'r';
    sigfillset(&all);
    if (reader->blocks == BLOCKS_SIGNALS) {
        pthread_sigmask(SIG_SETMASK, &all, NULL);
    } else if (reader->blocks == BLOCKS_SIGNALS_OF_LIBC_TOO) {
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &every, NULL, sizeof every);
    }
    if (write(reader->ends[1], &word, 1) != 1 || read(reader->ends[1], &word, 1) != 1) {
        reader->result = -errno;
        return NULL;
    }
    int fd = open(reader->path, O_RDONLY);
    reader->result = fd < 0 ? -1 : read(fd, reader->content, sizeof reader->content);
    reader->result = reader->result < 0 ? -errno : reader->result;
    return NULL;
}

int start_reader(int index, const char *path, int blocks) {
    struct reader *reader = &readers[index];
    char ready;
    strncpy(reader->path, path, sizeof reader->path - 1);
    reader->blocks = blocks;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, reader->ends) != 0) {
        return -errno;
    }
    int error = pthread_create(&reader->thread, NULL, read_when_told, reader);
    return error != 0 ? -error : read(reader->ends[0], &ready, 1) == 1 ? 0 : -errno;
}

/* Tells the thread, and returns how much it read into *content. */
long finish_reader(int index, char *content) {
    struct reader *reader = &readers[index];
    if (write(reader->ends[0], "g", 1) != 1) {
        return -errno;
    }
    pthread_join(reader->thread, NULL);
    memcpy(content, reader->content, sizeof reader->content);
    return reader->result;
}

/* A ring with one call in it at a time */

static struct {
    int fd;
    struct io_uring_params parameters;
    unsigned char *sq, *cq;
    struct io_uring_sqe *entries;
} ring;

static int through_ring(struct io_uring_sqe entry) {
    unsigned *tail = (unsigned *)(void *)(ring.sq + ring.parameters.sq_off.tail);
    unsigned *mask = (unsigned *)(void *)(ring.sq + ring.parameters.sq_off.ring_mask);
    unsigned *flags = (unsigned *)(void *)(ring.sq + ring.parameters.sq_off.flags);
    unsigned *array = (unsigned *)(void *)(ring.sq + ring.parameters.sq_off.array);
    unsigned *head = (unsigned *)(void *)(ring.cq + ring.parameters.cq_off.head);
    unsigned *end = (unsigned *)(void *)(ring.cq + ring.parameters.cq_off.tail);
    unsigned *cq_mask = (unsigned *)(void *)(ring.cq + ring.parameters.cq_off.ring_mask);
    struct io_uring_cqe *done = (struct io_uring_cqe *)(void *)(ring.cq + ring.parameters.cq_off.cqes);
    unsigned index = *tail & *mask;
    ring.entries[index] = entry;
    array[index] = index;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    /* With a thread of the kernel that polls, no call is needed at all. */
    if ((ring.parameters.flags & IORING_SETUP_SQPOLL) == 0 &&
        syscall(SYS_io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0) {
        return -errno;
    }
    for (int i = 0; i < 2000 && __atomic_load_n(end, __ATOMIC_ACQUIRE) == *head; i++) {
        if (__atomic_load_n(flags, __ATOMIC_ACQUIRE) & IORING_SQ_NEED_WAKEUP) {
            syscall(SYS_io_uring_enter, ring.fd, 0, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0);
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    if (__atomic_load_n(end, __ATOMIC_ACQUIRE) == *head) {
        return -ETIMEDOUT;
    }
    int result = done[*head & *cq_mask].res;
    __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
    return result;
}

int open_ring(unsigned flags) {
    memset(&ring, 0, sizeof ring);
    ring.parameters.flags = flags;
    ring.parameters.sq_thread_idle = 5000;
    ring.fd = (int)syscall(SYS_io_uring_setup, 4, &ring.parameters);
    if (ring.fd < 0) {
        return -errno;
    }
    const int flag = MAP_SHARED | MAP_POPULATE, protection = PROT_READ | PROT_WRITE;
    ring.sq = mmap(NULL, 4096, protection, flag, ring.fd, IORING_OFF_SQ_RING);
    ring.cq = mmap(NULL, 4096, protection, flag, ring.fd, IORING_OFF_CQ_RING);
    ring.entries = mmap(NULL, 4096, protection, flag, ring.fd, IORING_OFF_SQES);
    if ((void *)ring.sq == MAP_FAILED || (void *)ring.cq == MAP_FAILED || (void *)ring.entries == MAP_FAILED) {
        return -errno;
    }
    /* A thread that polls sleeps at first, and after a call stays awake for the idle time. */
    return (flags & IORING_SETUP_SQPOLL) != 0 ? through_ring((struct io_uring_sqe){.opcode = IORING_OP_NOP}) : 0;
}

/* Keeps the credentials that the process has now, with its Landlock domain, for later. */
int keep_personality(void) {
    int kept = (int)syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_PERSONALITY, NULL, 0);
    return kept < 0 ? -errno : kept;
}

int open_through_ring(const char *path, int personality) {
    return through_ring((struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
                                              .fd = AT_FDCWD,
                                              .addr = (uintptr_t)path,
                                              .open_flags = O_RDONLY,
                                              .personality = (uint16_t)personality});
}

int socket_through_ring(int family, int type) {
    return through_ring((struct io_uring_sqe){.opcode = IORING_OP_SOCKET, .fd = family, .off = (uint64_t)type});
}

/* Calls by other doors than that of x86-64 */

#if defined(__x86_64__)
static long int80(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(a), "c"(b), "d"(c)
                     : "memory", "r8", "r9", "r10", "r11");
    return result;
}

int socket_by_int80(int family, int type) {
    return (int)int80(359, family, type, 0);
}

/* Its pointers are 32 bits wide. */
long read_by_int80(const char *path, char *content) {
    char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (low == MAP_FAILED) {
        return -errno;
    }
    strncpy(low, path, 4000);
    long fd = int80(5, (long)(intptr_t)low, O_RDONLY, 0);
    long length = fd < 0 ? fd : int80(3, fd, (long)(intptr_t)low, 64);
    memcpy(content, low, 64);
    return length;
}

int socket_by_x32(int family, int type) {
    long result = syscall(0x40000000 | SYS_socket, family, type, 0);
    return result < 0 ? -errno : (int)result;
}
#else
int socket_by_int80(int family, int type) {
    (void)family, (void)type;
    return -ENOSYS;
}

long read_by_int80(const char *path, char *content) {
    (void)path, (void)content;
    return -ENOSYS;
}

int socket_by_x32(int family, int type) {
    (void)family, (void)type;
    return -ENOSYS;
}
#endif
