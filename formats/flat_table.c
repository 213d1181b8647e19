/*
 * flat_table.c -- every field of a record: CSV and JSON lines, from one table of fields.
 */
#include "formats/flat_impl.h"
#include "gateway/base/strbuf.h"

enum field_kind {
	TEXT,			/* struct slice */
	LIST,			/* struct slice, joined by ; */
	NUMBER,			/* int, -1: none */
	WORD,			/* const char * */
	FLAG,			/* bool; false: nothing */
	TYPE, ROLE, TLP, PAP
};

#define AT(member)	offsetof(struct flat_record, member)

/* The columns of CSV, the members of JSON, the dictionary of conf/README.md. */
static const struct field {
	const char	*name;
	enum field_kind	 kind;
	size_t		 at;
	const char	*help;
} fields[] = {
	{ "id", TEXT, AT(id), "id of the STIX object" },
	{ "type", TYPE, AT(type), "kind of value: ipv4, ipv4-net, ipv6, ipv6-net, domain, url, email, "
	    "md5, sha1, sha256, sha512, ssdeep, tlsh, filename, regkey, mutex, asn, mac, useragent, "
	    "cert-sha1, cert-sha256, user, cve, pattern" },
	{ "value", TEXT, AT(value), "the value in its one spelling, never defanged; names in ASCII" },
	{ "value_unicode", TEXT, AT(unicode), "an internationalized name as people read it" },
	{ "role", ROLE, AT(role), "source or destination of traffic or mail" },
	{ "port", NUMBER, AT(port), "port on the side of the value" },
	{ "protocol", TEXT, AT(protocol), "transport protocol: tcp, udp, ..." },
	{ "context", TEXT, AT(context), "what the indicator demands beside the value, as a STIX "
	    "pattern; empty: the value alone is enough" },
	{ "name", TEXT, AT(name), "name of the indicator" },
	{ "description", TEXT, AT(description), "its description, on one line" },
	{ "indicator_types", LIST, AT(indicator_types), "malicious-activity, ..." },
	{ "labels", LIST, AT(labels), "tags" },
	{ "malware", LIST, AT(malware), "names of malware and tools that it indicates" },
	{ "threat_actor", LIST, AT(threat_actor), "names of actors and intrusion sets" },
	{ "campaign", LIST, AT(campaign), "names of campaigns" },
	{ "attack_pattern", LIST, AT(attack_pattern), "names of attack patterns" },
	{ "kill_chain", LIST, AT(kill_chain), "CHAIN:PHASE" },
	{ "confidence", NUMBER, AT(confidence), "0 to 100, as the creator says" },
	{ "tlp", TLP, AT(tlp), "label that holds: CLEAR, GREEN, AMBER, AMBER+STRICT, RED" },
	{ "pap", PAP, AT(pap), "permitted actions: CLEAR, GREEN, AMBER, RED" },
	{ "valid_from", TEXT, AT(valid_from), "RFC 3339" },
	{ "valid_until", TEXT, AT(valid_until), "RFC 3339; empty: no end" },
	{ "first_seen", TEXT, AT(first_seen), "first observation or sighting" },
	{ "last_seen", TEXT, AT(last_seen), "last observation or sighting" },
	{ "created", TEXT, AT(created), "of the STIX object" },
	{ "modified", TEXT, AT(modified), "of the STIX object: its version" },
	{ "revoked", FLAG, AT(revoked), "true: the creator has withdrawn it; feeds leave such out" },
	{ "source", TEXT, AT(source), "name of the creator, its id if the name is unknown" },
	{ "source_url", TEXT, AT(source_url), "first URL of the external references" },
	{ "references", LIST, AT(references), "SOURCE:ID of the external references" },
	{ "report", TEXT, AT(report), "a report or grouping that holds the indicator" },
	{ "pattern", TEXT, AT(pattern), "the pattern as written, if not longer than 4,096 bytes" },
	{ "classification_type", WORD, AT(classification), "IntelMQ's word: c2-server, phishing, "
	    "malware, malware-distribution, proxy, scanner, blacklist, ..." },
	{ "classification_taxonomy", WORD, AT(taxonomy), "the group of the type" }
};

/* TLP and PAP as people write them; "" if there is none. */
static const char *
tlp_text(enum tlp t)
{
	return t == TLP_UNSET ? "" : tlp_label(t) + 4;
}

static const char *
pap_text(enum pap p)
{
	static const char *const words[] = { "", "CLEAR", "GREEN", "AMBER", "RED" };

	return words[p];
}

