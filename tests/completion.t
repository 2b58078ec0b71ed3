#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The completion in a real bash: what readline hands to it for a line, and what it gets back
# for it. Once with bash-completion's own functions, once where these are not there.

use strict;
use warnings;
use Cwd qw(getcwd);
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $root = 'build/completion';
my $library = '/usr/share/bash-completion/bash_completion';
my $script = <<'END';
[[ -z $LIBRARY ]] || source "$LIBRARY" || exit 3
source conf/bash-completion || exit 3
[[ $(complete -p vfio-boot) == 'complete -F _vfio_boot vfio-boot' ]] || exit 3
COMP_WORDBREAKS=$' \t\n"\'@><=;|&(:' # that of an interactive bash
IFS=/ # whatever somebody has it set to
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_vfio_boot "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
END

my $with; # the library, or nothing
$ENV{PATH} = getcwd() . "/build:$ENV{PATH}";

# What is offered at the end of the line, sorted. Readline ends words at these characters as well.
sub offered {
	my ($line) = @_;
	my @words = $line =~ /[^\s:\@=]+|[:\@=]+/g;
	push @words, '' if $line =~ /\s\z/;
	local @ENV{qw(LIBRARY COMP_LINE COMP_POINT)} = ($with, $line, length $line);
	my $pid = open my $out, '-|' // die "fork: $!\n";
	if (!$pid) {
		open STDERR, '>&', \*STDOUT;
		exec 'bash', '--norc', '-c', $script, 'bash', @words or exit 127;
	}
	my @offered = map { chomp; $_ } <$out>;
	close $out or return "bash: $?";
	return join ' ', sort grep { $_ ne '' } @offered;
}

