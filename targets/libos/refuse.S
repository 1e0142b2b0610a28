# SPDX-License-Identifier: ISC
# targets/libos/refuse.S: a last sentence from a processor that never gets to 64 bits.
#
# In:     ESI = text, zero-terminated.
# Where:  port 0xE9, which Xen's log shows, and COM1. Ends QEMU with the status of `refuse`
#         (targets/libos/report.hpp).

    .section .text.libos, "ax"
    .code32
    .globl machine_refuse_32
machine_refuse_32:
1:  lodsb
    testb %al, %al
    jz 3f
    outb %al, $0xe9
    movb %al, %bl
    movl $100000, %ecx
    movw $0x3fd, %dx                # COM1's line status
2:  inb %dx, %al
    testb $0x20, %al
    loopz 2b
    movw $0x3f8, %dx
    movb %bl, %al
    outb %al, %dx
    jmp 1b
3:  movw $0x501, %dx                # isa-debug-exit
    movb $1, %al
    outb %al, %dx
4:  cli
    hlt
    jmp 4b

    .section .note.GNU-stack, "", @progbits
