// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include "apply.h"
#include "bind.h"
#include "listener.h"
#include "modules.h"
#include "plan.h"

/* Returns the first unit from this device on, or NULL. */
static struct device *unit_from(const struct act *act, struct device *d)
{
	while (d < act->m->end && !act->alone && !(d->group && d->group->first == d))
		d++;
	return d < act->m->end ? d : NULL;
}

#define for_each_unit(act, u) for ((u) = unit_from(act, (act)->m->device); (u); (u) = unit_from(act, (u) + 1))

/* The work on a unit: nothing, claim without unbinding a driver, claim with unbinding, give back. */
enum work { WORK_NONE, WORK_DRIVERLESS, WORK_UNBIND, WORK_GIVE_BACK };

/* Returns true if an earlier run wrote an override and did not end. */
static bool is_begun(const struct act *act, const struct device *unit)
{
	for (; unit; unit = unit_next(act, unit)) {
		if (unit->group && unit->done.progress & PROGRESS_OVERRIDDEN && !unit->done.worker.pid)
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

static void begin(const struct act *act, struct device *unit)
{
	this_process(act->root->fd, &unit->done.worker);
}

/* After the time limit store() writes nothing, so the work on the unit is incomplete. */
static void end(const struct act *act, struct device *unit)
{
	if (!is_past(act->deadline))
		unit->done.progress |= PROGRESS_ENDED;
}

static void give_back(const void *data, struct device *unit)
{
	begin(data, unit);
	unit_give_back(data, unit);
	end(data, unit);
}

static void claim(const void *data, struct device *unit)
{
	begin(data, unit);
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
	bool ended; /* it is claimed or given back */
	bool open;  /* a child began and did not end */
	bool late;  /* the deadline has passed */
	struct device *failed;
};

/* Stores the reason of a device that was not claimed. */
static void set_failure(const struct act *act, const struct outcome *o, struct device *unit, struct device *d)
{
	enum reason reason = act->m->loaded ? REASON_BIND : REASON_NO_DRIVER;

	d->decided.verdict = VERDICT_FAILED;
	if (o->open) {
		/* The child may have died. In any case it did not end. */
		reason = REASON_TIMEOUT;
		d->done.worker = unit->done.worker;
	} else if (d->done.error) {
		reason = d->done.error;
	} else if (o->failed || (!act->alone && d->group->non_pci_member)) {
		d->decided.verdict = VERDICT_REFUSED;
		reason = REASON_GROUP_MEMBER_REFUSED;
		d->group->culprit = o->failed;
	} else if (o->late && !o->ended) {
		reason = REASON_TIMEOUT;
	}
	d->decided.reason = (uint8_t)reason;
	/* This run has tried it, so the message names the step of this run. */
	if (reason == REASON_TIMEOUT)
		d->done.due = false;
}

/* Stores the verdicts of a unit after its children. */
static void collect(const struct act *act, struct device *unit, bool late)
{
	struct outcome o = { unit->done.progress & PROGRESS_ENDED, false, late, failed_member(act, unit) };

	/*
	 * An earlier run began the unit, and this one had no time for it. Our own process, which ends soon, stands for
	 * the one that did not end, so that the next run takes it up.
	 */
	if (!unit->done.worker.pid && !o.ended && is_begun(act, unit))
		begin(act, unit);
	o.open = unit->done.worker.pid && !o.ended;
	for (struct device *d = unit; d; d = unit_next(act, d)) {
		if (d->decided.verdict != VERDICT_CLAIM && !(o.open && d->done.progress & PROGRESS_OVERRIDDEN))
			continue;
		if (!(o.ended && d->done.progress & PROGRESS_CLAIMED))
			set_failure(act, &o, unit, d);
	}
	/* No process works on a unit that has ended. */
	if (o.ended)
		unit->done.worker.pid = 0;
}

/* Claims a unit. Returns false if the caller must give it back. */
static bool claim_unit(const struct act *act, struct device *unit, bool *tried_to_load)
{
	if (!*tried_to_load)
		run_in_child(act->deadline, load, act, unit);
	*tried_to_load = true;
	if (act->m->loaded && !failed_member(act, unit))
		return run_in_child(act->deadline, claim, act, unit) != DIED;
	/* Nothing of it was claimed, unless an earlier run began. */
	return !is_begun(act, unit);
}

void apply_plan(struct machine *m, const struct root *root, clock_t deadline, const struct listener *log)
{
	const struct act act = { m, root, log, deadline, plan_ignores_groups(m) };
	struct device *unit;
	bool tried_to_load = false, late;

	/* Units without drivers come first, because unbinding a driver can hang. */
	for (enum work work = WORK_DRIVERLESS; work <= WORK_GIVE_BACK; work++) {
		for_each_unit(&act, unit) {
			if (work_of(&act, unit) != work)
				continue;
			if (work == WORK_GIVE_BACK || !claim_unit(&act, unit, &tried_to_load))
				run_in_child(deadline, give_back, &act, unit);
		}
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
