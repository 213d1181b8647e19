#include "adapters/proxy_connect.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "adapters/http1.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

enum { HEAD_MAX = 16384, PIECE = 1024 };

struct proxy_talk {
	struct event		*event;
	int			 fd;
	struct strbuf		 out, in;
	size_t			 sent;
	proxy_connect_cb	*cb;
	void			*arg;
};

/* ---- what is said ---- */

void
proxy_connect_write(struct strbuf *out, const struct proxy *proxy, const char *host, uint16_t port)
{
	bool v6 = strchr(host, ':') != NULL;
	struct strbuf login = STRBUF_INIT;
	struct strbuf to = STRBUF_INIT;

	strbuf_addf(&to, "%s%s%s:%u", v6 ? "[" : "", host, v6 ? "]" : "", port);
	strbuf_addf(out, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", to.p, to.p);
	if (proxy->user != NULL) {
		strbuf_addf(&login, "%s:%s", proxy->user,
		    proxy->password == NULL ? "" : proxy->password);
		strbuf_adds(out, "Proxy-Authorization: Basic ");
		base64_add(out, login.p, login.n);
		strbuf_adds(out, "\r\n");
		secret_wipe(login.p, login.n);
	}
	strbuf_adds(out, "\r\n");
	strbuf_fini(&login);
	strbuf_fini(&to);
}

/* The number in "HTTP/1.1 407 Words"; 0 if the line is none. */
static int
status_of(struct slice head)
{
	int status = 0;

	if (!slice_starts(head, "HTTP/1.") || head.n < 12 || head.p[8] != ' ')
		return 0;
	for (size_t i = 9; i < 12; i++) {
		if (head.p[i] < '0' || head.p[i] > '9')
			return 0;
		status = status * 10 + head.p[i] - '0';
	}
	return status;
}

int
proxy_connect_read(struct slice head, struct err *e)
{
	static const char blank[] = "\r\n\r\n";
	const char *at = memmem(head.p, head.n, blank, sizeof(blank) - 1);
	int status = status_of(head);

	if (at == NULL && head.n < HEAD_MAX)
		return 0;
	if (at == NULL)
		return err_set(e, ERR_LIMIT, "proxy: its answer has no end");
	if (status == 0)
		return err_set(e, ERR_SYNTAX, "proxy: it does not speak HTTP/1.1");
	if (status == 407)
		return err_set(e, ERR_AUTH, "proxy: 407 Proxy Authentication Required: its login is "
		    "missing or wrong (tocsin peer login)");
	if (status < 200 || status > 299)
		return err_set(e, ERR_IO, "proxy: %d %s: it makes no tunnel to there", status,
		    http_status_text(status));
	if (at + sizeof(blank) - 1 != head.p + head.n)
		return err_set(e, ERR_SYNTAX, "proxy: it speaks before the tunnel was used");
	return 1;
}

/* ---- saying it ---- */

void
proxy_connect_cancel(struct proxy_talk *t)
{
	if (t == NULL)
		return;
	event_free(t->event);
	secret_wipe(t->out.p, t->out.n);
	strbuf_fini(&t->out);
	strbuf_fini(&t->in);
	free(t);
}

static void
end(struct proxy_talk *t, const struct err *e)
{
	proxy_connect_cb *cb = t->cb;
	void *arg = t->arg;

	proxy_connect_cancel(t);
	cb(arg, e);
}

static void	on_event(evutil_socket_t fd, short what, void *arg);

/* Wait for the other direction. */
static void
turn(struct proxy_talk *t, short what)
{
	struct event_base *base = event_get_base(t->event);

	event_del(t->event);
	event_assign(t->event, base, t->fd, what | EV_PERSIST, on_event, t);
	event_add(t->event, NULL);
}

static void
say(struct proxy_talk *t, struct err *e)
{
	ssize_t n = send(t->fd, t->out.p + t->sent, t->out.n - t->sent, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		err_set(e, ERR_IO, "proxy: %s", strerror(errno));
		end(t, e);
		return;
	}
	t->sent += n > 0 ? (size_t)n : 0;
	if (t->sent == t->out.n)
		turn(t, EV_READ);
}

static void
hear(struct proxy_talk *t, struct err *e)
{
	char piece[PIECE];
	ssize_t n = recv(t->fd, piece, sizeof(piece), 0);
	int rc;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		err_set(e, ERR_IO, "proxy: %s", n < 0 ? strerror(errno) :
		    "it closed the connection instead of an answer");
		end(t, e);
		return;
	}
	strbuf_add(&t->in, piece, (size_t)n);
	rc = proxy_connect_read(strbuf_slice(&t->in), e);
	if (rc != 0)
		end(t, rc > 0 ? NULL : e);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct err e = ERR_INIT;

	(void)fd;
	if ((what & EV_WRITE) != 0)
		say(arg, &e);
	else
		hear(arg, &e);
}

struct proxy_talk *
proxy_connect(struct event_base *base, int fd, const struct proxy *proxy, const char *host, uint16_t port,
    proxy_connect_cb *cb, void *arg)
{
	struct proxy_talk *t = xcalloc(1, sizeof(*t));

	t->fd = fd;
	t->cb = cb;
	t->arg = arg;
	strbuf_init(&t->out);
	strbuf_init(&t->in);
	proxy_connect_write(&t->out, proxy, host, port);
	t->event = event_new(base, fd, EV_WRITE | EV_PERSIST, on_event, t);
	event_add(t->event, NULL);
	return t;
}
