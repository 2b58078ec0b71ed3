// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "format.h"
#include "message.h"
#include "offers.h"
#include "pci_names.h"
#include "plan.h"
#include "terminal.h"

/* --- which functions belong together ------------------------------------------------------------------------------ */

/* The lowest index of a device that d goes with, indexed like the devices of the machine. */
struct union_find {
	unsigned short of[DEVICES_MAX];
};

static unsigned find(struct union_find *u, unsigned i)
{
	while (u->of[i] != i)
		i = u->of[i] = u->of[u->of[i]];
	return i;
}

static void join(struct union_find *u, unsigned a, unsigned b)
{
	a = find(u, a);
	b = find(u, b);
	u->of[a > b ? a : b] = (unsigned short)(a < b ? a : b);
}

/* A VF is no part of the card of its PF. */
static bool is_member(const struct inventory *v, const struct device *d)
{
	return !is_exempt(d) && availability_of(v, d);
}

/* The functions of a slot are one card, but on a root bus. */
static bool is_same_card(const struct device *a, const struct device *b)
{
	return a->parent && PCIADDR_SLOT(a->address) == PCIADDR_SLOT(b->address);
}

static void join_groups(struct union_find *u, const struct inventory *v)
{
	const struct machine *m = &v->now->machine;
	const struct group *g;
	const struct device *d;

	for_each_group(m, g) {
		const struct device *first = NULL;

		for_each_member(g, d) {
			if (!is_member(v, d))
				continue;
			first = first ? first : d;
			join(u, (unsigned)(first - m->device), (unsigned)(d - m->device));
		}
	}
}

static bool is_denied(const struct inventory *v, const struct device *d)
{
	return availability_of(v, d)->state == AVAILABLE_NOT;
}

static bool has_display(const struct inventory *v, const struct device *d)
{
	const struct device *other;

	for_each_device(&v->now->machine, other) {
		if (base_class(other) == 0x03 && is_same_card(other, d))
			return true;
	}
	return false;
}

/*
 * Joins what is on a graphics card: its sound and USB are of no use without it, in whatever group they are. Other cards
 * whose functions have groups of their own can be shared out. So is a card of which something cannot be had.
 */
static void join_slots(struct union_find *u, const struct inventory *v)
{
	const struct machine *m = &v->now->machine;

	for (const struct device *d = m->device; d + 1 < m->end; d++) {
		const struct device *next = d + 1;

		if (is_member(v, d) && is_member(v, next) && is_same_card(d, next) && has_display(v, d) &&
		    is_denied(v, d) == is_denied(v, next))
			join(u, (unsigned)(d - m->device), (unsigned)(next - m->device));
	}
}

/* --- what is known of a card -------------------------------------------------------------------------------------- */

/* Nobody misses a function of class 13, and nobody chooses the platform, to which "other" peripherals belong. */
static bool is_dull(const struct inventory *v, const struct device *d)
{
	return is_platform(v, d) || base_class(d) == 0x13 || d->found.class >> 8 == 0x0880;
}

/* What a person would call the card by comes first. */
static unsigned rank(const struct inventory *v, const struct device *d)
{
	static const unsigned char classes[] = { 0x03, 0x12, 0x01, 0x02, 0x0c, 0x04, 0x0d };
	const unsigned char *at = memchr(classes, (int)base_class(d), sizeof(classes));

	return is_dull(v, d) ? sizeof(classes) + 1 : at ? (unsigned)(at - classes) : sizeof(classes);
}

static void judge(struct offer *o, const struct inventory *v)
{
	const char *own = NULL;

	o->platform = o->claimed = o->ready = true;
	for (unsigned i = 0; i < o->members; i++) {
		const struct device *d = o->member[i];
		const struct availability *can = availability_of(v, d);

		o->platform &= is_dull(v, d);
		o->claimed &= can->state == AVAILABLE_CLAIMED;
		o->ready &= d->group && is_ready(d->group);
		if (can->state == AVAILABLE_NOT && !o->why)
			o->why = can->why;
		o->screen |= d->found.boot_display;
		if (o->first && rank(v, d) >= rank(v, o->first))
			continue;
		o->first = d;
		own = can->why;
	}
	/* The host may live on it, and keep the others of its group for that reason. */
	if (own)
		o->why = own;
}

void offers_find(struct offers *c, const struct inventory *v)
{
	static struct union_find u;
	const struct machine *m = &v->now->machine;
	unsigned n = (unsigned)(m->end - m->device), filled = 0;

	c->count = 0;
	c->offer = calloc(n + 1, sizeof(*c->offer));
	/* They are pointers. NOLINTNEXTLINE(bugprone-sizeof-expression) */
	c->member = calloc(n + 1, sizeof(*c->member));
	if (!c->offer || !c->member)
		abort();
	for (unsigned i = 0; i < n; i++)
		u.of[i] = (unsigned short)i;
	if (!plan_ignores_groups(&v->next->machine))
		join_groups(&u, v);
	join_slots(&u, v);
	for (unsigned i = 0; i < n; i++) {
		struct offer *offer = &c->offer[c->count];

		if (find(&u, i) != i || !is_member(v, &m->device[i]))
			continue;
		offer->member = c->member + filled;
		for (unsigned k = i; k < n; k++) {
			if (find(&u, k) == i && is_member(v, &m->device[k]))
				c->member[filled + offer->members++] = &m->device[k];
		}
		filled += offer->members;
		judge(offer, v);
		c->count++;
	}
}

void offers_free(struct offers *c)
{
	free(c->offer);
	free(c->member);
}

