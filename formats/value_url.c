/*
 * Domain names, URLs and mail addresses of value.h.
 *
 * A URL is written as RFC 3986 section 6.2 normalises it, and taken apart as browsers do (the URL
 * standard): who sends us one wants us to look at the server that a browser goes to.
 */
#include "formats/value.h"

#include <stdint.h>

#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"
#include "gateway/base/strbuf.h"

enum { LABEL_MAX = 63, DOMAIN_MAX = 253 };

/* --- names ---------------------------------------------------------------------------------- */

static bool
is_label(struct slice label)
{
	if (label.n == 0 || label.n > LABEL_MAX)
		return false;
	for (size_t i = 0; i < label.n; i++) {
		char c = ascii_lower(label.p[i]);

		if (!ascii_is_digit(c) && (c < 'a' || c > 'z') && c != '-' && c != '_' && c != '*')
			return false;
	}
	return true;
}

/* Digits, or 0x and hex: programs take a name that ends so for an address. */
static bool
is_number(struct slice label)
{
	bool hex = label.n >= 2 && label.p[0] == '0' && ascii_lower(label.p[1]) == 'x';

	for (size_t i = hex ? 2 : 0; i < label.n; i++)
		if (hex ? ascii_hex(label.p[i]) < 0 : !ascii_is_digit(label.p[i]))
			return false;
	return true;
}

static bool
is_ascii(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

/* Labels of letters, digits, - _ and *, or what IDNA makes such of; the last one is not a number
 * (that would be an address). */
bool
value_domain(struct slice s, struct arena *mem, struct slice *out)
{
	struct slice label = SLICE_EMPTY, rest;

	s = slice_trim(s);
	if (!is_ascii(s) && !value_idn_ascii(s, mem, &s))
		return false;
	if (s.n > 1 && s.p[s.n - 1] == '.')
		s.n--;
	if (s.n == 0 || s.n > DOMAIN_MAX || s.p[s.n - 1] == '.')
		return false;
	for (rest = s; rest.n > 0;)
		if (!is_label(label = slice_cut(&rest, '.')))
			return false;
	if (is_number(label))
		return false;
	*out = value_lower(s, mem);
	return true;
}

/* --- URLs ----------------------------------------------------------------------------------- */

/* A URL in pieces; `user` ends with @ or is empty, `tail` begins with / ? # or is empty. */
struct url {
	struct slice	scheme, user, host, port, tail;
	bool		web;		/* a scheme that browsers know: \ is / there */
};

/* RFC 3986 section 2.3 */
static bool
is_unreserved(int c)
{
	return (c >= '0' && c <= '9') || (ascii_lower((char)c) >= 'a' &&
	    ascii_lower((char)c) <= 'z') || c == '-' || c == '.' || c == '_' || c == '~';
}

/* Characters that no URL holds unescaped. */
static bool
is_foreign(unsigned char c)
{
	return c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}", c) != NULL;
}

/* An escape at i stands for *c. */
static bool
is_escape(struct slice s, size_t i, unsigned char *c)
{
	int high, low;

	if (s.p[i] != '%' || i + 2 >= s.n)
		return false;
	high = ascii_hex(s.p[i + 1]);
	low = ascii_hex(s.p[i + 2]);
	if (high < 0 || low < 0)
		return false;
	*c = (unsigned char)(high * 16 + low);
	return true;
}

/* Escapes in upper case and only where they are needed; what is foreign gets one. */
static void
add_escaped(struct strbuf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool escape = is_escape(s, i, &c);

		i += escape ? 2 : 0;
		if (escape ? !is_unreserved(c) : c == '%' || is_foreign(c))
			strbuf_addf(out, "%%%02X", c);
		else
			strbuf_addc(out, (char)c);
	}
}

/* RFC 3986 section 5.2.4, over the path at the end of `out` that begins at `from` with a slash. */
static void
remove_dots(struct strbuf *out, size_t from)
{
	size_t n = from, i = from;

	while (i < out->n) {
		size_t end = i + 1, len;

		while (end < out->n && out->p[end] != '/')
			end++;
		len = end - i - 1;
		if (len == 2 && out->p[i + 1] == '.' && out->p[i + 2] == '.') {
			while (n > from && out->p[--n] != '/')
				;
			if (end == out->n)
				out->p[n++] = '/';
		} else if (len == 1 && out->p[i + 1] == '.') {
			if (end == out->n)
				out->p[n++] = '/';
		} else {
			memmove(out->p + n, out->p + i, end - i);
			n += end - i;
		}
		i = end;
	}
	strbuf_setlen(out, n);
}

