#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Boots under UEFI firmware whose variables stay. In two of them the kernel panics once the card is claimed: the third
# claims nothing, says so, and comes up. Then the fourth claims again. Boots that somebody ends are never counted.
# builders: initramfs-tools

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../qemu";
use Guest;
use Test::More;

my $card = '0000:03:00.0';
my $mate = '0000:03:00.1';
my $reason = 'the last two boots with claims did not come up (fallback=no turns this off)';
my $variables = "$Guest::top/build/qemu/fallback.fd";
unlink $variables;

# The running system: what the variable is, before and after it has said that it is up.
my $test = <<'END';
#!/bin/sh
store=/sys/firmware/efi/efivars claim=/usr/lib/vfio-boot/vfio-boot-claim
look() {
	grep -q " $store " /proc/mounts && echo "$1: mounted"
	mount -t efivarfs efivarfs $store 2>/dev/null || return
	for file in $store/VfioBootFailed-*; do
		[ ! -e "$file" ] || echo "$1: $(hexdump -ve '1/1 "%02x "' "$file")$(touch "$file" 2>/dev/null && echo writable || echo immutable)"
	done
	umount $store
}
look before
if grep -qw panics /proc/cmdline && grep -q vfio-pci /run/vfio-boot/report; then
	sync
	echo c >/proc/sysrq-trigger
fi
! grep -qw readonly /proc/cmdline || mount -t efivarfs -o ro efivarfs $store
"$claim" --came-up
echo "came up: exit $?"
sed -n "s,.* $store \(efivarfs\) \(r[ow]\)\,.*,mounted: \1 \2,p" /proc/mounts
umount $store 2>/dev/null
look after
END
my %overlay = ('etc/test' => $test, 'var/lib/vfio-boot/count-boots' => '');

sub up {
	my ($n, $claims, $count, %o) = @_;
	my $boot = Guest->boot("fallback-$n", conf => "ids = 03:00.*\n", overlay => \%overlay, machine => [ '-F', $variables ], %o);
	is($boot->held_by('vfio-pci'), $claims ? "$card $mate" : '', "boot $n: " . ($claims ? 'the card is claimed' : 'nothing is claimed'));
	like($boot->text('test'), qr/\A\Qbefore: 07 00 00 00 3$count \E/, "the variable is $count, and efivarfs was left unmounted");
	return $boot;
}

up(1, 1, 1, words => 'panics', panics => 1);
up(2, 1, 2, words => 'panics', panics => 1);

my $third = up(3, 0, 2, words => 'panics');
is_deeply([ $third->log(qr/nothing is claimed/) ], [ [ 4, "vfio-boot: nothing is claimed: $reason" ] ], 'the kernel log says why, as a warning');
is($third->driver($_), 'e1000e', "$_ is with its driver") for $card, $mate;
is($third->pci($card, 'again-pci')->{driver}, 'e1000e', 'and stays there in this boot');
like($third->text('plan'), qr/^\Q$card\E .*: claim for vfio-pci$/m, 'the next boot is planned as ever');
like($third->text('test'), qr/\Abefore: 07 00 00 00 32 immutable\ncame up: exit 0\nexit 0\z/, 'it comes up: the variable, which was immutable, is gone');

my $fourth = up(4, 1, 1);
is(scalar(() = $fourth->log(qr/EFI|fallback/)), 0, 'the fourth claims again, without a word');
$fourth->usable(7, $card, $mate);

# An orderly end says the same as one that has come up, so none of these counts.
up(5, 1, 1);
# Some have efivarfs mounted read-only, for fear of rm -r.
my $sixth = up(6, 1, 1, words => 'readonly');
like($sixth->text('test'), qr/^came up: exit 0\nmounted: efivarfs ro\nexit 0\z/m, 'efivarfs is read-only, and stays so: the variable is gone all the same');
up(7, 1, 1);

my $off = Guest->boot('fallback-off', conf => "ids = 03:00.*\nfallback = no\n", overlay => \%overlay, machine => [ '-F', $variables ], words => 'panics', panics => 1);
is($off->text('test'), '', 'with fallback=no there is no variable');
unlink $variables;
done_testing();
