#include "adapters/http1_parse.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"

enum { GO_ON = -1 };		/* a step changed the state: run the next one */
/* The limits of head and trailers leave room for the CRLF that ends them. */
enum { CHUNK_LINE_MAX = 256, CHUNK_DIGITS = 8, START_LINE_MORE = 128 };

/* What reading one line came to. */
enum line { LINE_MORE, LINE_DONE, LINE_LONG, LINE_BAD };

static struct http1 *
new_parser(bool responses, const struct http1_limits *lim)
{
	struct http1 *p = xcalloc(1, sizeof(*p));

	p->responses = responses;
	if (lim != NULL)
		p->lim = *lim;
	if (p->lim.target == 0)
		p->lim.target = 16384;
	if (p->lim.head == 0)
		p->lim.head = 65536;
	if (p->lim.fields == 0)
		p->lim.fields = 128;
	if (p->lim.fields > HTTP1_MAX_FIELDS)
		p->lim.fields = HTTP1_MAX_FIELDS;
	if (p->lim.trailers == 0)
		p->lim.trailers = 4096;
	strbuf_init(&p->text);
	strbuf_init(&p->line);
	strbuf_init(&p->path);
	p->state = ST_START;
	return p;
}

/* A parser for what a client sends. */
struct http1 *
http1_new_requests(const struct http1_limits *lim)
{
	return new_parser(false, lim);
}

/* A parser for what a server sends. */
struct http1 *
http1_new_responses(const struct http1_limits *lim)
{
	return new_parser(true, lim);
}

/* Free a parser. */
void
http1_free(struct http1 *p)
{
	if (p == NULL)
		return;
	strbuf_fini(&p->text);
	strbuf_fini(&p->line);
	strbuf_fini(&p->path);
	free(p->raw);
	free(p->head.fields);
	free(p);
}

