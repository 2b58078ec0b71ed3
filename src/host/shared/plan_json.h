/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan_json: the plan for programs (doc/interface.md, "The plan, for people and for programs"). Host program only. */
#ifndef VFIO_BOOT_PLAN_JSON_H
#define VFIO_BOOT_PLAN_JSON_H

#include "pipeline.h"

/* A text of ours or of the settings as a string, NULL as null; what is no ASCII becomes a question mark. */
struct json_object *json_text(const char *s) __attribute__((warn_unused_result));

/* Adds json_text() of a value to an object. */
void json_add(struct json_object *o, const char *key, const char *value) __attribute__((nonnull(1, 2)));

/* The problems of the settings, as `errors` has them. */
struct json_object *json_errors(const struct settings *s) __attribute__((nonnull, warn_unused_result));

/* Prints the object on standard output as one line, and puts it. True where that failed, which was said then. */
int json_print(struct json_object *o) __attribute__((nonnull, warn_unused_result));

/* A device of a context that was decided, as the plan has it. */
struct json_object *json_device(const struct context *ctx, const struct device *d)
	__attribute__((nonnull, warn_unused_result));

/* The plan of a context that was decided, as one object, which the caller has to put. */
struct json_object *json_plan(const struct context *ctx) __attribute__((nonnull, warn_unused_result));

/* Decides and prints the plan as one JSON object on standard output; returns the exit status. */
int print_json(struct context *ctx) __attribute__((nonnull, warn_unused_result));

#endif
