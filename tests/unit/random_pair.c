// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "random_pair.h"

/* splitmix64 */
unsigned below(struct random *r, unsigned n)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (unsigned)((z >> 33) % n);
}

static bool one_in(struct random *r, unsigned n)
{
	return !below(r, n);
}

#define PICK(r, words) ((words)[below(r, (unsigned)(sizeof(words) / sizeof(*(words))))])

/* What the settings may speak of. */
struct function {
	unsigned domain, bus, dev, fn;
	const char *id;	   /* VVVV:DDDD */
	const char *class; /* BBSS */
	int parent;
	int group; /* -1: none */
};

struct world {
	struct random *r;
	struct pair *pair;
	unsigned used; /* of pair->machine */
	unsigned devices;
	unsigned buses;
	int protected; /* a function that a protect entry means, or -1 */
	bool next;     /* a plan for the next boot: nothing is in use, nothing overridden */
	bool groups;
	struct function function[PAIR_DEVICES];
};

static const char *const ids[] = { "8086:10d3", "8086:1533", "10de:2204", "10de:1aef", "144d:a808" };
static const char denylisted[] = "8086:37c8";
static const char *const subsystems[] = { "", "", ":1458:4043", ":1043:87d9" };
static const char *const classes[] = { "0300", "0300", "0302", "0403", "0108", "0106", "0104", "0200", "0200", "0c03",
				       "0c03", "0c05", "0500", "0600", "0600", "0601", "0806", "0807", "0000", "0880" };
static const char *const bridges[] = { "0604", "0604", "0604", "0607", "0609", "0600" };
static const char *const drivers[] = { "vfio-pci", "vfio-pci", "e1000e",	"nouveau", "pcieport",
				       "shpchp",   "pci-stub", "mlx5_vfio_pci", "vfio-x" };
/* Those that a bridge may have. */
static const char *const bridge_drivers[] = { "pcieport", "pcieport",	"shpchp", "pci-stub",
					      "vfio-pci", "skx_uncore", "vfio-x" };
static const char *const targets[] = { "qat_vfio_pci", "mlx5_vfio_pci", "vfio-x" };
static const char *const overrides[] = { "vfio-pci", "none", "e1000e" };

static void add(char *text, unsigned *used, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	*used += (unsigned)vsnprintf(text + *used, PAIR_TEXT - *used, fmt, ap);
	va_end(ap);
}

static bool has_class(const struct function *f, const char *class)
{
	return !strncmp(f->class, class, strlen(class));
}

static bool is_bridge_function(const struct function *f)
{
	return has_class(f, "0600") || has_class(f, "0604") || has_class(f, "0607") || has_class(f, "0609");
}

static int add_function(struct world *w, struct function f)
{
	struct random *r = w->r;
	char *text = w->pair->machine;

	if (w->devices == PAIR_DEVICES || w->used > PAIR_TEXT - 160)
		return -1;
	f.id = one_in(r, 12) ? denylisted : PICK(r, ids);
	/* Mostly the group of what is above it, often none of its own. */
	if (f.parent >= 0 && below(r, 10) < 6)
		f.group = w->function[f.parent].group;
	else
		f.group = !w->groups || one_in(r, 12) ? -1 : (int)below(r, 5);
	add(text, &w->used, "%04x:%02x:%02x.%u %s%s %s", f.domain, f.bus, f.dev, f.fn, f.id, PICK(r, subsystems),
	    f.class);
	if (f.group >= 0)
		add(text, &w->used, " g%d", f.group);
	if (f.parent >= 0) {
		const struct function *p = &w->function[f.parent];

		add(text, &w->used, " <%04x:%02x:%02x.%u", p->domain, p->bus, p->dev, p->fn);
	}
	if (is_bridge_function(&f) && one_in(r, 2))
		add(text, &w->used, " drv=%s", PICK(r, bridge_drivers));
	else if (one_in(r, 3))
		add(text, &w->used, " drv=%s", PICK(r, drivers));
	if (one_in(r, 40))
		add(text, &w->used, " for=%s", PICK(r, targets));
	if (!w->next && one_in(r, 12))
		add(text, &w->used, " over=%s", PICK(r, overrides));
	if (!w->next && one_in(r, 16))
		add(text, &w->used, one_in(r, 2) ? " vfs" : " use=sda");
	if (has_class(&f, "03") && one_in(r, 3))
		add(text, &w->used, " vga");
	add(text, &w->used, "\n");
	w->function[w->devices] = f;
	return (int)w->devices++;
}

