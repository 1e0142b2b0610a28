# SPDX-License-Identifier: ISC
# tests/tender/guests.S: guests of a few instructions each, as bytes for tender_test.cpp, which
# puts one of them at 1 MiB. None of them uses the test's own addresses.
#
# Structures are pushed on the guest's stack, whose top is the end of memory.

    .section .rodata
    .code64

.macro guest name
    .globl guest_\name
guest_\name:
.endm
.macro end name
    .globl guest_\name\()_end
guest_\name\()_end:
.endm

# Calls hypercall \number with the structure at the top of the stack.
.macro hypercall number
    movw $0x500 + \number, %dx
    movl %esp, %eax
    outl %eax, %dx
.endm
.macro halt status
    pushq \status
    pushq $0
    hypercall 8
.endm
# Writes \bytes from \from.
.macro puts from, bytes
    pushq \bytes
    leaq \from(%rip), %rax
    pushq %rax
    hypercall 2
.endm

# Its command line, then status 7.
guest words
    movq 24(%rdi), %rsi
    xorl %ecx, %ecx
1:  cmpb $0, (%rsi, %rcx)
    je 2f
    incq %rcx
    jmp 1b
2:  pushq %rcx
    pushq %rsi
    hypercall 2
    halt $7
end words

# Status 0 if everything at the entry is as the ABI says, else the number of what is not.
guest entry
    pushfq
    popq %r8
    movl $1, %ebx
    cmpq $0x10000, %rdi
    jne 9f
    movl $2, %ebx
    movq (%rdi), %rax
    subq $8, %rax
    cmpq %rax, %rsp
    jne 9f
    movl $3, %ebx
    cmpq $2, %r8
    jne 9f
    movl $4, %ebx
    movw %cs, %ax
    cmpw $8, %ax
    jne 9f
    movw %ss, %ax
    cmpw $16, %ax
    jne 9f
    movl $5, %ebx
    movq %cr0, %rax
    orq $0x10, %rax                 # ET, which processors have always set
    movl $0x80010031, %ecx
    cmpq %rcx, %rax
    jne 9f
    movl $6, %ebx
    movq %cr4, %rax
    cmpq $0x620, %rax
    jne 9f
    movl $7, %ebx
    cmpq $0, 16(%rdi)               # TSC Hz
    je 9f
    movl $8, %ebx
    movq 32(%rdi), %rsi             # the manifest: version 1, one entry
    movabsq $0x100000001, %rax
    cmpq %rax, (%rsi)
    jne 9f
    movl $9, %ebx
    movl $1, %eax                   # CPUID says nothing of VMX
    pushq %rbx
    cpuid
    popq %rbx
    btl $5, %ecx
    jc 9f
    movl $10, %ebx
    movl $0x80000001, %eax          # and nothing of SVM
    pushq %rbx
    cpuid
    popq %rbx
    btl $2, %ecx
    jc 9f
    movl $11, %ebx                  # time goes on
    pushq $0
    hypercall 1
    cmpq $0, (%rsp)
    je 9f
    popq %rax
    xorl %ebx, %ebx
9:  halt %rbx
end entry

# Polls until bit 0 says that it shall end: "ready" first, "bye" and status 0 last.
guest drain
    puts 8f, $6
1:  pushq $0
    pushq $0
    pushq $1000000000
    hypercall 3
    testb $1, 8(%rsp)
    jz 1b
    puts 9f, $4
    halt $0
8:  .ascii "ready\n"
9:  .ascii "bye\n"
end drain

# Never polls.
guest deaf
    puts 8f, $6
1:  jmp 1b
8:  .ascii "ready\n"
end deaf

# Sends a frame on device 1, then waits for one of 77 bytes: status 77.
guest net
    puts 8f, $6
    pushq $0                        # the answer
    pushq $60
    pushq $0x102008                 # the data segment
    pushq $1
    hypercall 6
    cmpl $0, 24(%rsp)
    jne 9f
