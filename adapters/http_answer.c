#include "adapters/http_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"

enum {
	FIRST_RECORD = 16384,		/* of TLS: head and first bytes of a body go out together */
	GZIP_WINDOW = 15 + 16,		/* largest window, gzip's wrapping */
	GZIP_MEMORY = 8
};
#define SECOND	INT64_C(1000000)

/* A body on its way: where it is, and what to do when it has been sent or dropped. */
struct payload {
	struct slice	 bytes;
	void		(*release)(void *);
	void		*arg;
	bool		 gzipped;
	bool		 in_file;	/* its bytes are a file's, mapped */
};

static const char *
date_text(struct http_server *s)
{
	int64_t now = clock_wall_us() / SECOND;

	if (now != s->date_s || s->date[0] == '\0') {
		s->date_s = now;
		stamp_http(now * SECOND, s->date);
	}
	return s->date;
}

/* The server's one compressor, fresh. NULL if zlib cannot. */
static z_stream *
compressor(struct http_server *s)
{
	if (s->zip != NULL && s->zip_level != s->lim.gzip_level)
		answer_fini(s);
	if (s->zip != NULL)
		return deflateReset(s->zip) == Z_OK ? s->zip : NULL;
	s->zip = xcalloc(1, sizeof(*s->zip));
	s->zip_level = s->lim.gzip_level;
	if (deflateInit2(s->zip, s->zip_level, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
	    Z_DEFAULT_STRATEGY) == Z_OK)
		return s->zip;
	free(s->zip);
	s->zip = NULL;
	return NULL;
}

/* Give the compressor back. */
void
answer_fini(struct http_server *s)
{
	if (s->zip == NULL)
		return;
	deflateEnd(s->zip);
	free(s->zip);
	s->zip = NULL;
}

static void
payload_done(struct payload *p)
{
	if (p->release != NULL)
		p->release(p->arg);
	p->release = NULL;
}

/* Replace the payload by its compressed form, unless that is not smaller. */
static void
payload_gzip(struct http_server *s, struct payload *p, struct http_gzip *keep)
{
	z_stream *z = keep != NULL && keep->n > 0 ? NULL : compressor(s);
	size_t cap;
	char *out;

	if (keep != NULL && keep->n > 0) {
		p->bytes = slice_from(keep->p, keep->n);
		p->gzipped = true;
		return;
	}
	if (z == NULL || p->bytes.n > UINT32_MAX / 2)
		return;
	cap = p->bytes.n - 1;
	out = xmalloc(cap);
	z->next_in = (Bytef *)p->bytes.p;
	z->avail_in = (uInt)p->bytes.n;
	z->next_out = (Bytef *)out;
	z->avail_out = (uInt)cap;
	if (deflate(z, Z_FINISH) != Z_STREAM_END) {
		free(out);
		return;
	}
	if (keep != NULL) {
		keep->n = cap - z->avail_out;
		keep->p = xrealloc(out, keep->n);
		p->bytes = slice_from(keep->p, keep->n);
		p->gzipped = true;
		return;
	}
	payload_done(p);
	*p = (struct payload){ { out, cap - z->avail_out }, free, out, true, false };
}

static bool
has_header(const struct http_answer *a, const char *name)
{
	size_t i;

	for (i = 0; i < a->nheaders; i++)
		if (a->headers[i].value != NULL &&
		    slice_is_nocase(slice_of(a->headers[i].name), name))
			return true;
	return false;
}

/* A value with control characters would end its line early: it is left out. */
static void
add_header(struct strbuf *out, const char *name, const char *value)
{
	const unsigned char *c;

	for (c = (const unsigned char *)value; *c >= 32 && *c != 127; c++)
		;
	if (*c != '\0')
		return;
	strbuf_adds(out, name);
	strbuf_adds(out, ": ");
	strbuf_adds(out, value);
	strbuf_adds(out, "\r\n");
}

static void
build_head(struct exchange *x, const struct http_answer *a, const struct payload *p,
    struct strbuf *out)
{
	struct http_server *s = x->conn->server;
	size_t i;

