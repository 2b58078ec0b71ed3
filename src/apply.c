// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <poll.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apply.h"
#include "hands.h"

#define TICKS 100 /* USER_HZ, what times() counts in */

enum ending { ENDED, DIED, TIME_IS_UP };

typedef void job_fn(const struct hands *h, struct device *unit);

/* The next unit from this device on, or NULL. */
static struct device *unit_from(const struct hands *h, struct device *d)
{
	while (d < h->m->end && !h->alone && !(d->group && d->group->first == d))
		d++;
	return d < h->m->end ? d : NULL;
}

#define for_each_unit(h, u) for ((u) = unit_from(h, (h)->m->device); (u); (u) = unit_from(h, (u) + 1))

enum work { WORK_NONE, WORK_DRIVERLESS, WORK_UNBIND };

/* Is there anything left to claim in a unit, and does a driver have to be taken off first? */
static enum work work_of(const struct hands *h, const struct device *unit)
{
	enum work work = WORK_NONE;
	bool unbind = false;

	for (const struct device *d = unit; d; d = unit_next(h, d)) {
		if (d->verdict == VERDICT_CLAIM)
			work = WORK_DRIVERLESS;
		unbind |= is_exempt(d) ? blocks_group(d, d->driver) : d->verdict == VERDICT_CLAIM && d->driver;
	}
	return work && unbind ? WORK_UNBIND : work;
}

static void give_back(const struct hands *h, struct device *unit)
{
	unit_give_back(h, unit);
	unit->done |= HANDS_ENDED;
}

static void claim(const struct hands *h, struct device *unit)
{
	if (!unit_claim(h, unit))
		unit_give_back(h, unit);
	/* Past the time limit nobody knows, and this child has stopped half way. */
	if (!h->m->stop)
		unit->done |= HANDS_ENDED;
}

static void load(const struct hands *h, struct device *unit)
{
	(void)unit;
	load_drivers(h);
	h->m->loaded = true;
}

/* Runs job() in a child and waits for it, not beyond the deadline. */
static enum ending in_child(const struct hands *h, clock_t deadline, job_fn *job, struct device *unit)
{
	struct pollfd end = { .events = POLLIN };
	int fds[2], status, ready;
	clock_t left;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return DIED;
	pid = fork();
	if (!pid) {
		job(h, unit);
		_exit(0);
	}
	close(fds[1]);
	end.fd = fds[0];
	do {
		/* The other end is closed when the child is gone, however it goes. */
		left = deadline - times(NULL);
		ready = left > 0 ? poll(&end, 1, (int)left * (1000 / TICKS)) : 0;
	} while (ready < 0);
	close(fds[0]);
	if (pid < 0)
		return DIED;
	if (!ready) {
		h->m->stop = true;
		return TIME_IS_UP;
	}
	return waitpid(pid, &status, 0) == pid && !status ? ENDED : DIED;
}

/* A member of the unit that something went wrong with, or NULL. */
static struct device *troubled(const struct hands *h, struct device *unit)
{
	for (; unit; unit = unit_next(h, unit)) {
		if (unit->trouble)
			return unit;
	}
	return NULL;
}

/* What became of a unit, for the report. */
static void collect(const struct hands *h, struct device *unit)
{
	struct device *other = troubled(h, unit);

	for (struct device *d = unit; d; d = unit_next(h, d)) {
		if (d->verdict != VERDICT_CLAIM || (d->done & HANDS_CLAIMED && unit->done & HANDS_ENDED))
			continue;
		d->verdict = VERDICT_FAILED;
		if (!(unit->done & HANDS_ENDED) && h->m->stop) {
			d->reason = REASON_TIMEOUT;
		} else if (!h->m->loaded) {
			d->reason = REASON_NO_DRIVER;
		} else if (d->trouble || !other) {
			d->reason = d->trouble ? d->trouble : REASON_BIND;
		} else {
			d->verdict = VERDICT_REFUSED;
			d->reason = REASON_GROUP_MEMBER_REFUSED;
			d->group->about = other;
		}
	}
}

void apply_plan(struct machine *m, const struct root *root)
{
	const struct hands h = { m, root, plan_ignores_groups(m) };
	clock_t deadline = times(NULL) + (clock_t)m->settings->timeout * TICKS;
	struct device *unit;
	bool tried = false;

	/* Those that no driver holds come first: taking a driver off is what can hang. */
	for (enum work work = WORK_DRIVERLESS; work <= WORK_UNBIND; work++) {
		for_each_unit(&h, unit) {
			if (work_of(&h, unit) != work)
				continue;
			if (!tried)
				in_child(&h, deadline, load, unit);
			tried = true;
			if (!m->loaded || m->stop || troubled(&h, unit))
				continue;
			if (in_child(&h, deadline, claim, unit) == DIED)
				in_child(&h, deadline, give_back, unit);
		}
	}
	for_each_unit(&h, unit)
		collect(&h, unit);
}
