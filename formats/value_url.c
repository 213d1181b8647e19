/*
 * Domain names, URLs and mail addresses of value.h.
 */
#include "formats/value.h"

#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"

enum { LABEL_MAX = 63, DOMAIN_MAX = 253, PORT_MAX = 65535 };

static const struct {
	const char	*scheme;
	unsigned	 port;
} default_ports[] = {
	{ "http", 80 }, { "https", 443 }, { "ftp", 21 }, { "ftps", 990 }, { "ws", 80 },
	{ "wss", 443 }
};

static bool
is_label(struct slice label)
{
	if (label.n == 0 || label.n > LABEL_MAX)
		return false;
	for (size_t i = 0; i < label.n; i++) {
		char c = ascii_lower(label.p[i]);

		if (!ascii_is_digit(c) && (c < 'a' || c > 'z') && c != '-' && c != '_' && c != '*' &&
		    (unsigned char)c < 0x80)
			return false;
	}
	return true;
}

/* Labels of letters, digits, - _ * and anything beyond ASCII; the last one is not a number (that
 * would be an address). */
bool
value_domain(struct slice s, struct arena *mem, struct slice *out)
{
	struct slice label = SLICE_EMPTY, rest;
	unsigned long long number;

	s = slice_trim(s);
	if (s.n > 1 && s.p[s.n - 1] == '.')
		s.n--;
	if (s.n == 0 || s.n > DOMAIN_MAX || s.p[s.n - 1] == '.')
		return false;
	for (rest = s; rest.n > 0;)
		if (!is_label(label = slice_cut(&rest, '.')))
			return false;
	if (slice_u64(label, &number))
		return false;
	*out = value_lower(s, mem);
	return true;
}

/* A URL in pieces; `tail` begins with / ? # or is empty. */
struct url {
	struct slice	scheme, user, host, port, tail;
};

/* Lower-case the host, or print it as an address. IPv6 keeps its brackets. */
static bool
url_host(struct slice s, struct arena *mem, struct slice *out)
{
	struct slice ip;

	if (s.n > 0 && s.p[0] == '[') {
		if (!value_ip(6, s, mem, &ip))
			return false;
		*out = slice_of(arena_fmt(mem, "[%.*s]", SLICE_ARG(ip)));
		return true;
	}
	return value_ip(4, s, mem, out) || value_domain(s, mem, out);
}

/* The scheme (with a letter first) in front of "://". */
static bool
url_scheme(struct slice *rest, struct slice *scheme)
{
	const char *at = rest->n == 0 ? NULL : memmem(rest->p, rest->n, "://", 3);

	if (at == NULL || at == rest->p)
		return false;
	*scheme = slice_from(rest->p, (size_t)(at - rest->p));
	for (size_t i = 0; i < scheme->n; i++) {
		char c = ascii_lower(scheme->p[i]);

		if ((c < 'a' || c > 'z') && (i == 0 || (!ascii_is_digit(c) && c != '+' && c != '-' &&
		    c != '.')))
			return false;
	}
	*rest = slice_from(at + 3, rest->n - scheme->n - 3);
	return true;
}

/* Take a URL with a server apart; false if it is none. The host is canonical then. */
static bool
url_split(struct slice s, struct arena *mem, struct url *u)
{
	struct slice rest = s, server;
	size_t i, colon;

	memset(u, 0, sizeof(*u));
	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	if (!url_scheme(&rest, &u->scheme))
		return false;
	for (i = 0; i < rest.n && strchr("/?#", rest.p[i]) == NULL; i++)
		;
	server = slice_from(rest.p, i);
	u->tail = slice_from(rest.p + i, rest.n - i);
	for (i = server.n; i > 0 && server.p[i - 1] != '@'; i--)
		;
	u->user = slice_from(server.p, i);
	server = slice_from(server.p + i, server.n - i);
	for (colon = server.n; colon > 0 && ascii_is_digit(server.p[colon - 1]); colon--)
		;
	if (colon > 0 && server.p[colon - 1] == ':' && server.p[0] != ':') {
		u->port = slice_from(server.p + colon, server.n - colon);
		server.n = colon - 1;
	}
	return url_host(server, mem, &u->host);
}

/* The port as it is to be printed; false if it is too large. The default one is printed as none. */
static bool
url_port(struct url *u)
{
	unsigned long long port;

	if (u->port.n == 0)
		return true;
	if (!slice_u64(u->port, &port) || port > PORT_MAX)
		return false;
	while (u->port.n > 1 && u->port.p[0] == '0')
		u->port.p++, u->port.n--;
	for (size_t i = 0; i < COUNTOF(default_ports); i++)
		if (port == default_ports[i].port &&
		    slice_is_nocase(u->scheme, default_ports[i].scheme))
			u->port.n = 0;
	return true;
}

/* A URL that is whole is never refanged: "[.]" in its path is then a part of it. */
bool
value_url(struct slice s, struct arena *mem, struct slice *out)
{
	struct url u;

	s = slice_trim(s);
	if ((!url_split(s, mem, &u) || value_scheme_is_fanged(u.scheme)) &&
	    !url_split(value_refang(s, mem), mem, &u))
		return false;
	if (!url_port(&u))
		return false;
	*out = slice_of(arena_fmt(mem, "%.*s://%.*s%.*s%s%.*s%.*s",
	    SLICE_ARG(value_lower(u.scheme, mem)), SLICE_ARG(u.user), SLICE_ARG(u.host),
	    u.port.n > 0 ? ":" : "", SLICE_ARG(u.port), SLICE_ARG(u.tail)));
	return true;
}

bool
value_email(struct slice s, struct arena *mem, struct slice *out)
{
	struct slice domain;
	size_t at;

	s = slice_trim(value_refang(slice_trim(s), mem));
	for (at = s.n; at > 0 && s.p[at - 1] != '@'; at--)
		;
	if (at < 2)
		return false;
	for (size_t i = 0; i < at; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == '<' || s.p[i] == '>')
			return false;
	if (!value_domain(slice_from(s.p + at, s.n - at), mem, &domain))
		return false;
	*out = slice_of(arena_fmt(mem, "%.*s%.*s", (int)at, s.p, SLICE_ARG(domain)));
	return true;
}
