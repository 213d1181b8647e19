/* If this finds something, objects that a stranger sent can crash the translator when a MISP asks for the feed, or
 * the text that comes out is none that can be taken apart into files: a name that is no UUID, an event without
 * its line in the manifest, a hash of nothing, other bytes the second time. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "formats/misp.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char hex[] = "0123456789abcdef";

static struct slice
write_once(const struct advisory *adv, struct arena *mem)
{
	struct write_job job = { .adv = adv, .received = SLICE_LIT("2026-01-01T00:00:00Z"),
	    .csirt = "cert.example", .no_residue = true, .kind = "6d2f0c0e-4b0a-4d0b-9f5f-1f6c1d8f3a11" };
	struct strbuf out = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct slice text;

	if (format_misp_feed.write(&job, mem, &out, &e) < 0)
		abort();
	text = arena_slice(mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return text;
}

/* Of `n` characters, all of a set: a name that becomes a file's, a hash. */
static bool
consists_of(struct slice s, size_t n, const char *set)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\0' || strchr(set, s.p[i]) == NULL)
			return false;
	return s.n == n;
}

static void
check_hashes(struct slice rest)
{
	while (rest.n > 0) {
		struct slice uuid = slice_cut(&rest, '\n'), sum = slice_cut(&uuid, ',');

		if (!consists_of(sum, 32, hex) || uuid.n != 36)
			abort();
	}
}

/* The manifest says of an event what stands in it. */
static void
check_event(const json *manifest, struct slice uuid, struct slice text, struct arena *mem)
{
	const json *row = json_get(manifest, arena_str(mem, uuid)), *event;
	struct json_doc doc;

	if (!json_is_object(row) || json_parse(text, NULL, mem, &doc, NULL) < 0)
		abort();
	event = json_get(doc.root, "Event");
	if (!slice_eq(json_member(event, "uuid"), uuid) ||
	    !slice_eq(json_member(event, "timestamp"), json_member(row, "timestamp")) ||
	    json_member(row, "timestamp").n == 0)
		abort();
}

static void
check(struct slice text, struct arena *mem)
{
	struct slice all = text, line, name;
	json *manifest = NULL;
	struct json_doc doc;
	size_t events = 0;

	for (struct slice rest = text; rest.n > 0 && manifest == NULL; ) {
		line = slice_cut(&rest, '\n');
		if (!slice_is(slice_cut(&line, ' '), "manifest.json"))
			continue;
		if (json_parse(line, NULL, mem, &doc, NULL) < 0)
			abort();
		manifest = doc.root;
	}
	while (all.n > 0) {
		line = slice_cut(&all, '\n');
		if (slice_is(line, "hashes.csv")) {
			check_hashes(all);
			if (events != json_count(manifest))
				abort();
			return;
		}
		name = slice_cut(&line, ' ');
		if (slice_is(name, "manifest.json") || slice_is(name, "left-out"))
			continue;
		if (!consists_of(name, 36, "0123456789abcdef-"))
			abort();
		check_event(manifest, name, line, mem);
		events++;
	}
	abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem = arena_new();
	struct read_job job = { .in = slice_from(data, n), .input = "fuzz",
	    .received = SLICE_LIT("2026-01-01T00:00:00Z") };
	struct advisory adv = { 0 };
	struct err e = ERR_INIT;
	struct slice text;

	if (format_stix21.read(&job, mem, &adv, &e) == 0) {
		text = write_once(&adv, mem);
		check(text, mem);
		if (!slice_eq(write_once(&adv, mem), text))
			abort();
	}
	arena_free(mem);
	return 0;
}
