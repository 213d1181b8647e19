#include "adapters/dial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <event2/bufferevent.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "adapters/tls.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"

enum { MAX_ADDRESSES = 8, ADDRESS_TEXT = INET6_ADDRSTRLEN + 8 };

struct dial {
	struct event_base	*base;
	struct dial_to		 to;
	char			*host, *name;
	dial_cb			*cb;		/* NULL: cancelled, waits for the resolver's word */
	void			*arg;
	enum dial_step		 step;
	struct evdns_getaddrinfo_request *lookup;
	bool			 looking;	/* the resolver still has a pointer to us */
	struct sockaddr_storage	 addrs[MAX_ADDRESSES];
	size_t			 naddrs, next;
	struct event		*timer;
	struct event		*writable;	/* TCP */
	struct proxy_talk	*talk;		/* with the proxy, on fd */
	int			 fd;		/* ours until a bufferevent has it */
	struct bufferevent	*bev;
	int64_t			 deadline_us;
	bool			 over;		/* the timer delivers the result */
	struct err		 err;
	char			 address[ADDRESS_TEXT];
};

static void	next_address(struct dial *d);

static void
dial_free(struct dial *d)
{
	if (d->writable != NULL)
		event_free(d->writable);
	proxy_connect_cancel(d->talk);
	if (d->fd >= 0)
		close(d->fd);
	if (d->bev != NULL)
		bufferevent_free(d->bev);
	if (d->timer != NULL)
		event_free(d->timer);
	d->timer = NULL;
	d->writable = NULL;
	d->talk = NULL;
	d->bev = NULL;
	d->fd = -1;
	d->cb = NULL;
	if (d->looking) {		/* on_name will be called once more, and frees the rest */
		if (d->lookup != NULL)
			evdns_getaddrinfo_cancel(d->lookup);
		d->lookup = NULL;
		return;
	}
	tls_free(d->to.tls);
	free(d->host);
	free(d->name);
	free(d);
}

/* Have the timer run in `us`. */
static void
wake_in(struct dial *d, int64_t us)
{
	struct timeval tv;

	if (us < 0)
		us = 0;
	tv.tv_sec = us / 1000000;
	tv.tv_usec = us % 1000000;
	evtimer_add(d->timer, &tv);
}

/* The end, good (d->bev) or bad (d->err): told from the loop. */
static void
end(struct dial *d)
{
	d->over = true;
	wake_in(d, 0);
}

static bool
has_proxy(const struct dial *d)
{
	return d->to.proxy.host != NULL;
}

/* Where the connection goes first. */
static const char *
first_host(const struct dial *d)
{
	return has_proxy(d) ? d->to.proxy.host : d->host;
}

static uint16_t
first_port(const struct dial *d)
{
	return has_proxy(d) ? d->to.proxy.port : d->to.port;
}

/* The way to a proxy is the proxy's step: said so in words as well. */
static void
blame_proxy(struct dial *d)
{
	if (!has_proxy(d) || d->err.code == ERR_NONE || d->step == DIAL_TLS)
		return;
	d->step = DIAL_PROXY;
	if (strncmp(d->err.reason, "proxy:", 6) != 0)
		err_context(&d->err, "proxy");
}

static void
deliver(struct dial *d)
{
	struct dial_result r = { d->bev, d->step, &d->err, d->address };
	dial_cb *cb = d->cb;
	void *arg = d->arg;

	blame_proxy(d);
	r.step = d->step;
	if (d->err.code != ERR_NONE && d->bev != NULL) {
		bufferevent_free(d->bev);
		r.bev = NULL;
	}
	if (r.bev != NULL)
		bufferevent_setcb(r.bev, NULL, NULL, NULL, NULL);
	d->bev = NULL;
	cb(&r, arg);
	dial_free(d);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	static const char *const words[] = { "name", "tcp", "proxy", "tls" };
	struct dial *d = arg;

	(void)fd;
	(void)what;
	if (!d->over && d->step == DIAL_TCP && clock_mono_us() < d->deadline_us &&
	    d->next < d->naddrs) {
		next_address(d);
		return;
	}
	if (!d->over)
		err_set(&d->err, ERR_TIMEOUT, "%s: no answer from %s port %u in time",
		    words[d->step], d->address[0] == '\0' ? first_host(d) : d->address, first_port(d));
	deliver(d);
}

