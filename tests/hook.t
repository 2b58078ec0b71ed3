#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the hooks of initramfs-tools and dracut put into an image and warn of, with a program that says and does what the
# host program may. tests/qemu/image.t and dracut.t have it in a real build.

use strict;
use warnings;
use Cwd qw(getcwd);
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $dir = getcwd() . '/build/hook';
remove_tree($dir);
make_path($dir);
my $files = slurp('hook/image-files');
$files =~ s{/usr/lib/vfio-boot/vfio-boot-claim}{$dir/claim}g;
$files =~ s{/usr/sbin/vfio-boot}{$dir/vfio-boot}g;
$files =~ s{/var/lib/vfio-boot/protect}{$dir/protect}g;
$files =~ s{/etc/vfio-boot\.conf}{$dir/none}g;
$files =~ s{/etc/modprobe\.d}{$dir/modprobe.d}g;
$files =~ s{/sys/bus/pci/devices}{$dir/devices}g;
$files =~ s{/usr/lib/udev/rules\.d}{$dir/rules.d}g;
$files =~ s{timeout -k 5 60}{timeout -k 1 \${limit-60}}g;
spew("$dir/image-files", $files);
spew("$dir/claim", "program\n");
chmod 0755, "$dir/claim";
spew("$dir/rules.d/60-vfio-boot.rules", "rules\n");
my $copy = "dash -u $dir/image-files copy $dir/image 6.1";

