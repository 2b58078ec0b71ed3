# SPDX-License-Identifier: GPL-2.0-or-later
#
# make             builds both programs into build/
# make install     DESTDIR= PREFIX=/usr
# make install-files
#                  of that, what builders of images other than initramfs-tools and dracut need
# make deb         the Debian package and its source package, into build/deb/
# make demo        see it work, in a virtual machine
# make demo-guest  see a virtual machine in that one get a card and a disk, and give them back
# make check       every test but those of tests/system
# make check-all   every test in each Debian; SUITES="bullseye forky" in these
# make lint        formatting, static analysis, purity of the pure layers
# make fuzz        FUZZ_SECONDS=60
# make mutate      whether the tests notice a change of the core; N=40 SEED=1 JOBS=2 FILES=src/pure
# make bench       what a claim costs beside what others do, as a table and a plot; renews the table in README.md
# make size        where the bytes of vfio-boot-claim are

PREFIX ?= /usr
DESTDIR ?=
KLCC ?= klcc
PKG_CONFIG ?= pkg-config
# Those of the compiler: in a cross build the others do not know the programs.
NM = $(shell $(CC) -print-prog-name=nm)
STRIP = $(shell $(CC) -print-prog-name=strip)
B := build

# The files of a folder of src/, without src/ and .c.
in = $(patsubst src/%.c,%,$(wildcard src/$(1)/*.c))
pure := $(call in,pure)
core := $(pure) $(call in,read) $(call in,act) $(call in,run)
claim := $(core) $(call in,boot)
host := $(core) $(call in,host) $(call in,host/*)

# Who may include whom, which is drawn in doc/design.md: a folder sees itself and those that are named here. The compiler
# is told of no others, so that an include that points the wrong way ends the build.
read_sees := pure
act_sees := pure read
run_sees := $(act_sees) act
boot_sees := $(run_sees) run
host/shared_sees := $(boot_sees)
verb_sees := $(boot_sees) host/shared
host/change_sees := $(verb_sees) host/protect
host/doctor_sees := $(verb_sees) host/import host/protect host/status
host/export_sees := $(verb_sees) host/protect host/status
host/list_sees := $(verb_sees) host/protect
host/setup_sees := $(host/doctor_sees) host/doctor host/list
host/status_sees := $(verb_sees) host/protect
host_sees := $(verb_sees) $(patsubst src/%/,%,$(wildcard src/host/*/))
$(foreach verb,import now protect,$(eval host/$(verb)_sees := $(verb_sees)))
# The flags for a source of this folder of src/; and for all of them.
include_of = $(addprefix -Isrc/,$(1) $($(1)_sees))
INCLUDE := $(addprefix -Isrc/,$(host_sees) boot host)

# The version that NEWS begins with.
VERSION := $(shell sed -n '1s/^vfio-boot \([^ ]*\).*/\1/p' NEWS)

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
BASE := -std=gnu11 -D_GNU_SOURCE -MMD -MP $(WARN)
CFLAGS ?= -O2 -g
# WERROR= for a compiler that is newer than the source.
WERROR ?= -Werror
HOST := $(BASE) -Wconversion $(WERROR)
LIBS := json-c libpci mount blkid smartcols libkmod libarchive
LIB_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(LIBS))
LIB_LIBS = $(shell $(PKG_CONFIG) --libs $(LIBS))

target := $(shell $(CC) -dumpmachine)
amd64 := $(findstring x86_64,$(target))
# klibc has not what gcc's own functions for atomics ask for the processor (__getauxval).
arm64 := $(findstring aarch64,$(target))
# What each saves of the claim program, in bytes: -Oz 350 (gcc 12 and later know it), -ffunction-sections with --gc-sections
# 1,600, noseparate-code 4,300, -fno-expensive-optimizations 400, -mskip-rax-setup 300 (nothing here takes floating point
# numbers by `...`). `make size` tells where the rest is.
OPTIMIZE := $(shell $(KLCC) -Oz -E -x c /dev/null >/dev/null 2>&1 && echo -Oz || echo -Os)
SMALL := -ffunction-sections -fno-expensive-optimizations $(if $(amd64),-mskip-rax-setup) $(if $(arm64),-mno-outline-atomics) \
	$(OPTIMIZE)
# klcc: -O last and no -g at all, or it drops its own -Os; it forces -fcommon, which would link two globals of one name
# silently.
KLIBC := $(BASE) $(WERROR) -fno-common -ffile-prefix-map=$(CURDIR)=. $(SMALL)
# Objects of klibc 2.0.8 (bullseye) do not say that they need no executable stack.
KLDFLAGS := -Wl,--gc-sections -Wl,-z,noseparate-code -Wl,--build-id=none -Wl,-z,noexecstack
# klcc -s calls the strip of the machine that builds, and leaves .eh_frame: 15,500 bytes on arm64, which nothing here reads.
STRIPFLAGS := --strip-all -R .comment -R .note -R .eh_frame
# Bytes. gcc 10 of bullseye makes more of the same source, and instructions of 4 bytes take half as much again.
SIZE_MAX := $(if $(amd64),$(if $(filter -Oz,$(OPTIMIZE)),65536,72704),81920)

