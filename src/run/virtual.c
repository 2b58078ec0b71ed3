// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "act.h"
#include "format.h"
#include "listener.h"
#include "plan.h"
#include "settings.h"
#include "sysfs.h"
#include "vfs.h"
#include "virtual.h"

#define LOOK_PAUSE 100 /* milliseconds */

/* Returns true if VFs are to be made of it. One that is selected itself has none. */
static bool is_to_make(const struct machine *m, const struct device *d)
{
	return d->asked.vfs && !d->found.vfs && !d->decided.itself && plan_vfs(m, d) == VFS_FINE;
}

static bool has_driver(int root, const struct device *d)
{
	struct text t;

	return read_driver(&t, root, d->name);
}

static bool has_all_drivers(const struct machine *m, int root)
{
	const struct device *d;

	for_each_device(m, d) {
		if (is_to_make(m, d) && !has_driver(root, d))
			return false;
	}
	return true;
}

/* Makes the VFs of a PF in a child, and puts back what a child that died has left. */
static void make(const struct act *act, struct device *pf, clock_t deadline)
{
	enum ending ending = run_in_child(deadline, vfs_make, act, pf);

	if (ending == ENDED)
		return;
	if (ending == DIED)
		run_in_child(deadline, vfs_put_back, act, pf);
	pf->done.error = REASON_VFS;
	pf->done.errnum = ending == DIED ? EIO : ETIMEDOUT;
}

static void note_fault(struct context *ctx, const struct device *pf)
{
	struct physical *p = ctx->pf + ctx->pfs;

	if (ctx->pfs == PHYSICAL_MAX)
		return;
	memcpy(p->name, pf->name, sizeof(p->name));
	p->errnum = pf->done.errnum;
	ctx->pfs++;
}

struct context *await_physical(struct context *ctx, clock_t deadline, const struct listener *log)
{
	clock_t half = share_of(deadline, 2);

	if (list_is_empty(&ctx->settings.list[LIST_VFS]))
		return ctx;
	ctx = decide_in_time(ctx, half, log);
	while (!has_all_drivers(&ctx->machine, ctx->root.fd) && !is_past(half))
		poll(NULL, 0, LOOK_PAUSE);
	return context_again(ctx);
}

struct context *make_virtual(struct context *ctx, clock_t deadline, const struct listener *log)
{
	bool any = false;
	struct device *d;
	struct act act;

	ctx = decide_in_time(ctx, deadline, log);
	act = (struct act){ &ctx->machine, &ctx->root, log, deadline, false };
	for_each_device(&ctx->machine, d) {
		if (!is_to_make(&ctx->machine, d))
			continue;
		any = true;
		if (has_driver(ctx->root.fd, d))
			make(&act, d, share_of(deadline, 2));
		else
			d->done.error = REASON_VFS;
		if (d->done.error == REASON_VFS)
			note_fault(ctx, d);
	}
	return any ? decide_in_time(context_again(ctx), deadline, log) : ctx;
}

void leave_virtual(struct context *ctx, clock_t deadline, const struct listener *log)
{
	struct act act = { &ctx->machine, &ctx->root, log, deadline, false };
	struct device *d;

	for_each_device(&ctx->machine, d) {
		if (d->found.pf && d->asked.selected && !is_claimed(d) && !d->done.worker.pid &&
		    !has_driver(ctx->root.fd, d))
			run_in_child(deadline, vfs_leave_to_host, &act, d);
	}
}
