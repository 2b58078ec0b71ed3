// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot list: prints every device by IOMMU group, or in a table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "format.h"
#include "guarded_path.h"
#include "image_judge.h"
#include "listener.h"
#include "listing.h"
#include "log.h"
#include "pci_names.h"
#include "plan.h"
#include "plan_log.h"
#include "terminal.h"
#include "unprotected.h"

const char *bus_index(const struct listing *l, const struct device *d)
{
	return l->domains ? d->name : strchr(d->name, ':') + 1;
}

static const char *driver_of(struct text *t, const struct device *d)
{
	return text_set(t, "%s", d->found.driver ? d->found.driver : "-");
}

/* What is printed of a device that does not fit into a line is continued below it. */
struct margin {
	const char *lead;  /* precedes the first line of the device */
	const char *below; /* precedes all others */
};

#define LEAD_COLUMNS 3

/* Prints what a device is, behind its driver, or in a line of its own where little room is left. */
static void print_name(const struct listing *l, const struct device *d, const struct margin *m, size_t driver)
{
	char class[NAME_SIZE], name[NAME_SIZE], text[3 * NAME_SIZE], below[80];
	size_t column = LEAD_COLUMNS + (size_t)l->index_width + 2 + (size_t)l->width + 2;
	bool narrow = column + 20 > l->columns;
	int indent = narrow ? l->index_width + 2 : (int)column - LEAD_COLUMNS;

	snprintf(text, sizeof(text), "%s: %s [%04x:%04x]", class_name(class, d), device_name(name, d),
		 d->found.ids.vendor, d->found.ids.device);
	snprintf(below, sizeof(below), "%s%*s", m->below, indent, "");
	/* A driver of a long name moves the first line. */
	if (driver > (size_t)l->width)
		column += driver - (size_t)l->width;
	if (narrow)
		printf("\n%s", below);
	else
		printf("%*s", driver < (size_t)l->width ? l->width - (int)driver + 2 : 2, "");
	print_wrapped(stdout, l->columns, narrow ? columns_of(below) : column, below, text);
}

/* Prints a paragraph below a device, unless it is empty, and frees it. */
static void print_below(const struct listing *l, const char *below, enum style s, char *text)
{
	if (*text) {
		printf("%s%s", below, style(s));
		print_wrapped(stdout, l->columns, columns_of(below), below, text);
		fputs(style(PLAIN), stdout);
	}
	free(text);
}

static void add_module(void *data, const char *module)
{
	FILE *to = data;

	fprintf(to, "%s%s", ftell(to) ? ", " : "modules ", module);
}

/* Prints the modules that would drive a device with this modalias. */
static void print_modules(const struct listing *l, const char *modalias, const char *below)
{
	char *text;
	size_t size;
	FILE *to = open_text(&text, &size);

	each_module(&l->v, modalias, add_module, to);
	if (!ftell(to))
		fputs("modules none", to);
	fclose(to);
	print_below(l, below, PLAIN, text);
}

/* Prints what -v adds below a device, a line for each fact. */
static void print_more(const struct listing *l, const struct device *d, const char *below)
{
	static const struct {
		const char *name, *attribute;
	} facts[] = { { "NUMA node", "numa_node" }, { "reset by", "reset_method" } };
	char name[NAME_SIZE];
	struct text t, modalias;

	print_below(l, below, PLAIN, alloc_printf("selector %s", guarded_path(l->v.now, &t, d)));
	print_below(l, below, PLAIN, alloc_printf("modalias %s", attribute(&l->v, &modalias, d, "modalias")));
	if (d->found.ids.subvendor)
		print_below(l, below, PLAIN,
			    alloc_printf("subsystem %s [%04x:%04x]", subsystem_name(name, d), d->found.ids.subvendor,
					 d->found.ids.subdevice));
	for (unsigned i = 0; i < ARRAY_SIZE(facts); i++) {
		/* NUMA node -1 means that there is none. */
		if (*attribute(&l->v, &t, d, facts[i].attribute) && *t.p != '-')
			print_below(l, below, PLAIN, alloc_printf("%s %s", facts[i].name, t.p));
	}
	print_modules(l, modalias.p, below);
}

