#include "gateway/admin.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/admin_commands.h"
#include "gateway/base/arena.h"
#include "gateway/base/log.h"
#include "gateway/gateway.h"

enum { REQUEST_MAX = 64 << 20, CLIENTS_MAX = 16, CLIENT_SECONDS = 60 };

struct client {
	struct admin		*a;
	struct bufferevent	*bev;
	struct admin_call	*call;		/* being answered, or NULL */
	struct client		*next;
};

struct admin {
	struct gateway		*g;
	struct admin_hooks	 hooks;
	struct evconnlistener	*listener;
	char			*path;
	struct client		*clients;
	size_t			 nclients;
};

static void
client_free(struct client *c)
{
	struct client **at;

	for (at = &c->a->clients; *at != c; at = &(*at)->next)
		;
	*at = c->next;
	c->a->nclients--;
	if (c->call != NULL)
		c->call->client = NULL;		/* its answer will find nobody */
	bufferevent_free(c->bev);
	free(c);
}

static void
on_written(struct bufferevent *bev, void *arg)
{
	(void)bev;
	client_free(arg);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	client_free(arg);
}

void
admin_reply(struct admin_call *call, struct slice members)
{
	struct client *c = call->client;

	if (c != NULL) {
		struct evbuffer *out = bufferevent_get_output(c->bev);

		evbuffer_add_printf(out, "{\"ok\":true%s", members.n > 0 ? "," : "");
		evbuffer_add(out, members.p, members.n);
		evbuffer_add(out, "}\n", 2);
		bufferevent_setcb(c->bev, NULL, on_written, on_event, c);
		c->call = NULL;
	}
	arena_free(call->mem);
}

void
admin_refuse(struct admin_call *call, const char *why)
{
	struct client *c = call->client;
	struct strbuf text = STRBUF_INIT;

	if (c != NULL) {
		json_print_string(&text, slice_of(why));
		evbuffer_add_printf(bufferevent_get_output(c->bev),
		    "{\"ok\":false,\"error\":%s}\n", text.p);
		bufferevent_setcb(c->bev, NULL, on_written, on_event, c);
		c->call = NULL;
	}
	strbuf_fini(&text);
	arena_free(call->mem);
}

static void
run(struct client *c, struct slice line)
{
	struct arena *mem = arena_new();
	struct admin_call *call = arena_alloc(mem, sizeof(*call));
	struct json_doc doc;
	struct err e = ERR_INIT;

	call->g = c->a->g;
	call->hooks = &c->a->hooks;
	call->mem = mem;
	call->client = c;
	c->call = call;
	if (json_parse(line, NULL, mem, &doc, &e) < 0) {
		admin_refuse(call, e.reason);
		return;
	}
	call->args = doc.root;
	for (const struct admin_command *cmd = admin_commands; cmd->name != NULL; cmd++) {
		if (slice_is(json_member(doc.root, "cmd"), cmd->name)) {
			cmd->run(call);
			return;
		}
	}
	admin_refuse(call, "there is no such command");
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct client *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t n = 0;
	char *line = evbuffer_readln(in, &n, EVBUFFER_EOL_LF);

	if (line == NULL) {
		if (evbuffer_get_length(in) > REQUEST_MAX)
			client_free(c);
		return;
	}
	bufferevent_disable(bev, EV_READ);
	bufferevent_setcb(bev, NULL, NULL, on_event, c);
	run(c, slice_from(line, n));
	free(line);
}

/* Only our own user and root may ask. */
static bool
is_ours(evutil_socket_t fd)
{
	struct ucred who;
	socklen_t n = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
	    (who.uid == 0 || who.uid == geteuid());
}

static void
on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	static const struct timeval limit = { CLIENT_SECONDS, 0 };
	struct admin *a = arg;
	struct client *c;

	(void)l;
	(void)sa;
	(void)len;
	if (a->nclients >= CLIENTS_MAX || !is_ours(fd)) {
		close(fd);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->a = a;
	c->bev = bufferevent_socket_new(a->g->base, fd, BEV_OPT_CLOSE_ON_FREE);
	c->next = a->clients;
	a->clients = c;
	a->nclients++;
	bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
	bufferevent_set_timeouts(c->bev, &limit, &limit);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* A socket file that nobody answers on is a leftover of a killed process. */
static bool
somebody_listens(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = fd >= 0 && connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0;

	if (fd >= 0)
		close(fd);
	return yes;
}

int
admin_socket_open(const char *path, struct err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	mode_t old;
	int fd, rc;

	if (strlen(path) >= sizeof(sa.sun_path))
		return err_set(e, ERR_CONFIG, "the control socket's path is longer than %zu bytes: %s",
		    sizeof(sa.sun_path) - 1, path);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	if (somebody_listens(&sa))
		return err_set(e, ERR_BUSY, "another tocsin answers on %s", path);
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, ERR_IO, "control socket: %s", strerror(errno));
	old = umask(0177);
	rc = bind(fd, (const struct sockaddr *)&sa, sizeof(sa));
	umask(old);
	if (rc < 0 || listen(fd, CLIENTS_MAX) < 0) {
		err_set(e, ERR_IO, "control socket %s: %s", path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

struct admin *
admin_new(struct gateway *g, int fd, const char *path, const struct admin_hooks *hooks)
{
	struct admin *a = xcalloc(1, sizeof(*a));

	a->g = g;
	a->hooks = *hooks;
	a->path = path == NULL ? NULL : xstrdup(path);
	a->listener = evconnlistener_new(g->base, on_accept, a, LEV_OPT_CLOSE_ON_FREE, 0, fd);
	return a;
}

void
admin_free(struct admin *a)
{
	if (a == NULL)
		return;
	for (struct client *c = a->clients, *next; c != NULL; c = next) {
		next = c->next;
		client_free(c);
	}
	evconnlistener_free(a->listener);
	if (a->path != NULL)
		unlink(a->path);
	free(a->path);
	free(a);
}
