// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot export: checks that devices can be passed to a guest, and says what can be had instead. */
#include "availability.h"
#include "export.h"
#include "format.h"
#include "listener.h"
#include "log.h"
#include "message.h"
#include "plan.h"

/* How many devices are named that can be had instead. */
#define INSTEAD_SHOWN 3

/* What the next boot can have. It is looked for where something is refused. */
struct outlook {
	struct context *now, next;
	const bool *chosen; /* indexed like now->machine.device */
	bool looked, known;
	struct availability can[DEVICES_MAX]; /* indexed like next.machine.device */
};

bool is_bound_to_vfio(const struct device *d)
{
	return d->found.driver && (d->found.driver == d->found.target || is_vfio_driver(d->found.driver));
}

static bool is_chosen(const struct outlook *o, const struct device *d)
{
	return o->chosen[d - o->now->machine.device];
}

static void look(struct outlook *o)
{
	struct dependencies deps;

	if (o->looked)
		return;
	o->looked = true;
	o->known = availability_next(o->can, &o->next, o->now, &deps);
	if (o->known)
		dependencies_free(&deps);
}

/* Returns whether the next boot can have a device, or NULL for a VF, which has to be made first, or if that is unknown.
 */
static const struct availability *availability_of(struct outlook *o, const struct device *d)
{
	look(o);
	return o->known ? availability_at(o->can, &o->next, d) : NULL;
}

/* Appends how a device without a vfio driver gets one, or why it never does. Returns false if it never does. */
static bool add_way(struct text *t, struct outlook *o, const struct device *d)
{
	const struct availability *can = availability_of(o, d);
	bool never = can && can->state == AVAILABLE_NOT;

	if (never)
		text_add(t, ", and it cannot be had: %s", can->why);
	else if (can && can->state == AVAILABLE_CLAIMED)
		text_add(t, " (the next boot claims it, or vfio-boot claim it)");
	else if (d->found.virtual)
		text_add(t, " (vfio-boot add --vfs N of its PF, or vfio-boot claim it)");
	else
		text_add(t, " (vfio-boot add it and reboot, or vfio-boot claim it)");
	return !never;
}

/*
 * Returns true if the driver of d keeps its group from being used. A function behind one that is no bridge leaves its
 * driver together with that one.
 */
static bool blocks_use(const struct device *d)
{
	return blocks_group(d->found.driver) && !is_bound_to_vfio(d) && (is_bridge(d) || !is_exempt(d));
}

/* Says what makes the group of d useless. Skips the other chosen devices, because they are checked themselves. */
static bool is_group_usable(struct outlook *o, const struct device *d)
{
	const struct device *other;
	bool good = true;
	struct text t;

	for_each_member(d->group, other) {
		if (is_chosen(o, other) || !blocks_use(other))
			continue;
		text_set(&t, "%s: %s of its group is bound to %s, so the group is not usable", d->name, other->name,
			 other->found.driver);
		if (is_bridge(other))
			text_add(&t, " (vfio-boot claim takes that driver off)");
		else
			add_way(&t, o, other);
		say(&complaints, LEVEL_REFUSED, "%s", t.p);
		good = false;
	}
	if (!d->group->non_pci_member)
		return good;
	say(&complaints, LEVEL_REFUSED, "%s: %s is in its group and is not a PCI device, so the group is not usable",
	    d->name, d->group->non_pci_member);
	return false;
}

/* Says every reason why d cannot be passed to a guest. Returns true if there is none. */
static bool is_usable(struct outlook *o, const struct device *d)
{
	const struct machine *m = &o->now->machine;
	const struct device *above = parent_that_is_no_bridge(d);
	struct text t;

	if (is_bridge(d)) {
		say(&complaints, LEVEL_REFUSED, "%s is a bridge and stays with the host", d->name);
		return false;
	}
	if (above)
		say(&complaints, LEVEL_REFUSED, "%s can only be used through %s", d->name, above->name);
	if (!is_bound_to_vfio(d)) {
		text_set(&t, "%s is ", d->name);
		add_binding(&t, d->found.driver);
		bool way = add_way(&t, o, d);

		say(&complaints, LEVEL_REFUSED, "%s", t.p);
		if (!way)
			return false;
	}
	if (!has_group(d)) {
		text_set(&t, "%s cannot be given to a guest: ", d->name);
		add_own_reason(&t, m, d, REASON_NO_IOMMU);
		say(&complaints, LEVEL_REFUSED, "%s", t.p);
		return false;
	}
	return is_group_usable(o, d) && !above && is_bound_to_vfio(d);
}

/* Returns true if a guest can have the device at once. */
static bool is_ready_itself(const struct device *d)
{
	return !is_bridge(d) && !parent_that_is_no_bridge(d) && is_bound_to_vfio(d) && d->group && is_ready(d->group);
}

/*
 * Returns true if the next boot can have a device that is of the same class as the other one, and that nobody has to
 * think about first.
 */
static bool is_free(struct outlook *o, const struct device *d, const struct device *other)
{
	const struct availability *can = availability_of(o, d);

	return base_class(d) == base_class(other) && can && can->state != AVAILABLE_NOT &&
	       plan_reserved(&o->now->machine, d, RESERVED_BY_ENTRY) == RESERVED_NOT;
}

/*
 * Appends the first devices outside of the group of d that are ready, or else those of its class that are free. Returns
 * how many there are.
 */
static unsigned add_instead(struct text *t, struct outlook *o, const struct device *d, bool ready)
{
	const struct device *other;
	unsigned n = 0;

	for_each_device(&o->now->machine, other) {
		if (is_chosen(o, other) || (d->group && other->group == d->group) ||
		    !(ready ? is_ready_itself(other) : is_free(o, other, d)))
			continue;
		if (n++ < INSTEAD_SHOWN)
			text_add(t, "%s%s", n > 1 ? ", " : "", other->name);
	}
	if (n > INSTEAD_SHOWN)
		text_add(t, " and %u more", n - INSTEAD_SHOWN);
	return n;
}

/* Names some devices that can be had in place of d. */
static void say_instead(struct outlook *o, const struct device *d)
{
	struct text t = { .len = 0 };

	if (!add_instead(&t, o, d, true)) {
		if (!add_instead(&t, o, d, false)) {
			say(&complaints, LEVEL_REFUSED, "nothing else of its class can be had (see vfio-boot list)");
			return;
		}
		text_add(&t, ", once claimed");
	}
	say(&complaints, LEVEL_REFUSED, "what can be had instead: %s (see vfio-boot list)", t.p);
}

bool all_usable(struct context *ctx, const bool chosen[DEVICES_MAX], bool force)
{
	static struct outlook o;
	const struct device *d, *refused = NULL;

	o.now = ctx;
	o.chosen = chosen;
	for_each_device(&ctx->machine, d) {
		if (is_chosen(&o, d) && !is_usable(&o, d) && !refused)
			refused = d;
	}
	if (refused && !force)
		say_instead(&o, refused);
	availability_free(o.can);
	return !refused;
}
