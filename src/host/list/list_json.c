// SPDX-License-Identifier: GPL-2.0-or-later
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "guarded_path.h"
#include "image_judge.h"
#include "listing.h"
#include "message.h"
#include "pci_names.h"
#include "plan_json.h"
#include "unprotected.h"

/* Adds a text, or null if it is empty. */
static void add_text(struct json_object *o, const char *key, const char *value)
{
	json_add(o, key, value && *value ? value : NULL);
}

static void add_module(void *data, const char *module)
{
	json_object_array_add(data, json_text(module));
}

static struct json_object *needs_of(const struct listing *l, const struct device *d, bool reserve)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < l->v.deps.needs; i++) {
		const struct need *need = &l->v.deps.need[i];

		if (need->device == d && need->reserve == reserve)
			json_object_array_add(list, json_text(need->why));
	}
	return list;
}

static struct json_object *words_of(const char *text)
{
	struct json_object *list = json_object_new_array();
	struct text word;

	for (; *text; text += strspn(text, " ")) {
		size_t len = strcspn(text, " ");

		if (len)
			json_object_array_add(list, json_text(text_set(&word, "%.*s", (int)len, text)));
		text += len;
	}
	return list;
}

/* What a device is. */
static void add_identity(struct json_object *o, const struct listing *l, const struct device *d, const char *modalias)
{
	struct json_object *modules = json_object_new_array();
	char name[NAME_SIZE];
	struct text t;

	add_text(o, "address", d->name);
	text_set(&t, "%04x:%04x", d->found.ids.vendor, d->found.ids.device);
	add_text(o, "id", t.p);
	text_set(&t, "%04x:%04x", d->found.ids.subvendor, d->found.ids.subdevice);
	add_text(o, "subsystem", d->found.ids.subvendor ? t.p : NULL);
	text_set(&t, "%06x", d->found.class);
	add_text(o, "class", t.p);
	json_object_object_add(o, "class_name", json_object_new_string(class_name(name, d)));
	json_object_object_add(o, "name", json_object_new_string(device_name(name, d)));
	json_object_object_add(o, "group", has_group(d) ? json_object_new_int64(d->group->number) : NULL);
	add_text(o, "driver", d->found.driver);
	add_text(o, "override", d->found.override);
	each_module(&l->v, modalias, add_module, modules);
	json_object_object_add(o, "modules", modules);
	json_object_object_add(o, "boot_display", json_object_new_boolean(d->found.boot_display));
}

/* Adds an attribute of a device as a number, or null if there is no such attribute or it is negative. */
static void add_number(struct json_object *o, const char *key, const struct listing *l, const struct device *d,
		       const char *name)
{
	struct text t;

	attribute(&l->v, &t, d, name);
	json_object_object_add(o, key, t.len && *t.p != '-' ? json_object_new_int(atoi(t.p)) : NULL);
}

/* What the next boot does with a device. */
static void add_decision(struct json_object *o, const struct listing *l, const struct device *d)
{
	const struct device *next = at_next_boot(&l->v, d);
	bool selected = next && next->decided.verdict != VERDICT_NONE;
	const char *verdict = selected ? verdict_name(next->decided.verdict) : NULL;

	add_text(o, "verdict", is_selected_too_early(l, d) ? "absent" : verdict);
	add_text(o, "reason", selected && next->decided.reason ? reason_name(next->decided.reason) : NULL);
}

/* What hangs on a device. */
static struct json_object *attached_json(const struct listing *l, const struct device *d)
{
	struct json_object *list = json_object_new_array();
	const struct attached *i;

	for_each_attached(&l->v.attached, i) {
		struct json_object *o;

		if (i->device != d)
			continue;
		o = json_object_new_object();
		add_text(o, "kind", attached_kind_name(i->kind));
		add_text(o, "name", i->name);
		json_object_object_add(o, "model", i->model ? json_object_new_string(i->model) : NULL);
		json_object_object_add(o, "size", i->size ? json_object_new_int64((int64_t)i->size) : NULL);
		add_text(o, "link", i->link);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *device_json(const struct listing *l, const struct device *d)
{
	struct json_object *o = json_object_new_object();
	const struct device *next;
	struct text t, modalias;

	add_identity(o, l, d, attribute(&l->v, &modalias, d, "modalias"));
	add_text(o, "physical_function", pf_of(&l->v, &t, d));
	add_number(o, "total_vfs", l, d, "sriov_totalvfs");
	add_number(o, "vfs", l, d, "sriov_numvfs");
	json_object_object_add(o, "protected", needs_of(l, d, false));
	json_object_object_add(o, "reserved", needs_of(l, d, true));
	add_text(o, "used_by", d->found.used_by);
	add_text(o, "use", d->found.use ? use_name(d->found.use) : NULL);
	add_text(o, "mounted_on", mounted_on(l, d));
	add_number(o, "numa_node", l, d, "numa_node");
	json_object_object_add(o, "reset_methods", words_of(attribute(&l->v, &t, d, "reset_method")));
	add_text(o, "modalias", modalias.p);
	add_text(o, "selector", guarded_path(l->v.now, &t, d));
	add_decision(o, l, d);
	json_object_object_add(o, "attached", attached_json(l, d));
	next = at_next_boot(&l->v, d);
	json_add_availability(o, availability_of(&l->v, d), next ? next : d);
	return o;
}

bool print_json_list(struct listing *l)
{
	struct json_object *o = json_object_new_object(), *devices = json_object_new_array();
	struct json_object *warnings = json_object_new_array();
	struct json_listener listener;
	const struct device *d;

	json_object_object_add(o, "format", json_object_new_int(1));
	for_each_device(&l->v.now->machine, d) {
		if (is_chosen(l, d))
			json_object_array_add(devices, device_json(l, d));
	}
	json_object_object_add(o, "devices", devices);
	json_object_object_add(o, "errors", json_errors(&l->v.now->settings));
	if (l->v.deps.unknown)
		json_object_array_add(warnings, json_text(l->v.deps.unknown));
	for (unsigned i = 0; i < l->v.deps.notes.count; i++)
		json_object_array_add(warnings, json_text(l->v.deps.notes.string[i]));
	listener = json_listener(warnings);
	say_no_claim(l, &listener.listener);
	l->fault = say_unprotected(&l->v.deps, l->v.now, &l->v.next->machine, &listener.listener) |
		   say_image(l->v.next, &listener.listener);
	json_object_object_add(o, "warnings", warnings);
	return json_print(o);
}
