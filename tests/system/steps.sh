# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The life of the package in an installed Debian, one step a boot: read by `step` with the
# number of this boot in $number. Each line that is told begins with the name of its moment.

# shellcheck disable=SC2154 # $number
set -u
PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH LC_ALL=C DEBIAN_FRONTEND=noninteractive
moment=boot$number
settings=/etc/vfio-boot.conf
mistakes=/etc/vfio-boot.conf.d/60-mistakes.conf
kernel=$(uname -r)

say() { tr -d '\r' | sed "s/^/$moment: /"; }

run() { # COMMAND...: what it says and how it ends
	start=$(date +%s)
	echo "# $*" | say
	{ "$@" 2>&1 </dev/null; echo "exit $?"; } | say
	echo "took $(($(date +%s) - start)) s" | say
}

apt() { run apt-get -q -y -o Dir::Etc::sourcelist=/mnt/sources.list -o Dir::Etc::sourceparts=- -o APT::Sandbox::User=root \
	-o Dpkg::Use-Pty=0 -o Acquire::Languages=none "$@"; }

link() { if [ -e "$1" ]; then basename "$(readlink "$1")"; else echo -; fi; }

machine() { # what has which driver, and what runs
	for dev in /sys/bus/pci/devices/*; do
		read -r override <"$dev/driver_override"
		echo "pci ${dev##*/} $(link "$dev/driver") $override" | say
	done
	echo "kernel $kernel" | say
	findmnt -rno TARGET,SOURCE,FSTYPE / | sed 's/^/mount /' | say
	systemctl --no-legend --plain --failed | sed 's/ .*//; s/^/failed /' | say
}

passthrough() { # what this program has to say of this boot
	machine
	sed 's/^/report /' /run/vfio-boot/report 2>&1 | say
	run vfio-boot status
	run systemctl --no-pager --full status vfio-boot.service
	journalctl -b -o cat -u vfio-boot.service | sed 's/^/journal /' | say
	journalctl -b -o cat _TRANSPORT=kernel SYSLOG_IDENTIFIER=vfio-boot | sed 's/^/kernel log: /' | say
	for group in /dev/vfio/*; do
		[ -d "/sys/kernel/iommu_groups/${group##*/}" ] || continue
		set --
		for dev in "/sys/kernel/iommu_groups/${group##*/}/devices"/*; do
			[ "$(link "$dev/driver")" != vfio-pci ] || set -- "$@" "${dev##*/}"
		done
		vfio-check "${group##*/}" "$@" | sed 's/^/vfio /' | say
	done
	sed 's/^/protect file: /' /var/lib/vfio-boot/protect | say
}

# What a package may change, without what apt, dpkg and time itself write.
list_files() {
	find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /mnt -o -path /var/cache -o -path /var/lib/apt \
		-o -path /var/lib/dpkg -o -path /var/lib/systemd -o -path /var/log -o -path /var/tmp -o -path '*/__pycache__' \
		-o -path /etc/ld.so.cache -o -path /var/lib/step -o -path /root/life \) -prune -o -print | sort
}

list_image() { # IMAGE: the paths in it
	if command -v lsinitramfs >/dev/null; then
		lsinitramfs "$1"
	else
		lsinitrd "$1" | sed -n 's/ -> .*//; s/^[-l][-rwxst]* .* //p'
	fi
}

in_image() { # KERNEL WORD: what its image has of this program, and that it is one
	list_image "/boot/initrd.img-$1" | grep -x -e 'init' -e '.*vfio-boot.*' | sed "s/^/image $2 /" | say
}

files() { # FILE...: those that are there
	for file; do
		[ ! -e "$file" ] || echo "file $file" | say
	done
}

# The controllers of the disks that / is on, as a person would look them up.
root_controllers() {
	for part in $(blkid -o device -t "UUID=$(findmnt -no UUID /)"); do
		lsblk -nsro NAME,TYPE "$part"
	done | sed -n 's/ disk$//p' | sort -u | while read -r disk; do
		for path in "/sys/class/block/$disk" "/sys/class/block/$disk/device"/nvme[0-9]*; do
			[ ! -e "$path" ] || readlink -f "$path"
		done | grep -o '[0-9a-f]\{4\}:[0-9a-f:]*\.[0-7]' | tail -n 1
	done
}

