#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where there is no EFI, boots are counted in GRUB's environment block: the script that the units call, with GRUB's own
# grub-editenv, and the units. tests/fallback.t has the claim and its EFI variable.

use strict;
use warnings;
use Cwd 'getcwd';
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $dir = getcwd() . '/build/boot-count';
my $env = "$dir/grubenv";
my $run = "$dir/run";
my $reason = 'nothing is claimed: the last two boots with claims did not come up (fallback=no turns this off)';
remove_tree($dir);
my $script = slurp('conf/boot-count');
$script =~ s{/boot/grub/grubenv}{$env};
$script =~ s{/run/vfio-boot\b}{$run};
$script =~ s{/usr/lib/vfio-boot/vfio-boot-claim}{$dir/claim};
$script =~ s{(/proc/cmdline|/dev/kmsg)}{$dir$1}g;
spew("$dir/boot-count", $script);

# A boot with these words and marks; the environment stays from the last one.
sub boot {
	my ($words, @marks) = @_;
	remove_tree($run);
	make_path($run);
	spew("$run/$_", '') for @marks;
	spew("$dir/proc/cmdline", "$words\n");
	spew("$dir/dev/kmsg", '');
	spew("$dir/claim", "#!/bin/sh\necho \"claim \$*\"\n");
	chmod 0755, "$dir/claim";
}
sub editenv { system('grub-editenv', $env, @_) == 0 or die "no grub-editenv\n" }
sub environment { return join ' ', sort split /\n/, qx(grub-editenv $env list) }
sub run_script {
	my $text = qx(dash -u $dir/boot-count @_ 2>&1);
	return $text . 'exit ' . ($? >> 8);
}
sub begun { is(run_script('begun'), 'exit 0', "$_[0]: begun, without a word") }
sub cleared { is(run_script('clear'), "claim --came-up\nexit 0", "$_[0]: cleared, as the EFI variable is") }

# Two boots that claim and do not come up.
boot('quiet', 'uncounted');
editenv('create');
editenv('set', 'saved_entry=x');
begun('the first boot');
is(environment(), 'saved_entry=x vfio_boot_failed=1', 'it is counted');
boot('quiet', 'uncounted');
begun('the second boot');
is(environment(), 'next_entry=vfio-boot-off saved_entry=x vfio_boot_failed=2', 'it is counted, and GRUB knows what is next');

# GRUB boots that entry, and takes it out.
editenv('unset', 'next_entry');
boot('quiet vfio.ids=off');
begun('the third boot');
ok(-e "$run/fallback", 'it is known to status');
is(slurp("$dir/dev/kmsg"), "<4>vfio-boot: $reason\n", 'and to the kernel log');
is(environment(), 'saved_entry=x vfio_boot_failed=2', 'the count is as it was');
like(slurp('src/run/fallback.c'), qr/"\Q@{[ $reason =~ s{^nothing is claimed: }{}r ]}\E"/, 'in the words of the claim');
cleared('the third boot');
is(environment(), 'saved_entry=x', 'so that the next boot claims again');

# What is not counted.
boot('quiet');
begun('a boot that the claim has counted, or that claims nothing');
is(environment(), 'saved_entry=x', 'nothing is counted');
boot('quiet vfio.ids=off');
begun('a rescue by hand');
ok(!-e "$run/fallback", 'is no fallback');
editenv('set', 'vfio_boot_failed=1');
boot('quiet vfio.ids=off');
begun('a rescue by hand after a failed boot');
ok(!-e "$run/fallback", 'is none either');
cleared('it');
is(environment(), 'saved_entry=x', 'and has come up');

# A boot that comes up, or that somebody ends, after one that did not.
editenv('set', 'vfio_boot_failed=1');
boot('quiet', 'uncounted');
begun('a boot after a failed one');
cleared('it');
is(environment(), 'saved_entry=x', 'the next entry is taken back as well');

# Somebody has chosen the usual entry in the menu.
editenv('set', 'vfio_boot_failed=2');
boot('quiet', 'uncounted');
begun('a boot that claims all the same');
is(environment(), 'next_entry=vfio-boot-off saved_entry=x vfio_boot_failed=2', 'if it fails, the next one does not');

# grub-reboot.
for my $was ('', 'vfio_boot_failed=1') {
	editenv('create');
	editenv('set', 'next_entry=other', $was || ());
	boot('quiet', 'uncounted');
	begun("somebody else's next entry ($was)");
	is(environment(), 'next_entry=other vfio_boot_failed=' . ($was ? 2 : 1), 'it stays');
	cleared('it');
	is(environment(), 'next_entry=other', 'then, too');
}

# Without a block, and with one that cannot be read.
unlink $env;
begun('no environment');
cleared('no environment');
ok(!-e $env, 'none is made');
spew($env, 'rubbish');
like(run_script('clear'), qr/claim --came-up\n.*exit 0\z/s, 'rubbish: nothing to clear');
spew("$dir/claim", "#!/bin/sh\nexit 3\n");
editenv('create');
editenv('set', 'vfio_boot_failed=1');
is(run_script('clear'), 'exit 3', 'a variable that cannot be cleared is told');
is(environment(), '', 'and the rest is done');
is(run_script(), "usage: boot-count begun|clear\nexit 2", 'other words are wrong');

# The units: no part of the boot waits for itself, which systemd would mend by leaving a unit out.
for my $unit (glob 'conf/*.service') {
	my $name = $unit =~ s{.*/}{}r;
	spew("$dir/units/$name", slurp($unit) =~ s{^(Exec\w+=-?)/usr\S+}{$1/bin/true}gmr);
	for (map { split } slurp($unit) =~ /^WantedBy=(.*)$/mg) {
		make_path("$dir/units/$_.wants");
		symlink "../$name", "$dir/units/$_.wants/$name";
	}
}
my $said = qx(SYSTEMD_UNIT_PATH=$dir/units: systemd-analyze verify --man=no default.target $dir/units/*.service 2>&1);
is($said, '', 'systemd has nothing to say about them');
spew("$dir/units/vfio-boot-begun.service", slurp("$dir/units/vfio-boot-begun.service") =~ s/^After=local-fs.target/After=multi-user.target/mr);
like(qx(SYSTEMD_UNIT_PATH=$dir/units: systemd-analyze verify --man=no default.target $dir/units/*.service 2>&1), qr/cycle/, 'which it would of a cycle');
remove_tree($dir) if Test::More->builder->is_passing;
done_testing();
