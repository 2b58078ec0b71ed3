#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Plans for machines of every shape. tests/fixtures/MACHINE/ holds the machine
# (see tests/fixture) and a file "cases", or a few with names of their own like
# "groups.cases". A line "== NAME" begins a case there, and a line "-- SECTION"
# what it consists of. What the decision alone shows, without a tree to read, is
# a row of tests/unit/plan.c instead.
#
#   == NAME
#   # why, if that needs words
#   -- conf       its /etc/vfio-boot.conf
#   -- cmdline    its kernel command line, if not that of the machine
#   -- args       arguments of vfio-boot plan, one a line
#   -- overlay    more fixture lines
#   -- expect     the verdicts, written by hand from the contract
#   -- prints     everything that is printed, down to "-- exit STATUS"
#
# conf, expect and prints are in every case, and nothing but comments and empty
# lines comes after prints. GOLDEN=renew prove tests/fixtures.t writes prints anew
# and nothing else, to be read as a diff before it is kept; a new case has none
# until then. CASE=MACHINE/NAME prove tests/fixtures.t runs one case alone.
#
# A line that begins with \ is written in escapes: \\ for \, \xHH for a byte, and
# \ at the end for no newline. A line of a section that would begin with "==",
# "-- " or \ must be written so.
#
# Lines of expect: "ADDRESS VERDICT [REASON] [NAME=VALUE...]" with the
# names group, driver, selector and missing, REASON * for any and VERDICT
# not-claim for any but claim and already; "SELECTOR absent"; "error PLACE";
# "warning PART"; "= LINE" for the very words; "exit STATUS". Devices and
# selectors that it does not list must not be in the plan.
#
# VFIO_BOOT and VFIO_BOOT_CLAIM name other builds of the two programs.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Cases;
use Tree ();
use JSON::PP ();
use Test::More;

my $host = $ENV{VFIO_BOOT} || 'build/vfio-boot';
my $claim = $ENV{VFIO_BOOT_CLAIM} || 'build/vfio-boot-claim';
my $renew = ($ENV{GOLDEN} || '') eq 'renew';
my $only = $ENV{CASE} // '';
my $work = "build/fixtures/$$";

sub slurp {
    my ($file) = @_;
    open my $in, '<:raw', $file or die "$file: $!\n";
    local $/;
    return <$in> // '';
}

sub spew {
    my ($file, $text) = @_;
    open my $out, '>:raw', $file or die "$file: $!\n";
    print $out $text;
    close $out or die "$file: $!\n";
}

# (stdout, stderr, exit status); a crash, a sanitizer's report or a program
# that is not there is a status that no test accepts.
sub run {
    my @command = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>:raw', "$work/stdout" or exit 127;
        open STDERR, '>:raw', "$work/stderr" or exit 127;
        exec { $command[0] } @command or do { print STDERR "$command[0]: $!\n"; exit 127 };
    }
    waitpid $pid, 0;
    my ($out, $err) = (slurp("$work/stdout"), slurp("$work/stderr"));
    my $status = $? & 127 ? 'signal ' . ($? & 127) : $? >> 8;
    $status = 'sanitizer' if $err =~ /ERROR: \w+Sanitizer|runtime error:/;
    return ($out, $err, $status);
}

sub unpack_machine {
    my ($dir, @fixtures) = @_;
    remove_tree($dir);
    my ($out, $err, $status) = run('tests/fixture', 'unpack', @fixtures, $dir);
    BAIL_OUT("cannot unpack @fixtures: $err") if $status ne '0';
}

sub overlay_line {
    my ($path, $text) = @_;
    $text =~ s/([\\\x00-\x1f\x7f-\xff])/sprintf '\x%02x', ord $1/ge;
    return "f $path $text\n";
}

# --- what a plan says ------------------------------------------------------

