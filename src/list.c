// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot list: every device, by IOMMU group. */
#include <json-c/json.h>
#include <libmount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"
#include "inventory.h"
#include "json.h"
#include "look.h"
#include "message.h"
#include "names.h"
#include "voice.h"

struct listing {
	struct inventory v;
	struct request *r;
	bool domains;		     /* bus indices with their domain */
	int width;		     /* of the column of drivers */
	bool all;		     /* no selector was given */
	struct libmnt_table *mounts; /* or NULL */
	bool chosen[DEVICES_MAX];
};

static bool is_chosen(const struct listing *l, const struct device *d)
{
	return l->all || l->chosen[d - l->v.now->machine.device];
}

/* Without a domain where there is but one, as lspci. */
static const char *bus_index(const struct listing *l, const struct device *d)
{
	return l->domains ? d->name : strchr(d->name, ':') + 1;
}

/* --- the marks of a device, one text each ------------------------------------------------------------------------ */

struct marks {
	FILE *to;
	char *text;
	size_t size;
	unsigned n;
	const char *between;
};

static void mark(struct marks *m, const char *text)
{
	fprintf(m->to, "%s%s", m->n++ ? m->between : "", text);
}

static void mark_needs(const struct listing *l, const struct device *d, struct marks *m, bool reserve)
{
	struct text t;

	text_set(&t, reserve ? "reserved: " : "protected: ");
	for (unsigned i = 0, n = 0; i < l->v.lives.needs; i++) {
		const struct need *need = &l->v.lives.need[i];

		if (need->device != d || need->reserve != reserve)
			continue;
		text_add(&t, n++ ? ", %s" : "%s", need->why);
	}
	/* Something beside the words in front. */
	if (t.p[t.len - 1] != ' ')
		mark(m, t.p);
}

static void mark_next_boot(const struct listing *l, const struct device *d, struct marks *m)
{
	const struct device *next = at_next_boot(&l->v, d);
	struct text t;

	if (!next || next->verdict == VERDICT_NONE)
		return;
	text_set(&t, "next boot: %s", verdict_name(next->verdict));
	if (is_claimed(next))
		text_add(&t, " for %s", next->target);
	else if (next->reason)
		text_add(&t, ", %s", reason_name(next->reason));
	mark(m, t.p);
}

static void mark_functions(const struct listing *l, const struct device *d, struct marks *m)
{
	struct text t, all, used;

	if (*physical_function(&l->v, &t, d))
		mark(m, text_set(&used, "VF of %s", t.p));
	attribute(&l->v, &all, d, "sriov_totalvfs");
	attribute(&l->v, &used, d, "sriov_numvfs");
	if (all.len)
		mark(m, text_set(&t, "PF, %s of %s VFs", used.p, all.p));
}

static bool is_needed(const struct listing *l, const struct device *d)
{
	for (unsigned i = 0; i < l->v.lives.needs; i++) {
		if (l->v.lives.need[i].device == d)
			return true;
	}
	return false;
}

/* What uses it for what the host does not live on; where bridges lead to is seen at the devices below them. */
static void mark_use(const struct listing *l, const struct device *d, struct marks *m)
{
	static const char *const uses[] = { [USE_MOUNTED] = "is mounted",
					    [USE_SWAP] = "is swap",
					    [USE_HOLDER] = "is held (LVM, LUKS, RAID)",
					    [USE_OPEN] = "is open",
					    [USE_NET_UP] = "is up" };
	struct libmnt_fs *fs;
	struct text t;

	if (!d->use || d->use == USE_VFS || is_bridge(d) || is_needed(l, d))
		return;
	fs = l->mounts ? mnt_table_find_srcpath(l->mounts, text_set(&t, "/dev/%s", d->used_by), MNT_ITER_BACKWARD)
		       : NULL;
	text_set(&t, "in use: %s %s", d->used_by, uses[d->use]);
	if (fs)
		text_add(&t, " on %s", mnt_fs_get_target(fs));
	mark(m, t.p);
}

