// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bind.h"
#include "cmdline.h"
#include "errtext.h"
#include "format.h"
#include "lock.h"
#include "message.h"
#include "pipeline.h"
#include "report.h"
#include "root.h"
#include "settings.h"
#include "sysfs.h"

static const char *const state_path = "run/vfio-boot/root-wait";

/* After twins have been given back, the root has this time to appear before anything else is. */
#define TWIN_SECONDS 5

enum step { STEP_TWINS, STEP_OTHERS, STEP_DONE };

#define TICKS 100 /* of times() in a second */

/*
 * The boot waits for more than its root: somebody types a passphrase between two calls. So a pause between two calls
 * counts as this much at the most.
 */
#define PAUSE_MAX (3 * TICKS)

/* What earlier calls of this boot have left. */
struct state {
	uint32_t last;	 /* when they were called, in ticks of times() */
	uint32_t waited; /* how long the root has been waited for, in ticks */
	uint32_t step;	 /* enum step: what is to be done next */
};

/* Reads the state, and adds the time since the last call. If there is none, the waiting begins now. */
static struct state read_state(int root)
{
	struct state s = { (uint32_t)deadline_after(0), 0, STEP_TWINS };
	struct text t;
	const char *p = t.p;
	uint32_t pause;

	if (read_attribute(&t, root, state_path) <= 0)
		return s;
	pause = s.last - decimal(&p);
	p += *p == ' ';
	s.waited = decimal(&p) + (pause < PAUSE_MAX ? pause : PAUSE_MAX);
	p += *p == ' ';
	s.step = decimal(&p);
	return s;
}

static void write_state(int root, const struct state *s)
{
	int fd = openat(root, state_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	struct text t;

	text_set(&t, "%u %u %u", s->last, s->waited, s->step);
	/* Without the file, the waiting never ends, as without us. */
	(void)!write(fd, t.p, t.len);
	close(fd);
}

/* Returns true if the root has been waited for long enough for the next step. */
static bool is_time(const struct state *s, unsigned seconds)
{
	return s->waited >= (seconds + (s->step == STEP_TWINS ? 0 : TWIN_SECONDS)) * TICKS;
}

static bool is_over_network(const struct context *ctx)
{
	const char *p = ctx->buffers.cmdline_used, *end = p + strlen(p);
	struct cmdline_word w;

	while (cmdline_next_parameter(&p, end, &w)) {
		if (parameter_is(w.name, "ip") || parameter_is(w.name, "netroot") || parameter_is(w.name, "nfsroot") ||
		    parameter_is(w.name, "iscsi_initiator"))
			return true;
	}
	return false;
}

static bool may_be_root(const struct device *d, bool network)
{
	return base_class(d) == 0x01 || (network && base_class(d) == 0x02);
}

/* Returns true if the group holds something that was claimed, may be the root, and is to be given back in this step. */
static bool is_due(const struct group *g, enum step step, bool network)
{
	const struct device *d;

	for_each_member(g, d) {
		if (is_wanted(d) && d->found.driver == d->found.target && !d->done.worker.pid &&
		    may_be_root(d, network) && (step == STEP_OTHERS || d->asked.twin))
			return true;
	}
	return false;
}

static void release(const void *data, struct device *unit)
{
	const struct act *act = data;

	this_process(act->root->fd, &unit->done.worker);
	unit_release(act, unit);
}

/* Stores the outcome for each member that was claimed. */
static void judge(struct device *unit, enum ending ending)
{
	struct worker worker = unit->done.worker;
	bool ended = unit->done.progress & PROGRESS_ENDED;
	struct device *d;

	unit->done.worker.pid = 0;
	for_each_member(unit->group, d) {
		if (!is_wanted(d) || !is_vfio_driver(d->found.driver))
			continue;
		d->done.begun = true;
		d->decided.verdict = VERDICT_FAILED;
		d->decided.reason = REASON_ROOT_MISSING;
		if (ending == TIME_IS_UP || !ended) {
			d->decided.reason = REASON_TIMEOUT;
			d->done.worker = worker;
		} else if (!is_vfio_driver(d->done.driver)) {
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

/* Gives back the groups of a step. Returns true if there was one. */
static bool give_back(struct context *ctx, enum step step, clock_t deadline, const struct listener *log)
{
	struct machine *m = &ctx->machine;
	const struct act act = { m, &ctx->root, log, deadline, false };
	bool network = is_over_network(ctx), any = false;
	struct group *g;

	for_each_group(m, g) {
		if (!is_due(g, step, network))
			continue;
		if (!any)
			say(log, LEVEL_REFUSED, "the root did not appear in %u s: what may be it is given back",
			    m->settings->root_wait);
		any = true;
		judge(g->first, run_in_child(deadline, release, &act, g->first));
	}
	return any;
}

static int finish(const struct context *ctx, const struct listener *log)
{
	const struct machine *m = &ctx->machine;
	const struct device *d;
	struct text t;
	int error = report_amend((struct machine *)m, ctx->root.fd, amend, m);

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

int give_back_root(struct context *ctx, clock_t deadline, const struct listener *log)
{
	struct state s = read_state(ctx->root.fd);
	bool any = false;
	int lock;

	if (!ctx->settings.root_wait || s.step >= STEP_DONE)
		return 0;
	if (!is_time(&s, ctx->settings.root_wait)) {
		write_state(ctx->root.fd, &s);
		return 0;
	}
	lock = lock_take(ctx->root.fd, deadline);
	if (lock < 0)
		return STATUS_FAILED; /* the next call tries again */
	ctx = decide_in_time(ctx, deadline, log);
	while (!any && s.step < STEP_DONE)
		any = give_back(ctx, s.step++, deadline, log);
	write_state(ctx->root.fd, &s);
	if (!any)
		say(log, LEVEL_DONE, "the root did not appear in %u s, and nothing that was claimed can be it",
		    ctx->settings.root_wait);
	any = any && finish(ctx, log);
	lock_release(lock);
	return any;
}
