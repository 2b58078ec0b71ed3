// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include "apply.h"
#include "bind.h"
#include "listener.h"
#include "modules.h"
#include "plan.h"

/* The work on a unit: nothing, claim without unbinding a driver, claim with unbinding, give back. */
enum work { WORK_NONE, WORK_DRIVERLESS, WORK_UNBIND, WORK_GIVE_BACK };

/* Returns true if a run wrote to the unit, or unbound its drivers, and nobody works on it any more. */
static bool is_begun(const struct act *act, const struct device *unit)
{
	for (; unit; unit = unit_next(act, unit)) {
		if (unit->group && is_touched(unit) && !unit->done.worker.pid)
			return true;
	}
	return false;
}

/* Returns true if the claim of the unit must unbind a driver of this member. */
static bool needs_unbind(const struct device *d)
{
	if (is_exempt(d))
		return blocks_group(d->found.driver);
	return d->decided.verdict == VERDICT_CLAIM && d->found.driver;
}

static enum work work_of(const struct act *act, const struct device *unit)
{
	bool claims = false, claimed = false, blocked = false, unbinds = false;

	for (const struct device *d = unit; d; d = unit_next(act, d)) {
		claims |= d->decided.verdict == VERDICT_CLAIM;
		claimed |= is_claimed(d);
		blocked |= !act->alone && is_bridge(d) && blocks_group(d->found.driver);
		unbinds |= needs_unbind(d);
	}
	if (!claimed)
		return is_begun(act, unit) && !(unit->done.progress & PROGRESS_ENDED) ? WORK_GIVE_BACK : WORK_NONE;
	if (!claims && !blocked && !is_begun(act, unit))
		return WORK_NONE;
	return unbinds ? WORK_UNBIND : WORK_DRIVERLESS;
}

/* After the time limit store() writes nothing, so the work on the unit is incomplete. */
static void end(const struct act *act, struct device *unit)
{
	if (!is_past(act->deadline))
		unit->done.progress |= PROGRESS_ENDED;
}

static void give_back(const void *data, struct device *unit)
{
	unit_give_back(data, unit);
	end(data, unit);
}

static void claim(const void *data, struct device *unit)
{
	if (!unit_claim(data, unit))
		unit_give_back(data, unit);
	end(data, unit);
}

static void load(const void *data, struct device *unit)
{
	const struct act *act = data;

	(void)unit;
	load_drivers(act);
	act->m->loaded = true;
}

/* Returns the first member of the unit with an error, or NULL. */
static struct device *failed_member(const struct act *act, struct device *unit)
{
	for (; unit; unit = unit_next(act, unit)) {
		if (unit->done.error)
			return unit;
	}
	return NULL;
}

/* What happened to a unit. */
struct outcome {
	bool begun; /* a child of this run was to work on it */
	bool ended; /* it is claimed or given back */
	bool open;  /* a child began and did not end */
	bool late;  /* the deadline has passed */
	struct device *failed;
};

static enum reason failure_of(const struct act *act, const struct outcome *o, const struct device *d)
{
	if (o->open)
		return REASON_TIMEOUT;
	if (d->done.error)
		return d->done.error;
	if (o->failed || (!act->alone && (d->group->non_pci_member || d->group->newcomer)))
		return REASON_GROUP_MEMBER_REFUSED;
	if (o->late && !o->ended)
		return REASON_TIMEOUT;
	if (!act->m->loaded && d->decided.verdict == VERDICT_CLAIM)
		return REASON_NO_DRIVER;
	return o->begun ? REASON_BIND : REASON_TIMEOUT;
}

/* Stores the reason of a device that was not claimed. */
static void set_failure(const struct act *act, const struct outcome *o, struct device *unit, struct device *d)
{
	enum reason reason = failure_of(act, o, d);

	d->decided.reason = (uint8_t)reason;
	/* What was found right before the act is a refusal: nothing was done. */
	d->decided.verdict = reason < REASON_NO_DRIVER ? VERDICT_REFUSED : VERDICT_FAILED;
	if (reason == REASON_GROUP_MEMBER_REFUSED)
		d->group->culprit = o->failed;
	if (reason != REASON_TIMEOUT)
		return;
	d->done.worker = o->open ? unit->done.worker : act->m->loader;
	d->done.waits_for = unit->done.waits_for ? unit->done.waits_for : machine_step(act->m);
}

/* Returns true if something that was done to the device is not undone, and it has no row in the report for that yet. */
static bool needs_row(const struct device *d)
{
	return d->decided.verdict < VERDICT_REFUSED && d->done.progress & PROGRESS_OWED;
}

/* What an earlier look could not give back to a boot without its root has been given back by this one. */
static void note_given_back(const struct act *act, struct device *unit)
{
	for (struct device *d = unit; d; d = unit_next(act, d)) {
		if (d->done.given_back && d->done.progress & PROGRESS_OVERRIDDEN && !(d->done.progress & PROGRESS_HELD))
			d->decided.verdict = VERDICT_GIVEN_BACK;
	}
}

