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
static void find_device(struct finder *f, const char *source)
{
	unsigned major, minor;
	char end;

	if (!*source || !strcmp(source, "auto") || !strcmp(source, "none"))
		return;
	need_begin(f, "resume", true);
	if (sscanf(source, "%u:%u%c", &major, &minor, &end) == 2)
		follow_filesystem(f, source, "", makedev(major, minor), NULL);
	else
		follow_filesystem(f, source, "", 0, NULL);
	follow_all(f);
	need_end(f);
}

/* Lines of a shell script; initramfs-tools sources them. */
static int find_file(void *data, const char *name)
{
	struct finder *f = data;
	struct text path;
	FILE *in = open_stream(f, text_set(&path, "etc/initramfs-tools/%s", name));
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
		find_device(f, value);
	}
	free(line);
	if (in)
		fclose(in);
	return 0;
}

static int find_part(void *data, const char *name)
{
	struct text path;

	return find_file(data, text_set(&path, "conf.d/%s", name));
}

/* The root of the next boot, where that is another one; of an overlay it may be the only name there is. */
static void find_root(struct finder *f, const char *source)
{
	char *name = block_by_source(f, source), *mounted = block_of_root(f);

	if (name && (!mounted || strcmp(name, mounted) != 0)) {
		need_begin(f, "root=", true);
		follow_filesystem(f, source, "", 0, NULL);
		follow_all(f);
		need_end(f);
	}
	free(mounted);
	free(name);
}

static void find_cmdline(struct finder *f)
{
	const char *p = f->ctx->buffers.cmdline_used;
	const char *end = p + strlen(p);
	struct cmdline_word w;

	while (cmdline_next(&p, end, &w)) {
		char *value;

		if (!w.has_value)
			continue;
		value = written("%.*s", (int)w.value.len, w.value.p);
		if (span_is(w.name, "resume"))
			find_device(f, value);
		else if (span_is(w.name, "root"))
			find_root(f, value);
		free(value);
	}
}

void find_resume(struct finder *f)
{
	find_cmdline(f);
	find_file(f, "initramfs.conf");
	list_directory(f->root, "etc/initramfs-tools/conf.d", find_part, f);
}
