/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * links: steady names in /run/vfio-boot for what was claimed, so that a configuration survives a change of bus numbers.
 * NAME is a link to the folder of the function in sysfs, NAME.group one to the device file of its group. In by-path
 * NAME is the path of the function, with - for /; in by-id its ID and an @ stand before that.
 */
#ifndef VFIO_BOOT_LINKS_H
#define VFIO_BOOT_LINKS_H

/*
 * Makes the links of all functions that the report has as claimed and that a vfio driver holds, and no others. They
 * are made beside the old ones and renamed. Nothing depends on the links, so no error is one.
 */
void links_make(int root);

#endif
