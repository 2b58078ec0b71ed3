// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>
#include <unistd.h>

#include "firmware.h"
#include "format.h"
#include "inventory.h"
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
	context_like(v->next, v->now);
	if (!request_read(v->now, PHASE_NOW) || !request_read(v->next, PHASE_NEXT_BOOT))
		return false;
	dependencies_find(&v->deps, v->now);
	/* libkmod takes paths, not descriptors. */
	if (!fchdir(v->now->root.fd))
		v->kmod = kmod_new(text_set(&path, "lib/modules/%s",
					    kernel_release(&t, v->now->root.fd, v->now->argument[ARGUMENT_RELEASE])),
				   no_config);
	return true;
}

void inventory_close(struct inventory *v)
{
	dependencies_free(&v->deps);
	kmod_unref(v->kmod);
}

const struct device *at_next_boot(const struct inventory *v, const struct device *d)
{
	return machine_find(&v->next->machine, d->address);
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

void each_module(const struct inventory *v, const struct device *d, void (*each)(void *data, const char *module),
		 void *data)
{
	struct kmod_list *list = NULL, *at;
	struct text alias;

	attribute(v, &alias, d, "modalias");
	/* libkmod 28 (bullseye) returns the number of modules found, later ones return 0. */
	if (!v->kmod || kmod_module_new_from_lookup(v->kmod, alias.p, &list) < 0)
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
