// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot release --remove-vfs: takes the virtual functions of PFs away. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "apply.h"
#include "errtext.h"
#include "format.h"
#include "listener.h"
#include "log.h"
#include "message.h"
#include "nearest.h"
#include "now.h"
#include "plan_log.h"
#include "take_vfs.h"
#include "vfio_users.h"
#include "vfs.h"

struct take {
	struct by_hand run;
	struct act act;
	bool taken[DEVICES_MAX]; /* VFs that are gone now */
	bool wrong;
	struct output out;
};

/* Returns true if somebody uses one of the VFs, and stores in t who. */
static bool is_used(struct take *t, struct text *why, const struct device *pf)
{
	const struct machine *m = t->act.m;
	const struct device *d;

	if (find_vf_users(why, t->act.root->fd, pf->name))
		return true;
	for_each_device(m, d) {
		if (d->found.pf != pf->address || !d->found.use)
			continue;
		text_set(why, "its VF %s is in use: %s %s", d->name, d->found.used_by ? d->found.used_by : "it",
			 use_phrase(d->found.use));
		return true;
	}
	return false;
}

static void note_taken(struct take *t, const struct device *pf)
{
	const struct machine *m = t->act.m;
	const struct device *d;

	for_each_device(m, d) {
		if (d->found.pf == pf->address)
			t->taken[d - m->device] = true;
	}
}

/* Takes the VFs of a PF away, and says what came of it. */
static void take(struct take *t, struct device *pf)
{
	const struct listener *out = &t->out.listener;
	unsigned before = pf->found.vfs;
	enum ending ending;
	struct text why;

	if (!before) {
		say(out, LEVEL_DONE, "%pd: it has no virtual functions", pf);
		return;
	}
	if (is_used(t, &why, pf)) {
		say(out, LEVEL_REFUSED, "%pd: refused, in-use: %s (end it first)", pf, why.p);
		t->wrong = true;
		return;
	}
	ending = run_in_child(share_of(t->run.deadline, 2), vfs_take_away, &t->act, pf);
	if (ending != ENDED) {
		pf->done.error = REASON_VFS;
		pf->done.errnum = ending == DIED ? EIO : ETIMEDOUT;
	}
	if (pf->done.error) {
		say(out, LEVEL_FAILED, "%pd: failed, vfs: its %u virtual functions could not be taken away: %s", pf,
		    before, error_text(pf->done.errnum));
		t->wrong = true;
		return;
	}
	note_taken(t, pf);
	say(out, LEVEL_DONE, "%pd: its %u virtual functions were taken away", pf, before);
}

/* The report does not have the VFs any more: others may come at their addresses. */
static bool amend(const void *data, struct report_row *row, const struct device *d, const struct report_row *old)
{
	const struct take *t = data;

	if (!old || !t->taken[d - t->act.m->device])
		return false;
	*row = *old;
	row->verdict = VERDICT_NONE;
	return true;
}

static void say_absent(struct take *t)
{
	const struct selector *sel = NULL;
	struct text line;

	while ((sel = next_absent(t->act.m, sel))) {
		set_absent_line(&line, t->act.m, sel);
		t->out.listener.say(&t->out.listener, LEVEL_REFUSED, line.p);
		t->wrong |= !(sel->flags & SELECTOR_OPTIONAL);
	}
}

int release_vfs(struct request *request)
{
	static struct take t;
	int status = by_hand_begin(&t.run, request, "vfio-boot release", false), error;
	struct machine *m;
	struct device *d;
	bool recorded;

	if (status)
		return status;
	m = &t.run.ctx->machine;
	t.act = (struct act){ m, &t.run.ctx->root, &complaints, t.run.deadline, false };
	output_init(&t.out, STDOUT_FILENO);
	for_each_device(m, d) {
		if (d->asked.vfs)
			take(&t, d);
	}
	say_absent(&t);
	recorded = by_hand_end(&t.run, amend, &t);
	error = output_flush(&t.out);
	if (error)
		say(&complaints, LEVEL_FAILED, "standard output: %s", error_text(error));
	return error || !recorded ? STATUS_FAILED : t.wrong;
}