# What the hook prints, with a program that does this for `protect`, if there is one, and that for `plan`.
sub hook {
	my ($does, $had, $plan) = @_;
	unlink "$dir/vfio-boot";
	remove_tree("$dir/image");
	make_path("$dir/devices");
	-d "$dir/protect" and rmdir "$dir/protect";
	spew("$dir/protect", $had // "old\n");
	if (defined $does) {
		$plan //= ':';
		spew("$dir/vfio-boot", "#!/bin/sh\nif [ \"\$1\" = plan ]; then $plan; exit; fi\n[ \"\$*\" = protect ] || exit 0\n$does\n");
		chmod 0755, "$dir/vfio-boot";
	}
	# It is waited for to its end only where it does not come to it.
	my $limit = ($does // '') . ($plan // '') =~ /sleep/ ? 1 : 60;
	my $text = qx(limit=$limit $copy 2>&1);
	return $text . '-- exit ' . ($? >> 8) . "\n";
}

# What is in the image, or on the host.
sub image { slurp("$dir/image$dir/protect") }
sub host { slurp("$dir/protect") }

my $unknown = "protect = unknown  # vfio-boot protect failed at the last build of an image\n";
my $new = "-- exit 0\n";
# What is said of one that failed, and what is copied then.
sub old {
	my ($why) = @_;
	return "W: vfio-boot: $why: $dir/protect may be out of date, and storage is claimed only if it is named until this succeeds\n"
		. "-- exit 0\n";
}
is(hook("echo new >$dir/protect; echo done"), $new, 'the file is written before it is copied, without a word');
is(image(), "new\n", 'as it is');
is(hook("echo new >$dir/protect; printf '%s\\n' 'vfio-boot: a\\tb' 'vfio-boot: c' >&2; exit 1"),
	"W: vfio-boot: a\\tb\nW: vfio-boot: c\n$new", 'unknown: each line is a warning, as it is');
is(image(), "new\n", 'and the file as it is');
is(hook("echo 'vfio-boot: cannot' >&2; exit 3"), old('cannot'), 'what failed has said why, in one warning');
is(hook('exit 3'), old('vfio-boot protect failed'), 'or has not');
is(hook("echo 'vfio-boot: a' >&2; echo 'vfio-boot: b' >&2; exit 3"), old('a;b'), 'or more than one thing');
is(hook("echo 'vfio-boot: a' >&2; exit 5"), old('vfio-boot protect ended with status 5'), 'a status that it has not is told');
hook("echo 'vfio-boot: cannot' >&2; exit 3");
is(image(), "old\n$unknown", 'what it lived on goes on to be protected, but nobody claims to know');
is(host(), image(), 'on the host as in the image, so that a plan says the same');
is(hook('kill -SEGV $$'), old('vfio-boot protect ended with status 139'), 'a crash is told, once');
is(hook('exec sleep 30'), old('vfio-boot protect did not end within 60 s'), 'and so is one that hangs');
is(hook('trap "" TERM; while :; do sleep 0.1; done'), old('vfio-boot protect did not end within 60 s'), 'whatever it does about signals');
is(hook(undef), old("$dir/vfio-boot is not there"), 'and one that is not there');
is(image(), "old\n$unknown", 'which protects nothing new either');
hook('exit 3', "old\n$unknown");
is(image(), "old\n$unknown", 'it is said once');
lacks(hook("rm $dir/protect; mkdir $dir/protect; exit 3") =~ s{\Q$dir\E}{}gr, qr/sh|cannot|directory/i, 'without a word of the shell');
is(image(), $unknown, 'and in the image alone where the host takes nothing');
remove_tree("$dir/protect");

# A plan that does not come to its end leaves open what is refused; one that does has said it.
sub planned {
	my ($does) = @_;
	return hook("echo new >$dir/protect", undef, $does);
}
my $open = 'what the next boot refuses is not known';
is(planned($_), "-- exit 0\n", "a plan that ends with `$_`: not a word") for 'exit 0', 'exit 1', 'exit 2';
is(planned('echo 10de:2204: absent: x; echo vfio-boot: y >&2; exit 2'),
	"W: vfio-boot: y\nW: vfio-boot: 10de:2204: absent: x\n-- exit 0\n", 'but with what it has said');
is(planned('echo vfio-boot: planned for the kernel command line: x >&2; echo "vfio-boot: $*" >&2'), "W: vfio-boot: plan --no-image -k 6.1\n-- exit 0\n",
	'it is planned for this kernel, as if the image had the settings already');
is(planned('echo vfio-boot: cannot >&2; exit 3'), "W: vfio-boot: cannot\nW: vfio-boot: vfio-boot plan failed: $open\n-- exit 0\n", 'one that fails is a warning');
is(planned("exit $_"), "W: vfio-boot: vfio-boot plan ended with status $_: $open\n-- exit 0\n", "and so is one that ends with $_") for 4, 126, 127;
is(planned('kill -SEGV $$'), "W: vfio-boot: vfio-boot plan ended with status 139: $open\n-- exit 0\n", 'or crashes, in one line');
is(planned($_), "W: vfio-boot: vfio-boot plan did not end within 60 s: $open\n-- exit 0\n", "or hangs: `$_`")
	for 'exec sleep 30', 'trap "" TERM; while :; do sleep 0.1; done';

# Settings that lead nowhere are no settings, but somebody meant them to be. Where the host program can
# read nothing in the folder, what protects is unknown, and so it has to be in the image.
make_path("$dir/none.d");
symlink('nowhere', "$dir/none");
symlink('nowhere', "$dir/none.d/a.conf");
make_path("$dir/none.d/b.conf");
spew("$dir/none.d/c.conf", "# settings\n");
symlink('/dev/null', "$dir/none.d/d.conf");
is(hook("echo new >$dir/protect"), join('', map { "W: vfio-boot: cannot copy $dir/none$_\n" } '', '.d/a.conf', '.d/b.conf') .
	$new, 'settings that cannot be copied: a warning');
ok(!-e "$dir/image$dir/none", 'a link to nothing is no settings file, in the image as on the host');
ok(-d "$dir/image$dir/none.d/$_", "but in its folder it is one that cannot be read ($_)") for 'a.conf', 'b.conf';
is(slurp("$dir/image$dir/none.d/c.conf"), "# settings\n", 'beside those that can');
ok(!-e "$dir/image$dir/none.d/d.conf", 'and a link to /dev/null is an empty file, which need not be there');
unlink("$dir/none", "$dir/none.d/a.conf", "$dir/none.d/c.conf");
is(hook("echo new >$dir/protect; mkdir -p $dir/image$dir; : >$dir/image$dir/none.d"),
	"W: vfio-boot: cannot copy $dir/none.d/b.conf\n"
		. "W: vfio-boot: the next boot does not know $dir/none.d/b.conf and may claim more than vfio-boot plan says\n$new",
	'where the image cannot have that either, what it means is said');
make_path("$dir/none");
hook('exit 0');
ok(-d "$dir/image$dir/none", 'and a folder is one that cannot be read');
remove_tree("$dir/none", "$dir/none.d");

# Boots are counted where systemd clears the count, by both units.
my $wanted = "$dir/system/etc/systemd/system";
sub is_counted {
	my ($init, @units) = @_;
	remove_tree("$dir/system", "$dir/image");
	make_path("$dir/system/sbin", "$dir/system$dir", "$dir/system/usr/lib/udev/rules.d");
	symlink $init, "$dir/system/sbin/init" if $init;
	for (@units) {
		make_path("$wanted/$_->[0].target.wants");
		symlink "/lib/systemd/system/$_->[1].service", "$wanted/$_->[0].target.wants/$_->[1].service";
	}
	qx($copy $dir/system 2>&1);
	return -e "$dir/image/var/lib/vfio-boot/count-boots" ? 'counted' : 'not counted';
}
my @units = ([ 'sysinit', 'vfio-boot-begun' ], [ 'multi-user', 'vfio-boot-came-up' ]);
is(is_counted($_, @units), 'counted', "$_: boots are counted") for '/lib/systemd/systemd', '../lib/systemd/systemd';
is(is_counted($_, @units), 'not counted', "$_: nobody would clear the count") for 'runit-init', '';
is(is_counted('/lib/systemd/systemd', $_), 'not counted', "nor with $_->[1].service alone") for @units;
is(is_counted('/lib/systemd/systemd'), 'not counted', 'nor with neither');
remove_tree("$dir/system", "$dir/image");

# Where no devices are to be seen, as in a chroot.
my $elsewhere = "protect = unknown  # no devices were visible when the image was built\n";
hook('exit 0');
rmdir "$dir/devices";
unlink "$dir/protect";
is(qx(dash -u $dir/image-files copy $dir/image 6.1 2>&1),
	'', 'a root without devices: unknown, and that is no fault');
is(image(), $elsewhere, 'in the image, too');
spew("$dir/vfio-boot", <<"END");
#!/bin/sh
echo '10de:2204: absent: no such device'
exec >&2
echo 'vfio-boot: $dir/devices: no such file'
echo 'vfio-boot: planned for the kernel command line: x'
echo 'vfio-boot: $dir/none:1:17: not a selector'
echo 'vfio-boot: kernel command line:3: not a selector'
exit 3
END
chmod 0755, "$dir/vfio-boot";
is(qx(dash -u $dir/image-files copy $dir/image 6.1 2>&1 >/dev/null),
	"W: vfio-boot: $dir/none:1:17: not a selector\n", 'and of a plan there only what is wrong with the settings is said');
spew("$dir/vfio-boot", "#!/bin/sh\nkill -SEGV \$\$\n");
is(qx(dash -u $dir/image-files copy $dir/image 6.1 2>&1 >/dev/null),
	"W: vfio-boot: vfio-boot plan ended with status 139: $open\n", 'and that it crashed');
# The program.
make_path("$dir/devices");
spew("$dir/vfio-boot", "#!/bin/sh\n");
remove_tree("$dir/image");
is(qx(umask 077; $copy 2>&1), '', 'a host program that has nothing to say');
is(slurp("$dir/image$dir/claim"), "program\n", 'the claim program is in the image');
is((stat "$dir/image$dir/claim")[2] & 07777, 0755, 'where it can be run');
chmod 0644, "$dir/claim";
is(qx($copy 2>&1), "W: vfio-boot: cannot copy $dir/claim: nothing will be claimed at boot\n", 'one that cannot be run is a warning');
chmod 0755, "$dir/claim";

# Options of vfio modules, and nothing else of modprobe.d.
make_path("$dir/modprobe.d");
spew("$dir/modprobe.d/vfio.conf", "options vfio-pci disable_denylist=1\n");
spew("$dir/modprobe.d/kept.conf", "softdep nouveau pre: vfio_pci_core\n");
spew("$dir/modprobe.d/other.conf", "options novfio x=1\n");
remove_tree("$dir/image");
make_path("$dir/image$dir/modprobe.d");
spew("$dir/image$dir/modprobe.d/kept.conf", "kept\n");
is(qx($copy 2>&1), '', 'options of modules');
is(slurp("$dir/image$dir/modprobe.d/vfio.conf"), "options vfio-pci disable_denylist=1\n", 'those of vfio are in the image');
is(slurp("$dir/image$dir/modprobe.d/kept.conf"), "kept\n", 'a file that is there already stays');
ok(!-e "$dir/image$dir/modprobe.d/other.conf", 'and others are not our business');
remove_tree("$dir/modprobe.d");

# udev's rules.
remove_tree("$dir/image");
is(qx($copy 2>&1), '', 'the rules of udev');
is(slurp("$dir/image$dir/rules.d/60-vfio-boot.rules"), "rules\n", 'are in the image');
rename "$dir/rules.d", "$dir/rules" or die "$!\n";
is(qx($copy 2>&1), "W: vfio-boot: cannot copy $dir/rules.d/60-vfio-boot.rules\n", 'and missed where they are not there');
rename "$dir/rules", "$dir/rules.d" or die "$!\n";

# The virtual functions of `vfs` are no fault of an image.
spew("$dir/vfio-boot", "#!/bin/sh\n[ \$1 = protect ] || echo '0000:03:10.0 [8086:10ca] no group: pending, vfs: virtual function 0 of 0000:03:00.0'\n");
chmod 0755, "$dir/vfio-boot";
is(qx($copy 2>&1), '', 'virtual functions that will be made are no warning');

# The modules that the kernel has as files; - and _ are equal.
my $modules = "$dir/modules";
my $names = "dash $dir/image-files modules 6.1 $modules";
sub modules { join ' ', split /\n/, qx($names 2>&1) }
spew("$modules/modules.dep", "kernel/drivers/vfio/pci/vfio-pci.ko.xz: kernel/vfio_iommu_type1.ko\nkernel/drivers/vfio/vfio.ko:\nkernel/x/vfio-pci-core.ko.zst:\n"
	. "kernel/drivers/vfio/pci/mlx5/mlx5-vfio-pci.ko:\n");
spew("$modules/modules.alias", "alias vfio_pci:v000015B3d*sv*sd*bc*sc*i* mlx5_vfio_pci\nalias vfio_pci:v000015B4d*sv*sd*bc*sc*i* mlx5_vfio_pci\nalias pci:v00008086d* e1000e\n");
is(modules(), 'vfio vfio-pci vfio-pci-core mlx5_vfio_pci', 'the modules that there are, with variant drivers');
spew("$modules/modules.dep", "kernel/drivers/vfio/vfio.ko:\n");
is(modules(), 'vfio W: vfio-boot: kernel 6.1 has no vfio-pci: it cannot claim anything', 'none that claims: a warning');
spew("$modules/modules.builtin", "kernel/drivers/vfio/pci/vfio-pci.ko\n");
is(modules(), 'vfio', 'one that is built in needs no file');
spew("$modules/modules.dep", "kernel/drivers/vfio/vfio.ko:\nkernel/drivers/pci/pci-stub.ko:\n");
is(modules(), 'vfio', 'pci-stub is for no claim of x86');
spew("$modules/modules.dep", "kernel/arch/arm64/crypto/sha2-ce.ko:\nkernel/drivers/vfio/vfio.ko:\nkernel/drivers/pci/pci-stub.ko:\n");
is(modules(), 'vfio pci-stub', 'but for that of arm64');

# The root of another system.
my $other = "$dir/other";
remove_tree("$dir/image", $other);
spew("$other$dir/claim", "theirs\n");
chmod 0755, "$other$dir/claim";
spew("$other$dir/none", "ids = 10de:*\n");
spew("$other$dir/rules.d/60-vfio-boot.rules", "theirs\n");
spew("$dir/vfio-boot", "#!/bin/sh\necho \$* >>$dir/asked\n");
is(qx($copy $other 2>&1), "W: vfio-boot: no device of the host is visible here: the boot claims storage only if it is named, until the image is built on the host\n",
	'another root: what it lives on cannot be seen from here');
is(slurp("$dir/image$dir/claim"), "theirs\n", 'its program is copied');
is(slurp("$dir/image$dir/none"), "ids = 10de:*\n", 'and its settings');
is(slurp("$dir/image$dir/protect"), $elsewhere, 'its image knows that nobody knows');
ok(!-e "$other$dir/protect", 'it is not written to');
ok(!-e "$dir/asked", 'and this host is not asked');
spew("$other$dir/none", "  ids=10de:*\n");
like(qx($copy $other 2>&1), qr/^W: .*storage only if it is named/, 'however that is written');
remove_tree("$dir/image");
like(qx($copy / 2>&1) . slurp("$dir/asked"), qr/\Aprotect\nplan /, '/ is this host');
spew("$other$dir/none", "# ids = 10de:*\n");
is(qx($copy $other/ 2>&1), '', 'where nothing is selected, nothing is lost by it');
remove_tree($dir) if Test::More->builder->is_passing;
done_testing();
