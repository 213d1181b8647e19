/* master_sockets.c -- listening sockets: one a worker and address, so that each worker has a queue
 * of its own that outlives it. */
#include "gateway/master_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "gateway/admin.h"
#include "gateway/base/arena.h"
#include "gateway/config.h"

enum { BACKLOG = 1024, BIND_TRIES = 100, BIND_PAUSE_MS = 10 };

union address {
	struct sockaddr		sa;
	struct sockaddr_in	in;
	struct sockaddr_in6	in6;
};

/* "127.0.0.1:8443" or "[::1]:8443" */
static int
parse_address(const char *text, union address *a, socklen_t *n, struct err *e)
{
	const char *colon = strrchr(text, ':');
	char host[64] = "";
	unsigned long long port = 0;

	memset(a, 0, sizeof(*a));
	if (colon != NULL && (size_t)(colon - text) < sizeof(host) &&
	    slice_u64(slice_of(colon + 1), &port) && port <= 65535) {
		struct slice h = slice_from(text, (size_t)(colon - text));

		if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
			h = slice_from(h.p + 1, h.n - 2);
		memcpy(host, h.p, h.n);
	}
	if (inet_pton(AF_INET, host, &a->in.sin_addr) == 1) {
		a->in.sin_family = AF_INET;
		a->in.sin_port = htons((uint16_t)port);
		*n = sizeof(a->in);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &a->in6.sin6_addr) == 1) {
		a->in6.sin6_family = AF_INET6;
		a->in6.sin6_port = htons((uint16_t)port);
		*n = sizeof(a->in6);
		return 0;
	}
	return err_set(e, ERR_CONFIG, "\"%s\" is no address with a port", text);
}

/* The workers of a node that was killed just now may still have the port. */
static int
bind_patiently(int fd, const union address *a, socklen_t n)
{
	static const struct timespec pause = { 0, BIND_PAUSE_MS * 1000000L };
	int rc;

	for (int i = 0; (rc = bind(fd, &a->sa, n)) < 0 && errno == EADDRINUSE && i < BIND_TRIES; i++)
		nanosleep(&pause, NULL);
	return rc;
}

static int
bind_one(const char *text, const union address *a, socklen_t n, bool shared, struct err *e)
{
	int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, off = 0;

	if (fd < 0)
		return err_set(e, ERR_IO, "socket: %s", strerror(errno));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (shared)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (a->sa.sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind_patiently(fd, a, n) == 0)
		return fd;
	err_set(e, ERR_IO, "cannot listen on %s: %s", text, strerror(errno));
	close(fd);
	return -1;
}

static void
add_socket(struct master_listen *l, int fd)
{
	l->fds = xrealloc(l->fds, (l->n + 1) * sizeof(*l->fds));
	l->fds[l->n++] = fd;
}

/* Up to `want` sockets. A socket that may share its port would share it with any other program of ours as
 * well: so one that may not tries first. Ours may, even a single one: the rehearsal of an upgrade tries the
 * same address, and the binary after us may have more workers. */
static int
bind_all(struct master_listen *l, size_t want, struct err *e)
{
	union address a = { 0 };
	socklen_t n = 0;
	int fd;

	if (parse_address(l->address, &a, &n, e) < 0)
		return -1;
	if (l->n == 0) {
		if ((fd = bind_one(l->address, &a, n, false, e)) < 0)
			return -1;
		close(fd);
	}
	while (l->n < want) {
		if (l->n > 0)		/* port 0: the first has chosen */
			getsockname(l->fds[0], &a.sa, &n);
		if ((fd = bind_one(l->address, &a, n, true, e)) < 0)
			return -1;
		add_socket(l, fd);
	}
	return 0;
}

/* Places for what is configured. */
static void
make_places(struct master *m)
{
	const struct config *conf = m->config;

	if (m->listens != NULL)
		return;
	m->listens = xcalloc(conf->nlistens + 1, sizeof(*m->listens));
	m->nlistens = conf->nlistens;
	for (size_t i = 0; i < m->nlistens; i++)
		m->listens[i].address = xstrdup(conf->listens[i].address);
	if (conf->operations != NULL)
		m->operations.address = xstrdup(conf->operations);
}

bool
sockets_take(struct master *m, const char *address, int fd)
{
	make_places(m);
	for (size_t i = 0; i < m->nlistens; i++) {
		if (strcmp(m->listens[i].address, address) != 0)
			continue;
		add_socket(&m->listens[i], fd);
		return true;
	}
	return false;
}

bool
sockets_take_operations(struct master *m, const char *address, int fd)
{
	make_places(m);
	if (m->operations.address == NULL || strcmp(m->operations.address, address) != 0)
		return false;
	add_socket(&m->operations, fd);
	return true;
}

int
sockets_bind(struct master *m, struct err *e)
{
	const struct config *conf = m->config;

	make_places(m);
	for (size_t i = 0; i < m->nlistens; i++)
		if (bind_all(&m->listens[i], m->nworkers, e) < 0)
			return -1;
	if (m->operations.address != NULL && bind_all(&m->operations, 1, e) < 0)
		return -1;
	if (m->admin < 0)
		m->admin = admin_socket_open(conf->control, e);
	return m->admin < 0 ? -1 : 0;
}

static int
try_one(const char *address, struct err *e)
{
	union address a;
	socklen_t n;
	int fd;

	if (parse_address(address, &a, &n, e) < 0 ||
	    (fd = bind_one(address, &a, n, true, e)) < 0)
		return -1;
	close(fd);
	return 0;
}

/* An address that this node has already says yes as well, since it may be shared; nobody listens here. */
int
sockets_try(const struct config *conf, struct err *e)
{
	for (size_t i = 0; i < conf->nlistens; i++)
		if (try_one(conf->listens[i].address, e) < 0)
			return -1;
	return 0;
}

static int
listen_all(const struct master_listen *l, struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (listen(l->fds[i], BACKLOG) < 0)
			return err_set(e, ERR_IO, "cannot listen on %s: %s", l->address,
			    strerror(errno));
	return 0;
}

/* Only now, with the store ours: a second node of the same files must not take connections from the
 * first. */
int
sockets_listen(struct master *m, struct err *e)
{
	if (sockets_bind(m, e) < 0)
		return -1;
	for (size_t i = 0; i < m->nlistens; i++)
		if (listen_all(&m->listens[i], e) < 0)
			return -1;
	return listen_all(&m->operations, e);
}

static void
close_listen(struct master_listen *l)
{
	for (size_t i = 0; i < l->n; i++)
		close(l->fds[i]);
	free(l->fds);
	free(l->address);
}

void
sockets_close_listens(struct master *m)
{
	for (size_t i = 0; i < m->nlistens; i++)
		close_listen(&m->listens[i]);
	free(m->listens);
	m->listens = NULL;
	m->nlistens = 0;
}

void
sockets_close(struct master *m)
{
	sockets_close_listens(m);
	close_listen(&m->operations);
	if (m->admin >= 0) {
		close(m->admin);
		unlink(m->config->control);
	}
}
