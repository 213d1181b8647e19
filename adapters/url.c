#include "adapters/url.h"

#include <stdio.h>

static int
copy(char *to, size_t cap, struct slice s, const char *what, struct err *e)
{
	if (s.n == 0 || s.n >= cap)
		return err_set(e, ERR_VALUE, "the URL's %s is empty or too long", what);
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
	return 0;
}

/* "name:port", "[v6]:port" or without a port. */
static int
parse_authority(struct slice a, struct url *out, struct err *e)
{
	unsigned long long port = 443;
	struct slice host;

	if (a.n > 0 && a.p[0] == '[') {
		a.p++, a.n--;
		host = slice_cut(&a, ']');
		if (a.n > 0 && a.p[0] != ':')
			return err_set(e, ERR_VALUE, "odd text behind the address in brackets");
		if (a.n > 0)
			a.p++, a.n--;
	} else {
		host = slice_cut(&a, ':');
	}
	if (memchr(host.p, '@', host.n) != NULL)
		return err_set(e, ERR_VALUE, "a user name does not belong in this URL");
	if (a.n > 0 && (!slice_u64(a, &port) || port == 0 || port > 65535))
		return err_set(e, ERR_VALUE, "\"%.*s\" is no port", SLICE_ARG(a));
	out->port = (uint16_t)port;
	return copy(out->host, sizeof(out->host), host, "host", e);
}

int
url_parse(const char *text, struct url *out, struct err *e)
{
	static const char scheme[] = "https://";
	struct slice rest = slice_of(text), authority;
	size_t n;

	memset(out, 0, sizeof(*out));
	if (!slice_starts(rest, scheme))
		return err_set(e, ERR_VALUE, "the URL must begin with https://");
	rest = slice_of(text + sizeof(scheme) - 1);
	if (memchr(rest.p, '?', rest.n) != NULL || memchr(rest.p, '#', rest.n) != NULL)
		return err_set(e, ERR_VALUE, "the URL must have no query and no fragment");
	authority = slice_cut(&rest, '/');
	if (parse_authority(authority, out, e) < 0)
		return -1;
	if (rest.n + 3 > sizeof(out->path))
		return err_set(e, ERR_VALUE, "the URL's path is too long");
	n = (size_t)snprintf(out->path, sizeof(out->path), "/%.*s", SLICE_ARG(rest));
	if (out->path[n - 1] != '/')
		memcpy(out->path + n, "/", 2);
	return 0;
}
