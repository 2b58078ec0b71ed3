# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run inside a copy of a guest by tests/system/builders.t, with the package in /root/old: what dpkg would take away for it,
# and beside dracut its life, the change to initramfs-tools and back, and the end. Each line of the answer begins with the
# name of the moment; what apt said is in /root/log.

set -u
moment=before
version=$(ls /lib/modules)
image=/boot/initrd.img-$version

say() { sed "s/^/$moment: /"; }

run() {
	"$@" >/root/ran 2>&1 </dev/null
	echo "exit $?" | say
	sed -n 's/^vfio-boot: /said /p; s/^\(dracut: \|dracut\[W\]: \|W: \)vfio-boot: /warned /p' /root/ran | say
	cat /root/ran >>/root/log
}

# What dpkg would take away for it.
would_remove() {
	"$@" -s </dev/null 2>&1 | tee -a /root/log | sed -n 's/^Remv \([^ ]*\).*/removes \1/p; s/^Inst \(vfio-boot\|dracut\|initramfs-tools\) .*/installs \1/p' | say
}

# Who made the image, and what it has of us.
look_into_image() { # VERSION
	rm -rf /root/image
	mkdir /root/image
	if [ "$(dpkg-query -W -f '${db:Status-Status}' dracut 2>/dev/null)" = installed ]; then
		(cd /root/image && lsinitrd --unpack "/boot/initrd.img-$1" 2>&1) | say
	else
		unmkinitramfs "/boot/initrd.img-$1" /root/image 2>&1 | say
	fi
	tree=/root/image/main
	[ -d $tree ] || tree=/root/image
	[ ! -d $tree/scripts/init-top ] || echo "made by initramfs-tools" | say
	[ ! -e $tree/etc/initrd-release ] || echo "made by dracut" | say
	(cd $tree && find . -path ./usr/share -prune -o -name '*vfio-boot*' -print | sort | sed 's/^/has /') | say
	sed -n 's/^\(ids = \)/settings \1/p' $tree/etc/vfio-boot.conf 2>/dev/null | say
}

packages() {
	dpkg-query -W -f '${binary:Package} ${db:Status-Status}\n' vfio-boot dracut initramfs-tools 2>/dev/null | sed 's/^/package /' | say
}

# What the doctor has said to type.
rebuild() {
	remedy=$(sed -n 's/^vfio-boot: .*(\(.*\))$/\1/p' /root/ran)
	run sh -c "$remedy"
}

# Quick images: no driver of any machine.
mkdir -p /etc/dracut.conf.d
echo 'omit_dracutmodules+=" kernel-modules kernel-modules-extra i18n drm plymouth qemu "' >/etc/dracut.conf.d/quick.conf
echo 'compress=cat' >>/etc/dracut.conf.d/quick.conf
mkdir -p /etc/initramfs-tools/conf.d
echo MODULES=list >/etc/initramfs-tools/conf.d/quick
run apt-get -q update

moment=simulated
would_remove apt-get -q -y install --no-install-recommends /root/old/vfio-boot_*.deb
packages
command -v dracut >/dev/null || exit 0

moment=install
# The guest has no image, and dracut 112 builds only what is there already.
run dracut --force "$image" "$version"
run apt-get -q -y install --no-install-recommends /root/old/vfio-boot_*.deb
packages
look_into_image "$version"
run vfio-boot doctor --image -k "$version"

# What autopkgtest runs in this state.
moment=autopkgtest
export AUTOPKGTEST_TMP=/root/tmp
mkdir $AUTOPKGTEST_TMP
run /root/tests/image-dracut
tail -n 1 /root/ran | sed 's/ for .*//; s/^/ended /' | say

# Settings that are newer than the image, and the image that has them.
moment=settings
echo 'ids = 8086:10d3' >>/etc/vfio-boot.conf
run vfio-boot doctor --image -k "$version"
moment=rebuilt
rebuild
look_into_image "$version"
run vfio-boot doctor --image -k "$version"

# A build without our module says nothing of it; who looks afterwards does.
moment=omitted
run dracut --force --omit vfio-boot "$image" "$version"
run vfio-boot doctor --image -k "$version"

# Nor does dracut at the trigger, and the package says it.
moment=looked
echo 'omit_dracutmodules+=" vfio-boot "' >/etc/dracut.conf.d/omit.conf
run apt-get -q -y install --reinstall --no-install-recommends /root/old/vfio-boot_*.deb
rm /etc/dracut.conf.d/omit.conf

# Bad input: the build succeeds, with one warning at most each.
moment=kernel_cmdline
run dracut --force --kernel-cmdline "quiet vfio.ids=8086:10d3" /root/image.img "$version"
moment=hostonly_cmdline
run dracut --force --hostonly --hostonly-cmdline /root/image.img "$version"
moment=no_vfio
cp -al "/lib/modules/$version" /lib/modules/4.1-none
rm -r /lib/modules/4.1-none/kernel/drivers/vfio
depmod 4.1-none
run dracut --force /root/image.img 4.1-none
rm -r /lib/modules/4.1-none
moment=read_only_var
mount --bind /var /var && mount -o remount,bind,ro /var
touch /var/lib/vfio-boot/written 2>/dev/null && echo "written to" | say
run dracut --force --tmpdir /tmp /root/image.img "$version"
umount /var
moment=sysroot
mkdir /root/sysroot
for path in usr etc boot; do cp -al "/$path" /root/sysroot/; done
cp -al /var /root/sysroot/ 2>/dev/null
for link in bin sbin lib lib64; do cp -a "/$link" /root/sysroot/; done
mkdir /root/sysroot/dev /root/sysroot/proc /root/sysroot/sys /root/sysroot/tmp /root/sysroot/run
run dracut --force --sysroot /root/sysroot --omit vfio-boot /root/image.img "$version"
run dracut --force --sysroot /root/sysroot /root/image.img "$version"
lsinitrd /root/image.img 2>/dev/null | grep -c -e 'vfio-boot-claim$' -e '/vfio-boot-claim\.service$' | sed 's/^/files /' | say
rm -rf /root/sysroot /root/image.img

# From one builder to the other and back.
moment=to-initramfs-tools
would_remove apt-get -q -y install --no-install-recommends initramfs-tools
run apt-get -q -y install --no-install-recommends initramfs-tools
packages
look_into_image "$version"
run vfio-boot doctor --image -k "$version"
moment=to-dracut
run apt-get -q -y install --no-install-recommends dracut
packages
look_into_image "$version"
run vfio-boot doctor --image -k "$version"

# The end, with a second kernel.
moment=purge
cp -al "/lib/modules/$version" /lib/modules/4.2-with
cp "/boot/vmlinuz-$version" /boot/vmlinuz-4.2-with
run dracut --force /boot/initrd.img-4.2-with 4.2-with
look_into_image 4.2-with
moment=purged
run apt-get -q -y purge vfio-boot
packages
look_into_image "$version"
look_into_image 4.2-with
# shellcheck disable=SC2012 # names without surprises
ls -d /etc/vfio-boot* /var/lib/vfio-boot /etc/kernel/postinst.d/*vfio* /etc/initramfs/post-update.d/*vfio* /usr/lib/dracut/modules.d/*vfio* 2>/dev/null | sed 's/^/left /' | say
