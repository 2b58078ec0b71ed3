#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The second look, in an initramfs of dracut without systemd: what appeared since the claim. The root is there by now,
# whatever had to be opened for it, and is not mounted yet. dracut sources this.

[ ! -x /usr/lib/vfio-boot/vfio-boot-claim ] || /usr/lib/vfio-boot/vfio-boot-claim --second-look || :
