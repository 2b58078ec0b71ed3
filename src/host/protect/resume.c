// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "cmdline.h"
#include "format.h"
#include "need.h"
#include "sysfs.h"

/* A device, or MAJOR:MINOR, as the kernel takes it (name_to_dev_t()). */
static void live_on_device(struct living *v, const char *source)
{
	unsigned major, minor;
	char end;

	if (!*source || !strcmp(source, "auto") || !strcmp(source, "none"))
		return;
	thing_begin(v, "resume", true);
	if (sscanf(source, "%u:%u%c", &major, &minor, &end) == 2)
		follow_filesystem(v, source, "", makedev(major, minor), NULL);
	else
		follow_filesystem(v, source, "", 0, NULL);
	follow_all(v);
	thing_end(v);
}

/* Lines of a shell script; initramfs-tools sources them. */
static int live_on_file(void *ctx, const char *name)
{
	struct living *v = ctx;
	struct text path;
	FILE *in = open_stream(v, text_set(&path, "etc/initramfs-tools/%s", name));
	char *line = NULL;
	size_t size = 0;

	while (in && getline(&line, &size, in) >= 0) {
		char *value = line + strspn(line, " \t"), *end;

		if (strncmp(value, "RESUME=", 7) != 0)
			continue;
		value += 7;
		if (*value == '"' || *value == '\'') {
			end = strchr(value + 1, *value);
			value++;
		} else {
			end = value + strcspn(value, " \t\n#;");
		}
		if (end)
			*end = '\0';
		live_on_device(v, value);
	}
	free(line);
	if (in)
		fclose(in);
	return 0;
}

static int live_on_part(void *ctx, const char *name)
{
	struct text path;

	return live_on_file(ctx, text_set(&path, "conf.d/%s", name));
}

/* The root of the next boot, where that is another one; of an overlay it may be the only name there is. */
static void live_on_root(struct living *v, const char *source)
{
	char *name = block_by_source(v, source), *mounted = block_of_root(v);

	if (name && (!mounted || strcmp(name, mounted) != 0)) {
		thing_begin(v, "root=", true);
		follow_filesystem(v, source, "", 0, NULL);
		follow_all(v);
		thing_end(v);
	}
	free(mounted);
	free(name);
}

static void live_on_cmdline(struct living *v)
{
	const char *p = v->job->paper.cmdline_used;
	const char *end = p + strlen(p);
	struct cmdline_word w;

	while (cmdline_next(&p, end, &w)) {
		char *value;

		if (!w.has_value)
			continue;
		value = written("%.*s", (int)w.value.len, w.value.p);
		if (span_is(w.name, "resume"))
			live_on_device(v, value);
		else if (span_is(w.name, "root"))
			live_on_root(v, value);
		free(value);
	}
}

void live_on_resume(struct living *v)
{
	live_on_cmdline(v);
	live_on_file(v, "initramfs.conf");
	list_directory(v->root, "etc/initramfs-tools/conf.d", live_on_part, v);
}
