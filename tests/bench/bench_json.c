/*
 * bench_json -- reading an 80 KB TAXII envelope: our strict parser beside cJSON_Parse.
 *
 * Prints MB per CPU second of both and their ratio; the two alternate in the same run, and the
 * median of the rounds counts, because machines differ and neighbours are noisy.
 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/base/arena.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

enum { OBJECTS = 100, ROUNDS = 41, PER_ROUND = 20 };

static double
cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

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
run_ours(const struct strbuf *text)
{
	for (int i = 0; i < PER_ROUND; i++) {
		struct arena *mem = arena_new();
		struct json_doc doc;

		if (json_parse(strbuf_slice(text), NULL, mem, &doc, NULL) < 0 ||
		    doc.nitems != OBJECTS)
			abort();
		arena_free(mem);
	}
}

static void
run_theirs(const struct strbuf *text)
{
	for (int i = 0; i < PER_ROUND; i++) {
		cJSON *root = cJSON_ParseWithLength(text->p, text->n);

		if (root == NULL)
			abort();
		cJSON_Delete(root);
	}
}

static int
double_cmp(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int
main(void)
{
	struct strbuf text = STRBUF_INIT;
	double ours[ROUNDS], theirs[ROUNDS], mb;

	write_envelope(&text);
	for (int i = 0; i < ROUNDS; i++) {
		double start = cpu_now(), middle;

		run_ours(&text);
		middle = cpu_now();
		run_theirs(&text);
		ours[i] = middle - start;
		theirs[i] = cpu_now() - middle;
	}
	qsort(ours, ROUNDS, sizeof(*ours), double_cmp);
	qsort(theirs, ROUNDS, sizeof(*theirs), double_cmp);
	mb = (double)text.n * PER_ROUND / 1e6;
	printf("json: envelope of %zu bytes, ours %.0f MB/s, cJSON %.0f MB/s, ratio %.2f\n",
	    text.n, mb / ours[ROUNDS / 2], mb / theirs[ROUNDS / 2],
	    theirs[ROUNDS / 2] / ours[ROUNDS / 2]);
	strbuf_fini(&text);
	return 0;
}