# One short line a file; V=1 shows the commands.
Q := $(if $(V),,@)
tell = $(if $(V),,@echo "  $@")

all: $(B)/vfio-boot-claim $(B)/vfio-boot

# The folder of a target, which make does not make.
made = @mkdir -p $(@D)

# It has the script in it.
$(B)/host/host/collect.o: src/host/collect.sh

$(B)/klibc/%.o: src/%.c Makefile
	$(made)
	$(tell)
	$(Q)$(KLCC) $(KLIBC) $(call include_of,$(*D)) -c -o $@ $<

$(B)/host/%.o: src/%.c Makefile
	$(made)
	$(tell)
	$(Q)$(CC) $(HOST) $(call include_of,$(*D)) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# json-c's own header has its name for a folder; the core sees no library.
$(patsubst %,$(B)/host/%.o,$(filter-out $(core),$(host))): HOST += $(LIB_CFLAGS) -DVERSION='"$(VERSION)"'

# No heap in the core: klibc's own start-up code links malloc, so it is the objects that are looked at.
heap := malloc|calloc|realloc|free|qsort|opendir|fdopendir

$(B)/vfio-boot-claim: $(claim:%=$(B)/klibc/%.o)
	@! $(NM) -u $^ | grep -wE '$(heap)' || { echo "a heap in the core" >&2; exit 1; }
	$(tell)
	$(Q)$(KLCC) -static -o $@ $(KLDFLAGS) $^ && $(STRIP) $(STRIPFLAGS) $@
	@size=$$(wc -c <$@); echo "$@: $$size bytes of $(SIZE_MAX)"; \
	test $$size -le $(SIZE_MAX) || { echo "$@: too large" >&2; rm $@; exit 1; }

$(B)/vfio-boot: $(host:%=$(B)/host/%.o)
	$(tell)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIB_LIBS)

# Where the bytes of the claim program are.
size: $(claim:%=$(B)/klibc/%.o)
	$(Q)$(KLCC) -static -o $(B)/klibc/size $(KLDFLAGS) -Wl,-Map=$(B)/klibc/map $^
	@tests/size $(B)/klibc/map