static void print_device(const struct listing *l, const struct device *d, const struct margin *m)
{
	char below[80];
	struct text t;

	printf("%s%s%-*s%s  %s", m->lead, style(is_chosen(l, d) ? BOLD : DIM), l->index_width, bus_index(l, d),
	       style(PLAIN), driver_of(&t, d));
	print_name(l, d, m, t.len);
	snprintf(below, sizeof(below), "%s%*s", m->below, l->index_width + 2, "");
	print_below(l, below, PLAIN, attached_of(&l->v, d));
	print_below(l, below, DIM, marks_of(l, d));
	if (asked(l->r, OPTION_VERBOSE))
		print_more(l, d, below);
}

/* Nobody chooses a bridge. Those that share no group with anything else are left out, unless they are asked for. */
static bool is_hidden(const struct listing *l, const struct device *d)
{
	return l->all && !asked(l->r, OPTION_ALL) && is_bridge(d);
}

/* A group is shown as a whole if a selector matches one of its members. */
static bool is_shown(const struct listing *l, const struct group *g)
{
	const struct device *d;

	for_each_member(g, d) {
		if (is_chosen(l, d) && !is_hidden(l, d))
			return true;
	}
	return g->non_pci_member && l->all;
}

/* How many members of a group count for what becomes of it. */
struct tally {
	unsigned n, denied, claimed, platform;
	unsigned virtual; /* not in n: the next boot does not have them yet */
};

static struct tally count_members(const struct listing *l, const struct group *g)
{
	struct tally t = { 0 };
	const struct device *d;

	for_each_member(g, d) {
		const struct availability *can = availability_of(&l->v, d);

		t.virtual += !can;
		if (!can || is_exempt(d))
			continue;
		t.n++;
		t.denied += can->state == AVAILABLE_NOT;
		t.claimed += can->state == AVAILABLE_CLAIMED;
		t.platform += is_platform(&l->v, d);
	}
	return t;
}

static void print_good(const char *text)
{
	printf(": %s%s%s", style(GOOD), text, style(PLAIN));
}

/* Says what becomes of a group as a whole. */
static void print_state(const struct listing *l, const struct group *g)
{
	struct tally t = count_members(l, g);
	struct text all;

	if (plan_ignores_groups(&l->v.next->machine))
		printf(" (group=ignore: each device for itself)");
	else if (is_ready(g))
		print_good("ready for a guest");
	else if (t.denied || (!t.n && !t.virtual))
		printf(": stays with the host");
	else if (!t.n)
		printf(": virtual (claim for now, add --vfs for each boot)");
	else if (t.claimed == t.n)
		print_good("claimed at the next boot");
	else if (t.platform == t.n)
		printf(": part of the platform");
	else if (t.n <= 2)
		print_good(t.n == 1 ? "free" : "free, both together");
	else
		print_good(text_set(&all, "free, all %u together", t.n));
}

static void print_group(const struct listing *l, const struct group *g)
{
	const struct device *d;
	struct text t;

	printf("%sgroup %u%s", style(BOLD), g->number, style(PLAIN));
	if (g->flags & GROUP_NOIOMMU)
		printf(" (vfio-noiommu: it isolates nothing)");
	else
		print_state(l, g);
	putchar('\n');
	for_each_member(g, d) {
		bool last = !d->next && !g->non_pci_member;
		const struct margin m = { line(last ? LINE_END : LINE_TEE), line(last ? LINE_BLANK : LINE_DOWN) };

		print_device(l, d, &m);
	}
	if (g->non_pci_member)
		printf("%s%s (not a known PCI device)\n", line(LINE_END), text_set(&t, "%s", g->non_pci_member));
}

static int by_number(const void *a, const void *b)
{
	const struct group *const *left = a, *const *right = b;

	return (*left)->number < (*right)->number ? -1 : (*left)->number > (*right)->number;
}

static void print_groups(const struct listing *l)
{
	static const struct group *group[DEVICES_MAX];
	const struct group *g;
	size_t n = 0;

	for_each_group(&l->v.now->machine, g)
		group[n++] = g;
	/* They are pointers. NOLINTNEXTLINE(bugprone-sizeof-expression) */
	qsort(group, n, sizeof(group[0]), by_number);
	for (size_t i = 0; i < n; i++) {
		if (is_shown(l, group[i]))
			print_group(l, group[i]);
	}
}

