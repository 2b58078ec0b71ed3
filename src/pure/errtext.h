/* SPDX-License-Identifier: GPL-2.0-or-later */
/* errtext: the text of the few errors that can happen here. klibc's strerror() would cost 4 kB. Pure. */
#ifndef VFIO_BOOT_ERRTEXT_H
#define VFIO_BOOT_ERRTEXT_H

/* Returns the text of an errno value (above 0), a constant. An unexpected value is "error". */
const char *error_text(int error);

#endif
