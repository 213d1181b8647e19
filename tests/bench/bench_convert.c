/*
 * MB/s of reading, writing and whole conversions for each format of the registry, beside the bare libraries on the
 * same bytes in the same run: cJSON parse and print, libxml2's reader and dump, SHA-256 for the fingerprints.
 * usage: bench_convert [--quick]
 *
 * A conversion is held against the bare parse of its input and the bare write of its output. STIX 2.1 and IODEF are
 * measured twice: with a watch list, which is the friendliest input there is, and with cases of every kind of object
 * (lib/mix.h says which). All others with the watch list, in what our writer makes of it.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <libxml/tree.h>
#include <libxml/parser.h>
#include <libxml/xmlreader.h>

#include "formats/format.h"
#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"
#include "tests/bench/lib/mix.h"
#include "tests/bench/lib/row.h"

enum { INDICATORS = 400, VULNERABILITIES = 200, CASES = 8 };

static const char received[] = "2026-11-20T08:00:00.000Z";

/* A watch list of many indicators, with addresses, names and hashes in turn. */
static void
make_iodef(struct strbuf *b, int indicators)
{
	strbuf_adds(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<IODEF-Document xmlns=\"urn:ietf:params:xml:ns:iodef-2.0\" version=\"2.00\" xml:lang=\"en\">"
	    "<Incident purpose=\"watch\" restriction=\"green\"><IncidentID name=\"cert.example\">B-1</IncidentID>"
	    "<GenerationTime>2026-11-20T08:00:00Z</GenerationTime><Description>bench</Description>"
	    "<Contact role=\"creator\" type=\"organization\"><ContactName>CERT</ContactName></Contact>"
	    "<IndicatorData>");
	for (int i = 0; i < indicators; i++) {
		strbuf_addf(b, "<Indicator><IndicatorID name=\"cert.example\" version=\"1\">I-%d</IndicatorID>"
		    "<Description>indicator number %d of a watch list</Description>"
		    "<StartTime>2026-11-20T08:00:00Z</StartTime><Confidence rating=\"high\"/><Observable>", i, i);
		if (i % 2 == 0)
			strbuf_addf(b, "<Address category=\"ipv4-addr\">203.0.%d.%d</Address>", i / 250 % 250,
			    i % 250 + 1);
		else
			strbuf_addf(b, "<DomainData system-status=\"fraudulent\" domain-status=\"unknown\">"
			    "<Name>host-%d.evil.example</Name></DomainData>", i);
		strbuf_adds(b, "</Observable></Indicator>");
	}
	strbuf_adds(b, "</IndicatorData></Incident></IODEF-Document>");
}

/* What CSAF can say: a report of vulnerabilities. */
static void
make_vulnerabilities(struct strbuf *b, int n)
{
	static const char times[] = "\"created\":\"2026-11-20T08:00:00.000Z\",\"modified\":\"2026-11-20T08:00:00.000Z\"";

	strbuf_adds(b, "{\"type\":\"bundle\",\"id\":\"bundle--0a1b2c3d-ffff-4000-8000-0000000000ff\",\"objects\":[");
	for (int i = 0; i < n; i++)
		strbuf_addf(b, "{\"type\":\"vulnerability\",\"spec_version\":\"2.1\",\"id\":\"vulnerability--0a1b2c3d-0005-4000-"
		    "8000-%012d\",%s,\"name\":\"CVE-2026-%d\",\"description\":\"number %d of a report\","
		    "\"external_references\":[{\"source_name\":\"cve\",\"external_id\":\"CVE-2026-%d\"}]},", i, times,
		    10000 + i, i, 10000 + i);
	strbuf_addf(b, "{\"type\":\"report\",\"spec_version\":\"2.1\",\"id\":\"report--0a1b2c3d-0008-4000-8000-000000000008\","
	    "%s,\"name\":\"bench\",\"report_types\":[\"vulnerability\"],\"published\":\"2026-11-20T08:00:00Z\",\"object_refs\":[",
	    times);
	for (int i = 0; i < n; i++)
		strbuf_addf(b, "%s\"vulnerability--0a1b2c3d-0005-4000-8000-%012d\"", i > 0 ? "," : "", i);
	strbuf_adds(b, "]}]}");
}

