// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot plan: what the claim program would do, and whether the protect file that it goes by is still true. */
#include <json-c/json.h>

#include "log.h"
#include "plan.h"
#include "plan_json.h"
#include "request.h"
#include "unprotected.h"

/* Standard output is that of the claim program, which does not know what the host lives on now. */
static int print_as_text(struct context *ctx, bool *unprotected)
{
	int status = print_plan(ctx);

	*unprotected = find_unprotected_anew(ctx, &ctx->machine, &complaints);
	return status;
}

static int print_as_json(struct context *ctx, bool *unprotected)
{
	int status = decide(ctx, &complaints) ? plan_status(&ctx->machine) : STATUS_FAILED;
	struct json_object *o = json_plan(ctx);
	struct json_listener warnings = json_listener(json_object_object_get(o, "warnings"));

	*unprotected = find_unprotected_anew(ctx, &ctx->machine, &warnings.listener);
	return json_print(o) ? STATUS_FAILED : status;
}

int verb_plan(struct request *r)
{
	bool unprotected;
	int status;

	r->ctx->phase = asked(r, OPTION_NOW) ? PHASE_NOW : PHASE_NEXT_BOOT;
	status = asked(r, OPTION_JSON) ? print_as_json(r->ctx, &unprotected) : print_as_text(r->ctx, &unprotected);
	return status ? status : unprotected;
}
