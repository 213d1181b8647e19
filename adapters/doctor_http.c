/* doctor_http.c -- one request and what comes of it. Part of doctor_parts.h. */
#include "adapters/doctor_parts.h"

#include <stdio.h>

#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"

#ifndef TOCSIN_VERSION
#define TOCSIN_VERSION	"0"
#endif

enum { PIECE = 16384, BODY_MAX = 4 << 20 };

/* ---- writing ---- */

static void
write_login(const struct doctor *d, struct strbuf *out)
{
	struct strbuf pair = STRBUF_INIT;

	switch (d->login.kind) {
	case LOGIN_BASIC:
		strbuf_reserve(&pair, strlen(d->login.user) + strlen(d->login.secret) + 2);
		strbuf_addf(&pair, "%s:%s", d->login.user, d->login.secret);
		strbuf_adds(out, "Authorization: Basic ");
		base64_add(out, pair.p, pair.n);
		strbuf_adds(out, "\r\n");
		secret_wipe(pair.p, pair.cap);
		break;
	case LOGIN_BEARER:
		strbuf_addf(out, "Authorization: Bearer %s\r\n", d->login.secret);
		break;
	case LOGIN_HEADER:
		strbuf_addf(out, "%s: %s\r\n", d->login.header, d->login.secret);
		break;
	case LOGIN_NONE:
		break;
	}
	strbuf_fini(&pair);
}

/* "peer.example:8443", as it stands in Host. */
static void
write_host(const struct doctor *d, struct strbuf *out)
{
	bool v6 = strchr(d->url.host, ':') != NULL;

	strbuf_addf(out, "Host: %s%s%s", v6 ? "[" : "", d->url.host, v6 ? "]" : "");
	if (d->url.port != 443)
		strbuf_addf(out, ":%u", d->url.port);
	strbuf_adds(out, "\r\n");
}

static int
ask(struct doctor *d, const char *path, const char *accept, int64_t deadline_us)
{
	struct strbuf out = STRBUF_INIT;
	int rc;

	strbuf_reserve(&out, PIECE);
	strbuf_addf(&out, "GET %s HTTP/1.1\r\n", path);
	write_host(d, &out);
	strbuf_addf(&out, "Accept: %s\r\nUser-Agent: tocsin/" TOCSIN_VERSION "\r\n", accept);
	write_login(d, &out);
	strbuf_adds(&out, "\r\n");
	rc = tls_probe_write(d->probe, strbuf_slice(&out), deadline_us, d->heard);
	secret_wipe(out.p, out.cap);
	strbuf_fini(&out);
	return rc;
}

/* ---- reading ---- */

/* Why the bytes ended before the answer did. */
static void
no_answer(struct doctor *d, struct doctor_answer *a, const char *what, enum tls_ending ending)
{
	a->status = 0;
	a->ending = ending;
	a->trouble = ending == TLS_ENDED_ALERT ?
	    arena_fmt(d->mem, "the server refuses: %s (alert %d)", d->heard->alert_text, d->heard->alert) :
	    what;
}

static void
keep_body(struct doctor *d, struct doctor_answer *a, struct strbuf *body)
{
	a->status = http1_head(a->parser)->status;
	a->head = http1_head(a->parser);
	a->body = arena_slice(d->mem, strbuf_slice(body));
	a->date_us = taxii_read_date(http1_field(a->head, "date"));
}

/* The events of the bytes that came: true when the answer is whole or broken. */
static bool
take(struct doctor *d, struct doctor_answer *a, struct slice *in, struct strbuf *body)
{
	struct err e = ERR_INIT;
	struct slice data;

	for (;;) {
		switch (http1_next(a->parser, in, &data)) {
		case HTTP1_MORE:
			return false;
		case HTTP1_HEAD:
			a->our_us = clock_wall_us();
			break;
		case HTTP1_DATA:
			strbuf_addsl(body, data);
			if (body->n > BODY_MAX) {
				no_answer(d, a, "the answer is larger than 4 MiB", TLS_ENDED_ODD);
				return true;
			}
			break;
		case HTTP1_END:
			keep_body(d, a, body);
			return true;
		case HTTP1_ERROR:
			http1_error(a->parser, &e);
			no_answer(d, a, arena_fmt(d->mem, "what comes back is no HTTP: %s", e.reason),
			    TLS_ENDED_ODD);
			return true;
		}
	}
}

