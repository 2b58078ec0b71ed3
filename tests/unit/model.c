// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model.h"

void page_clear(struct page *page)
{
	page->len = 0;
	*page->p = '\0';
}

void page_add(struct page *page, const char *fmt, ...)
{
	unsigned left = (unsigned)sizeof(page->p) - page->len;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(page->p + page->len, left, fmt, ap);
	va_end(ap);
	page->len += (unsigned)len < left ? (unsigned)len : left - 1;
}

/* One line, cut into words. */
struct words {
	unsigned n;
	char *word[16];
	char text[256];
};

static const char *next_line(const char *text, struct words *w)
{
	size_t len = strcspn(text, "\n");
	char *p = w->text;

	w->n = 0;
	snprintf(w->text, sizeof(w->text), "%.*s", (int)len, text);
	for (;;) {
		p += strspn(p, " \t");
		if (!*p || w->n == ARRAY_SIZE(w->word))
			break;
		w->word[w->n++] = p;
		p += strcspn(p, " \t");
		if (*p)
			*p++ = '\0';
	}
	return text[len] ? text + len + 1 : NULL;
}

/* Not the parser that is tested. */
static bool read_address(const char *p, pciaddr *out)
{
	unsigned domain = 0, bus, dev, fn;

	if (sscanf(p, "%x:%x:%x.%u", &domain, &bus, &dev, &fn) != 4) {
		domain = 0;
		if (sscanf(p, "%x:%x.%u", &bus, &dev, &fn) != 3)
			return false;
	}
	*out = PCIADDR(domain, bus, dev, fn);
	return true;
}

static struct group *group_with(struct machine *m, const char *digits)
{
	unsigned number = decimal(&digits);
	struct group *g;

	for_each_group(m, g) {
		if (g->number == number)
			return g;
	}
	memset(g, 0, sizeof(*g));
	g->number = number;
	m->group_end++;
	return g;
}

static bool read_ids(const char *p, struct function_ids *ids)
{
	unsigned v, d, sv = 0, sd = 0;
	int n = sscanf(p, "%4x:%4x:%4x:%4x", &v, &d, &sv, &sd);

	*ids = (struct function_ids){ (uint16_t)v, (uint16_t)d, (uint16_t)sv, (uint16_t)sd };
	return n == 2 || n == 4;
}

/* A device, but for its group and parent: these need all of them in order. */
static bool read_device(struct machine *m, const struct words *w)
{
	struct device *d = m->end++;
	unsigned class;
	pciaddr a;

	memset(d, 0, sizeof(*d));
	if (w->n < 3 || !read_address(w->word[0], &a) || !read_ids(w->word[1], &d->found.ids))
		return false;
	snprintf(d->name, sizeof(d->name), "%04x:%02x:%02x.%u", PCIADDR_DOMAIN(a), (unsigned)(a >> 8) & 0xff,
		 (unsigned)(a >> 3) & 0x1f, (unsigned)a & 7);
	d->address = a;
	d->found.target = m->vfio_pci;
	d->found.detailed = true;
	if (sscanf(w->word[2], "%6x", &class) != 1)
		return false;
	d->found.class = strlen(w->word[2]) == 4 ? class << 8 : class;
	for (unsigned i = 3; i < w->n; i++) {
		const char *word = w->word[i];

		if (!strcmp(word, "vga")) {
			d->found.boot_display = true;
		} else if (!strcmp(word, "vf")) {
			d->found.virtual = true;
		} else if (!strcmp(word, "vfs")) {
			d->found.use = USE_VFS;
		} else if (!strncmp(word, "drv=", 4)) {
			d->found.driver = machine_name(m, word + 4);
		} else if (!strncmp(word, "for=", 4)) {
			d->found.target = machine_name(m, word + 4);
		} else if (!strncmp(word, "over=", 5)) {
			d->found.override = machine_name(m, word + 5);
		} else if (!strncmp(word, "use=", 4)) {
			d->found.use = USE_MOUNTED;
			d->found.used_by = machine_name(m, word + 4);
		} else if (*word != 'g' && *word != '<') {
			return false;
		}
	}
	return true;
}

