#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The claim, in an initramfs of dracut without systemd. It has to come before the script of kernel-modules at cmdline 01,
# which loads what rd.driver.pre= names. dracut sources this.

if [ -x /usr/lib/vfio-boot/vfio-boot-claim ]; then
	/usr/lib/vfio-boot/vfio-boot-claim || :
else
	{ echo "<3>vfio-boot: vfio-boot-claim is not in this image, nothing is claimed (rebuild it)" >/dev/kmsg; } 2>/dev/null
fi
