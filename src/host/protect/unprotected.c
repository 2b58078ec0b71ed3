// SPDX-License-Identifier: GPL-2.0-or-later
#include "unprotected.h"
#include "format.h"
#include "request.h"
#include "settings.h"

#define PROTECT_FILE "/var/lib/vfio-boot/protect"

bool is_unprotected(const struct settings *s, const struct device *d)
{
	return !d->asked.protects && !is_bridge(d) && !s->list[LIST_PROTECT].off;
}

/* Stores all that the host needs the function of a need for. The needs of a function are next to each other. */
static void set_reasons(struct text *t, const struct dependencies *deps, unsigned i)
{
	const struct device *d = deps->need[i].device;

	t->len = 0;
	for (const char *before = ""; i < deps->needs && deps->need[i].device == d; i++) {
		if (deps->need[i].reserve)
			continue;
		text_add(t, "%s%s", before, deps->need[i].why);
		before = "; ";
	}
}

static bool is_taken(struct machine *plan, const struct device *d)
{
	const struct device *planned = plan ? machine_find(plan, d->address) : NULL;

	return planned && (is_claimed(planned) || planned->decided.verdict == VERDICT_PENDING);
}

static void say_one(const struct device *d, const struct text *reasons, bool taken, const struct listener *l)
{
	/* What to do must not be cut off. */
	int len = reasons->len < 400 ? (int)reasons->len : 400;

	if (taken)
		say(l, LEVEL_FAILED,
		    "%pd is claimed, and the host lives on it: %.*s; " PROTECT_FILE
		    " does not protect it (run update-initramfs -u before you reboot)",
		    d, len, reasons->p);
	else
		say(l, LEVEL_REFUSED,
		    "%pd: the host lives on it, and " PROTECT_FILE " does not protect it: %.*s (update-initramfs -u)",
		    d, len, reasons->p);
}

bool say_unprotected(const struct dependencies *deps, const struct context *now, struct machine *plan,
		     const struct listener *l)
{
	const bool unknown = now->settings.protect_unknown;
	const struct device *last = NULL;
	struct text reasons;
	bool taken;

	for (unsigned i = 0; i < deps->needs; i++) {
		const struct need *need = &deps->need[i];

		if (need->reserve || need->device == last || !is_unprotected(&now->settings, need->device))
			continue;
		taken = is_taken(plan, need->device);
		if (!taken && unknown)
			continue;
		last = need->device;
		set_reasons(&reasons, deps, i);
		say_one(last, &reasons, taken, l);
	}
	if (deps->unknown && !deps->chroot && !unknown)
		say(l, LEVEL_DONE, "whether " PROTECT_FILE " is still true could not be found out: %s", deps->unknown);
	return last;
}

bool find_unprotected(struct context *now, struct machine *plan, const struct listener *l)
{
	struct dependencies deps;
	bool found;

	dependencies_find(&deps, now);
	found = say_unprotected(&deps, now, plan, l);
	dependencies_free(&deps);
	return found;
}

bool find_unprotected_anew(const struct context *like, struct machine *plan, const struct listener *l)
{
	static struct context now;

	context_like(&now, like);
	now.phase = PHASE_NOW;
	/* Where the functions are and which of them are protected is enough: need_function() reads the IDs. */
	(void)!decide_settings(&now);
	return decide_machine(&now, &nobody) && find_unprotected(&now, plan, l);
}
