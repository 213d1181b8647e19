/*
 * flat.c -- the table of outputs, and the run that judges each record before one of them says it.
 */
#include <stdlib.h>

#include "formats/flat_impl.h"
#include "formats/warnlist.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

#define B(t)		FLAT_BIT(FLAT_##t)
#define ADDRESSES	(B(IPV4) | B(IPV4_NET) | B(IPV6) | B(IPV6_NET))
#define HASHES		(B(MD5) | B(SHA1) | B(SHA256) | B(SHA512))
#define ALL		(FLAT_BIT(FLAT_TYPES) - 1)
#define LISTED		(ALL & ~B(PATTERN))

#define TXT		"text/plain; charset=utf-8"
#define LIST(ending, help, types) { "txt", ending, TXT, help, FLAT_BLOCK, types,	\
	NULL, flat_txt_record, NULL }
#define CDB(ending, help, types) { "wazuh", ending, TXT, help, FLAT_BLOCK, types,	\
	NULL, flat_cdb_record, NULL }
#define DATASET(ending, help, types) { "dataset", ending, TXT, help, FLAT_BLOCK, types,	\
	NULL, flat_dataset_record, NULL }

/* The first of a name is the one that `convert --to NAME` writes. */
const struct flat_output flat_outputs[] = {
	{ "csv", "csv", "text/csv; charset=utf-8; header=present",
	    "every record, RFC 4180 with a header", FLAT_RECORDS, ALL,
	    flat_csv_head, flat_csv_record, NULL },
	{ "jsonl", "jsonl", "application/jsonl; charset=utf-8",
	    "every record, a JSON object a line", FLAT_RECORDS, ALL,
	    NULL, flat_jsonl_record, NULL },
	LIST("txt", "one value a line, all types", LISTED),
	LIST("ip.txt", "addresses and networks", ADDRESSES),
	LIST("ipv4.txt", "IPv4 addresses and networks", B(IPV4) | B(IPV4_NET)),
	LIST("ipv6.txt", "IPv6 addresses and networks", B(IPV6) | B(IPV6_NET)),
	LIST("domain.txt", "domain names", B(DOMAIN)),
	LIST("url.txt", "URLs", B(URL)),
	LIST("email.txt", "mail addresses", B(EMAIL)),
	LIST("hash.txt", "hashes of files, all algorithms", HASHES | B(SSDEEP) | B(TLSH)),
	LIST("md5.txt", "MD5 of files", B(MD5)),
	LIST("sha1.txt", "SHA-1 of files", B(SHA1)),
	LIST("sha256.txt", "SHA-256 of files", B(SHA256)),
	{ "hosts", "hosts", TXT, "0.0.0.0 NAME, for hosts files and DNS filters", FLAT_BLOCK,
	    B(DOMAIN), flat_hosts_head, flat_hosts_record, NULL },
	{ "suricata", "rules", TXT, "Suricata rules", FLAT_BLOCK,
	    ADDRESSES | B(DOMAIN) | B(URL) | B(USERAGENT) | B(CERT_SHA1),
	    flat_rules_head, flat_rules_record, NULL },
	DATASET("domain.lst", "Suricata dataset of type string: domain names", B(DOMAIN)),
	DATASET("md5.lst", "Suricata dataset of type md5, or a filemd5 list", B(MD5)),
	DATASET("sha256.lst", "Suricata dataset of type sha256, or a filesha256 list", B(SHA256)),
	DATASET("ipv4.lst", "Suricata dataset of type ipv4: addresses", B(IPV4)),
	DATASET("ip.lst", "Suricata dataset of type ip: addresses of both kinds",
	    B(IPV4) | B(IPV6)),
	{ "zeek", "intel", TXT, "Zeek intelligence framework, tab separated", FLAT_BLOCK,
	    ADDRESSES | B(DOMAIN) | B(URL) | B(EMAIL) | B(MD5) | B(SHA1) | B(SHA256) |
	    B(FILENAME) | B(USERAGENT) | B(CERT_SHA1) | B(USER),
	    flat_zeek_head, flat_zeek_record, NULL },
	CDB("cdb", "Wazuh CDB list, key:value, all types", ADDRESSES | B(DOMAIN) | B(URL) |
	    B(EMAIL) | HASHES | B(FILENAME) | B(MAC) | B(USER)),
	CDB("ip.cdb", "Wazuh CDB list of addresses and networks", ADDRESSES),
	CDB("domain.cdb", "Wazuh CDB list of domain names", B(DOMAIN)),
	CDB("url.cdb", "Wazuh CDB list of URLs", B(URL)),
	CDB("hash.cdb", "Wazuh CDB list of hashes of files", HASHES),
	{ "stix", "stix.json", "application/stix+json;version=2.1", "the objects, in a STIX bundle",
	    FLAT_OBJECTS, ALL, flat_bundle_head, NULL, flat_bundle_tail },
	{ .name = NULL }
};

/* Return the output with that ending; else, as people try it, the first that has it for a name. */
const struct flat_output *
flat_output_by_ending(struct slice ending)
{
	for (const struct flat_output *o = flat_outputs; o->name != NULL; o++)
		if (slice_is(ending, o->ending))
			return o;
	for (const struct flat_output *o = flat_outputs; o->name != NULL; o++)
		if (slice_is(ending, o->name))
			return o;
	return NULL;
}