1:  pushq $0
    pushq $0
    pushq $1000000000
    hypercall 3
    testb $2, 8(%rsp)
    jz 1b
    pushq $0
    pushq $2000
    pushq $0x102008
    pushq $1
    hypercall 7
    cmpl $1, 24(%rsp)               # AGAIN
    je 1b
    cmpl $0, 24(%rsp)
    jne 9f
    cmpq $77, 16(%rsp)
    jne 1b
    halt $77
9:  halt $99
8:  .ascii "ready\n"
end net

# The same by the ring, whose address is said to it: a write, then reads until one has 77 bytes.
.macro entry operation, bytes
    movl 0(%rbx), %ecx              # entries_put
    movl %ecx, %esi
    andl $1023, %esi
    shll $5, %esi
    leaq 128(%rbx, %rsi), %rsi
    movl \operation, 0(%rsi)
    movl $1, 4(%rsi)                # the device
    movq $0x102008, 8(%rsi)         # the data segment
    movl \bytes, 16(%rsi)
    incl %ecx
    movl %ecx, 0(%rbx)
.endm
.macro kick
    movw $0x600, %dx
    outl %eax, %dx
.endm
guest ring
    movq 48(%rdi), %rbx
    testb $1, 40(%rdi)
    jz 9f
    cmpl $1, 72(%rbx)               # needs_kick
    jne 9f
    puts 8f, $6
    entry $1, $60
    kick
1:  pushq $0
    pushq $0
    pushq $1000000000
    hypercall 3
    entry $2, $2000
    kick
    movl 4(%rbx), %ecx              # commits_taken
    incl 4(%rbx)
    andl $1023, %ecx
    shll $4, %ecx
    leaq 32896(%rbx, %rcx), %rcx
    cmpl $1, 4(%rcx)                # AGAIN
    je 1b
    cmpl $0, 4(%rcx)
    jne 9f
    cmpl $77, 8(%rcx)
    jne 1b
    halt $77
9:  halt $99
8:  .ascii "ready\n"
end ring
# It says that more entries wait than there are.
guest flood
    movq 48(%rdi), %rbx
    movl $1025, 0(%rbx)
    kick
end flood
# Over the ring, by the ring.
guest reach
    movq 48(%rdi), %rbx
    entry $2, $2000
    movq %rbx, 8(%rsi)
    kick
end reach

# Block 1 of device 1 is read, its first byte incremented, and written to block 0.
guest block
    pushq $0
    pushq $512
    pushq $0x102008
    pushq $512
    pushq $1
    hypercall 5
    cmpl $0, 32(%rsp)
    jne 9f
    incb 0x102008
    movq $0, 8(%rsp)
    hypercall 4
    cmpl $0, 32(%rsp)
    jne 9f
    movq $1, 8(%rsp)                # no whole block: EINVAL, and it lives on
    hypercall 4
    cmpl $2, 32(%rsp)
    jne 9f
    halt $0
9:  halt $99
end block

# The hostile ones.
guest hlt
    hlt
end hlt
guest fault
    ud2
end fault
guest null
    movl $0, 0
end null
guest beyond
    movq $0x7f000000, %rax
    movl $0, (%rax)
end beyond
guest overwrite                     # its own code, which the ABI's page tables let it
    movb $0x90, guest_overwrite(%rip)
    halt $0
end overwrite
guest port
    movw $0x3f8, %dx
    outb %al, %dx
end port
guest in
    inb $0x60, %al
end in
guest pointer
    movw $0x502, %dx
    movl $0xfffffff0, %eax
    outl %eax, %dx
end pointer
guest length
    pushq $-8
    pushq $0x100000
    hypercall 2
end length
guest handle
    pushq $0
    pushq $60
    pushq $0x100000
    pushq $63
    hypercall 6
end handle
guest answer                        # over its code
    movw $0x501, %dx
    movl $0x100000, %eax
    outl %eax, %dx
end answer

    .section .note.GNU-stack, "", @progbits