/* ---- ours ---- */

static void
fail(const char *format, const struct err *e)
{
	fprintf(stderr, "bench: %s: %s\n", format, e->reason);
	exit(1);
}

/* Read, and write unless `to` is NULL; into `keep` unless that is NULL. */
static void
convert(const struct format_ops *from, const struct format_ops *to, struct slice in, struct strbuf *keep)
{
	const struct read_job rj = { .in = in, .input = "bench", .received = slice_of(received),
	    .in_stays = true };
	struct arena *mem = arena_new();
	struct advisory adv = { 0 };
	struct strbuf out = STRBUF_INIT;
	const struct write_job wj = { .adv = &adv, .received = slice_of(received), .csirt = "cert.example",
	    .csirt_contact = "team@cert.example" };
	struct err e = ERR_INIT;

	if (from->read(&rj, mem, &adv, &e) < 0)
		fail(from->name, &e);
	if (to != NULL && to->write(&wj, mem, &out, &e) < 0)
		fail(to->name, &e);
	if (keep != NULL)
		strbuf_addsl(keep, strbuf_slice(&out));
	strbuf_fini(&out);
	arena_free(mem);
}

/* ---- bare ---- */

static bool
is_xml(struct slice s)
{
	return s.n > 0 && s.p[0] == '<';
}

static void
bare_parse(struct slice in)
{
	xmlTextReaderPtr r;

	if (!is_xml(in)) {
		cJSON_Delete(cJSON_ParseWithLength(in.p, in.n));
		return;
	}
	r = xmlReaderForMemory(in.p, (int)in.n, NULL, "UTF-8", XML_PARSE_NONET | XML_PARSE_HUGE);
	while (xmlTextReaderRead(r) == 1)
		;
	xmlFreeTextReader(r);
}

static void
bare_parse_and_digest(struct slice in)
{
	uint8_t digest[SHA256_LEN];

	bare_parse(in);
	digest_sha256(in, digest);
}

/* A tree that is there already. */
struct tree {
	cJSON		*json;
	xmlDocPtr	 xml;
};

static void
bare_write(const struct tree *t)
{
	xmlChar *text;
	int n;

	if (t->json != NULL) {
		free(cJSON_PrintUnformatted(t->json));
		return;
	}
	xmlDocDumpMemory(t->xml, &text, &n);
	xmlFree(text);
}

/* ---- rows ---- */

struct pair {			/* a conversion, and what it is held against */
	const struct format_ops	*from, *to;	/* to NULL: reading alone */
	struct slice		 in;
	struct tree		 out;
	bool			 digest;
};

/* Megabytes of input a second of CPU. */
static double
ours(const struct pair *p, int times)
{
	double start = row_cpu();

	for (int i = 0; i < times; i++)
		convert(p->from, p->to, p->in, NULL);
	return (double)p->in.n * times / 1e6 / (row_cpu() - start);
}

static double
theirs(const struct pair *p, int times)
{
	double start = row_cpu();

	for (int i = 0; i < times; i++) {
		if (p->digest)
			bare_parse_and_digest(p->in);
		else
			bare_parse(p->in);
		if (p->to != NULL)
			bare_write(&p->out);
	}
	return (double)p->in.n * times / 1e6 / (row_cpu() - start);
}

