# SPDX-License-Identifier: ISC
# targets/hvt/entry.S: where a tender enters the image: onto the final stack, and to hvt_start.
#
# In:      64-bit mode, interrupts off, memory mapped as it is, RDI = solo5::BootInfo.
# Source:  Solo5's hvt_cpu_x86_64.h.

    .section .text.libos, "ax"
    .globl hvt_entry
hvt_entry:
    movl %cs, %eax                  # a tender's guest has all privileges, a program has none
    testb $3, %al
    jnz libos_not_a_program
    cld
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    movq %rax, libos_entry_tsc
    movl $libos_stack_end, %esp
    xorl %ebp, %ebp
    call hvt_start
    ud2

    .section .note.GNU-stack, "", @progbits
