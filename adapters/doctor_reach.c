/* doctor_reach.c -- name, TCP, proxy: is there anybody. Part of doctor_parts.h. */
#include "adapters/doctor_parts.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>

#include "adapters/dial.h"
#include "adapters/proxy_connect.h"
#include "gateway/base/clock.h"
#include "gateway/base/digest.h"

enum { HEAD_MAX = 16384 };

/* ---- name ---- */

struct lookup {
	struct doctor		*d;
	struct event_base	*base;
	int			 result;
	bool			 over;
};

static void
keep_address(struct doctor *d, const struct sockaddr *sa, size_t n)
{
	struct doctor_address *a = &d->addresses[d->naddresses];

	if (d->naddresses == DOCTOR_ADDRESSES || n > sizeof(a->sa))
		return;
	memcpy(&a->sa, sa, n);
	a->n = (socklen_t)n;
	inet_ntop(sa->sa_family, sa->sa_family == AF_INET ?
	    (const void *)&((const struct sockaddr_in *)sa)->sin_addr :
	    (const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr, a->text, sizeof(a->text));
	d->naddresses++;
}

static void
on_name(int result, struct evutil_addrinfo *list, void *arg)
{
	struct lookup *l = arg;

	l->result = result;
	l->over = true;
	for (struct evutil_addrinfo *a = list; a != NULL; a = a->ai_next)
		if (a->ai_family == AF_INET || a->ai_family == AF_INET6)
			keep_address(l->d, a->ai_addr, a->ai_addrlen);
	if (list != NULL)
		evutil_freeaddrinfo(list);
	event_base_loopbreak(l->base);
}

/* Ask the resolver that the node would ask, in the same words. */
static void
look_up(struct lookup *l, const char *host, uint16_t port)
{
	const struct timeval limit = { l->d->conf->timeout_us / 1000000,
	    l->d->conf->timeout_us % 1000000 };
	struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM,
	    .ai_protocol = IPPROTO_TCP, .ai_flags = EVUTIL_AI_ADDRCONFIG };
	struct evdns_base *dns = dial_resolver(l->base);
	struct evdns_getaddrinfo_request *rq;
	char text[8];

	if (dns == NULL) {
		l->result = EVUTIL_EAI_FAIL;
		return;
	}
	snprintf(text, sizeof(text), "%u", port);
	rq = evdns_getaddrinfo(dns, host, text, &hints, on_name, l);
	if (!l->over) {
		event_base_loopexit(l->base, &limit);
		event_base_dispatch(l->base);
	}
	if (!l->over) {			/* it is told so, and still counts as over */
		evdns_getaddrinfo_cancel(rq);
		event_base_loop(l->base, EVLOOP_NONBLOCK);
		l->result = EVUTIL_EAI_AGAIN;
	}
	evdns_base_free(dns, 0);
}

static void
resolve(struct doctor *d)
{
	struct lookup l = { .d = d, .base = event_base_new() };

	look_up(&l, d->dial_host, d->dial_port);
	event_base_free(l.base);
	if (d->naddresses > 0)
		return;
	if (l.result == EVUTIL_EAI_AGAIN)
		doctor_fail(d, "no-resolver",
		    "look at /etc/resolv.conf, and whether the name servers there answer",
		    "no name server answered when %s was asked for", d->dial_host);
	else
		doctor_fail(d, "unknown-name", arena_fmt(d->mem, "check the host in the peer's `%s`; the "
		    "name servers are those of /etc/resolv.conf", d->peer->proxy != NULL ? "proxy" : "url"),
		    "%s has no address (%s)", d->dial_host,
		    l.result == 0 ? "nobody gives one" : evutil_gai_strerror(l.result));
}

/* Take the host for an IP address; false if it is none. */
static bool
take_address(struct doctor *d)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(d->dial_port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(d->dial_port) };

	if (inet_pton(AF_INET, d->dial_host, &in.sin_addr) == 1)
		keep_address(d, (struct sockaddr *)&in, sizeof(in));
	else if (inet_pton(AF_INET6, d->dial_host, &in6.sin6_addr) == 1)
		keep_address(d, (struct sockaddr *)&in6, sizeof(in6));
	return d->naddresses > 0;
}

