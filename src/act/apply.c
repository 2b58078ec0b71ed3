// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include "apply.h"
#include "bind.h"
#include "listener.h"
#include "modules.h"
#include "plan.h"

/* The next unit from this device on, or NULL. */
static struct device *unit_from(const struct act *act, struct device *d)
{
	while (d < act->m->end && !act->alone && !(d->group && d->group->first == d))
		d++;
	return d < act->m->end ? d : NULL;
}

#define for_each_unit(act, u) for ((u) = unit_from(act, (act)->m->device); (u); (u) = unit_from(act, (u) + 1))

enum work { WORK_NONE, WORK_DRIVERLESS, WORK_UNBIND, WORK_GIVE_BACK };

/* Has an earlier run, which did not come to its end, written to it? */
static bool is_begun(const struct act *act, const struct device *unit)
{
	for (; unit; unit = unit_next(act, unit)) {
		if (unit->group && unit->done.progress & PROGRESS_OVERRIDDEN && !unit->done.worker.pid)
			return true;
	}
	return false;
}

/* What is there to do in a unit, and does a driver have to be taken off before it can be claimed? */
static enum work work_of(const struct act *act, const struct device *unit)
{
	enum work work = WORK_NONE;
	bool unbind = false, claimed = false, blocked = false;

	for (const struct device *d = unit; d; d = unit_next(act, d)) {
		if (is_claimed(d))
			claimed = true;
		if (d->decided.verdict == VERDICT_CLAIM)
			work = WORK_DRIVERLESS;
		if (!act->alone && is_bridge(d) && blocks_group(d->found.driver))
			blocked = true;
		if (is_exempt(d) ? blocks_group(d->found.driver)
				 : d->decided.verdict == VERDICT_CLAIM && d->found.driver)
			unbind = true;
	}
	if (!claimed)
		return is_begun(act, unit) && !(unit->done.progress & PROGRESS_ENDED) ? WORK_GIVE_BACK : WORK_NONE;
	if (blocked || is_begun(act, unit))
		work = work ? work : WORK_DRIVERLESS;
	return work && unbind ? WORK_UNBIND : work;
}

static void begin(const struct act *act, struct device *unit)
{
	this_process(act->root->fd, &unit->done.worker);
}

/* Past the time limit nobody knows, and this child has stopped half way. */
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

/* A member of the unit that something went wrong with, or NULL. */
static struct device *troubled(const struct act *act, struct device *unit)
{
	for (; unit; unit = unit_next(act, unit)) {
		if (unit->done.error)
			return unit;
	}
	return NULL;
}

/* What became of a unit, for the report. */
static void collect(const struct act *act, struct device *unit, bool late)
{
	struct device *other = troubled(act, unit);
	bool ended = unit->done.progress & PROGRESS_ENDED, open;
	struct worker child;

	/* What an earlier run began and this one had no time for stays open, by the number of a process that is gone
	 * soon. */
	if (!unit->done.worker.pid && !ended && is_begun(act, unit))
		begin(act, unit);
	child = unit->done.worker;
	open = child.pid && !ended;
	for (struct device *d = unit; d; d = unit_next(act, d)) {
		if (d->decided.verdict != VERDICT_CLAIM && !(open && d->done.progress & PROGRESS_OVERRIDDEN))
			continue;
		if (ended && d->done.progress & PROGRESS_CLAIMED)
			continue;
		d->decided.verdict = VERDICT_FAILED;
		if (open) {
			/* Whether that child still lives or not: it did not come to its end. */
			d->decided.reason = REASON_TIMEOUT;
			d->done.worker = child;
		} else if (d->done.error) {
			d->decided.reason = d->done.error;
		} else if (other || (!act->alone && d->group->non_pci_member)) {
			d->decided.verdict = VERDICT_REFUSED;
			d->decided.reason = REASON_GROUP_MEMBER_REFUSED;
			d->group->culprit = other;
		} else if (late && !ended) {
			d->decided.reason = REASON_TIMEOUT;
		} else {
			d->decided.reason = act->m->loaded ? REASON_BIND : REASON_NO_DRIVER;
		}
		/* What is said of it is of this run. */
		if (d->decided.reason == REASON_TIMEOUT)
			d->done.due = false;
	}
	/* Nobody is at work on what has come to its end. */
	if (ended)
		unit->done.worker.pid = 0;
}

void apply_plan(struct machine *m, const struct root *root, clock_t deadline, const struct listener *log)
{
	const struct act act = { m, root, log, deadline, plan_ignores_groups(m) };
	struct device *unit;
	enum ending ending = ENDED;
	bool tried = false, late;

	/* Those that no driver holds come first: taking a driver off is what can hang. */
	for (enum work work = WORK_DRIVERLESS; work <= WORK_GIVE_BACK; work++) {
		for_each_unit(&act, unit) {
			if (work_of(&act, unit) != work)
				continue;
			ending = DIED;
			if (work != WORK_GIVE_BACK) {
				if (!tried)
					run_in_child(deadline, load, &act, unit);
				tried = true;
				if (m->loaded && !troubled(&act, unit))
					ending = run_in_child(deadline, claim, &act, unit);
				else if (!is_begun(&act, unit))
					continue;
			}
			if (ending == DIED)
				run_in_child(deadline, give_back, &act, unit);
		}
	}
	/* A child that saw the time limit before we did has ended by itself. */
	late = is_past(deadline);
	for_each_unit(&act, unit)
		collect(&act, unit, late);
	/* Last, since this can hang too: no group is to wait for it, and what was claimed stays so. */
	for_each_device(m, unit) {
		if (is_claimed(unit) && base_class(unit) == 0x03)
			run_in_child(deadline, free_framebuffer, &act, unit);
	}
}