	strbuf_reset(out);
	strbuf_adds(out, "HTTP/1.1 ");
	strbuf_addn(out, a->status);
	strbuf_addc(out, ' ');
	strbuf_adds(out, http_status_text(a->status));
	strbuf_adds(out, "\r\nDate: ");
	strbuf_adds(out, date_text(s));
	strbuf_adds(out, "\r\n");
	if (a->content_type != NULL)
		add_header(out, "Content-Type", a->content_type);
	if (a->status != 204 && a->status != 304) {
		strbuf_adds(out, "Content-Length: ");
		strbuf_addn(out, (int64_t)p->bytes.n);
		strbuf_adds(out, "\r\n");
	}
	if (p->gzipped)
		strbuf_adds(out, "Content-Encoding: gzip\r\n");
	if (a->may_gzip)
		strbuf_adds(out, "Vary: Accept-Encoding\r\n");
	strbuf_addf(out, "X-Content-Type-Options: nosniff\r\nX-Request-Id: %s\r\n", x->pub.id);
	if (!has_header(a, "Cache-Control"))
		strbuf_adds(out, "Cache-Control: no-store\r\n");
	if (x->pub.secure)
		strbuf_adds(out, "Strict-Transport-Security: max-age=31536000\r\n");
	for (i = 0; i < a->nheaders; i++)
		if (a->headers[i].value != NULL)
			add_header(out, a->headers[i].name, a->headers[i].value);
	if (x->close)
		strbuf_adds(out, "Connection: close\r\n");
	strbuf_adds(out, "\r\n");
}

static void
release_payload(const void *bytes, size_t n, void *arg)
{
	struct payload *p = arg;

	(void)bytes;
	(void)n;
	payload_done(p);
	free(p);
}

static void
free_bytes(const void *bytes, size_t n, void *arg)
{
	(void)bytes;
	(void)n;
	free(arg);
}

/* Small pieces need not wait for the next turn of the loop. What does not go out whole lies in the
 * output as it was tried, see tls_write_now. */
static void
put_first(struct bufferevent *bev, const struct strbuf *first)
{
	struct evbuffer *out = bufferevent_get_output(bev);
	char *copy;

	if (evbuffer_get_length(out) == 0 && tls_write_now(bev, first->p, first->n))
		return;
	copy = xmalloc(first->n);
	memcpy(copy, first->p, first->n);
	evbuffer_add_reference(out, copy, first->n, free_bytes, copy);
}

/* Head and body on their way: small ones as one piece, of large ones as much as fills the first
 * record together with the head; the rest is not copied. */
static void
put_out(struct exchange *x, struct strbuf *head, struct payload *p, bool with_body)
{
	struct conn *c = x->conn;
	struct evbuffer *out = bufferevent_get_output(c->bev);
	size_t n = with_body ? p->bytes.n : 0, first = n;
	struct payload *rest;

	if (head->n + n > FIRST_RECORD)
		first = head->n < FIRST_RECORD ? FIRST_RECORD - head->n : 0;
	strbuf_add(head, p->bytes.p, first);
	x->bytes_out = n;
	c->in_file = p->in_file ? n : 0;
	c->corked = first < n;
	if (c->corked)
		tls_cork(c->bev, true);
	put_first(c->bev, head);
	if (first == n || (evbuffer_get_length(out) == 0 &&
	    tls_write_now(c->bev, p->bytes.p + first, n - first))) {
		payload_done(p);
		return;
	}
	rest = xmalloc(sizeof(*rest));
	*rest = *p;
	evbuffer_add_reference(out, p->bytes.p + first, n - first, release_payload, rest);
}

