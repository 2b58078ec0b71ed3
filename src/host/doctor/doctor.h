/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what other verbs ask the doctor. Host program only. */
#ifndef VFIO_BOOT_DOCTOR_H
#define VFIO_BOOT_DOCTOR_H

#include "pipeline.h"

/*
 * Checks what no setting can mend: whether firmware and kernel have an IOMMU that is on, and the kernel vfio-pci.
 * Prints on standard output what is wrong, and what to do. Returns true if something is. The context was decided for
 * the next boot.
 */
bool doctor_say_machine(struct context *ctx) __attribute__((nonnull, warn_unused_result));

#endif