static bool join(struct machine *m, const struct words *w)
{
	struct device *d;
	pciaddr a;

	if (!read_address(w->word[0], &a) || !(d = machine_find(m, a)))
		return false;
	for (unsigned i = 3; i < w->n; i++) {
		const char *word = w->word[i];

		if (*word == 'g') {
			machine_join(group_with(m, word + 1), d);
		} else if (*word == '<') {
			if (!read_address(word + 1, &a) || !(d->parent = machine_find(m, a)) || d->parent >= d)
				return false;
			if (!is_bridge(d->parent))
				d->parent->found.parent_of_pci = true;
		}
	}
	return true;
}

/* What is said of the machine as a whole. */
static bool read_fact(struct machine *m, const struct words *w)
{
	static const char *const phases[] = { "init", "second", "now", "next" };
	unsigned version, patchlevel;

	for (uint8_t i = 0; i < ARRAY_SIZE(phases); i++) {
		if (!strcmp(w->word[0], phases[i])) {
			m->phase = i;
			return true;
		}
	}
	if (!strcmp(w->word[0], "denylist-off")) {
		m->denylist_off = true;
		return true;
	}
	if (w->n < 2)
		return false;
	if (!strcmp(w->word[0], "kernel")) {
		if (sscanf(w->word[1], "%u.%u", &version, &patchlevel) != 2)
			return false;
		m->kernel = version << 8 | patchlevel;
	} else if (!strcmp(w->word[0], "firmware")) {
		m->firmware = machine_name(m, w->word[1]);
	} else if (!strcmp(w->word[0], "nothing")) {
		m->no_claim_reason = machine_name(m, w->word[1]);
	} else if (!strcmp(w->word[0], "noiommu")) {
		group_with(m, w->word[1])->flags |= GROUP_NOIOMMU;
	} else if (!strcmp(w->word[0], "direct")) {
		group_with(m, w->word[1])->flags |= GROUP_DIRECT;
	} else if (!strcmp(w->word[0], "stranger") && w->n == 3) {
		group_with(m, w->word[1])->non_pci_member = machine_name(m, w->word[2]);
	} else {
		return false;
	}
	return true;
}

bool model_machine(struct machine *m, struct settings *s, const char *text)
{
	struct words w;
	struct group *g;

	machine_init(m, s, PHASE_NOW);
	m->kernel = 6U << 8 | 1;
	for (unsigned round = 0; round < 2; round++) {
		for (const char *p = text; p;) {
			bool good = true;

			p = next_line(p, &w);
			if (!w.n)
				continue;
			if (!strchr(w.word[0], ':'))
				good = round == 0 || read_fact(m, &w);
			else
				good = round ? join(m, &w) : read_device(m, &w);
			if (!good)
				return false;
		}
		machine_sort(m);
	}
	/* In such a boot the devices are not even read. */
	if (m->no_claim_reason) {
		m->end = m->device;
		m->group_end = m->group;
	}
	for_each_group(m, g)
		m->any_group |= !(g->flags & GROUP_NOIOMMU);
	return true;
}

void model_paths(const struct machine *m)
{
	struct selector *sel;

	for (unsigned i = 0; i < LISTS; i++) {
		for_each_selector(&m->settings->list[i], sel) {
			const struct device *at = NULL, *d;

			for_each_device(m, d) {
				if (d->address == sel->address)
					at = d;
			}
			sel->behind = PCIADDR_NONE;
			for (unsigned hop = 0; hop < sel->hops && at; hop++) {
				const struct device *below = NULL, *first = NULL;

				for_each_device(m, d) {
					if (d->parent == at && !first)
						first = d;
					if (d->parent == at && (uint8_t)d->address == sel->hop[hop] &&
					    d->address >> 16 == at->address >> 16)
						below = d;
				}
				if (first)
					sel->behind = first->address;
				at = below;
			}
			sel->target = at ? at->address : PCIADDR_NONE;
		}
	}
}

void model_decide(struct machine *m)
{
	model_paths(m);
	select_devices(m);
	select_twins(m);
	plan_decide(m);
}

void model_settings(struct settings *s, const char *file, const char *cmdline)
{
	settings_init(s);
	settings_parse_file(s, "conf", file, strlen(file));
	if (cmdline)
		settings_parse_cmdline(s, "command line", cmdline, strlen(cmdline));
}

bool model_path(const struct device *d, struct page *page)
{
	if (!d->parent || PCIADDR_DOMAIN(d->parent->address) != PCIADDR_DOMAIN(d->address)) {
		page_add(page, "%s", d->name);
		return false;
	}
	model_path(d->parent, page);
	page_add(page, "/%02x.%u", (unsigned)(d->address >> 3) & 0x1f, (unsigned)d->address & 7);
	return true;
}