sub completes {
	my ($line, $expected, $name) = @_;
	is(offered($line), join(' ', sort split ' ', $expected), ($with ? '' : 'alone: ') . ($name // "'$line'"));
}

# What a help has, for all verbs there are.
my $help = qx(build/vfio-boot --help);
my @verbs = $help =~ /^  ([a-z]+) /mg;
cmp_ok(scalar @verbs, '>=', 5, 'there are verbs');

sub options {
	my $text = qx(build/vfio-boot $_[0] --help);
	return join ' ', '--help', map { grep { defined } @$_ } map { [ /^  (?:(-\w), |    )(--[\w-]+)/ ] } split /^/m, $text;
}

remove_tree($root);
unpack_fixture($root, 'twin-gpus');
remove_tree("$root/lib");
make_path("$root/lib/modules/6.1.0-39-amd64", "$root/lib/modules/6.12.41-amd64", "$root/sys/bus/pci/devices/10000:e1:00.0");
spew("$root/etc/vfio-boot.conf.d/50-local.conf", <<'END' . 'ids = 8086:1539');
# ids = 0c:00.0
ids = 0000:00:03.2/00.0@10de:2204  # 0000:0b:00.0
ids = 10de:1aef?, !0a:00 $(touch${IFS}build/completion/pwned) `touch`
group = whole
END
my $there = join ' ', map { m{([^/]+)$} } glob "$root/sys/bus/pci/devices/*";
my $tree = "--sysroot $root";

for ($library, '') {
	$with = $_;

	# Verbs and options.
	completes('vfio-boot ', "@verbs --help --version", 'the verbs');
	completes('vfio-boot pl', join ' ', grep { /^pl/ } @verbs);
	completes('vfio-boot --v', '--version');
	completes('vfio-boot nosuch -', '');
	completes("vfio-boot $_ -", options($_), "the options of $_") for @verbs;
	completes('vfio-boot plan --n', '--now --next-boot --no-image');
	completes('vfio-boot plan --now --js', '--json');
	like(options('plan'), qr/ -k .*--sysroot/, 'which are short and long');

	# What follows an option.
	completes("vfio-boot plan $tree -k ", '6.1.0-39-amd64 6.12.41-amd64');
	completes("vfio-boot plan $tree --kernel 6.12", '6.12.41-amd64');
	completes("vfio-boot list $tree -o S", 'SUBSYSTEM SELECTOR', 'the columns of a table');
	completes("vfio-boot list $tree --output AD", 'ADDRESS');
	completes("vfio-boot explain $tree --cmdline ", '', 'nothing after --cmdline');
	completes('vfio-boot plan --sysroot build/compl', 'build/completion');
	completes("vfio-boot plan --settings $root/etc/vfio-boot.conf", "$root/etc/vfio-boot.conf.d", 'a file after --settings');
	completes('vfio-boot plan --sysroot=build/compl', 'build/completion');

	# Devices.
	completes("vfio-boot explain $tree ", ($there =~ s/\b0000://gr) . ' boot-vga', 'every device');
	completes("vfio-boot explain $tree 0b", '0b:00.0 0b:00.1');
	completes("vfio-boot explain $tree 0b:", '00.0 00.1');
	completes("vfio-boot explain $tree 0b:00.1", '00.1');
	completes("vfio-boot explain $tree 0000:0", join ' ', map { s/^0000://r } $there =~ /\b(0000:0\S*)/g);
	completes("vfio-boot explain $tree 0000:0b:00.", '00.0 00.1');
	completes("vfio-boot explain $tree 10000:", 'e1:00.0');
	completes("vfio-boot explain $tree e1", '', 'another domain is never left out');
	completes("vfio-boot explain $tree boo", 'boot-vga');
	completes("vfio-boot explain $tree 0a:00.0 0b:00.1 0c:", '00.0 00.3');
	completes("vfio-boot add $tree --whole 0b", '0b:00.0 0b:00.1');
	completes("vfio-boot status $tree ", '', 'none for a verb that takes none');
	my $here = join ' ', map { m{([^/]+)$} } glob '/sys/bus/pci/devices/*:*';
	completes('vfio-boot explain ', ($here =~ s/\b0000://gr) . ' boot-vga', 'those of this machine');

	# What was added can be removed.
	completes("vfio-boot remove $tree ", '0000:00:03.2/00.0@10de:2204 10de:1aef? not:0a:00 8086:1539');
	completes("vfio-boot remove --sysroot $root/sys ", '', 'nothing was added: nothing is offered, or complained about');
	completes("vfio-boot remove $tree 0000:00:03.2/00.0\@1", '10de:2204');
	completes("vfio-boot remove $tree not:", '0a:00');
	completes("vfio-boot remove $tree 0b:", '00.0 00.1', 'by bus index, too');
	ok(!-e "$root/pwned", 'and nothing in that file is run');
}

# Verbs of other words, as their help has them.
my $stand_in = "$root/bin/vfio-boot";
spew($stand_in, <<'END');
#!/bin/sh
case $1 in
export) echo 'usage: vfio-boot export [OPTION...] FORMAT [DEVICE...]' ;;
import) echo 'usage: vfio-boot import [OPTION...] [FILE...]' ;;
esac
printf '\nwhat it does\n\n      --force            though\n      --sysroot DIR      DIR stands for /\n'
[ "$1" != export ] || printf '\n  qemu    words\n  libvirt elements\n  nova    lines\n'
END
chmod 0755, $stand_in;
for ($library, '') {
	$with = $_;
	for my $program ($stand_in, grep { qx($_ export --help 2>/dev/null) ne '' } 'build/vfio-boot') {
		completes("$program export $tree q", 'qemu');
		completes("$program export $tree --force qemu 0b:", '00.0 00.1');
		completes("$program import $root/etc/vfio-boot.conf", "$root/etc/vfio-boot.conf.d");
	}
	completes("$stand_in export ", 'qemu libvirt nova');
	my @formats = join('', qx(build/vfio-boot export --help)) =~ /^  ([a-z]\S+) /mg;
	cmp_ok(scalar @formats, '>=', 8, 'there are formats');
	completes('vfio-boot export ', "@formats");
}

remove_tree($root) if Test::More->builder->is_passing;
done_testing();
