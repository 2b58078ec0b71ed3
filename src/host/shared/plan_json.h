/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_json: the plan as JSON (doc/interface.md, "The plan, for people and for programs"). Host program only. */
#ifndef VFIO_BOOT_PLAN_JSON_H
#define VFIO_BOOT_PLAN_JSON_H

#include "listener.h"
#include "pipeline.h"

/*
 * Returns a text as a JSON string, or NULL for NULL, which is null in JSON. Characters that are not printable ASCII
 * become question marks. The caller owns the string. Aborts if there is no memory.
 */
struct json_object *json_text(const char *s) __attribute__((warn_unused_result));

/* Adds json_text() of a value to an object, which owns it then. */
void json_add(struct json_object *o, const char *key, const char *value) __attribute__((nonnull(1, 2)));

/* Returns the problems of the settings as the list `errors`. The caller owns it. */
struct json_object *json_errors(const struct settings *s) __attribute__((nonnull, warn_unused_result));

/*
 * Prints an object on standard output as one line, and releases it. Returns nonzero, after a message, if it could not
 * be written.
 */
int json_print(struct json_object *o) __attribute__((nonnull, warn_unused_result));

/* Returns a device of a context that has been decided, as in the plan. The caller owns the object. */
struct json_object *json_device(const struct context *ctx, const struct device *d)
	__attribute__((nonnull, warn_unused_result));

/* Returns the plan of a context that has been decided. The caller owns the object (json_object_put()). */
struct json_object *json_plan(const struct context *ctx) __attribute__((nonnull, warn_unused_result));

/* A listener that adds each line to a list. */
struct json_listener {
	struct listener listener;
	struct json_object *list; /* not owned */
};

struct json_listener json_listener(struct json_object *list) __attribute__((warn_unused_result));

#endif