static void
measure(const char *what, struct pair *p, int times, const char *target, const char *beside)
{
	double a[ROW_RUNS], b[ROW_RUNS];
	struct strbuf out = STRBUF_INIT;

	if (p->to != NULL) {
		convert(p->from, p->to, p->in, &out);
		if (is_xml(strbuf_slice(&out)))
			p->out.xml = xmlReadMemory(out.p, (int)out.n, NULL, "UTF-8", XML_PARSE_NONET | XML_PARSE_HUGE);
		else
			p->out.json = cJSON_ParseWithLength(out.p, out.n);
	}
	for (int run = 0; run < ROW_RUNS; run++) {	/* alternating: a noisy moment hits both alike */
		a[run] = ours(p, times);
		b[run] = theirs(p, times);
	}
	row_print(what, a, b, ROW_RUNS, "MB/s", target, beside);
	cJSON_Delete(p->out.json);
	xmlFreeDoc(p->out.xml);
	strbuf_fini(&out);
}

/* There and back again; `of` says of what. */
static void
measure_format(const struct format_ops *f, struct slice stix, struct slice native, const char *of, int times)
{
	const char *target = f == &format_iodef2 ? ">=0.4" : "";
	struct strbuf text = STRBUF_INIT;
	struct pair out = { .from = &format_stix21, .to = f, .in = stix };
	struct pair read = { .from = f }, in = { .from = f, .to = &format_stix21 };
	char what[80];

	if (native.n == 0)
		convert(&format_stix21, f, stix, &text);
	read.in = in.in = native.n == 0 ? strbuf_slice(&text) : native;
	snprintf(what, sizeof(what), "%s read%s", f->name, of);
	measure(what, &read, times, "", "bare parse");
	snprintf(what, sizeof(what), "%s -> stix21%s", f->name, of);
	measure(what, &in, times, target, "bare parse + bare write");
	snprintf(what, sizeof(what), "stix21 -> %s%s", f->name, of);
	measure(what, &out, times, target, "bare parse + bare write");
	strbuf_fini(&text);
}

/* STIX 2.1 has rows of its own, in-house formats need a mapping, and TAXII 1.1 is an envelope that is only read. */
static bool
has_both_ways(const struct format_ops *f)
{
	return f != &format_stix21 && f != &format_mapped && f != &format_taxii11 && f->write != NULL && f->read != NULL;
}

/* Our own format. */
static void
measure_stix(struct slice stix, const char *of, int times)
{
	struct pair read = { .from = &format_stix21, .in = stix, .digest = true };
	struct pair same = { .from = &format_stix21, .to = &format_stix21, .in = stix };
	char what[80];

	snprintf(what, sizeof(what), "stix21 read, checked, fingerprinted%s", of);
	measure(what, &read, times, ">=0.8", "cJSON parse + SHA-256");
	snprintf(what, sizeof(what), "stix21 -> stix21%s", of);
	measure(what, &same, times, "", "cJSON parse + print");
}

int
main(int argc, char **argv)
{
	static const char every[] = " (every kind)";
	int times = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 3 : 15;
	struct strbuf iodef = STRBUF_INIT, stix = STRBUF_INIT, flaws = STRBUF_INIT, mix = STRBUF_INIT;

	mallopt(M_MMAP_THRESHOLD, 16 << 20);		/* as the program does, for all of us */
	mallopt(M_TRIM_THRESHOLD, 32 << 20);
	make_iodef(&iodef, INDICATORS);
	make_vulnerabilities(&flaws, VULNERABILITIES);
	mix_make(&mix, CASES);
	convert(&format_iodef2, &format_stix21, strbuf_slice(&iodef), &stix);
	row_title("formats");
	measure_stix(strbuf_slice(&mix), every, times);
	measure_stix(strbuf_slice(&stix), " (watch list)", times);
	measure_format(&format_iodef2, strbuf_slice(&mix), SLICE_EMPTY, every, times);
	for (size_t i = 0; formats[i] != NULL; i++)
		if (has_both_ways(formats[i]))
			measure_format(formats[i], strbuf_slice(formats[i] == &format_csaf ? &flaws : &stix),
			    formats[i] == &format_iodef2 ? strbuf_slice(&iodef) : SLICE_EMPTY, "", times);
	strbuf_fini(&iodef);
	strbuf_fini(&stix);
	strbuf_fini(&flaws);
	strbuf_fini(&mix);
	return 0;
}
