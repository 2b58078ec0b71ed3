// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot explain: tells why a device gets its verdict, rule by rule. */
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "availability.h"
#include "format.h"
#include "listener.h"
#include "log.h"
#include "message.h"
#include "next_boot.h"
#include "pci_names.h"
#include "plan.h"
#include "plan_faults.h"
#include "plan_json.h"
#include "plan_log.h"
#include "request.h"
#include "settings.h"
#include "terminal.h"
#include "unprotected.h"

/* What is answered in the end. */
struct answers {
	struct context *ctx;
	struct availability can[DEVICES_MAX]; /* indexed like ctx->machine.device */
	struct context *now;		      /* the machine at this moment, or NULL if it cannot be read */
	struct dependencies deps;	      /* with `now`: what the host lives on */
};

/* What a rule, or a member of the group, means for the claim. */
enum state { STATE_FINE, STATE_AGAINST, STATE_NONE };

/* --- findings, for text and JSON --------------------------------------------------------------------------------- */

/* Returns what an entry of a list of the settings does to the device, or NULL if it does not match. */
static const char *effect(const struct selector *sel, enum list_name list, const struct device *d)
{
	static const char *const covers[LISTS] = { "excludes", "protects", "reserves" };
	enum selector_match match = selector_match(sel, d);

	if (list == LIST_VFS && (d->asked.vfs == sel || d->asked.selector == sel))
		return d->found.pf ? "makes it" : "makes VFs";
	if (list == LIST_VFS)
		return match == SELECTOR_GUARD_FAILS ? "guard fails" : NULL;
	if (list != LIST_IDS || sel->flags & SELECTOR_EXCLUDES)
		return selector_covers(sel, d) ? covers[list] : NULL;
	return match == SELECTOR_YES ? "selects" : match == SELECTOR_GUARD_FAILS ? "guard fails" : NULL;
}

/* Judges the device by a rule up to REASON_RESERVED. Stores the finding in t. */
static enum state judge_rule(struct text *t, const struct context *ctx, const struct device *d, enum reason rule)
{
	const struct machine *m = &ctx->machine;
	bool named = d->asked.named, next_boot = m->phase == PHASE_NEXT_BOOT;
	static const char *const fine[] = {
		[REASON_GUARD_MISMATCH] = "no guard fails",
		[REASON_BEHIND_PARENT] = "it can be used without another function",
		[REASON_PROTECTED] = "no entry protects it",
		[REASON_IN_USE] = "nobody uses it",
		[REASON_OVERRIDDEN] = "nobody else has overridden its driver",
		[REASON_UNUSABLE] = "VFIO can have it",
		[REASON_RESERVED] = "nothing reserves it",
	};

	t->len = 0;
	t->p[0] = '\0';
	/* It would have its own ID. */
	if (rule == REASON_RESERVED && d->asked.protects) {
		text_set(t, "not judged, since it is protected");
		return STATE_NONE;
	}
	if (plan_rule(m, d, named, rule)) {
		add_own_reason(t, m, d, rule);
		return STATE_AGAINST;
	}
	if (next_boot && (rule == REASON_IN_USE || rule == REASON_OVERRIDDEN)) {
		text_set(t, "not judged for the next boot");
		return STATE_NONE;
	}
	if (rule == REASON_BRIDGE)
		text_set(t, "it is no bridge (class %04x)", d->found.class >> 8);
	else if (rule == REASON_NO_IOMMU && !d->group)
		text_set(t, "it gets its IOMMU group when it is made");
	else if (rule == REASON_NO_IOMMU)
		text_set(t, "it is in IOMMU group %u", d->group->number);
	else if (named && plan_rule(m, d, false, rule))
		text_set(t, "it is named, and what is named may be claimed");
	else
		text_set(t, "%s", fine[rule]);
	return STATE_FINE;
}

/* Judges whether a member allows its group to be claimed. Stores the finding in t. */
static enum state judge_member(struct text *t, const struct context *ctx, const struct device *d)
{
	const struct machine *m = &ctx->machine;
	enum reason own;

