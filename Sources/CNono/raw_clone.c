/* SPDX-License-Identifier: Apache-2.0
 *
 * clone(2) with a new stack, which no C function can return from. */
#include "nono_raw.h"

#if defined(__x86_64__)
/* rdi flags, rsi stack, rdx word, rcx body, r8 argument; the kernel wants flags, stack, word, child word, tls. */
__asm__(".text\n.hidden nono_raw_clone\n.globl nono_raw_clone\n.type nono_raw_clone, @function\n"
        "nono_raw_clone:\n"
        ".cfi_startproc\n"
        "\tand $-16, %rsi\n"
        "\tsub $16, %rsi\n"
        "\tmov %rcx, (%rsi)\n"
        "\tmov %r8, 8(%rsi)\n"
        "\txor %r10d, %r10d\n"
        "\txor %r8d, %r8d\n"
        "\tmov $56, %eax\n"
        "\tsyscall\n"
        "\ttest %rax, %rax\n"
        "\tjz 1f\n"
        "\tret\n"
        "1:\n"
        ".cfi_undefined rip\n"
        "\txor %ebp, %ebp\n"
        "\tpop %rax\n"
        "\tpop %rdi\n"
        "\tcall *%rax\n"
        "\tmov %eax, %edi\n"
        "\tmov $231, %eax\n"
        "\tsyscall\n"
        "\thlt\n"
        ".cfi_endproc\n"
        ".size nono_raw_clone, .-nono_raw_clone\n");
#elif defined(__aarch64__)
/* x0 flags, x1 stack, x2 word, x3 body, x4 argument; the kernel wants flags, stack, word, tls, child word. */
__asm__(".text\n.hidden nono_raw_clone\n.globl nono_raw_clone\n.type nono_raw_clone, %function\n"
        "nono_raw_clone:\n"
        ".cfi_startproc\n"
        "\tand x1, x1, #-16\n"
        "\tstp x3, x4, [x1, #-16]!\n"
        "\tmov x3, xzr\n"
        "\tmov x4, xzr\n"
        "\tmov x8, #220\n"
        "\tsvc #0\n"
        "\tcbz x0, 1f\n"
        "\tret\n"
        "1:\n"
        ".cfi_undefined x30\n"
        "\tmov x29, xzr\n"
        "\tldp x1, x0, [sp], #16\n"
        "\tblr x1\n"
        "\tmov x8, #94\n"
        "\tsvc #0\n"
        "\tbrk #1\n"
        ".cfi_endproc\n"
        ".size nono_raw_clone, .-nono_raw_clone\n");
#endif
