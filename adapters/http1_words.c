#include "adapters/http1.h"

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

static const char *const methods[HTTP_OTHER] = {
	[HTTP_GET]	= "GET",
	[HTTP_HEAD]	= "HEAD",
	[HTTP_POST]	= "POST",
	[HTTP_PUT]	= "PUT",
	[HTTP_DELETE]	= "DELETE",
	[HTTP_OPTIONS]	= "OPTIONS",
	[HTTP_PATCH]	= "PATCH",
	[HTTP_TRACE]	= "TRACE",
	[HTTP_CONNECT]	= "CONNECT",
};

static const struct {
	int		 status;
	const char	*text;
} statuses[] = {
	{ 100, "Continue" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 505, "HTTP Version Not Supported" },
};

/* The name of a method. */
const char *
http_method_text(enum http_method m)
{
	return m < HTTP_OTHER ? methods[m] : NULL;
}

/* The phrase that goes with a status. */
const char *
http_status_text(int status)
{
	size_t i;

	for (i = 0; i < sizeof(statuses) / sizeof(*statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].text;
	return "Unknown";
}

/* The first value of a header field. */
struct slice
http1_field(const struct http1_head *h, const char *name)
{
	struct slice value = { NULL, 0 };
	size_t i = 0;

	http1_field_next(h, name, &i, &value);
	return value;
}

/* The next value of a header field, from *i on. */
bool
http1_field_next(const struct http1_head *h, const char *name, size_t *i, struct slice *value)
{
	for (; *i < h->nfields; (*i)++) {
		if (!slice_is_nocase(h->fields[*i].name, name))
			continue;
		*value = h->fields[(*i)++].value;
		return true;
	}
	return false;
}

/* Length of `s` up to `sep` outside of quoted strings. */
static size_t
until(struct slice s, char sep)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < s.n && (quoted || s.p[i] != sep); i++) {
		if (s.p[i] == '"')
			quoted = !quoted;
		else if (quoted && s.p[i] == '\\' && i + 1 < s.n)
			i++;
	}
	return i;
}

/* The next item that is not empty (RFC 7230 section 7 lets lists hold empty ones). */
bool
http1_list_next(struct slice *rest, struct slice *item)
{
	while (rest->n > 0) {
		size_t n = until(*rest, ',');

		*item = slice_trim((struct slice){ rest->p, n });
		n += n < rest->n;
		rest->p += n;
		rest->n -= n;
		if (item->n > 0)
			return true;
	}
	return false;
}

/* Weight in thousandths behind the ';' of a list item; 1000 if none, -1 if broken. */
static int
weight(struct slice parameters)
{
	struct slice v = slice_trim(parameters);
	int q, scale = 100;
	size_t i;

	if (v.n == 0)
		return 1000;
	if (v.n < 3 || (v.p[0] | 32) != 'q' || v.p[1] != '=' || (v.p[2] != '0' && v.p[2] != '1'))
		return -1;
	q = (v.p[2] - '0') * 1000;
	if (v.n > 3 && v.p[3] != '.')
		return -1;
	for (i = 4; i < v.n && i < 7; i++, scale /= 10) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return -1;
		q += (v.p[i] - '0') * scale;
	}
	return i < v.n || q > 1000 ? -1 : q;
}

/* True if gzip is allowed and not less wanted than plain bytes. */
bool
http1_accepts_gzip(const struct http1_head *h)
{
	int gzip = -1, any = -1, identity = -1, q;
	struct slice line, item, name;
	size_t i = 0;

	while (http1_field_next(h, "Accept-Encoding", &i, &line)) {
		while (http1_list_next(&line, &item)) {
			name = slice_trim(slice_cut(&item, ';'));
			if ((q = weight(item)) < 0)
				continue;
			if (slice_is_nocase(name, "gzip") || slice_is_nocase(name, "x-gzip"))
				gzip = q;
			else if (slice_is(name, "*"))
				any = q;
			else if (slice_is_nocase(name, "identity"))
				identity = q;
		}
	}
	if (gzip < 0)
		gzip = any;
	return gzip > 0 && gzip >= identity;
}

/* Decode one half of a parameter; false (and the raw text) if it cannot be. */
static bool
decode(struct arena *mem, struct slice raw, struct slice *out)
{
	struct strbuf text = STRBUF_INIT;
	bool ok = percent_decode(raw, &text);

	*out = ok ? arena_slice(mem, strbuf_slice(&text)) : raw;
	strbuf_fini(&text);
	return ok;
}

/* The next parameter; empty ones ("&&") are passed over. */
bool
http1_query_next(struct slice *rest, struct arena *mem, struct http1_param *out)
{
	struct slice pair = SLICE_EMPTY, key;

	while (rest->n > 0 && pair.n == 0)
		pair = slice_cut(rest, '&');
	if (pair.n == 0)
		return false;
	memset(out, 0, sizeof(*out));
	out->has_value = memchr(pair.p, '=', pair.n) != NULL;
	key = slice_cut(&pair, '=');
	out->bad_key = !decode(mem, key, &out->key);
	out->bad_value = !decode(mem, pair, &out->value);
	return true;
}
