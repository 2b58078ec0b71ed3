// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot export: groups devices into cards, and checks that the format can express them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "format.h"
#include "listener.h"
#include "log.h"
#include "sysfs.h"

/* The buses behind root ports: libvirt puts 8 into each of the 30 slots of q35's root bus that are free. */
#define BUS_MAX 240U

static const struct format *find_format(const char *name)
{
	for (const struct format *f = formats; f->name; f++) {
		if (!strcmp(f->name, name))
			return f;
	}
	return NULL;
}

/* Returns true if all functions of the slot of d are chosen, function 0 among them, and make one card. */
static bool is_whole(const struct machine *m, const struct device *d, const bool chosen[DEVICES_MAX])
{
	const struct device *other;

	for_each_device(m, other) {
		if (PCIADDR_SLOT(other->address) == PCIADDR_SLOT(d->address) && !chosen[other - m->device])
			return false;
	}
	return d->parent && !(d->address & 7);
}

/* Returns true if d is to be in one card with those before it. With `alike`, a part of a card has one ID. */
static bool joins(const struct card *last, const struct device *d, bool alike)
{
	const struct device *first = last->function[0];

	return d->parent && PCIADDR_SLOT(first->address) == PCIADDR_SLOT(d->address) &&
	       (!alike || last->whole || !memcmp(&first->found.ids, &d->found.ids, sizeof(d->found.ids)));
}

/*
 * Groups the chosen functions into cards and returns the number of cards. Functions on a root bus may share a slot
 * number without being one card.
 */
static unsigned make_cards(const struct machine *m, const bool chosen[DEVICES_MAX], struct card *card, bool alike)
{
	struct card *last = NULL, *next = card;
	const struct device *d;

	for_each_device(m, d) {
		if (!chosen[d - m->device])
			continue;
		if (!last || !joins(last, d, alike)) {
			last = next++;
			last->functions = 0;
			last->whole = is_whole(m, d, chosen);
		}
		last->function[last->functions++] = d;
	}
	return (unsigned)(next - card);
}

/* Says what the reader of the format does not accept, or cannot be told. The devices can be printed all the same. */
static void say_misfits(const struct export *e, const struct format *f, const struct device *d)
{
	const struct device *pf = token_owner(e, d);
	bool variant = is_bound_to_vfio(d) && d->found.driver != e->ctx->machine.vfio_pci;

	if (f->flags & FORMAT_VFIO_PCI_ONLY && variant)
		say(&complaints, LEVEL_REFUSED, "%s is bound to %s: %s takes only devices that are bound to vfio-pci",
		    d->name, d->found.driver, f->name);
	/* DeviceDriverOverride() of Incus. It binds the driver that was there before again at the stop of the guest. */
	if (f->flags & FORMAT_REBINDS && variant)
		say(&complaints, LEVEL_DONE, "%s is bound to %s: %s binds it to vfio-pci while the guest runs", d->name,
		    d->found.driver, f->name);
	if (pf && !(f->flags & FORMAT_VF_TOKENS))
		say(&complaints, LEVEL_REFUSED, "%s needs the VF token of %s, which %s cannot express (qemu can)",
		    d->name, pf->name, f->name);
}

/* Says so if there are not enough buses for the cards that need one. Returns true if there are. */
static bool has_buses(const struct export *e)
{
	const struct card *c;
	unsigned n = 0;

	for_each_card(e, c)
		n += c->functions > 1;
	if (!e->bus || e->bus + n <= BUS_MAX + 1)
		return true;
	say(&complaints, LEVEL_REFUSED, "from bus 0x%02x on there is no room for %u cards: a guest has 0x%02x buses",
	    e->bus, n, BUS_MAX);
	return false;
}

/* Says what the format cannot express. Returns false if the devices cannot be printed. */
static bool can_be_written(const struct export *e, const struct format *f)
{
	const struct machine *m = &e->ctx->machine;
	const struct device *d;
	bool good = true;

	for_each_device(m, d) {
		if (!e->chosen[d - m->device])
			continue;
		if (!(f->flags & FORMAT_LONG_DOMAINS) && PCIADDR_DOMAIN(d->address) > 0xffff) {
			say(&complaints, LEVEL_REFUSED,
			    "%s: %s cannot express a domain above ffff (qemu, kubevirt and udev can)", d->name,
			    f->name);
			good = false;
		}
		say_misfits(e, f, d);
	}
	if (f->cards_max && e->cards > f->cards_max) {
		say(&complaints, LEVEL_REFUSED, "%u cards are more than %u, %s (choose some of them)", e->cards,
		    f->cards_max, f->limit);
		good = false;
	}
	return good && has_buses(e);
}