/* The functions of one slot, and below bridges the next bus. */
static void add_slot(struct world *w, unsigned domain, unsigned bus, unsigned dev, int parent, unsigned depth)
{
	struct random *r = w->r;
	unsigned functions = one_in(r, 3) ? 1 + below(r, 4) : 1;

	for (unsigned fn = 0; fn < functions; fn++) {
		bool is_bridge = depth < 3 && below(r, 10) < 3;
		/* Once in a while something that is no bridge has functions below it. */
		bool has_children = is_bridge || (depth < 2 && one_in(r, 12));
		struct function f = { domain, bus, dev, fn, NULL, is_bridge ? PICK(r, bridges) : PICK(r, classes),
				      parent, -1 };
		int at = add_function(w, f);
		unsigned below_domain;

		if (at < 0 || !has_children)
			continue;
		/* As VMD does it: a domain of its own. */
		below_domain = is_bridge || one_in(r, 2) ? domain : 0x10000;
		w->buses++;
		add_slot(w, below_domain, (below_domain ? 0xe0 : 0) + w->buses, below(r, 2), at, depth + 1);
	}
}

static void add_machine(struct world *w)
{
	static const char *const phases[] = { "now", "now", "init", "second", "next", "next" };
	static const char *const kernels[] = { "5.10", "5.18", "5.19", "6.1", "6.12" };
	struct random *r = w->r;
	const char *phase = PICK(r, phases);
	unsigned slots = 1 + below(r, 6), dev = below(r, 2);

	w->next = *phase == 'n' && phase[1] == 'e';
	w->groups = !one_in(r, 20);
	add(w->pair->machine, &w->used, "%s\nkernel %s\n", phase, PICK(r, kernels));
	if (one_in(r, 2))
		add(w->pair->machine, &w->used, "firmware DMAR\n");
	if (one_in(r, 64))
		add(w->pair->machine, &w->used, "nothing rescue\n");
	if (w->groups && one_in(r, 12))
		add(w->pair->machine, &w->used, "stranger %u fd000000.dma\n", below(r, 5));
	if (w->groups && one_in(r, 16))
		add(w->pair->machine, &w->used, "noiommu 4\n");
	if (w->groups && one_in(r, 20))
		add(w->pair->machine, &w->used, "direct %u\n", below(r, 5));
	if (one_in(r, 8))
		add(w->pair->machine, &w->used, "denylist-off\n");
	/* A host bridge, as most machines have it, with the functions of a chipset in its group or not. */
	if (one_in(r, 2)) {
		add_function(w, (struct function){ 0, 0, 0, 0, NULL, "0600", -1, -1 });
		dev = 1;
	}
	for (unsigned i = 0; i < slots; i++, dev += 1 + below(r, 3))
		add_slot(w, 0, 0, dev, -1, 0);
}

static unsigned put_path(const struct world *w, int at, char *out, size_t size)
{
	const struct function *f = &w->function[at];
	unsigned len;

	if (f->parent < 0 || w->function[f->parent].domain != f->domain)
		return (unsigned)snprintf(out, size, "%04x:%02x:%02x.%u", f->domain, f->bus, f->dev, f->fn);
	len = put_path(w, f->parent, out, size);
	return len + (unsigned)snprintf(out + len, size - len, "/%02x.%u", f->dev, f->fn);
}

/* A function to be meant, more often one about which the rules have something to say. */
static int pick_function(const struct world *w)
{
	struct random *r = w->r;
	unsigned wish = below(r, 8), n = below(r, w->devices);

	for (unsigned i = 0; i < w->devices && wish < 3; i++, n = (n + 1) % w->devices) {
		const struct function *f = &w->function[n];

		if (wish == 0 && is_bridge_function(f))
			break;
		if (wish == 1 && w->protected >= 0 && f->id == w->function[w->protected].id)
			break;
		if (wish == 2 && has_class(f, "01"))
			break;
	}
	return (int)n;
}

