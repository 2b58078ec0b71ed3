#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The images that vfio-boot add has rebuilt, by programs that ask, are killed, leave something behind, fail, do nothing or
# are not there. vfio-boot runs in a root of its own, with the libraries that it needs; tests/system/add.t has the real one.

use strict;
use warnings;
use File::Path 'remove_tree';
use FindBin;
use lib $FindBin::Bin;
use Image;
use Test::More;
use Tree;

my $root = 'build/rebuild';
my $own = "$root/etc/vfio-boot.conf.d/50-local.conf";

remove_tree($root);
unpack_fixture($root, 'qemu-q35');
bring($root, 'build/vfio-boot', '/usr/sbin/vfio-boot');
bring($root, "/bin/$_", "/bin/$_") for qw(sh sleep cp);
spew("$root/etc/vfio-boot.conf", '');
spew("$root/dev/null", '');

my @among; # what it is started by

# Exit status, seconds, and what is said where this makes the image.
sub change {
	my ($builder, $script, @words) = @_;
	unlink map { "$root/usr/$_" } qw(sbin/update-initramfs bin/dracut sbin/dracut);
	spew("$root/usr/$builder", "#!/bin/sh\n$script") if $builder;
	chmod 0755, "$root/usr/$builder" if $builder;
	my $start = time;
	system("echo yes | timeout 60 @as_root @among chroot $root /usr/sbin/vfio-boot @words >$root/said 2>&1");
	return ($? >> 8, time - $start, slurp("$root/said"));
}

sub add {
	my ($builder, $script, @options) = @_;
	unlink $own;
	my @result = change($builder, $script, 'add', @options, '04:00.0');
	like(slurp($own), qr/^ids = 0000:00:04/m, ($builder || 'none') . ': the settings are written');
	return @result;
}

my ($status, $took, $said) = add('sbin/update-initramfs', <<'END');
echo "called with $*"
read -r answer && echo "somebody answered $answer"
sh -c 'kill -PIPE $$; echo pipes do not end'
sleep 15 &
printf 'the end'
END
is($status, 0, 'update-initramfs: exit status 0') or diag $said;
like($said, qr/^called with -u$/m, 'it is told to update');
lacks($said, qr/somebody answered/, 'there is nobody to be asked');
lacks($said, qr/pipes do not end/, 'SIGPIPE is what it is elsewhere');
cmp_ok($took, '<', 10, 'what it leaves behind is not waited for');
like($said, qr{^the end\n/usr/sbin/update-initramfs -u: \d+ s$}m, 'and it is said how long it took, in a line of its own');

($status, $took, $said) = add('sbin/update-initramfs', "kill -KILL \$\$\n");
is($status, 3, 'killed: exit status 3');
like($said, qr/update-initramfs -u was killed by signal 9: the settings are written, but not in the image/, 'which is said');
($status, $took, $said) = add('sbin/update-initramfs', "kill -INT 0; exit 4\n");
is($status, 3, 'Ctrl-C: exit status 3');
like($said, qr/update-initramfs -u was killed by signal 2: /, 'which is said');
($status, $took, $said) = add('sbin/update-initramfs', <<'END');
(while kill -INT $PPID; do :; done) >/dev/null 2>&1 &
kill -INT $$
END
is($status, 3, 'Ctrl-C again and again: exit status 3');
like($said, qr/update-initramfs -u was killed by signal 2: /, 'which is said');
($status, $took, $said) = add('sbin/dracut', "echo \"called with \$*\"; exit 5\n");
is($status, 3, 'a failure: exit status 3');
like($said, qr/^called with --force\n.*dracut --force failed with exit status 5: /ms, 'which is said');
($status, $took, $said) = add('');
is($status, 1, 'none is there: exit status 1');
like($said, qr/neither update-initramfs nor dracut is installed/, 'which is said');