/* All of them in one text, which the caller frees. */
static char *marks_of(const struct listing *l, const struct device *d)
{
	struct marks m = { .between = "; " };
	struct text t;

	m.to = open_memstream(&m.text, &m.size);
	if (!m.to)
		abort();
	if (d->facts & DEVICE_BOOT_VGA)
		mark(&m, "boot display");
	mark_needs(l, d, &m, false);
	mark_needs(l, d, &m, true);
	mark_use(l, d, &m);
	mark_functions(l, d, &m);
	if (d->override)
		mark(&m, text_set(&t, "override %s", d->override));
	mark_next_boot(l, d, &m);
	fclose(m.to);
	return m.text;
}

/* --- as text ----------------------------------------------------------------------------------------------------- */

struct modules {
	unsigned n;
};

static void print_module(void *ctx, const char *module)
{
	struct modules *m = ctx;

	printf("%s%s", m->n++ ? ", " : "modules ", module);
}

/* Of -v: one fact a line, below the device. */
static void print_more(struct listing *l, const struct device *d, const char *indent)
{
	static const struct {
		const char *name, *attribute;
	} facts[] = { { "NUMA node", "numa_node" }, { "reset by", "reset_method" } };
	struct modules modules = { 0 };
	char name[NAME_SIZE];
	struct text t;

	printf("%sselector %s\n", indent, guarded_path(l->v.now, &t, d));
	printf("%smodalias %s\n", indent, attribute(&l->v, &t, d, "modalias"));
	if (d->ids.subvendor)
		printf("%ssubsystem %s [%04x:%04x]\n", indent, subsystem_name(name, d), d->ids.subvendor,
		       d->ids.subdevice);
	for (unsigned i = 0; i < ARRAY_SIZE(facts); i++) {
		/* A node of -1 is none. */
		if (*attribute(&l->v, &t, d, facts[i].attribute) && *t.p != '-')
			printf("%s%s %s\n", indent, facts[i].name, t.p);
	}
	fputs(indent, stdout);
	each_module(&l->v, d, print_module, &modules);
	puts(modules.n ? "" : "modules none");
}

/* `lead` is what stands in front of its first line, and `below` in front of the others. */
static void print_device(struct listing *l, const struct device *d, const char *lead, const char *below)
{
	char class[NAME_SIZE], name[NAME_SIZE], indent[80];
	const char *index = bus_index(l, d);
	char *marks = marks_of(l, d);

	printf("%s%s%s%s  %-*s  %s: %s [%04x:%04x]\n", lead, style(is_chosen(l, d) ? BOLD : DIM), index, style(PLAIN),
	       l->width, d->driver ? d->driver : "-", class_name(class, d), device_name(name, d), d->ids.vendor,
	       d->ids.device);
	snprintf(indent, sizeof(indent), "%s%*s", below, (int)strlen(index) + 2, "");
	if (*marks)
		printf("%s%s%s%s\n", indent, style(DIM), marks, style(PLAIN));
	if (asked(l->r, OPTION_VERBOSE))
		print_more(l, d, indent);
	free(marks);
}

/* The next member that is shown after this one; with a selector a group is shown whole where one of it is meant. */
static bool is_shown(const struct listing *l, const struct group *g)
{
	const struct device *d;

	for_each_member(g, d) {
		if (is_chosen(l, d))
			return true;
	}
	return false;
}

static void print_group(struct listing *l, const struct group *g)
{
	const struct device *d;

	printf("%sgroup %u%s%s\n", style(BOLD), g->number, style(PLAIN),
	       g->flags & GROUP_NOIOMMU ? " (vfio-noiommu: it isolates nothing)" : "");
	for_each_member(g, d) {
		bool last = !d->next && !g->stranger;

		print_device(l, d, line(last ? LINE_END : LINE_TEE), line(last ? LINE_BLANK : LINE_DOWN));
	}
	if (g->stranger)
		printf("%s%s (no PCI device known here)\n", line(LINE_END), g->stranger);
}

