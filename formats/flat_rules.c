/*
 * flat_rules.c -- Suricata rules.
 *
 * A rule ends at its line and an option at its `;`, so that no byte of a value is written that could
 * end either: in `content` all but letters, digits and a few signs stand as |hex|; in `msg` what
 * ends something is escaped. A name matches itself and what is below it (dotprefix), a URL its host,
 * port and whole path in clear text or behind a TLS inspection: the name alone of an https URL is no
 * reason to alert.
 */
#include "formats/flat_impl.h"
#include "gateway/base/ascii.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"

enum { MSG_MAX = 200, CONTENT_MAX = 2000 };

/* 2000-01-01T00:00:00Z, from which revisions count seconds. */
#define REV_EPOCH_S	INT64_C(946684800)

void
flat_rules_head(struct flat_run *run, struct strbuf *out)
{
	strbuf_adds(out, "# ");
	flat_line(out, slice_of(run->job->title), FLAT_NAME_MAX);
	strbuf_adds(out, "\n# For Suricata 5 and later. Hashes of files: load FEED.md5.lst or "
	    "FEED.sha256.lst, for example\n# alert http any any -> any any (msg:\"known file\"; "
	    "filesha256:FEED.sha256.lst; sid:1000001; rev:1;)\n");
}

/* Is the byte written as itself in content? */
static bool
is_plain(unsigned char c)
{
	return ascii_is_digit((char)c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    strchr("./-_?=&%+~,*()[]{}<>@!$'^#", c) != NULL;
}

/* content:"..."; with everything that could end it in hex. */
static void
add_content(struct strbuf *out, const char *before, struct slice s)
{
	bool hex = false;

	strbuf_addf(out, " content:\"%s", before);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool plain = c != '\0' && is_plain(c);

		if (hex == plain)
			strbuf_addc(out, '|');
		else if (hex)
			strbuf_addc(out, ' ');
		hex = !plain;
		if (plain)
			strbuf_addc(out, (char)c);
		else
			strbuf_addf(out, "%02x", c);
	}
	strbuf_adds(out, hex ? "|\";" : "\";");
}

/* TITLE: NAME (SOURCE, TLP:GREEN) */
static void
add_msg(struct flat_run *run, const struct flat_record *r, struct strbuf *out)
{
	struct strbuf text = STRBUF_INIT;

	flat_line(&text, slice_of(run->job->title), MSG_MAX / 4);
	strbuf_adds(&text, ": ");
	flat_line(&text, r->name.n > 0 ? r->name : slice_of(r->classification), MSG_MAX / 2);
	strbuf_adds(&text, " (");
	flat_line(&text, r->source, MSG_MAX / 4);
	strbuf_addf(&text, "%s%s)", r->source.n > 0 ? ", " : "",
	    r->tlp == TLP_UNSET ? "no TLP" : tlp_label(r->tlp));
	strbuf_adds(out, "msg:\"");
	for (size_t i = 0; i < text.n; i++) {
		if (strchr("\";\\", text.p[i]) != NULL)
			strbuf_addc(out, '\\');
		strbuf_addc(out, text.p[i]);
	}
	strbuf_adds(out, "\";");
	strbuf_fini(&text);
}

/* A URL that a rule can hold as it is. */
static void
add_reference(struct strbuf *out, struct slice url)
{
	const char *at = url.n == 0 ? NULL : memmem(url.p, url.n, "://", 3);
	struct slice rest;

	if (at == NULL || (!slice_starts(url, "http://") && !slice_starts(url, "https://")))
		return;
	rest = slice_from(at + 3, url.n - (size_t)(at + 3 - url.p));
	for (size_t i = 0; i < rest.n; i++)
		if (!ascii_is_digit(rest.p[i]) && strchr("./-_?=", rest.p[i]) == NULL &&
		    (ascii_lower(rest.p[i]) < 'a' || ascii_lower(rest.p[i]) > 'z'))
			return;
	if (rest.n > 0 && rest.n <= FLAT_NAME_MAX)
		strbuf_addf(out, " reference:url,%.*s;", SLICE_ARG(rest));
}

/* A later version of an object has a higher one. */
static uint32_t
revision(const struct flat_record *r)
{
	int64_t us;

	if (r->modified.n == 0 || !stamp_parse(r->modified, &us))
		return 1;
	us = us / 1000000 - REV_EPOCH_S;
	return us < 1 ? 1 : us > INT32_MAX ? INT32_MAX : (uint32_t)us;
}

/* What every rule ends with. */
static void
add_tail(struct flat_run *run, const struct flat_record *r, const char *form, struct strbuf *out)
{
	strbuf_adds(out, " classtype:trojan-activity;");
	add_reference(out, r->source_url);
	strbuf_addf(out, " metadata:stix_id %.*s, tlp %s", SLICE_ARG(r->id), tlp_word(r->tlp));
	if (r->confidence >= 0)
		strbuf_addf(out, ", confidence_level %d", r->confidence);
	strbuf_addf(out, "; sid:%u; rev:%u;)\n",
	    flat_seen_sid(run->seen, run->job->sid_base, form, r->value), revision(r));
}

static void
add_head(struct flat_run *run, const struct flat_record *r, struct strbuf *out, const char *proto,
    const char *where)
{
	strbuf_addf(out, "alert %s %s (", proto, where);
	add_msg(run, r, out);
}