# Kernels with images, from here on. The next image of each has these settings.
my @kernels = ('6.12.1', '6.9.1', '6.1.0-9');
my $good = image_of($root);
sub kernels {
	unlink $own;
	spew("$root/good", $good);
	for my $release (@kernels) {
		needs_no_module($root, $release);
		spew("$root/boot/initrd.img-$release", image_of($root));
	}
}
kernels();
needs_no_module($root, '6.13.0');             # a kernel without an image
spew("$root/boot/initrd.img-6.14.0", $good);  # an image without a kernel
spew("$root/boot/vmlinuz-6.12.1", '');
spew("$root/boot/initramfs-linux.img", 'x');  # one of no kernel in particular

my $make = "echo \"called with \$*\"\n";
my $update = "$make cp /good /boot/initrd.img-\$3\n";
my $reboot = qr/^vfio-boot: no device changes before the next boot \(reboot\)\nvfio-boot: if that boot does not come up, /m;
sub calls { return join '|', $_[0] =~ /^called with (.*)$/mg }
sub complaints { return join '', grep { /boot\/initrd|images|failed|killed/ } $_[0] =~ /^vfio-boot: (.*\n)/mg }
my @each = map { "-u -k $_" } @kernels;

($status, $took, $said) = add('sbin/update-initramfs', $update);
is($status, 0, 'several kernels: exit status 0') or diag $said;
is(calls($said), join('|', @each), 'the newest first');
is(join('|', $said =~ m{^/usr/sbin/update-initramfs (.*): \d+ s$}mg), join('|', @each), 'with a line each');
like($said, $reboot, 'and then it takes a reboot');
is(complaints($said), '', 'all is well');

kernels();
($status, $took, $said) = add('sbin/update-initramfs', $update, '--newest');
is($status, 0, '--newest: exit status 0');
is(calls($said), $each[0], 'that one alone');
like($said, $reboot, 'and then it takes a reboot');
is(complaints($said), '', 'nothing is said of the others');

for ([ 0, $update, 'true', 'made' ], [ 3, "exit 7\n", 'false', 'not made' ], [ 0, $update, 'false', 'left as they are', '--no-rebuild' ]) {
	my ($exit, $script, $rebuilt, $name, @options) = @$_;
	kernels();
	($status, $took, $said) = add('sbin/update-initramfs', $script, '--json', @options);
	like($said, qr/^\{"format":1,"changed":true,.*"rebuilt":$rebuilt,.*"exit_status":$exit\}$/m, "--json: whether the images were rebuilt: $name");
	is($status, $exit, "--json: exit status $exit");
}

kernels();
($status, $took, $said) = add('sbin/update-initramfs', "[ \$3 != 6.9.1 ] || { echo oh; exit 7; }\n$update");
is($status, 3, 'one that fails: exit status 3');
is(calls($said), join('|', @each[ 0, 2 ]), 'the others are made');
is(complaints($said), "/usr/sbin/update-initramfs -u -k 6.9.1 failed with exit status 7: the settings are written, but not in the image "
	. "(correct what it reports and run it again)\n", 'which is all that is said');
lacks($said, $reboot, 'no word of a reboot');

kernels();
($status, $took, $said) = add('sbin/update-initramfs', "[ \$3 != 6.12.1 ] || exit 7; $make");
is($status, 3, 'one that fails, and others that are not right: exit status 3');
is(() = complaints($said) =~ /has older settings/g, 2, 'which is said of these');

for my $end ('kill -INT $$', 'exit 130') {
	kernels();
	($status, $took, $said) = add('sbin/update-initramfs', "$make$end\n");
	is($status, 3, "Ctrl-C ($end): exit status 3");
	is(calls($said), $each[0], 'the others are not begun');
	like(complaints($said), qr/ -u -k 6\.12\.1 (?:was killed|failed) .*\n2 more images were not rebuilt\n\z/, 'which is said');
}
kernels();
# What the first one may do about Ctrl-C the next one may as well.
($status, $took, $said) = add('sbin/update-initramfs', "sh -c 'kill -INT \$\$; echo alive'\n$update");
lacks($said, qr/alive/, 'SIGINT is what it is elsewhere, each time');

