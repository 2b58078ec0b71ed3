// SPDX-License-Identifier: GPL-2.0-or-later
/* What `add --json` and `remove --json` print. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "plan_json.h"

/* Returns true if a text has this line. */
static bool has_line(const char *text, const char *line, size_t len)
{
	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		if (strcspn(p, "\n") == len && !memcmp(p, line, len))
			return true;
	}
	return false;
}

/* Returns the lines of a text that another one has not. The caller owns the list. */
static struct json_object *lines_beside(const char *text, const char *other)
{
	struct json_object *list = json_object_new_array();

	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t len = strcspn(p, "\n");
		char *line = strndup(p, len);

		if (!line)
			abort();
		if (!has_line(other, p, len))
			json_object_array_add(list, json_text(line));
		free(line);
	}
	return list;
}

/* Returns the devices of this change with their verdicts, as far as it came. The caller owns the list. */
static struct json_object *json_devices(const struct change *c)
{
	struct json_object *list = json_object_new_array();
	const struct device *d;

	for_each_device(&c->after->machine, d) {
		if (d->decided.verdict != VERDICT_NONE && change_concerns(c, d))
			json_object_array_add(list, json_device(c->after, d));
	}
	return list;
}

int change_print_json(const struct change *c, int status)
{
	struct json_object *o = json_object_new_object();
	const char *old = c->old ? c->old : "", *written = c->written ? c->written : old;

	json_object_object_add(o, "format", json_object_new_int(1));
	json_object_object_add(o, "changed", json_object_new_boolean(c->written != NULL));
	json_add(o, "file", OWN_FILE);
	json_object_object_add(o, "added", lines_beside(written, old));
	json_object_object_add(o, "removed", lines_beside(old, written));
	json_object_object_add(o, "rebuilt", json_object_new_boolean(c->rebuilt));
	json_object_object_add(o, "devices", json_devices(c));
	json_object_object_add(o, "exit_status", json_object_new_int(status));
	return json_print(o) ? STATUS_FAILED : status;
}
