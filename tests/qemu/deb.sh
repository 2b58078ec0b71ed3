# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Run inside a copy of the guest `host` by deb.t, with both versions of the package in
# /root: the package's life, from a Debian without it to one that has forgotten it. Each
# line of the answer begins with the name of the moment; what apt said is in /root/log.

set -u
moment=before
image=/boot/initrd.img-$(ls /lib/modules)

say() { sed "s/^/$moment: /"; }

# Says which images were built, too: each takes a minute where all modules are in it.
run() {
	"$@" >/root/ran 2>&1 </dev/null
	echo "exit $?" | say
	sed -n 's,^update-initramfs: Generating /boot/initrd.img-,built ,p' /root/ran | say
	sed -n 's/^vfio-boot: /said /p' /root/ran | say
	cat /root/ran >>/root/log
}

# What the image has of us.
look_into_image() {
	rm -rf /root/image
	unmkinitramfs "$image" /root/image 2>&1 | say
	tree=/root/image/main
	[ -d $tree ] || tree=/root/image
	(cd $tree && find . -path ./usr/share -prune -o \( -name '*vfio*' -o -name init \) -print | sed 's/^/image /') | sort | say
	sed -n 's,^/scripts/init-top/\([^ ]*\).*,ORDER \1,p' $tree/scripts/init-top/ORDER | say
	sed -n 's/^\(ids = \)/image has \1/p' $tree/etc/vfio-boot.conf 2>/dev/null | say
}

# The whole machine as far as a package may change it, without what apt and dpkg write down about it.
list_files() {
	find /boot /etc /lib /usr /var /root/.profile -xdev \( -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg \
		-o -path /var/log -o -path /lib/modules -o -path '*/__pycache__' -o -path /etc/ld.so.cache \) -prune -o -print | sort
}