static void
on_tls(struct bufferevent *bev, short what, void *arg)
{
	struct dial *d = arg;

	if (d->err.code != ERR_NONE)
		return;
	if ((what & BEV_EVENT_CONNECTED) != 0)
		tls_check_pins(bev, d->to.pins, d->to.npins, &d->err);
	else if (tls_error(bev, what, &d->err) < 0 && strncmp(d->err.reason, "tls:", 4) != 0)
		err_context(&d->err, "tls");
	bufferevent_disable(bev, EV_READ);
	end(d);
}

/* There is a way to the server. */
static void
shake_hands(struct dial *d)
{
	d->step = DIAL_TLS;
	wake_in(d, d->deadline_us - clock_mono_us());
	if (d->to.tls == NULL) {
		d->bev = bufferevent_socket_new(d->base, d->fd, BEV_OPT_CLOSE_ON_FREE |
		    BEV_OPT_DEFER_CALLBACKS);
		d->fd = -1;
		end(d);
		return;
	}
	d->bev = tls_connect(d->to.tls, d->base, d->fd, d->name, &d->err);
	if (d->bev == NULL) {
		end(d);
		return;
	}
	d->fd = -1;
	bufferevent_setcb(d->bev, NULL, NULL, on_tls, d);
	bufferevent_enable(d->bev, EV_READ | EV_WRITE);
}

static void
on_tunnel(void *arg, const struct err *e)
{
	struct dial *d = arg;

	d->talk = NULL;
	if (e != NULL) {
		d->err = *e;
		end(d);
		return;
	}
	shake_hands(d);
}

/* TCP is there: to the server, or to the proxy on the way. */
static void
connected(struct dial *d)
{
	if (!has_proxy(d)) {
		shake_hands(d);
		return;
	}
	d->step = DIAL_PROXY;
	wake_in(d, d->deadline_us - clock_mono_us());
	d->talk = proxy_connect(d->base, d->fd, &d->to.proxy, d->host, d->to.port, on_tunnel, d);
}

static void
failed_address(struct dial *d, int number)
{
	err_set(&d->err, ERR_IO, "tcp: %s port %u: %s", d->address, first_port(d), strerror(number));
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	next_address(d);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct dial *d = arg;
	socklen_t n = sizeof(int);
	int number = 0;

	(void)what;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &n) < 0)
		number = errno;
	event_free(d->writable);
	d->writable = NULL;
	if (number != 0) {
		failed_address(d, number);
		return;
	}
	d->err = (struct err)ERR_INIT;		/* earlier addresses do not matter any more */
	connected(d);
}

/* Begin with the next address; the time that is left is shared by those that are left. */
static void
next_address(struct dial *d)
{
	struct sockaddr *sa = (struct sockaddr *)&d->addrs[d->next];
	size_t left = d->naddrs - d->next;
	int one = 1;

	if (d->writable != NULL)
		event_free(d->writable);
	d->writable = NULL;
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	if (left == 0) {
		end(d);
		return;
	}
	d->next++;
	evutil_inet_ntop(sa->sa_family, sa->sa_family == AF_INET ?
	    (void *)&((struct sockaddr_in *)sa)->sin_addr :
	    (void *)&((struct sockaddr_in6 *)sa)->sin6_addr, d->address, sizeof(d->address));
	wake_in(d, (d->deadline_us - clock_mono_us()) / (int64_t)left);
	d->fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->fd < 0) {
		failed_address(d, errno);
		return;
	}
	(void)setsockopt(d->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(d->fd, sa, sa->sa_family == AF_INET ? sizeof(struct sockaddr_in) :
	    sizeof(struct sockaddr_in6)) < 0 && errno != EINPROGRESS) {
		failed_address(d, errno);
		return;
	}
	d->writable = event_new(d->base, d->fd, EV_WRITE, on_writable, d);
	event_add(d->writable, NULL);
}

