/* SPDX-License-Identifier: GPL-2.0-or-later */
/* oracle: the decision once more, read from interface.md and from the facts alone. Calls nothing of plan.c. */
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

/* Does d stay with the host when its group is claimed? */
bool oracle_stays(const struct machine *m, const struct device *d);

/* Is d a host bridge that keeps its group back only because it was selected itself? */
bool oracle_keeps_back_as_member(const struct machine *m, const struct device *d);

/* What becomes of each device. */
void oracle_decide(const struct machine *m, struct fate *fates);

#endif