next_entry() { # the entry of the menu with this ID, for the next boot only
	grub-editenv /boot/grub/grubenv set "next_entry=$1"
}

entry_of() { # KERNEL: where it is in the menu
	menu=$(sed -n "s/.*menuentry_id_option '\(gnulinux-$1-advanced-[^']*\)'.*/\1/p" /boot/grub/grub.cfg)
	submenu=$(sed -n "s/^submenu .*menuentry_id_option '\([^']*\)'.*/\1/p" /boot/grub/grub.cfg | head -n 1)
	echo "$submenu>$menu"
}

restart() {
	sync
	systemctl reboot
	exit 0
}

mkdir -p /root/life
case $number in
1)
	machine
	list_files | grep -v -e ^/vmlinuz -e ^/initrd.img >/root/life/files
	echo "$kernel" >/root/life/kernel
	apt update
	moment=install
	apt install /mnt/old/vfio-boot_*.deb
	moment=line
	echo 'ids = 03:00' >>$settings
	run vfio-boot status
	run update-initramfs -u
	run vfio-boot plan
	in_image "$kernel" now
	restart
	;;
2)
	moment=claim
	passthrough
	moment=mistakes
	root=$(root_controllers)
	echo "$root" | sed 's/^/root /' | say
	# A part of a group, what the root is on by name, and by its IDs.
	echo "ids = 02:01.0" "$root" 1b36:0010 | tr '\n' ' ' >$mistakes
	echo >>$mistakes
	run vfio-boot status
	moment=upgrade
	apt install -o Dpkg::Options::=--force-confold /mnt/new/vfio-boot_*.deb
	tail -n 1 $settings | sed 's/^/settings: /' | say
	run dpkg-query -W -f '${Version} ${db:Status-Status}\n' vfio-boot
	run systemctl is-enabled vfio-boot
	restart
	;;
3)
	moment=refusal
	passthrough
	rm $mistakes
	moment=twin
	# Only in one of the layouts: the disk that is not the root's, with the same IDs.
	for dev in /sys/bus/pci/devices/*; do
		read -r vendor <"$dev/vendor"
		read -r device <"$dev/device"
		[ "$vendor:$device" = 0x1b36:0x0010 ] || continue
		root_controllers | grep -q "^${dev##*/}$" || twin=${dev##*/}
	done
	if [ -n "${twin-}" ]; then
		echo "twin $twin" | say
		run vfio-boot add --no-rebuild "$twin"
	fi
	moment=kernel
	other=$(cd /mnt/repository && echo linux-image-*cloud*.deb)
	apt install --no-install-recommends "${other%%_*}"
	other=$(linux-version list | grep cloud)
	in_image "$other" now
	run vfio-boot status
	next_entry "$(entry_of "$other")"
	restart
	;;
4)
	next_entry ''
	moment=second
	passthrough
	next_entry vfio-boot-off
	restart
	;;
5)
	next_entry ''
	moment=off
	say </proc/cmdline
	passthrough
	moment=remove
	apt remove vfio-boot
	in_image "$kernel" now
	in_image "$(linux-version list | grep -vx "$kernel")" other
	files $settings /usr/sbin/vfio-boot /usr/lib/vfio-boot
	moment=purge
	apt purge vfio-boot
	apt --purge autoremove
	# But for the other kernel, which stays.
	list_files | grep -v -e cloud -e ^/vmlinuz -e ^/initrd.img | diff /root/life/files - | sed 's/^/diff /' | say
	# The one whose image the trigger has not rebuilt, and which has the drivers of the cards.
	next_entry "$(entry_of "$(cat /root/life/kernel)")"
	grep -c vfio /boot/grub/grub.cfg | sed 's/^/lines of the menu: /' | say
	restart
	;;
6)
	next_entry ''
	moment=after
	machine
	files /run/vfio-boot
	in_image "$kernel" now
	echo "end" | say
	systemctl poweroff
	exit 0
	;;
esac