/*
 * Returns true if the words have to be those of --iommufd: it was asked for, or this kernel has no VFIO groups
 * (vfio_group_init() makes the class vfio, vfio_init() the other one).
 */
static bool needs_iommufd(const struct request *r, const struct format *f)
{
	int root = r->ctx->root.fd;

	if (asked(r, OPTION_IOMMUFD) || !(f->flags & FORMAT_IOMMUFD))
		return asked(r, OPTION_IOMMUFD);
	if (exists(root, "sys/class/vfio") || !exists(root, "sys/class/vfio-dev"))
		return false;
	say(&complaints, LEVEL_DONE, "this kernel has no VFIO groups: printed as with --iommufd");
	return true;
}

static int print_chosen(struct request *r, const struct format *f, const bool chosen[DEVICES_MAX], unsigned bus)
{
	struct context *ctx = r->ctx;
	struct card *card = calloc(DEVICES_MAX, sizeof(*card));
	struct export e = { ctx, chosen, card, 0, needs_iommufd(r, f), bus };
	bool usable, force = asked(r, OPTION_FORCE);
	int status = 1;

	if (!card)
		abort();
	e.cards = make_cards(&ctx->machine, chosen, card, f->flags & FORMAT_ONE_ID);
	usable = all_usable(ctx, chosen, force);
	if (can_be_written(&e, f) && (usable || force)) {
		if (!usable)
			say(&complaints, LEVEL_REFUSED, "--force: printed anyway, but no guest can use it like this");
		f->print(&e);
		status = cannot_print() ? STATUS_FAILED : 0;
	}
	free(card);
	return status;
}

/* Checks the options beside the format. Stores the bus of --bus. Returns 0, or an exit status after a message. */
static int check_options(const struct request *r, const struct format *f, unsigned *bus)
{
	unsigned long n;
	char *end;

	if (asked(r, OPTION_IOMMUFD) && !(f->flags & FORMAT_IOMMUFD)) {
		say(&complaints, LEVEL_FAILED, "export: --iommufd: %s has no word for it (qemu, libvirt and udev have)",
		    f->name);
		return STATUS_WRONG;
	}
	if (!asked(r, OPTION_BUS))
		return 0;
	if (!(f->flags & FORMAT_BUS)) {
		say(&complaints, LEVEL_FAILED, "export: --bus: %s needs none (only libvirt does)", f->name);
		return STATUS_WRONG;
	}
	n = strtoul(r->bus, &end, 0);
	if (!isdigit((unsigned char)*r->bus) || *end || !n || n > BUS_MAX) {
		say(&complaints, LEVEL_FAILED, "export: --bus: %s: not a number from 1 to %u (0x%02x)", r->bus, BUS_MAX,
		    BUS_MAX);
		return STATUS_WRONG;
	}
	*bus = (unsigned)n;
	return 0;
}

int verb_export(struct request *r)
{
	static bool chosen[DEVICES_MAX];
	const struct format *f = find_format(r->word[0]);
	struct context *ctx = r->ctx;
	const struct device *d;
	bool any = false;
	unsigned bus = 0;
	int status;

	for (const struct host_format *h = host_formats; h->name; h++) {
		if (!strcmp(h->name, r->word[0]))
			return export_host(r, h);
	}
	if (!f) {
		say(&complaints, LEVEL_FAILED, "export: %s: no such format; there are:", r->word[0]);
		print_formats(stderr);
		return STATUS_WRONG;
	}
	status = check_options(r, f, &bus);
	if (status)
		return status;
	if (!request_read(ctx, PHASE_NOW))
		return STATUS_FAILED;
	status = choose(ctx, r->word + 1, chosen);
	if (status)
		return status;
	for_each_device(&ctx->machine, d) {
		if (r->words == 1)
			chosen[d - ctx->machine.device] = is_bound_to_vfio(d);
		any |= chosen[d - ctx->machine.device];
	}
	if (!any) {
		say(&complaints, LEVEL_REFUSED,
		    "no device is bound to a vfio driver (see vfio-boot list, then vfio-boot add or vfio-boot claim)");
		return 1;
	}
	return print_chosen(r, f, chosen, bus);
}
