// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <string.h>

#include "format.h"
#include "guarded_path.h"
#include "scan.h"

/* Returns the function above d that is next to the root bus of its domain. */
static const struct device *topmost(const struct device *d)
{
	while (d->parent && PCIADDR_DOMAIN(d->parent->address) == PCIADDR_DOMAIN(d->address))
		d = d->parent;
	return d;
}

static void add_hops(struct text *t, const struct device *d, const struct device *top)
{
	if (d == top) {
		text_add(t, "%s", d->name);
		return;
	}
	add_hops(t, d->parent, top);
	/* only DD.F of DDDD:BB:DD.F */
	text_add(t, "/%s", strrchr(d->name, ':') + 1);
}

const char *guarded_path(struct context *ctx, struct text *t, const struct device *d)
{
	/* It stays open: there may be a path for every device. */
	static int pci = -1;
	struct selector sel;

	if (pci < 0)
		pci = openat(ctx->root.fd, "sys/bus/pci/devices", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	t->len = 0;
	add_hops(t, d, topmost(d));
	/* Resolve the path as a reader of the settings does. */
	if (selector_parse(&sel, t->p, t->len))
		sel.target = PCIADDR_NONE;
	else
		find_path(&ctx->machine, pci, &sel);
	if (sel.target != d->address)
		text_set(t, "%s", d->name);
	text_add(t, "@%04x:%04x", d->found.ids.vendor, d->found.ids.device);
	return t->p;
}
