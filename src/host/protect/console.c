// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "need.h"
#include "scan.h"
#include "sysfs.h"

/*
 * Does the initramfs ask for a passphrase for this one? Where there is a key, or something else that unlocks it, it
 * does not, but for decrypt_keyctl, which only remembers what was typed (cryptsetup's README.Debian).
 */
static bool is_typed(const struct finder *f, const struct crypt *c)
{
	static const char *const others[] = { "keyscript", "tpm2-device", "fido2-device", "pkcs11-uri" };
	const bool key = *c->key && strcmp(c->key, "none") != 0 && strcmp(c->key, "-") != 0;

	if (!has_option(c->options, "initramfs") && !has_option(c->options, "x-initrd.attach") &&
	    !words_have(&f->mapped, c->name))
		return false;
	if (strstr(c->options, "keyscript=decrypt_keyctl"))
		return true;
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		if (has_option(c->options, others[i]))
			return false;
	}
	return !key;
}

/* A mask as input_bits_to_string() prints it: words of the size of a long of whoever reads, the highest first. */
static bool has_key(const char *mask, unsigned key)
{
	const unsigned bits = 8 * sizeof(long);
	const char *at = mask + strlen(mask), *end;
	unsigned long word;

	for (unsigned back = 0;; back++) {
		while (at > mask && is_blank(at[-1]))
			at--;
		end = at;
		while (at > mask && !is_blank(at[-1]))
			at--;
		if (at == end)
			return false;
		if (back == key / bits)
			break;
	}
	word = strtoul(at, NULL, 16);
	return word >> (key % bits) & 1;
}

static void need_usb(void *data, struct device *d)
{
	if (base_class(d) == 0x0c)
		need_function(data, d);
}

static int need_keyboard(void *data, const char *name)
{
	/* Power buttons and remote controls have keys too. */
	static const unsigned keys[] = { KEY_ENTER, KEY_A, KEY_Z, KEY_SPACE };
	struct finder *f = data;
	struct text t;

	read_attribute(&t, f->root, text_set(&t, "sys/class/input/%s/capabilities/key", name));
	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!has_key(t.p, keys[i]))
			return 0;
	}
	read_link(&t, f->root, text_set(&t, "sys/class/input/%s", name));
	each_function_of_link(&f->ctx->machine, t.p, need_usb, f);
	return 0;
}

static void find_passphrase(struct finder *f, const struct crypt *c)
{
	struct device *d, *display = NULL;
	unsigned displays = 0;
	char *what;

	if (!is_typed(f, c))
		return;
	what = written("passphrase of %s", c->name);
	need_begin(f, what, true);
	f->reserve = true;
	need_why(f, written("%s: keyboard", what));
	list_directory(f->root, "sys/class/input", need_keyboard, f);
	for_each_device(&f->ctx->machine, d) {
		if (base_class(d) == 0x03) {
			display = d;
			displays++;
		}
	}
	need_why(f, written("%s: the only display", what));
	if (displays == 1)
		need_function(f, display);
	need_end(f);
	free(what);
}

void find_console(struct finder *f)
{
	each_crypt(f, find_passphrase);
}
