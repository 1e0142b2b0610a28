# SPDX-License-Identifier: ISC
# targets/libos/trap.S: where the processor comes to: exceptions, interrupts, system calls; and the
# way into the C library.
#
# Shape:   every way in leaves a libos::Registers (registers.hpp) and calls C++ with its address.
# Stacks:  interrupts have IST 1, exceptions IST 2 (stack overflows too), system calls stay on their
#          caller's, below its red zone.
# Rule:    what is called for interrupts and system calls uses no vector registers, so they are not
#          saved.

# Offsets in libos::Registers.
.set at_r15, 0
.set at_r14, 8
.set at_r13, 16
.set at_r12, 24
.set at_r11, 32
.set at_r10, 40
.set at_r9, 48
.set at_r8, 56
.set at_rbp, 64
.set at_rdi, 72
.set at_rsi, 80
.set at_rdx, 88
.set at_rcx, 96
.set at_rbx, 104
.set at_rax, 112
.set at_vector, 120
.set at_error, 128
.set at_rip, 136
.set at_rsp, 160
.set registers_bytes, 176

.macro push_general
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
.endm

.macro pop_general_but_rax
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rbp
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rbx
.endm

    .section .text.libos, "ax"

# One entry for each vector, 16 bytes apart: libos_vectors + 16 * vector.
    .balign 16
    .globl libos_vectors
libos_vectors:
.set vector, 0
.rept 256
    .balign 16
.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17
.elseif vector == 21 || vector == 29 || vector == 30
.else
    pushq $0                        # where the others have an error code
.endif
    pushq $vector
.if vector < 32
    jmp exception
.else
    jmp interrupt
.endif
.set vector, vector + 1
.endr

exception:
    push_general
    cld
    movq %rsp, %rdi
    andq $-16, %rsp
    call libos_exception
    ud2

interrupt:
    push_general
    cld
    movq %rsp, %rdi
    movq %rsp, %rbp
    andq $-16, %rsp
    call libos_interrupt
    movq %rbp, %rsp
    pop_general_but_rax
    popq %rax
    addq $16, %rsp                  # vector, error
    iretq

# syscall: rcx = return address, r11 = flags, rsp the caller's; interrupts are off.
    .globl libos_syscall
libos_syscall:
    leaq -128(%rsp), %rsp           # the red zone
    pushq $16
    pushq $0                        # rsp, below
    pushq %r11
    pushq $8
    pushq %rcx
    pushq $0
    pushq $-1
    push_general
    leaq registers_bytes + 128(%rsp), %rcx
    movq %rcx, at_rsp(%rsp)
    movq %rsp, %rdi
    movq %rsp, %rbp
    andq $-16, %rsp
    call libos_system_call
    movq %rbp, %rsp
    pop_general_but_rax
    leaq 8 + 16 + 16(%rsp), %rsp    # rax, vector, error, rip, cs
    popfq
    leaq 16 + 128(%rsp), %rsp       # rsp, ss, the red zone
    jmp *%rcx

# libos_enter_libc(stack): the first instruction of a C program, as a kernel would start it.
    .globl libos_enter_libc
libos_enter_libc:
    movq %rdi, %rsp
    xorl %edx, %edx
    xorl %ebp, %ebp
    jmp _start

# libos_call_below(registers, function): calls `function` so that an unwinder sees it called from
# where the registers were taken. It does not return.
#
# DWARF: the caller's registers lie in the Registers that rbx (number 3) points to.
.macro saved_at number, offset
    .cfi_escape 0x10, \number, 3, 0x73, (\offset & 0x7f) | 0x80, \offset >> 7
.endm
    .globl libos_call_below
    .type libos_call_below, @function
libos_call_below:
    .cfi_startproc
    .cfi_signal_frame
    .cfi_escape 0x0f, 4, 0x73, (at_rsp & 0x7f) | 0x80, at_rsp >> 7, 0x06
    saved_at 0, at_rax
    saved_at 1, at_rdx
    saved_at 2, at_rcx
    saved_at 3, at_rbx
    saved_at 4, at_rsi
    saved_at 5, at_rdi
    saved_at 6, at_rbp
    saved_at 8, at_r8
    saved_at 9, at_r9
    saved_at 10, at_r10
    saved_at 11, at_r11
    saved_at 12, at_r12
    saved_at 13, at_r13
    saved_at 14, at_r14
    saved_at 15, at_r15
    saved_at 16, at_rip
    movq %rdi, %rbx
    subq $8, %rsp                   # 16-aligned before a call
    call *%rsi
    ud2
    .cfi_endproc
    .size libos_call_below, . - libos_call_below

# Where the image's ELF header points, for who starts it as a program: says so and leaves.
    .section .rodata.libos, "a"
not_a_program:
    .ascii "this image is a machine of its own, not a program: start it by crunch run\n"
.set not_a_program_bytes, . - not_a_program
    .section .text.libos, "ax"
    .globl libos_not_a_program
libos_not_a_program:
    movl $1, %eax                   # Linux: write
    movl $2, %edi
    movl $not_a_program, %esi
    movl $not_a_program_bytes, %edx
    syscall
    movl $231, %eax                 # exit_group
    movl $2, %edi
    syscall
    ud2

    .section .note.GNU-stack, "", @progbits