/* Return the output: the first of a name, or the one behind "NAME:" with this or a longer ending. */
const struct flat_output *
flat_output_find(struct slice name)
{
	struct slice ending = name, first = slice_cut(&ending, ':');

	for (const struct flat_output *o = flat_outputs; o->name != NULL; o++) {
		struct slice head = slice_of(o->ending);

		if (!slice_is(first, o->name))
			continue;
		if (first.n == name.n || slice_is(ending, o->ending) ||
		    slice_eq(ending, slice_cut(&head, '.')))
			return o;
	}
	return NULL;
}

/* --- a run ---------------------------------------------------------------------------------- */

struct flat_run *
flat_run_new(const struct flat_output *o, const struct flat_job *job)
{
	struct flat_run *run = xcalloc(1, sizeof(*run));

	run->o = o;
	run->job = job;
	run->seen = flat_seen_new();
	return run;
}

void
flat_run_free(struct flat_run *run)
{
	if (run == NULL)
		return;
	flat_seen_free(run->seen);
	free(run);
}

void
flat_run_tell(struct flat_run *run, flat_told_fn *told, void *arg)
{
	run->told = told;
	run->arg = arg;
}

uint64_t
flat_run_count(const struct flat_run *run, enum flat_verdict v)
{
	return run->count[v];
}

void
flat_run_head(struct flat_run *run, struct strbuf *out)
{
	if (run->o->head != NULL)
		run->o->head(run, out);
}

void
flat_run_tail(struct flat_run *run, struct strbuf *out)
{
	if (run->o->tail != NULL)
		run->o->tail(run, out);
}

/* Count it, and tell who wants to know. */
static enum flat_verdict
end_as(struct flat_run *run, const struct flat_record *r, enum flat_verdict v, const char *why)
{
	run->count[v]++;
	if (run->told != NULL && v != FLAT_WRITTEN)
		run->told(run->arg, r, v, why);
	return v;
}

/* Why the record must not be said, FLAT_WRITTEN if nothing speaks against it. */
static enum flat_verdict
judge(const struct flat_run *run, const struct flat_record *r, const char **why)
{
	const struct flat_job *job = run->job;
	bool block = run->o->style == FLAT_BLOCK;

	if ((run->o->types & FLAT_BIT(r->type)) == 0)
		return FLAT_CANNOT;
	if (!r->indicator && (block || !job->observables))
		return FLAT_OBSERVED;
	if (r->revoked && (block || !job->keep_ended))
		return FLAT_REVOKED;
	if (r->valid_until_key.n > 0 && job->now_key.n > 0 && (block || !job->keep_ended) &&
	    slice_cmp(r->valid_until_key, job->now_key) <= 0)
		return FLAT_EXPIRED;
	if (block && !job->red && r->tlp >= TLP_AMBER_STRICT)
		return FLAT_LABEL;
	if (block && r->part)
		return FLAT_PART;
	if (job->warn != NULL && (*why = warnlist_hit(job->warn, r->type, r->value)) != NULL)
		return FLAT_WARNED;
	return FLAT_WRITTEN;
}

/* Judge one record and write it. */
static enum flat_verdict
add_record(struct flat_run *run, const struct flat_record *r, struct strbuf *out)
{
	const char *why = NULL;
	enum flat_verdict v = judge(run, r, &why);
	size_t before = out->n;

	if (v != FLAT_WRITTEN)
		return end_as(run, r, v, why);
	if (!run->o->record(run, r, out)) {
		strbuf_setlen(out, before);
		return end_as(run, r, FLAT_CANNOT, NULL);
	}
	if (run->o->style == FLAT_BLOCK && out->n == before)
		return end_as(run, r, FLAT_AGAIN, NULL);
	return end_as(run, r, FLAT_WRITTEN, NULL);
}

/* Whether the object as a whole has ended. */
static enum flat_verdict
judge_object(const struct flat_run *run, const struct object *o)
{
	const struct flat_job *job = run->job;

	if (job->keep_ended)
		return FLAT_WRITTEN;
	if ((o->flags & OBJECT_REVOKED) != 0)
		return FLAT_REVOKED;
	if (o->valid_until_key.n > 0 && job->now_key.n > 0 &&
	    slice_cmp(o->valid_until_key, job->now_key) <= 0)
		return FLAT_EXPIRED;
	return FLAT_WRITTEN;
}

/* An object goes out whole: if one of its values must not, none does. */
static size_t
add_object(struct flat_run *run, const struct flat_list *l, struct strbuf *out)
{
	struct flat_record whole = { .id = l->object->id, .version = l->object->version,
	    .type = FLAT_PATTERN, .port = -1, .confidence = -1 };
	enum flat_verdict v = judge_object(run, l->object);
	const struct flat_record *r = &whole;
	const char *why = NULL;

	for (size_t i = 0; i < l->n && v == FLAT_WRITTEN; i++) {
		if (!l->v[i].indicator)
			continue;
		r = &l->v[i];
		v = judge(run, r, &why);
	}
	if (v != FLAT_WRITTEN) {
		end_as(run, r, v, why);
		return 0;
	}
	flat_bundle_object(run, l->object, out);
	run->count[FLAT_WRITTEN]++;
	return 1;
}

size_t
flat_run_add(struct flat_run *run, const struct flat_list *l, struct strbuf *out)
{
	size_t written = 0;

	if (run->o->style == FLAT_OBJECTS)
		return add_object(run, l, out);
	for (size_t i = 0; i < l->n; i++)
		written += add_record(run, &l->v[i], out) == FLAT_WRITTEN;
	return written;
}
