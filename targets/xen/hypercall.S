# SPDX-License-Identifier: ISC
# targets/xen/hypercall.S: the page that Xen fills with its calls, and the way into it.
#
# Source:  xen/arch-x86/xen-x86_64.h: call page + number * 32, arguments in rdi, rsi, rdx.

    .section .text.libos, "ax"
    .balign 4096
    .globl xen_hypercall_page
xen_hypercall_page:
    .skip 4096, 0xcc

# xen_hypercall(number, a, b, c)
    .globl xen_hypercall
    .type xen_hypercall, @function
xen_hypercall:
    incq xen_hypercall_count(%rip)
    movl %edi, %eax
    shll $5, %eax
    addq $xen_hypercall_page, %rax
    movq %rsi, %rdi
    movq %rdx, %rsi
    movq %rcx, %rdx
    jmp *%rax
    .size xen_hypercall, . - xen_hypercall

    .section .bss
    .balign 8
    .globl xen_hypercall_count
xen_hypercall_count:
    .skip 8

    .section .note.GNU-stack, "", @progbits