state() {
	dpkg-query -W -f 'dpkg ${db:Status-Status}\n' vfio-boot 2>/dev/null | say
	systemctl is-enabled vfio-boot 2>/dev/null | sed 's/^/unit /' | say
	sed -n "s/^menuentry .*'\(vfio-boot-off\)' {$/grub \1/p" /boot/grub/grub.cfg | say
	# shellcheck disable=SC2012 # names without surprises
	ls -d /etc/vfio-boot.conf* /etc/vfio-boot.conf.d/* /var/lib/vfio-boot /etc/grub.d/*vfio* 2>/dev/null | sed 's/^/file /' | say
	look_into_image
}

install_package() { run apt-get -q -y install "$@"; }

# Quick images: of modules only what hooks ask for. The menu is made for a disk that is not there.
echo MODULES=list >/etc/initramfs-tools/conf.d/quick
run apt-get -q update
install_package --no-install-recommends grub2-common grub-common
dpkg-divert --quiet --rename /usr/sbin/grub-probe
cp /root/grub-probe /usr/sbin/grub-probe
mkdir -p /boot/grub
: >/boot/grub/grub.cfg
run update-grub
run update-initramfs -u
list_files >/root/files.before
cp /boot/grub/grub.cfg /root/grub.cfg.before
state

moment=install
install_package /root/old/vfio-boot_*.deb
state

# What autopkgtest runs in this state.
moment=autopkgtest
export AUTOPKGTEST_TMP=/root/tmp
mkdir $AUTOPKGTEST_TMP
run /root/tests/image
tail -n 1 /root/ran | say

# The menu of machines of several kinds.
for GRUB_CASE in plain boot crypt btrfs; do
	export GRUB_CASE
	for words in '' 'quiet -- splash'; do
		moment=grub-$GRUB_CASE${words:+-words}
		printf '%s\n' GRUB_SAVEDEFAULT=true GRUB_ENABLE_CRYPTODISK=y "GRUB_DISTRIBUTOR=\"Bob's \\\$x\"" \
			"GRUB_CMDLINE_LINUX_DEFAULT='$words'" "GRUB_DISABLE_SUBMENU=${words:+y}" >/etc/default/grub.d/case.cfg
		grub-mkconfig 2>/root/said >/root/grub.cfg
		echo "exit $?" | say
		grep vfio-boot /root/said | say
		grub-script-check /root/grub.cfg && echo script ok | say
		sed 's/^/cfg /' /root/grub.cfg | say
	done
done
unset GRUB_CASE
# An entry for superusers alone has more quotes in its line.
moment=grub-users
mv /etc/grub.d/10_linux /root/
sed "s/^CLASS=\"[^\"]*/& --users ''/" /root/10_linux >/etc/grub.d/10_linux
chmod 755 /etc/grub.d/10_linux
grub-mkconfig 2>/dev/null | sed -n 's/^menuentry/cfg &/p' | say
mv /root/10_linux /etc/grub.d/
# The entry follows the default: its name, and which kernel it boots. There is an older kernel, too.
: >/boot/vmlinuz-4.1-old
follow() {
	printf '%s\n' "GRUB_DISTRIBUTOR=\"Bob's > D\"" "GRUB_DEFAULT=\"$1\"" "GRUB_DISABLE_SUBMENU=$flat" >/etc/default/grub.d/case.cfg
	grub-mkconfig 2>/root/said >/root/grub.cfg || echo "exit $?" | say
	grub-script-check /root/grub.cfg || echo "no script" | say
	# shellcheck disable=SC2016 # the $ is for GRUB
	printf '%s = %s\n' "$1" "$(sed -n '/^### BEGIN .*90_vfio-boot/,/^### END /{
		s/^menuentry '\''\(.*\), without passthrough'\'' --class .* \$menuentry_id_option '\''vfio-boot-off'\'' {$/\1:/p
		s/^\tlinux\t\/boot\/vmlinuz-\([^ ]*\) vfio.ids=off .*/\1/p
	}' /root/grub.cfg | paste -s -d ' ')" | say
	sed -n "s|^.*vfio-boot: |warned of $1: |p" /root/said | say
}
id=66666666-7777-8888-9999-000000000000
all=gnulinux-advanced-$id old=gnulinux-4.1-old-advanced-$id os="Bob's >> D GNU/Linux"
moment=follow flat=''
for default in 0 1 '1>2' '1>3' 5 "$all" "$all>$old" "$all>2" "1>$old" "gnulinux-simple-$id" "Advanced options for $os>$os, with Linux 4.1-old" \
	"$all>gnulinux-4.0-advanced-$id" "gnulinux-advanced-0>$old" '1>7' "osprober-gnulinux-$id" Windows vfio-boot-off; do
	follow "$default"
done
moment=follow-saved
follow saved
grub-editenv - set "saved_entry=$all>$old"
follow saved
rm /boot/grub/grubenv
moment=follow-flat flat=true
for default in 0 2 "$old" "$os, with Linux 4.1-old" "$all>$old"; do
	follow "$default"
done
# Another awk than that of Debian.
moment=follow-awk flat=''
mkdir /root/awk
ln -s "$(command -v busybox)" /root/awk/awk
(
	PATH=/root/awk:$PATH
	follow "Advanced options for $os>$os, with Linux 4.1-old"
)
moment=grub-pinned
follow "$all>$old"
sed 's/^/cfg /' /root/grub.cfg | say
rm /boot/vmlinuz-4.1-old
rm /etc/default/grub.d/case.cfg
moment=grub-strange
mv /etc/grub.d/10_linux /root/
printf '#!/bin/sh\necho "menuentry Debian {"\necho "linux /vmlinuz"\necho "}"\n' >/etc/grub.d/10_linux
chmod 755 /etc/grub.d/10_linux
grub-mkconfig 2>&1 >/root/grub.cfg | grep vfio-boot | say
grep -c 'vfio' /root/grub.cfg | sed 's/^/lines /' | say
chmod 644 /etc/grub.d/10_linux
grub-mkconfig 2>&1 >/root/grub.cfg | grep vfio-boot | say
mv /root/10_linux /etc/grub.d/
pkgdatadir=/nowhere /etc/grub.d/90_vfio-boot 2>&1 | say

# The newer version has another conffile, and so has the administrator; nobody is there to
# answer dpkg's question. The package is left half-configured, and images can still be built.
moment=half
echo 'ids = 8086:10d3' >>/etc/vfio-boot.conf
systemctl disable vfio-boot >>/root/log 2>&1
run dpkg -i /root/new/vfio-boot_*.deb
run update-initramfs -u
state
moment=upgrade
run dpkg --force-confold --configure -a
state
sed -n '/^ids/p' /etc/vfio-boot.conf | sed 's/^/conffile /' | say

# A menu that cannot be made is no fault of the package.
moment=faults
mv /usr/sbin/update-grub /root/
printf '#!/bin/sh\nexit 1\n' >/usr/sbin/update-grub
chmod 755 /usr/sbin/update-grub
run dpkg --force-confold -i /root/new/vfio-boot_*.deb
state

mkdir -p /etc/vfio-boot.conf.d /var/lib/vfio-boot
echo 'ids = 8086:10d3' >/etc/vfio-boot.conf.d/50-local.conf
: >/var/lib/vfio-boot/protect

# The tree of another machine, that dpkg works on from outside. That would say so if it tried to make this one's menu
# or image.
moment=elsewhere
mkdir -p /root/elsewhere/var/lib/vfio-boot
sed -i.before 's/^update_initramfs=.*/update_initramfs=no/' /etc/initramfs-tools/update-initramfs.conf
run env DPKG_ROOT=/root/elsewhere /var/lib/dpkg/info/vfio-boot.postrm remove
run env DPKG_ROOT=/root/elsewhere /var/lib/dpkg/info/vfio-boot.postrm purge
run env DPKG_ROOT=/root/elsewhere /var/lib/dpkg/info/vfio-boot.postinst configure
find /root/elsewhere -name '*vfio-boot' | sed 's/^/left /' | say
mv /etc/initramfs-tools/update-initramfs.conf.before /etc/initramfs-tools/update-initramfs.conf
mv /root/update-grub /usr/sbin/
state

moment=remove
run apt-get -q -y remove vfio-boot
state
moment=purge
run apt-get -q -y --autoremove purge vfio-boot
state
list_files | diff /root/files.before - | sed 's/^/diff /' | say
diff /root/grub.cfg.before /boot/grub/grub.cfg | sed 's/^/diff /' | say

# An image that cannot be built is no fault of ours: the one before stays, until dpkg is asked once more.
moment=broken
hook=/etc/initramfs-tools/hooks/zz-test
printf '#!/bin/sh\ntest "%s" = prereqs\n' "\$1" >$hook
chmod 755 $hook
install_package /root/old/vfio-boot_*.deb
state
moment=mended
rm $hook
run dpkg --configure -a
state

# What somebody else has put there is not ours to take.
moment=again
echo '# mine' >/etc/vfio-boot.conf.d/10-mine.conf
run apt-get -q -y purge vfio-boot
state

# Several kernels: one has an image without the package, one an image that cannot be read, one an image that cannot be
# built before the purge, and the newest has none. A hook reads whatever it is given.
look_into_images() {
	for kernel in $kernels; do
		files=$(timeout -k 5 30 lsinitramfs "/boot/initrd.img-$kernel" 2>/dev/null) || files=torn
		case $files in
		torn) echo "torn $kernel" ;;
		*vfio-boot*) echo "with $kernel" ;;
		*init*) echo "without $kernel" ;;
		esac
	done | say
}

