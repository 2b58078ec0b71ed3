// SPDX-License-Identifier: GPL-2.0-or-later
/* The list as a table, by libsmartcols, which lays out those of lsblk and findmnt. */
#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "format.h"
#include "guarded_path.h"
#include "listener.h"
#include "listing.h"
#include "log.h"
#include "pci_names.h"
#include "terminal.h"

static void print_address(FILE *to, const struct listing *l, const struct device *d)
{
	fputs(bus_index(l, d), to);
}

static void print_group_number(FILE *to, const struct listing *l, const struct device *d)
{
	(void)l;
	if (d->group)
		fprintf(to, "%u", d->group->number);
}

static void print_driver(FILE *to, const struct listing *l, const struct device *d)
{
	(void)l;
	if (d->found.driver)
		fputs(d->found.driver, to);
}

static void print_id(FILE *to, const struct listing *l, const struct device *d)
{
	(void)l;
	fprintf(to, "%04x:%04x", d->found.ids.vendor, d->found.ids.device);
}

static void print_subsystem(FILE *to, const struct listing *l, const struct device *d)
{
	(void)l;
	if (d->found.ids.subvendor)
		fprintf(to, "%04x:%04x", d->found.ids.subvendor, d->found.ids.subdevice);
}

static void print_class(FILE *to, const struct listing *l, const struct device *d)
{
	char name[NAME_SIZE];

	(void)l;
	fputs(class_name(name, d), to);
}

static void print_name(FILE *to, const struct listing *l, const struct device *d)
{
	char name[NAME_SIZE];

	(void)l;
	fputs(device_name(name, d), to);
}

static void print_have(FILE *to, const struct listing *l, const struct device *d)
{
	const struct availability *can = availability_of(&l->v, d);

	if (d->group && is_ready(d->group) && !is_bridge(d))
		fputs("ready", to);
	else if (can)
		fputs(available_name(can->state), to);
}

/*
 * Lines are cut to the terminal, and those of --flat also without one. A program that asks for columns, and whoever
 * wants --all, gets all of them.
 */
static bool is_cut(const struct listing *l)
{
	return !asked(l->r, OPTION_ALL) && (!asked(l->r, OPTION_OUTPUT) || isatty(STDOUT_FILENO));
}

/* Returns true for the columns of --flat, with or without some more, where they are laid out for people. */
static bool is_flat(const struct listing *l)
{
	return is_cut(l) && (!l->r->columns || *l->r->columns == '+');
}

static void print_has(FILE *to, const struct listing *l, const struct device *d)
{
	char *text = attached_of(&l->v, d);

	/* The others would have no room beside six USB devices. */
	if (is_flat(l))
		text[fitting(text, l->columns / 4)] = '\0';
	fputs(text, to);
	free(text);
}

static void print_marks(FILE *to, const struct listing *l, const struct device *d)
{
	char *text = marks_of(l, d);

	fputs(text, to);
	free(text);
}

static void print_selector(FILE *to, const struct listing *l, const struct device *d)
{
	struct text t;

	fputs(guarded_path(l->v.now, &t, d), to);
}

static void print_numa(FILE *to, const struct listing *l, const struct device *d)
{
	struct text t;

	/* NUMA node -1 means that there is none. */
	if (*attribute(&l->v, &t, d, "numa_node") != '-')
		fputs(t.p, to);
}

static void print_reset(FILE *to, const struct listing *l, const struct device *d)
{
	struct text t;

	fputs(attribute(&l->v, &t, d, "reset_method"), to);
}

static void print_modalias(FILE *to, const struct listing *l, const struct device *d)
{
	struct text t;

	fputs(attribute(&l->v, &t, d, "modalias"), to);
}

