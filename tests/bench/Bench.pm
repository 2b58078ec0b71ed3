# SPDX-License-Identifier: GPL-2.0-or-later
#
# What was measured becomes figures, and figures become a table and a plot. A row is { name, what, kind, runs, median };
# the figures are nanoseconds of a guest whose emulator counts an instruction as one.

package Bench;

use strict;
use warnings;
use File::Find;

# What each contestant is, and why it may be cheaper. Ours has no such reason.
our %contestants = (
	claim => ['`vfio-boot-claim`'],
	script => ['the same from its boot script'],
	careful => [ 'careful shell script', 'knows one card' ],
	'cat-loop' => [ 'shell script by ID, with `cat`', 'checks nothing' ],
	driverctl => [ '`driverctl`, once a function', 'checks nothing' ],
	'wiki-address' => [ 'wiki script, by address', 'checks nothing' ],
	'wiki-checked' => [ 'wiki script, if there is an IOMMU', 'checks little' ],
	'wiki-group' => [ 'wiki script, by group', 'checks little' ],
	modprobe => [ '`modprobe vfio-pci` alone', 'claims nothing' ],
	'modprobe-both' => [ '`modprobe` of two modules alone', 'claims nothing' ],
	'dry-run' => [ '`vfio-boot-claim --dry-run`', 'claims nothing' ],
	nothing => [ 'shell script that does nothing', 'does nothing' ],
	empty => [ 'static program that does nothing', 'does nothing' ],
);
my @kinds = (
	[ cold => 'Claim a card with two functions' ],
	[ warm => 'The same, with the modules loaded' ],
	[ already => 'The same, with the card claimed' ],
	[ floor => 'For comparison' ],
);
my %floor = map { $_ => 1 } qw(dry-run nothing empty);
# No claim can be cheaper than loading the modules: it may cost this much of that.
our $of_modprobe = 1.03;
# What `clock FILE` runs, and how far the clock may be off: it is interrupted meanwhile.
my ($loop, $off) = (100_000_000, 0.01);