/* Must the connection end after this answer? */
static bool
is_last(const struct exchange *x, const struct http_answer *a)
{
	const struct http1_head *h = x->pub.head;
	const struct conn *c = x->conn;
	const struct http_server *s = c->server;

	if (x->close || a->close || h == NULL || !h->keep_alive || s->lame ||
	    c->requests >= s->lim.requests || clock_mono_us() - c->born_us > s->lim.age_us)
		return true;
	if (x->ended || !h->has_body)
		return false;
	/* A body is on its way that nobody wants. One whose sender waits for our word may come or
	 * not; a refused one should not come; a short one is read and forgotten. */
	return a->status >= 400 || (h->expect_continue && !x->continued) ||
	    h->content_length > (int64_t)s->lim.ignored_body;
}

static struct payload
payload_of(const struct http_answer *a)
{
	struct payload p = { a->body, a->release, a->release_arg, false, a->in_file };

	if (a->take != NULL) {
		p.bytes.p = strbuf_take(a->take, &p.bytes.n);
		p.release = free;
		p.arg = (char *)p.bytes.p;
	}
	return p;
}

static void
respond(struct exchange *x, const struct http_answer *a)
{
	struct http_server *s = x->conn->server;
	const struct http1_head *h = x->pub.head;
	struct payload p = payload_of(a);

	assert(x->status == 0);
	x->close = is_last(x, a);
	if (a->may_gzip && s->lim.gzip_level > 0 && p.bytes.n >= s->lim.gzip_least && h != NULL &&
	    http1_accepts_gzip(h))
		payload_gzip(s, &p, a->release == NULL ? NULL : a->gzip);
	build_head(x, a, &p, &s->scratch);
	x->status = a->status;
	if (a->status >= 100 && a->status < 600)
		s->n.answers[a->status / 100]++;
	if (p.bytes.n > 0 && p.release == NULL && s->scratch.n + p.bytes.n > FIRST_RECORD) {
		char *copy = xmalloc(p.bytes.n);

		memcpy(copy, p.bytes.p, p.bytes.n);
		p = (struct payload){ { copy, p.bytes.n }, free, copy, p.gzipped, false };
	}
	put_out(x, &s->scratch, &p, (h == NULL || h->method != HTTP_HEAD) && a->status != 204 &&
	    a->status != 304);
	conn_answered(x->conn);
}

/* The handler's answer. */
void
http_respond(struct http_exchange *pub, const struct http_answer *a)
{
	respond((struct exchange *)pub, a);
}

/* `own`, and what the handler adds to all errors. */
static struct http_header *
error_headers(struct exchange *x, const struct http_header *own, size_t *n)
{
	struct http_server *s = x->conn->server;
	struct http_header *all = xcalloc(*n + HTTP_ERROR_HEADERS, sizeof(*all));

	if (*n > 0)
		memcpy(all, own, *n * sizeof(*all));
	if (s->h.error_headers != NULL)
		*n += s->h.error_headers(&x->pub, all + *n, s->h.arg);
	return all;
}

void
answer_refuse(struct exchange *x, int status, const char *detail,
    const struct http_header *headers, size_t nheaders)
{
	struct http_server *s = x->conn->server;
	struct http_header *all = error_headers(x, headers, &nheaders);
	struct strbuf body = STRBUF_INIT;
	struct http_answer a = { .status = status, .content_type = "text/plain; charset=utf-8",
	    .headers = all, .nheaders = nheaders, .take = &body };

	if (s->h.error_body != NULL)
		a.content_type = s->h.error_body(&x->pub, status, http_status_text(status),
		    detail, &body, s->h.arg);
	else
		strbuf_addf(&body, "%d %s\n%s\n", status, http_status_text(status),
		    detail == NULL ? "" : detail);
	respond(x, &a);
	strbuf_fini(&body);
	free(all);
}

/* The handler says no. */
void
http_refuse(struct http_exchange *pub, int status, const char *detail,
    const struct http_header *headers, size_t nheaders)
{
	answer_refuse((struct exchange *)pub, status, detail, headers, nheaders);
}

/* Tell a client that waits for it to send the body. */
void
answer_continue(struct exchange *x)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	x->continued = true;
	bufferevent_write(x->conn->bev, text, sizeof(text) - 1);
}

const char *
http_library(void)
{
	return zlibVersion();
}
