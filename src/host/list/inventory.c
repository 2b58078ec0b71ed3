// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "firmware.h"
#include "format.h"
#include "inventory.h"
#include "listener.h"
#include "log.h"
#include "next_boot.h"
#include "pci_names.h"
#include "plan.h"
#include "selector.h"
#include "sysfs.h"

bool inventory_open(struct inventory *v, struct request *r)
{
	/* Leave out the configuration of modprobe: only the aliases in the kernel's modules tell what fits a device. */
	static const char *const no_config[] = { NULL };
	static struct context next;
	struct text t, path;

	memset(v, 0, sizeof(*v));
	v->now = r->ctx;
	v->next = &next;
	if (!request_read(v->now, PHASE_NOW) || !availability_next(v->can, v->next, v->now, &v->deps))
		return false;
	attachments_find(&v->attached, &v->now->machine, v->now->root.fd);
	/* libkmod takes paths, not descriptors. */
	if (!fchdir(v->now->root.fd))
		v->kmod = kmod_new(text_set(&path, "lib/modules/%s",
					    kernel_release(&t, v->now->root.fd, v->now->argument[ARGUMENT_RELEASE])),
				   no_config);
	/* Otherwise each look-up opens the indexes anew. */
	if (v->kmod && asked(r, OPTION_JSON | OPTION_VERBOSE))
		kmod_load_resources(v->kmod);
	return true;
}

void inventory_close(struct inventory *v)
{
	availability_free(v->can);
	attachments_free(&v->attached);
	dependencies_free(&v->deps);
	kmod_unref(v->kmod);
}

const struct device *at_next_boot(const struct inventory *v, const struct device *d)
{
	return machine_find(&v->next->machine, d->address);
}

const struct availability *availability_of(const struct inventory *v, const struct device *d)
{
	return availability_at(v->can, v->next, d);
}

const char *pf_of(const struct inventory *v, struct text *t, const struct device *d)
{
	const struct device *next = at_next_boot(v, d);

	/* The next boot begins without virtual functions. */
	return next && !next->found.later ? text_set(t, "%s", "") : physical_function(v->now->root.fd, t, d);
}

bool is_platform(const struct inventory *v, const struct device *d)
{
	return plan_reserved(&v->now->machine, d, RESERVED_PLATFORM) == RESERVED_PLATFORM;
}

static void add_attached(FILE *to, const struct inventory *v, const struct device *d, const char *before)
{
	const struct attached *i;

	for_each_attached(&v->attached, i) {
		if (i->device != d)
			continue;
		fputs(before, to);
		attached_print(to, i);
		before = "; ";
	}
}

char *attached_of(const struct inventory *v, const struct device *d)
{
	char *text;
	size_t size;
	FILE *to = open_text(&text, &size);

	add_attached(to, v, d, "");
	fclose(to);
	return text;
}

/* Returns true if the word is in what d is called, or in what hangs on it. */
static bool is_called(const struct inventory *v, const struct device *d, const char *word)
{
	char class[NAME_SIZE], name[NAME_SIZE], *text;
	size_t size;
	FILE *to = open_text(&text, &size);
	bool found;

	fprintf(to, "%s %s: %s [%04x:%04x] %s", d->name, class_name(class, d), device_name(name, d),
		d->found.ids.vendor, d->found.ids.device, d->found.driver ? d->found.driver : "");
	add_attached(to, v, d, "; ");
	fclose(to);
	found = strcasestr(text, word);
	free(text);
	return found;
}

/* Chooses the devices that are called so. Returns 0, or 1 after a message: `wrong` says why the word is no selector. */
static int choose_called(const struct inventory *v, const char *word, const char *wrong, bool matched[DEVICES_MAX])
{
	const struct machine *m = &v->now->machine;
	const struct device *d;
	bool found = false;

	for_each_device(m, d) {
		matched[d - m->device] = is_called(v, d, word);
		found |= matched[d - m->device];
	}
	if (!found)
		say(&complaints, LEVEL_REFUSED, "%s: no device is called so, and it is no selector: %s", word, wrong);
	return !found;
}

int choose_by_words(const struct inventory *v, char *const *word, bool chosen[DEVICES_MAX])
{
	static bool matched[DEVICES_MAX];
	int status = 0;

	memset(chosen, 0, DEVICES_MAX * sizeof(*chosen));
	for (; *word; word++) {
		char *const one[] = { *word, NULL };
		struct selector sel;
		const char *wrong = selector_parse(&sel, *word, strlen(*word));
		bool is_text = wrong && **word && !(sel.flags & SELECTOR_EXCLUDES);
		int ret = is_text ? choose_called(v, *word, wrong, matched) : choose(v->now, one, matched);

		for (unsigned i = 0; i < DEVICES_MAX; i++)
			chosen[i] |= matched[i];
		if (ret > status)
			status = ret;
	}
	return status;
}

const char *attribute(const struct inventory *v, struct text *t, const struct device *d, const char *name)
{
	struct text text;

	read_attribute(&text, v->now->root.fd, device_path(&text, d->name, name));
	return text_set(t, "%s", text.p);
}

static bool is_named_before(const struct kmod_list *list, const struct kmod_list *end, const char *name)
{
	const struct kmod_list *at;

	kmod_list_foreach(at, list)
	{
		struct kmod_module *module;
		bool same;

		if (at == end)
			break;
		module = kmod_module_get_module(at);
		same = !strcmp(kmod_module_get_name(module), name);
		kmod_module_unref(module);
		if (same)
			return true;
	}
	return false;
}

void each_module(const struct inventory *v, const char *modalias, void (*each)(void *data, const char *module),
		 void *data)
{
	struct kmod_list *list = NULL, *at;

	/* libkmod 28 (bullseye) returns the number of modules found, later ones return 0. */
	if (!v->kmod || kmod_module_new_from_lookup(v->kmod, modalias, &list) < 0)
		return;
	kmod_list_foreach(at, list)
	{
		struct kmod_module *module = kmod_module_get_module(at);

		/* Several aliases of a module may match. */
		if (!is_named_before(list, at, kmod_module_get_name(module)))
			each(data, kmod_module_get_name(module));
		kmod_module_unref(module);
	}
	kmod_module_unref_list(list);
}