sub parse_plan {
    my ($text) = @_;
    my (%device, %absent, @strange);
    for (split /\n/, $text) {
        if (/^(\S+) \[([0-9a-f]{4}:[0-9a-f]{4})\] (?:group (\d+)|no group): (.*)$/) {
            my ($address, $id, $group, $rest) = ($1, $2, $3 // 'none', $4);
            my %fact = (id => $id, group => $group, reason => '');
            if ($rest =~ /^claim for (\S+)/) {
                @fact{qw(verdict driver)} = ('claim', $1);
            } elsif ($rest =~ /^(already|kept|refused|failed|pending|excluded)\b(?:, ([a-z-]+))?/) {
                @fact{qw(verdict reason)} = ($1, $2 // '');
            } else {
                push @strange, $_;
            }
            push @strange, "twice: $_" if $device{$address};
            $device{$address} = \%fact;
        } elsif (/^(.+?): absent\b/) {
            $absent{$1 =~ s/\?\z//r} = 1;
        } else {
            push @strange, $_;
        }
    }
    return { device => \%device, absent => \%absent, strange => \@strange };
}

# Joins what only the JSON tells to the parsed text; returns what differs.
sub join_json {
    my ($plan, $text) = @_;
    my @wrong;
    my $json = eval { JSON::PP->new->utf8->decode($text) } or return ("no JSON: $@");
    push @wrong, 'format is not 1' if ($json->{format} // '') ne '1';
    push @wrong, "no $_" for grep { ref $json->{$_} ne 'ARRAY' } qw(devices absent errors warnings);
    return @wrong if @wrong;
    my %seen;
    for my $got (@{$json->{devices}}) {
        my $address = $got->{address} // '?';
        my $want = $plan->{device}{$address} or do { push @wrong, "$address is only in the JSON"; next };
        $seen{$address} = 1;
        my %same = (id => $got->{id}, group => $got->{group} // 'none',
                    verdict => $got->{verdict}, reason => $got->{reason} // '');
        $same{driver} = $got->{driver} if ($want->{verdict} // '') eq 'claim';
        for (sort keys %same) {
            push @wrong, "$address: $_ is '$same{$_}' in the JSON" if ($same{$_} // '') ne ($want->{$_} // '');
        }
        $want->{driver} = $got->{driver} // 'null';
        $want->{selector} = $got->{selector} // 'null';
        $want->{missing} = join ',', @{$got->{missing} // []};
    }
    push @wrong, "$_ is not in the JSON" for grep { !$seen{$_} } sort keys %{$plan->{device}};
    my $absent = join ' ', sort map { ($_->{selector} // '?') =~ s/\?\z//r } @{$json->{absent}};
    push @wrong, "absent in the JSON: '$absent'" if $absent ne join ' ', sort keys %{$plan->{absent}};
    $plan->{errors} = [map { join ':', map { $_ // '' } @$_{qw(source line column message)} } @{$json->{errors}}];
    $plan->{warnings} = $json->{warnings};
    return @wrong;
}

# Returns where the expectation differs from what was printed, and where from
# what the JSON tells beyond that.
sub differences {
    my ($expect, $plan, $stdout, $stderr, $status) = @_;
    my (@wrong, @json_wrong, %listed);
    for (grep { !/^(?:#|\s*$)/ } split /\n/, $expect) {
        if (/^exit (\d)$/) {
            push @wrong, "exit status $status, expected $1" if $status ne $1;
        } elsif (/^= (.*)$/) {
            push @wrong, "no line '$1'" if index("\n$stdout", "\n$1\n") < 0;
        } elsif (/^error (.*)$/) {
            my $place = $1;
            push @wrong, "no error for '$place'" if index($stderr, $place) < 0;
            push @json_wrong, "no error for '$place'" if !grep { index($_, $place) == 0 } @{$plan->{errors}};
        } elsif (/^warning (.*)$/) {
            my $part = $1;
            push @wrong, "no warning with '$part'" if index($stderr, $part) < 0;
            push @json_wrong, "no warning with '$part'" if !grep { index($_, $part) >= 0 } @{$plan->{warnings}};
        } elsif (/^(\S+) absent$/) {
            $listed{$1} = 1;
            push @wrong, "$1 is not absent" if !$plan->{absent}{$1};
        } elsif (/^(\S+) ([a-z-]+)((?: \S+)*)$/) {
            my ($address, $verdict, $rest) = ($1, $2, $3);
            my %fact = map { /^(\w+)=(.*)$/ ? ($1, $2) : (reason => $_) } split ' ', $rest;
            $listed{$address} = 1;
            my $got = $plan->{device}{$address} or do { push @wrong, "$address is not in the plan"; next };
            if ($verdict eq 'not-claim') {
                push @wrong, "$address is $got->{verdict}" if $got->{verdict} =~ /^(?:claim|already)$/;
                $fact{reason} //= '*';
            } else {
                $fact{verdict} = $verdict;
                $fact{reason} //= '';
            }
            delete $fact{reason} if $fact{reason} eq '*';
            for my $name (sort keys %fact) {
                my $value = $got->{$name} // '?';
                push @{$name =~ /^(?:selector|missing)$/ ? \@json_wrong : \@wrong},
                    "$address: $name is '$value', expected '$fact{$name}'" if $value ne $fact{$name};
            }
        } else {
            push @wrong, "the expectation '$_' is malformed";
        }
    }
    push @wrong, "$_ is not expected" for grep { !$listed{$_} } sort(keys %{$plan->{device}}, keys %{$plan->{absent}});
    push @wrong, "strange line '$_'" for @{$plan->{strange}};
    return (\@wrong, \@json_wrong);
}

# --- a case ----------------------------------------------------------------

sub same_text {
    my ($got, $want, $name) = @_;
    return pass($name) if $got eq $want;
    fail($name);
    my @got = split /\n/, $got;
    my @want = split /\n/, $want;
    my $n = 0;
    $n++ while $n < @got && $n < @want && $got[$n] eq $want[$n];
    diag('line ', $n + 1, "\n  got      ", $got[$n] // '(the end)', "\n  expected ", $want[$n] // '(the end)');
}

sub none_wrong {
    my ($name, @wrong) = @_;
    ok(!@wrong, $name) or diag(map { "$_\n" } @wrong);
}

# Returns what is printed, unless the program could not say it.
sub check_case {
    my ($machine, $case) = @_;
    my $name = "$machine/$case->{name}";
    my @arguments = split /\n/, $case->{args} // '';
    my @fixtures = "tests/fixtures/$machine/machine";
    my $root = "$work/root";
    if (defined $case->{overlay}) {
        spew("$work/overlay", $case->{overlay});
        push @fixtures, "$work/overlay";
    }
    spew("$work/settings", overlay_line('etc/vfio-boot.conf', $case->{conf})
             . (defined $case->{cmdline} ? overlay_line('proc/cmdline', $case->{cmdline}) : ''));
    push @fixtures, "$work/settings";
    if (defined $case->{cmdline} || defined $case->{overlay}) {
        unpack_machine($root, @fixtures);
    } else {
        # Most cases change nothing else, and unpacking is what takes time here.
        $root = "$work/plain";
        spew("$root/etc/vfio-boot.conf", $case->{conf});
    }

    my ($out, $err, $status) = run($host, 'plan', @arguments, '--sysroot', $root);
    like($status, qr/^[0-3]\z/, "$name: vfio-boot ran") or diag("status $status\n$err");

    # What the host program takes as options the boot program reads in /proc.
    my ($given, $now, @rest) = ('', 0, @arguments);
    while (defined(my $option = shift @rest)) {
        $now = 1 if $option eq '--now';
        $given .= overlay_line('proc/cmdline', shift(@rest) . "\n") if $option eq '--cmdline';
        $given .= overlay_line('proc/sys/kernel/osrelease', shift(@rest) . "\n") if $option eq '-k';
    }
    if ($given ne '') {
        spew("$work/options", $given);
        $root = "$work/root";
        unpack_machine($root, @fixtures, "$work/options");
    }
    my ($claim_out, $claim_err, $claim_status) =
        run($claim, '--dry-run', $now ? () : '--next-boot', '--sysroot', $root);
    same_text($claim_out, $out, "$name: both programs print the same");
    # That a function which the host lives on is not protected only the host program finds out.
    my $untrue = $err =~ /^vfio-boot: \S+ \[\S+\](?: is claimed,|:).* the host lives on it[,:]/m;
    is($claim_status || ($untrue ? 1 : 0), $status, "$name: both programs exit with the same status") or diag($claim_err);

    my $plan = parse_plan($out);
    my ($json, $json_err, $json_status) = run($host, 'plan', @arguments, '--json', '--sysroot', $root);
    my @json_wrong = join_json($plan, $json);
    push @json_wrong, "exit status $json_status with --json" if $json_status ne $status;
    my ($wrong, $more) = differences($case->{expect}, $plan, $out, $err, $status);
    none_wrong("$name: the verdicts of the contract", @$wrong);
    none_wrong("$name: the JSON", @json_wrong, @$more);

    my $prints = prints_of($out, $err, $status);
    my $sound = $status =~ /^[0-3]\z/;
    same_text($prints, $renew && $sound ? $prints : $case->{prints} // '', "$name: prints");
    return $sound ? $prints : undef;
}

# The cases of a machine, a file at a time.
sub check_cases {
    my ($machine) = @_;
    my %place;
    for my $path (case_files($machine)) {
        my $file = parse_cases(slurp($path));
        my @wrong = @{$file->{wrong}};
        for my $name (map { $_->{name} } @{$file->{cases}}) {
            push @wrong, "$name is in $place{$name} already" if $place{$name};
            $place{$name} = $path;
        }
        push @wrong, map { "$_->{name}: no section prints" } grep { !$renew && !defined $_->{prints} } @{$file->{cases}};
        none_wrong("$path is well-formed", @wrong);
        my %now;
        for (grep { $only eq '' || $only eq "$machine/$_->{name}" } @{$file->{cases}}) {
            $now{$_->{name}} = check_case($machine, $_);
        }
        # What is not understood would not be there afterwards.
        spew($path, renewed($file, \%now)) if $renew && !@wrong;
    }
    return keys %place;
}

# --- the tools -------------------------------------------------------------

sub check_collect {
    my ($machine) = @_;
    unpack_machine("$work/root", "tests/fixtures/$machine/machine");
    my ($packed) = run('tests/fixture', 'pack', "$work/root");
    my $written = join '', grep { !/^#/ } split /^/, slurp("tests/fixtures/$machine/machine");
    same_text($packed, $written, "$machine: unpack and pack give the same text");
    my ($collected) = run($host, 'collect', '--sysroot', "$work/root");
    same_text($collected, $packed, "$machine: collect gives the same fixture back");
}

sub check_this_machine {
    my ($first, $err, $status) = run($host, 'collect');
    is($status, '0', 'collect runs on this machine') or diag($err);
    spew("$work/here", $first);
    unpack_machine("$work/root", "$work/here");
    my ($second) = run($host, 'collect', '--sysroot', "$work/root");
    same_text($second, $first, 'collect of what collect gave is the same');
    my ($out, $plan_err, $plan_status) = run($host, 'plan', '--sysroot', "$work/root");
    like($plan_status, qr/^[01]\z/, 'vfio-boot plans for it') or diag($plan_err);
}

# What must not leave the machine of somebody who reports a bug.
sub check_privacy {
    spew("$work/secret", <<'END');
l sys/bus/pci/devices/0000:00:14.0 ../../../devices/pci0000:00/0000:00:14.0
f sys/devices/pci0000:00/0000:00:14.0/modalias pci:v00008086d0000A36Dsv00000000sd00000000bc0Csc03i30\n
f sys/devices/pci0000:00/0000:00:14.0/serial SECRET\n
l sys/class/net/enx00e04c68a1b2 ../../devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/net/enx00e04c68a1b2
f sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/net/enx00e04c68a1b2/flags 0x1003\n
f sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/net/enx00e04c68a1b2/address SECRET\n
l sys/class/block/dm-0 ../../devices/virtual/block/dm-0
f sys/devices/virtual/block/dm-0/dm/name SECRET-root\n
f proc/cmdline BOOT_IMAGE=/vmlinuz-SECRET root=UUID=SECRET ro vfio.ids=10de:2204 "vfio-boot.protect=0000:00:14.0, 01:00.0" intel_iommu=on quiet single ip=SECRET -- SECRET\n
f proc/mounts /dev/mapper/SECRET-root / ext4 rw,SECRET 0 0\n/dev/sda1 /media/SECRET ext4 rw 0 0\nSECRET:/export /srv nfs rw 0 0\n
f proc/swaps Filename\tType\tSize\tUsed\tPriority\n/home/SECRET/swap file 8 0 -2\n
f proc/iomem 00000000-00000fff : SECRET\n  d0000000-d0ffffff : BOOTFB\n
f etc/modprobe.d/SECRET.conf options SECRET x=1\n
f etc/modprobe.d/qat.conf # SECRET disable_denylist\n options\tvfio-pci ids=SECRET disable_denylist=1 x=SECRET\n
f sys/kernel/boot_params/data \x00\\#\n\t SCREEN\x70\xff8901234567890123456789012345678901234567890123456 SECRET
f sys/kernel/iommu_groups/1/reserved_regions 0x000000007b800000 0x000000007fffffff direct\n0x00000000fee00000 0x00000000feefffff msi\n
f sys/module/vfio_pci/parameters/disable_denylist N\n
f sys/devices/pci0000:00/0000:00:14.0/drm/card0/boot_display 1\n
l sys/bus/usb/devices/2-1 ../../../devices/pci0000:00/0000:00:14.0/usb2/2-1
l sys/bus/usb/devices/2-1:1.0 ../../../devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0
f sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/product USB 10/100/1000 LAN\n
f sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/serial SECRET\n
l sys/class/drm/card0-DP-1 ../../devices/pci0000:00/0000:00:14.0/drm/card0/card0-DP-1
f sys/devices/pci0000:00/0000:00:14.0/drm/card0/card0-DP-1/status connected\n
f sys/devices/pci0000:00/0000:00:14.0/drm/card0/card0-DP-1/edid SECRET
l sys/class/block/sda ../../devices/pci0000:00/0000:00:14.0/host0/block/sda
f sys/devices/pci0000:00/0000:00:14.0/host0/block/sda/size 8\n
f sys/devices/pci0000:00/0000:00:14.0/host0/block/sda/device/model SSD 980\n
f sys/devices/pci0000:00/0000:00:14.0/host0/block/sda/device/serial SECRET\n
f etc/vfio-boot.conf # SECRET\nids = 10de:2204 # SECRET\n
f etc/hostname SECRET\n
f var/lib/vfio-boot/protect # /dev/mapper/SECRET-root\nprotect = 0000:00:14.0@8086:a36d\n
END
    unpack_machine("$work/root", "$work/secret");
    my ($got) = run($host, 'collect', '--sysroot', "$work/root");
    Tree::lacks($got, qr/SECRET|00e04c68a1b2/, 'collect tells nothing about the owner');
    for ('f proc/cmdline vfio.ids=10de:2204 "vfio-boot.protect=0000:00:14.0, 01:00.0" intel_iommu=on single\n',
         'f proc/mounts /dev/dm-0 / ext4 rw 0 0\n/dev/sda1 /mnt ext4 rw 0 0\n',
         'f proc/iomem   d0000000-d0ffffff : BOOTFB\n',
         'f etc/vfio-boot.conf #\nids = 10de:2204 #\n',
         'f etc/modprobe.d/qat.conf options vfio-pci disable_denylist=1\n',
         'f sys/kernel/boot_params/data \x00\\\\#\n\t SCREENp\xff8901234567890123456789012345678901234567890123456\x20',
         'f sys/kernel/iommu_groups/1/reserved_regions 0x000000007b800000 0x000000007fffffff direct\n',
         'f sys/module/vfio_pci/parameters/disable_denylist N\n',
         'f sys/devices/pci0000:00/0000:00:14.0/drm/card0/boot_display 1\n',
         'l sys/bus/usb/devices/2-1 ../../../devices/pci0000:00/0000:00:14.0/usb2/2-1',
         'f sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/product USB 10/100/1000 LAN\n',
         'f sys/devices/pci0000:00/0000:00:14.0/drm/card0/card0-DP-1/status connected\n',
         'f sys/devices/pci0000:00/0000:00:14.0/host0/block/sda/device/model SSD 980\n',
         'f sys/devices/pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/net/enx-1/flags 0x1003\n') {
        ok(index($got, "$_\n") >= 0, 'collect keeps ' . (split)[1]) or diag($got);
    }
}

sub check_fixture_tool {
    my %refused = ('f ../x a' => 'a path that leaves the directory', 'f /x a' => 'an absolute path',
                   "l a ..\nf a/b c" => 'a path through a link', "f a b\nf a/c d" => 'a path through a file',
                   "f a b\nf a c" => 'a path twice', 'l a' => 'a link without target', 'f a \q' => 'an unknown escape');
    for (sort keys %refused) {
        spew("$work/bad", "$_\n");
        remove_tree("$work/root");
        my ($out, $err, $status) = run('tests/fixture', 'unpack', "$work/bad", "$work/root");
        is($status, '3', "fixture refuses $refused{$_}") or diag($err);
    }
    spew("$work/all", join('', map { overlay_line("byte-$_", chr $_) } 0 .. 255) . "d empty\nl link ../a\n");
    unpack_machine("$work/root", "$work/all");
    my ($first) = run('tests/fixture', 'pack', "$work/root");
    spew("$work/again", $first);
    unpack_machine("$work/root", "$work/again");
    my ($second) = run('tests/fixture', 'pack', "$work/root");
    same_text($second, $first, 'every byte survives pack and unpack');
    is(join('', map { slurp("$work/root/byte-$_") } 0 .. 255), join('', map { chr } 0 .. 255), 'and is the right one');
    spew("$work/less", "x byte-1\nx empty\nf byte-2 two\n");
    unpack_machine("$work/root", "$work/all", "$work/less");
    ok(!-e "$work/root/byte-1" && !-e "$work/root/empty" && slurp("$work/root/byte-2") eq 'two',
       'an overlay replaces and takes away');
}

sub check_big_machine {
    my ($text, $err, $status) = run('tests/big-machine', 4096, qw(10de:2204 10de:1aef));
    is($status, '0', 'a machine of 4096 functions') or diag($err);
    spew("$work/big", $text);
    unpack_machine("$work/root", "$work/big");
    opendir my $list, "$work/root/sys/bus/pci/devices" or die "$work/root: $!\n";
    is(scalar(grep { !/^\./ } readdir $list), 4096, 'has as many');
    my ($out, $plan_err, $plan_status) = run($host, 'plan', '--sysroot', "$work/root");
    is($plan_status, '0', 'and a plan') or diag($plan_err);
    like($out, qr/: claim for /, 'that claims something');
}

sub check_case_format {
    my $case = "== one\n-- conf\n-- expect\nexit 0\n-- prints\n-- stderr\n-- exit 0\n";
    my %refused = (
        'one: unknown section config' => $case =~ s/conf/config/r,
        'one: section conf twice' => $case =~ s/-- expect/-- conf\n$&/r,
        'one: section prints twice' => $case =~ s/(-- prints\n).*/$1$1/sr,
        'one: no section conf' => $case =~ s/-- conf\n//r,
        'one: no section expect' => $case =~ s/-- expect\nexit 0\n//r,
        'one: a section in prints' => $case =~ s/-- stderr/-- args\n$&/r,
        'one: prints does not end with an exit status' => $case =~ s/-- exit.*/more/r,
        'one: nothing but comments may follow its exit status' => "$case-- args\n",
        'one: what is this before its sections' => $case =~ s/one\n/$&text\n/r,
        'one: conf: no escape: \n' => $case =~ s/conf\n/$&\\\\n\n/r,
        '== one two: not the name of a case' => $case =~ s/one/$& two/r,
        'what is this before the first case' => "text\n$case",
        'the last line does not end' => $case =~ s/\n\z//r,
    );
    for (sort keys %refused) {
        is(join(', ', @{parse_cases($refused{$_})->{wrong}}), $_, "refused: $_");
    }
    my $bytes = join '', map { chr } 0 .. 255;
    my $odd = "# head\n\n$case\n# between\n" . <<'END' =~ s/BYTES/sprintf '\x%02x' x 256, 0 .. 255/er;
== two
# why
-- expect

\-- no section
\== no case
-- conf
\BYTES\
-- overlay
\\\
f a \n


END
    my $file = parse_cases($odd);
    none_wrong('a file with all that may be written', @{$file->{wrong}});
    my ($one, $two) = @{$file->{cases}};
    same_text(renewed($file, {}), $odd, 'is written as it was read');
    same_text($two->{conf}, $bytes, 'every byte can be written');
    same_text($two->{expect}, "\n-- no section\n== no case\n", 'so can what looks like a section or a case');
    same_text($two->{overlay}, "\\\nf a \\n\n", 'and a backslash; one within a line is just that');
    my $prints = prints_of("== \\\n-- exit 0\n$bytes", "\n", 1);
    my $again = parse_cases(renewed($file, {one => $prints, two => $prints}));
    none_wrong('what is printed is no case and no section', @{$again->{wrong}});
    same_text(renewed($again, {one => $one->{prints}, two => ''}), $odd =~ s/f a .*\n/$&-- prints\n/r, 'renewing leaves all else');
}

make_path($work);
if ($only eq '') {
    check_fixture_tool();
    check_case_format();
    check_privacy();
    check_this_machine();
    check_big_machine();
}
my %ran;
for my $dir (glob 'tests/fixtures/*') {
    my ($machine) = $dir =~ m{([^/]+)\z};
    next if $only !~ m{^(?:\Q$machine\E/|\z)};
    my %known = map { $_ => 1 } "$dir/machine", case_files($machine);
    none_wrong("$machine: a machine, its cases and nothing else", grep({ !$known{$_} } glob "$dir/*"),
        map { "no $_" } grep { !-e } "$dir/machine");
    check_collect($machine) if $only eq '';
    unpack_machine("$work/plain", "tests/fixtures/$machine/machine");
    make_path("$work/plain/etc");
    $ran{"$machine/$_"} = 1 for check_cases($machine);
}
ok($ran{$only}, "there is a case $only") if $only ne '';
remove_tree($work) if Test::More->builder->is_passing;
done_testing();
