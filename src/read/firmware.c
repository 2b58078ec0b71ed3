// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "firmware.h"
#include "format.h"
#include "sysfs.h"

static uint64_t hex64(const char **p)
{
	uint64_t value = 0;

	for (;; ++*p) {
		int digit = **p == 'x' ? 0 : hex_digit(**p);

		if (digit < 0)
			return value;
		value = value << 4 | (unsigned)digit;
	}
}

/* Parses START-END or START END, with or without 0x, behind any spaces. Moves *p behind it. */
static struct range read_range(const char **p)
{
	struct range r;

	while (**p == ' ')
		++*p;
	r.start = hex64(p);
	*p += **p != '\0';
	r.end = hex64(p);
	return r;
}

void firmware_framebuffers(int root, struct framebuffer found[FRAMEBUFFERS_MAX + 1])
{
	/* The owner of the memory is BOOTFB (sysfb), or the fbdev or DRM driver that uses it. */
	static const char *const owners = "BOOTFB\0efifb\0vesafb\0simplefb\0simpledrm\0efidrm\0vesadrm\0ofdrm\0";
	struct framebuffer *f = found, *end = found + FRAMEBUFFERS_MAX;
	const char *line;
	struct lines l;

	f->at.end = 0;
	if (!lines_open(&l, root, "proc/iomem"))
		return;
	while (f < end && (line = lines_next(&l))) {
		f->at = read_range(&line);
		for (f->owner = owners; *f->owner && !strncmp(line, " : ", 3); f->owner = nth_word(f->owner, 1)) {
			if (!strcmp(line + 3, f->owner)) {
				f++;
				break;
			}
		}
		f->at.end = 0;
	}
	lines_close(&l);
}

static uint64_t little_endian(const char *p)
{
	const unsigned char *byte = (const unsigned char *)p;

	return byte[0] | byte[1] << 8 | byte[2] << 16 | (uint64_t)byte[3] << 24;
}

void firmware_screen(int root, struct framebuffer found[2])
{
	/* Where struct screen_info, which boot_params begins with, has orig_video_isVGA and the others; and its length.
	 */
	enum {
		IS_VGA = 0x0f,
		LFB_BASE = 0x18,
		LFB_SIZE = 0x1c,
		CAPABILITIES = 0x36,
		EXT_LFB_BASE = 0x3a,
		LENGTH = 0x3e
	};
	const char efi = 0x70, vesa = 0x23;
	uint64_t size;
	struct text t;

	found[0] = found[1] = (struct framebuffer){ .owner = "" };
	read_attribute(&t, root, "sys/kernel/boot_params/data");
	if (t.len < LENGTH || (t.p[IS_VGA] != efi && t.p[IS_VGA] != vesa))
		return;
	size = little_endian(t.p + LFB_SIZE);
	if (!size)
		return;
	found->at.start = little_endian(t.p + LFB_BASE);
	/* VIDEO_CAPABILITY_64BIT_BASE */
	if (t.p[CAPABILITIES] & 1 << 1)
		found->at.start |= little_endian(t.p + EXT_LFB_BASE) << 32;
	/* vesafb has it in units of 64 KiB. */
	found->at.end = found->at.start + (t.p[IS_VGA] == vesa ? size << 16 : size) - 1;
}

const struct framebuffer *framebuffer_in(const struct framebuffer *f, const char *resource)
{
	for (; f->at.end; f++) {
		const char *p = resource;

		while (*p) {
			struct range r = read_range(&p);

			if (r.end && f->at.start <= r.end && r.start <= f->at.end)
				return f;
			while (*p && *p++ != '\n')
				;
		}
	}
	return NULL;
}

const char *firmware_iommu(int root)
{
	for (const char *table = "DMAR\0IVRS\0IORT\0VIOT\0"; *table; table = nth_word(table, 1)) {
		struct text t;

		if (!faccessat(root, text_set(&t, "sys/firmware/acpi/tables/%s", table), F_OK, 0))
			return table;
	}
	return NULL;
}

const char *kernel_release(struct text *t, int root, const char *release)
{
	if (!release)
		read_attribute(t, root, "proc/sys/kernel/osrelease");
	return release ? release : t->p;
}

uint32_t firmware_kernel(int root, const char *release)
{
	struct text t;
	const char *p = kernel_release(&t, root, release);
	uint32_t version = decimal(&p) << 8;

	p += *p == '.';
	return version | (decimal(&p) & 0xff);
}

bool module_is(const char *path, const char *name)
{
	const char *p = base_name(path);

	for (; *name; p++, name++) {
		if ((*p == '-' ? '_' : *p) != (*name == '-' ? '_' : *name))
			return false;
	}
	return !strncmp(p, ".ko", 3);
}