static int by_number(const void *a, const void *b)
{
	const struct group *const *left = a, *const *right = b;

	return (*left)->number < (*right)->number ? -1 : (*left)->number > (*right)->number;
}

static void print_tree(struct listing *l)
{
	static const struct group *group[DEVICES_MAX];
	const struct machine *m = &l->v.now->machine;
	const struct device *d, *last = NULL;
	const struct group *g;
	size_t n = 0;

	for_each_group(m, g)
		group[n++] = g;
	/* They are pointers. NOLINTNEXTLINE(bugprone-sizeof-expression) */
	/* They are pointers. NOLINTNEXTLINE(bugprone-sizeof-expression) */
	qsort(group, n, sizeof(group[0]), by_number);
	for (size_t i = 0; i < n; i++) {
		if (is_shown(l, group[i]))
			print_group(l, group[i]);
	}
	for_each_device(m, d) {
		if (!d->group && is_chosen(l, d))
			last = d;
	}
	if (last)
		printf("%sno IOMMU group%s%s\n", style(BOLD), style(PLAIN),
		       m->any_group ? "" : " (the IOMMU is off: vfio-boot doctor)");
	for_each_device(m, d) {
		if (!d->group && is_chosen(l, d))
			print_device(l, d, line(d == last ? LINE_END : LINE_TEE),
				     line(d == last ? LINE_BLANK : LINE_DOWN));
	}
}

static void print_flat(struct listing *l)
{
	char class[NAME_SIZE], name[NAME_SIZE];
	const struct device *d;

	for_each_device(&l->v.now->machine, d) {
		char *marks, group[12] = "-";

		if (!is_chosen(l, d))
			continue;
		marks = marks_of(l, d);
		if (d->group)
			snprintf(group, sizeof(group), "%u", d->group->number);
		printf("%s  group %-3s  %-*s  %s: %s [%04x:%04x]%s%s%s\n", bus_index(l, d), group, l->width,
		       d->driver ? d->driver : "-", class_name(class, d), device_name(name, d), d->ids.vendor,
		       d->ids.device, *marks ? " (" : "", marks, *marks ? ")" : "");
		if (asked(l->r, OPTION_VERBOSE))
			print_more(l, d, "    ");
		free(marks);
	}
}

/* --- as JSON ----------------------------------------------------------------------------------------------------- */

static void add(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, value && *value ? json_text(value) : NULL);
}

static void add_module(void *ctx, const char *module)
{
	json_object_array_add(ctx, json_text(module));
}

static struct json_object *needs_of(const struct listing *l, const struct device *d, bool reserve)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < l->v.lives.needs; i++) {
		const struct need *need = &l->v.lives.need[i];

		if (need->device == d && need->reserve == reserve)
			json_object_array_add(list, json_text(need->why));
	}
	return list;
}

static struct json_object *words_of(const char *text)
{
	struct json_object *list = json_object_new_array();

	while (*text) {
		size_t len = strcspn(text, " ");

		if (len)
			json_object_array_add(list, json_object_new_string_len(text, (int)len));
		text += len + strspn(text + len, " ");
	}
	return list;
}

static struct json_object *device_json(struct listing *l, const struct device *d)
{
	struct json_object *o = json_object_new_object(), *modules = json_object_new_array();
	const struct device *next = at_next_boot(&l->v, d);
	bool asked_for = next && next->verdict != VERDICT_NONE;
	char name[NAME_SIZE];
	struct text t;

