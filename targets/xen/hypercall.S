# SPDX-License-Identifier: ISC
# targets/xen/hypercall.S: the page that Xen fills with its calls, and the way into it.
#
# Source:  xen/arch-x86/xen-x86_64.h: call page + number * 32, arguments in rdi, rsi, rdx.
# Unwind:  neither moves the stack pointer, nor do the calls that Xen writes; so a report of what
#          happened inside leads out of them.

    .section .text.libos, "ax"
    .balign 4096
    .globl xen_hypercall_page
    .type xen_hypercall_page, @function
xen_hypercall_page:
    .cfi_startproc
    .skip 4096, 0xcc
    .cfi_endproc
    .size xen_hypercall_page, . - xen_hypercall_page

# xen_hypercall(number, a, b, c)
    .globl xen_hypercall
    .type xen_hypercall, @function
xen_hypercall:
    .cfi_startproc
    incq xen_hypercall_count(%rip)
    movl %edi, %eax
    shll $5, %eax
    addq $xen_hypercall_page, %rax
    movq %rsi, %rdi
    movq %rdx, %rsi
    movq %rcx, %rdx
    jmp *%rax
    .cfi_endproc
    .size xen_hypercall, . - xen_hypercall

    .section .bss
    .balign 8
    .globl xen_hypercall_count
xen_hypercall_count:
    .skip 8

    .section .note.GNU-stack, "", @progbits