/* Stores the verdicts of a unit after its children. */
static void collect(const struct act *act, struct device *unit, bool late)
{
	struct outcome o = {
		.begun = unit->done.begun,
		.ended = unit->done.progress & PROGRESS_ENDED,
		.late = late,
		.failed = failed_member(act, unit),
	};

	/*
	 * An earlier run began the unit, and this one had no time for it. Our own process, which ends soon, stands for
	 * the one that did not end, so that the next run takes it up.
	 */
	if (!unit->done.worker.pid && !o.ended && is_begun(act, unit))
		note_process(act->root->fd, getpid(), &unit->done.worker);
	o.open = unit->done.worker.pid && !o.ended;
	for (struct device *d = unit; d; d = unit_next(act, d)) {
		if (d->decided.verdict != VERDICT_CLAIM && !(is_touched(d) && o.open) && !needs_row(d))
			continue;
		if (!(o.ended && d->done.progress & PROGRESS_CLAIMED))
			set_failure(act, &o, unit, d);
	}
	if (o.ended) {
		/* No process works on a unit that has ended. */
		unit->done.worker.pid = 0;
		note_given_back(act, unit);
	}
}

/*
 * Works on a unit in a child until the deadline. A child that has not ended then is left behind, and goes on by itself
 * until the deadline of the run. Returns false if the child has died.
 */
static bool work_on(const struct act *act, void (*body)(const void *data, struct device *unit), struct device *unit,
		    clock_t deadline)
{
	struct child child;

	if (is_past(deadline))
		return true;
	unit->done.begun = true;
	child = child_start(body, act, unit);
	if (child.pid > 0)
		unit->done.worker = (struct worker){ .pid = (uint32_t)child.pid };
	switch (child_wait(&child, deadline)) {
	case TIME_IS_UP:
		child_leave(&child);
		note_process(act->root->fd, child.pid, &unit->done.worker);
		unit->done.waits_for = machine_step(act->m);
		return true;
	case ENDED:
		return true;
	default:
		/* Nobody works on it any more. */
		unit->done.worker.pid = 0;
		return false;
	}
}

/* Loads the modules, before the first claim. */
static void load_modules(const struct act *act)
{
	struct child child;

	if (is_past(act->deadline))
		return;
	child = child_start(load, act, NULL);
	if (child_wait(&child, act->deadline) != TIME_IS_UP)
		return;
	child_leave(&child);
	note_process(act->root->fd, child.pid, &act->m->loader);
}

/* Claims a unit until the deadline, or gives it back. */
static void attend_to(const struct act *act, struct device *unit, enum work work, clock_t deadline)
{
	bool can_claim = act->m->loaded && !failed_member(act, unit);

	if (work != WORK_GIVE_BACK && can_claim && work_on(act, claim, unit, deadline))
		return;
	/* Nothing was claimed of a unit that cannot be, unless an earlier run began. */
	if (work == WORK_GIVE_BACK || can_claim || is_begun(act, unit))
		(void)work_on(act, give_back, unit, deadline);
}

static unsigned count_units(const struct act *act)
{
	struct device *unit;
	unsigned n = 0;

	for_each_unit(act, unit)
		n += work_of(act, unit) != WORK_NONE;
	return n;
}

/*
 * Works on all units, those without drivers first, because unbinding a driver can hang. Each has an equal share of the
 * time that is left.
 */
static void work_on_all(const struct act *act)
{
	unsigned left = count_units(act);
	bool tried_to_load = false;
	struct device *unit;

	for (enum work work = WORK_DRIVERLESS; work <= WORK_GIVE_BACK; work++) {
		for_each_unit(act, unit) {
			if (work_of(act, unit) != work)
				continue;
			if (work != WORK_GIVE_BACK && !tried_to_load)
				load_modules(act);
			tried_to_load |= work != WORK_GIVE_BACK;
			attend_to(act, unit, work, share_of(act->deadline, left));
			left -= left > 1;
		}
	}
}

/* Returns true if a child of this run has begun with the unit, and has not ended its work. */
static bool is_unfinished(const struct device *unit)
{
	return unit->done.begun && !(unit->done.progress & PROGRESS_ENDED);
}

static bool has_unfinished(const struct act *act)
{
	struct device *unit;

	for_each_unit(act, unit) {
		if (is_unfinished(unit))
			return true;
	}
	return false;
}

void apply_plan(struct machine *m, const struct root *root, clock_t deadline, const struct listener *log)
{
	const struct act act = { m, root, log, deadline, plan_ignores_groups(m) };
	struct family children;
	struct device *unit;
	bool late;

	family_begin(&children);
	work_on_all(&act);
	if (has_unfinished(&act))
		family_wait(&children, deadline);
	/* If there is time left, all children have ended: those that did not end their work have died. */
	for_each_unit(&act, unit) {
		if (is_unfinished(unit))
			(void)work_on(&act, give_back, unit, deadline);
	}
	/* A child that noticed the time limit has ended by itself, perhaps before this process noticed it. */
	late = is_past(deadline);
	for_each_unit(&act, unit)
		collect(&act, unit, late);
	/* This can hang as well. It comes last, so that no unit waits for it, and what was claimed stays claimed. */
	for_each_device(m, unit) {
		if (is_claimed(unit) && base_class(unit) == 0x03)
			run_in_child(deadline, free_framebuffer, &act, unit);
	}
}

/* After a release no override is to be there again, so that of a claim is none that was there before. */
static void forget_overrides(const struct act *act, struct device *unit)
{
	for (; unit; unit = unit_next(act, unit)) {
		if (!is_claim_override(unit))
			continue;
		unit->found.override = NULL;
		unit->done.progress |= PROGRESS_OVERRIDDEN;
	}
}

enum ending release_in_child(const struct act *act, struct device *unit, clock_t deadline,
			     void (*body)(const void *data, struct device *unit), const void *data)
{
	enum ending ending;

	forget_overrides(act, unit);
	ending = run_in_child(deadline, body, data, unit);
	return ending == DIED ? run_in_child(deadline, body, data, unit) : ending;
}
