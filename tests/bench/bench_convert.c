/*
 * MB/s of reading, writing and whole conversions, beside the bare libraries on the same bytes in the same run: cJSON
 * parse and print for STIX, libxml2's reader for IODEF. usage: bench_convert [--quick]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <libxml/xmlreader.h>

#include "formats/format.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "tests/bench/lib/row.h"

enum { INDICATORS = 400 };

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

/* Read `in` as `from`; the arena is the caller's. */
static void
read_all(const struct format_ops *from, struct slice in, struct arena *mem, struct advisory *adv)
{
	const struct read_job job = { .in = in, .input = "bench", .received = slice_of(received) };
	struct err e = ERR_INIT;

	if (from->read(&job, mem, adv, &e) < 0) {
		fprintf(stderr, "bench: %s\n", e.reason);
		exit(1);
	}
}

static size_t
convert(const struct format_ops *from, const struct format_ops *to, struct slice in, struct strbuf *keep)
{
	struct arena *mem = arena_new();
	struct advisory adv = { 0 };
	struct strbuf out = STRBUF_INIT;
	struct write_job wj = { .adv = &adv, .received = slice_of(received), .csirt = "cert.example",
	    .csirt_contact = "team@cert.example" };
	size_t n;

	read_all(from, in, mem, &adv);
	if (to != NULL && to->write(&wj, mem, &out, NULL) < 0)
		exit(1);
	n = out.n;
	if (keep != NULL)
		strbuf_addsl(keep, strbuf_slice(&out));
	strbuf_fini(&out);
	arena_free(mem);
	return n;
}

static void
bare_cjson(struct slice in, bool print)
{
	cJSON *root = cJSON_ParseWithLength(in.p, in.n);

	if (print)
		free(cJSON_PrintUnformatted(root));
	cJSON_Delete(root);
}

static void
bare_libxml(struct slice in)
{
	xmlTextReaderPtr r = xmlReaderForMemory(in.p, (int)in.n, NULL, "UTF-8", XML_PARSE_NONET);

	while (xmlTextReaderRead(r) == 1)
		;
	xmlFreeTextReader(r);
}

enum what { STIX_READ, STIX_STIX, STIX_IODEF, IODEF_READ, IODEF_STIX, CJSON_PARSE, CJSON_BOTH, LIBXML, WHATS };

static const struct {
	const char	*name;
	enum what	 beside;
} rows[WHATS] = {
	[STIX_READ] = { "stix21 read, checked, fingerprinted", CJSON_PARSE },
	[STIX_STIX] = { "stix21 -> stix21", CJSON_BOTH },
	[STIX_IODEF] = { "stix21 -> iodef2", CJSON_BOTH },
	[IODEF_READ] = { "iodef2 read", LIBXML },
	[IODEF_STIX] = { "iodef2 -> stix21", LIBXML },
	[CJSON_PARSE] = { "cJSON parse", CJSON_PARSE },
	[CJSON_BOTH] = { "cJSON parse + print", CJSON_BOTH },
	[LIBXML] = { "libxml2 reader", LIBXML },
};

static void
work(enum what w, struct slice stix, struct slice iodef)
{
	switch (w) {
	case STIX_READ: convert(&format_stix21, NULL, stix, NULL); break;
	case STIX_STIX: convert(&format_stix21, &format_stix21, stix, NULL); break;
	case STIX_IODEF: convert(&format_stix21, &format_iodef2, stix, NULL); break;
	case IODEF_READ: convert(&format_iodef2, NULL, iodef, NULL); break;
	case IODEF_STIX: convert(&format_iodef2, &format_stix21, iodef, NULL); break;
	case CJSON_PARSE: bare_cjson(stix, false); break;
	case CJSON_BOTH: bare_cjson(stix, true); break;
	case LIBXML: bare_libxml(iodef); break;
	default: break;
	}
}

int
main(int argc, char **argv)
{
	int times = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 5 : 25;
	struct strbuf iodef = STRBUF_INIT, stix = STRBUF_INIT;
	double mbs[WHATS][ROW_RUNS];

	make_iodef(&iodef, INDICATORS);
	convert(&format_iodef2, &format_stix21, strbuf_slice(&iodef), &stix);
	/* alternating, so that a noisy moment hits all alike */
	for (int run = 0; run < ROW_RUNS; run++) {
		for (int w = 0; w < WHATS; w++) {
			size_t bytes = w == IODEF_READ || w == IODEF_STIX || w == LIBXML ? iodef.n : stix.n;
			double start = row_cpu();

			for (int i = 0; i < times; i++)
				work((enum what)w, strbuf_slice(&stix), strbuf_slice(&iodef));
			mbs[w][run] = (double)bytes * times / 1e6 / (row_cpu() - start);
		}
	}
	row_title("formats");
	for (int w = 0; w < CJSON_PARSE; w++)
		row_print(rows[w].name, mbs[w], mbs[rows[w].beside], ROW_RUNS, "MB/s", "", rows[rows[w].beside].name);
	strbuf_fini(&iodef);
	strbuf_fini(&stix);
	return 0;
}
