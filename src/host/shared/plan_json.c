// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "listener.h"
#include "log.h"
#include "message.h"
#include "nearest.h"
#include "plan.h"
#include "plan_json.h"
#include "plan_log.h"
#include "settings.h"

/* JSON must be UTF-8, and the settings may have any bytes. Characters other than ASCII are a mistake there anyway. */
static struct json_object *text_of(const char *p, size_t len)
{
	char *copy = malloc(len + 1);
	struct json_object *o;

	if (!copy)
		abort();
	for (size_t i = 0; i < len; i++)
		copy[i] = p[i] < ' ' || p[i] > '~' ? '?' : p[i];
	o = json_object_new_string_len(copy, (int)len);
	free(copy);
	return o;
}

static struct json_object *span_of(struct span s)
{
	return text_of(s.p, s.len);
}

struct json_object *json_text(const char *s)
{
	return s ? text_of(s, strlen(s)) : NULL;
}

void json_add(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_text(value));
}

static const char *verdict_of(const struct context *ctx, const struct device *d)
{
	return ctx->ran ? outcome_name(d->decided.verdict) : verdict_name(d->decided.verdict);
}

/* Makes t the message of a device, which for one that is claimed begins with its verdict and driver. */
static void set_message(struct text *t, const struct context *ctx, const struct device *d)
{
	text_set(t, "%s", "");
	if (is_claimed(d))
		text_set(t, d->decided.verdict == VERDICT_CLAIM ? "%s for %s%s" : "%s bound to %s%s",
			 verdict_of(ctx, d), d->found.target, d->done.framebuffer ? ": " : "");
	add_message(t, &ctx->machine, d);
}

struct json_object *json_device(const struct context *ctx, const struct device *d)
{
	struct json_object *o = json_object_new_object(), *missing = json_object_new_array();
	const struct device *other;
	struct text t;

	json_add(o, "address", d->name);
	text_set(&t, "%04x:%04x", d->found.ids.vendor, d->found.ids.device);
	json_add(o, "id", t.p);
	json_object_object_add(o, "group", has_group(d) ? json_object_new_int64(d->group->number) : NULL);
	json_add(o, "verdict", verdict_of(ctx, d));
	json_add(o, "reason", d->decided.reason ? reason_name(d->decided.reason) : NULL);
	json_add(o, "driver", is_claimed(d) ? d->found.target : NULL);
	json_object_object_add(o, "selector", d->asked.selector ? span_of(d->asked.selector->text) : NULL);
	if (d->decided.reason == REASON_GROUP_INCOMPLETE) {
		for_each_member(d->group, other) {
			if (is_missing(other))
				json_object_array_add(missing, json_text(other->name));
		}
	}
	json_object_object_add(o, "missing", missing);
	set_message(&t, ctx, d);
	json_add(o, "message", t.p);
	return o;
}

static struct json_object *devices_of(const struct context *ctx)
{
	struct json_object *list = json_object_new_array();
	const struct device *d;

	for_each_device(&ctx->machine, d) {
		if (d->decided.verdict != VERDICT_NONE)
			json_object_array_add(list, json_device(ctx, d));
	}
	return list;
}

static struct json_object *absent_of(const struct context *ctx)
{
	struct json_object *list = json_object_new_array();
	const struct selector *sel = NULL;
	struct text t;

	while ((sel = next_absent(&ctx->machine, sel))) {
		struct json_object *o = json_object_new_object();

		t.len = 0;
		add_absent(&t, &ctx->machine, sel);
		json_object_object_add(o, "selector", span_of(sel->text));
		json_add(o, "message", t.p);
		json_object_object_add(o, "optional", json_object_new_boolean(sel->flags & SELECTOR_OPTIONAL));
		json_object_array_add(list, o);
	}
	return list;
}

struct json_object *json_errors(const struct settings *s)
{
	struct json_object *list = json_object_new_array();
	struct text t;

	for (unsigned i = 0; i < s->problems && i < PROBLEMS_MAX; i++) {
		const struct problem *p = &s->problem[i];
		struct json_object *o = json_object_new_object();

		set_problem(&t, p);
		json_add(o, "source", p->at.source);
		json_object_object_add(o, "line", p->at.line ? json_object_new_int64(p->at.line) : NULL);
		json_object_object_add(o, "column", p->at.column ? json_object_new_int64(p->at.column) : NULL);
		json_add(o, "message", t.p);
		json_object_array_add(list, o);
	}
	return list;
}

static void collect(const struct listener *l, unsigned level, const char *text)
{
	(void)level;
	json_object_array_add(((const struct json_listener *)l)->list, json_text(text));
}

struct json_listener json_listener(struct json_object *list)
{
	return (struct json_listener){ { collect }, list };
}

struct json_object *json_plan(const struct context *ctx)
{
	struct json_object *o = json_object_new_object();
	struct json_listener warnings = json_listener(json_object_new_array());

	json_object_object_add(o, "format", json_object_new_int(1));
	json_object_object_add(o, "devices", devices_of(ctx));
	json_object_object_add(o, "absent", absent_of(ctx));
	json_object_object_add(o, "errors", json_errors(&ctx->settings));
	say_notes(&ctx->machine, &warnings.listener);
	if (ctx->left_out_off)
		collect(&warnings.listener, LEVEL_DONE, LEFT_OUT_OFF);
	say_warnings(&ctx->machine, &warnings.listener);
	json_object_object_add(o, "warnings", warnings.list);
	return o;
}

int json_print(struct json_object *o)
{
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	bool failed = puts(text) < 0 || fflush(stdout);

	if (failed)
		say(&complaints, LEVEL_FAILED, "standard output: %s", strerror(errno));
	json_object_put(o);
	return failed;
}
