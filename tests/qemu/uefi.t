#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Booted by UEFI, so that the firmware leaves a framebuffer on a display. On one that
# is claimed the BAR is free for a guest afterwards: vfio-pci takes the framebuffer off
# a class 0300 function from Linux 6.0 on, the claim does it in all other cases, or
# says that it did not. On one that is not claimed it stays, and so does the console.
# builders: initramfs-tools

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

# Boots with these claims at init-top, [NAME, OPTIONS] each, in place of the usual one.
sub uefi {
	my ($name, $claims, %o) = @_;
	my $order = "look() { { cat /proc/iomem /proc/fb; cat /run/vfio-boot/report; } 2>/dev/null | sed \"s/^/\$1 /\"; } >>/run/looks\nlook before\n";
	$order .= "/usr/lib/vfio-boot/vfio-boot-claim --cmdline '$_->[1]'\nlook $_->[0]\n" for @$claims;
	push @{ $o{machine} }, '-u';
	return Guest->boot("uefi-$name", %o, overlay => { 'scripts/init-top/ORDER' => "$order/scripts/init-top/udev\n",
		'etc/test' => "#!/bin/sh\ncat /run/looks\n" });
}

# Who sat in the BARs of the function at that moment, and which framebuffer the console had.
sub on {
	my ($boot, $when, $address) = @_;
	my ($depth, @on);
	for ($boot->lines('test')) {
		my ($indent, $owner) = /^$when ( *)[0-9a-f]+-[0-9a-f]+ : (.*)$/ or next;
		undef $depth if defined $depth && length $indent <= $depth;
		push @on, $owner if defined $depth;
		$depth = length $indent if $owner eq $address;
	}
	return "@on";
}
sub screen { my ($boot, $when) = @_; return join ' ', map { /^$when \d+ (.*)/ ? $1 : () } $boot->lines('test') }
sub row {
	my ($boot, $when, $address) = @_;
	my ($row) = map { /^$when (\Q$address\E\t.*)/ ? $1 : () } $boot->lines('test');
	return join ' ', (split /\t/, $row // '')[3, 4, 7];
}
sub bar { my ($boot, $address) = @_; return join ' ', map { /^device \Q$address\E BAR 0: (.*)/ ? $1 : () } $boot->lines('vfio') }

my $other = '0000:07:00.0';

# The only display is of class 0380, which vfio-pci itself leaves as it is.
my $boot = uefi('other', [ [ 'left', "vfio.ids=$other vfio-boot.unbind=no" ], [ 'freed', "vfio.ids=$other" ] ], conf => "ids = $other\n");
is(on($boot, 'before', $other) . ', ' . screen($boot, 'before'), 'efifb, EFI VGA', 'the framebuffer of the firmware is on the display');
is(on($boot, 'left', $other), 'efifb', 'with unbind=no it is left there');
my $held = 'efifb holds a BAR that guests need, and unbind=no (set unbind=yes)';
is(row($boot, 'left', $other), "claimed - $held", 'the report says so');
is_deeply([ $boot->log(qr/\Q$other\E.*efifb/) ], [ [ 4, "vfio-boot: $other [1234:1111] group 10: claimed for vfio-pci: $held" ] ], 'and the kernel log, as a warning');
is(on($boot, 'freed', $other) . screen($boot, 'freed'), '', 'with unbind=yes it is taken off');
is(row($boot, 'freed', $other), 'already - -', 'of which there is nothing to say');
$boot->usable(10, $other);
is(bar($boot, $other), 'ok', 'a guest can use BAR 0');

# The parameter that is named where it cannot be taken off.
$boot = uefi('parameter', [ [ 'claimed', "vfio.ids=$other vfio-boot.unbind=no" ] ], conf => "ids = $other\n", words => 'initcall_blacklist=sysfb_init');
is(on($boot, 'before', $other) . screen($boot, 'before'), '', 'with initcall_blacklist=sysfb_init there is no framebuffer');
is(row($boot, 'claimed', $other), 'claimed - -', 'the display is claimed');
is(bar($boot, $other), 'ok', 'and a guest can use BAR 0');

# The usual boot display, with two more in its group; the other one has no framebuffer.
my $vga = '0000:02:03.0';
$boot = uefi('vga', [ [ 'broad', 'vfio.ids=1234:1111' ], [ 'incomplete', "vfio.ids=$vga" ], [ 'named', 'vfio.ids=02:01,02:02,02:03' ] ],
	conf => "ids = 02:01, 02:02, 02:03, $other\n", machine => [ '-m', 'VGA,bus=br1,addr=3.0' ]);
is(on($boot, 'before', $vga) . ', ' . screen($boot, 'before'), 'efifb, EFI VGA', 'the framebuffer of the firmware is on the boot display');
like(row($boot, 'broad', $vga), qr/^kept reserved /, 'an ID keeps it');
is(row($boot, 'broad', $other), 'claimed - -', 'and takes the other display');
is(on($boot, 'broad', $vga) . ', ' . screen($boot, 'broad'), 'efifb, EFI VGA', 'the screen stays');
like(row($boot, 'incomplete', $vga), qr/^refused group-incomplete 0000:02:01\.0 /, 'named without its group it is refused');
is(on($boot, 'incomplete', $vga) . ', ' . screen($boot, 'incomplete'), 'efifb, EFI VGA', 'before the screen is touched');
is(row($boot, 'named', $vga), 'claimed - -', 'with its group it is claimed');
is(on($boot, 'named', $vga) . screen($boot, 'named'), '', 'and its framebuffer is gone');
is(bar($boot, $vga), 'ok', 'a guest can use BAR 0');
done_testing();