enum http1_event
http1_fail(struct http1 *p, int status, enum err_code code, const char *fmt, ...)
{
	char text[sizeof(p->err.reason)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_set(&p->err, code, "%s", text);
	p->status = status;
	p->state = ST_ERROR;
	return HTTP1_ERROR;
}

/* Forget the finished message when the first byte of the next one is here. */
static void
begin(struct http1 *p)
{
	struct http1_field *keep = p->head.fields;

	strbuf_reset(&p->text);
	strbuf_reset(&p->path);
	memset(&p->head, 0, sizeof(p->head));
	p->head.fields = keep;
	p->head.content_length = -1;
	p->line_at = p->fields_at = 0;
	p->seen = 0;
	p->closes = false;
	p->left = 0;
	p->trailer_bytes = 0;
	p->stale = false;
}

/* Append to `b`, whose current line begins at `from`, up to and with the next LF. A line may have
 * `max` bytes before its LF. LINE_DONE: *out is the line without CRLF. */
static enum line
take_line(struct strbuf *b, size_t from, size_t max, struct slice *in, struct slice *out)
{
	const char *lf = memchr(in->p, '\n', in->n);
	size_t n = lf == NULL ? in->n : (size_t)(lf - in->p);
	size_t have = b->n - from;

	if (have + n > max)
		return LINE_LONG;
	strbuf_add(b, in->p, n + (lf != NULL));
	in->p += n + (lf != NULL);
	in->n -= n + (lf != NULL);
	if (lf == NULL)
		return LINE_MORE;
	have += n;
	if (have == 0 || b->p[from + have - 1] != '\r')
		return LINE_BAD;
	*out = (struct slice){ b->p + from, have - 1 };
	return memchr(out->p, '\r', out->n) == NULL ? LINE_DONE : LINE_BAD;
}

static int
bare_line_end(struct http1 *p)
{
	return http1_fail(p, 400, ERR_SYNTAX, "a line does not end in CR LF");
}

static int
step_start(struct http1 *p, struct slice *in, struct slice *data)
{
	struct slice line;

	(void)data;
	if (in->n == 0)
		return HTTP1_MORE;
	if (p->stale || p->text.n == 0)
		begin(p);
	switch (take_line(&p->text, 0, p->lim.target + START_LINE_MORE, in, &line)) {
	case LINE_MORE:
		return HTTP1_MORE;
	case LINE_LONG:
		return http1_fail(p, 414, ERR_LIMIT, "the request line is too long");
	case LINE_BAD:
		return bare_line_end(p);
	case LINE_DONE:
		break;
	}
	if (line.n == 0) {
		if (p->empty_line || p->responses)
			return http1_fail(p, 400, ERR_SYNTAX, "an empty line where a message "
			    "should begin");
		p->empty_line = true;
		strbuf_reset(&p->text);
		return GO_ON;
	}
	if (!http1_start_line(p, line))
		return HTTP1_ERROR;
	p->line_at = p->fields_at = p->text.n;
	p->state = ST_FIELDS;
	return GO_ON;
}

/* The head is complete: where does the body come from? */
static int
enter_body(struct http1 *p)
{
	if (!http1_head_done(p))
		return HTTP1_ERROR;
	if (!p->head.has_body)
		p->state = ST_END;
	else if (p->head.chunked)
		p->state = ST_CHUNK_LINE;
	else if (p->head.content_length < 0)
		p->state = ST_UNTIL_END;
	else
		p->state = ST_LENGTH;
	if (p->state == ST_LENGTH)
		p->left = (uint64_t)p->head.content_length;
	return HTTP1_HEAD;
}

static int
step_fields(struct http1 *p, struct slice *in, struct slice *data)
{
	size_t used = p->line_at - p->fields_at;
	struct slice line;

	(void)data;
	if (in->n == 0)
		return HTTP1_MORE;
	switch (take_line(&p->text, p->line_at, p->lim.head - used + 2, in, &line)) {
	case LINE_MORE:
		return HTTP1_MORE;
	case LINE_LONG:
		return http1_fail(p, 431, ERR_LIMIT, "the header is larger than %zu bytes",
		    p->lim.head);
	case LINE_BAD:
		return bare_line_end(p);
	case LINE_DONE:
		break;
	}
	if (line.n == 0)
		return enter_body(p);
	if (p->text.n - p->fields_at > p->lim.head)
		return http1_fail(p, 431, ERR_LIMIT, "the header is larger than %zu bytes",
		    p->lim.head);
	if (!http1_field_line(p, line))
		return HTTP1_ERROR;
	p->line_at = p->text.n;
	return GO_ON;
}

/* Hand out up to p->left bytes; `then` is the state behind the last of them. */
static int
hand_out(struct http1 *p, struct slice *in, struct slice *data, enum http1_state then)
{
	size_t n = in->n < p->left ? in->n : (size_t)p->left;

	if (n == 0)
		return HTTP1_MORE;
	*data = (struct slice){ in->p, n };
	in->p += n;
	in->n -= n;
	p->left -= n;
	if (p->left == 0)
		p->state = then;
	return HTTP1_DATA;
}

static int
step_length(struct http1 *p, struct slice *in, struct slice *data)
{
	return hand_out(p, in, data, ST_END);
}

/* 1 to 8 hex digits, then nothing or ";extensions", which are looked at only for control
 * characters. false if the line is anything else. */
static bool
chunk_size(struct slice line, uint64_t *out)
{
	uint64_t v = 0;
	size_t i;

	for (i = 0; i < line.n && line.p[i] != ';'; i++) {
		int d = ascii_hex(line.p[i]);

		if (d < 0 || i == CHUNK_DIGITS)
			return false;
		v = v * 16 + (uint64_t)d;
	}
	if (i == 0)
		return false;
	for (; i < line.n; i++) {
		unsigned char c = (unsigned char)line.p[i];

		if ((c < 32 && c != '\t') || c == 127)
			return false;
	}
	*out = v;
	return true;
}

static int
step_chunk_line(struct http1 *p, struct slice *in, struct slice *data)
{
	struct slice line;

	(void)data;
	if (in->n == 0)
		return HTTP1_MORE;
	switch (take_line(&p->line, 0, CHUNK_LINE_MAX, in, &line)) {
	case LINE_MORE:
		return HTTP1_MORE;
	case LINE_LONG:
		return http1_fail(p, 400, ERR_LIMIT, "a chunk-size line is too long");
	case LINE_BAD:
		return bare_line_end(p);
	case LINE_DONE:
		break;
	}
	if (!chunk_size(line, &p->left))
		return http1_fail(p, 400, ERR_SYNTAX, "a chunk size is not one to eight hex digits");
	strbuf_reset(&p->line);
	p->state = p->left == 0 ? ST_TRAILERS : ST_CHUNK_DATA;
	return GO_ON;
}

static int
step_chunk_data(struct http1 *p, struct slice *in, struct slice *data)
{
	return hand_out(p, in, data, ST_CHUNK_END);
}

static int
step_chunk_end(struct http1 *p, struct slice *in, struct slice *data)
{
	struct slice line;

	(void)data;
	if (in->n == 0)
		return HTTP1_MORE;
	switch (take_line(&p->line, 0, 1, in, &line)) {
	case LINE_MORE:
		if (p->line.p[0] != '\r')
			break;
		return HTTP1_MORE;
	case LINE_DONE:
		strbuf_reset(&p->line);
		p->state = ST_CHUNK_LINE;
		return GO_ON;
	case LINE_LONG:
	case LINE_BAD:
		break;
	}
	return http1_fail(p, 400, ERR_SYNTAX, "a chunk is longer than its size says");
}

static int
step_trailers(struct http1 *p, struct slice *in, struct slice *data)
{
	struct slice line, name, value;

	(void)data;
	if (in->n == 0)
		return HTTP1_MORE;
	switch (take_line(&p->line, 0, p->lim.trailers + 2 - p->trailer_bytes, in, &line)) {
	case LINE_MORE:
		return HTTP1_MORE;
	case LINE_LONG:
		return http1_fail(p, 400, ERR_LIMIT, "the trailer is larger than %zu bytes",
		    p->lim.trailers);
	case LINE_BAD:
		return bare_line_end(p);
	case LINE_DONE:
		break;
	}
	if (line.n == 0) {
		p->state = ST_END;
	} else if (!http1_cut_field(p, line, &name, &value)) {
		return HTTP1_ERROR;
	} else if (p->trailer_bytes + p->line.n > p->lim.trailers) {
		return http1_fail(p, 400, ERR_LIMIT, "the trailer is larger than %zu bytes",
		    p->lim.trailers);
	}
	p->trailer_bytes += p->line.n;
	strbuf_reset(&p->line);
	return GO_ON;
}

static int
step_until_end(struct http1 *p, struct slice *in, struct slice *data)
{
	p->left = UINT64_MAX;
	return hand_out(p, in, data, ST_UNTIL_END);
}

static int
step_end(struct http1 *p, struct slice *in, struct slice *data)
{
	(void)in;
	(void)data;
	p->state = ST_START;
	p->stale = true;
	p->empty_line = false;
	return HTTP1_END;
}

static int
step_error(struct http1 *p, struct slice *in, struct slice *data)
{
	(void)p;
	(void)in;
	(void)data;
	return HTTP1_ERROR;
}

static int (*const steps[ST_COUNT])(struct http1 *, struct slice *, struct slice *) = {
	[ST_START]	= step_start,
	[ST_FIELDS]	= step_fields,
	[ST_LENGTH]	= step_length,
	[ST_CHUNK_LINE]	= step_chunk_line,
	[ST_CHUNK_DATA]	= step_chunk_data,
	[ST_CHUNK_END]	= step_chunk_end,
	[ST_TRAILERS]	= step_trailers,
	[ST_UNTIL_END]	= step_until_end,
	[ST_END]	= step_end,
	[ST_ERROR]	= step_error,
};

/* Run to the next event. */
enum http1_event
http1_next(struct http1 *p, struct slice *in, struct slice *data)
{
	int ev;

	do
		ev = steps[p->state](p, in, data);
	while (ev == GO_ON);
	return (enum http1_event)ev;
}

/* The sender has closed its side. */
enum http1_event
http1_eof(struct http1 *p)
{
	if (p->state == ST_UNTIL_END) {
		struct slice none = SLICE_EMPTY, data;

		p->state = ST_END;
		return http1_next(p, &none, &data);
	}
	if (http1_is_idle(p))
		return HTTP1_MORE;
	if (p->state == ST_ERROR)
		return HTTP1_ERROR;
	return http1_fail(p, 400, ERR_SYNTAX, "the connection ended inside a message");
}

/* Responses: what kind of request is answered next. */
void
http1_answers(struct http1 *p, enum http_method method)
{
	p->answers = method;
}

/* The head of the message at hand. */
const struct http1_head *
http1_head(const struct http1 *p)
{
	return &p->head;
}

/* Status and reason of the error. */
int
http1_error(const struct http1 *p, struct err *e)
{
	if (e != NULL)
		*e = p->err;
	return p->status;
}

/* True between messages. */
bool
http1_is_idle(const struct http1 *p)
{
	return p->state == ST_START && (p->stale || p->text.n == 0);
}

/* Free what the last head needed; only between messages. */
void
http1_shrink(struct http1 *p)
{
	if (!http1_is_idle(p))
		return;
	strbuf_fini(&p->text);
	strbuf_fini(&p->line);
	strbuf_fini(&p->path);
	free(p->raw);
	free(p->head.fields);
	p->raw = NULL;
	p->raw_cap = 0;
	memset(&p->head, 0, sizeof(p->head));
	p->stale = false;
}
