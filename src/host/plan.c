// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot plan: what the claim program would do, and whether image and protect file are such that it will. */
#include <json-c/json.h>

#include "log.h"
#include "plan.h"
#include "plan_faults.h"
#include "plan_json.h"
#include "request.h"

/* Standard output is that of the claim program. */
static int print_as_text(const struct request *r, bool *fault)
{
	int status = print_plan(r->ctx);

	*fault = say_plan_faults(r, &complaints);
	return status;
}

static int print_as_json(const struct request *r, bool *fault)
{
	int status = decide(r->ctx, &complaints) ? plan_status(&r->ctx->machine) : STATUS_FAILED;
	struct json_object *o = json_plan(r->ctx);
	struct json_listener warnings = json_listener(json_object_object_get(o, "warnings"));

	*fault = say_plan_faults(r, &warnings.listener);
	return json_print(o) ? STATUS_FAILED : status;
}

int verb_plan(struct request *r)
{
	bool fault;
	int status;

	r->ctx->phase = asked(r, OPTION_NOW) ? PHASE_NOW : PHASE_NEXT_BOOT;
	status = asked(r, OPTION_JSON) ? print_as_json(r, &fault) : print_as_text(r, &fault);
	return status ? status : fault;
}