/* The field as text; numbers into `digits`. */
static struct slice
field_text(const struct field *f, const struct flat_record *r, struct strbuf *digits)
{
	const void *at = (const char *)r + f->at;

	switch (f->kind) {
	case TEXT:
	case LIST:
		return *(const struct slice *)at;
	case WORD:
		return slice_of(*(const char *const *)at);
	case FLAG:
		return *(const bool *)at ? SLICE_LIT("true") : SLICE_EMPTY;
	case TYPE:
		return slice_of(flat_type_word(*(const enum flat_type *)at));
	case ROLE:
		return slice_of(flat_role_word(*(const enum flat_role *)at));
	case TLP:
		return slice_of(tlp_text(*(const enum tlp *)at));
	case PAP:
		return slice_of(pap_text(*(const enum pap *)at));
	case NUMBER:
		strbuf_reset(digits);
		if (*(const int *)at >= 0)
			strbuf_addn(digits, *(const int *)at);
		return strbuf_slice(digits);
	}
	return SLICE_EMPTY;
}

void
flat_print_dictionary(struct strbuf *out)
{
	strbuf_adds(out, "| field | JSON | meaning |\n| --- | --- | --- |\n");
	for (size_t i = 0; i < COUNTOF(fields); i++)
		strbuf_addf(out, "| `%s` | %s | %s |\n", fields[i].name,
		    fields[i].kind == LIST ? "list" : fields[i].kind == NUMBER ? "number" :
		    fields[i].kind == FLAG ? "true" : "text", fields[i].help);
}

/* --- CSV ------------------------------------------------------------------------------------ */

void
flat_csv_head(struct flat_run *run, struct strbuf *out)
{
	(void)run;
	for (size_t i = 0; i < COUNTOF(fields); i++)
		strbuf_addf(out, "%s%s", i > 0 ? "," : "", fields[i].name);
	strbuf_adds(out, "\r\n");
}

/* One field of RFC 4180, in quotes where it needs them. Breaks of lines become blanks: many readers
 * cut lines before they look for quotes. */
static void
add_csv(struct strbuf *out, struct slice s, bool excel_safe)
{
	bool risky = excel_safe && s.n > 0 && strchr("=+-@\t\r", s.p[0]) != NULL && s.p[0] != '\0';
	bool quote = false;

	for (size_t i = 0; i < s.n; i++)
		if (strchr(",\"\r\n", s.p[i]) != NULL || s.p[i] == ' ')
			quote = true;
	if (quote)
		strbuf_addc(out, '"');
	if (risky)
		strbuf_addc(out, '\'');
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '"')
			strbuf_addc(out, '"');
		strbuf_addc(out, (unsigned char)c < ' ' ? ' ' : c);
	}
	if (quote)
		strbuf_addc(out, '"');
}

/* A line; false if the value itself could only be written changed. */
bool
flat_csv_record(struct flat_run *run, const struct flat_record *r, struct strbuf *out)
{
	struct strbuf digits = STRBUF_INIT;

	if (r->type != FLAT_PATTERN && flat_is_odd(r->value))
		return false;
	for (size_t i = 0; i < COUNTOF(fields); i++) {
		if (i > 0)
			strbuf_addc(out, ',');
		add_csv(out, field_text(&fields[i], r, &digits), run->job->excel_safe);
	}
	strbuf_adds(out, "\r\n");
	strbuf_fini(&digits);
	return true;
}

/* --- JSON lines ----------------------------------------------------------------------------- */

static void
add_json_list(struct strbuf *out, struct slice s)
{
	strbuf_addc(out, '[');
	for (size_t i = 0; s.n > 0; i++) {
		if (i > 0)
			strbuf_addc(out, ',');
		json_print_string(out, slice_cut(&s, ';'));
	}
	strbuf_addc(out, ']');
}

/* An object a line; members without a value are left out. */
bool
flat_jsonl_record(struct flat_run *run, const struct flat_record *r, struct strbuf *out)
{
	struct strbuf digits = STRBUF_INIT;
	char sep = '{';

	(void)run;
	for (size_t i = 0; i < COUNTOF(fields); i++) {
		struct slice s = field_text(&fields[i], r, &digits);

		if (s.n == 0)
			continue;
		strbuf_addf(out, "%c\"%s\":", sep, fields[i].name);
		sep = ',';
		if (fields[i].kind == LIST)
			add_json_list(out, s);
		else if (fields[i].kind == NUMBER || fields[i].kind == FLAG)
			strbuf_addsl(out, s);
		else
			json_print_string(out, s);
	}
	strbuf_adds(out, "}\n");
	strbuf_fini(&digits);
	return true;
}
