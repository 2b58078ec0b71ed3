// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"
#include "sysfs.h"
#include "voice.h"

static const char folder[] = "run/vfio-boot", file[] = "run/vfio-boot/report", beside[] = "run/vfio-boot/report.new";

static void set_device_row(struct text *t, const struct machine *m, const struct device *d)
{
	struct span selector = d->selector ? d->selector->text : (struct span){ "-", 1 };
	unsigned before;

	text_set(t, "%s\t%04x:%04x\t", d->name, d->ids.vendor, d->ids.device);
	if (has_group(d))
		text_add(t, "%u", d->group->number);
	else
		text_add(t, "-");
	text_add(t, "\t%s\t%s\t%s\t%.*s\t", d->verdict == VERDICT_CLAIM ? "claimed" : verdict_name(d->verdict),
		 reason_name(d->reason), is_claimed(d) ? d->target : "-", (int)selector.len, selector.p);
	before = t->len;
	add_message(t, m, d);
	if (t->len == before)
		text_add(t, "-");
}

/* A line of the report of an earlier run. */
static void merge_row(struct machine *m, const char *row)
{
	const char *tab = strchr(row, '\t');
	struct device *d = machine_find(m, pciaddr_from_name(row, tab ? (unsigned)(tab - row) : 0));
	struct text t;

	if (!d || d->verdict == VERDICT_NONE)
		return;
	/* "already" is not what happened in this boot: what an earlier run claimed counts as claimed. */
	if (d->verdict == VERDICT_ALREADY)
		d->verdict = VERDICT_CLAIM;
	set_device_row(&t, m, d);
	if (!strcmp(t.p, row))
		d->facts |= DEVICE_SAID;
	else if (d->verdict == VERDICT_CLAIM && d->driver == d->target)
		d->verdict = VERDICT_ALREADY;
}

void report_merge(struct machine *m, int root)
{
	const char *row;
	struct lines l;

	if (!lines_open(&l, root, file))
		return;
	while ((row = lines_next(&l)))
		merge_row(m, row);
	lines_close(&l);
}

int report_write(const struct machine *m, int root)
{
	const struct selector *sel = NULL;
	const struct device *d;
	struct output out;
	struct text t;
	int ret;

	/* They are often there already; where they cannot be made, the file cannot be opened. */
	mkdirat(root, "run", 0755);
	mkdirat(root, folder, 0755);
	output_init(&out, openat(root, beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
	if (out.fd < 0)
		return errno;
	out.listener.say(&out.listener, LEVEL_DONE, "vfio-boot-report 1");
	for_each_device(m, d) {
		if (d->verdict == VERDICT_NONE)
			continue;
		set_device_row(&t, m, d);
		out.listener.say(&out.listener, LEVEL_DONE, t.p);
	}
	while ((sel = next_absent(m, sel))) {
		text_set(&t, "-\t-\t-\tabsent\t-\t-\t%.*s\t", (int)sel->text.len, sel->text.p);
		add_absent(&t, m, sel);
		out.listener.say(&out.listener, LEVEL_DONE, t.p);
	}
	ret = output_flush(&out);
	close(out.fd);
	if (!ret && renameat(root, beside, root, file))
		ret = errno;
	return ret;
}