	if (d->asked.protects) {
		text_set(t, "protected: nothing of its group is claimed");
		return STATE_AGAINST;
	}
	if (is_bridge(d)) {
		text_set(t, "a bridge, which stays with the host");
		if (!blocks_group(d->found.driver))
			return STATE_FINE;
		text_add(t, "; %s has to be unbound from it", d->found.driver);
		return held_fast(m, d) ? STATE_AGAINST : STATE_FINE;
	}
	if (is_exempt(d)) {
		text_set(t, "goes with the function above it");
		return STATE_FINE;
	}
	if (is_missing(d)) {
		own = plan_own_reason(m, d, true);
		text_set(t, d->asked.excluded ? "excluded, so the group is not whole"
					      : "not selected, so the group is not whole");
		if (own) {
			text_add(t, "; if it were selected: %s, ", reason_name(own));
			add_own_reason(t, m, d, own);
		}
		return STATE_AGAINST;
	}
	own = plan_own_reason(m, d, d->asked.named);
	if (own) {
		text_set(t, "selected, and %s", reason_name(own));
		return STATE_AGAINST;
	}
	text_set(t, d->asked.taken ? "taken by group=whole" : "selected");
	if (!held_fast(m, d))
		return STATE_FINE;
	text_add(t, ", and bound to %s", d->found.driver);
	return STATE_AGAINST;
}

/* --- as text ----------------------------------------------------------------------------------------------------- */

/* Prints the rest of a line that has reached `column`, which goes on below from column `below` on. */
static void print_rest(int column, int below, const char *text)
{
	char indent[64];

	snprintf(indent, sizeof(indent), "%*s", below, "");
	print_wrapped(stdout, terminal_width(), (size_t)column, indent, text);
}

static void print_fact(enum state s, const char *what, int width, const char *text)
{
	static const char *const signs[] = { "ok", "!!", "--" };
	static const enum style styles[] = { GOOD, BAD, DIM };
	int column = 8 + width + 2;

	printf("    %s%s%s  %-*s  ", style(styles[s]), signs[s], style(PLAIN), width, what);
	/* Where little room is left, what follows stands nearer to the margin. */
	print_rest(column, column + 20 > (int)terminal_width() ? 8 : column, text);
}

/*
 * Reads a line of a settings file, as a person wrote it. Returns it without its line feed and with control characters
 * replaced, or NULL if the entry is not from a file or the file cannot be read. The caller frees the line.
 */
static char *read_line_of(const struct context *ctx, const struct place *at)
{
	int fd = at->line ? openat(ctx->root.fd, at->source + 1, O_RDONLY | O_CLOEXEC) : -1;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char *text = NULL;
	size_t size = 0;
	unsigned line = 0;

	if (!file)
		return NULL;
	while (line < at->line && getline(&text, &size, file) > 0)
		line++;
	fclose(file);
	if (line < at->line) {
		free(text);
		return NULL;
	}
	text[strcspn(text, "\n")] = '\0';
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ')
			*p = *p == '\t' ? ' ' : '?';
	}
	return text;
}

static void print_line_of(const struct context *ctx, const struct place *at)
{
	char *text = read_line_of(ctx, at);

	if (text)
		printf("        %s%s%s\n", style(DIM), text, style(PLAIN));
	free(text);
}

static void print_entries(const struct context *ctx, const struct device *d)
{
	bool found = false;

	puts("\n  What the settings say of it");
	for (enum list_name i = 0; i < LISTS; i++) {
		const struct selector *sel;

		for_each_selector(&ctx->settings.list[i], sel) {
			const char *does = effect(sel, i, d);
			struct text place;

			if (!does)
				continue;
			found = true;
			place.len = 0;
			add_place(&place, &sel->at);
			printf("    %-12s%.*s  (%s)\n", does, (int)sel->text.len, sel->text.p, place.p);
			print_line_of(ctx, &sel->at);
		}
	}
	if (!found)
		print_rest(printf("    "), 6, "nothing: no entry selects, excludes, protects or reserves it");
}

static void print_rules(const struct context *ctx, const struct device *d)
{
	struct text t;

	puts("\n  The device by itself, rule by rule");
	for (enum reason rule = REASON_BRIDGE; rule <= REASON_RESERVED; rule++) {
		enum state s = judge_rule(&t, ctx, d, rule);

		print_fact(s, reason_name(rule), 14, t.p);
	}
}

static void print_group(const struct context *ctx, const struct device *d)
{
	static const char *const policies[] = { "refuse", "whole", "ignore" };
	const struct device *member;
	struct text t, device;

	if (!d->group)
		return;
	fputs("\n  ", stdout);
	print_rest(2, 4,
		   text_set(&t, "Its IOMMU group %u, all or nothing (group=%s)", d->group->number,
			    policies[ctx->settings.group]));
	for_each_member(d->group, member) {
		enum state s = judge_member(&t, ctx, member);

		print_fact(s, text_set(&device, "%pd", member), 24, t.p);
	}
	if (d->group->non_pci_member)
		print_fact(STATE_AGAINST, d->group->non_pci_member, 24, "not a known PCI device");
}

