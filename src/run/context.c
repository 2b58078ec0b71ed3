// SPDX-License-Identifier: GPL-2.0-or-later
#include <sys/mman.h>
#include <unistd.h>

#include "context.h"
#include "listener.h"
#include "log.h"

struct job *shared_job(void)
{
	struct job *j = mmap(NULL, sizeof(*j), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (j != MAP_FAILED)
		return j;
	say(&complaints, LEVEL_FAILED, "out of memory");
	_exit(STATUS_FAILED);
}

struct look {
	struct job *j;
	const struct listener *log;
};

static void look(const void *ctx, struct device *unit)
{
	const struct look *l = ctx;

	(void)unit;
	l->j->decided = decide_machine(l->j, l->log);
}

bool decide_in_time(struct job *j, clock_t deadline, const struct listener *log)
{
	struct look ask = { j, log };

	return run_in_child(deadline, look, &ask, NULL) == ENDED && j->decided;
}
