// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apply.h"
#include "bind.h"
#include "errtext.h"
#include "format.h"
#include "lock.h"
#include "message.h"
#include "pipeline.h"
#include "plan.h"
#include "plan_log.h"
#include "report.h"
#include "root.h"
#include "settings.h"
#include "sysfs.h"

static const char *const state_path = "run/vfio-boot/root-wait";

/* After twins have been given back, the root has this time to appear before anything else is. */
#define TWIN_TICKS (5 * TICKS)

/*
 * The boot looks for its root about once a second, and has to have looked so often. Where it has done something else
 * for longer than this, as when somebody types a passphrase, the waiting begins anew.
 */
#define CALLS_MIN 3
#define GAP_TICKS (5 * TICKS)

enum step { STEP_TWINS, STEP_OTHERS, STEP_DONE };

struct state {
	uint32_t since; /* when the waiting began, in ticks of times() */
	uint32_t calls; /* of this program, since then */
	uint32_t step;	/* enum step: what is to be done next */
	uint32_t last;	/* when the last call was, like since */
};

static uint32_t now(void)
{
	return (uint32_t)deadline_after(0);
}

/* If there is no state, the waiting begins now. */
static struct state read_state(int root)
{
	struct state s = { now(), 0, STEP_TWINS, now() };
	struct text t;
	const char *p = t.p;

	if (read_attribute(&t, root, state_path) <= 0)
		return s;
	s.since = decimal(&p);
	p += *p == ' ';
	s.calls = decimal(&p);
	p += *p == ' ';
	s.step = decimal(&p);
	if (*p++ == ' ')
		s.last = decimal(&p);
	return s;
}

static void write_state(int root, const struct state *s)
{
	int fd = openat(root, state_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	struct text t;

	text_set(&t, "%u %u %u %u", s->since, s->calls, s->step, s->last);
	/* Without the file, the waiting never ends, as without us. */
	(void)!write(fd, t.p, t.len);
	close(fd);
}

void begin_root_wait(int root)
{
	const struct state s = { now(), 0, STEP_TWINS, now() };

	write_state(root, &s);
}

/* Returns true if the device is held for VFIO, or was when a process died, and may be the root. */
static bool is_due(const struct device *d, enum step step)
{
	bool held = is_vfio_driver(d->found.driver) || (!d->found.driver && d->done.progress & PROGRESS_OVERRIDDEN);

	return held && is_wanted(d) && !d->done.worker.pid && base_class(d) == 0x01 &&
	       (step == STEP_OTHERS || d->asked.twin);
}

static bool is_unit_due(const struct act *act, const struct device *unit, enum step step)
{
	for (; unit; unit = unit_next(act, unit)) {
		if (is_due(unit, step))
			return true;
	}
	return false;
}

static void release(const void *data, struct device *unit)
{
	const struct act *act = data;

	note_process(act->root->fd, getpid(), &unit->done.worker);
	unit_release(act, unit);
}

/* Stores the outcome for each member that was held for VFIO. */
static void judge(const struct act *act, struct device *unit, enum ending ending)
{
	const struct worker worker = unit->done.worker;
	bool late = ending == TIME_IS_UP || !(unit->done.progress & (PROGRESS_ENDED | PROGRESS_OPEN));

	unit->done.worker.pid = 0;
	for (struct device *d = unit; d; d = unit_next(act, d)) {
		if (!is_wanted(d) || !(is_vfio_driver(d->found.driver) || d->done.progress & PROGRESS_OVERRIDDEN))
			continue;
		d->done.begun = d->done.given_back = true;
		d->decided.verdict = VERDICT_FAILED;
		d->decided.reason = REASON_ROOT_MISSING;
		if (ending != DIED && late) {
			d->decided.reason = REASON_TIMEOUT;
			d->done.worker = worker;
			d->done.waits_for = machine_step(act->m);
		} else if (ending != DIED && unit->done.progress & PROGRESS_ENDED && !is_vfio_driver(d->done.driver)) {
			d->decided.verdict = VERDICT_GIVEN_BACK;
		}
	}
}

static bool amend(const void *data, struct report_row *row, const struct device *d, const struct report_row *old)
{
	(void)old;
	if (d->done.begun)
		report_row_of_device(row, data, d);
	return d->done.begun;
}

/* Gives back the units of a step, each in an equal share of the time that is left. Returns true if there was one. */
static bool give_back_step(struct context *ctx, enum step step, clock_t deadline, const struct listener *log)
{
	struct machine *m = &ctx->machine;
	const struct act act = { m, &ctx->root, log, deadline, plan_ignores_groups(m) };
	unsigned left = 0;
	struct device *unit;

	for_each_unit(&act, unit)
		left += is_unit_due(&act, unit, step);
	if (!left)
		return false;
	say(log, LEVEL_REFUSED, "the root did not appear in %u s: what may be it is given back",
	    m->settings->root_wait);
	for_each_unit(&act, unit) {
		if (is_unit_due(&act, unit, step))
			judge(&act, unit, release_in_child(&act, unit, share_of(deadline, left--), release, &act));
	}
	return true;
}

/* Writes report and log. Returns the exit status. */
static int finish(struct context *ctx, const struct listener *log)
{
	struct machine *m = &ctx->machine;
	const struct device *d;
	struct text t;
	int error = report_amend(m, ctx->root.fd, amend, m);

	for_each_device(m, d) {
		if (!d->done.begun)
			continue;
		set_device_line(&t, m, d, true);
		log->say(log, d->decided.verdict == VERDICT_FAILED ? LEVEL_FAILED : LEVEL_REFUSED, t.p);
	}
	if (error)
		say(log, LEVEL_FAILED, "/run/vfio-boot/report: %s", error_text(error));
	return error ? STATUS_FAILED : 1;
}

/* Does the next steps until one has something to do. Returns the exit status. */
static int do_steps(struct context *ctx, struct state *s, clock_t deadline, const struct listener *log)
{
	bool any = false;

	ctx = decide_in_time(ctx, deadline, log);
	/* The next call tries again. */
	if (ctx->machine.failed) {
		say_notes(&ctx->machine, log);
		return STATUS_FAILED;
	}
	while (!any && s->step < STEP_DONE)
		any = give_back_step(ctx, s->step++, deadline, log);
	if (any)
		return finish(ctx, log);
	say(log, LEVEL_DONE, "the root did not appear in %u s, and nothing that was claimed can be it",
	    ctx->settings.root_wait);
	return 0;
}

int give_back_root(struct context *ctx, clock_t deadline, const struct listener *log)
{
	struct state s = read_state(ctx->root.fd);
	uint32_t wait = ctx->settings.root_wait * TICKS;
	int lock, status = 0;

	if (!wait || s.step >= STEP_DONE)
		return 0;
	if ((int32_t)(now() - s.last) > GAP_TICKS)
		s = (struct state){ now(), 0, s.step, 0 };
	s.calls++;
	s.last = now();
	if ((int32_t)(now() - s.since) >= (int32_t)wait && s.calls >= CALLS_MIN) {
		lock = lock_take(ctx->root.fd, deadline);
		if (lock < 0)
			return STATUS_FAILED; /* the next call tries again */
		status = do_steps(ctx, &s, deadline, log);
		lock_release(lock);
		/* The next step follows after the time of the twins. */
		if (status == 1)
			s = (struct state){ now() - wait + TWIN_TICKS, 0, s.step, now() };
	}
	write_state(ctx->root.fd, &s);
	return status;
}