/* Counts the bridges that is_shown() and is_shown_alone() leave out. */
static void print_hidden(const struct listing *l)
{
	const struct machine *m = &l->v.now->machine;
	const struct device *d;
	unsigned n = 0;

	for_each_device(m, d)
		n += is_hidden(l, d) && (!d->group || !is_shown(l, d->group));
	if (n)
		print_below(l, "", PLAIN,
			    alloc_printf("%u %s that nothing shares a group with %s not shown (--all)", n,
					 n == 1 ? "bridge" : "bridges", n == 1 ? "is" : "are"));
}

static bool is_shown_alone(const struct listing *l, const struct device *d)
{
	return !d->group && is_chosen(l, d) && !is_hidden(l, d);
}

static void print_devices_without_group(const struct listing *l)
{
	const struct machine *m = &l->v.now->machine;
	const struct device *d, *last = NULL;

	for_each_device(m, d) {
		if (is_shown_alone(l, d))
			last = d;
	}
	if (!last)
		return;
	printf("%sno IOMMU group%s%s\n", style(BOLD), style(PLAIN),
	       m->any_group ? "" : " (the IOMMU is off: vfio-boot doctor)");
	for_each_device(m, d) {
		const struct margin margin = { line(d == last ? LINE_END : LINE_TEE),
					       line(d == last ? LINE_BLANK : LINE_DOWN) };

		if (is_shown_alone(l, d))
			print_device(l, d, &margin);
	}
}

static void set_columns(struct listing *l)
{
	const struct device *d;

	l->domains = asked(l->r, OPTION_DOMAINS);
	l->columns = terminal_width();
	l->width = 1;
	l->index_width = 0;
	for_each_device(&l->v.now->machine, d)
		l->domains |= PCIADDR_DOMAIN(d->address) != 0;
	for_each_device(&l->v.now->machine, d) {
		int driver = d->found.driver ? (int)strlen(d->found.driver) : 1, index = (int)strlen(bus_index(l, d));

		if (driver > l->width)
			l->width = driver;
		if (index > l->index_width)
			l->index_width = index;
	}
	/* A driver of a strange name moves its own line alone. */
	if (l->width > 16)
		l->width = 16;
}

void say_no_claim(const struct listing *l, const struct listener *to)
{
	if (l->v.next->machine.no_claim_reason)
		say(to, LEVEL_DONE, "the next boot claims nothing: %s", l->v.next->machine.no_claim_reason);
}

/* Prints the list as text. Returns true, after a message, if that failed. */
static bool print_list(struct listing *l)
{
	say_problems(&l->v.now->machine, &complaints);
	say_no_claim(l, &complaints);
	l->fault = say_unprotected(&l->v.deps, l->v.now, &l->v.next->machine, &complaints) |
		   say_image(l->v.next, &complaints);
	if (is_table(l)) {
		print_table(l);
	} else {
		print_groups(l);
		print_devices_without_group(l);
		print_hidden(l);
	}
	return cannot_print();
}

int verb_list(struct request *r)
{
	static struct listing l;
	const struct machine *m = &r->ctx->machine;
	bool failed;
	int status = 0;

	l.r = r;
	if (is_table(&l) && !table_begin(&l.table, r))
		return STATUS_WRONG;
	if (!inventory_open(&l.v, r))
		return STATUS_FAILED;
	/* inventory_open() has made the root the working directory. */
	l.mounts = mnt_new_table_from_file("proc/mounts");
	l.all = !r->words;
	set_columns(&l);
	if (!l.all)
		status = choose_by_words(&l.v, r->word, l.chosen);
	if (m->end == m->device) {
		status = status ? status : 1;
		say(&complaints, LEVEL_REFUSED, "this machine has no PCI device");
	}
	failed = asked(r, OPTION_JSON) ? print_json_list(&l) : print_list(&l);
	if (l.v.deps.unknown)
		say(&complaints, LEVEL_REFUSED, "what this host lives on is unknown: %s", l.v.deps.unknown);
	mnt_unref_table(l.mounts);
	inventory_close(&l.v);
	if (failed)
		return STATUS_FAILED;
	if (r->ctx->settings.problems)
		return STATUS_WRONG;
	return status ? status : l.fault;
}