/* Prints what can be had instead of a device: up to three of its class. */
static void print_instead(const struct answers *a, const struct device *d)
{
	const struct machine *m = &a->ctx->machine;
	const struct device *other;
	char name[NAME_SIZE];
	unsigned n = 0;

	for_each_device(m, other) {
		enum available state = a->can[other - m->device].state;

		if (base_class(other) != base_class(d) || (state != AVAILABLE_ALONE && state != AVAILABLE_GROUP))
			continue;
		if (++n > 3)
			break;
		if (n == 1)
			puts("  You can have of this class:");
		print_rest(printf("    %s  ", other->name), 6, device_name(name, other));
	}
	if (!n)
		puts("  Nothing of its class can be had.");
}

/* Returns what becomes of a device that the plan, or with --now a claim, takes. */
static const char *claimed_phrase(const struct answers *a, const struct device *d)
{
	if (a->ctx->phase == PHASE_NEXT_BOOT)
		return "The next boot claims it.";
	return d->decided.verdict == VERDICT_ALREADY ? "A guest can have it." : "A claim takes it now.";
}

/* Begins the answer. Returns the column that it has reached. */
static int begin_answer(enum style s, const char *words)
{
	printf("  %s%s%s", style(s), words, style(PLAIN));
	return 2 + (int)strlen(words);
}

/* Prints the command that takes a device that can be had, in a line to copy. */
static void print_command(const struct answers *a, const struct device *d, bool group)
{
	char *with;
	size_t size;
	FILE *to = open_text(&with, &size);

	if (group) {
		fputs(", together with ", to);
		print_companions(to, d);
	}
	fputc(':', to);
	fclose(to);
	print_rest(begin_answer(GOOD, "You can have it"), 4, with);
	free(with);
	printf("    vfio-boot %s%s %s\n", a->ctx->phase == PHASE_NOW ? "claim" : "add", group ? " --whole" : "",
	       d->name);
}

/* The answer, with the command. */
static void print_answer(const struct answers *a, const struct device *d)
{
	const struct availability *can = &a->can[d - a->ctx->machine.device];
	struct text t;

	putchar('\n');
	if (can->state == AVAILABLE_NOT) {
		print_rest(begin_answer(BAD, "You cannot have it"), 4, text_set(&t, ": %s", can->why));
		if (!is_bridge(d))
			print_instead(a, d);
		return;
	}
	if (can->state == AVAILABLE_CLAIMED)
		printf("  %s%s%s\n", style(GOOD), claimed_phrase(a, d), style(PLAIN));
	else
		print_command(a, d, can->state == AVAILABLE_GROUP);
	if (d->found.boot_display)
		print_rest(printf("  "), 2,
			   "It is the screen that this machine boots with: the host shows nothing on it any more.");
}

static void print_device(const struct answers *a, const struct device *d)
{
	const struct context *ctx = a->ctx;
	char class[NAME_SIZE], name[NAME_SIZE], text[2 * NAME_SIZE];
	struct text t;

	if (d->decided.verdict != VERDICT_NONE)
		set_device_line(&t, &ctx->machine, d, false);
	else
		text_set(&t, "%pd: not selected", d);
	fputs(style(BOLD), stdout);
	print_rest(0, 4, t.p);
	snprintf(text, sizeof(text), "%s: %s", class_name(class, d), device_name(name, d));
	printf("%s  ", style(PLAIN));
	print_rest(2, 4, text);
	print_entries(ctx, d);
	print_rules(ctx, d);
	print_group(ctx, d);
	print_answer(a, d);
	if (ctx->machine.no_claim_reason)
		printf("\n  Nothing is claimed: %s\n", ctx->machine.no_claim_reason);
}

/* --- as JSON ----------------------------------------------------------------------------------------------------- */

static const char *const state_names[] = { "fine", "against", "not judged" };

static struct json_object *entries_json(const struct context *ctx, const struct device *d)
{
	struct json_object *list = json_object_new_array();

	for (enum list_name i = 0; i < LISTS; i++) {
		const struct selector *sel;

		for_each_selector(&ctx->settings.list[i], sel) {
			const char *does = effect(sel, i, d);
			struct json_object *o;
			struct text t;

			if (!does)
				continue;
			o = json_object_new_object();
			json_add(o, "effect", does);
			json_add(o, "selector", text_set(&t, "%.*s", (int)sel->text.len, sel->text.p));
			json_add(o, "source", sel->at.source);
			json_object_object_add(o, "line", sel->at.line ? json_object_new_int64(sel->at.line) : NULL);
			json_object_object_add(o, "column", json_object_new_int64(sel->at.column));
			json_object_array_add(list, o);
		}
	}
	return list;
}