sub median {
	my @sorted = sort { $a <=> $b } @_;
	return ($sorted[ $#sorted / 2 ] + $sorted[ @sorted / 2 ]) / 2;
}

# Rows get what they have of the claim's figure in their kind, and who wins.
sub judge {
	my (@rows) = @_;
	my %claim = map { $_->{kind} => $_->{median} } grep { $_->{name} eq 'claim' } @rows;
	for my $row (@rows) {
		my $claim = $claim{ $row->{kind} } or next;
		$row->{ratio} = sprintf('%.3f', $row->{median} / $claim) + 0;
		my $reason = $contestants{ $row->{name} }[1] or next;
		my $may_cost = $row->{median} * ($row->{kind} eq 'cold' && $row->{name} eq 'modprobe' ? $of_modprobe : 1);
		$row->{result} = $claim <= $may_cost ? 'won' : "lost: $reason";
	}
	return @rows;
}

# What the guest told. Dies where that is no measurement.
sub guest {
	my ($facts) = @_;
	my (%guest, %row, @rows);
	for (split /\r?\n/, $facts) {
		if (my ($name, $kind, $ns, $busy) = /^run (\S+) (\S+) (\d+) (\d+)$/) {
			$kind = 'floor' if $floor{$name};
			my $what = $contestants{$name} || die "who is $name?\n";
			push @rows, $row{"$kind $name"} = { name => $name, what => $what->[0], kind => $kind } if !$row{"$kind $name"};
			push @{ $row{"$kind $name"}{runs} }, $ns + 0;
			push @{ $row{"$kind $name"}{busy} }, $busy + 0;
		} elsif (/^loop (\d+)$/) {
			push @{ $guest{loop} }, $1 + 0;
			die "$loop instructions took $1 ns: this clock counts something else\n" if abs($1 - $loop) > $off * $loop;
		} elsif (/^(kernel|functions|clocksource|end)\b ?(.*)/) {
			$guest{$1} = $2;
		} else {
			die "the guest says:\n$facts";
		}
	}
	die "the guest did not come to its end:\n$facts" if !exists $guest{end} || !$guest{loop};
	delete $guest{end};
	$_->{median} = median(@{ $_->{runs} }) for @rows;
	$guest{rows} = [ judge(@rows) ];
	return \%guest;
}

sub row {
	my ($guest, $kind, $name) = @_;
	my ($row) = grep { $_->{kind} eq $kind && $_->{name} eq $name } @{ $guest->{rows} };
	return $row || die "there is no $kind $name\n";
}

# By how much the runs of a row differ at most, as a part of it.
sub spread {
	my ($row) = @_;
	my @sorted = sort { $a <=> $b } @{ $row->{runs} };
	return ($sorted[-1] - $sorted[0]) / $row->{median};
}

sub boots {
	my ($lines) = @_;
	my %boots;
	for (split /\n/, $lines) {
		my ($kind, $total, $busy) = /^(without|unselected|selected) (\d+) (\d+)$/ or die "a boot says: $_\n";
		push @{ $boots{$kind}{total} }, $total + 0;
		push @{ $boots{$kind}{busy} }, $busy + 0;
	}
	# By pairs. Waiting for a disk is left out, which takes as long as this machine likes.
	my $without = $boots{without}{busy};
	$boots{without}{median} = median(@$without);
	for my $kind ('unselected', 'selected') {
		my $with = $boots{$kind}{busy};
		die "a boot is missing\n" if @$with != @$without;
		$boots{$kind}{more} = median(map { $with->[$_] - $without->[$_] } 0 .. $#$with);
	}
	return \%boots;
}

sub sizes {
	my ($tree) = @_;
	my %size;
	find({ no_chdir => 1, wanted => sub { $size{ substr $_, length $tree } = -s if -f && !-l } }, $tree);
	return \%size;
}

# Bytes that an image has more than another.
sub image {
	my ($with, $without) = map { sizes("$_/tree") } @_;
	my %image = (program => 0, scripts => 0, modules => 0);
	for (keys %{ { %$with, %$without } }) {
		my $part = m{/vfio-boot-claim$} ? 'program' : m{/lib/modules/} ? 'modules' : 'scripts';
		$image{$part} += ($with->{$_} || 0) - ($without->{$_} || 0);
	}
	$image{initrd} = (-s "$_[0]/initrd") - (-s "$_[1]/initrd");
	$image{without} = -s "$_[1]/initrd";
	return \%image;
}

# --- for people ---------------------------------------------------------------

sub millions { my ($ns) = @_; return sprintf($ns < 9_995_000 ? '%.2f' : '%.1f', $ns / 1e6) }
sub thousands { my ($n) = @_; 1 while $n =~ s/^(\d+)(\d{3})/$1,$2/; return $n }
sub kib { my ($bytes) = @_; return sprintf '%.0f', $bytes / 1024 }

my @head = ('| M instructions | no module loaded | of the claim | modules loaded | of the claim | |', '| --- | ---: | ---: | ---: | ---: | --- |');
# Its figure is below `modules loaded`.
my $already = '`vfio-boot-claim`, when all is claimed';

# What is said around the table, each with a figure for every %s.
my $machine = 'Debian %s, Linux %s, %s PCI functions, one emulated processor (QEMU, q35). Medians of one boot.';
my $image = 'An image is %s KiB larger (program %s KiB, scripts and settings %s KiB, modules %s KiB, before compression).';
my $boots = 'A boot to the root\'s init is %s M instructions longer with nothing selected, and %s M with the card (of %s M).';

sub said {
	my ($bench) = @_;
	my ($guest, $i, $b) = @$bench{qw(guest image boots)};
	return (
		sprintf($machine, $bench->{suite}, $guest->{kernel}, $guest->{functions}),
		sprintf($image, map { kib($i->{$_}) } qw(initrd program scripts modules)),
		sprintf($boots, map { millions($_) } $b->{unselected}{more}, $b->{selected}{more}, $b->{without}{median}),
	);
}

# The text between the marks in README.md.
sub table {
	my ($bench) = @_;
	# As they are printed, so that what is printed fits together.
	my @rows = judge(map { { %$_{qw(name kind)}, median => millions($_->{median}) * 1e6 } } @{ $bench->{guest}{rows} });
	my %cell;
	$cell{ $_->{kind} eq 'already' ? 'already' : $_->{name} }{ $_->{kind} eq 'cold' || $_->{kind} eq 'floor' ? 'cold' : 'warm' } = $_ for @rows;
	my $rank = sub {
		my ($name) = @_;
		return ($name eq 'already' ? 1 : $floor{$name} ? 2 : 0) * 1e15 + ($cell{$name}{cold} || $cell{$name}{warm})->{median};
	};
	my @lines = @head;
	for my $name (sort { $rank->($a) <=> $rank->($b) || $a cmp $b } keys %cell) {
		my @cells = ($name eq 'already' ? $already : $contestants{$name}[0]);
		my %result;
		for my $kind ('cold', 'warm') {
			my $row = $cell{$name}{$kind} || {};
			push @cells, defined $row->{median} ? millions($row->{median}) : '';
			push @cells, defined $row->{ratio} && $name ne 'already' ? sprintf('%.2f', $row->{ratio}) : '';
			push @{ $result{ $row->{result} } }, $kind if $row->{result};
		}
		# Where it wins one and loses the other, which.
		my ($lost) = grep { /^lost/ } keys %result;
		my $where = $lost && $result{won} ? " $result{$lost}[0]" : '';
		push @cells, $lost ? $lost =~ s/^lost/lost$where/r : $result{won} ? 'won' : '';
		push @lines, '| ' . join(' | ', @cells) . ' |';
	}
	my ($on, @below) = said($bench);
	return join "\n", $on, '', @lines, '', (map { "- $_" } @below), '';
}

# The figures that a table was made from, as far as it has them: table(figures($text)) is the same text.
sub figures {
	my ($text) = @_;
	my @rows;
	my %name = ($already => 'claim', map { $contestants{$_}[0] => $_ } keys %contestants);
	for (grep { /^\| (?!M instructions|---)/ } split /\n/, $text) {
		my ($what, @median) = (split / *\| */)[ 1, 2, 4 ];
		my $name = $name{$what} || die "who is $what?\n";
		my @kind = $what eq $already ? ('', 'already') : $floor{$name} ? 'floor' : ('cold', 'warm');
		push @rows, map { { name => $name, kind => $kind[$_], median => $median[$_] * 1e6 } } grep { $median[$_] } 0 .. $#kind;
	}
	my @said = map { my $s = $_; $s = quotemeta $s; $s =~ s/\\%s/(\\S+)/g; [ $text =~ /^(?:- )?$s$/m ] } $machine, $image, $boots;
	my %bench = (suite => $said[0][0], guest => { rows => \@rows });
	@{ $bench{guest} }{qw(kernel functions)} = @{ $said[0] }[ 1, 2 ];
	@{ $bench{image} }{qw(initrd program scripts modules)} = map { ($_ // 0) * 1024 } @{ $said[1] }[ 0 .. 3 ];
	($bench{boots}{unselected}{more}, $bench{boots}{selected}{more}, $bench{boots}{without}{median}) = map { ($_ // 0) * 1e6 } @{ $said[2] }[ 0 .. 2 ];
	return \%bench;
}

my $marked = qr/(<!-- bench -->\n)(.*?)(<!-- \/bench -->)/s;

sub table_of { my ($readme) = @_; return $readme =~ $marked ? $2 : undef }

sub with_table {
	my ($readme, $table) = @_;
	$readme =~ s/$marked/$1$table$3/ or die "README.md has no place for the table\n";
	return $readme;
}

# Bars of letters: ours of #.
sub text {
	my ($bench) = @_;
	my @rows = @{ $bench->{guest}{rows} };
	my @out;
	for (@kinds) {
		my ($kind, $title) = @$_;
		my @some = sort { $a->{median} <=> $b->{median} } grep { $_->{kind} eq $kind } @rows or next;
		push @out, "$title (M instructions)";
		for (@some) {
			my $bar = ($_->{result} || $kind eq 'floor' ? '-' : '#') x (@some > 1 && 40 * $_->{median} / $some[-1]{median} + 0.5);
			push @out, sprintf('  %-33s %6s %-41s', $_->{what} =~ tr/`//dr, millions($_->{median}), $bar)
				. ($_->{result} ? sprintf(' %5.2f %s', $_->{ratio}, $_->{result}) : '');
		}
		push @out, '';
	}
	my ($most) = sort { $b <=> $a } map { spread($_) } @rows;
	my ($on, @below) = said($bench);
	return join "\n", $on, '', @out, @below, '',
		sprintf('%d runs each, which differ by %.1f %% at most. %s instructions took %s ns by the clock of the guest (%s).',
			scalar @{ $rows[0]{runs} }, 100 * $most, thousands($loop), thousands(int median(@{ $bench->{guest}{loop} })), $bench->{guest}{clocksource}), '';
}

# What gnuplot makes a picture of: cold above warm.
sub gnuplot {
	my ($bench, $png) = @_;
	my $out = "set terminal pngcairo size 900,700 font 'DejaVu Sans,11' noenhanced\nset output '$png'\n"
		. "set multiplot layout 2,1 title \"Instructions to claim a card with two functions, in millions\\n\" font ',14'\n"
		. "set label 1 'blue: vfio-boot    grey: costs more    orange: costs less, and why' at screen 0.5,0.93 center\n"
		. "set style fill solid\nunset key\nunset xtics\nset ytics scale 0 nomirror\nset border 2\nset lmargin 32\nset bmargin 1\nset tmargin 4\n";
	for (@kinds[ 0, 1 ]) {
		my ($kind) = @$_;
		my @some = sort { $a->{median} <=> $b->{median} } grep { $_->{kind} eq $kind } @{ $bench->{guest}{rows} };
		$out .= "\$$kind << END\n";
		for (@some) {
			my ($lost) = ($_->{result} // '') =~ /^lost: (.*)/;
			$out .= sprintf "\"%s\" %.3f %s \"%s\"\n", $_->{what} =~ tr/`//dr, $_->{median} / 1e6,
				!$_->{result} ? '0x1f6fb4' : $lost ? '0xe0a030' : '0xb8b8b8', ' ' . millions($_->{median}) . ($lost ? "  $lost" : '');
		}
		$out .= sprintf "END\nset title '%s' font ',13'\nset yrange [%s:-0.6]\nset xrange [0:%f]\n",
			$kind eq 'cold' ? 'no module loaded' : 'modules loaded', @some - 0.4, $some[-1]{median} / 1e6 * 1.15;
		$out .= "plot \$$kind using (0):0:(0):2:(\$0-0.35):(\$0+0.35):3:ytic(1) with boxxyerror linecolor rgb variable, "
			. "\$$kind using 2:0:4 with labels left\nunset label 1\n";
	}
	return $out . "unset multiplot\n";
}

1;
