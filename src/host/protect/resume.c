// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "cmdline.h"
#include "format.h"
#include "need.h"
#include "sysfs.h"

/* The kernel takes a device or MAJOR:MINOR (name_to_dev_t()). */
static void find_resume_device(struct search *s, const char *source)
{
	unsigned major, minor;
	char end;

	if (!*source || !strcmp(source, "auto") || !strcmp(source, "none"))
		return;
	need_begin(s, "resume", true);
	if (sscanf(source, "%u:%u%c", &major, &minor, &end) == 2)
		follow_filesystem(s, source, "", makedev(major, minor), NULL);
	else
		follow_filesystem(s, source, "", 0, NULL);
	need_end(s);
}

/* The file is a shell script that initramfs-tools sources. Look for RESUME= lines. */
static int find_in_config(void *data, const char *name)
{
	struct search *s = data;
	struct text path;
	FILE *in = open_stream(s, text_set(&path, "etc/initramfs-tools/%s", name));
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
		find_resume_device(s, value);
	}
	free(line);
	if (in)
		fclose(in);
	return 0;
}

static int find_in_drop_in(void *data, const char *name)
{
	struct text path;

	return find_in_config(data, text_set(&path, "conf.d/%s", name));
}

/*
 * Finds the root of the next boot if it is not the mounted one. For an overlay this may be the only name of the device.
 */
static void find_root_argument(struct search *s, const char *source)
{
	char *name = block_by_source(s, source), *mounted = block_of_root(s);

	if (name && (!mounted || strcmp(name, mounted) != 0)) {
		need_begin(s, "root=", true);
		follow_filesystem(s, source, "", 0, NULL);
		need_end(s);
	}
	free(mounted);
	free(name);
}

static void find_in_cmdline(struct search *s)
{
	const char *p = s->ctx->buffers.cmdline_used;
	const char *end = p + strlen(p);
	struct cmdline_word w;

	while (cmdline_next(&p, end, &w)) {
		char *value;

		if (!w.has_value)
			continue;
		value = alloc_printf("%.*s", (int)w.value.len, w.value.p);
		if (span_is(w.name, "resume"))
			find_resume_device(s, value);
		else if (span_is(w.name, "root"))
			find_root_argument(s, value);
		free(value);
	}
}

void find_resume(struct search *s)
{
	find_in_cmdline(s);
	find_in_config(s, "initramfs.conf");
	list_directory(s->root, "etc/initramfs-tools/conf.d", find_in_drop_in, s);
}
