#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run as init of the tree that `disks` has prepared: installs that tree on this machine's
# disks in the layout of /etc/layout, tells on the second serial port what it does, and at its
# end "installed".

set -eux
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_ALL=C DEBIAN_FRONTEND=noninteractive
stty -F /dev/ttyS1 raw
exec >/dev/ttyS1 2>&1
trap 'sync; poweroff -f' EXIT

# shellcheck source=/dev/null
. /etc/layout
mount -t tmpfs none /mnt
mkdir /mnt/target
/lib/systemd/systemd-udevd --daemon
udevadm trigger
udevadm settle

uuid() { blkid -o value -s UUID "$1"; }
partition() { # DISK, sizes of its partitions on standard input
	sfdisk --quiet "$1"
	udevadm settle
}
fstab() { # DEVICE WHERE TYPE OPTIONS
	echo "UUID=$(uuid "$1") $2 $3 $4 0 0" >>/mnt/fstab
}

# The tree's own disk is the other one.
virtio=/dev/vda
[ "$(blkid -o value -s LABEL $virtio)" != tree ] || virtio=/dev/vdb
disk=/dev/nvme0n1 part=/dev/nvme0n1p
bios='size=1M, type=21686148-6449-6E6F-744E-656564454649'
case $LAYOUT in
plain)
	disk=$virtio part=$virtio
	printf '%s\n' 'label: gpt' "$bios" 'size=500M' 'size=200M' 'type=L' | partition $disk
	mke2fs -q -t ext4 ${part}2
	mkswap -q ${part}3 || mkswap ${part}3
	mke2fs -q -t ext4 ${part}4
	mount ${part}4 /mnt/target
	mkdir /mnt/target/boot
	mount ${part}2 /mnt/target/boot
	fstab ${part}4 / ext4 errors=remount-ro
	fstab ${part}2 /boot ext4 defaults
	fstab ${part}3 none swap sw
	;;
luks)
	printf '%s\n' 'label: gpt' "$bios" 'size=500M' 'type=L' | partition $disk
	mke2fs -q -t ext4 ${part}2
	printf passphrase | cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 ${part}3 -
	printf passphrase | cryptsetup open ${part}3 crypt -
	pvcreate /dev/mapper/crypt
	vgcreate vg /dev/mapper/crypt
	lvcreate -y -n swap -L 200M vg
	lvcreate -y -n root -l 100%FREE vg
	udevadm settle
	mkswap /dev/vg/swap
	mke2fs -q -t ext4 /dev/vg/root
	mount /dev/vg/root /mnt/target
	mkdir /mnt/target/boot
	mount ${part}2 /mnt/target/boot
	echo "/dev/mapper/vg-root / ext4 errors=remount-ro 0 1" >>/mnt/fstab
	fstab ${part}2 /boot ext4 defaults
	echo "/dev/mapper/vg-swap none swap sw 0 0" >>/mnt/fstab
	echo "crypt UUID=$(uuid ${part}3) none luks" >/mnt/crypttab
	;;
btrfs)
	printf '%s\n' 'label: gpt' "$bios" 'type=L' | partition $disk
	printf '%s\n' 'label: gpt' 'size=200M' 'type=L' | partition $virtio
	mkswap ${virtio}1
	mkfs.btrfs -q -m raid1 -d raid1 ${part}2 ${virtio}2
	udevadm settle
	mount ${part}2 /mnt/target
	fstab ${part}2 / btrfs defaults
	fstab ${virtio}1 none swap sw
	;;
twin)
	# Which one is first is not said: the one that is booted from has this serial number.
	for disk in /dev/nvme0n1 /dev/nvme1n1; do
		[ "$(tr -d ' ' </sys/block/${disk#/dev/}/device/serial)" != first ] || break
	done
	part=${disk}p
	printf '%s\n' 'label: gpt' "$bios" 'size=200M' 'type=L' | partition $disk
	mkswap ${part}2
	mke2fs -q -t ext4 ${part}3
	mount ${part}3 /mnt/target
	fstab ${part}3 / ext4 errors=remount-ro
	fstab ${part}2 none swap sw
	;;
esac

cp -ax /. /mnt/target
cd /mnt/target
rm install etc/layout
mkdir -p proc sys dev run
mv /mnt/fstab etc/fstab
[ ! -e /mnt/crypttab ] || mv /mnt/crypttab etc/crypttab
for dir in proc sys dev run; do mount --bind /$dir $dir; done
chroot . grub-install --target=i386-pc $disk
# An image with all modules is there already.
[ "$MODULES" = most ] || chroot . update-initramfs -u
chroot . update-grub
cd /
sync
umount -R /mnt/target
sync
echo installed
