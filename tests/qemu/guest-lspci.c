// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest that is nothing but this: says on the first serial port which PCI functions it sees, and powers off. QEMU
 * loads it with -kernel (Multiboot), after its firmware has numbered the buses; it is quick even where QEMU runs in an
 * emulated machine. Built with -m32 -ffreestanding.
 */
#include <stdint.h>

/* Multiboot Specification 0.6.96, 3.1.1: magic, flags, checksum, in the first 8192 bytes; and where it begins. */
__asm__(".section .text.first, \"ax\"\n.long 0x1badb002, 0, -0x1badb002\n"
	".globl _start\n_start: movl $stack_end, %esp\ncall look\n"
	".bss\n.skip 4096\nstack_end:\n.text");

static void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void put(char c)
{
	__asm__ volatile("outb %0, %1" : : "a"(c), "Nd"((uint16_t)0x3f8));
}

static void put_hex(uint32_t value, unsigned digits)
{
	while (digits--)
		put("0123456789abcdef"[value >> digits * 4 & 15]);
}

/* Configuration mechanism #1. */
static uint32_t config(uint32_t function, uint32_t at)
{
	out32(0xcf8, 0x80000000 | function << 8 | at);
	return in32(0xcfc);
}

void look(void)
{
	for (uint32_t function = 0; function < 0x10000; function++) {
		uint32_t id = config(function, 0);

		if (id == 0xffffffff)
			continue;
		put_hex(function >> 8, 2);
		put(':');
		put_hex(function >> 3 & 0x1f, 2);
		put('.');
		put_hex(function & 7, 1);
		put(' ');
		put_hex(id & 0xffff, 4);
		put(':');
		put_hex(id >> 16, 4);
		put('\n');
	}
	/* The port of -device isa-debug-exit. */
	for (;;)
		out32(0xf4, 0);
}