/* Path, query and fragment. */
static void
add_tail(struct strbuf *out, const struct url *u)
{
	size_t from = out->n, end = 0, slash = 0;

	while (end < u->tail.n && u->tail.p[end] != '?' && u->tail.p[end] != '#')
		end++;
	for (size_t i = 0; u->web && i < end; i++) {
		if (u->tail.p[i] != '\\')
			continue;
		add_escaped(out, slice_from(u->tail.p + slash, i - slash));
		strbuf_addc(out, '/');
		slash = i + 1;
	}
	add_escaped(out, slice_from(u->tail.p + slash, end - slash));
	if (out->n == from && u->web)
		strbuf_addc(out, '/');
	remove_dots(out, from);
	add_escaped(out, slice_from(u->tail.p + end, u->tail.n - end));
}

/* The text with its escapes undone. */
static struct slice
unescaped(struct slice s, struct arena *mem)
{
	char *p = s.n == 0 || memchr(s.p, '%', s.n) == NULL ? NULL : arena_raw(mem, s.n);
	size_t n = 0;

	if (p == NULL)
		return s;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		i += is_escape(s, i, &c) ? 2 : 0;
		p[n++] = (char)c;
	}
	return slice_from(p, n);
}

/* Lower-case the host, or print it as an address. IPv6 keeps its brackets. */
static bool
url_host(struct slice s, struct arena *mem, struct slice *out)
{
	struct slice ip;

	if (s.n > 0 && s.p[0] == '[') {
		if (!value_ip(6, s, mem, &ip) || memchr(ip.p, '/', ip.n) != NULL)
			return false;
		*out = slice_of(arena_fmt(mem, "[%.*s]", SLICE_ARG(ip)));
		return true;
	}
	s = unescaped(s, mem);
	return s.n > 0 && slice_trim(s).n == s.n && memchr(s.p, '/', s.n) == NULL &&
	    (value_ip(4, s, mem, out) || value_domain(s, mem, out));
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

static bool
is_web(struct slice scheme)
{
	static const char *const web[] = { "http", "https", "ftp", "ftps", "ws", "wss" };

	for (size_t i = 0; i < COUNTOF(web); i++)
		if (slice_is_nocase(scheme, web[i]))
			return true;
	return false;
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
	u->web = is_web(u->scheme);
	for (i = 0; i < rest.n && strchr(u->web ? "/?#\\" : "/?#", rest.p[i]) == NULL; i++)
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
	if (!slice_u64(u->port, &port) || port > UINT16_MAX)
		return false;
	while (u->port.n > 1 && u->port.p[0] == '0')
		u->port.p++, u->port.n--;
	if (u->web && (int)port == value_service_port(u->scheme))
		u->port.n = 0;
	return true;
}

/* Who logs in: its last @ ends it, earlier ones are escaped. Nobody at all is left out. */
static void
add_user(struct strbuf *out, struct slice user)
{
	if (user.n <= 1 || slice_is(user, ":@"))
		return;
	for (user.n--; user.n > 0;) {
		struct slice part = slice_from(user.p, 0);

		while (part.n < user.n && user.p[part.n] != '@')
			part.n++;
		add_escaped(out, part);
		if (part.n < user.n) {
			strbuf_adds(out, "%40");
			part.n++;
		}
		user = slice_from(user.p + part.n, user.n - part.n);
	}
	strbuf_addc(out, '@');
}

/* A URL that is whole is never refanged: "[.]" in its path is then a part of it. */
bool
value_url(struct slice s, struct arena *mem, struct slice *out)
{
	struct strbuf text = STRBUF_INIT;
	struct url u;

	s = slice_trim(s);
	if ((!url_split(s, mem, &u) || value_scheme_is_fanged(u.scheme)) &&
	    !url_split(value_refang(s, mem), mem, &u))
		return false;
	if (!url_port(&u))
		return false;
	strbuf_addsl(&text, value_lower(u.scheme, mem));
	strbuf_adds(&text, "://");
	add_user(&text, u.user);
	strbuf_addsl(&text, u.host);
	if (u.port.n > 0)
		strbuf_addf(&text, ":%.*s", SLICE_ARG(u.port));
	add_tail(&text, &u);
	*out = arena_slice(mem, strbuf_slice(&text));
	strbuf_fini(&text);
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
