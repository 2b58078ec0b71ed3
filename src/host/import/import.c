// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot import: what else was told to give devices to vfio-pci, and the settings that mean the same. */
#include "listener.h"
#include "log.h"
#include "request.h"
#include "sources.h"

int verb_import(struct request *r)
{
	struct found f = { 0 };
	int status;

	if (!request_read(r->job, PHASE_NOW))
		return STATUS_FAILED;
	if (r->words)
		oldways_read(&f, r->job, r->word);
	else
		oldways_read_all(&f, r->job);
	found_settle(&f);
	if (!f.settings)
		say(&complaints, LEVEL_DONE, "nothing found that gives devices to vfio-pci");
	status = asked(r, OPTION_JSON) ? found_print_json(&f) : found_print(&f);
	status = status || f.failed ? STATUS_FAILED : f.untold;
	found_free(&f);
	return status;
}
