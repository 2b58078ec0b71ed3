// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format.h"
#include "need.h"
#include "sysfs.h"

struct route {
	char interface[IF_NAMESIZE];
	uint8_t to[16];
	unsigned bits; /* of it that count; none: the default route */
	unsigned metric;
	unsigned flags; /* RTF_* */
};

/* Iface Destination Gateway Flags RefCnt Use Metric Mask, numbers as they lie in memory (fib_route_seq_show()). */
static bool parse_route4(const char *line, struct route *r)
{
	uint32_t to, mask;

	if (sscanf(line, "%15s %x %*x %x %*u %*u %u %x", r->interface, &to, &r->flags, &r->metric, &mask) != 5)
		return false;
	memcpy(r->to, &to, sizeof(to));
	r->bits = (unsigned)__builtin_popcount(mask);
	return true;
}

/* Destination, its length, source, its length, gateway, metric, two counters, flags, interface (rt6_info_route()). */
static bool parse_route6(const char *line, struct route *r)
{
	char to[33];

	if (sscanf(line, "%32s %x %*32s %*x %*32s %x %*x %*x %x %15s", to, &r->bits, &r->metric, &r->flags,
		   r->interface) != 5)
		return false;
	for (unsigned i = 0; i < sizeof(r->to); i++) {
		uint32_t byte;

		if (!hex_number(to + 2 * (size_t)i, to + 2 * (size_t)i + 2, 2, 2, &byte))
			return false;
		r->to[i] = (uint8_t)byte;
	}
	return r->bits <= 128;
}

static const struct {
	const char *path;
	bool (*parse)(const char *line, struct route *r);
	int family;
} tables[] = {
	{ "proc/net/route", parse_route4, AF_INET },
	{ "proc/net/ipv6_route", parse_route6, AF_INET6 },
};

static bool is_default(const struct route *r, const uint8_t *address)
{
	(void)address;
	return !r->bits;
}

static bool has_gateway(const struct route *r, const uint8_t *address)
{
	(void)address;
	return r->flags & RTF_GATEWAY;
}

static bool is_any(const struct route *r, const uint8_t *address)
{
	(void)r;
	(void)address;
	return true;
}

static bool leads_to(const struct route *r, const uint8_t *address)
{
	unsigned bytes = r->bits / 8, bits = r->bits % 8;

	return !memcmp(r->to, address, bytes) && (!bits || !((r->to[bytes] ^ address[bytes]) >> (8 - bits)));
}

static int follow_lower(void *data, const char *name);

/* What is below a bridge, a bond or a VLAN is linked as lower_NAME (netdev_adjacent_sysfs_add()). */
static void follow_lowers(struct finder *f, const char *name)
{
	struct text t;

	/* No block device has a slash in its name. */
	if (!words_take(&f->seen, written("net/%s", name)))
		return;
	read_link(&t, f->root, text_set(&t, "sys/class/net/%s", name));
	need_functions(f, t.p);
	list_directory(f->root, text_set(&t, "sys/class/net/%s", name), follow_lower, f);
}

static int follow_lower(void *data, const char *name)
{
	if (!strncmp(name, "lower_", 6))
		follow_lowers(data, name + 6);
	return 0;
}

/* A bridge may have more below it than cards, such as the ports of virtual machines. */
static void follow_interface(struct finder *f, const char *name)
{
	unsigned before = f->found;

	follow_lowers(f, name);
	if (f->found == before)
		need_cause(f, written("%s: no PCI function is below this interface", name));
}

/* Calls each() for the routes of a table that can be used and fit. */
static void each_route(struct finder *f, unsigned table, bool (*fits)(const struct route *r, const uint8_t *address),
		       const uint8_t *address,
		       void (*each)(struct finder *f, const struct route *r, struct route *best), struct route *best)
{
	FILE *in = open_stream(f, tables[table].path);
	char *line = NULL;
	size_t size = 0;
	struct route r;

	while (in && getline(&line, &size, in) >= 0) {
		if (tables[table].parse(line, &r) && (r.flags & (RTF_UP | RTF_REJECT)) == RTF_UP && fits(&r, address))
			each(f, &r, best);
	}
	free(line);
	if (in)
		fclose(in);
}

static void follow_route(struct finder *f, const struct route *r, struct route *best)
{
	(void)best;
	follow_lowers(f, r->interface);
}

static void follow_routes(struct finder *f, bool (*fits)(const struct route *r, const uint8_t *address))
{
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
		each_route(f, i, fits, NULL, follow_route, NULL);
}

static void keep_best(struct finder *f, const struct route *r, struct route *best)
{
	(void)f;
	if (!*best->interface || r->bits > best->bits || (r->bits == best->bits && r->metric < best->metric))
		*best = *r;
}

void follow_server(struct finder *f, const char *server)
{
	struct route best = { .interface = "" };
	uint8_t address[16] = { 0 };
	unsigned before = f->found, causes = f->causes.count;

	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++) {
		if (inet_pton(tables[i].family, server, address) == 1)
			each_route(f, i, leads_to, address, keep_best, &best);
	}
	if (*best.interface)
		follow_interface(f, best.interface);
	else
		follow_routes(f, is_any);
	if (f->found == before && f->causes.count == causes)
		need_cause(f, written("no route leads to %s", *server ? server : "its server"));
}

static void reserve_route(struct finder *f, const struct route *r, struct route *best)
{
	(void)best;
	need_begin(f, "default route", false);
	f->reserve = true;
	need_why(f, written("default route through %s", r->interface));
	follow_lowers(f, r->interface);
	/* A port of Open vSwitch has nothing below it: the cards are below this one (netdev_create() of its kernel
	 * part). */
	if (!f->found)
		follow_lowers(f, "ovs-system");
	/* What is in a tunnel goes through a card all the same. */
	if (!f->found)
		follow_routes(f, has_gateway);
	if (!f->found)
		follow_routes(f, is_any);
	if (!f->found)
		need_cause(f, written("%s: no PCI function is below this interface", r->interface));
	need_end(f);
}

void find_network(struct finder *f)
{
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
		each_route(f, i, is_default, NULL, reserve_route, NULL);
}