void
doctor_name(struct doctor *d)
{
	struct strbuf list = STRBUF_INIT;
	json *all = json_list(d->mem);

	if (take_address(d)) {
		doctor_skip(d, "%s is an address", d->dial_host);
		return;
	}
	resolve(d);
	for (size_t i = 0; i < d->naddresses; i++) {
		strbuf_addf(&list, "%s%s", i == 0 ? "" : ", ", d->addresses[i].text);
		json_push(all, json_string(d->mem, slice_of(d->addresses[i].text)));
	}
	doctor_detail(d, "host", d->dial_host);
	json_put(d->mem, d->now->detail, "addresses", all);
	if (d->naddresses > 0)
		doctor_ok(d, "%s%s: %s", d->peer->proxy != NULL ? "the proxy " : "", d->dial_host, list.p);
	strbuf_fini(&list);
}

/* ---- TCP ---- */

/* Wait for a socket; false after the deadline. */
static bool
wait_for(int fd, short events, int64_t deadline_us)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int64_t left_us;
	int n;

	do {
		left_us = deadline_us - clock_mono_us();
		n = left_us <= 0 ? 0 : poll(&pfd, 1, (int)(left_us / 1000) + 1);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

/* A connected socket, or -1 and errno. */
static int
connect_to(const struct doctor_address *a, int64_t deadline_us)
{
	int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), number = 0;
	socklen_t n = sizeof(number);

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&a->sa, a->n) < 0) {
		if (errno != EINPROGRESS)
			number = errno;
		else if (!wait_for(fd, POLLOUT, deadline_us))
			number = ETIMEDOUT;
		else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &n) < 0)
			number = errno;
	}
	if (number == 0)
		return fd;
	close(fd);
	errno = number;
	return -1;
}

static const struct {
	int		 number;
	const char	*cause, *words, *fix;
} refusals[] = {
	{ ECONNREFUSED, "refused", "refused: nobody listens on that port",
	    "is the service running over there, and is the port in our files the right one?" },
	{ ETIMEDOUT, "timeout", "no answer in time",
	    "a firewall on the way may swallow it: ask for the port to be opened for our address" },
	{ EHOSTUNREACH, "unreachable", "unreachable: no way leads to that host",
	    "look at the routes and firewalls between here and there" },
	{ ENETUNREACH, "unreachable", "unreachable: no way leads to that network",
	    "look at our own routes; for an IPv6 address: do we have IPv6 at all?" },
	{ EACCES, "firewall", "our own machine forbids it", "look at the rules of our own firewall" },
	{ EPERM, "firewall", "our own machine forbids it", "look at the rules of our own firewall" },
	{ 0, "tcp", "failed", "look at the network between here and there" },
};

static size_t
refusal_of(int number)
{
	size_t i = 0;

	while (refusals[i].number != 0 && refusals[i].number != number)
		i++;
	return i;
}

/* Note what became of one address, in words and for programs. */
static void
note_address(struct doctor *d, const char *address, json *all, int number)
{
	json *one = json_push(all, json_object(d->mem));
	size_t row = refusal_of(number);

	json_put_str(d->mem, one, "address", slice_of(address));
	json_put_str(d->mem, one, "result", slice_of(number == 0 ? "connected" : refusals[row].cause));
	if (number != 0 && d->naddresses > 1)
		doctor_note(d, "%s port %u: %s (%s)", address, d->dial_port, refusals[row].words,
		    strerror(number));
}

