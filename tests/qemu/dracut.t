#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Two scenarios of initramfs-tools again, with an image of dracut; `make check-all` has all of them. VFIO_BOOT_SUITE: else
# trixie, which has dracut 106. What else there is of dracut is in tests/system/dracut.t.
# builders: initramfs-tools
# suites: trixie

use strict;
use warnings;
BEGIN { $ENV{VFIO_BOOT_SUITE} ||= 'trixie' }
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

# What another test of this folder says where this image is booted.
sub scenario {
	my ($image, $name) = @_;
	local $ENV{VFIO_BOOT_IMAGE} = $image;
	my ($planned, $run) = (0, 0);
	open my $said, '-|', $^X, "$FindBin::Bin/$name.t" or die "$name: $!\n";
	while (my $line = <$said>) {
		$planned = $1 if $line =~ /^1\.\.(\d+)/;
		next unless $line =~ /^(not )?ok \d+ - (.*)/;
		ok(!$1, "$image: $name: $2");
		$run++;
	}
	close $said;
	is("$run tests, status $?", ($planned || 'all') . ' tests, status 0', "$image: $name comes to its end");
}
scenario('dracut', $_) for qw(by-id incomplete);

done_testing();
