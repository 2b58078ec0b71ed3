// SPDX-License-Identifier: GPL-2.0-or-later
#include "plan_faults.h"
#include "image_judge.h"
#include "unprotected.h"

bool say_image_fault(const struct request *r, const struct listener *l)
{
	/* No image has what is only asked about. */
	return !asked(r, OPTION_NOW | OPTION_NO_IMAGE | OPTION_SETTINGS) && say_image(r->ctx, l);
}

bool say_plan_faults(const struct request *r, const struct listener *l)
{
	bool fault = find_unprotected_anew(r->ctx, &r->ctx->machine, l);

	return say_image_fault(r, l) || fault;
}