/* Every address is tried, so that one that does not work is seen before it is needed. */
void
doctor_tcp(struct doctor *d)
{
	json *all = json_put(d->mem, d->now->detail, "addresses", json_list(d->mem));
	const char *who = d->peer->proxy != NULL ? "the proxy " : "";
	int last = 0;

	for (size_t i = 0; i < d->naddresses; i++) {
		const struct doctor_address *a = &d->addresses[i];
		int fd = connect_to(a, clock_mono_us() + d->conf->timeout_us);
		int number = fd < 0 ? errno : 0;

		note_address(d, a->text, all, number);
		if (fd < 0) {
			last = number;
		} else if (d->address == NULL) {
			d->address = a;
			d->fd = fd;
		} else {
			close(fd);
		}
	}
	if (d->address == NULL)
		doctor_fail(d, refusals[refusal_of(last)].cause, refusals[refusal_of(last)].fix,
		    "%s%s port %u: %s (%s)", who, d->dial_host, d->dial_port,
		    refusals[refusal_of(last)].words, strerror(last));
	else if (last != 0)
		doctor_warn(d, "some-addresses",
		    "calls go to the next address, but each pays for the wait: mend that address, or "
		    "take it out of the name",
		    "connected to %s; not every address of %s answers", d->address->text, d->dial_host);
	else
		doctor_ok(d, "connected to %s%s port %u", who, d->address->text, d->dial_port);
}

/* ---- plain talk ---- */

static int
send_all(int fd, struct slice s, int64_t deadline_us)
{
	while (s.n > 0) {
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -1;
		if (n < 0 && !wait_for(fd, POLLOUT, deadline_us))
			return -1;
		if (n > 0)
			s = slice_from(s.p + n, s.n - (size_t)n);
	}
	return 0;
}

/* Read up to the end of a head, or of all there is: never a byte of what follows it. -1: nothing came,
 * errno 0 if the other side hung up. */
static int
read_head(int fd, struct strbuf *out, int64_t deadline_us)
{
	char c;

	while (out->n < HEAD_MAX && !slice_ends(strbuf_slice(out), "\r\n\r\n")) {
		ssize_t n = recv(fd, &c, 1, 0);

		if (n > 0) {
			strbuf_addc(out, c);
		} else if (n == 0) {
			errno = 0;
			break;
		} else if (errno != EAGAIN && errno != EINTR) {
			break;
		} else if (!wait_for(fd, POLLIN, deadline_us)) {
			errno = ETIMEDOUT;
			break;
		}
	}
	return out->n > 0 ? 0 : -1;
}

const char *
doctor_ask_plain(struct doctor *d, const char *line)
{
	int64_t deadline_us = clock_mono_us() + d->conf->timeout_us;
	int fd = d->address == NULL || d->peer->proxy != NULL ? -1 : connect_to(d->address, deadline_us);
	struct strbuf answer = STRBUF_INIT;
	const char *first = NULL;
	struct slice rest;

	if (fd < 0)
		return NULL;
	if (send_all(fd, slice_of(line), deadline_us) == 0 && read_head(fd, &answer, deadline_us) == 0) {
		rest = strbuf_slice(&answer);
		first = arena_str(d->mem, slice_trim(slice_cut(&rest, '\n')));
	}
	close(fd);
	strbuf_fini(&answer);
	return first;
}

/* ---- proxy ---- */

/* The answer's head through the parser; NULL if it is no HTTP. */
static struct http1 *
parse_head(struct slice in)
{
	struct http1 *parser = http1_new_responses(NULL);
	struct slice data;

	http1_answers(parser, HTTP_CONNECT);
	if (http1_next(parser, &in, &data) == HTTP1_HEAD)
		return parser;
	http1_free(parser);
	return NULL;
}

/* Ask for the tunnel; the status of the answer, 0: none that could be read. */
static int
ask_tunnel(struct doctor *d, int fd, struct strbuf *head, struct http1 **parser)
{
	int64_t deadline_us = clock_mono_us() + d->conf->timeout_us;
	const struct proxy proxy = { d->peer->proxy, d->peer->proxy_port, d->proxy_login.user,
	    d->proxy_login.secret };
	struct strbuf question = STRBUF_INIT;
	int rc;

	*parser = NULL;
	proxy_connect_write(&question, &proxy, d->url.host, d->url.port);
	rc = send_all(fd, strbuf_slice(&question), deadline_us);
	secret_wipe(question.p, question.cap);
	strbuf_fini(&question);
	if (rc < 0 || read_head(fd, head, deadline_us) < 0)
		return 0;
	*parser = parse_head(strbuf_slice(head));
	return *parser == NULL ? 0 : http1_head(*parser)->status;
}