static const struct {
	const char *name;
	void (*print)(FILE *to, const struct listing *l, const struct device *d);
	int flags;
	const char *does;
} columns[] = {
	{ "ADDRESS", print_address, 0, "bus index" },
	{ "GROUP", print_group_number, SCOLS_FL_RIGHT, "IOMMU group" },
	{ "DRIVER", print_driver, SCOLS_FL_TRUNC, "the driver that holds it now" },
	{ "ID", print_id, 0, "vendor and device ID" },
	{ "HAVE", print_have, 0, "ready, claimed (at the next boot), free, free with its group, no" },
	{ "NAME", print_name, SCOLS_FL_TRUNC, "vendor and device" },
	{ "ATTACHED", print_has, SCOLS_FL_TRUNC, "what hangs on it" },
	{ "NOTES", print_marks, SCOLS_FL_TRUNC, "who needs it, who uses it, what the next boot does" },
	{ "CLASS", print_class, SCOLS_FL_TRUNC, "class" },
	{ "SUBSYSTEM", print_subsystem, SCOLS_FL_TRUNC, "vendor and device ID of the card" },
	{ "NUMA", print_numa, SCOLS_FL_RIGHT, "NUMA node" },
	{ "SELECTOR", print_selector, SCOLS_FL_TRUNC, "guarded path, for the settings" },
	{ "RESET", print_reset, SCOLS_FL_TRUNC, "reset methods" },
	{ "MODALIAS", print_modalias, SCOLS_FL_TRUNC, "modalias" },
};

/* How many of them --flat shows; with --all, or in a wide line. */
#define FLAT_COLUMNS 6
#define ALL_COLUMNS  8
#define WIDE	     120

void print_columns(FILE *to)
{
	for (unsigned i = 0; i < ARRAY_SIZE(columns); i++)
		fprintf(to, "  %-10s %s\n", columns[i].name, columns[i].does);
}

static bool add_column(struct table *t, const char *name, size_t len)
{
	for (unsigned i = 0; i < ARRAY_SIZE(columns) && t->columns < TABLE_COLUMNS; i++) {
		if (strlen(columns[i].name) != len || strncasecmp(columns[i].name, name, len) != 0)
			continue;
		t->column[t->columns++] = (unsigned char)i;
		return true;
	}
	if (t->columns == TABLE_COLUMNS) {
		say(&complaints, LEVEL_FAILED, "list: more than %u columns", (unsigned)TABLE_COLUMNS);
		return false;
	}
	say(&complaints, LEVEL_FAILED, "list: %.*s: no such column; there are:", (int)len, name);
	print_columns(stderr);
	return false;
}

bool table_begin(struct table *t, const struct request *r)
{
	const char *name = r->columns;

	t->columns = 0;
	if (!name || *name == '+') {
		bool more = asked(r, OPTION_ALL) || terminal_width() >= WIDE;

		for (; t->columns < (more ? ALL_COLUMNS : FLAT_COLUMNS); t->columns++)
			t->column[t->columns] = (unsigned char)t->columns;
	}
	if (!name)
		return true;
	name += *name == '+';
	for (size_t len;; name += len + 1) {
		len = strcspn(name, ",");
		if (!add_column(t, name, len))
			return false;
		if (!name[len])
			return true;
	}
}

static void fill_line(struct libscols_table *table, const struct listing *l, const struct device *d)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);

	for (unsigned i = 0; i < l->table.columns; i++) {
		char *text;
		size_t size;
		FILE *to = open_text(&text, &size);

		if (!line)
			abort();
		columns[l->table.column[i]].print(to, l, d);
		fclose(to);
		/* The line owns the text. */
		if (scols_line_refer_data(line, i, text))
			abort();
	}
}

static void set_width(struct libscols_table *table, const struct listing *l)
{
	bool cut = is_cut(l);

	scols_table_set_termforce(table, cut ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	if (cut)
		scols_table_set_termwidth(table, l->columns);
	/* No blanks behind the last column. */
	scols_table_enable_minout(table, 1);
}

/* Returns true for what people read or choose by. NAME and NOTES give way to it where there is little room. */
static bool keeps_its_width(const struct listing *l, unsigned column)
{
	return is_flat(l) && l->columns >= 80 &&
	       (columns[column].print == print_driver || columns[column].print == print_has);
}

void print_table(const struct listing *l)
{
	struct libscols_table *table = scols_new_table();
	const struct device *d;

	if (!table)
		abort();
	for (unsigned i = 0; i < l->table.columns; i++) {
		unsigned column = l->table.column[i];
		int flags = columns[column].flags;

		if (keeps_its_width(l, column))
			flags &= ~SCOLS_FL_TRUNC;
		if (!scols_table_new_column(table, columns[column].name, 0, flags))
			abort();
	}
	set_width(table, l);
	for_each_device(&l->v.now->machine, d) {
		if (is_chosen(l, d))
			fill_line(table, l, d);
	}
	scols_print_table(table);
	scols_unref_table(table);
}
