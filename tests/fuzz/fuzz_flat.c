/* If this finds something, an indicator of a stranger writes rules, columns or lines of its own into the
 * lists of every SOC that reads our feeds, or crashes the gateway. The input is cut at 0xff bytes into a value, a
 * second value, a name, a source, a label and a URL; or, behind a first byte of 1, is a pattern; behind a 2, objects. */
#include <stdint.h>
#include <stdlib.h>

#include "formats/flat.h"
#include "formats/pattern.h"
#include "formats/warnlist.h"
#include "gateway/base/json.h"
#include "tests/unit/flat_check.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = {
	"ipv4-addr:value", "ipv6-addr:value", "domain-name:value", "url:value", "email-addr:value",
	"file:name", "file:hashes.MD5", "file:hashes.'SHA-256'", "mutex:name",
	"windows-registry-key:key", "user-account:user_id", "mac-addr:value",
	"network-traffic:dst_ref.value", "x509-certificate:hashes.'SHA-1'",
	"network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'"
};

struct found {
	const struct flat_list	*list;
	const char		*ending;
};

/* What a reader finds is a value of some record, or (rules, zeek) a piece of one. */
static void
on_entry(void *arg, struct slice value, struct slice kind)
{
	const struct found *f = arg;

	if (strcmp(f->ending, "stix.json") == 0 || slice_is(kind, "address") ||
	    slice_is(kind, "content") || slice_is(kind, "URL"))
		return;
	for (size_t i = 0; i < f->list->n; i++) {
		struct slice v = f->list->v[i].value;

		if (slice_eq(value, v) || (f->list->v[i].type == FLAT_IPV4_NET &&
		    value.n > 0 && value.p[value.n - 1] == '.' && value.n < v.n &&
		    memcmp(value.p, v.p, value.n) == 0) || f->list->v[i].type == FLAT_PATTERN)
			return;
	}
	abort();
}

static struct slice
pattern_of(struct arena *mem, struct slice a, struct slice b)
{
	struct strbuf text = STRBUF_INIT;
	struct slice s;

	for (size_t i = 0; i < COUNTOF(paths); i++) {
		strbuf_addf(&text, "%s[%s = ", i > 0 ? " OR " : "", paths[i]);
		pattern_string(&text, a);
		strbuf_addf(&text, " AND %s = ", paths[(i + 3) % COUNTOF(paths)]);
		pattern_string(&text, b);
		strbuf_adds(&text, " AND network-traffic:dst_port = 80]");
	}
	s = arena_slice(mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return s;
}

static struct slice
name_of(void *ctx, struct slice id)
{
	(void)id;
	return *(const struct slice *)ctx;
}

static json *
object_of(struct arena *mem, struct slice in, struct slice *source)
{
	json *o = json_object(mem), *refs = json_list(mem), *ref = json_object(mem);
	bool pattern = in.n > 0 && in.p[0] == 1;
	struct slice part[6];

	for (size_t i = 0; i < COUNTOF(part); i++)
		part[i] = pattern ? slice_from(in.p + 1, in.n - 1) : slice_cut(&in, (char)0xff);
	*source = part[3];
	json_put_str(mem, o, "type", SLICE_LIT("indicator"));
	json_put_str(mem, o, "id", SLICE_LIT("indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f"));
	json_put_str(mem, o, "created_by_ref",
	    SLICE_LIT("identity--f431f809-377b-45e0-aa1c-6a4751cae5ff"));
	json_put_str(mem, o, "created", SLICE_LIT("2026-01-01T00:00:00.000Z"));
	json_put_str(mem, o, "modified", SLICE_LIT("2026-01-01T00:00:00.000Z"));
	json_put_str(mem, o, "valid_from", SLICE_LIT("2026-01-01T00:00:00Z"));
	json_put_str(mem, o, "pattern_type", SLICE_LIT("stix"));
	json_put_str(mem, o, "pattern", pattern ? part[0] : pattern_of(mem, part[0], part[1]));
	json_put_int(mem, o, "confidence", 50);
	json_put_str(mem, o, "name", part[2]);
	json_put_str(mem, o, "description", part[2]);
	json_push(json_put(mem, o, "labels", json_list(mem)), json_string(mem, part[4]));
	json_put_str(mem, ref, "source_name", part[4]);
	json_put_str(mem, ref, "external_id", part[2]);
	json_put_str(mem, ref, "url", part[5]);
	json_push(refs, ref);
	json_put(mem, o, "external_references", refs);
	return o;
}

static void
write_all(const struct flat_list *list, struct arena *mem)
{
	struct flat_job job = { .title = "feed", .observables = true };

	for (size_t i = 0; i < COUNTOF(flat_checks); i++) {
		struct found found = { list, flat_checks[i].ending };
		struct flat_run *run = flat_run_new(
		    flat_output_by_ending(slice_of(flat_checks[i].ending)), &job);
		struct strbuf out = STRBUF_INIT;

		flat_run_head(run, &out);
		flat_run_add(run, list, &out);
		flat_run_tail(run, &out);
		if (flat_checks[i].check(strbuf_slice(&out), mem, on_entry, &found) != NULL)
			abort();
		strbuf_fini(&out);
		flat_run_free(run);
	}
}

/* Objects of any type, a JSON text a line: the index is asked about each. */
static void
read_lines(struct slice in, struct arena *mem)
{
	struct flat_index *x = flat_index_new(50);
	struct flat_look look = flat_index_look(x);
	struct object o[8];
	size_t n = 0;

	while (in.n > 0 && n < COUNTOF(o)) {
		struct json_doc doc;
		struct err e = ERR_INIT;

		o[n] = (struct object){ .bytes = slice_cut(&in, '\n') };
		if (json_parse(o[n].bytes, NULL, mem, &doc, &e) < 0)
			continue;
		o[n].tree = doc.root;
		if (object_fill(&o[n], mem, NULL, NULL, &e) == 0)
			flat_index_add(x, &o[n++]);
	}
	for (size_t i = 0; i < n; i++) {
		struct flat_list list = { .v = NULL };

		o[i].tree = i % 2 == 0 ? NULL : o[i].tree;
		flat_read(&o[i], &look, mem, &list, NULL);
		write_all(&list, mem);
	}
	flat_index_free(x);
}

/* One indicator around the values of the input, or of the pattern that it is. */
static void
read_values(struct slice in, struct arena *mem)
{
	struct strbuf text = STRBUF_INIT;
	struct slice source;
	struct object o = { .tree = object_of(mem, in, &source) };
	struct flat_look look = { .ctx = &source, .name = name_of };
	struct flat_list list = { .v = NULL };
	struct warnlist *w = warnlist_new();
	struct err e = ERR_INIT;

	json_print(&text, o.tree);
	o.bytes = strbuf_slice(&text);
	if (object_fill(&o, mem, NULL, NULL, &e) < 0)
		abort();
	flat_read(&o, &look, mem, &list, NULL);
	warnlist_add_lines(w, in, "own");
	warnlist_seal(w);
	for (size_t i = 0; i < list.n; i++)
		warnlist_hit(w, list.v[i].type, list.v[i].value);
	write_all(&list, mem);
	warnlist_free(w);
	strbuf_fini(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *mem;

	if (size > 2048)
		return 0;
	mem = arena_new();
	if (size > 0 && data[0] == 2)
		read_lines(slice_from(data + 1, size - 1), mem);
	else
		read_values(slice_from(data, size), mem);
	arena_free(mem);
	return 0;
}
