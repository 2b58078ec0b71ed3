/* SPDX-License-Identifier: GPL-2.0-or-later */
/* oracle: the decision once more, read from doc/interface.md and from the facts alone. Calls nothing of plan.c. */
#ifndef VFIO_BOOT_ORACLE_H
#define VFIO_BOOT_ORACLE_H

#include "machine.h"
#include "settings.h"

struct fate {
	enum verdict verdict;
	enum reason reason;
};

/* Does a selector that names mean d? */
bool oracle_named(const struct machine *m, const struct device *d);

/* Does an exclusion (LIST_IDS), or an entry of protect or reserve, mean d? */
bool oracle_in_list(const struct machine *m, enum list_name list, const struct device *d);

/* Is d exempt: does it stay with the host when its group is claimed? */
bool oracle_stays(const struct device *d);

/* Could something that protects not be read, and is not overruled? */
bool oracle_only_named(const struct machine *m);

/* What becomes of each device. */
void oracle_decide(const struct machine *m, struct fate *fates);

/* Is this a broad selector that claims nothing, though it matches something that is not excluded? */
bool oracle_is_idle(const struct machine *m, const struct fate *fates, const struct selector *sel);

/* The exit status of the plan. */
int oracle_status(const struct machine *m, const struct fate *fates);

#endif
