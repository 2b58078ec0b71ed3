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
	unsigned bits; /* length of the prefix; 0: the default route */
	unsigned metric;
	unsigned flags; /* RTF_* */
};

/*
 * The columns are Iface Destination Gateway Flags RefCnt Use Metric Mask. Numbers are in memory byte order
 * (fib_route_seq_show()).
 */
static bool parse_route4(const char *line, struct route *r)
{
	uint32_t to, mask;

	if (sscanf(line, "%15s %x %*x %x %*u %*u %u %x", r->interface, &to, &r->flags, &r->metric, &mask) != 5)
		return false;
	memcpy(r->to, &to, sizeof(to));
	r->bits = (unsigned)__builtin_popcount(mask);
	return true;
}

/*
 * The columns are destination, its length, source, its length, gateway, metric, two counters, flags and interface
 * (rt6_info_route()).
 */
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

/* The interfaces below a bridge, a bond or a VLAN are links lower_NAME (netdev_adjacent_sysfs_add()). */
static void follow_lowers(struct search *s, const char *name)
{
	struct text t;

	/* The slash keeps it apart from block devices. */
	if (!string_set_add(&s->seen, alloc_printf("net/%s", name)))
		return;
	read_link(&t, s->root, text_set(&t, "sys/class/net/%s", name));
	need_functions(s, t.p);
	list_directory(s->root, text_set(&t, "sys/class/net/%s", name), follow_lower, s);
}

static int follow_lower(void *data, const char *name)
{
	if (!strncmp(name, "lower_", 6))
		follow_lowers(data, name + 6);
	return 0;
}

/* A bridge may have ports without a PCI function, such as those of virtual machines. One function is enough. */
static void follow_interface(struct search *s, const char *name)
{
	unsigned before = s->found;

	follow_lowers(s, name);
	if (s->found == before)
		need_problem(s, alloc_printf("%s: no PCI function is below this interface", name));
}

/* Calls each() for the routes of a table that are up, not rejecting, and fit. */
static void each_route(struct search *s, unsigned table, bool (*fits)(const struct route *r, const uint8_t *address),
		       const uint8_t *address,
		       void (*each)(struct search *s, const struct route *r, struct route *best), struct route *best)
{
	FILE *in = open_stream(s, tables[table].path);
	char *line = NULL;
	size_t size = 0;
	struct route r;

	while (in && getline(&line, &size, in) >= 0) {
		if (tables[table].parse(line, &r) && (r.flags & (RTF_UP | RTF_REJECT)) == RTF_UP && fits(&r, address))
			each(s, &r, best);
	}
	free(line);
	if (in)
		fclose(in);
}

static void follow_route(struct search *s, const struct route *r, struct route *best)
{
	(void)best;
	follow_lowers(s, r->interface);
}

static void follow_routes(struct search *s, bool (*fits)(const struct route *r, const uint8_t *address))
{
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
		each_route(s, i, fits, NULL, follow_route, NULL);
}

static void keep_best(struct search *s, const struct route *r, struct route *best)
{
	(void)s;
	if (!*best->interface || r->bits > best->bits || (r->bits == best->bits && r->metric < best->metric))
		*best = *r;
}

void follow_server(struct search *s, const char *server)
{
	struct route best = { .interface = "" };
	uint8_t address[16] = { 0 };
	unsigned before = s->found, problems = s->problems.count;

	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++) {
		if (inet_pton(tables[i].family, server, address) == 1)
			each_route(s, i, leads_to, address, keep_best, &best);
	}
	if (*best.interface)
		follow_interface(s, best.interface);
	else
		follow_routes(s, is_any);
	if (s->found == before && s->problems.count == problems)
		need_problem(s, alloc_printf("no route leads to %s", *server ? server : "its server"));
}

static void reserve_route(struct search *s, const struct route *r, struct route *best)
{
	(void)best;
	need_begin(s, "default route", false);
	s->reserve = true;
	need_why(s, alloc_printf("default route through %s", r->interface));
	follow_lowers(s, r->interface);
	/*
	 * A port of Open vSwitch has no interface below it. The cards are below ovs-system (netdev_create() of its
	 * kernel part).
	 */
	if (!s->found)
		follow_lowers(s, "ovs-system");
	/*
	 * A tunnel has no card of its own. Its packets leave through a card with a gateway, or any card with a route.
	 */
	if (!s->found)
		follow_routes(s, has_gateway);
	if (!s->found)
		follow_routes(s, is_any);
	if (!s->found)
		need_problem(s, alloc_printf("%s: no PCI function is below this interface", r->interface));
	need_end(s);
}

void find_network(struct search *s)
{
	for (unsigned i = 0; i < ARRAY_SIZE(tables); i++)
		each_route(s, i, is_default, NULL, reserve_route, NULL);
}
