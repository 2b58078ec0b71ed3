// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cmdline.h"
#include "denylist.h"
#include "format.h"
#include "plan.h"
#include "settings.h"
#include "sysfs.h"

/* A directory of modprobe.d. */
struct options {
	struct machine *m;
	int root;
	const char *directory;
};

/*
 * Reads `options vfio-pci NAME=VALUE...`, which has the words and quotes of a kernel command line. A backslash at the
 * end of a line joins the next one to it (getline_wrapped() of kmod).
 */
static void read_options(struct machine *m, struct lines *l)
{
	bool is_ours = false, goes_on = false;
	struct cmdline_word w;
	const char *line, *p, *end;

	while ((line = p = lines_next(l))) {
		end = line + strlen(line);

		if (!goes_on)
			is_ours = cmdline_next(&p, end, &w) && span_is(w.name, "options") &&
				  cmdline_next(&p, end, &w) && parameter_is(w.name, "vfio_pci");
		while (is_ours && cmdline_next(&p, end, &w))
			m->denylist_off |= parameter_is(w.name, "disable_denylist") && cmdline_is_true(&w);
		goes_on = end > line && end[-1] == '\\';
	}
}

static int read_options_file(void *data, const char *file)
{
	const struct options *o = data;
	struct text t;
	struct lines l;

	if (!has_conf_suffix(file) || !lines_open(&l, o->root, text_set(&t, "%s/%s", o->directory, file)))
		return 0;
	read_options(o->m, &l);
	lines_close(&l);
	return 0;
}

/* Returns true if whether a device can be used depends on the list. */
static bool is_needed(const struct machine *m)
{
	const struct device *d;

	for_each_device(m, d) {
		if (d->found.detailed && plan_unusable(m, d) == UNUSABLE_DENYLIST)
			return true;
	}
	return false;
}

void find_denylist(struct machine *m, int root)
{
	/* Those of modprobe, as kmod has them. Most systems have one of the last two. */
	struct options o = { m, root,
			     "etc/modprobe.d\0run/modprobe.d\0usr/local/lib/modprobe.d\0usr/lib/modprobe.d\0"
			     "lib/modprobe.d\0" };
	struct text t;

	if (!is_needed(m))
		return;
	if (m->phase != PHASE_NEXT_BOOT &&
	    read_attribute(&t, root, "sys/module/vfio_pci/parameters/disable_denylist") > 0) {
		m->denylist_off = *t.p == 'Y';
		return;
	}
	m->denylist_off = m->settings->denylist_off;
	for (; *o.directory; o.directory = nth_word(o.directory, 1))
		list_directory(root, o.directory, read_options_file, &o);
}
