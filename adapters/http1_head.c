#include "adapters/http1_parse.h"

#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"

enum { METHOD_MAX = 32, LENGTH_DIGITS = 15 };

/* Fields of which a message may have one only, or whose value matters here. */
static const struct {
	const char	*name;
	bool		 once;
} known[KNOWN_NONE] = {
	[KNOWN_HOST]		= { "Host", true },
	[KNOWN_LENGTH]		= { "Content-Length", true },
	[KNOWN_CODING]		= { "Transfer-Encoding", true },
	[KNOWN_TYPE]		= { "Content-Type", true },
	[KNOWN_AUTHORIZATION]	= { "Authorization", true },
	[KNOWN_EXPECT]		= { "Expect", true },
	[KNOWN_CONNECTION]	= { "Connection", false },
};

/* RFC 7230 section 3.2.6: characters of a token. */
static bool
is_token_char(unsigned char c)
{
	if ((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z'))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool
is_token(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!is_token_char((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

static struct slice
span_slice(const struct http1 *p, struct span s)
{
	return (struct slice){ p->text.p + s.at, s.n };
}

static struct span
slice_span(const struct http1 *p, struct slice s)
{
	return (struct span){ (size_t)(s.p - p->text.p), s.n };
}

/* "HTTP/1.0" and "HTTP/1.1" set the version; other well-formed ones are 505, the rest 400. */
static bool
read_version(struct http1 *p, struct slice s)
{
	if (s.n != 8 || memcmp(s.p, "HTTP/", 5) != 0 || s.p[6] != '.' ||
	    s.p[5] < '0' || s.p[5] > '9' || s.p[7] < '0' || s.p[7] > '9') {
		http1_fail(p, 400, ERR_SYNTAX, "the start line does not say HTTP/1.1");
		return false;
	}
	if (s.p[5] != '1' || s.p[7] > '1') {
		http1_fail(p, 505, ERR_UNSUPPORTED, "HTTP versions are 1.0 and 1.1 here");
		return false;
	}
	p->head.minor = s.p[7] - '0';
	return true;
}

static bool
request_line(struct http1 *p, struct slice line)
{
	struct slice rest = line, method, target;
	size_t i;

	method = slice_cut(&rest, ' ');
	target = slice_cut(&rest, ' ');
	if (!is_token(method) || method.n > METHOD_MAX) {
		http1_fail(p, 400, ERR_SYNTAX, "the request line does not begin with a method");
		return false;
	}
	if (target.n > p->lim.target) {
		http1_fail(p, 414, ERR_LIMIT, "the request target is longer than %zu bytes",
		    p->lim.target);
		return false;
	}
	for (i = 0; i < target.n; i++) {
		unsigned char c = (unsigned char)target.p[i];

		if (c <= 32 || c == 127)
			break;
	}
	if (target.n == 0 || i < target.n) {
		http1_fail(p, 400, ERR_SYNTAX, "the request target has blanks or control "
		    "characters, or is missing");
		return false;
	}
	if (!read_version(p, rest))
		return false;
	p->spans[0] = slice_span(p, method);
	p->spans[1] = slice_span(p, target);
	return true;
}

/* "HTTP/1.1 200 OK"; the reason and the blank before it may be missing. */
static bool
status_line(struct http1 *p, struct slice line)
{
	struct slice rest = line, version = slice_cut(&rest, ' '), code = slice_cut(&rest, ' ');
	unsigned long long status;
	size_t i;

	if (!read_version(p, version))
		return false;
	if (code.n != 3 || !slice_u64(code, &status) || status < 100 || status > 599) {
		http1_fail(p, 400, ERR_SYNTAX, "the status is not a number from 100 to 599");
		return false;
	}
	for (i = 0; i < rest.n; i++) {
		unsigned char c = (unsigned char)rest.p[i];

		if ((c < 32 && c != '\t') || c == 127) {
			http1_fail(p, 400, ERR_SYNTAX, "control characters in the status line");
			return false;
		}
	}
	p->head.status = (int)status;
	p->spans[1] = slice_span(p, rest);
	return true;
}

bool
http1_start_line(struct http1 *p, struct slice line)
{
	return p->responses ? status_line(p, line) : request_line(p, line);
}

static struct slice
trim_blanks(struct slice s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

bool
http1_cut_field(struct http1 *p, struct slice line, struct slice *name, struct slice *value)
{
	struct slice rest = line;
	size_t i;

	if (line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t')) {
		http1_fail(p, 400, ERR_SYNTAX, "folded header lines are obsolete");
		return false;
	}
	if (memchr(line.p, ':', line.n) == NULL) {
		http1_fail(p, 400, ERR_SYNTAX, "a header line has no colon");
		return false;
	}
	*name = slice_cut(&rest, ':');
	if (!is_token(*name)) {
		http1_fail(p, 400, ERR_SYNTAX, "a header name is not a token (blank before the "
		    "colon?)");
		return false;
	}
	*value = trim_blanks(rest);
	for (i = 0; i < value->n; i++) {
		unsigned char c = (unsigned char)value->p[i];

		if ((c < 32 && c != '\t') || c == 127) {
			http1_fail(p, 400, ERR_SYNTAX, "%.*s: control character in the value",
			    name->n > 40 ? 40 : (int)name->n, name->p);
			return false;
		}
	}
	return true;
}

static bool
read_length(struct http1 *p, struct slice v)
{
	unsigned long long n;

	if (v.n == 0 || !slice_u64((struct slice){ v.p, v.n > LENGTH_DIGITS ? 1 : v.n }, &n)) {
		http1_fail(p, 400, ERR_SYNTAX, "Content-Length is not a number");
		return false;
	}
	if (v.n > LENGTH_DIGITS) {
		size_t i;

		for (i = 0; i < v.n && v.p[i] >= '0' && v.p[i] <= '9'; i++)
			;
		if (i < v.n)
			http1_fail(p, 400, ERR_SYNTAX, "Content-Length is not a number");
		else
			http1_fail(p, 413, ERR_LIMIT, "Content-Length has more than %d digits",
			    LENGTH_DIGITS);
		return false;
	}
	p->head.content_length = (int64_t)n;
	return true;
}

static bool
read_coding(struct http1 *p, struct slice v)
{
	struct slice rest = v, item;
	bool chunked = false;

	if (p->head.minor == 0) {
		http1_fail(p, 400, ERR_SYNTAX, "Transfer-Encoding in HTTP/1.0");
		return false;
	}
	if (slice_is_nocase(v, "chunked")) {
		p->head.chunked = true;
		return true;
	}
	while (http1_list_next(&rest, &item)) {
		if (!slice_is_nocase(item, "chunked") && is_token(item)) {
			http1_fail(p, 501, ERR_UNSUPPORTED, "the only Transfer-Encoding here is "
			    "chunked");
			return false;
		}
		chunked = true;
	}
	http1_fail(p, 400, ERR_SYNTAX, "Transfer-Encoding: %s", chunked ? "chunked, once and alone"
	    : "empty");
	return false;
}

static bool
is_ip6_char(char c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f') || c == ':' || c == '.';
}

/* host[:port] with nothing odd in it. */
static bool
is_authority(struct slice s)
{
	size_t i = 0;

	if (s.n > 0 && s.p[0] == '[') {
		for (i = 1; i < s.n && s.p[i] != ']'; i++)
			if (!is_ip6_char(s.p[i]))
				return false;
		if (i == s.n || i == 1)
			return false;
		i++;
	} else {
		for (; i < s.n && s.p[i] != ':'; i++)
			if (!is_token_char((unsigned char)s.p[i]) ||
			    strchr("#^`|\"'", s.p[i]) != NULL)
				return false;
		if (i == 0)
			return false;
	}
	if (i == s.n)
		return true;
	if (s.p[i++] != ':' || s.n - i > 5)
		return false;
	for (; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

static bool
read_expect(struct http1 *p, struct slice v)
{
	if (p->responses || p->head.minor == 0)
		return true;
	if (!slice_is_nocase(v, "100-continue")) {
		http1_fail(p, 417, ERR_UNSUPPORTED, "the only expectation met here is 100-continue");
		return false;
	}
	p->head.expect_continue = true;
	return true;
}

static bool
read_connection(struct http1 *p, struct slice v)
{
	struct slice rest = v, item;

	while (http1_list_next(&rest, &item))
		if (slice_is_nocase(item, "close"))
			p->closes = true;
	return true;
}

static bool
read_known(struct http1 *p, enum http1_known which, struct slice v)
{
	switch (which) {
	case KNOWN_HOST:
		if (is_authority(v))
			return true;
		http1_fail(p, 400, ERR_SYNTAX, "Host is not a name or address with an optional port");
		return false;
	case KNOWN_LENGTH:
		return read_length(p, v);
	case KNOWN_CODING:
		return read_coding(p, v);
	case KNOWN_EXPECT:
		return read_expect(p, v);
	case KNOWN_CONNECTION:
		return read_connection(p, v);
	default:
		return true;
	}
}

bool
http1_field_line(struct http1 *p, struct slice line)
{
	struct slice name, value;
	unsigned i;

	if (!http1_cut_field(p, line, &name, &value))
		return false;
	if (p->head.nfields == p->lim.fields) {
		http1_fail(p, 431, ERR_LIMIT, "more than %zu header lines", p->lim.fields);
		return false;
	}
	for (i = 0; i < KNOWN_NONE && !slice_is_nocase(name, known[i].name); i++)
		;
	if (i < KNOWN_NONE) {
		if (known[i].once && (p->seen & (1u << i)) != 0) {
			http1_fail(p, 400, ERR_DUPLICATE, "%s twice", known[i].name);
			return false;
		}
		p->seen |= 1u << i;
		if (!read_known(p, (enum http1_known)i, value))
			return false;
	}
	if (p->head.nfields == p->raw_cap) {
		p->raw_cap = p->raw_cap == 0 ? 16 : p->raw_cap * 2;
		p->raw = xrealloc(p->raw, p->raw_cap * sizeof(*p->raw));
		p->head.fields = xrealloc(p->head.fields, p->raw_cap * sizeof(*p->head.fields));
	}
	p->raw[p->head.nfields].name = slice_span(p, name);
	p->raw[p->head.nfields].value = slice_span(p, value);
	p->head.nfields++;
	return true;
}

static bool
is_unreserved(int c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '-' ||
	    c == '.' || c == '_' || c == '~';
}

/* Decode the unreserved escapes of a path into p->path; true if nothing else was escaped. */
static bool
decode_path(struct http1 *p, struct slice s)
{
	bool plain = true;
	size_t i;

	for (i = 0; i < s.n; i++) {
		uint8_t c;

		if (s.p[i] == '%' && s.n - i > 2 &&
		    hex_decode((struct slice){ s.p + i + 1, 2 }, &c, 1) && is_unreserved(c)) {
			strbuf_addc(&p->path, (char)c);
			i += 2;
			continue;
		}
		if (s.p[i] == '%')
			plain = false;
		strbuf_addc(&p->path, s.p[i]);
	}
	return plain;
}

/* Bytes and segments that none of our paths has: better a 404 than two readings. */
static bool
path_is_odd(struct slice path)
{
	struct slice rest = path, segment;
	size_t i;

	for (i = 0; i < path.n; i++) {
		unsigned char c = (unsigned char)path.p[i];

		if (c >= 0x80 || c == '\\' || c == ';' || c == '#' || c == '%')
			return true;
	}
	slice_cut(&rest, '/');		/* what is before the first slash: nothing */
	while (rest.n > 0) {
		segment = slice_cut(&rest, '/');
		if (segment.n == 0 || slice_is(segment, ".") || slice_is(segment, ".."))
			return true;
	}
	return false;
}

/* Cut "scheme://authority" off an absolute target. false: it is none. */
static bool
cut_authority(struct slice *target, struct slice *authority)
{
	struct slice t = *target;
	size_t n;

	if (t.n > 8 && slice_is_nocase((struct slice){ t.p, 8 }, "https://"))
		n = 8;
	else if (t.n > 7 && slice_is_nocase((struct slice){ t.p, 7 }, "http://"))
		n = 7;
	else
		return false;
	t.p += n;
	t.n -= n;
	for (n = 0; n < t.n && t.p[n] != '/' && t.p[n] != '?'; n++)
		;
	*authority = (struct slice){ t.p, n };
	*target = (struct slice){ t.p + n, t.n - n };
	return is_authority(*authority);
}

/* Origin form, absolute form, "*" for OPTIONS, host:port for CONNECT; nothing else. */
static bool
read_target(struct http1 *p)
{
	struct http1_head *h = &p->head;
	struct slice rest = h->target, path;

	if (h->method == HTTP_CONNECT && is_authority(rest)) {
		h->path = SLICE_EMPTY;
		h->path_odd = true;
		return true;
	}
	if (h->method == HTTP_OPTIONS && slice_is(rest, "*")) {
		h->path = rest;
		return true;
	}
	if (rest.p[0] != '/' && !cut_authority(&rest, &h->host)) {
		http1_fail(p, 400, ERR_SYNTAX, "the request target is neither a path nor an "
		    "http(s) address");
		return false;
	}
	h->has_query = memchr(rest.p, '?', rest.n) != NULL;
	path = slice_cut(&rest, '?');
	h->query = h->has_query ? rest : SLICE_EMPTY;
	if (path.n == 0)
		path = SLICE_LIT("/");
	h->path = path;
	if (memchr(path.p, '%', path.n) != NULL) {
		h->path_odd = !decode_path(p, path);
		h->path = strbuf_slice(&p->path);
	}
	if (path_is_odd(h->path))
		h->path_odd = true;
	return true;
}

static enum http_method
method_of(struct slice s)
{
	int m;

	for (m = 0; m < HTTP_OTHER && !slice_is(s, http_method_text((enum http_method)m)); m++)
		;
	return (enum http_method)m;
}

static bool
request_done(struct http1 *p)
{
	struct http1_head *h = &p->head;

	h->method_text = span_slice(p, p->spans[0]);
	h->target = span_slice(p, p->spans[1]);
	h->method = method_of(h->method_text);
	if (h->minor == 1 && (p->seen & (1u << KNOWN_HOST)) == 0) {
		http1_fail(p, 400, ERR_MISSING, "HTTP/1.1 without Host");
		return false;
	}
	h->host = http1_field(h, "Host");
	if (!read_target(p))
		return false;
	h->has_body = h->chunked || h->content_length > 0;
	h->expect_continue = h->expect_continue && h->has_body;
	h->keep_alive = h->minor == 1 && !p->closes;
	return true;
}

static bool
response_done(struct http1 *p)
{
	struct http1_head *h = &p->head;

	h->reason = span_slice(p, p->spans[1]);
	if (h->status == 101) {
		http1_fail(p, 400, ERR_UNSUPPORTED, "switching protocols was not asked for");
		return false;
	}
	h->has_body = h->status >= 200 && h->status != 204 && h->status != 304 &&
	    p->answers != HTTP_HEAD && (h->chunked || h->content_length != 0);
	h->keep_alive = h->minor == 1 && !p->closes &&
	    (!h->has_body || h->chunked || h->content_length > 0);
	return true;
}

bool
http1_head_done(struct http1 *p)
{
	struct http1_head *h = &p->head;
	size_t i;

	for (i = 0; i < h->nfields; i++) {
		h->fields[i].name = span_slice(p, p->raw[i].name);
		h->fields[i].value = span_slice(p, p->raw[i].value);
	}
	if (h->chunked && h->content_length >= 0) {
		http1_fail(p, 400, ERR_CONFLICT, "Content-Length together with Transfer-Encoding");
		return false;
	}
	return p->responses ? response_done(p) : request_done(p);
}