/* --- forms ---------------------------------------------------------------------------------- */

/* Suricata's word: a port without a protocol is one of TCP. */
static const char *
protocol_of(const struct flat_record *r)
{
	static const char *const words[] = { "tcp", "udp", "sctp", "icmp" };

	for (size_t i = 0; i < COUNTOF(words); i++)
		if ((r->port < 0 || strcmp(words[i], "icmp") != 0) && slice_is(r->protocol, words[i]))
			return words[i];
	return r->port >= 0 ? "tcp" : "ip";
}

/* Traffic to or from an address or network. */
static bool
address_rule(struct flat_run *run, const struct flat_record *r, struct strbuf *out)
{
	const char *proto = protocol_of(r);

	strbuf_addf(out, "alert %s ", proto);
	if (r->role != FLAT_SOURCE)
		strbuf_adds(out, "$HOME_NET any -> ");
	strbuf_addsl(out, r->value);
	if (r->port >= 0)
		strbuf_addf(out, " %d", r->port);
	else
		strbuf_adds(out, " any");
	strbuf_adds(out, r->role == FLAT_SOURCE ? " -> $HOME_NET any (" : " (");
	add_msg(run, r, out);
	add_tail(run, r, "ip", out);
	return true;
}

static bool
domain_rules(struct flat_run *run, const struct flat_record *r, struct strbuf *out)
{
	static const struct {
		const char	*proto, *where, *buffer, *after;
	} forms[] = {
		{ "dns", "$HOME_NET any -> any any", " dns.query;", " nocase; endswith;" },
		{ "tls", "$HOME_NET any -> $EXTERNAL_NET any", " tls.sni;", " nocase; endswith;" },
		{ "http", "$HOME_NET any -> $EXTERNAL_NET any", " http.host;", " endswith;" }
	};

	if (!flat_is_hostname(r->value))
		return false;
	for (size_t i = 0; i < COUNTOF(forms); i++) {
		add_head(run, r, out, forms[i].proto, forms[i].where);
		strbuf_addf(out, "%s dotprefix;", forms[i].buffer);
		add_content(out, ".", r->value);
		strbuf_adds(out, forms[i].after);
		add_tail(run, r, forms[i].proto, out);
	}
	return true;
}

static bool
url_rule(struct flat_run *run, const struct flat_record *r, struct strbuf *out)
{
	struct flat_url u;

	if (!flat_url_split(r->value, &u) || u.path.n > CONTENT_MAX)
		return false;
	if (u.six)		/* the buffer holds the brackets too */
		u.host = slice_from(u.host.p - 1, u.host.n + 2);
	strbuf_addf(out, "alert http $HOME_NET any -> $EXTERNAL_NET %.*s (",
	    SLICE_ARG(u.port.n > 0 ? u.port : SLICE_LIT("any")));
	add_msg(run, r, out);
	strbuf_adds(out, " http.host;");
	add_content(out, "", u.host);
	strbuf_addf(out, " bsize:%zu; http.uri.raw;", u.host.n);
	add_content(out, "", u.path);
	strbuf_addf(out, " bsize:%zu;", u.path.n);
	add_tail(run, r, "url", out);
	return true;
}

static bool
agent_rule(struct flat_run *run, const struct flat_record *r, struct strbuf *out)
{
	if (r->value.n > CONTENT_MAX)
		return false;
	add_head(run, r, out, "http", "$HOME_NET any -> $EXTERNAL_NET any");
	strbuf_adds(out, " http.user_agent;");
	add_content(out, "", r->value);
	strbuf_addf(out, " bsize:%zu;", r->value.n);
	add_tail(run, r, "agent", out);
	return true;
}

/* The buffer holds colons between the bytes. */
static bool
certificate_rule(struct flat_run *run, const struct flat_record *r, struct strbuf *out)
{
	add_head(run, r, out, "tls", "$HOME_NET any -> $EXTERNAL_NET any");
	strbuf_adds(out, " tls.cert_fingerprint; content:\"");
	for (size_t i = 0; i < r->value.n; i += 2)
		strbuf_addf(out, "%s%.2s", i > 0 ? "|3a|" : "", r->value.p + i);
	strbuf_adds(out, "\";");
	add_tail(run, r, "certificate", out);
	return true;
}

static const struct {
	enum flat_type	 type;
	bool		(*add)(struct flat_run *run, const struct flat_record *r, struct strbuf *out);
} rules[] = {
	{ FLAT_IPV4, address_rule }, { FLAT_IPV4_NET, address_rule },
	{ FLAT_IPV6, address_rule }, { FLAT_IPV6_NET, address_rule },
	{ FLAT_DOMAIN, domain_rules }, { FLAT_URL, url_rule },
	{ FLAT_USERAGENT, agent_rule }, { FLAT_CERT_SHA1, certificate_rule }
};

bool
flat_rules_record(struct flat_run *run, const struct flat_record *r, struct strbuf *out)
{
	size_t before = out->n;

	for (size_t i = 0; i < COUNTOF(rules); i++) {
		if (rules[i].type != r->type)
			continue;
		if (flat_seen_add(run->seen, flat_type_word(r->type), r->value))
			return true;
		if (rules[i].add(run, r, out))
			return true;
		strbuf_setlen(out, before);
	}
	return false;
}
