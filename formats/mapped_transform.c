/* mapped_transform.c -- the small rewritings of a field's text, and their way back. */
#include "formats/fingerprint.h"
#include "formats/mapped_impl.h"
#include "formats/xml.h"

/* Without blanks around it. */
static bool
do_trim(struct arena *mem, struct slice in, struct slice *out)
{
	(void)mem;
	*out = slice_trim(in);
	return true;
}

/* Runs of blanks become one. */
static bool
do_collapse(struct arena *mem, struct slice in, struct slice *out)
{
	*out = xml_collapse(in, mem);
	return true;
}

/* Move ASCII letters between `from`..`from`+25 and the other case. */
static struct slice
change_case(struct arena *mem, struct slice in, char from, char to)
{
	char *p = arena_str(mem, in);

	for (size_t i = 0; i < in.n; i++)
		if (p[i] >= from && p[i] <= from + 25)
			p[i] = (char)(p[i] - from + to);
	return slice_from(p, in.n);
}

/* ASCII letters in lower case. */
static bool
do_lower(struct arena *mem, struct slice in, struct slice *out)
{
	*out = change_case(mem, in, 'A', 'a');
	return true;
}

/* ASCII letters in upper case. */
static bool
do_upper(struct arena *mem, struct slice in, struct slice *out)
{
	*out = change_case(mem, in, 'a', 'A');
	return true;
}

/* "hxxp://evil[.]example" -> "http://evil.example". */
static bool
do_refang(struct arena *mem, struct slice in, struct slice *out)
{
	*out = value_refang(in, mem);
	return true;
}

/* "http://evil.example/a.b" -> "hxxp://evil[.]example/a.b": scheme and host only. */
static bool
do_defang(struct arena *mem, struct slice in, struct slice *out)
{
	struct strbuf b = STRBUF_INIT;
	const char *mark = memmem(in.p, in.n, "://", 3);
	size_t host = mark == NULL ? 0 : (size_t)(mark - in.p) + 3, end = in.n;

	for (size_t i = host; mark != NULL && i < end; i++)
		if (in.p[i] == '/' || in.p[i] == '?' || in.p[i] == '#')
			end = i;
	for (size_t i = 0; i < in.n; i++) {
		if (i >= host && i < end && in.p[i] == '.')
			strbuf_adds(&b, "[.]");
		else if (host > 0 && i + 1 < host && (i == 1 || i == 2) && in.p[i] == 't' &&
		    slice_starts(in, "http"))
			strbuf_addc(&b, 'x');
		else
			strbuf_addc(&b, in.p[i]);
	}
	*out = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return true;
}

/* Decode; false unless it is base64 of UTF-8. */
static bool
do_unbase64(struct arena *mem, struct slice in, struct slice *out)
{
	struct strbuf b = STRBUF_INIT;
	bool ok = base64_decode(in, true, &b) && utf8_bad_at(strbuf_slice(&b)) == b.n;

	if (ok)
		*out = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return ok;
}

/* Encode. */
static bool
do_base64(struct arena *mem, struct slice in, struct slice *out)
{
	struct strbuf b = STRBUF_INIT;

	base64_add(&b, in.p, in.n);
	*out = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return true;
}

/* Decode; false unless it is hex of UTF-8. */
static bool
do_unhex(struct arena *mem, struct slice in, struct slice *out)
{
	char *p = arena_alloc(mem, in.n / 2 + 1);

	if (in.n % 2 != 0 || !hex_decode(in, p, in.n / 2))
		return false;
	*out = slice_from(p, in.n / 2);
	return utf8_bad_at(*out) == out->n;
}

/* Encode. */
static bool
do_hex(struct arena *mem, struct slice in, struct slice *out)
{
	char *p = arena_alloc(mem, in.n * 2 + 1);

	hex_text(in.p, in.n, p);
	*out = slice_from(p, in.n * 2);
	return true;
}

/* The character of "&amp;" and its like at the start of s, 0 if there is none. */
static char
html_entity(struct slice s, size_t *len)
{
	static const struct { const char *name; char c; } known[] = {
		{ "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' },
		{ "&apos;", '\'' }, { "&#39;", '\'' }, { "&nbsp;", ' ' }
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (slice_starts(s, known[i].name)) {
			*len = strlen(known[i].name);
			return known[i].c;
		}
	return 0;
}

/* Text without tags and with the common entities said plainly. */
static bool
do_strip_html(struct arena *mem, struct slice in, struct slice *out)
{
	char *p = arena_alloc(mem, in.n + 1), c;
	size_t n = 0, len;

	for (size_t i = 0; i < in.n; i++) {
		struct slice here = { in.p + i, in.n - i };
		const char *close;

		if (in.p[i] == '<' && (close = memchr(here.p, '>', here.n)) != NULL) {
			i = (size_t)(close - in.p);
		} else if (in.p[i] == '&' && (c = html_entity(here, &len)) != 0) {
			p[n++] = c;
			i += len - 1;
		} else {
			p[n++] = in.p[i];
		}
	}
	*out = slice_from(p, n);
	return true;
}

/* `defang` says that the records are defanged: read like `refang`, written defanged. */
const struct map_transform map_transforms[] = {
	{ "trim", do_trim, NULL },
	{ "lower", do_lower, NULL },
	{ "upper", do_upper, NULL },
	{ "refang", do_refang, NULL },
	{ "defang", do_refang, do_defang },
	{ "collapse-space", do_collapse, NULL },
	{ "strip-html", do_strip_html, NULL },
	{ "base64", do_unbase64, do_base64 },
	{ "hex", do_unhex, do_hex },
	{ NULL, NULL, NULL }
};
