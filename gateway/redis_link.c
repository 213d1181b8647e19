#include "gateway/redis_link.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { REDIS_PORT = 6379, DB_MAX = 1023 };

static int
parse_unix(const char *url, struct slice path, struct redis_address *out, struct err *e)
{
	if (path.n == 0 || path.p[0] != '/' || path.n >= sizeof(out->path))
		return err_set(e, ERR_CONFIG,
		    "%s: a socket needs an absolute path of at most %zu bytes", url,
		    sizeof(out->path) - 1);
	memcpy(out->path, path.p, path.n);
	return 0;
}

/* host, [host] or either with :port. */
static int
parse_place(const char *url, struct slice place, struct redis_address *out, struct err *e)
{
	unsigned long long port = REDIS_PORT;
	struct slice host, rest;
	size_t i;

	if (place.n > 0 && place.p[0] == '[') {
		rest = (struct slice){ place.p + 1, place.n - 1 };
		host = slice_cut(&rest, ']');
		if (host.p + host.n == place.p + place.n)
			return err_set(e, ERR_CONFIG, "%s: the bracket is not closed", url);
		if (rest.n > 0 && rest.p[0] != ':')
			return err_set(e, ERR_CONFIG, "%s: only :port may follow the bracket", url);
		if (rest.n > 0)
			rest = (struct slice){ rest.p + 1, rest.n - 1 };
		else
			rest = slice_of("6379");
	} else {
		rest = place;
		host = slice_cut(&rest, ':');
		if (host.n == place.n)
			rest = slice_of("6379");
	}
	if (!slice_u64(rest, &port) || port == 0 || port > 65535)
		return err_set(e, ERR_CONFIG, "%s: the port must be 1 to 65535", url);
	if (host.n == 0 || host.n >= sizeof(out->host))
		return err_set(e, ERR_CONFIG, "%s: no host", url);
	for (i = 0; i < host.n; i++)
		if ((unsigned char)host.p[i] <= ' ' || strchr("/?#@\\%\x7f", host.p[i]) != NULL)
			return err_set(e, ERR_CONFIG, "%s: not a host name", url);
	memcpy(out->host, host.p, host.n);
	out->port = (uint16_t)port;
	return 0;
}

int
redis_address_parse(const char *url, struct redis_address *out, struct err *e)
{
	struct slice s = slice_of(url), db;
	unsigned long long n = 0;

	memset(out, 0, sizeof(*out));
	/* Never shown: what stands before an @ may be a password. */
	if (memchr(s.p, '@', s.n) != NULL && !slice_starts(s, "unix:"))
		return err_set(e, ERR_CONFIG,
		    "redis: no user or password in the URL; use `user` and `password-file`");
	if (slice_starts(s, "unix:"))
		return parse_unix(url, (struct slice){ s.p + 5, s.n - 5 }, out, e);
	out->tls = slice_starts(s, "rediss://");
	if (!out->tls && !slice_starts(s, "redis://"))
		return err_set(e, ERR_CONFIG,
		    "%s: expected unix:/path, redis://host:port or rediss://host:port", url);
	slice_cut(&s, '/');
	slice_cut(&s, '/');
	db = s;
	s = slice_cut(&db, '/');
	if (db.n > 0 && (!slice_u64(db, &n) || n > DB_MAX))
		return err_set(e, ERR_CONFIG, "%s: after the host comes a database number", url);
	out->db = (unsigned)n;
	return parse_place(url, s, out, e);
}

/* /etc/hosts and the name servers of /etc/resolv.conf; a machine without either still has numbers. */
static struct evdns_base *
resolver(struct event_base *base, struct evdns_base **dns)
{
	if (*dns == NULL) {
		*dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
		if (*dns != NULL)
			evdns_base_resolv_conf_parse(*dns, DNS_OPTIONS_ALL, "/etc/resolv.conf");
	}
	return *dns;
}

static int
connect_host(struct event_base *base, struct evdns_base **dns, struct bufferevent *bev,
    const struct redis_address *a)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(a->port) };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(a->port) };

	if (evutil_inet_pton(AF_INET, a->host, &four.sin_addr) == 1)
		return bufferevent_socket_connect(bev, (struct sockaddr *)&four, sizeof(four));
	if (evutil_inet_pton(AF_INET6, a->host, &six.sin6_addr) == 1)
		return bufferevent_socket_connect(bev, (struct sockaddr *)&six, sizeof(six));
	/* Without a resolver of its own libevent would wait for the name: better no connection. */
	if (resolver(base, dns) == NULL)
		return -1;
	return bufferevent_socket_connect_hostname(bev, *dns, AF_UNSPEC, a->host, a->port);
}

struct bufferevent *
redis_dial(struct event_base *base, struct evdns_base **dns, const struct redis_address *a,
    redis_tls_fn *tls, void *tls_ctx, struct err *e)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	struct bufferevent *bev;
	int rc;

	if (a->tls) {
		bev = tls(tls_ctx, base, a->host, e);
	} else {
		bev = bufferevent_socket_new(base, -1,
		    BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
		if (bev == NULL)
			err_set(e, ERR_IO, "cannot make a bufferevent");
	}
	if (bev == NULL)
		return NULL;
	errno = 0;
	if (a->path[0] != '\0') {
		memcpy(local.sun_path, a->path, sizeof(local.sun_path));
		rc = bufferevent_socket_connect(bev, (struct sockaddr *)&local, sizeof(local));
	} else {
		rc = connect_host(base, dns, bev, a);
	}
	if (rc == 0)
		return bev;
	err_set(e, ERR_IO, "cannot connect: %s", errno != 0 ? strerror(errno) : "no resolver");
	bufferevent_free(bev);
	return NULL;
}
