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
