#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The completions in the real shells: what is offered at the end of a line. That of bash once with bash-completion's own
# functions, once where these are not there; that of zsh and of fish with what a new installation has.

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

# What zsh adds is written down, for each line that it finds. Its line editor wants a terminal, and exits at once.
my $zshrc = <<'END';
fpath=($ZDOTDIR/functions $fpath)
autoload -U compinit
compinit -u -D
compadd() {
	local -a hits hidden shown
	if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
		zparseopts -E p:=hidden d:=shown
		shown=("${(@P)shown[2]}")
		builtin compadd -O hits -D shown "$@"
		for ((i = 1; i <= $#hits; i++)) print -r -- $IPREFIX$hidden[2]$hits[i]$'\t'$shown[i] >>$ZDOTDIR/offered
	fi
	builtin compadd "$@"
}
look() { _main_complete; compstate[insert]= compstate[list]=; }
zle -C look complete-word look
zle-line-init() {
	for line in "${(@f)$(<$ZDOTDIR/lines)}"; do
		print -r -- "== $line" >>$ZDOTDIR/offered
		BUFFER=$line CURSOR=$#BUFFER
		zle look
	done
	exit
}
zle -N zle-line-init
END

my $with; # the library, or nothing
$ENV{PATH} = getcwd() . "/build:$ENV{PATH}";
$ENV{HOME} = getcwd() . "/$root/home";
delete @ENV{qw(XDG_CONFIG_HOME XDG_DATA_HOME ZDOTDIR)};

# What bash offers at the end of the line. Readline ends words at these characters as well, and replaces the last one.
sub by_bash {
	my ($line) = @_;
	my @words = $line =~ /[^\s:\@=]+|[:\@=]+/g;
	push @words, '' if $line =~ /\s\z/;
	my ($before) = $line =~ /(?:^|\s|=)([^\s=]*[:\@])[^\s:\@=]*\z/;
	local @ENV{qw(LIBRARY COMP_LINE COMP_POINT)} = ($with, $line, length $line);
	my $pid = open my $out, '-|' // die "fork: $!\n";
	if (!$pid) {
		open STDERR, '>&', \*STDOUT;
		exec 'bash', '--norc', '-c', $script, 'bash', @words or exit 127;
	}
	my @offered = map { chomp; $_ eq '' ? () : ($before // '') . $_ } <$out>;
	close $out or return "bash: $?";
	return @offered;
}

# What a shell says to all lines at once, `== LINE` before each.
sub sections {
	return map { my ($line, @offered) = split /\n/; ($line => \@offered) } grep { $_ ne '' } split /^== /m, $_[0];
}

sub by_zsh {
	spew("$root/zsh/lines", join '', map { "$_\n" } @_);
	spew("$root/zsh/.zshrc", $zshrc);
	spew("$root/zsh/functions/_vfio-boot", slurp('conf/zsh-completion'));
	unlink "$root/zsh/offered";
	local $ENV{ZDOTDIR} = getcwd() . "/$root/zsh";
	system('zsh', '-fc', 'zmodload zsh/zpty && zpty z "zsh -d -i" && { while zpty -r z line; do said+=$line; done } && print -r - $said >$ZDOTDIR/said') >= 0
		or die "zsh: $!\n";
	return sections(slurp("$root/zsh/offered"));
}

sub by_fish {
	my $pid = open my $out, '-|' // die "fork: $!\n";
	if (!$pid) {
		open STDERR, '>&', \*STDOUT;
		exec 'fish', '--no-config', '-c', 'source conf/fish-completion; for line in $argv; echo "== $line"; complete -C $line; end', @_ or exit 127;
	}
	local $/;
	return sections(<$out> // '');
}

my @cases; # the line, what is offered, and what this is

sub completes { push @cases, [ @_ ] }

# A word is offered once. What --sysroot= stands before is a folder for all of them, with a slash or not.
sub alike { return join ' ', sort keys %{ { map { s/^--\w+=//r =~ s{/\z}{}r => 1 } @_ } } }

# All cases in all shells. zsh and fish offer options where a dash is typed.
sub look_at_cases {
	my @lines = map { $_->[0] } @cases;
	my %zsh = by_zsh(@lines);
	my %fish = by_fish(@lines);
	for my $case (@cases) {
		my ($line, $expected, $name) = @$case;
		my @expected = split ' ', $expected;
		$name //= "'$line'";
		for ($library, '') {
			$with = $_;
			is(alike(by_bash($line)), alike(@expected), ($with ? 'bash: ' : 'bash alone: ') . $name);
		}
		@expected = grep { !/^-/ } @expected if $line !~ /\s-\S*\z/;
		my @from_zsh = grep { $line =~ /\s-\S*\z/ || !/^-/ } map { s/\t.*//r } @{ $zsh{$line} // ['nothing'] };
		is(alike(@from_zsh), alike(@expected), "zsh: $name");
		# Where nothing begins with a word, fish looks for what has its letters.
		my ($typed) = $line =~ /(\S*)\z/;
		is(alike(grep { index($_, $typed) == 0 } map { s/\t.*//r } @{ $fish{$line} // ["${typed}nothing"] }), alike(@expected), "fish: $name");
	}
	@cases = ();
	return (\%zsh, \%fish);
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
make_path("$root/lib/modules/6.1.0-39-amd64", "$root/lib/modules/6.12.41-amd64");
spew("$root/sys/bus/pci/devices/10000:e1:00.0/modalias", "pci:v00008086d0000F1A5sv00008086sd0000390Abc01sc08i02\n");
spew("$root/etc/vfio-boot.conf.d/50-local.conf", <<'END' . 'ids = 8086:1539');
# ids = 0c:00.0
ids = 0000:00:03.2/00.0@10de:2204  # 0000:0b:00.0
ids = 10de:1aef?, !0a:00 $(touch${IFS}build/completion/pwned) `touch`
group = whole
END
my $there = join ' ', map { m{([^/]+)$} } glob "$root/sys/bus/pci/devices/*";
my $tree = "--sysroot $root";

my @ids = qw(1022:148a 1022:149c 1022:1481 1022:790b 10de:1aef 10de:2204 144d:a808 8086:1539 8086:f1a5);
my @classes = map { "class:$_" } qw(01 02 03 04 08 0c 13);

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
completes("vfio-boot list $tree --output ADDRESS,NU", 'ADDRESS,NUMA', 'one more column');
completes("vfio-boot list $tree -o +NU", '+NUMA');
completes("vfio-boot explain $tree --cmdline ", '', 'nothing after --cmdline');
completes('vfio-boot plan --sysroot build/compl', 'build/completion');
completes("vfio-boot plan --settings $root/etc/vfio-boot.conf", "$root/etc/vfio-boot.conf.d", 'a file after --settings');
completes('vfio-boot plan --sysroot=build/compl', 'build/completion');

# Devices.
completes("vfio-boot explain $tree ", ($there =~ s/\b0000://gr) . " boot-vga @ids @classes", 'every device');
completes("vfio-boot explain $tree 0b", '0b:00.0 0b:00.1');
completes("vfio-boot explain $tree 0b:", '0b:00.0 0b:00.1');
completes("vfio-boot explain $tree 0b:00.1", '0b:00.1');
completes("vfio-boot explain $tree 0000:0", join ' ', $there =~ /\b(0000:0\S*)/g);
completes("vfio-boot explain $tree 0000:0b:00.", '0000:0b:00.0 0000:0b:00.1');
completes("vfio-boot explain $tree 10000:", '10000:e1:00.0');
completes("vfio-boot explain $tree e1", '', 'another domain is never left out');
completes("vfio-boot explain $tree boo", 'boot-vga');
completes("vfio-boot explain $tree 0a:00.0 0b:00.1 0c:", '0c:00.0 0c:00.3');
completes("vfio-boot add $tree --whole 0b", '0b:00.0 0b:00.1');
completes("vfio-boot add $tree 10de:", '10de:1aef 10de:2204', 'IDs');
completes("vfio-boot add $tree class:0", join(' ', grep { /:0/ } @classes), 'classes');
completes("vfio-boot claim $tree class:06", '', 'but not that of bridges');
completes("vfio-boot status $tree ", '', 'none for a verb that takes none');
my @here = map { m{([^/]+)$} } glob '/sys/bus/pci/devices/*:*';
my @modalias = map { [ slurp("/sys/bus/pci/devices/$_/modalias") =~ /^pci:v0{4}(....)d0{4}(....)s.*bc(..)/ ] } @here;
completes('vfio-boot explain ', join(' ', (map { s/^0000://r } @here), 'boot-vga', map { $_->[2] eq '06' ? () : lc("$_->[0]:$_->[1] class:$_->[2]") } @modalias),
	'those of this machine');

# What was added can be removed.
completes("vfio-boot remove $tree ", '0000:00:03.2/00.0@10de:2204 10de:1aef? not:0a:00 8086:1539');
completes("vfio-boot remove --sysroot $root/sys ", '', 'nothing was added: nothing is offered, or complained about');
completes("vfio-boot remove $tree 0000:00:03.2/00.0\@1", '0000:00:03.2/00.0@10de:2204');
completes("vfio-boot remove $tree not:", 'not:0a:00');
completes("vfio-boot remove $tree 0b:", '0b:00.0 0b:00.1', 'by bus index, too');
my ($zsh, $fish) = look_at_cases();
ok(!-e "$root/pwned", 'and nothing in that file is run');

# Who cannot tell a card by its ID reads on.
like(join("\n", @{ $fish->{"vfio-boot add $tree 10de:"} }), qr/^10de:2204\tNVIDIA .*3090\]$/m, 'fish has a name for an ID');
like(join("\n", @{ $zsh->{"vfio-boot add $tree 10de:"} }), qr/^10de:2204\t10de:2204 +-- NVIDIA /m, 'and so has zsh');
like(join("\n", @{ $fish->{"vfio-boot "} }), qr/^setup\task which .* up to the reboot$/m, 'fish has what a verb does, in full');
like(join("\n", @{ $zsh->{"vfio-boot "} }), qr/^setup\tsetup +-- ask which /m, 'and so has zsh');

# Verbs of other words, as their help has them.
my $stand_in = "$root/bin/vfio-boot";
spew($stand_in, <<'END');
#!/bin/sh
case $1 in
export) echo 'usage: vfio-boot export [OPTION...] FORMAT [DEVICE...]' ;;
import) echo 'usage: vfio-boot import [OPTION...] [FILE...]' ;;
esac
printf '\nwhat it does\n\n      --force            though\n      --settings FILE    those of FILE\n      --sysroot DIR      DIR stands for /\n'
[ "$1" != export ] || printf '\n  qemu    words\n  libvirt elements\n  nova    lines\n'
[ "$1" != list ] || exec build/vfio-boot "$@"
END
chmod 0755, $stand_in;
for my $program ($stand_in, 'vfio-boot') {
	completes("$program export $tree q", 'qemu');
	completes("$program export $tree --force qemu 0b:", '0b:00.0 0b:00.1');
	completes("$program import $root/etc/vfio-boot.conf", "$root/etc/vfio-boot.conf.d");
}
completes("$stand_in export ", 'qemu libvirt nova');
completes("$stand_in export --settings $root/etc/vfio-boot.conf.d/", "$root/etc/vfio-boot.conf.d/50-local.conf", 'any option of a FILE');
my @formats = join('', qx(build/vfio-boot export --help)) =~ /^  ([a-z]\S+) /mg;
cmp_ok(scalar @formats, '>=', 8, 'there are formats');
completes('vfio-boot export ', "@formats");
look_at_cases();

remove_tree($root) if Test::More->builder->is_passing;
done_testing();
