// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot release: gives devices, with their groups, back to the drivers of the host. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apply.h"
#include "bind.h"
#include "errtext.h"
#include "format.h"
#include "listener.h"
#include "log.h"
#include "message.h"
#include "nearest.h"
#include "now.h"
#include "plan.h"
#include "plan_json.h"
#include "plan_log.h"
#include "report.h"
#include "sysfs.h"
#include "take_vfs.h"
#include "vfio_users.h"

struct release {
	struct act act;
	struct text *users;	/* of the current unit; shared with children, like the context */
	char *why[DEVICES_MAX]; /* who uses the group of a device that was refused, or NULL */
};

static bool is_chosen(const struct device *d)
{
	return d->asked.selected;
}

/* Returns true if d has to be given back. A chosen device without a driver may be left from an earlier release. */
static bool is_to_release(const struct device *d)
{
	if (is_bridge(d))
		return is_vfio_driver(d->found.driver) || is_claim_override(d);
	return is_vfio_driver(d->found.driver) || (!d->found.driver && (is_chosen(d) || is_claim_override(d)));
}

/* Returns true if somebody uses the unit, and stores in t who. */
static bool find_users(struct text *t, int root, const struct act *act, const struct device *unit)
{
	for (const struct device *d = unit; d; d = unit_next(act, d)) {
		if (d->found.use == USE_VFS && is_vfio_driver(d->found.driver) && find_vf_users(t, root, d->name))
			return true;
	}
	text_set(t, "its group is open, by ");
	return unit->group && add_group_users(t, root, unit->group->number);
}

/* Runs in a child. */
static void give_back(const void *data, struct device *unit)
{
	const struct release *r = data;

	note_process(r->act.root->fd, getpid(), &unit->done.worker);
	/* An unbind would wait until that user closes the group. */
	if (find_users(r->users, r->act.root->fd, &r->act, unit)) {
		unit->done.progress |= PROGRESS_OPEN;
		return;
	}
	text_set(r->users, "its group is open, by a process that has just opened it");
	unit_release(&r->act, unit);
}

/* Decides the verdict of a device that was to be released, after the child. */
static void judge(struct release *r, struct device *d, const struct device *unit, enum ending ending,
		  struct worker child)
{
	bool open = unit->done.progress & PROGRESS_OPEN;

	d->decided.verdict = VERDICT_FAILED;
	d->decided.reason = REASON_BIND;
	if (ending == TIME_IS_UP || (ending == ENDED && !open && !(unit->done.progress & PROGRESS_ENDED))) {
		d->decided.reason = REASON_TIMEOUT;
		d->done.worker = child;
		d->done.waits_for = machine_step(r->act.m);
		d->done.begun = true;
	} else if (open) {
		d->decided.verdict = VERDICT_REFUSED;
		d->decided.reason = REASON_IN_USE;
		r->why[d - r->act.m->device] = strdup(r->users->p);
		if (!r->why[d - r->act.m->device])
			abort();
	} else if (d->done.error == REASON_VANISHED) {
		d->decided.reason = REASON_VANISHED;
	} else if (ending == ENDED && !d->done.error && !is_vfio_driver(d->done.driver)) {
		d->decided.verdict = VERDICT_GIVEN_BACK;
		d->decided.reason = REASON_NONE;
	}
}

/*
 * Returns true if a child of an earlier run is still at work on the unit, which nobody else may touch. Marks its
 * devices as timed out.
 */
static bool leave_to_child(const struct act *act, struct device *unit)
{
	struct worker child = { 0, 0 };
	struct device *d;

	for (d = unit; d; d = unit_next(act, d)) {
		if (d->done.worker.pid)
			child = d->done.worker;
	}
	for (d = unit; child.pid && d; d = unit_next(act, d)) {
		if (d->decided.verdict != VERDICT_PENDING)
			continue;
		d->decided.verdict = VERDICT_FAILED;
		d->decided.reason = REASON_TIMEOUT;
		d->done.worker = child;
		d->done.due = true;
	}
	return child.pid;
}

static void release_unit(struct release *r, struct device *unit, clock_t deadline)
{
	bool chosen = false, any = false;
	enum ending ending;
	struct device *d;
	struct worker child;

	r->act.alone = !unit->group;
	for (d = unit; d; d = unit_next(&r->act, d))
		chosen |= is_chosen(d);
	for (d = unit; chosen && d; d = unit_next(&r->act, d)) {
		if (is_to_release(d)) {
			d->decided.verdict = VERDICT_PENDING;
			any = true;
		} else if (is_chosen(d)) {
			d->decided.verdict = VERDICT_KEPT;
		}
		/* Remove an override of an interrupted run, too. */
		d->done.progress &= PROGRESS_OVERRIDDEN;
	}
	if (!any || leave_to_child(&r->act, unit))
		return;
	ending = release_in_child(&r->act, unit, deadline, give_back, r);
	child = unit->done.worker;
	unit->done.worker.pid = 0;
	for (d = unit; d; d = unit_next(&r->act, d)) {
		if (d->decided.verdict == VERDICT_PENDING)
			judge(r, d, unit, ending, child);
	}
}

