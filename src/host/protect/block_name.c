// SPDX-License-Identifier: GPL-2.0-or-later
#include <blkid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "format.h"
#include "need.h"
#include "sysfs.h"

#define LINKS_MAX 16

static char *copy_text(const char *text)
{
	char *to = strdup(text);

	if (!to)
		abort();
	return to;
}

static bool is_block(const struct search *s, const char *name)
{
	struct text t;

	return *name && !strchr(name, '/') && read_link(&t, s->root, text_set(&t, "sys/class/block/%s", name)) > 0;
}

char *block_by_number(const struct search *s, dev_t number)
{
	struct text t;

	if (read_link(&t, s->root, text_set(&t, "sys/dev/block/%u:%u", major(number), minor(number))) <= 0)
		return NULL;
	return is_block(s, base_name(t.p)) ? copy_text(base_name(t.p)) : NULL;
}

struct mapped {
	const struct search *s;
	const char *title;
	char *name;
};

static int note_mapped(void *data, const char *name)
{
	struct mapped *m = data;
	struct text t;

	if (read_attribute(&t, m->s->root, text_set(&t, "sys/class/block/%s/dm/name", name)) <= 0 ||
	    strcmp(t.p, m->title) != 0)
		return 0;
	m->name = copy_text(name);
	return 1;
}

static char *block_by_mapped_name(const struct search *s, const char *title)
{
	struct mapped m = { s, title, NULL };

	list_directory(s->root, "sys/class/block", note_mapped, &m);
	return m.name;
}

/*
 * device-mapper calls VG/LV VG-LV, with each dash of either name doubled (dm_build_dm_name() of lib/misc/lvm-string.c).
 */
static char *block_by_volume(const struct search *s, const char *path)
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
	name = block_by_mapped_name(s, title);
	free(title);
	return name;
}

/* Replaces a path by what a link at that path leads to. Both are below the root, and no .. leaves it. */
static void apply_link(struct text *at, const char *link)
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

/* Tries udev's links, then the number of the node, then the names in sysfs, which need neither. */
static char *block_by_path(const struct search *s, const char *path)
{
	char *name = NULL;
	struct text at, link;
	struct stat st;

	at.p[at.len = 0] = '\0';
	apply_link(&at, path);
	for (unsigned i = 0; i < LINKS_MAX && read_link(&link, s->root, at.p) > 0; i++)
		apply_link(&at, link.p);
	/* A path that was cut would name another device. */
	if (text_is_full(&at))
		return NULL;
	if (!fstatat(s->root, at.p, &st, 0) && S_ISBLK(st.st_mode))
		name = block_by_number(s, st.st_rdev);
	if (name || strncmp(at.p, "dev/", 4) != 0)
		return name;
	path = at.p + 4;
	if (!strncmp(path, "mapper/", 7))
		return block_by_mapped_name(s, path + 7);
	link = at;
	/* sysfs replaces a slash in a name by ! (cciss!c0d0). */
	for (char *p = link.p + 4; *p; p++) {
		if (*p == '/')
			*p = '!';
	}
	return is_block(s, link.p + 4) ? copy_text(link.p + 4) : block_by_volume(s, path);
}

/* udev's links have the tag as blkid_encode_string() encodes it. Without udev, libblkid searches by itself. */
static char *block_by_tag(const struct search *s, const char *tag, const char *directory, const char *value)
{
	/*
	 * A byte becomes four at most. A long value that fills the buffer makes blkid_encode_string() write a NUL
	 * behind its end.
	 */
	const size_t len = strlen(value), size = 4 * len + 5;
	char *coded = malloc(size), *device, *name = NULL;
	char *plain = len > 1 && *value == '"' && value[len - 1] == '"' ? strndup(value + 1, len - 2) : strdup(value);
	struct text t;

	if (!plain || !coded)
		abort();
	if (!blkid_encode_string(plain, coded, size))
		name = block_by_path(s, text_set(&t, "/dev/disk/%s/%s", directory, coded));
	/* libblkid searches the real root only. */
	if (!name && !s->ctx->root.sysroot) {
		device = blkid_evaluate_tag(tag, plain, NULL);
		if (device)
			name = block_by_path(s, device);
		free(device);
	}
	free(coded);
	free(plain);
	return name;
}

char *block_by_source(const struct search *s, const char *source)
{
	static const char *const tags[][2] = {
		{ "UUID", "by-uuid" },		 { "LABEL", "by-label" }, { "PARTUUID", "by-partuuid" },
		{ "PARTLABEL", "by-partlabel" }, { "ID", "by-id" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(tags); i++) {
		size_t len = strlen(tags[i][0]);

		if (!strncmp(source, tags[i][0], len) && source[len] == '=')
			return block_by_tag(s, tags[i][0], tags[i][1], source + len + 1);
	}
	return *source == '/' ? block_by_path(s, source) : NULL;
}

char *block_title(const struct search *s, const char *name)
{
	struct text t;

	if (read_attribute(&t, s->root, text_set(&t, "sys/class/block/%s/dm/name", name)) > 0)
		name = t.p;
	return alloc_printf("%s", name);
}