# One that does nothing, whatever keeps it from that.
kernels();
($status, $took, $said) = add('sbin/update-initramfs', $make);
is($status, 1, 'one that does nothing: exit status 1');
is(complaints($said), join('', map { "/boot/initrd.img-$_ has older settings: /etc/vfio-boot.conf.d/50-local.conf is not in it (update-initramfs -u -k $_)\n" } @kernels),
	'each image is looked into');
lacks($said, $reboot, 'no word of a reboot');
spew("$root/boot/initrd.img-$_", $good) for @kernels;
($status, $took, $said) = change('sbin/update-initramfs', $make, 'remove', '04:00.0');
is($status, 1, 'of what is removed: exit status 1');
is(complaints($said), join('', map { "/boot/initrd.img-$_ has older settings: /etc/vfio-boot.conf.d/50-local.conf differs (update-initramfs -u -k $_)\n" } @kernels),
	'that is still in the images');
lacks($said, $reboot, 'no word of a reboot');
unlink $own;


# Where the cause is known, it comes first, and what mends it.
my $conf = 'etc/initramfs-tools/update-initramfs.conf';
my $updates_none = "update_initramfs=no in /$conf: update-initramfs updates no image (set update_initramfs=yes, then update-initramfs -u -k all)\n";
my $read_only = "/boot is mounted read-only: no image can be written (mount -o remount,rw /boot, then update-initramfs -u -k all)\n";
spew("$root/$conf", "update_initramfs=no\n");
kernels();
($status, $took, $said) = add('sbin/update-initramfs', $make);
is($status, 1, 'update_initramfs=no: exit status 1');
like($said, qr/^vfio-boot: \Q$updates_none\E(?!.*\Q$updates_none\E).*^called with /ms, 'the cause is said, once, before it is tried');
is(calls($said), join('|', @each), 'it is tried');
is(() = complaints($said) =~ /has older settings/g, 3, 'and each image is looked into');
lacks($said, $reboot, 'no word of a reboot');
kernels();
@among = ('tests/read-only', "$root/boot");
($status, $took, $said) = add('sbin/update-initramfs', $make, '--newest');
is($status, 1, '/boot is read-only: exit status 1');
like($said, qr/^vfio-boot: \Q$read_only\Evfio-boot: \Q$updates_none\Ecalled with /m, 'all causes are said');
unlink "$root/$conf";
kernels();
($status, $took, $said) = add('bin/dracut', "$make exit 1\n");
is($status, 3, 'dracut fails then: exit status 3');
like($said, qr/^vfio-boot: \Q@{[ $read_only =~ s{update-initramfs.*\)}{dracut --force --regenerate-all)}r ]}\Ecalled with /m, 'its command is another one');
# Nobody could look into an image.
rename "$root/lib/modules", "$root/lib/none" or die;
($status, $took, $said) = add('sbin/update-initramfs', $make);
is($status, 1, 'without any image: exit status 1');
like($said, qr/^vfio-boot: \Q$read_only\Ecalled with -u$/m, 'the cause is said');
lacks($said, $reboot, 'no word of a reboot');
rename "$root/lib/none", "$root/lib/modules" or die;
@among = ();
($status, $took, $said) = add('sbin/update-initramfs', $update);
lacks($said, qr/read-only|update_initramfs/, 'where nothing is in the way, nothing is said');

kernels();
spew("$root/good", image_of($root, 'usr/lib/vfio-boot/vfio-boot-claim' => undef));
($status, $took, $said) = add('sbin/update-initramfs', $update, '--newest');
is($status, 1, 'without vfio-boot: exit status 1');
is(complaints($said), "/boot/initrd.img-6.12.1 will not do this: vfio-boot-claim is not in it (update-initramfs -u -k 6.12.1)\n", 'which is said');
spew("$root/good", 'x');
($status, $took, $said) = add('sbin/update-initramfs', $update, '--newest');
is($status, 1, 'one that is damaged: exit status 1');
like(complaints($said), qr{\A/boot/initrd\.img-6\.12\.1 will not do this: it is damaged, or no initramfs \(.*\)\n\z}, 'which is said');

