/* node_listen.c -- see node_listen.h. */
#include "gateway/node_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/http_figures.h"
#include "adapters/http_server.h"
#include "adapters/operations.h"
#include "adapters/taxii_server.h"
#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/config.h"

/* One listening socket that is being served. */
struct served {
	size_t	listen;		/* line */
	int	number;		/* the server's */
};

struct listeners {
	struct gateway		*g;
	const struct node_conf	*conf;
	struct taxii_server	*taxii;
	struct operations	*operations;
	struct http_server	*http, *ops_http;
	struct served		*served;
	size_t			 nserved;
};

/* "host:port" or "[v6]:port" */
static int
split_address(const char *address, char host[64], uint16_t *port, struct err *e)
{
	const char *colon = strrchr(address, ':');
	unsigned long long n;
	struct slice h;

	if (colon == NULL || !slice_u64(slice_of(colon + 1), &n) || n > 65535)
		return err_set(e, ERR_CONFIG, "\"%s\" is no address with a port", address);
	h = slice_from(address, (size_t)(colon - address));
	if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = slice_from(h.p + 1, h.n - 2);
	if (h.n >= 64)
		return err_set(e, ERR_CONFIG, "\"%s\" is no address with a port", address);
	memcpy(host, h.p, h.n);
	host[h.n] = '\0';
	*port = (uint16_t)n;
	return 0;
}

static int
open_listener(const char *address, struct err *e)
{
	char host[64];
	uint16_t port = 0;

	return split_address(address, host, &port, e) < 0 ? -1 : http_listen_open(host, port, e);
}

/* A worker's share of a limit on all. */
static size_t
share(const struct listeners *n, size_t all)
{
	return (all + n->g->nworkers - 1) / n->g->nworkers;
}

/* The same of what one address may have: the kernel spreads its connections by chance, and who keeps to the
 * limit should not be refused because one worker has more of them than another. */
static size_t
uneven_share(const struct listeners *n, size_t all)
{
	size_t most = share(n, all) * 3 / 2 + 8;

	return most < all ? most : all;
}

static struct http_limits
http_limits_of(const struct listeners *n)
{
	const struct limits_conf *l = &n->g->config->limits;

	return (struct http_limits){
		.handshake_us = l->handshake_us, .head_us = l->head_us, .body_us = l->body_us,
		.write_us = l->write_us, .min_rate = (int64_t)l->body_rate_bytes,
		.idle_us = l->idle_us, .connections = share(n, l->connections),
		.per_address = uneven_share(n, l->connections_per_address),
		.handshakes_per_address = uneven_share(n, l->handshakes_per_address),
		.requests = l->connection_requests, .age_us = l->connection_age_us,
		.held_us = l->answer_us, .linger_us = l->linger_us, .linger_bytes = l->linger_bytes,
		.grace_us = l->drain_grace_us, .ignored_body = l->skip_bytes,
		.unsent = l->unread_bytes, .gzip_least = l->gzip_least_bytes,
		.gzip_level = l->gzip_level == 0 ? -1 : (int)l->gzip_level,
		.http1 = { l->target_bytes, l->head_bytes, l->head_lines, l->trailer_bytes },
		.body = { l->body_in_memory, l->bodies_in_memory, l->bodies_in_files },
	};
}

/* Where large request bodies lie while they are in work. */
static int
open_bodies(const char *path, struct err *e)
{
	int fd;

	if (dir_make(path, 0700, e) < 0)
		return -1;
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, ERR_IO, "cannot open the folder %s: %s", path, strerror(errno));
	return fd;
}

static int
serve_socket(struct listeners *n, size_t listen, int fd, struct tls *tls, struct err *e)
{
	int number = fd < 0 ? -1 : http_server_listen(n->http, fd, tls, e);

	if (number < 0)
		return -1;
	n->served = xrealloc(n->served, (n->nserved + 1) * sizeof(*n->served));
	n->served[n->nserved++] = (struct served){ listen, number };
	return 0;
}

static int
serve_sockets(struct listeners *n, struct tls *const *contexts, struct err *e)
{
	const struct config *conf = n->g->config;

	for (size_t i = 0; n->conf->alone && i < conf->nlistens; i++)
		if (serve_socket(n, i, open_listener(conf->listens[i].address, e), contexts[i],
		    e) < 0)
			return -1;
	for (size_t i = 0; !n->conf->alone && i < n->conf->nsockets; i++)
		if (serve_socket(n, n->conf->sockets[i].listen, n->conf->sockets[i].fd,
		    contexts[n->conf->sockets[i].listen], e) < 0)
			return -1;
	return 0;
}

static int
start_operations(struct listeners *n, struct err *e)
{
	static const struct http_limits few = { .connections = 128, .per_address = 128 };
	const struct config *conf = n->g->config;
	int fd = n->conf->operations;

	n->operations = operations_new(n->g);
	n->ops_http = http_server_new(n->g->base, &few, operations_handler(n->operations));
	if (n->conf->alone && conf->operations != NULL &&
	    (fd = open_listener(conf->operations, e)) < 0)
		return -1;
	return fd < 0 ? 0 : http_server_listen(n->ops_http, fd, NULL, e) < 0 ? -1 : 0;
}

static int
start(struct listeners *n, struct tls *const *contexts, struct err *e)
{
	const struct http_limits lim = http_limits_of(n);
	int bodies;

	n->taxii = taxii_server_new(n->g);
	n->http = http_server_new(n->g->base, &lim, taxii_server_handler(n->taxii));
	if ((bodies = open_bodies(n->g->config->bodies_dir, e)) < 0)
		return -1;
	http_server_set_body_folder(n->http, bodies);
	if (serve_sockets(n, contexts, e) < 0)
		return -1;
	return start_operations(n, e);
}

struct listeners *
listeners_new(struct gateway *g, const struct node_conf *conf, struct tls *const *contexts, struct err *e)
{
	struct listeners *n = xcalloc(1, sizeof(*n));

	n->g = g;
	n->conf = conf;
	if (start(n, contexts, e) == 0)
		return n;
	listeners_close(n);
	listeners_free(n);
	return NULL;
}

void
listeners_close(struct listeners *n)
{
	if (n == NULL)
		return;
	http_server_free(n->ops_http);
	http_server_free(n->http);
	operations_free(n->operations);
	n->ops_http = n->http = NULL;
	n->operations = NULL;
}

void
listeners_free(struct listeners *n)
{
	if (n == NULL)
		return;
	taxii_server_free(n->taxii);
	free(n->served);
	free(n);
}

void
listeners_swap(struct listeners *n, struct tls *const *contexts)
{
	const struct http_limits lim = http_limits_of(n);

	for (size_t i = 0; i < n->nserved; i++)
		http_server_swap_tls(n->http, n->served[i].number, contexts[n->served[i].listen]);
	http_server_set_limits(n->http, &lim);
}

int
listeners_parts(const struct listeners *n, bool upgrade)
{
	return upgrade && n->ops_http != NULL ? 2 : 1;
}

void
listeners_drain(struct listeners *n, bool upgrade, void (*cb)(void *arg), void *arg)
{
	const int64_t grace_us = n->g->config->limits.upgrade_grace_us;

	if (!upgrade) {			/* /readyz goes on saying why */
		http_server_drain(n->http, cb, arg);
		return;
	}
	http_server_lame_duck(n->http, grace_us, cb, arg);
	if (n->ops_http != NULL)
		http_server_lame_duck(n->ops_http, grace_us, cb, arg);
}

void
listeners_look(const struct listeners *n, struct stats *figures)
{
	http_figures(n->http, figures);
}