static void add_list(const struct settings *s, enum list_name i, const char *name, struct page *page)
{
	const struct list *list = &s->list[i];
	const struct selector *sel;
	const char *between = "";

	if (list->end == list->selector && !list->off)
		return;
	page_add(page, " %s=", name);
	if (list->off) {
		page_add(page, "off");
		between = ",";
	}
	for_each_selector(list, sel) {
		page_add(page, "%s%s%.*s%s", between, sel->flags & SELECTOR_EXCLUDES ? "!" : "", (int)sel->text.len,
			 sel->text.p, sel->flags & SELECTOR_OPTIONAL ? "?" : "");
		between = ",";
	}
}

void model_summary(const struct settings *s, struct page *page)
{
	static const char *const groups[] = { "refuse", "whole", "ignore" }, *const logs[] = { "info", "quiet",
											       "debug" };

	page_clear(page);
	add_list(s, LIST_IDS, "ids", page);
	add_list(s, LIST_PROTECT, "protect", page);
	add_list(s, LIST_RESERVE, "reserve", page);
	add_list(s, LIST_VFS, "vfs", page);
	if (s->protect_unknown)
		page_add(page, " unknown");
	if (s->off_now)
		page_add(page, " off-now");
	if (s->unreadable[LIST_IDS].source || s->unreadable[LIST_PROTECT].source || s->unreadable[LIST_RESERVE].source)
		page_add(page, " only-named");
	if (s->denylist_off)
		page_add(page, " denylist-off");
	if (s->group)
		page_add(page, " group=%s", groups[s->group]);
	if (s->driver)
		page_add(page, " driver=auto");
	if (s->unbind == NO)
		page_add(page, " unbind=no");
	if (s->timeout != 30)
		page_add(page, " timeout=%u", s->timeout);
	if (s->root_wait != 15)
		page_add(page, " root-wait=%u", s->root_wait);
	if (s->log)
		page_add(page, " log=%s", logs[s->log]);
	if (s->keep)
		page_add(page, " keep=yes");
	if (s->no_fallback)
		page_add(page, " fallback=no");
	if (page->len)
		memmove(page->p, page->p + 1, page->len--);
}

void model_problems(const struct settings *s, struct page *page)
{
	page_clear(page);
	for (unsigned i = 0; i < s->problems && i < PROBLEMS_MAX; i++) {
		const struct problem *p = &s->problem[i];

		page_add(page, "%s", i ? "; " : "");
		if (p->at.line)
			page_add(page, "%u:%u", p->at.line, p->at.column);
		else
			page_add(page, "byte %u", p->at.column);
		if (p->text.len)
			page_add(page, " %.*s", (int)p->text.len, p->text.p);
	}
}

void model_verdicts(const struct machine *m, struct page *page)
{
	const struct selector *sel = NULL;
	const struct device *d;

	page_clear(page);
	for_each_device(m, d) {
		if (d->decided.verdict == VERDICT_NONE)
			continue;
		page_add(page, "; %s %s", strncmp(d->name, "0000:", 5) ? d->name : d->name + 5,
			 verdict_name(d->decided.verdict));
		if (d->decided.reason)
			page_add(page, " %s", reason_name(d->decided.reason));
	}
	while ((sel = next_absent(m, sel)))
		page_add(page, "; absent %.*s", (int)sel->text.len, sel->text.p);
	if (page->len)
		memmove(page->p, page->p + 2, (page->len -= 2) + 1);
}

/* A listener that writes to a page. */
struct writer {
	struct listener listener;
	struct page *page;
};

static void write_line(const struct listener *l, unsigned level, const char *text)
{
	const struct writer *w = (const struct writer *)l;

	page_add(w->page, "%u %s\n", level, text);
}

void model_lines(const struct machine *m, struct page *page)
{
	struct writer w = { { write_line }, page };

	page_clear(page);
	say_verdicts(m, false, &w.listener);
}

void model_warnings(const struct machine *m, struct page *page)
{
	struct writer w = { { write_line }, page };

	page_clear(page);
	say_problems(m, &w.listener);
	say_notes(m, &w.listener);
	say_warnings(m, &w.listener);
}
