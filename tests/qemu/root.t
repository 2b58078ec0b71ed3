#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# A root that is not local: local-top is not run then, and the claim does not depend
# on it. And a boot display that is claimed, with the way back: vfio.ids=off.
# builders: initramfs-tools

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More tests => 19;

# As /scripts/nfs, but for the disk; it says which phases it has run.
my $other = Guest->boot('root-other', conf => "ids = 0000:03:00.*\n", words => 'boot=other', overlay => {
	'scripts/other' => <<'END' });
mountroot()
{
	wait_for_udev 10
	run_scripts /scripts/other-top
	echo "other: no local-top" >/dev/kmsg
	mount -r -t ext4 "$ROOT" "${rootmnt?}"
}
mount_top() { :; }
mount_premount() { :; }
mount_bottom() { :; }
END
like($other->{console}, qr/other: no local-top/, 'the root is mounted by other means');
is($other->held_by('vfio-pci'), '0000:03:00.0 0000:03:00.1', 'the card is claimed');
$other->usable(7, '0000:03:00.0', '0000:03:00.1');
is($other->report($_)->{verdict}, 'claimed', "$_ is reported as claimed") for '0000:03:00.0', '0000:03:00.1';

my $display = Guest->boot('root-display', conf => "ids = 0000:07:00.0\n");
is($display->held_by('vfio-pci'), '0000:07:00.0', 'a display that is named is claimed');
$display->usable(10, '0000:07:00.0');
is($display->driver('0000:06:00.0'), 'pcieport', 'the bridge in its group stays with pcieport');
my $off = Guest->boot('root-display-off', conf => "ids = 0000:07:00.0\n", words => 'vfio.ids=off');
is($off->driver('0000:07:00.0'), 'bochs-drm', 'vfio.ids=off brings it back');
is($off->pci('0000:07:00.0')->{override}, '(null)', 'without an override');
cmp_ok(scalar($off->log(qr/nothing is claimed: vfio\.ids=off/)), '>=', 1, 'and says so');
