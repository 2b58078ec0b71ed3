// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-boot import: finds other configuration that gives devices to vfio-pci, and prints settings that mean the same.
 */
#include "listener.h"
#include "log.h"
#include "request.h"
#include "sources.h"

int verb_import(struct request *r)
{
	struct result f = { 0 };
	int status;

	if (!request_read(r->ctx, PHASE_NOW))
		return STATUS_FAILED;
	if (r->words)
		sources_read(&f, r->ctx, r->word);
	else
		sources_read_all(&f, r->ctx);
	result_settle(&f);
	if (!f.settings)
		say(&complaints, LEVEL_DONE, "nothing found that gives devices to vfio-pci");
	status = asked(r, OPTION_JSON) ? result_print_json(&f) : result_print(&f);
	status = status || f.failed ? STATUS_FAILED : f.untold;
	result_free(&f);
	return status;
}
