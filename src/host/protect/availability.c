// SPDX-License-Identifier: GPL-2.0-or-later
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "availability.h"
#include "format.h"
#include "message.h"
#include "next_boot.h"
#include "plan.h"
#include "plan_json.h"
#include "settings.h"

/* What the question changes in a plan: the marks of the devices, and the flags of the selectors. */
struct marks {
	typeof(((struct device *)0)->asked) asked[DEVICES_MAX];
	typeof(((struct selector *)0)->flags) flags[LISTS][SELECTORS_MAX];
};

static void keep_marks(struct marks *k, const struct machine *m)
{
	for (const struct device *d = m->device; d < m->end; d++)
		k->asked[d - m->device] = d->asked;
	for (enum list_name i = 0; i < LISTS; i++) {
		const struct selector *sel;

		for_each_selector(&m->settings->list[i], sel)
			k->flags[i][sel - m->settings->list[i].selector] = sel->flags;
	}
}

static void put_marks_back(const struct marks *k, struct machine *m)
{
	for (struct device *d = m->device; d < m->end; d++)
		d->asked = k->asked[d - m->device];
	for (enum list_name i = 0; i < LISTS; i++) {
		struct selector *sel;

		for_each_selector(&m->settings->list[i], sel)
			sel->flags = k->flags[i][sel - m->settings->list[i].selector];
	}
}

/* Names every device that is not excluded. */
static void name_all(struct machine *m)
{
	struct device *d;

	for_each_device(m, d) {
		if (d->asked.excluded)
			continue;
		d->asked.selected = d->asked.named = true;
		d->asked.guard_failed = d->asked.taken = false;
		d->asked.vfs = NULL;
	}
}

static void deny(struct availability *of, const char *why)
{
	free(of->why);
	of->state = AVAILABLE_NOT;
	of->why = strdup(why);
	if (!of->why)
		abort();
}

/* Says which entry excludes a device. */
static void deny_excluded(struct availability *of, const struct machine *m, const struct device *d)
{
	const struct selector *sel;
	struct text t;

	for_each_selector(&m->settings->list[LIST_IDS], sel) {
		if (sel->flags & SELECTOR_EXCLUDES && selector_covers(sel, d)) {
			deny(of, text_set(&t, "it is excluded by %pe (remove that exclusion first)", sel));
			return;
		}
	}
}

/* Takes the groups of what the host lives on out of what can be had, and with `itself` that function. */
static void deny_needs(struct availability *a, struct machine *m, const struct dependencies *deps, bool itself)
{
	struct text t;

	for (unsigned i = deps->needs; i--;) {
		const struct need *need = &deps->need[i];
		const struct device *d = machine_find(m, need->device->address), *member;

		if (need->reserve || !d || is_bridge(d))
			continue;
		if (itself)
			deny(&a[d - m->device], text_set(&t, "the host lives on it: %s", need->why));
		for (member = itself || !d->group ? NULL : d->group->first; member; member = member->next) {
			if (!is_bridge(member))
				deny(&a[member - m->device],
				     text_set(&t, "the host lives on %s of its group: %s", d->name, need->why));
		}
	}
}

bool is_ready(const struct group *g)
{
	const struct device *d;
	bool any = false;

	for_each_member(g, d) {
		bool vfio = is_vfio_driver(d->found.driver);

		if (is_bridge(d) ? blocks_group(d->found.driver) : !vfio && !is_exempt(d))
			return false;
		any |= vfio;
	}
	return any && !g->non_pci_member && !(g->flags & GROUP_NOIOMMU);
}

/* Returns the first member from this one on that has to be claimed along with d and is not yet, or NULL. */
static const struct device *companion_from(const struct device *d, const struct device *member)
{
	while (member && (member == d || is_exempt(member) || is_claimed(member)))
		member = member->next;
	return member;
}

static const struct device *first_companion(const struct device *d)
{
	return d->group ? companion_from(d, d->group->first) : NULL;
}

/* Corrects what was asked by the plan as it is: what it claims already, and who has to come along. */
static void compare_with_plan(struct availability *of, const struct machine *m, const struct device *d,
			      const struct dependencies *deps)
{
	if (is_claimed(d) || is_to_be_made(d)) {
		free(of->why);
		*of = (struct availability){ .state = AVAILABLE_CLAIMED };
	} else if (of->state && deps && deps->unknown && base_class(d) == 0x01) {
		deny(of, "it is storage, and what this host lives on is unknown");
	} else if (of->state && !plan_ignores_groups(m) && first_companion(d)) {
		of->state = AVAILABLE_GROUP;
	}
}

void availability_find(struct availability a[DEVICES_MAX], struct context *ctx, const struct dependencies *deps)
{
	static struct marks kept;
	struct machine *m = &ctx->machine;
	const struct device *d;
	struct text t;

	keep_marks(&kept, m);
	name_all(m);
	plan_decide(m);
	for_each_device(m, d) {
		struct availability *of = &a[d - m->device];

		*of = (struct availability){ .state = AVAILABLE_ALONE };
		if (is_claimed(d))
			continue;
		t.len = 0;
		t.p[0] = '\0';
		add_message(&t, m, d);
		deny(of, t.p);
		if (d->asked.excluded)
			deny_excluded(of, m, d);
	}
	put_marks_back(&kept, m);
	plan_decide(m);
	if (deps) {
		deny_needs(a, m, deps, false);
		deny_needs(a, m, deps, true);
	}
	for_each_device(m, d)
		compare_with_plan(&a[d - m->device], m, d, deps);
}

bool availability_next(struct availability a[DEVICES_MAX], struct context *next, struct context *now,
		       struct dependencies *deps)
{
	context_like(next, now);
	if (!request_read_next(next, now))
		return false;
	dependencies_find(deps, now);
	availability_find(a, next, deps);
	return true;
}

const struct availability *availability_at(const struct availability a[DEVICES_MAX], struct context *ctx,
					   const struct device *d)
{
	const struct device *there = machine_find(&ctx->machine, d->address);

	return there ? &a[there - ctx->machine.device] : NULL;
}

void availability_free(struct availability a[DEVICES_MAX])
{
	for (unsigned i = 0; i < DEVICES_MAX; i++) {
		free(a[i].why);
		a[i].why = NULL;
	}
}

void print_companions(FILE *to, const struct device *d)
{
	const char *before = "";

	for (const struct device *with = first_companion(d); with; with = companion_from(d, with->next)) {
		fprintf(to, "%s%s", before, with->name);
		before = ", ";
	}
}

void json_add_availability(struct json_object *o, const struct availability *of, const struct device *d)
{
	struct json_object *with = json_object_new_array();
	const struct device *member = of && of->state == AVAILABLE_GROUP ? first_companion(d) : NULL;

	for (; member; member = companion_from(d, member->next))
		json_object_array_add(with, json_text(member->name));
	json_add(o, "available", of ? available_name(of->state) : NULL);
	json_object_object_add(o, "available_with", with);
	json_add(o, "available_message", of ? of->why : NULL);
}

const char *available_name(enum available state)
{
	static const char *const names[] = { "no", "claimed", "free", "group" };

	return names[state];
}
