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
 * Returns true if the initramfs asks for a passphrase to unlock this device. It does not if there is a key or another
 * way to unlock it. decrypt_keyctl is the exception: it only remembers what was typed (cryptsetup's README.Debian).
 */
static bool asks_passphrase(const struct search *s, const struct crypt *c)
{
	static const char *const others[] = { "keyscript", "tpm2-device", "fido2-device", "pkcs11-uri" };
	const bool key = *c->key && strcmp(c->key, "none") != 0 && strcmp(c->key, "-") != 0;

	if (!has_option(c->options, "initramfs") && !has_option(c->options, "x-initrd.attach") &&
	    !string_set_has(&s->mapped, c->name))
		return false;
	if (strstr(c->options, "keyscript=decrypt_keyctl"))
		return true;
	for (unsigned i = 0; i < ARRAY_SIZE(others); i++) {
		if (has_option(c->options, others[i]))
			return false;
	}
	return !key;
}

/*
 * Tests a bit of a mask as input_bits_to_string() prints it: the highest word first, each of the size of a long of the
 * reading process.
 */
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

static void need_usb_controller(void *data, struct device *d)
{
	struct search *s = data;

	if (!scan_ids(s->root, d) && base_class(d) == 0x0c)
		need_function(s, d);
}

static int need_keyboard(void *data, const char *name)
{
	/* Power buttons and remote controls have keys as well. */
	static const unsigned keys[] = { KEY_ENTER, KEY_A, KEY_Z, KEY_SPACE };
	struct search *s = data;
	struct text t;

	read_attribute(&t, s->root, text_set(&t, "sys/class/input/%s/capabilities/key", name));
	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!has_key(t.p, keys[i]))
			return 0;
	}
	read_link(&t, s->root, text_set(&t, "sys/class/input/%s", name));
	each_function_of_link(&s->ctx->machine, t.p, need_usb_controller, s);
	return 0;
}

static void find_passphrase(struct search *s, const struct crypt *c)
{
	struct device *d, *display = NULL;
	unsigned displays = 0;
	char *what;

	if (!asks_passphrase(s, c))
		return;
	what = alloc_printf("passphrase of %s", c->name);
	need_begin(s, what, true);
	s->reserve = true;
	need_why(s, alloc_printf("%s: keyboard", what));
	list_directory(s->root, "sys/class/input", need_keyboard, s);
	for_each_device(&s->ctx->machine, d) {
		if (!scan_ids(s->root, d) && base_class(d) == 0x03) {
			display = d;
			displays++;
		}
	}
	need_why(s, alloc_printf("%s: the only display", what));
	if (displays == 1)
		need_function(s, display);
	need_end(s);
	free(what);
}

void find_console(struct search *s)
{
	each_crypt(s, find_passphrase);
}
