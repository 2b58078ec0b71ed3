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

void each_crypt(struct living *v, void (*each)(struct living *v, const struct crypt *c))
{
	FILE *in = open_stream(v, "etc/crypttab");
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
		each(v, &c);
		for (unsigned i = 0; i < ARRAY_SIZE(field); i++)
			free(*field[i]);
	}
	free(line);
	if (in)
		fclose(in);
}

/* Most are none, as /dev/urandom and a file in the root. */
static void follow_if_block(struct living *v, const char *source)
{
	char *name = block_by_source(v, source);

	if (name)
		need_later(v, WAY_BLOCK, name);
	free(name);
}

/* A key or a header may be on another device: PATH:DEVICE of systemd, DEVICE:PATH of passdev, or DEVICE itself. */
static void live_on_key(struct living *v, const char *key)
{
	thing_why(v, written("%s: %s", v->what, key));
	follow_if_block(v, key);
	/* The name of a device may have a colon itself. */
	for (const char *colon = strchr(key, ':'); colon; colon = strchr(colon + 1, ':')) {
		char *before = written("%.*s", (int)(colon - key), key);

		follow_if_block(v, before);
		follow_if_block(v, colon + 1);
		free(before);
	}
	follow_all(v);
}

static void live_on_line(struct living *v, const struct crypt *c)
{
	char *what, *header;
	size_t len;

	if (!*c->source || is_not_needed(c->options))
		return;
	what = written("crypttab %s", c->name);
	thing_begin(v, what, false);
	follow_filesystem(v, c->source, "", 0, NULL);
	follow_all(v);
	live_on_key(v, c->key);
	if (!mnt_optstr_get_option(c->options, "header", &header, &len) && header) {
		header = written("%.*s", (int)len, header);
		live_on_key(v, header);
		free(header);
	}
	thing_end(v);
	free(what);
}

void live_on_crypttab(struct living *v)
{
	each_crypt(v, live_on_line);
}
