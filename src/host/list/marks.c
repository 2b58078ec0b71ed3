// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>

#include "alloc.h"
#include "format.h"
#include "listing.h"
#include "message.h"
#include "selector.h"
#include "unprotected.h"

struct marks {
	FILE *to;
	char *text;
	size_t size;
	unsigned n;
	const char *separator;
};

static void add_mark(struct marks *m, const char *text)
{
	fprintf(m->to, "%s%s", m->n++ ? m->separator : "", text);
}

static void mark_needs(const struct listing *l, const struct device *d, struct marks *m, bool reserve)
{
	const char *before = reserve				      ? "reserved: "
			     : is_unprotected(&l->v.now->settings, d) ? "not protected, and the host lives on it: "
								      : "protected: ";

	for (unsigned i = 0; i < l->v.deps.needs; i++) {
		const struct need *need = &l->v.deps.need[i];

		if (need->device != d || need->reserve != reserve)
			continue;
		if (*before != ',')
			add_mark(m, "");
		fprintf(m->to, "%s%s", before, need->why);
		before = ", ";
	}
}

bool is_selected_too_early(const struct listing *l, const struct device *d)
{
	return d->decided.verdict != VERDICT_NONE && !at_next_boot(&l->v, d);
}

static void mark_next_boot(const struct listing *l, const struct device *d, struct marks *m)
{
	const struct device *next = at_next_boot(&l->v, d);
	struct text t;

	if (is_selected_too_early(l, d))
		add_mark(m, "next boot: absent (virtual functions are made later)");
	if (!next)
		return;
	if (next->decided.verdict == VERDICT_NONE && next->asked.vfs)
		add_mark(m, text_set(&t, "next boot: %u VFs for vfio-pci", next->asked.vfs->vfs));
	if (next->decided.verdict == VERDICT_NONE)
		return;
	text_set(&t, "next boot: %s", verdict_name(next->decided.verdict));
	if (is_claimed(next))
		text_add(&t, " for %s", next->found.target);
	else if (next->decided.reason)
		text_add(&t, ", %s", reason_name(next->decided.reason));
	add_mark(m, t.p);
}

static void mark_functions(const struct listing *l, const struct device *d, struct marks *m)
{
	struct text t, all, used;

	if (*pf_of(&l->v, &t, d))
		add_mark(m, text_set(&used, "VF of %s", t.p));
	if (d->found.sriov && *attribute(&l->v, &all, d, "sriov_totalvfs"))
		add_mark(m, text_set(&t, "PF, %s of %s VFs", attribute(&l->v, &used, d, "sriov_numvfs"), all.p));
}

static bool is_needed(const struct listing *l, const struct device *d)
{
	for (unsigned i = 0; i < l->v.deps.needs; i++) {
		if (l->v.deps.need[i].device == d)
			return true;
	}
	return false;
}

const char *mounted_on(const struct listing *l, const struct device *d)
{
	struct libmnt_fs *fs;
	struct text t;

	if (d->found.use != USE_MOUNTED || !l->mounts)
		return NULL;
	fs = mnt_table_find_srcpath(l->mounts, text_set(&t, "/dev/%s", d->found.used_by), MNT_ITER_BACKWARD);
	return fs ? mnt_fs_get_target(fs) : NULL;
}

/*
 * Marks what uses a device that the host does not depend on. The devices below a bridge have their own marks, so a
 * bridge needs none.
 */
static void mark_use(const struct listing *l, const struct device *d, struct marks *m)
{
	const char *where = mounted_on(l, d);
	struct text t;

	if (!d->found.use || d->found.use == USE_VFS || is_bridge(d) || is_needed(l, d))
		return;
	text_set(&t, "in use: %s %s", d->found.used_by, use_phrase(d->found.use));
	if (where)
		text_add(&t, " on %s", where);
	add_mark(m, t.p);
}

/*
 * Says why a device stays with the host, unless that is said already: who lives on it, that it is a bridge, or above
 * all of them that the IOMMU is off.
 */
static void mark_availability(const struct listing *l, const struct device *d, struct marks *m)
{
	const struct availability *can = availability_of(&l->v, d);

	if (!can || !can->why || is_bridge(d) || is_needed(l, d) || !l->v.now->machine.any_group)
		return;
	add_mark(m, "");
	fprintf(m->to, "cannot be had: %s", can->why);
}

char *marks_of(const struct listing *l, const struct device *d)
{
	struct marks m = { .separator = "; " };
	struct text t;

	m.to = open_text(&m.text, &m.size);
	if (d->found.boot_display)
		add_mark(&m, "boot display");
	mark_needs(l, d, &m, false);
	mark_needs(l, d, &m, true);
	if (is_platform(&l->v, d) && !is_bridge(d))
		add_mark(&m, "part of the platform");
	mark_use(l, d, &m);
	mark_functions(l, d, &m);
	if (d->found.override)
		add_mark(&m, text_set(&t, "override %s", d->found.override));
	mark_next_boot(l, d, &m);
	mark_availability(l, d, &m);
	fclose(m.to);
	return m.text;
}