# initramfs-tools looks in its own folder and in /etc, nowhere else: with another PREFIX ours go to /etc.
libdir := $(PREFIX)/lib/vfio-boot
initramfs := $(if $(filter /usr,$(PREFIX)),/usr/share/initramfs-tools,/etc/initramfs-tools)
scripts := init-top/00-vfio-boot local-top/vfio-boot local-premount/vfio-boot nfs-top/vfio-boot local-block/vfio-boot
# systemd looks below /usr and /usr/local alike.
services := $(patsubst conf/%,$(PREFIX)/lib/systemd/system/%,$(wildcard conf/*.service))
settings := $(DESTDIR)/etc/vfio-boot.conf
# For images with systemd. dracut's module takes them from there.
units := $(notdir $(wildcard dracut/*.service dracut/*.timer))
grub := /etc/grub.d/90_vfio-boot
# The first two are told of an image that was built, the last of a kernel that was removed. Their names make them the last.
after_image := /etc/initramfs/post-update.d/vfio-boot /etc/kernel/postinst.d/zz-vfio-boot /etc/kernel/postrm.d/zz-vfio-boot
# kernel-install looks there whatever PREFIX is.
install_d := /usr/lib/kernel/install.d
plugins := $(notdir $(wildcard conf/kernel-install/*.install))
# dracut looks nowhere else, whatever PREFIX is. 50 to 59 is for modules of others.
dracut := /usr/lib/dracut/modules.d/50vfio-boot
mandir := $(PREFIX)/share/man
pages := man8/vfio-boot.8 man8/vfio-boot-claim.8 man5/vfio-boot.conf.5
# udev looks there whatever PREFIX is, and knows no other folder of packages.
rules := /usr/lib/udev/rules.d/60-vfio-boot.rules
# The folder of zsh for packages is below /usr alone.
bash_completion := $(PREFIX)/share/bash-completion/completions/vfio-boot
zsh_completion := $(PREFIX)/share/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)/_vfio-boot
fish_completion := $(PREFIX)/share/fish/vendor_completions.d/vfio-boot.fish
completions := $(bash_completion) $(zsh_completion) $(fish_completion)
at_prefix := sed 's,/usr/lib/vfio-boot,$(libdir),g; s,/usr/sbin/vfio-boot,$(PREFIX)/sbin/vfio-boot,g; \
	s,/usr/share/initramfs-tools$$,$(initramfs),'

# What doc/other-builders.md needs.
install-files: $(B)/vfio-boot-claim
	install -D -m 755 $(B)/vfio-boot-claim $(DESTDIR)$(libdir)/vfio-boot-claim
	$(at_prefix) hook/image-files >$(DESTDIR)$(libdir)/image-files
	chmod 755 $(DESTDIR)$(libdir)/image-files
	install -d $(DESTDIR)$(libdir)/initrd $(DESTDIR)/etc/vfio-boot.conf.d $(DESTDIR)$(dir $(rules))
	$(at_prefix) conf/60-vfio-boot.rules >$(DESTDIR)$(rules)
	for unit in $(units); do \
		$(at_prefix) dracut/$$unit >$(DESTDIR)$(libdir)/initrd/$$unit || exit 1; \
	done
	test -e $(settings) || install -m 644 conf/vfio-boot.conf $(settings)

install: all install-files
	install -D -m 755 $(B)/vfio-boot $(DESTDIR)$(PREFIX)/sbin/vfio-boot
	install -d $(DESTDIR)$(initramfs)/hooks $(DESTDIR)$(dir $(firstword $(services))) $(DESTDIR)$(dracut)
	for unit in $(services); do \
		$(at_prefix) conf/$${unit##*/} >$(DESTDIR)$$unit || exit 1; \
	done
	$(at_prefix) conf/boot-count >$(DESTDIR)$(libdir)/boot-count
	chmod 755 $(DESTDIR)$(libdir)/boot-count
	$(at_prefix) hook/vfio-boot >$(DESTDIR)$(initramfs)/hooks/vfio-boot
	chmod 755 $(DESTDIR)$(initramfs)/hooks/vfio-boot
	for script in $(scripts); do \
		install -d $(DESTDIR)$(initramfs)/scripts/$${script%/*} && \
		$(at_prefix) premount/$$script >$(DESTDIR)$(initramfs)/scripts/$$script && \
		chmod 755 $(DESTDIR)$(initramfs)/scripts/$$script || exit 1; \
	done
	for file in $(notdir $(wildcard dracut/*.sh)); do \
		$(at_prefix) dracut/$$file >$(DESTDIR)$(dracut)/$$file || exit 1; \
	done
	chmod 755 $(DESTDIR)$(dracut)/*.sh
	install -d $(DESTDIR)$(dir $(grub))
	$(at_prefix) conf/90_vfio-boot >$(DESTDIR)$(grub)
	chmod 755 $(DESTDIR)$(grub)
	$(at_prefix) conf/boot-entries >$(DESTDIR)$(libdir)/boot-entries
	chmod 755 $(DESTDIR)$(libdir)/boot-entries
	install -d $(DESTDIR)$(install_d)
	for plugin in $(plugins); do \
		$(at_prefix) conf/kernel-install/$$plugin >$(DESTDIR)$(install_d)/$$plugin && \
		chmod 755 $(DESTDIR)$(install_d)/$$plugin || exit 1; \
	done
	for file in $(after_image); do \
		install -d $(DESTDIR)$${file%/*} && \
		$(at_prefix) conf/after-image >$(DESTDIR)$$file && chmod 755 $(DESTDIR)$$file || exit 1; \
	done
	install -D -m 644 conf/bash-completion $(DESTDIR)$(bash_completion)
	install -D -m 644 conf/zsh-completion $(DESTDIR)$(zsh_completion)
	install -D -m 644 conf/fish-completion $(DESTDIR)$(fish_completion)
	for page in $(pages); do \
		install -d $(DESTDIR)$(mandir)/$${page%/*} && \
		$(at_prefix) man/$${page#*/} >$(DESTDIR)$(mandir)/$$page || exit 1; \
	done

# The settings are the administrator's and stay.
uninstall:
	-test -n "$(DESTDIR)" || test ! -x $(libdir)/boot-count || $(libdir)/boot-count clear
	-test -n "$(DESTDIR)" || test ! -x $(libdir)/boot-entries || $(libdir)/boot-entries remove
	rm -f $(addprefix $(DESTDIR)$(libdir)/,vfio-boot-claim image-files boot-count boot-entries) $(DESTDIR)$(PREFIX)/sbin/vfio-boot \
		$(plugins:%=$(DESTDIR)$(install_d)/%) \
		$(DESTDIR)$(initramfs)/hooks/vfio-boot $(patsubst dracut/%,$(DESTDIR)$(dracut)/%,$(wildcard dracut/*.sh)) \
		$(units:%=$(DESTDIR)$(libdir)/initrd/%) $(DESTDIR)$(rules) \
		$(services:%=$(DESTDIR)%) $(scripts:%=$(DESTDIR)$(initramfs)/scripts/%) \
		$(pages:%=$(DESTDIR)$(mandir)/%) $(completions:%=$(DESTDIR)%) $(DESTDIR)$(grub) $(after_image:%=$(DESTDIR)%)
	-rmdir $(DESTDIR)$(libdir)/initrd $(DESTDIR)$(libdir) $(DESTDIR)$(dracut)

# A copy without what is no part of the source; build dependencies are all that is installed.
deb_source = $(B)/deb/vfio-boot-$(VERSION)
deb:
	@tests/setup deb
	$(Q)rm -rf $(B)/deb && mkdir -p $(deb_source)
	$(Q)tar --exclude=./$(B) --exclude=./.git -cf - . | tar -C $(deb_source) -xf -
	$(Q)cd $(deb_source) && MAKEFLAGS= dpkg-buildpackage -us -uc >../log 2>&1 || { tail -n 30 ../log >&2; exit 1; }
	@ls $(B)/deb/vfio-boot_*.deb

demo:
	@tests/demo

demo-guest:
	@tests/demo-guest

check: check_ready
	@tests/run $(unit_tests) $(sort $(wildcard tests/*.t tests/qemu/*.t))

# What is not of one suite is run once.
SUITES ?= bullseye bookworm trixie trixie-backports forky bookworm+dracut trixie+dracut forky+dracut bookworm:arm64 trixie:arm64 trixie-backports:arm64
check-all: check_ready
	@$(if $(findstring :,$(SUITES)),tests/setup check-all)
	@tests/matrix "$(SUITES)" $(unit_tests) $(sort $(wildcard tests/*.t)) -- \
		$(sort $(wildcard tests/qemu/*.t)) $(sort $(wildcard tests/system/*.t))

check_ready:
	@tests/setup check
	@$(MAKE) --no-print-directory all $(B)/pure.ok $(B)/klibc/modprobe $(B)/klibc/peak $(B)/klibc/zpool $(B)/asan/vfio-boot $(bench_programs) $(unit_tests)

bench:
	@tests/setup bench
	@$(MAKE) --no-print-directory all $(bench_programs) $(B)/klibc/peak
	@tests/bench/run

scripts_checked := $(wildcard hook/* dracut/*.sh) conf/bash-completion conf/90_vfio-boot conf/after-image conf/boot-count conf/boot-entries src/host/collect.sh $(wildcard conf/kernel-install/*) $(wildcard premount/*/*) .ci/run \
	$(addprefix debian/,vfio-boot.bug-script vfio-boot.postinst vfio-boot.prerm vfio-boot.postrm tests/boot tests/image tests/image-dracut) \
	$(addprefix tests/,setup demo demo-guest matrix read-only) \
	$(addprefix tests/bench/,boots guest in-guest run) $(wildcard tests/bench/contestants/*) \
	$(addprefix tests/qemu/,boot builders.sh boot-entries.sh by-page deb deb.sh emulator enter grub-probe guest hook.sh image incus init install kernel lib.sh package run virsh) \
	$(addprefix tests/system/,boot disks efi efi-steps install.sh layouts.sh nested-files nested-init nested.sh step steps.sh)
sources := $(wildcard src/*/*.[ch] src/host/*/*.[ch] tests/unit/*.[ch] tests/fuzz/*.c tests/qemu/*.c tests/bench/*.c)

# Not part of check: the opinion of these tools changes from one Debian to the next. CI has both.
lint: $(B)/pure.ok
	$(Q)clang-format --dry-run -Werror $(sources)
	@! grep -rn '#include "[^"]*/' src || { echo "an include goes round the folders it may see" >&2; exit 1; }
	$(Q)cppcheck --quiet --std=c11 --error-exitcode=1 --enable=warning,portability --inline-suppr \
		--suppress=missingIncludeSystem -D_GNU_SOURCE $(INCLUDE) src
	$(Q)clang-tidy --quiet --warnings-as-errors='*' $(patsubst %,src/%.c,$(sort $(claim) $(host))) \
		-- -std=gnu11 -D_GNU_SOURCE $(INCLUDE) $(LIB_CFLAGS) -DVERSION='"$(VERSION)"'
	$(Q)shellcheck -x $(scripts_checked)
	$(Q)zsh -n conf/zsh-completion
	$(Q)fish --no-execute conf/fish-completion
	$(Q)mandoc -T lint -W warning $(wildcard man/*.[58])

clean:
	rm -rf $(B)/klibc $(B)/host $(B)/asan $(B)/vfio-boot $(B)/vfio-boot-claim

include tests/unit.mk

.PHONY: all size install install-files uninstall deb demo demo-guest bench check check-all check_ready lint clean
-include $(shell find $(B)/klibc $(B)/host $(B)/asan -name "*.d" 2>/dev/null)