/* A selector that means this function of the machine, or nearly. */
static void put_selector(const struct world *w, int n, char *out, size_t size)
{
	struct random *r = w->r;
	unsigned len;
	const struct function *f = &w->function[n];

	switch (below(r, 16)) {
	case 0:
	case 1:
	case 2:
		snprintf(out, size, "%s", f->id);
		break;
	case 3:
		snprintf(out, size, "%.4s:*", f->id);
		break;
	case 4:
		snprintf(out, size, "%s%s", f->id, one_in(r, 2) ? ":1458:4043" : ":*:87d9");
		break;
	case 5:
	case 6:
		snprintf(out, size, "%04x:%02x:%02x.%u", f->domain, f->bus, f->dev, f->fn);
		break;
	case 7:
		snprintf(out, size, "%04x:%02x:%02x%s", f->domain, f->bus, f->dev, one_in(r, 2) ? ".*" : "");
		break;
	case 8:
		put_path(w, n, out, size);
		break;
	case 9:
		snprintf(out, size, "class:%.*s", one_in(r, 2) ? 2 : 4, f->class);
		break;
	case 10:
		snprintf(out, size, "boot-vga");
		break;
	case 11:
		snprintf(out, size, "%s:*:*:%s00", f->id, f->class);
		break;
	case 12:
	case 13:
		/* often with the ID of another function */
		snprintf(out, size, "%04x:%02x:%02x.%u@%s", f->domain, f->bus, f->dev, f->fn,
			 one_in(r, 2) ? f->id : PICK(r, ids));
		break;
	case 14:
		len = put_path(w, n, out, size);
		snprintf(out + len, size - len, "@%.5s%s", f->id, one_in(r, 2) ? f->id + 5 : "*");
		break;
	default:
		/* where nothing is */
		snprintf(out, size, one_in(r, 2) ? "0000:7f:00.0@%s" : "0000:7f:00.0", f->id);
	}
}

static void add_ids(struct world *w, unsigned *used, unsigned n)
{
	struct random *r = w->r;
	char entry[PAIR_ENTRY];

	for (unsigned i = 0; i < n; i++) {
		put_selector(w, pick_function(w), entry, sizeof(entry));
		add(w->pair->file, used, "ids = %s%s\n", entry, one_in(r, 6) ? "?" : "");
	}
	/* A broad one that means only what stays with the host, or nearly. */
	if (one_in(r, 6))
		add(w->pair->file, used, "ids = class:%s\n", one_in(r, 2) ? "06" : "0c05");
	for (unsigned i = below(r, 3); i; i--) {
		put_selector(w, pick_function(w), entry, sizeof(entry));
		add(w->pair->file, used, "ids = %s%s\n", one_in(r, 3) ? "not:" : "!", entry);
	}
}

static void add_protection(struct world *w, unsigned *used)
{
	struct random *r = w->r;
	char entry[PAIR_ENTRY];

	for (unsigned i = one_in(r, 2) ? below(r, 3) : 0; i; i--) {
		int n = pick_function(w);
		bool reserve = one_in(r, 2);

		if (!reserve && w->protected < 0)
			w->protected = n;
		put_selector(w, n, entry, sizeof(entry));
		add(w->pair->file, used, "%s = %s\n", reserve ? "reserve" : "protect", entry);
	}
	if (one_in(r, 8))
		add(w->pair->file, used, "protect = unknown\n");
	/* What cannot be read may have been meant to protect. */
	if (one_in(r, 20))
		add(w->pair->file, used, "%s = x\n", one_in(r, 2) ? "protect" : "reserve");
}

static void add_settings(struct world *w)
{
	static const char *const others[] = { "group = whole", "group = whole", "group = ignore", "group = refuse",
					      "unbind = no",   "unbind = no",	"unbind = yes",	  "# nothing",
					      "group = x",     "bogus = 1",	"ids = !x",	  "ids = 1:2:3",
					      "reserve = ,",   "timeout = 5" };
	struct random *r = w->r;
	struct pair *p = w->pair;
	unsigned used = 0;
	char entry[PAIR_ENTRY];

	w->protected = -1;
	add_protection(w, &used);
	add_ids(w, &used, 1 + below(r, 5));
	if (one_in(r, 2))
		add(p->file, &used, "%s\n", PICK(r, others));

	used = 0;
	if (one_in(r, 4)) {
		static const char *const marks[] = { "+", "+", "", "", "!", "+!" };

		put_selector(w, pick_function(w), entry, sizeof(entry));
		add(p->cmdline, &used, "vfio.ids=%s%s ", PICK(r, marks), entry);
	}
	if (one_in(r, 20))
		add(p->cmdline, &used, "vfio-boot.%s=off ", one_in(r, 2) ? "protect" : "reserve");
	if (one_in(r, 10))
		add(p->cmdline, &used, "vfio_boot.group=%s ", one_in(r, 2) ? "whole" : "ignore");
	put_selector(w, pick_function(w), p->extra, sizeof(p->extra));
}

void random_pair(struct pair *p, uint64_t seed)
{
	struct random r = { seed };
	struct world w = { .r = &r, .pair = p };

	memset(p, 0, sizeof(*p));
	p->seed = seed;
	add_machine(&w);
	add_settings(&w);
}