static struct json_object *device_json(const struct answers *a, const struct device *d)
{
	const struct context *ctx = a->ctx;
	struct json_object *o = json_device(ctx, d), *rules = json_object_new_array(),
			   *members = json_object_new_array();
	const struct device *member;
	struct text t;

	if (d->decided.verdict == VERDICT_NONE)
		json_object_object_add(o, "verdict", NULL);
	json_object_object_add(o, "entries", entries_json(ctx, d));
	for (enum reason rule = REASON_BRIDGE; rule <= REASON_RESERVED; rule++) {
		struct json_object *fact = json_object_new_object();

		json_add(fact, "rule", reason_name(rule));
		json_add(fact, "state", state_names[judge_rule(&t, ctx, d, rule)]);
		json_add(fact, "message", t.p);
		json_object_array_add(rules, fact);
	}
	json_object_object_add(o, "rules", rules);
	for (member = d->group ? d->group->first : NULL; member; member = member->next) {
		struct json_object *fact = json_object_new_object();

		json_add(fact, "address", member->name);
		json_add(fact, "state", state_names[judge_member(&t, ctx, member)]);
		json_add(fact, "message", t.p);
		json_object_array_add(members, fact);
	}
	json_object_object_add(o, "members", members);
	json_add_availability(o, &a->can[d - ctx->machine.device], d);
	return o;
}

/* Says what say_plan_faults() says, by what is known already. */
static bool say_faults(const struct request *r, const struct answers *a, const struct listener *l)
{
	bool fault = a->now && say_unprotected(&a->deps, a->now, &a->ctx->machine, l);

	return say_image_fault(r, l) || fault;
}

static bool print_all(const struct request *r, const struct answers *a, const bool chosen[DEVICES_MAX], bool *fault)
{
	const struct context *ctx = r->ctx;
	const struct device *d;
	bool first = true;

	say_problems(&ctx->machine, &complaints);
	*fault = say_faults(r, a, &complaints);
	for_each_device(&ctx->machine, d) {
		if (!chosen[d - ctx->machine.device])
			continue;
		fputs(first ? "" : "\n", stdout);
		print_device(a, d);
		first = false;
	}
	return cannot_print();
}

static bool print_all_json(const struct request *r, const struct answers *a, const bool chosen[DEVICES_MAX],
			   bool *fault)
{
	struct json_object *o = json_object_new_object(), *devices = json_object_new_array();
	struct json_listener warnings = json_listener(json_object_new_array());
	const struct context *ctx = r->ctx;
	const struct device *d;

	for_each_device(&ctx->machine, d) {
		if (chosen[d - ctx->machine.device])
			json_object_array_add(devices, device_json(a, d));
	}
	json_object_object_add(o, "format", json_object_new_int(1));
	json_object_object_add(o, "devices", devices);
	json_object_object_add(o, "errors", json_errors(&ctx->settings));
	*fault = say_faults(r, a, &warnings.listener);
	json_object_object_add(o, "warnings", warnings.list);
	return json_print(o);
}

/*
 * Reads the machine for the phase that is asked for, and at this moment, which is the same with --now. Returns false,
 * after a message, if it cannot be read.
 */
static bool read_machine(struct answers *a, const struct request *r)
{
	static struct context now;

	a->ctx = r->ctx;
	if (asked(r, OPTION_NOW)) {
		a->now = a->ctx;
		return request_read(a->ctx, PHASE_NOW);
	}
	context_like(&now, a->ctx);
	a->now = request_read_with(&now, PHASE_NOW, &nobody) ? &now : NULL;
	return a->now ? request_read_next(a->ctx, a->now) : request_read(a->ctx, PHASE_NEXT_BOOT);
}

static void find_answers(struct answers *a)
{
	if (a->now)
		dependencies_find(&a->deps, a->now);
	availability_find(a->can, a->ctx, a->now ? &a->deps : NULL);
}

static void free_answers(struct answers *a)
{
	availability_free(a->can);
	if (a->now)
		dependencies_free(&a->deps);
}

int verb_explain(struct request *r)
{
	static bool chosen[DEVICES_MAX];
	static struct answers a;
	struct context *ctx = r->ctx;
	bool fault, failed;
	int status;

	if (!read_machine(&a, r))
		return STATUS_FAILED;
	status = choose(ctx, r->word, chosen);
	find_answers(&a);
	failed = asked(r, OPTION_JSON) ? print_all_json(r, &a, chosen, &fault) : print_all(r, &a, chosen, &fault);
	free_answers(&a);
	if (failed)
		return STATUS_FAILED;
	if (ctx->settings.problems)
		return STATUS_WRONG;
	return status ? status : fault;
}
