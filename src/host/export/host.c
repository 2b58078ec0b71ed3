// SPDX-License-Identifier: GPL-2.0-or-later
/* The formats of vfio-boot export that describe the host: what `status --json` says, for Prometheus and Kubernetes. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "export.h"
#include "listener.h"
#include "log.h"
#include "message.h"
#include "status.h"

/* NFD gives every label that has none of its own this prefix, and its newer releases want it to be written. */
#define NFD_LABEL "feature.node.kubernetes.io/vfio-boot."

static struct json_object *member(struct json_object *o, const char *key)
{
	return json_object_object_get(o, key);
}

/* Returns a member as a text, which is empty for null. */
static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *value = member(o, key);

	return value ? json_object_get_string(value) : "";
}

static int number_of(struct json_object *o, const char *key)
{
	return json_object_get_int(member(o, key));
}

/* Notes the text in a set, the keys of an object. Returns false if it was there. */
static bool is_new(struct json_object *set, const char *text)
{
	if (json_object_object_get_ex(set, text, NULL))
		return false;
	json_object_object_add(set, text, NULL);
	return true;
}

static void print_head(const char *name, const char *help)
{
	printf("# HELP vfio_boot_%s %s\n# TYPE vfio_boot_%s gauge\n", name, help, name);
}

static void print_gauge(const char *name, const char *help, int value)
{
	print_head(name, help);
	printf("vfio_boot_%s %d\n", name, value);
}

/* JSON texts are printable ASCII (json_text()), so these two are all that Prometheus wants escaped. */
static void print_label(const char *before, const char *name, const char *value)
{
	printf("%s%s=\"", before, name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			putchar('\\');
		putchar(*value);
	}
	putchar('"');
}

/* A label, and the member of the object that has its value. */
struct label {
	const char *name, *key;
};

/*
 * Prints a line for each object of a list, with labels up to one without a name. The first label tells them apart: the
 * reader drops a whole file that has the same series twice. The value is the member `value`, or 1.
 */
static void print_series(const char *name, struct json_object *list, const struct label *labels, const char *value)
{
	struct json_object *seen = json_object_new_object();

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (!is_new(seen, text_of(o, labels[0].key)))
			continue;
		printf("vfio_boot_%s", name);
		for (const struct label *l = labels; l->name; l++)
			print_label(l == labels ? "{" : ",", l->name, text_of(o, l->key));
		printf("} %d\n", value ? number_of(o, value) : 1);
	}
	json_object_put(seen);
}

static void print_verdicts(struct json_object *counts)
{
	print_head("devices", "Devices of the report by the verdict of this boot.");
	for (enum verdict v = VERDICT_CLAIM; v < VERDICTS; v++)
		printf("vfio_boot_devices{verdict=\"%s\"} %d\n", outcome_name(v), number_of(counts, outcome_name(v)));
}

static void print_info(struct json_object *boot)
{
	print_head("info", "Always 1. The program and the boot.");
	print_label("vfio_boot_info{", "version", VERSION);
	print_label(",", "kernel", text_of(boot, "kernel"));
	print_label(",", "boot_id", text_of(boot, "id"));
	printf("} 1\n");
}

static void print_prometheus(struct json_object *status)
{
	static const struct label of_device[] = { { "address", "address" },   { "id", "id" },
						  { "group", "group" },	      { "driver", "now" },
						  { "verdict", "verdict" },   { "reason", "reason" },
						  { "selector", "selector" }, { 0 } },
				  of_fault[] = { { "address", "address" }, { "id", "id" }, { 0 } },
				  of_selector[] = { { "selector", "selector" }, { "optional", "optional" }, { 0 } };
	struct json_object *counts = member(status, "counts"), *devices = member(status, "devices");
	int exit_status = number_of(status, "exit_status");

	print_info(member(status, "boot"));
	print_gauge("ok", "Whether vfio-boot status finds no fault.", !exit_status);
	print_gauge("exit_status", "The exit status of vfio-boot status.", exit_status);
	print_gauge("report_present", "Whether this boot has a report.", number_of(status, "report"));
	print_gauge("settings_errors", "Errors in the settings.",
		    (int)json_object_array_length(member(status, "errors")));
	print_verdicts(counts);
	print_gauge("claimed_groups", "IOMMU groups of the devices that are claimed.", number_of(counts, "groups"));
	print_gauge("drifted_devices", "Devices that were claimed and are not as they were.",
		    number_of(counts, "drifted"));
	print_head("device_info", "Always 1. A device of the report, with the driver that holds it now.");
	print_series("device_info", devices, of_device, NULL);
	print_head("device_fault", "Whether the device is refused, failed, pending, or has drifted.");
	print_series("device_fault", devices, of_fault, "fault");
	print_head("selector_absent", "Always 1. A selector of the settings that matches no device.");
	print_series("selector_absent", member(status, "absent"), of_selector, NULL);
}

/* Returns true if a guest can have the device. */
static bool is_there(struct json_object *o)
{
	const char *verdict = text_of(o, "verdict");

	return !member(o, "drift") &&
	       (!strcmp(verdict, outcome_name(VERDICT_CLAIM)) || !strcmp(verdict, outcome_name(VERDICT_ALREADY)));
}

static void print_nfd(struct json_object *status)
{
	struct json_object *devices = member(status, "devices"), *ids = json_object_new_object();

	for (size_t i = 0; i < json_object_array_length(devices); i++) {
		struct json_object *o = json_object_array_get_idx(devices, i);
		const char *id = text_of(o, "id");

		if (is_there(o))
			json_object_object_add(ids, id, json_object_new_int(number_of(ids, id) + 1));
	}
	printf(NFD_LABEL "ready=%s\n",
	       !number_of(status, "exit_status") && json_object_object_length(ids) ? "true" : "false");
	json_object_object_foreach(ids, id, count)
	{
		printf(NFD_LABEL "%.4s_%s.count=%d\n", id, id + strlen("VVVV:"), json_object_get_int(count));
	}
	json_object_put(ids);
}

const struct host_format host_formats[] = {
	{ "prometheus", "metrics of this host, for the textfile collector", print_prometheus },
	{ "nfd", "labels of this node, for Node Feature Discovery", print_nfd },
	{ 0 },
};

int export_host(struct request *r, const struct host_format *f)
{
	struct json_object *status;
	int ignored;

	if (r->words > 1 || r->options) {
		say(&complaints, LEVEL_FAILED, "export: %s tells of the whole host: it takes no DEVICE and no option",
		    f->name);
		return STATUS_WRONG;
	}
	status = status_json(r->ctx, &ignored);
	f->print(status);
	json_object_put(status);
	return cannot_print() ? STATUS_FAILED : 0;
}
