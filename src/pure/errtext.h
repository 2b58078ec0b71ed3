/* SPDX-License-Identifier: GPL-2.0-or-later */
/* errtext: the few errors that can happen here, in words; klibc's strerror() costs 4 kB. Pure. */
#ifndef VFIO_BOOT_ERRTEXT_H
#define VFIO_BOOT_ERRTEXT_H

/* The name of an errno value (above 0), a constant; "error" for one that is not expected. */
const char *error_text(int error);

#endif
