/* Reading an 80 KB TAXII envelope: our strict parser beside cJSON_Parse, in MB per CPU second.
 * usage: bench_json [--quick] */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"
#include "tests/bench/lib/row.h"

enum { OBJECTS = 100, PER_ROUND = 100 };

/* An envelope of indicators of about 800 bytes each, as feeds send them. */
static void
write_envelope(struct strbuf *b)
{
	strbuf_adds(b, "{\"more\": true, \"next\": \"p2\", \"objects\": [");
	for (int i = 0; i < OBJECTS; i++)
		strbuf_addf(b, "%s{\"type\": \"indicator\", \"spec_version\": \"2.1\", "
		    "\"id\": \"indicator--%08x-3c1b-4f0e-9a52-0d4a9b1c2e3f\", "
		    "\"created_by_ref\": \"identity--5f0c62d1-8a44-4b53-9f1e-6b1b2c3d4e5f\", "
		    "\"created\": \"2024-03-%02dT08:15:%02d.000Z\", "
		    "\"modified\": \"2024-03-%02dT09:20:%02d.000Z\", "
		    "\"name\": \"Command and control of the botnet, node %d\", "
		    "\"description\": \"Seen in proxy logs of several constituents; the beacon "
		    "repeats every 600 seconds and carries the host name.\\nBlock and report "
		    "hits to the coordination desk (\\\"TLP:GREEN\\\").\", "
		    "\"indicator_types\": [\"malicious-activity\"], "
		    "\"pattern\": \"[ipv4-addr:value = '198.51.100.%d' OR "
		    "domain-name:value = 'c2-%d.example.com']\", \"pattern_type\": \"stix\", "
		    "\"valid_from\": \"2024-03-01T00:00:00Z\", \"confidence\": %d, "
		    "\"labels\": [\"botnet\", \"c2\"], \"object_marking_refs\": "
		    "[\"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb\"]}",
		    i == 0 ? "" : ", ", (unsigned)i * 2654435761u, i % 28 + 1, i % 60,
		    i % 28 + 1, i % 60, i, i % 250, i, i % 101);
	strbuf_adds(b, "]}");
}

static void
run_ours(const struct strbuf *text, int times)
{
	for (int i = 0; i < times; i++) {
		struct arena *mem = arena_new();
		struct json_doc doc;

		if (json_parse(strbuf_slice(text), NULL, mem, &doc, NULL) < 0 ||
		    doc.nitems != OBJECTS)
			abort();
		arena_free(mem);
	}
}

static void
run_theirs(const struct strbuf *text, int times)
{
	for (int i = 0; i < times; i++) {
		cJSON *root = cJSON_ParseWithLength(text->p, text->n);

		if (root == NULL)
			abort();
		cJSON_Delete(root);
	}
}

int
main(int argc, char **argv)
{
	int times = argc > 1 && strcmp(argv[1], "--quick") == 0 ? PER_ROUND / 5 : PER_ROUND;
	struct strbuf text = STRBUF_INIT;
	double ours[ROW_RUNS], theirs[ROW_RUNS], mb;

	write_envelope(&text);
	mb = (double)text.n * times / 1e6;
	for (int i = 0; i < ROW_RUNS; i++) {
		double start = row_cpu(), middle;

		run_ours(&text, times);
		middle = row_cpu();
		run_theirs(&text, times);
		ours[i] = mb / (middle - start);
		theirs[i] = mb / (row_cpu() - middle);
	}
	row_title("reading JSON");
	row_print("strict parse of an envelope of 100", ours, theirs, ROW_RUNS, "MB/s", "", "cJSON_Parse, of CPU time");
	strbuf_fini(&text);
	return 0;
}