for my $dracut ('bin/dracut', 'sbin/dracut') {
	kernels();
	($status, $took, $said) = add($dracut, "$make cp /good \$2\n");
	is($status, 0, "$dracut: exit status 0") or diag $said;
	is(calls($said), join('|', map { "--force /boot/initrd.img-$_ $_" } @kernels), 'it is told which image is to be made');
	is(join('|', $said =~ m{^/usr/$dracut (.*): \d+ s$}mg), calls($said), 'with a line each');
	like($said, $reboot, 'and then it takes a reboot');
}
for my $builder (['sbin/update-initramfs', 'update-initramfs -u -k all'], ['bin/dracut', 'dracut --force --regenerate-all']) {
	($status, $took, $said) = add($builder->[0], $make, '--no-rebuild');
	is($status, 0, '--no-rebuild: exit status 0');
	is(calls($said), '', 'nothing is made');
	like($said, qr/^vfio-boot: the image was not rebuilt; rebuild it before the next boot \(\Q$builder->[1]\E\)\n/m, 'and it is said how');
}

# What was written and could not be built is selected already when it is tried again.
spew("$root/proc/sys/kernel/osrelease", "$kernels[0]\n");
kernels();
add('sbin/update-initramfs', "exit 7\n");
($status, $took, $said) = change('sbin/update-initramfs', $update, 'add', '--json', '04:00.0');
is($status, 1, 'selected already, but not in the image: exit status 1') or diag $said;
is(complaints($said), "/boot/initrd.img-6.12.1 has older settings: /etc/vfio-boot.conf.d/50-local.conf is not in it (update-initramfs -u -k 6.12.1)\n",
	'which is said');
like($said, qr/^\{"format":1,"changed":false,.*"exit_status":1\}$/m, 'and is in the object');
($status, $took, $said) = change('sbin/update-initramfs', $update, 'add', '--no-rebuild', '04:00.0');
is($status . complaints($said), '0', 'with --no-rebuild nobody asks for the image');
spew("$root/boot/initrd.img-$_", $good) for @kernels;
($status, $took, $said) = change('sbin/update-initramfs', $update, 'add', '04:00.0');
is($status . complaints($said), '0', 'selected already, and in the image: exit status 0') or diag $said;

# More kernels than anybody has.
for my $n (1 .. 263) {
	needs_no_module($root, "5.$n");
	spew("$root/boot/initrd.img-5.$n", '');
}
($status, $took, $said) = add('sbin/update-initramfs', $update);
is(scalar(my @calls = $said =~ /^called with/mg), 64, 'of 266 kernels the newest 64');
is(join('|', (split /\|/, calls($said))[ 0 .. 4, 63 ]), join('|', @each, '-u -k 5.263', '-u -k 5.262', '-u -k 5.203'), 'in their order');
is(complaints($said), "there are more than 64 kernels: the images of 202 old ones stay as they are\n", 'which is said');
remove_tree("$root/lib/modules", "$root/boot");

# Numbers of files must not become streams.
add('sbin/update-initramfs', "read -r line; echo spoken && echo spoken >&2 && echo so >/outcome\n");
unlink "$root/outcome", $own;
system("@as_root chroot $root /usr/sbin/vfio-boot add 04:00.0 <&- >&- 2>&-");
is($? >> 8, 3, 'without standard streams: exit status 3');
is(slurp("$root/outcome"), "so\n", 'and the image is made all the same');
like(slurp($own), qr/^ids = 0000:00:04[^\n]*\n\z/m, 'of what is written');

remove_tree($root) if Test::More->builder->is_passing;
done_testing();
