// SPDX-License-Identifier: GPL-2.0-or-later
#include "child.h"

clock_t share_of(clock_t deadline, unsigned n)
{
	clock_t now = deadline_after(0), left = deadline - now, share = left / (clock_t)n;

	/* As long as there is time, nobody's share is nothing. */
	return now + (share || left <= 0 ? share : 1);
}

enum ending run_in_child(clock_t deadline, void (*body)(const void *data, struct device *unit), const void *data,
			 struct device *unit)
{
	struct child child;
	enum ending ending;

	if (is_past(deadline))
		return TIME_IS_UP;
	child = child_start(body, data, unit);
	ending = child_wait(&child, deadline);
	if (ending == TIME_IS_UP)
		child_leave(&child);
	return ending;
}