moment=kernels
version=${image#*img-}
kernels="4.1-before 4.2-with 4.3-torn 4.4+fails~1"
for kernel in $kernels; do
	cp -al "/lib/modules/$version" "/lib/modules/$kernel"
	for file in vmlinuz config; do
		cp "/boot/$file-$version" "/boot/$file-$kernel"
	done
done
: >/boot/vmlinuz-9.0-none
kernels="$kernels $version"
run update-initramfs -c -k 4.1-before
install_package /root/old/vfio-boot_*.deb
for kernel in 4.2-with 4.3-torn 4.4+fails~1; do
	run update-initramfs -c -k "$kernel"
done
truncate -s 100000 /boot/initrd.img-4.3-torn
look_into_images
cat >$hook <<-"END"
	#!/bin/sh
	[ "$1" != prereqs ] || exit 0
	cat >/dev/null
	[ "$version" != 4.4+fails~1 ] || [ -e /root/mended ]
END
chmod 755 $hook
moment=kernels_remove
run apt-get -q -y remove vfio-boot
look_into_images
moment=kernels_purge
: >/root/mended
# Neither the folder nor what is in it can be taken away.
rm -rf /etc/vfio-boot.conf.d
mkdir /root/tmp/50-local.conf
ln -s /root/tmp /etc/vfio-boot.conf.d
run apt-get -q -y purge vfio-boot
rm /etc/vfio-boot.conf.d
look_into_images

# Images that are not to be updated are not, and that is said. What builds them may go in the same run.
moment=kernels_no
install_package /root/old/vfio-boot_*.deb
sed -i.before 's/^update_initramfs=.*/update_initramfs=no/' /etc/initramfs-tools/update-initramfs.conf
run apt-get -q -y remove vfio-boot
mv /etc/initramfs-tools/update-initramfs.conf.before /etc/initramfs-tools/update-initramfs.conf
look_into_images
moment=kernels_both
run update-initramfs -u -k "$version"
install_package /root/old/vfio-boot_*.deb
run dpkg --force-depends --remove initramfs-tools vfio-boot
look_into_images

# Where nobody is left who could build an image, what that means is said.
moment=alone
install_package initramfs-tools /root/old/vfio-boot_*.deb
run dpkg --force-depends --remove initramfs-tools
run dpkg --purge vfio-boot
