#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The image that vfio-boot add has rebuilt, by programs that ask, are killed, leave something behind, fail or are not
# there. vfio-boot runs in a root of its own, with the libraries that it needs; tests/qemu/add.t has the real one.

use strict;
use warnings;
use File::Path 'remove_tree';
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $root = 'build/rebuild';
my $own = "$root/etc/vfio-boot.conf.d/50-local.conf";

remove_tree($root);
unpack_fixture($root, 'qemu-q35');
bring($root, 'build/vfio-boot', '/usr/sbin/vfio-boot');
bring($root, "/bin/$_", "/bin/$_") for qw(sh sleep);
spew("$root/etc/vfio-boot.conf", '');
spew("$root/dev/null", '');

# Exit status, seconds, and what is said where this makes the image.
sub add {
	my ($builder, $script) = @_;
	unlink $own, map { "$root/usr/$_" } qw(sbin/update-initramfs bin/dracut sbin/dracut);
	spew("$root/usr/$builder", "#!/bin/sh\n$script") if $builder;
	chmod 0755, "$root/usr/$builder" if $builder;
	my $start = time;
	system("echo yes | timeout 20 @as_root chroot $root /usr/sbin/vfio-boot add 04:00.0 >$root/said 2>&1");
	my $status = $? >> 8;
	like(slurp($own), qr/^ids = 0000:00:04/m, ($builder || 'none') . ': the settings are written');
	return ($status, time - $start, slurp("$root/said"));
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

# Numbers of files must not become streams.
add('sbin/update-initramfs', "read -r line; echo spoken && echo spoken >&2 && echo so >/outcome\n");
unlink "$root/outcome", $own;
system("@as_root chroot $root /usr/sbin/vfio-boot add 04:00.0 <&- >&- 2>&-");
is($? >> 8, 3, 'without standard streams: exit status 3');
is(slurp("$root/outcome"), "so\n", 'and the image is made all the same');
like(slurp($own), qr/^ids = 0000:00:04[^\n]*\n\z/m, 'of what is written');

remove_tree($root) if Test::More->builder->is_passing;
done_testing();
