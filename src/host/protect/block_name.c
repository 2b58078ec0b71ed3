// SPDX-License-Identifier: GPL-2.0-or-later
#include <blkid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "format.h"
#include "need.h"
#include "sysfs.h"

#define LINKS_MAX 16

static char *copy(const char *text)
{
	char *to = strdup(text);

	if (!to)
		abort();
	return to;
}

static bool is_block(const struct finder *f, const char *name)
{
	struct text t;

	return *name && !strchr(name, '/') && read_link(&t, f->root, text_set(&t, "sys/class/block/%s", name)) > 0;
}

char *block_by_number(const struct finder *f, dev_t number)
{
	struct text t;

	if (read_link(&t, f->root, text_set(&t, "sys/dev/block/%u:%u", major(number), minor(number))) <= 0)
		return NULL;
	return is_block(f, base_name(t.p)) ? copy(base_name(t.p)) : NULL;
}

struct mapped {
	const struct finder *f;
	const char *title;
	char *name;
};

static int note_mapped(void *data, const char *name)
{
	struct mapped *m = data;
	struct text t;

	if (read_attribute(&t, m->f->root, text_set(&t, "sys/class/block/%s/dm/name", name)) <= 0 ||
	    strcmp(t.p, m->title) != 0)
		return 0;
	m->name = copy(name);
	return 1;
}

static char *block_by_mapped_name(const struct finder *f, const char *title)
{
	struct mapped m = { f, title, NULL };

	list_directory(f->root, "sys/class/block", note_mapped, &m);
	return m.name;
}

/* VG/LV is VG-LV for device-mapper, with the dashes of both doubled (dm_build_dm_name() of lib/misc/lvm-string.c). */
static char *block_by_volume(const struct finder *f, const char *path)
{
	char *title = malloc(2 * strlen(path) + 1), *to = title, *name;

	if (!title)
		abort();
	for (; *path; path++) {
		*to++ = *path == '/' ? '-' : *path;
		if (*path == '-')
			*to++ = '-';
	}
	*to = '\0';
	name = block_by_mapped_name(f, title);
	free(title);
	return name;
}

/* Where a link at this path leads, both below the root, out of which no .. climbs. */
static void go_on(struct text *at, const char *link)
{
	char *slash = strrchr(at->p, '/');

	at->len = *link == '/' || !slash ? 0 : (unsigned)(slash - at->p);
	at->p[at->len] = '\0';
	while (*link) {
		unsigned len = (unsigned)strcspn(link, "/");

		if (span_is((struct span){ link, len }, "..")) {
			slash = strrchr(at->p, '/');
			at->len = slash ? (unsigned)(slash - at->p) : 0;
			at->p[at->len] = '\0';
		} else if (len && !span_is((struct span){ link, len }, ".")) {
			text_add(at, at->len ? "/%.*s" : "%.*s", (int)len, link);
		}
		link += len + (link[len] == '/');
	}
}

/* udev's links, then the number of the node, then the names of sysfs, which need neither. */
static char *block_by_path(const struct finder *f, const char *path)
{
	char *name = NULL;
	struct text at, link;
	struct stat st;

	at.p[at.len = 0] = '\0';
	go_on(&at, path);
	for (unsigned i = 0; i < LINKS_MAX && read_link(&link, f->root, at.p) > 0; i++)
		go_on(&at, link.p);
	if (!fstatat(f->root, at.p, &st, 0) && S_ISBLK(st.st_mode))
		name = block_by_number(f, st.st_rdev);
	if (name || strncmp(at.p, "dev/", 4) != 0)
		return name;
	path = at.p + 4;
	if (!strncmp(path, "mapper/", 7))
		return block_by_mapped_name(f, path + 7);
	link = at;
	/* sysfs writes ! for a slash (cciss!c0d0). */
	for (char *p = link.p + 4; *p; p++) {
		if (*p == '/')
			*p = '!';
	}
	return is_block(f, link.p + 4) ? copy(link.p + 4) : block_by_volume(f, path);
}

/* udev has links with the value as blkid_encode_string() makes it; where udev is not, libblkid looks for itself. */
static char *block_by_tag(const struct finder *f, const char *tag, const char *directory, const char *value)
{
	/* A byte becomes four at the most; it writes a NUL behind the end of what a long value fills
	 * (blkid_encode_string()). */
	const size_t len = strlen(value), size = 4 * len + 5;
	char *coded = malloc(size), *device, *name = NULL;
	char *plain = len > 1 && *value == '"' && value[len - 1] == '"' ? strndup(value + 1, len - 2) : strdup(value);
	struct text t;

	if (!plain || !coded)
		abort();
	if (!blkid_encode_string(plain, coded, size))
		name = block_by_path(f, text_set(&t, "/dev/disk/%s/%s", directory, coded));
	/* It knows no other root than the real one. */
	if (!name && !f->ctx->root.sysroot) {
		device = blkid_evaluate_tag(tag, plain, NULL);
		if (device)
			name = block_by_path(f, device);
		free(device);
	}
	free(coded);
	free(plain);
	return name;
}

char *block_by_source(const struct finder *f, const char *source)
{
	static const char *const tags[][2] = {
		{ "UUID", "by-uuid" },		 { "LABEL", "by-label" }, { "PARTUUID", "by-partuuid" },
		{ "PARTLABEL", "by-partlabel" }, { "ID", "by-id" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(tags); i++) {
		size_t len = strlen(tags[i][0]);

		if (!strncmp(source, tags[i][0], len) && source[len] == '=')
			return block_by_tag(f, tags[i][0], tags[i][1], source + len + 1);
	}
	return *source == '/' ? block_by_path(f, source) : NULL;
}

char *block_title(const struct finder *f, const char *name)
{
	struct text t;

	if (read_attribute(&t, f->root, text_set(&t, "sys/class/block/%s/dm/name", name)) > 0)
		name = t.p;
	return written("%s", name);
}