static void
on_name(int result, struct evutil_addrinfo *list, void *arg)
{
	struct dial *d = arg;
	struct evutil_addrinfo *a;

	d->looking = false;
	d->lookup = NULL;
	for (a = list; a != NULL && d->naddrs < MAX_ADDRESSES; a = a->ai_next)
		if (a->ai_family == AF_INET || a->ai_family == AF_INET6)
			memcpy(&d->addrs[d->naddrs++], a->ai_addr, a->ai_addrlen);
	if (list != NULL)
		evutil_freeaddrinfo(list);
	if (d->cb == NULL) {
		dial_free(d);
		return;
	}
	if (d->naddrs == 0) {
		err_set(&d->err, ERR_IO, "name: %s: %s", first_host(d),
		    result == 0 ? "no address" : evutil_gai_strerror(result));
		end(d);
		return;
	}
	d->step = DIAL_TCP;
	next_address(d);
}

/* Take the host for an IP address; false if it is none. */
static bool
use_address(struct dial *d)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&d->addrs[0];
	struct sockaddr_in *in = (struct sockaddr_in *)&d->addrs[0];

	if (inet_pton(AF_INET, first_host(d), &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(first_port(d));
	} else if (inet_pton(AF_INET6, first_host(d), &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(first_port(d));
	} else {
		return false;
	}
	d->naddrs = 1;
	return true;
}

static void
look_up(struct dial *d)
{
	struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
	    .ai_protocol = IPPROTO_TCP, .ai_flags = EVUTIL_AI_ADDRCONFIG };
	struct evdns_getaddrinfo_request *rq;
	char port[8];

	if (use_address(d)) {
		d->step = DIAL_TCP;
		next_address(d);
		return;
	}
	if (d->to.dns == NULL) {
		err_set(&d->err, ERR_IO, "name: %s: there is no resolver", first_host(d));
		end(d);
		return;
	}
	snprintf(port, sizeof(port), "%u", first_port(d));
	d->looking = true;
	rq = evdns_getaddrinfo(d->to.dns, first_host(d), port, &hints, on_name, d);
	if (d->looking)			/* else it was answered on the spot */
		d->lookup = rq;
}

/* No lookup needed? */
bool
dial_is_address(const char *host)
{
	unsigned char addr[16];

	return inet_pton(AF_INET, host, addr) == 1 || inet_pton(AF_INET6, host, addr) == 1;
}

bool
dial_is_looking(const struct dial *d)
{
	return d != NULL && d->looking;
}

/* A resolver for one event base. */
struct evdns_base *
dial_resolver(struct event_base *base)
{
	struct evdns_base *dns = evdns_base_new(base, EVDNS_BASE_INITIALIZE_NAMESERVERS |
	    EVDNS_BASE_DISABLE_WHEN_INACTIVE);

	if (dns == NULL && (dns = evdns_base_new(base, EVDNS_BASE_DISABLE_WHEN_INACTIVE)) != NULL)
		(void)evdns_base_load_hosts(dns, "/etc/hosts");
	return dns;
}

/* Go. */
struct dial *
dial_start(struct event_base *base, const struct dial_to *to, dial_cb *cb, void *arg)
{
	struct dial *d = xcalloc(1, sizeof(*d));

	d->base = base;
	d->to = *to;
	if (to->tls != NULL)
		tls_ref(to->tls);
	d->host = xstrdup(to->host);
	d->name = xstrdup(to->name == NULL ? to->host : to->name);
	d->cb = cb;
	d->arg = arg;
	d->fd = -1;
	d->timer = evtimer_new(base, on_timer, d);
	d->deadline_us = clock_mono_us() + to->timeout_us;
	wake_in(d, to->timeout_us);
	look_up(d);
	return d;
}

/* Stop. */
void
dial_cancel(struct dial *d)
{
	if (d != NULL)
		dial_free(d);
}
