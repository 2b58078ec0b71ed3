#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The host comes first, in an initramfs of dracut without systemd. dracut sources this twice a second while it waits for a
# disk of the host, $root or another one. After the seconds of `root-wait`, what was claimed and may be the root is given
# back, once a boot.

# shellcheck disable=SC2154 # dracut sets root
if [ -e /run/vfio-boot/root-wait ] && [ ! -e "${root#block:}" ]; then
	/usr/lib/vfio-boot/vfio-boot-claim --root-missing || :
fi