static const char *
ending_words(enum tls_ending ending)
{
	return ending == TLS_ENDED_SILENT ? "the server does not answer in time" :
	    "the server hangs up without an answer";
}

static void
hear(struct doctor *d, struct doctor_answer *a, int64_t deadline_us)
{
	struct strbuf body = STRBUF_INIT;
	char piece[PIECE];
	bool over = false;
	long n = 0;

	while (!over && (n = tls_probe_read(d->probe, piece, sizeof(piece), deadline_us, d->heard)) > 0) {
		struct slice in = slice_from(piece, (size_t)n);

		over = take(d, a, &in, &body);
	}
	/* A server may say goodbye where its answer ends, or just hang up: then the framing decides. */
	if (!over && (n == 0 || d->heard->ending == TLS_ENDED_CUT) && http1_eof(a->parser) == HTTP1_END)
		keep_body(d, a, &body);
	else if (!over)
		no_answer(d, a, ending_words(n == 0 ? TLS_ENDED_CUT : d->heard->ending),
		    n == 0 ? TLS_ENDED_CUT : d->heard->ending);
	strbuf_fini(&body);
}

/* ---- one request ---- */

static void
drop(struct doctor *d)
{
	tls_probe_free(d->probe);
	d->probe = NULL;
}

/* A connection: the one there is, or another like it. False: the answer says why not. */
static bool
get_connection(struct doctor *d, struct doctor_answer *a)
{
	int fd;

	if (d->probe != NULL) {
		d->heard = d->heard == NULL ? &d->report : d->heard;
		return true;
	}
	fd = doctor_connect(d);
	d->heard = &d->again;
	if (fd >= 0)
		d->probe = tls_probe_start(d->tls, fd, d->url.host, clock_mono_us() + d->conf->timeout_us,
		    d->mem, &d->again);
	if (d->probe != NULL && doctor_pin_fits(d, &d->again))
		return true;
	no_answer(d, a, "a second connection failed where the first one stood", TLS_ENDED_CUT);
	drop(d);
	return false;
}

void
doctor_get(struct doctor *d, const char *path, const char *accept, struct doctor_answer *a)
{
	int64_t deadline_us = clock_mono_us() + d->conf->timeout_us;
	bool kept = d->probe != NULL && d->heard != NULL;

	*a = (struct doctor_answer){ .parser = http1_new_responses(NULL) };
	http1_answers(a->parser, HTTP_GET);
	if (!get_connection(d, a))
		return;
	if (ask(d, path, accept, deadline_us) < 0)
		no_answer(d, a, ending_words(d->heard->ending), d->heard->ending);
	else
		hear(d, a, deadline_us);
	if (a->status != 0 && a->head->keep_alive)
		return;
	drop(d);
	if (a->status == 0 && a->ending == TLS_ENDED_CUT && kept) {	/* it had waited too long */
		doctor_answer_fini(a);
		doctor_get(d, path, accept, a);
	}
}

void
doctor_answer_fini(struct doctor_answer *a)
{
	http1_free(a->parser);
	a->parser = NULL;
	a->head = NULL;
}

json *
doctor_json(struct doctor *d, const struct doctor_answer *a)
{
	struct json_doc doc;

	if (a->status == 0 || json_parse(a->body, NULL, d->mem, &doc, NULL) < 0 ||
	    !json_is_object(doc.root))
		return NULL;
	return doc.root;
}
