/* SPDX-License-Identifier: GPL-2.0-or-later */
/* take_vfs: vfio-boot release --remove-vfs. Host program only. */
#ifndef VFIO_BOOT_TAKE_VFS_H
#define VFIO_BOOT_TAKE_VFS_H

#include "request.h"

/*
 * Takes away all virtual functions of the PFs that the words of the request match, unless somebody uses one. Says what
 * came of each. Returns the exit status.
 */
int release_vfs(struct request *request) __attribute__((nonnull));

#endif