static void add_outcome(struct text *t, const struct release *r, const struct device *d)
{
	const char *why = r->why[d - r->act.m->device];

	if (d->decided.verdict == VERDICT_GIVEN_BACK) {
		text_add(t, "released, now ");
		add_binding(t, d->done.driver);
		if (d->found.use == USE_VFS)
			text_add(t, "; its VFs were removed with its vfio driver");
	} else if (d->decided.verdict == VERDICT_KEPT) {
		text_add(t, "is ");
		add_binding(t, d->done.driver);
		text_add(t, ", nothing to release");
	} else if (why) {
		text_add(t, "%s (end it first)", why);
	} else if (d->decided.reason == REASON_BIND) {
		bool still = is_vfio_driver(d->done.driver);

		text_add(t, still ? "it is still " : "it is ");
		add_binding(t, d->done.driver);
		text_add(t, still ? "" : ", and could not be probed");
		if (d->done.errnum)
			text_add(t, ": %s", error_text(d->done.errnum));
	} else {
		add_message(t, r->act.m, d);
	}
}

static void print_lines(const struct release *r, const struct listener *out)
{
	const struct machine *m = r->act.m;
	const struct selector *sel = NULL;
	const struct device *d;
	struct text t;

	for_each_device(m, d) {
		if (d->decided.verdict == VERDICT_NONE)
			continue;
		if (has_group(d))
			text_set(&t, "%pd group %u: ", d, d->group->number);
		else
			text_set(&t, "%pd no group: ", d);
		if (d->decided.verdict >= VERDICT_REFUSED)
			text_add(&t, "%s, %s: ", verdict_name(d->decided.verdict), reason_name(d->decided.reason));
		add_outcome(&t, r, d);
		out->say(out, LEVEL_DONE, t.p);
	}
	while ((sel = next_absent(m, sel))) {
		set_absent_line(&t, m, sel);
		out->say(out, LEVEL_DONE, t.p);
	}
}

/* A released device is "given-back", and `now` has the driver of the host. */
static struct json_object *json_release(const struct release *r, struct context *ctx)
{
	struct json_object *o = json_plan(ctx), *devices = json_object_object_get(o, "devices");

	for (size_t i = 0; i < json_object_array_length(devices); i++) {
		struct json_object *device = json_object_array_get_idx(devices, i);
		const char *name = json_object_get_string(json_object_object_get(device, "address"));
		const struct device *d = machine_find_name(&ctx->machine, name, strlen(name));
		struct text t = { 0 };

		add_outcome(&t, r, d);
		json_object_object_add(device, "message", json_text(t.p));
		json_object_object_add(device, "now", json_text(d->done.driver));
	}
	return o;
}

/*
 * Makes a released device given back in the report, so that it is neither a failure of the boot nor left open by it.
 * While a child is still at work on it the reason is a timeout, which report_recall() of later runs reads.
 */
static bool amend_release(const void *data, struct report_row *row, const struct device *d,
			  const struct report_row *old)
{
	const struct release *r = data;
	bool at_work = d->decided.reason == REASON_TIMEOUT && d->done.worker.pid && d->done.begun;
	/* The child of an earlier release may have ended since. */
	bool late = old && old->verdict == VERDICT_GIVEN_BACK && old->reason == REASON_TIMEOUT &&
		    d->decided.verdict <= VERDICT_KEPT && !d->done.worker.pid && d->done.driver &&
		    !is_vfio_driver(d->done.driver);

	if (drop_settled(row, d, old))
		return true;
	if (d->decided.verdict != VERDICT_GIVEN_BACK && !at_work && !late)
		return false;
	report_row_of_device(row, r->act.m, d);
	report_row_change(row, REPORT_VERDICT, verdict_name(VERDICT_GIVEN_BACK));
	report_row_change(row, REPORT_DRIVER, "-");
	report_row_change(row, REPORT_SELECTOR, old ? report_column(old, REPORT_SELECTOR) : "-");
	if (!at_work) {
		report_row_change(row, REPORT_WORKER, "-");
		report_row_change(row, REPORT_MESSAGE, "given back at run time (vfio-boot release)");
	}
	return true;
}

static int print_release(struct release *r, struct context *ctx, bool json)
{
	struct output out;
	int error;

	if (json) {
		error = json_print(json_release(r, ctx));
	} else {
		say_problems(&ctx->machine, &complaints);
		output_init(&out, STDOUT_FILENO);
		print_lines(r, &out.listener);
		error = output_flush(&out);
	}
	if (error && !json)
		say(&complaints, LEVEL_FAILED, "standard output: %s", error_text(error));
	return error ? STATUS_FAILED : plan_status(&ctx->machine);
}

int verb_release(struct request *request)
{
	static struct release r;
	struct by_hand run;
	struct machine *m;
	struct device *d;
	bool recorded;
	int status;

	if (asked(request, OPTION_TAKE_VFS))
		return release_vfs(request);
	status = by_hand_begin(&run, request, "vfio-boot release", false);
	if (status)
		return status;
	m = &run.ctx->machine;
	r.act = (struct act){ m, &run.ctx->root, &complaints, run.deadline, false };
	r.users = mmap(NULL, sizeof(*r.users), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r.users == MAP_FAILED)
		abort();
	for_each_device(m, d) {
		d->done.driver = d->found.driver;
		if (d->asked.guard_failed)
			continue;
		/* The reasons against a claim are none against a release. */
		d->decided.verdict = VERDICT_NONE;
		d->decided.reason = REASON_NONE;
	}
	for_each_device(m, d) {
		if (!d->group || d->group->first == d)
			release_unit(&r, d, run.deadline);
	}
	recorded = by_hand_end(&run, amend_release, &r);
	status = print_release(&r, run.ctx, asked(request, OPTION_JSON));
	for_each_device(m, d)
		free(r.why[d - m->device]);
	return recorded ? status : STATUS_FAILED;
}