bool offer_is_chosen(const struct offer *o, const struct inventory *v, const bool chosen[DEVICES_MAX])
{
	for (unsigned i = 0; i < o->members; i++) {
		if (chosen[o->member[i] - v->now->machine.device])
			return true;
	}
	return false;
}

/* --- what is printed of a card ------------------------------------------------------------------------------------ */

#define INDENT 4

static void print_indented(unsigned columns, const char *text)
{
	char below[16];

	snprintf(below, sizeof(below), "%*s", (int)columns + 2, "");
	printf("%*s", (int)columns, "");
	print_wrapped(stdout, terminal_width(), columns, below, text);
}

static void print_attached(const struct inventory *v, const struct device *d, const char *lead)
{
	char *attached = attached_of(v, d), *text;

	if (*attached) {
		text = alloc_printf("%s%s", lead, attached);
		print_indented(INDENT + 2, text);
		free(text);
	}
	free(attached);
}

/* Prints a function, with its name unless its card has had that already. */
static void print_function(const char *lead, const struct device *d, bool named)
{
	char class[NAME_SIZE], name[NAME_SIZE], text[3 * NAME_SIZE];

	snprintf(text, sizeof(text), "%s%s  %s%s%s", lead, d->name, class_name(class, d), named ? ": " : "",
		 named ? device_name(name, d) : "");
	print_indented(INDENT, text);
}

/* Returns what the host uses a card for that it could spare, or NULL. */
static const char *use_of(const struct offer *o, const struct inventory *v)
{
	for (unsigned i = 0; i < o->members; i++) {
		for (unsigned k = 0; k < v->deps.needs; k++) {
			if (v->deps.need[k].device == o->member[i])
				return v->deps.need[k].why;
		}
	}
	return NULL;
}

static const char *state_of(const struct offer *o, const struct inventory *v, struct text *t)
{
	const char *use = use_of(o, v);

	if (o->ready)
		return o->claimed ? "ready for a guest" : "ready for a guest, until the next boot";
	if (o->claimed)
		return "the next boot claims it";
	if (o->why)
		return text_set(t, "stays with the host: %s", o->why);
	if (o->platform)
		return "free, but part of the platform";
	if (o->screen)
		return "free, but it is your screen";
	if (use)
		return text_set(t, "free, but the host uses it: %s", use);
	for (unsigned i = 0; i < o->members; i++) {
		const struct device *d = o->member[i];

		if (d->found.use && d->found.used_by)
			return text_set(t, "free, but in use now: %s %s", d->found.used_by, use_phrase(d->found.use));
	}
	return "free";
}

void offer_print(const struct offer *o, const struct inventory *v, unsigned number)
{
	char class[NAME_SIZE], name[NAME_SIZE], text[TEXT_SIZE + NAME_SIZE], below[INDENT + 1];
	struct text t;

	snprintf(below, sizeof(below), "%*s", INDENT, "");
	if (number)
		printf("%s%2u%s  %s", style(BOLD), number, style(PLAIN), style(BOLD));
	else
		printf(" -  ");
	print_wrapped(stdout, terminal_width(), INDENT, below, device_name(name, o->first));
	fputs(style(PLAIN), stdout);
	snprintf(text, sizeof(text), "%s  %s: %s", o->first->name, class_name(class, o->first), state_of(o, v, &t));
	print_indented(INDENT, text);
	print_attached(v, o->first, "");
	for (unsigned i = 0; i < o->members; i++) {
		bool same_card = is_same_card(o->member[i], o->first);

		if (o->member[i] == o->first)
			continue;
		/* It has to go along for one of these two reasons. */
		print_function(same_card ? "with " : "shares its group: ", o->member[i], !same_card);
		print_attached(v, o->member[i], "");
	}
}

/* Prints why the host wants to keep a device that it can spare. */
static void print_warnings(const struct inventory *v, const struct device *d)
{
	const struct device *next;
	struct text t;

	if (d->found.boot_display)
		print_indented(INDENT + 2,
			       "It is your screen: it goes dark early in the boot, and the host shows nothing "
			       "on it any more. Be able to log in over the network, or have a second screen.");
	for (unsigned i = 0; i < v->deps.needs; i++) {
		if (v->deps.need[i].device == d && v->deps.need[i].reserve)
			print_indented(INDENT + 2, text_set(&t, "The host loses: %s", v->deps.need[i].why));
	}
	if (d->found.use && d->found.used_by)
		print_indented(INDENT + 2,
			       text_set(&t, "In use now: %s %s", d->found.used_by, use_phrase(d->found.use)));
	next = at_next_boot(v, d);
	if (next && next->asked.vfs)
		print_indented(INDENT + 2, "It gets no virtual functions any more, which the settings ask for (vfs).");
	if (is_platform(v, d))
		print_indented(INDENT + 2, "It is part of the platform: the host may not work as it should without.");
}

/* VMD's disks and the like go with the function above them, and virtual functions with their physical one. */
static bool goes_with(const struct inventory *v, const struct device *d, const struct device *above)
{
	struct text t;

	if (d == above || (!is_bridge(d) && parent_that_is_no_bridge(d) == above))
		return true;
	return d->found.virtual && !strcmp(physical_function(v->now->root.fd, &t, d), above->name);
}

void offer_print_loss(const struct offer *o, const struct inventory *v)
{
	const struct machine *m = &v->now->machine;
	const struct device *d;

	for (unsigned i = 0; i < o->members; i++) {
		for_each_device(m, d) {
			if (!goes_with(v, d, o->member[i]))
				continue;
			print_function("", d, true);
			print_attached(v, d, "goes along: ");
			print_warnings(v, d);
		}
	}
}
