// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * json: for random machines and settings the JSON says what the text says. From the objects the lines of the text are
 * put together again, and have to be the same to the letter.
 *
 *	unit-json.t [SEED [ROUNDS]]
 */
#include <json-c/json.h>
#include <stdlib.h>

#include "model.h"
#include "plan_json.h"
#include "random_pair.h"
#include "tap.h"

#define ROUNDS 100000

static struct context context;
static struct page text, from_json;

static const char *word(struct json_object *o, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(o, key, &value) && value ? json_object_get_string(value) : NULL;
}

static struct json_object *list(struct json_object *o, const char *key)
{
	return json_object_object_get(o, key);
}

/* "ADDRESS [ID] group N: VERDICT for DRIVER, REASON: MESSAGE", as doc/interface.md has it. */
static void add_device_line(struct json_object *o)
{
	const char *group = word(o, "group"), *driver = word(o, "driver"), *reason = word(o, "reason");
	const char *verdict = word(o, "verdict");

	page_add(&from_json, "%s [%s] %s%s: %s", word(o, "address"), word(o, "id"), group ? "group " : "no group",
		 group ? group : "", verdict);
	if (driver)
		page_add(&from_json, " %s %s", !strcmp(verdict, "claim") ? "for" : "bound to", driver);
	if (reason)
		page_add(&from_json, ", %s", reason);
	if (!driver && *word(o, "message"))
		page_add(&from_json, ": %s", word(o, "message"));
	page_add(&from_json, "\n");
}

/* The lines of model_lines() and model_warnings() begin with their level. */
static void without_levels(struct page *page)
{
	char *to = page->p;
	bool begins = true;

	for (const char *p = page->p; *p; p++) {
		if (begins)
			p += 2;
		begins = *p == '\n';
		*to++ = *p;
	}
	*to = '\0';
}

static const char *same(void)
{
	without_levels(&text);
	return strcmp(text.p, from_json.p) ? "the JSON says what the text says" : NULL;
}

/* Those that make a group incomplete are listed, and no others anywhere. */
static const char *check_missing(struct json_object *o)
{
	size_t missing = json_object_array_length(list(o, "missing"));
	const char *reason = word(o, "reason");

	if ((missing > 0) != (reason && !strcmp(reason, "group-incomplete")))
		return "`missing` goes with group-incomplete";
	/* The message counts what is too much for it. */
	for (size_t i = 0; i < missing && i < 8; i++) {
		if (!strstr(word(o, "message"),
			    json_object_get_string(json_object_array_get_idx(list(o, "missing"), i))))
			return "the message names what is missing";
	}
	return NULL;
}

static const char *check_plan(struct json_object *plan)
{
	struct json_object *devices = list(plan, "devices"), *absent = list(plan, "absent"), *o;
	const char *broken = NULL;

	page_clear(&from_json);
	for (size_t i = 0; i < json_object_array_length(devices) && !broken; i++) {
		o = json_object_array_get_idx(devices, i);
		add_device_line(o);
		broken = check_missing(o);
	}
	/* The text leaves them out as long as a slow bus may still bring them. */
	for (size_t i = 0; i < json_object_array_length(absent) && context.machine.phase != PHASE_INIT_TOP; i++) {
		o = json_object_array_get_idx(absent, i);
		page_add(&from_json, "%s: absent: %s\n", word(o, "selector"), word(o, "message"));
	}
	model_lines(&context.machine, &text);
	return broken ? broken : same();
}

static const char *check_complaints(struct json_object *plan)
{
	struct json_object *errors = list(plan, "errors"), *warnings = list(plan, "warnings"), *o;

	page_clear(&from_json);
	for (size_t i = 0; i < json_object_array_length(errors); i++) {
		o = json_object_array_get_idx(errors, i);
		page_add(&from_json, "%s", word(o, "source"));
		if (word(o, "line"))
			page_add(&from_json, ":%s:%s", word(o, "line"), word(o, "column"));
		else
			page_add(&from_json, ", byte %s", word(o, "column"));
		page_add(&from_json, ": %s\n", word(o, "message"));
	}
	for (size_t i = 0; i < json_object_array_length(warnings); i++)
		page_add(&from_json, "%s\n", json_object_get_string(json_object_array_get_idx(warnings, i)));
	model_warnings(&context.machine, &text);
	return same();
}

static const char *check(struct pair *p)
{
	struct json_object *plan;
	const char *broken;

	if (!model_machine(&context.machine, &context.settings, p->machine))
		return "the machine can be read";
	model_settings(&context.settings, p->file, p->cmdline);
	model_decide(&context.machine);
	plan = json_plan(&context);
	broken = check_plan(plan);
	if (!broken)
		broken = check_complaints(plan);
	json_object_put(plan);
	return broken;
}

int main(int argc, char **argv)
{
	unsigned long seed = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : argc > 1 ? 1 : ROUNDS;
	unsigned long devices = 0;
	const char *broken = NULL;
	static struct pair p;

	for (unsigned long i = 0; i < rounds && !broken; i++) {
		const struct device *d;

		random_pair(&p, seed + i);
		broken = check(&p);
		if (broken)
			printf("# seed %lu: %s\n# text:\n%s# JSON:\n%s", seed + i, broken, text.p, from_json.p);
		for_each_device(&context.machine, d)
			devices += d->decided.verdict != VERDICT_NONE;
	}
	printf("# %lu devices with a verdict\n", devices);
	ok(!broken, "json", "agrees with the text");
	ok(rounds == 1 || devices > rounds, "json", "enough was said");
	return done_testing();
}
