// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-boot import: finds other configuration that gives devices to vfio-pci, and prints settings that mean the same.
 * --apply adds them, by `add`.
 */
#include <stdlib.h>

#include "listener.h"
#include "log.h"
#include "request.h"
#include "sources.h"

/* The options of `add` that come with --apply. */
static const unsigned options_of_add = OPTION_FORCE | OPTION_NO_REBUILD | OPTION_NEWEST;

/* Adds the settings as they were printed. Returns the exit status of `add`. */
static int apply(const struct request *r, const struct result *f)
{
	static struct context ctx;
	struct request add = { .ctx = &ctx,
			       .verb = "add",
			       .options = OPTION_AS_WRITTEN | (r->options & options_of_add) };
	int status;

	if (f->failed) {
		say(&complaints, LEVEL_FAILED, "nothing was changed");
		return STATUS_FAILED;
	}
	if (!f->settings)
		return 0;
	add.word = calloc(f->settings + 1, sizeof(*add.word));
	if (!add.word)
		abort();
	for (; add.words < f->settings; add.words++)
		add.word[add.words] = f->setting[add.words].selector;
	context_like(&ctx, r->ctx);
	status = verb_add(&add);
	free(add.word);
	return status;
}

int verb_import(struct request *r)
{
	struct result f = { 0 };
	int status, applied = 0;

	if (asked(r, options_of_add) && !asked(r, OPTION_APPLY)) {
		say(&complaints, LEVEL_FAILED, "import: --force, --newest and --no-rebuild are for --apply");
		return STATUS_WRONG;
	}
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
	if (asked(r, OPTION_APPLY))
		applied = apply(r, &f);
	result_free(&f);
	return applied > status ? applied : status;
}
