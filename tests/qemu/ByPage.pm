# SPDX-License-Identifier: GPL-2.0-or-later
#
# Images that are made by the commands of doc/other-builders.md, as they stand there.

package ByPage;

use strict;
use warnings;
use Guest;
use Test::More;

sub page { return Guest::read_file("$Guest::top/" . 'doc/other-builders.md') }

# The folder with an image that these blocks make in a fresh copy of a guest with these settings; for Guest->boot. `from`
# is a kind of tests/qemu/image that they change. Of the commands PATTERN => TEXT is replaced, which has to be there.
sub image {
	my ($name, $guest, $conf, $blocks, %o) = @_;
	my $from = delete $o{from};
	my $dir = "$Guest::top/build/qemu/$name-made";
	my $script = "cat >/etc/vfio-boot.conf <<'END_OF_SETTINGS'\n${conf}END_OF_SETTINGS\n";
	for (@$blocks) {
		my ($lines) = page() =~ /^<!-- \Q$_\E -->\s*```sh\n(.*?)^```/ms or die "doc/other-builders.md has no commands for $_\n";
		$script .= $lines;
	}
	for (keys %o) {
		$script =~ s/$_/$o{$_}/ or die "there is no $_ in the commands\n";
	}
	Guest::write_file("$dir.sh", $script);
	my @from = $from ? qx($Guest::here/image $from) : ();
	chomp @from;
	die "there is no image $from\n" if $from && !@from;
	is(system("$Guest::here/by-page", $guest, "$dir.sh", $dir, @from), 0, 'every line of doc/other-builders.md succeeds') or die "see $dir/log\n";
	return $dir;
}

1;
