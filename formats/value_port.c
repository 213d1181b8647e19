/*
 * Protocols and ports of value.h: the names of IANA's registries, as far as feeds write them.
 */
#include <stdint.h>

#include "formats/value.h"
#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"

/* Numbers of the Internet protocol header, and other spellings. */
static const struct {
	const char	*spelling, *name;
} protocols[] = {
	{ "1", "icmp" }, { "2", "igmp" }, { "4", "ipv4" }, { "6", "tcp" }, { "17", "udp" },
	{ "41", "ipv6" }, { "47", "gre" }, { "50", "esp" }, { "51", "ah" },
	{ "58", "icmp6" }, { "132", "sctp" }, { "ipv6-icmp", "icmp6" },
	{ "icmpv6", "icmp6" }, { "icmpv4", "icmp" }, { "ip4", "ipv4" }, { "ip6", "ipv6" },
	{ "ipsec-esp", "esp" }, { "ipsec-ah", "ah" }
};

/* Names of services; schemes of URLs are among them. */
static const struct {
	const char	*name;
	uint16_t	 port;
} services[] = {
	{ "http", 80 }, { "https", 443 }, { "ftp", 21 }, { "ftps", 990 }, { "ws", 80 },
	{ "wss", 443 }, { "ssh", 22 }, { "telnet", 23 }, { "smtp", 25 }, { "domain", 53 },
	{ "dns", 53 }, { "tftp", 69 }, { "kerberos", 88 }, { "pop3", 110 }, { "ntp", 123 },
	{ "imap", 143 }, { "snmp", 161 }, { "ldap", 389 }, { "smb", 445 }, { "microsoft-ds", 445 },
	{ "submissions", 465 }, { "syslog", 514 }, { "submission", 587 }, { "ldaps", 636 },
	{ "domain-s", 853 }, { "imaps", 993 }, { "pop3s", 995 }, { "socks", 1080 },
	{ "ms-sql-s", 1433 }, { "mqtt", 1883 }, { "mysql", 3306 }, { "ms-wbt-server", 3389 },
	{ "rdp", 3389 }, { "postgresql", 5432 }, { "redis", 6379 }, { "http-alt", 8080 }
};

bool
value_protocol(struct slice s, struct arena *mem, struct slice *out)
{
	s = slice_trim(s);
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ')
			return false;
	for (size_t i = 0; i < COUNTOF(protocols); i++) {
		if (slice_is_nocase(s, protocols[i].spelling)) {
			*out = slice_of(protocols[i].name);
			return true;
		}
	}
	*out = value_lower(s, mem);
	return true;
}

int
value_service_port(struct slice name)
{
	for (size_t i = 0; i < COUNTOF(services); i++)
		if (slice_is_nocase(name, services[i].name))
			return services[i].port;
	return -1;
}

bool
value_port(struct slice s, struct arena *mem, struct slice *out)
{
	unsigned long long number;
	int known;

	s = slice_trim(s);
	if (s.n == 0)
		return false;
	if (!ascii_is_digit(s.p[0])) {
		if ((known = value_service_port(s)) < 0)
			return false;
		number = (unsigned)known;
	} else if (!slice_u64(s, &number) || number > UINT16_MAX) {
		return false;
	}
	*out = slice_of(arena_fmt(mem, "%llu", number));
	return true;
}
