# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run inside a copy of the guest `efi` by boot-entries.t, with the package in /root/old: what kernel-install,
# proxmox-boot-tool and a purge make of the boot menu. Each line of the answer begins with the name of the moment; what the
# programs said is in /root/log.

set -u
# The ESP is a folder here. kernel-install is told so; bootctl, which Debian's hooks ask only whether it is installed, would
# see that it is no file system.
export BOOT_MNT=/efi SYSTEMD_RELAX_ESP_CHECKS=1
# Images that are made twice are the same.
export SOURCE_DATE_EPOCH=1700000000
moment=before
kernel=$(ls /lib/modules)

say() { sed "s/^/$moment: /"; }

run() {
	"$@" >/root/ran 2>&1 </dev/null
	echo "exit $?" | say
	sed -n 's/^W: vfio-boot:/warning/p' /root/ran | say
	{
		echo "# $moment: $*"
		cat /root/ran
	} >>/root/log
}

# What is on the ESP, and what boots.
esp() {
	(cd /efi && find . -type f | sort | sed 's,^\./,file ,') | say
	for entry in /efi/loader/entries/*vfio-boot*; do
		[ ! -f "$entry" ] || sed "s,^,${entry##*/} ," "$entry" | say
	done
	for uki in /efi/EFI/Linux/*.efi; do
		[ ! -f "$uki" ] || ukify inspect "$uki" --all | awk '/^\./ { shown = /^\.(cmdline|profile):/ } shown && (/^\./ || /^    /)' | say
	done
}

layout() { printf '%s\n' BOOT_ROOT=/efi "layout=$1" >/etc/kernel/install.conf; }

# In the place of a program, since the scripts of a package have a PATH of their own.
stand_in() { # PROGRAM, on standard input what stands for it
	dpkg-divert --quiet --rename "$1"
	cat >"$1"
	chmod 755 "$1"
}

echo '#!/bin/sh' | stand_in /usr/bin/bootctl
echo 0123456789abcdef0123456789abcdef >/etc/machine-id
echo debian >/etc/kernel/entry-token
echo MODULES=list >/etc/initramfs-tools/conf.d/quick
printf 'root=LABEL=root ro quiet -- splash\n' >/etc/kernel/cmdline
mkdir -p /efi/loader/entries
printf 'title Another system\nlinux /other\n' >/efi/loader/entries/other-1.conf
# Another kernel, which is the same one by another name.
other=6.0.1-other
cp -a "/lib/modules/$kernel" "/lib/modules/$other"
for file in vmlinuz config; do cp "/boot/$file-$kernel" "/boot/$file-$other"; done
layout bls
run update-initramfs -c -k "$other"
run update-initramfs -c -k "$kernel"
sums() { (cd /efi && find . -type f -exec sha256sum {} + | sort -k 2); }
sums >/root/esp.before
esp

# Leaves an ESP with unified kernel images in the place of the other, or takes it back.
with_uki() {
	cp -a /efi /root/efi.bls
	rm -r /efi/*
	mkdir -p /efi/loader/entries
	layout uki
	run kernel-install add "$kernel" "/boot/vmlinuz-$kernel" "/boot/initrd.img-$kernel"
}
without_uki() {
	rm -r /efi/*
	cp -a /root/efi.bls/. /efi/
	rm -r /root/efi.bls
	layout bls
}
if command -v ukify >/dev/null; then
	with_uki
	sums >/root/uki.before
	without_uki
fi

moment=install
run apt-get -q update
run apt-get -q -y install --no-install-recommends /root/old/vfio-boot_*.deb
esp

# The menu counts its boots (/etc/kernel/tries), and one kernel goes.
moment=counted
echo 3 >/etc/kernel/tries
run kernel-install add "$kernel" "/boot/vmlinuz-$kernel" "/boot/initrd.img-$kernel"
esp
rm /etc/kernel/tries
run kernel-install add "$kernel" "/boot/vmlinuz-$kernel" "/boot/initrd.img-$kernel"
moment=blessed
for entry in /efi/loader/entries/*+3.conf; do mv "$entry" "${entry%+3.conf}.conf"; done
run kernel-install remove "$other"
esp
run kernel-install add "$other" "/boot/vmlinuz-$other" "/boot/initrd.img-$other"

# An entry that cannot be written is a warning.
moment=strange
rm /efi/loader/entries/0-vfio-boot-off-*
mkdir "/efi/loader/entries/0-vfio-boot-off-debian-$kernel.conf.new"
run kernel-install add "$kernel" "/boot/vmlinuz-$kernel" "/boot/initrd.img-$kernel"
esp
rmdir "/efi/loader/entries/0-vfio-boot-off-debian-$kernel.conf.new"
moment=again
run kernel-install add "$kernel" "/boot/vmlinuz-$kernel" "/boot/initrd.img-$kernel"
esp

if command -v ukify >/dev/null; then
	moment=uki
	with_uki
	esp
	moment=signed
	openssl req -new -x509 -newkey rsa:2048 -nodes -keyout /etc/kernel/key.pem -out /etc/kernel/cert.pem -subj /CN=test 2>/dev/null
	printf '[UKI]\nSecureBootPrivateKey=/etc/kernel/key.pem\nSecureBootCertificate=/etc/kernel/cert.pem\n' >/etc/kernel/uki.conf
	run kernel-install add "$kernel" "/boot/vmlinuz-$kernel" "/boot/initrd.img-$kernel"
	run sbverify --cert /etc/kernel/cert.pem "/efi/EFI/Linux/debian-$kernel.efi"
	esp
	rm /etc/kernel/uki.conf
	# An ukify that is too old for profiles: the kernel is installed all the same.
	moment=no-profiles
	sed 's/--join-profile/--no-such-word/' /usr/bin/ukify >/usr/local/bin/ukify
	chmod 755 /usr/local/bin/ukify
	export PATH="/usr/local/bin:$PATH"
	run kernel-install add "$kernel" "/boot/vmlinuz-$kernel" "/boot/initrd.img-$kernel"
	esp
	rm /usr/local/bin/ukify
	# One that was made elsewhere, and a profile that is of our two words alone.
	moment=made-elsewhere
	cp "/efi/EFI/Linux/debian-$kernel.efi" /root/other.efi
	run kernel-install add 7.0-elsewhere /root/other.efi
	run kernel-install remove 7.0-elsewhere
	moment=no-cmdline
	mv /etc/kernel/cmdline /root/cmdline
	: >/etc/kernel/cmdline
	printf '[UKI]\nInitrd=/nowhere\n' >/etc/systemd/ukify.conf
	run kernel-install add "$kernel" "/boot/vmlinuz-$kernel" "/boot/initrd.img-$kernel"
	esp
	rm /etc/systemd/ukify.conf
	mv /root/cmdline /etc/kernel/cmdline
	moment="uki-removed"
	run kernel-install remove "$kernel"
	esp
	without_uki
fi

# proxmox-boot-tool is not in Debian. What is here of it does what the one of Proxmox VE is documented to do: each ESP of its
# list is mounted, and gets its kernels and their entries; those of other kernels are removed.
moment=proxmox
mkdir -p /sys/firmware/efi
mkdir -p /root/esps/AAAA-0001/loader/entries /root/esps/BBBB-0002/loader/entries /root/esps/CCCC-0003/EFI/proxmox /root/esps/CCCC-0003/loader/entries
: >/root/esps/CCCC-0003/EFI/proxmox/grubx64.efi
mkdir -p /root/esps/CCCC-0003/grub
echo "menuentry 'Proxmox VE, without passthrough' \$menuentry_id_option 'vfio-boot-off' {" >/root/esps/CCCC-0003/grub/grub.cfg
printf '%s\n' AAAA-0001 '' '# none' BBBB-0002 CCCC-0003 DDDD-0004 >/etc/kernel/proxmox-boot-uuids
stand_in /usr/bin/mount <<'END'
#!/bin/sh
# An ESP is a folder here: it is brought, and brought back.
[ -d "/root/esps/${1##*/}" ] && echo "${1##*/}" >/root/mounted && cp -a "/root/esps/${1##*/}/." "$2/"
END
stand_in /usr/bin/umount <<'END'
#!/bin/sh
uuid=$(cat /root/mounted)
rm -r "/root/esps/$uuid"
mkdir "/root/esps/$uuid"
cp -a "$1/." "/root/esps/$uuid/"
rm -r "$1"/*
END
printf '#!/bin/sh\nshift 3\nexec "$@"\n' | stand_in /usr/bin/unshare
cat >/etc/kernel/postinst.d/zz-proxmox-boot <<'END'
#!/bin/sh
for esp in /root/esps/AAAA-0001 /root/esps/BBBB-0002; do
	rm -f "$esp"/loader/entries/proxmox-*
	for version in $(cat /root/proxmox-kernels); do
		printf '%s\n' 'title    Proxmox Virtual Environment' "version  $version" \
			'options  root=ZFS=rpool/ROOT/pve-1 boot=zfs' "linux    /EFI/proxmox/$version/vmlinuz-$version" \
			"initrd   /EFI/proxmox/$version/initrd.img-$version" >"$esp/loader/entries/proxmox-$version.conf"
	done
done
END
mkdir -p /etc/kernel/postrm.d
cp /etc/kernel/postinst.d/zz-proxmox-boot /etc/kernel/postrm.d/
chmod 755 /etc/kernel/*/zz-proxmox-boot
# It disables those of systemd-boot; the other kernels are none that this Debian has.
for hook in /etc/kernel/*/zz-systemd-boot /etc/kernel/*/initramfs-tools /etc/initramfs/post-update.d/systemd-boot; do chmod 644 "$hook"; done
proxmox_state() {
	(cd /root/esps && find . -name '*.conf' | sort | sed 's,^\./,esp ,') | say
	sed 's/^/done /' /var/lib/vfio-boot/proxmox-entries | say
	cat /root/esps/AAAA-0001/loader/entries/*vfio* 2>/dev/null | sed 's/^/text /' | say
}
printf '%s\n' 6.8.12-4-pve 6.8.12-9-pve >/root/proxmox-kernels
run run-parts --arg=6.8.12-9-pve /etc/kernel/postinst.d
proxmox_state
moment=proxmox-refresh
run /etc/kernel/postinst.d/zz-proxmox-boot
proxmox_state
moment=proxmox-removed
echo 6.8.12-9-pve >/root/proxmox-kernels
run run-parts --arg=6.8.12-4-pve /etc/kernel/postrm.d
proxmox_state

moment=remove
for hook in /etc/kernel/*/zz-systemd-boot /etc/kernel/*/initramfs-tools /etc/initramfs/post-update.d/systemd-boot; do chmod 755 "$hook"; done
run apt-get -q -y remove vfio-boot
(cd /root/esps && find . -name '*.conf' | sort | sed 's,^\./,esp ,') | say
esp
moment=purge
run apt-get -q -y purge vfio-boot
# The images of both kernels are made anew; those of the kernel that apt has rebuilt already are the same.
for version in "$kernel" "$other"; do run update-initramfs -u -k "$version"; done
sums | diff /root/esp.before - | sed 's/^/diff /' | say
if command -v ukify >/dev/null; then
	with_uki
	sums | diff /root/uki.before - | sed 's/^/diff /' | say
fi
find /etc /usr/lib/kernel /var/lib/vfio-boot -name '*vfio*' 2>/dev/null | sed 's/^/left /' | say
echo end | say
