/*
 * flat_zeek.c -- the file format of Zeek's intelligence framework.
 *
 * One tab between columns, `-` for an empty one. The reader takes \xHH for a byte, `#` in front for
 * a head and `-` or `(empty)` for nothing, so that these are written as bytes.
 */
#include "formats/flat_impl.h"
#include "gateway/base/strbuf.h"

static const struct {
	enum flat_type	 type;
	const char	*zeek;
} types[] = {
	{ FLAT_IPV4, "ADDR" }, { FLAT_IPV6, "ADDR" }, { FLAT_IPV4_NET, "SUBNET" },
	{ FLAT_IPV6_NET, "SUBNET" }, { FLAT_URL, "URL" }, { FLAT_USERAGENT, "SOFTWARE" },
	{ FLAT_EMAIL, "EMAIL" }, { FLAT_DOMAIN, "DOMAIN" }, { FLAT_USER, "USER_NAME" },
	{ FLAT_CERT_SHA1, "CERT_HASH" }, { FLAT_MD5, "FILE_HASH" }, { FLAT_SHA1, "FILE_HASH" },
	{ FLAT_SHA256, "FILE_HASH" }, { FLAT_FILENAME, "FILE_NAME" }
};

void
flat_zeek_head(struct flat_run *run, struct strbuf *out)
{
	(void)run;
	strbuf_adds(out, "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc\tmeta.url"
	    "\tmeta.do_notice\n");
}

/* A column that the reader takes for exactly these bytes. */
static void
add_column(struct strbuf *out, struct slice s)
{
	bool first = slice_is(s, "-") || slice_is(s, "(empty)");

	if (s.n == 0)
		strbuf_addc(out, '-');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < ' ' || c == 0x7f || c == '\\' || (i == 0 && (c == '#' || first)))
			strbuf_addf(out, "\\x%02x", c);
		else
			strbuf_addc(out, (char)c);
	}
}

/* What Zeek compares with: a URL has no scheme there. */
static bool
add_indicator(struct strbuf *out, const struct flat_record *r)
{
	struct strbuf text = STRBUF_INIT;
	struct flat_url u;

	if (r->type != FLAT_URL) {
		add_column(out, r->value);
		return true;
	}
	if (!flat_url_split(r->value, &u))
		return false;
	strbuf_addf(&text, "%s%.*s%s%s%.*s%.*s", u.six ? "[" : "", SLICE_ARG(u.host),
	    u.six ? "]" : "", u.port.n > 0 ? ":" : "", SLICE_ARG(u.port), SLICE_ARG(u.path));
	add_column(out, strbuf_slice(&text));
	strbuf_fini(&text);
	return true;
}

/* "NAME [TLP:GREEN, 80, id]" */
static void
add_desc(struct strbuf *out, const struct flat_record *r)
{
	struct strbuf text = STRBUF_INIT;

	flat_line(&text, r->name, FLAT_NAME_MAX);
	strbuf_addf(&text, "%s[", text.n > 0 ? " " : "");
	if (r->tlp != TLP_UNSET)
		strbuf_addf(&text, "%s, ", tlp_label(r->tlp));
	if (r->confidence >= 0)
		strbuf_addf(&text, "confidence %d, ", r->confidence);
	strbuf_addf(&text, "%.*s]", SLICE_ARG(r->id));
	add_column(out, strbuf_slice(&text));
	strbuf_fini(&text);
}

bool
flat_zeek_record(struct flat_run *run, const struct flat_record *r, struct strbuf *out)
{
	size_t before = out->n, i = 0;
	struct strbuf source = STRBUF_INIT;

	while (i < COUNTOF(types) && types[i].type != r->type)
		i++;
	if (i == COUNTOF(types) || !add_indicator(out, r))
		return false;
	if (flat_seen_add(run->seen, types[i].zeek, r->value)) {
		strbuf_setlen(out, before);
		return true;
	}
	strbuf_addf(out, "\tIntel::%s\t", types[i].zeek);
	flat_line(&source, r->source.n > 0 ? r->source : slice_of(run->job->title), FLAT_NAME_MAX);
	add_column(out, strbuf_slice(&source));
	strbuf_fini(&source);
	strbuf_addc(out, '\t');
	add_desc(out, r);
	strbuf_addc(out, '\t');
	add_column(out, r->source_url);
	strbuf_adds(out, "\tF\n");
	return true;
}