static void
judge_proxy(struct doctor *d, int status, const struct http1_head *h)
{
	const char *target = arena_fmt(d->mem, "%s port %u", d->url.host, d->url.port);

	doctor_detail(d, "status", arena_fmt(d->mem, "%d", status));
	if (status == 407 && d->proxy_login.kind == LOGIN_NONE)
		doctor_fail(d, "proxy-login", arena_fmt(d->mem, "tocsin peer login %s --proxy USER",
		    d->peer->name), "the proxy wants a login (407, %.*s), and we have none for it",
		    SLICE_ARG(http1_field(h, "proxy-authenticate")));
	else if (status == 407)
		doctor_fail(d, "proxy-login",
		    arena_fmt(d->mem,
		    "set it anew: tocsin peer login %s --proxy USER (only Basic can be sent)",
		    d->peer->name),
		    "the proxy does not take the login of %s (407, %.*s)", d->proxy_login.user,
		    SLICE_ARG(http1_field(h, "proxy-authenticate")));
	else if (status == 403 || status == 405)
		doctor_fail(d, "proxy-refuses", "ask those who run the proxy to let us CONNECT there",
		    "the proxy refuses a tunnel to %s (%d %.*s)", target, status, SLICE_ARG(h->reason));
	else if (status == 502 || status == 503 || status == 504)
		doctor_fail(d, "behind-proxy",
		    "is the peer's service running, and may the proxy reach it? Check host and port in "
		    "the `url`",
		    "the proxy cannot reach %s (%d %.*s)", target, status, SLICE_ARG(h->reason));
	else
		doctor_fail(d, "proxy-refuses", "ask those who run the proxy",
		    "the proxy gives no tunnel to %s (%d %.*s)", target, status, SLICE_ARG(h->reason));
}

void
doctor_proxy(struct doctor *d)
{
	struct strbuf head = STRBUF_INIT;
	struct http1 *parser;
	int status;

	if (d->peer->proxy == NULL) {
		doctor_skip(d, "none is set");
		return;
	}
	status = ask_tunnel(d, d->fd, &head, &parser);
	if (status >= 200 && status < 300)
		doctor_ok(d, "%s port %u gives a tunnel to %s port %u", d->dial_host, d->dial_port,
		    d->url.host, d->url.port);
	else if (status > 0)
		judge_proxy(d, status, http1_head(parser));
	else if (head.n > 0)
		doctor_fail(d, "no-proxy", "is host and port of the `proxy` line that of an HTTP proxy?",
		    "what listens on %s port %u answers, but not as an HTTP proxy", d->dial_host,
		    d->dial_port);
	else
		doctor_fail(d, "proxy-silent",
		    "is host and port of the `proxy` line that of an HTTP proxy?",
		    "the proxy %s port %u does not answer", d->dial_host, d->dial_port);
	http1_free(parser);
	strbuf_fini(&head);
}

int
doctor_connect(struct doctor *d)
{
	struct strbuf head = STRBUF_INIT;
	struct http1 *parser = NULL;
	int fd = d->fd, status = 200;

	d->fd = -1;
	if (fd >= 0)
		return fd;
	fd = connect_to(d->address, clock_mono_us() + d->conf->timeout_us);
	if (fd >= 0 && d->peer->proxy != NULL)
		status = ask_tunnel(d, fd, &head, &parser);
	http1_free(parser);
	strbuf_fini(&head);
	if (fd >= 0 && (status < 200 || status > 299)) {
		close(fd);
		fd = -1;
	}
	return fd;
}