	add(o, "address", d->name);
	text_set(&t, "%04x:%04x", d->ids.vendor, d->ids.device);
	add(o, "id", t.p);
	text_set(&t, "%04x:%04x", d->ids.subvendor, d->ids.subdevice);
	add(o, "subsystem", d->ids.subvendor ? t.p : NULL);
	text_set(&t, "%06x", d->class);
	add(o, "class", t.p);
	json_object_object_add(o, "class_name", json_object_new_string(class_name(name, d)));
	json_object_object_add(o, "name", json_object_new_string(device_name(name, d)));
	json_object_object_add(o, "group", has_group(d) ? json_object_new_int64(d->group->number) : NULL);
	add(o, "driver", d->driver);
	add(o, "override", d->override);
	each_module(&l->v, d, add_module, modules);
	json_object_object_add(o, "modules", modules);
	json_object_object_add(o, "boot_display", json_object_new_boolean(d->facts & DEVICE_BOOT_VGA));
	add(o, "physical_function", physical_function(&l->v, &t, d));
	attribute(&l->v, &t, d, "sriov_totalvfs");
	json_object_object_add(o, "total_vfs", t.len ? json_object_new_int(atoi(t.p)) : NULL);
	attribute(&l->v, &t, d, "sriov_numvfs");
	json_object_object_add(o, "vfs", t.len ? json_object_new_int(atoi(t.p)) : NULL);
	json_object_object_add(o, "protected", needs_of(l, d, false));
	json_object_object_add(o, "reserved", needs_of(l, d, true));
	add(o, "used_by", d->used_by);
	attribute(&l->v, &t, d, "numa_node");
	json_object_object_add(o, "numa_node", t.len && *t.p != '-' ? json_object_new_int(atoi(t.p)) : NULL);
	json_object_object_add(o, "reset_methods", words_of(attribute(&l->v, &t, d, "reset_method")));
	add(o, "modalias", attribute(&l->v, &t, d, "modalias"));
	add(o, "selector", guarded_path(l->v.now, &t, d));
	add(o, "verdict", asked_for ? verdict_name(next->verdict) : NULL);
	add(o, "reason", asked_for && next->reason ? reason_name(next->reason) : NULL);
	return o;
}

static bool print_json_list(struct listing *l)
{
	struct json_object *o = json_object_new_object(), *devices = json_object_new_array();
	struct json_object *warnings = json_object_new_array();
	const struct device *d;

	json_object_object_add(o, "format", json_object_new_int(1));
	for_each_device(&l->v.now->machine, d) {
		if (is_chosen(l, d))
			json_object_array_add(devices, device_json(l, d));
	}
	json_object_object_add(o, "devices", devices);
	json_object_object_add(o, "errors", json_errors(&l->v.now->settings));
	if (l->v.lives.unknown)
		json_object_array_add(warnings, json_text(l->v.lives.unknown));
	for (unsigned i = 0; i < l->v.lives.notes; i++)
		json_object_array_add(warnings, json_text(l->v.lives.note[i]));
	json_object_object_add(o, "warnings", warnings);
	return json_print(o);
}

int verb_list(struct request *r)
{
	static struct listing l;
	const struct machine *m = &r->job->machine;
	const struct device *d;
	bool found = true, failed;

	l.r = r;
	if (!inventory_open(&l.v, r))
		return STATUS_FAILED;
	/* The working directory is the root now. */
	l.mounts = mnt_new_table_from_file("proc/mounts");
	l.all = !r->words;
	l.domains = asked(r, OPTION_DOMAINS);
	l.width = 1;
	for_each_device(m, d) {
		int width = d->driver ? (int)strlen(d->driver) : 1;

		l.domains |= PCIADDR_DOMAIN(d->address) != 0;
		if (width > l.width)
			l.width = width;
	}
	if (!l.all)
		found = choose(r->job, r->word, l.chosen);
	if (asked(r, OPTION_JSON)) {
		failed = print_json_list(&l);
	} else {
		if (m->end == m->device)
			say(&complaints, LEVEL_REFUSED, "there is no PCI device here");
		say_problems(m, &complaints);
		if (asked(r, OPTION_FLAT))
			print_flat(&l);
		else
			print_tree(&l);
		failed = cannot_print();
	}
	if (l.v.lives.unknown)
		say(&complaints, LEVEL_REFUSED, "what this host lives on is unknown: %s", l.v.lives.unknown);
	mnt_unref_table(l.mounts);
	inventory_close(&l.v);
	return failed ? STATUS_FAILED : !found || m->end == m->device;
}
