# SPDX-License-Identifier: ISC
# targets/libos/pvh.S: the way in for machines that start a kernel by the PVH ABI, to 64 bits.
#
# Used by: QEMU -kernel, Firecracker, Cloud Hypervisor, Xen.
# In:      32-bit protected mode, paging off, EBX = hvm_start_info.
# Out:     libos_pvh_start(hvm_start_info*) in long mode, interrupts off, on the final stack; the
#          first 4 GiB are mapped as they are, writable and executable: libos::paging replaces that.
# Errors:  machine_refuse_32 (refuse.S), with a sentence in ESI.
# Source:  xen/arch-x86/hvm/start_info.h; facts of the CPU: AMD64 manual volume 2, chapter 14.

    .section .note.Xen, "a", @note
    .balign 4
    .long 4                         # bytes of the name
    .long 8                         # bytes of the descriptor
    .long 18                        # XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .quad libos_pvh_entry

    .section .rodata.libos, "a"
no_long_mode:
    .asciz "error: this processor has no 64-bit mode, which the image needs\n"
no_nx:
    .asciz "error: this processor cannot forbid execution of data (NX), which the image needs\n"
no_sse2:
    .asciz "error: this processor has no SSE2, which the image needs\n"

    .data
    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff        # 8: 64-bit code
    .quad 0x00cf93000000ffff        # 16: data
boot_gdt_end:
boot_gdt_pointer:
    .word boot_gdt_end - boot_gdt - 1
    .long boot_gdt

    .bss
    .balign 4096
boot_pml4:
    .skip 4096
boot_pdpt:
    .skip 4096
boot_pd:
    .skip 4 * 4096
    .balign 16
early_stack:
    .skip 256
early_stack_end:

    .section .text.libos, "ax"
    .code32
    .globl libos_pvh_entry
libos_pvh_entry:
    cli
    cld
    movl $early_stack_end, %esp
    movl %ebx, %ebp
    rdtsc
    movl %eax, libos_entry_tsc
    movl %edx, libos_entry_tsc + 4

    movl $no_long_mode, %esi
    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000001, %eax
    jb machine_refuse_32
    movl $0x80000001, %eax
    cpuid
    btl $29, %edx
    jnc machine_refuse_32
    movl $no_nx, %esi
    btl $20, %edx
    jnc machine_refuse_32
    movl $no_sse2, %esi
    movl $1, %eax
    cpuid
    btl $26, %edx
    jnc machine_refuse_32

    movl $boot_pdpt + 3, boot_pml4  # 3: present, writable
    movl $boot_pd + 3, %eax
    movl $boot_pdpt, %edi
    movl $4, %ecx
1:  movl %eax, (%edi)
    addl $4096, %eax
    addl $8, %edi
    loop 1b
    movl $0x83, %eax                # and of 2 MiB
    movl $boot_pd, %edi
    movl $2048, %ecx
2:  movl %eax, (%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 2b

    movl $0x620, %eax               # PAE, OSFXSR, OSXMMEXCPT
    movl %eax, %cr4
    movl $boot_pml4, %eax
    movl %eax, %cr3
    movl $0xc0000080, %ecx          # EFER
    rdmsr
    orl $0x901, %eax                # SCE, LME, NXE
    wrmsr
    movl %cr0, %eax
    andl $~0x6000000c, %eax         # not CD, NW, TS, EM
    orl $0x80010033, %eax           # PG, WP, NE, ET, MP, PE
    movl %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $8, $long_mode

    .code64
long_mode:
    movl $16, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movl $libos_stack_end, %esp
    movl %ebp, %edi
    xorl %ebp, %ebp
    call libos_pvh_start
    ud2

    .section .note.GNU-stack, "", @progbits
