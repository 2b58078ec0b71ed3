// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "cmdline.h"
#include "living.h"
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
	thing_end(v);
}

/* Lines of a shell script; initramfs-tools sources them. */
static int live_on_file(void *ctx, const char *name)
{
	struct living *v = ctx;
	struct text path;
	FILE *in = open_stream(v, text_set(&path, "etc/initramfs-tools/conf.d/%s", name));
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

static void live_on_cmdline(struct living *v)
{
	const char *p = v->job->paper.cmdline_used;
	const char *end = p + strlen(p);
	struct cmdline_word w;

	while (cmdline_next(&p, end, &w)) {
		char *value;

		if (!span_is(w.name, "resume") || !w.has_value)
			continue;
		value = written("%.*s", (int)w.value.len, w.value.p);
		live_on_device(v, value);
		free(value);
	}
}

void live_on_resume(struct living *v)
{
	live_on_cmdline(v);
	list_directory(v->root, "etc/initramfs-tools/conf.d", live_on_file, v);
}
