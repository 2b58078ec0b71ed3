// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "need.h"

static char *unmangled(const char *word)
{
	/* It knows no empty text. */
	char *plain = word ? mnt_unmangle(word) : strdup("");

	if (!plain)
		abort();
	return plain;
}

void each_crypt(struct finder *f, void (*each)(struct finder *f, const struct crypt *c))
{
	FILE *in = open_stream(f, "etc/crypttab");
	char *line = NULL, *rest;
	size_t size = 0;

	while (in && getline(&line, &size, in) >= 0) {
		struct crypt c = { NULL, NULL, NULL, NULL };
		char **field[] = { &c.name, &c.source, &c.key, &c.options };
		const char *first = line + strspn(line, " \t\n");

		if (!*first || *first == '#')
			continue;
		for (unsigned i = 0; i < ARRAY_SIZE(field); i++)
			*field[i] = unmangled(strtok_r(i ? NULL : line, " \t\n", &rest));
		each(f, &c);
		for (unsigned i = 0; i < ARRAY_SIZE(field); i++)
			free(*field[i]);
	}
	free(line);
	if (in)
		fclose(in);
}

/* Most are none, as /dev/urandom and a file in the root. */
static void follow_if_block(struct finder *f, const char *source)
{
	char *name = block_by_source(f, source);

	if (name)
		need_later(f, WAY_BLOCK, name);
	free(name);
}

/* A key or a header may be on another device: PATH:DEVICE of systemd, DEVICE:PATH of passdev, or DEVICE itself. */
static void find_key(struct finder *f, const char *key)
{
	need_why(f, written("%s: %s", f->what, key));
	follow_if_block(f, key);
	/* The name of a device may have a colon itself. */
	for (const char *colon = strchr(key, ':'); colon; colon = strchr(colon + 1, ':')) {
		char *before = written("%.*s", (int)(colon - key), key);

		follow_if_block(f, before);
		follow_if_block(f, colon + 1);
		free(before);
	}
	follow_all(f);
}

static void find_line(struct finder *f, const struct crypt *c)
{
	char *what, *header;
	size_t len;

	if (!*c->source || is_not_needed(c->options))
		return;
	what = written("crypttab %s", c->name);
	need_begin(f, what, false);
	follow_filesystem(f, c->source, "", 0, NULL);
	follow_all(f);
	find_key(f, c->key);
	if (!mnt_optstr_get_option(c->options, "header", &header, &len) && header) {
		header = written("%.*s", (int)len, header);
		find_key(f, header);
		free(header);
	}
	need_end(f);
	free(what);
}

void find_crypttab(struct finder *f)
{
	each_crypt(f, find_line);
}
