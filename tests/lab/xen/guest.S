// SPDX-License-Identifier: ISC
// tests/lab/xen/guest.S: the least PVH guest, by which the lab shows that it works. It says its
// command line on port 0xE9 (Xen's log has it) and does what its first letter says: p powers off,
// c crashes, any other sleeps for ever.
//
// Entered in 32-bit mode without paging, ebx: hvm_start_info (xen/arch-x86/hvm/start_info.h).

        .set cmdline_paddr, 24       // in hvm_start_info
        .set phys32_entry, 18        // XEN_ELFNOTE_PHYS32_ENTRY
        .set sched_op, 29 * 32       // __HYPERVISOR_sched_op, in the page of hypercalls

        .section .note.Xen, "a", @note
        .long 4, 4, phys32_entry
        .asciz "Xen"
        .long start

        .text
        .code32
        .globl start
start:  movl $stack_top, %esp
        movl cmdline_paddr(%ebx), %esi
        movl %esi, %ebp
1:      lodsb
        outb %al, $0xe9
        testb %al, %al
        jnz 1b
        movb $'\n', %al
        outb %al, $0xe9

        movl $0x40000002, %eax       // ebx: the MSR that fills a page with hypercalls
        cpuid
        movl %ebx, %ecx
        movl $hypercalls, %eax
        xorl %edx, %edx
        wrmsr

        movb (%ebp), %al
        movl $2, %ebx                // SCHEDOP_shutdown
        movl $crashed, %ecx
        cmpb $'c', %al
        je 2f
        movl $powered_off, %ecx
        cmpb $'p', %al
        je 2f
        movl $3, %ebx                // SCHEDOP_poll, of nothing
        movl $poll, %ecx
2:      pushl %ebx
        pushl %ecx
        call hypercalls + sched_op
        popl %ecx
        popl %ebx
        jmp 2b

        .data
        .balign 8
poll:   .long 0, 0                   // no ports
        .quad 1 << 62                // the time to wake up
crashed:
        .long 3
powered_off:
        .long 0

        .bss
        .balign 4096
hypercalls:
        .skip 4096
        .skip 4096
stack_top:
