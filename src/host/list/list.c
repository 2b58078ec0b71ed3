// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot list: prints every device by IOMMU group. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "guarded_path.h"
#include "image_judge.h"
#include "listener.h"
#include "listing.h"
#include "log.h"
#include "pci_names.h"
#include "plan_log.h"
#include "terminal.h"
#include "unprotected.h"

/* Returns the address of a device, without its domain if all devices are in domain 0, like lspci. */
static const char *bus_index(const struct listing *l, const struct device *d)
{
	return l->domains ? d->name : strchr(d->name, ':') + 1;
}

static const char *driver_of(struct text *t, const struct device *d)
{
	return text_set(t, "%s", d->found.driver ? d->found.driver : "-");
}

static void print_module(void *data, const char *module)
{
	unsigned *modules = data;

	printf("%s%s", (*modules)++ ? ", " : "modules ", module);
}

/* Prints what -v adds below a device, a line for each fact. */
static void print_more(const struct listing *l, const struct device *d, const char *indent)
{
	static const struct {
		const char *name, *attribute;
	} facts[] = { { "NUMA node", "numa_node" }, { "reset by", "reset_method" } };
	unsigned modules = 0;
	char name[NAME_SIZE];
	struct text t;

	printf("%sselector %s\n", indent, guarded_path(l->v.now, &t, d));
	printf("%smodalias %s\n", indent, attribute(&l->v, &t, d, "modalias"));
	if (d->found.ids.subvendor)
		printf("%ssubsystem %s [%04x:%04x]\n", indent, subsystem_name(name, d), d->found.ids.subvendor,
		       d->found.ids.subdevice);
	for (unsigned i = 0; i < ARRAY_SIZE(facts); i++) {
		/* NUMA node -1 means that there is none. */
		if (*attribute(&l->v, &t, d, facts[i].attribute) && *t.p != '-')
			printf("%s%s %s\n", indent, facts[i].name, t.p);
	}
	fputs(indent, stdout);
	each_module(&l->v, d, print_module, &modules);
	puts(modules ? "" : "modules none");
}

/* `lead` precedes the first line of the device, `below` the others. */
static void print_device(const struct listing *l, const struct device *d, const char *lead, const char *below)
{
	char class[NAME_SIZE], name[NAME_SIZE], indent[80];
	const char *index = bus_index(l, d);
	char *marks = marks_of(l, d);
	struct text t;

	printf("%s%s%s%s  %-*s  %s: %s [%04x:%04x]\n", lead, style(is_chosen(l, d) ? BOLD : DIM), index, style(PLAIN),
	       l->width, driver_of(&t, d), class_name(class, d), device_name(name, d), d->found.ids.vendor,
	       d->found.ids.device);
	snprintf(indent, sizeof(indent), "%s%*s", below, (int)strlen(index) + 2, "");
	if (*marks)
		printf("%s%s%s%s\n", indent, style(DIM), marks, style(PLAIN));
	if (asked(l->r, OPTION_VERBOSE))
		print_more(l, d, indent);
	free(marks);
}

/* A group is shown as a whole if a selector matches one of its members. */
static bool is_shown(const struct listing *l, const struct group *g)
{
	const struct device *d;

	for_each_member(g, d) {
		if (is_chosen(l, d))
			return true;
	}
	return false;
}

static void print_group(const struct listing *l, const struct group *g)
{
	const struct device *d;
	struct text t;

	printf("%sgroup %u%s%s\n", style(BOLD), g->number, style(PLAIN),
	       g->flags & GROUP_NOIOMMU ? " (vfio-noiommu: it isolates nothing)" : "");
	for_each_member(g, d) {
		bool last = !d->next && !g->non_pci_member;

		print_device(l, d, line(last ? LINE_END : LINE_TEE), line(last ? LINE_BLANK : LINE_DOWN));
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

static bool is_shown_alone(const struct listing *l, const struct device *d)
{
	return !d->group && is_chosen(l, d);
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
		if (is_shown_alone(l, d))
			print_device(l, d, line(d == last ? LINE_END : LINE_TEE),
				     line(d == last ? LINE_BLANK : LINE_DOWN));
	}
}

static void print_flat(const struct listing *l)
{
	char class[NAME_SIZE], name[NAME_SIZE];
	const struct device *d;

	for_each_device(&l->v.now->machine, d) {
		char *marks, group[12] = "-";
		struct text t;

		if (!is_chosen(l, d))
			continue;
		marks = marks_of(l, d);
		if (d->group)
			snprintf(group, sizeof(group), "%u", d->group->number);
		printf("%s  group %-3s  %-*s  %s: %s [%04x:%04x]%s%s%s\n", bus_index(l, d), group, l->width,
		       driver_of(&t, d), class_name(class, d), device_name(name, d), d->found.ids.vendor,
		       d->found.ids.device, *marks ? " (" : "", marks, *marks ? ")" : "");
		if (asked(l->r, OPTION_VERBOSE))
			print_more(l, d, "    ");
		free(marks);
	}
}

static void set_columns(struct listing *l)
{
	const struct device *d;

	l->domains = asked(l->r, OPTION_DOMAINS);
	l->width = 1;
	for_each_device(&l->v.now->machine, d) {
		int width = d->found.driver ? (int)strlen(d->found.driver) : 1;

		l->domains |= PCIADDR_DOMAIN(d->address) != 0;
		if (width > l->width)
			l->width = width;
	}
}

/* Prints the list as text. Returns true, after a message, if that failed. */
static bool print_list(struct listing *l)
{
	say_problems(&l->v.now->machine, &complaints);
	l->fault = say_unprotected(&l->v.deps, l->v.now, &l->v.next->machine, &complaints) |
		   say_image(l->v.next, &complaints);
	if (asked(l->r, OPTION_FLAT)) {
		print_flat(l);
	} else {
		print_groups(l);
		print_devices_without_group(l);
	}
	return cannot_print();
}

int verb_list(struct request *r)
{
	static struct listing l;
	const struct machine *m = &r->ctx->machine;
	bool failed;
	int status = 0;

	if (!inventory_open(&l.v, r))
		return STATUS_FAILED;
	/* inventory_open() has made the root the working directory. */
	l.mounts = mnt_new_table_from_file("proc/mounts");
	l.r = r;
	l.all = !r->words;
	set_columns(&l);
	if (!l.all)
		status = choose(r->ctx, r->word, l.chosen);
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
