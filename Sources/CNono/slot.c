/* SPDX-License-Identifier: Apache-2.0
 *
 * The program's side of one slot: making it, speaking with its template (template.c), ending it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "nono_keeper.h"
#include "nono_sys.h"

/* Code and constants that the template goes on using. */
static int find_library(struct dl_phdr_info *info, size_t size, void *argument) {
    struct nono_library *library = argument;
    uintptr_t start = UINTPTR_MAX, end = 0;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_LOAD) {
            uintptr_t from = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            uintptr_t to = from + info->dlpi_phdr[i].p_memsz;
            start = from < start ? from : start;
            end = to > end ? to : end;
        }
    }
    if ((uintptr_t)&find_library < start || (uintptr_t)&find_library >= end) {
        return 0;
    }
    /* Not a page more: the kernel's own pages, which cannot be cut, may be next to it. */
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    library->start = start & ~(page - 1);
    library->end = (end + page - 1) & ~(page - 1);
    return 1;
}

bool nono_slot_find_library(struct nono_library *library) {
    return dl_iterate_phdr(find_library, library) == 1;
}

static char *start_of(const struct nono_sys_slot *slot) {
    return slot->guard_stack_end - NONO_KEEPER_STACK;
}

void nono_slot_discard(struct nono_sys_slot *slot) {
    nono_close_if_open(slot->guard);
    nono_close_if_open(slot->socket);
    nono_close_if_open(slot->alarm);
    /* A forked child does not have the block: there is nothing, or something else, in its place. */
    munmap(start_of(slot), slot->caller == getpid() ? slot->size : (size_t)((char *)slot->block - start_of(slot)));
}

static ssize_t receive(const struct nono_sys_slot *slot, char *news, int flags) {
    ssize_t length;
    do {
        length = recv(slot->socket, news, 1, MSG_DONTWAIT | flags);
    } while (length < 0 && errno == EINTR);
    return length;
}

/* The guard's stack, this, the template's stack, and the block, which alone is shared with the template; the rest it
 * has a copy of, from itself on. */
static struct nono_sys_slot *lay_out(const struct nono_sys_restriction *restriction, int scope) {
    const size_t head = 4096;
    size_t size = 2 * NONO_KEEPER_STACK + head + NONO_SLOT_BLOCK;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
    char *block = memory + size - NONO_SLOT_BLOCK;
    if (mmap(block, NONO_SLOT_BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
            MAP_FAILED ||
        madvise(block, NONO_SLOT_BLOCK, MADV_DONTFORK) != 0) {
        munmap(memory, size);
        return NULL;
    }
    struct nono_sys_slot *slot = (void *)(memory + NONO_KEEPER_STACK);
    *slot = (struct nono_sys_slot){
        .restriction = *restriction,
        .scope = scope,
        .caller = getpid(),
        .template_end = -1,
        .hear = -1,
        .guard = -1,
        .socket = -1,
        .alarm = -1,
        .block = block,
        .guard_stack_end = (char *)slot,
        .template_stack_end = block,
        .size = size,
    };
    return slot;
}

static int open_socket(struct nono_sys_slot *slot) {
    const int yes = 1;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        return -errno;
    }
    slot->socket = nono_sys_raise_descriptor(ends[0]);
    slot->template_end = nono_sys_raise_descriptor(ends[1]);
    if (slot->socket < 0 || slot->template_end < 0) {
        return -EMFILE;
    }
    /* Who sends is told with each message. */
    return setsockopt(slot->template_end, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0 ? -errno : 0;
}

struct nono_sys_slot *nono_slot_make(const struct nono_sys_restriction *restriction, int scope,
                                     const struct nono_library *library) {
    struct nono_sys_slot *slot = lay_out(restriction, scope);
    if (slot == NULL) {
        return NULL;
    }
    slot->library = *library;
    bool works = open_socket(slot) == 0 && nono_sys_pipe(&slot->hear, &slot->alarm) == 0;
    if (works && nono_keeper_start(slot->guard_stack_end, &slot->guard, nono_guard_run, slot) < 0) {
        slot->guard = -1;
        works = false;
    }
    nono_close_if_open(slot->template_end);
    nono_close_if_open(slot->hear);
    struct nono_sys_poll ready = {.fd = slot->socket};
    while (works && nono_sys_poll(&ready, 1, -1) < 0) {
    }
    /* Again, since the guard may not have come to it. */
    if (!works || nono_slot_hear(slot) != NONO_TEMPLATE_READY ||
        madvise(slot->block, NONO_SLOT_BLOCK, MADV_DONTFORK) != 0) {
        nono_slot_break(slot);
        nono_slot_discard(slot);
        return NULL;
    }
    return slot;
}

int nono_slot_start(struct nono_sys_slot *slot, const struct nono_sys_task *task) {
    const struct nono_sys_launch *launch = &task->command.launch;
    const int candidates[NONO_TEMPLATE_FDS] = {launch->stdio[0],        launch->stdio[1],  launch->stdio[2], task->hear,
                                               task->command.directory, launch->groups[0], launch->groups[1]};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof candidates)] = {0};
    char byte = 0;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};
    struct cmsghdr *header = (void *)control;
    int count = 0;
    for (int i = 0; i < NONO_TEMPLATE_FDS; i++) {
        if (candidates[i] >= 0) {
            memcpy(CMSG_DATA(header) + sizeof(int) * (size_t)count++, &candidates[i], sizeof(int));
        }
    }
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
    message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
    ssize_t sent;
    do {
        sent = sendmsg(slot->socket, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

/* The news of the end stays where it is until the slot is given back: the descriptor goes on to poll as readable,
 * whoever has looked. */
int nono_slot_hear(struct nono_sys_slot *slot) {
    char news;
    ssize_t length = receive(slot, &news, MSG_PEEK);
    if (length == 1 && news != NONO_TEMPLATE_ENDED) {
        length = receive(slot, &news, 0);
    }
    if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return 0;
    }
    return length == 1 ? news : -1;
}

bool nono_slot_take_news_of_end(struct nono_sys_slot *slot) {
    char news;
    return receive(slot, &news, 0) == 1;
}

void nono_slot_break(struct nono_sys_slot *slot) {
    if (slot->is_broken) {
        return;
    }
    slot->is_broken = true;
    if (slot->alarm >= 0) {
        /* Its closing alone says nothing as long as a forked child has it too. */
        (void)nono_sys_write(slot->alarm, (const uint8_t *)"", 1);
    }
    nono_close_and_forget(&slot->alarm);
    siginfo_t ended = {.si_code = 0};
    while (slot->guard >= 0 && waitid(P_PIDFD, (id_t)slot->guard, &ended, WEXITED | __WALL) != 0 && errno == EINTR) {
    }
    if (slot->guard >= 0) {
        slot->leaves_survivors = ended.si_code != CLD_EXITED;
        nono_sharers_add(-1);
    }
}
