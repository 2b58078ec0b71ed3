// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "need.h"

static char *unmangled(const char *word)
{
	/* mnt_unmangle() fails for an empty string. */
	char *plain = word ? mnt_unmangle(word) : strdup("");

	if (!plain)
		abort();
	return plain;
}

void each_crypt(struct search *s, void (*each)(struct search *s, const struct crypt *c))
{
	FILE *in = open_stream(s, "etc/crypttab");
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
		each(s, &c);
		for (unsigned i = 0; i < ARRAY_SIZE(field); i++)
			free(*field[i]);
	}
	free(line);
	if (in)
		fclose(in);
}

/* Most keys are no block device, such as /dev/urandom or a file in the root. */
static void follow_if_block(struct search *s, const char *source)
{
	char *name = block_by_source(s, source);

	if (name)
		queue_work(s, WORK_BLOCK, name);
	free(name);
}

/* A key or a header may be on another device: PATH:DEVICE of systemd, DEVICE:PATH of passdev, or the DEVICE itself. */
static void follow_key(struct search *s, const char *key)
{
	need_why(s, alloc_printf("%s: %s", s->what, key));
	follow_if_block(s, key);
	/* The name of a device may contain a colon. */
	for (const char *colon = strchr(key, ':'); colon; colon = strchr(colon + 1, ':')) {
		char *before = alloc_printf("%.*s", (int)(colon - key), key);

		follow_if_block(s, before);
		follow_if_block(s, colon + 1);
		free(before);
	}
	follow_queued(s);
}

static void find_crypttab_entry(struct search *s, const struct crypt *c)
{
	char *what, *header;
	size_t len;

	if (!*c->source || is_optional(c->options))
		return;
	what = alloc_printf("crypttab %s", c->name);
	need_begin(s, what, false);
	follow_filesystem(s, c->source, "", 0, NULL);
	follow_queued(s);
	follow_key(s, c->key);
	if (!mnt_optstr_get_option(c->options, "header", &header, &len) && header) {
		header = alloc_printf("%.*s", (int)len, header);
		follow_key(s, header);
		free(header);
	}
	need_end(s);
	free(what);
}

void find_crypttab(struct search *s)
{
	each_crypt(s, find_crypttab_entry);
}
