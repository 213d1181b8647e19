/* If this fails, a large advisory says something else than the same objects in a small one. */
#include "formats/stix21_lean.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"

static int compared, taken_apart;

static struct read_job
job_of(struct slice in, bool lean, bool envelope, bool strict)
{
	return (struct read_job){ .in = in, .input = "x", .received = SLICE_LIT("2026-01-01T00:00:00Z"),
	    .in_stays = true, .lean = lean, .envelope = envelope, .strict = strict,
	    .limits = { .object_bytes = 100000 } };
}

static void
same_objects(const struct object *a, const struct object *b)
{
	assert_true(slice_eq(a->id, b->id) && slice_eq(a->type, b->type) &&
	    slice_eq(a->spec_version, b->spec_version) && slice_eq(a->version, b->version) &&
	    slice_eq(a->version_key, b->version_key) && slice_eq(a->created_by, b->created_by) &&
	    slice_eq(a->valid_until_key, b->valid_until_key) && slice_eq(a->embargo_desk, b->embargo_desk) &&
	    slice_eq(a->bytes, b->bytes));
	assert_int_equal(a->class, b->class);
	assert_int_equal(a->tlp, b->tlp);
	assert_int_equal(a->label, b->label);
	assert_int_equal(a->pap, b->pap);
	assert_int_equal(a->phase, b->phase);
	assert_int_equal(a->sectors, b->sectors);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->has_fp, b->has_fp);
	assert_memory_equal(a->fp, b->fp, sizeof(a->fp));
	assert_int_equal(a->index, b->index);
	assert_int_equal(a->offset, b->offset);
	assert_int_equal(a->nsupporters, b->nsupporters);
	for (size_t i = 0; i < a->nsupporters; i++)
		assert_true(slice_eq(a->supporters[i], b->supporters[i]));
}

static void
same_verdicts(const struct verdict *a, const struct verdict *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_string_equal(a->code, b->code);
	assert_true(slice_eq(a->id, b->id) && slice_eq(a->version, b->version) && slice_eq(a->text, b->text));
	assert_int_equal(a->index, b->index);
	assert_string_equal(a->err.reason, b->err.reason);
	assert_string_equal(a->err.path, b->err.path);
	assert_int_equal(a->err.at.line, b->err.at.line);
	assert_int_equal(a->err.at.column, b->err.at.column);
	assert_int_equal(a->err.at.offset, b->err.at.offset);
}

static void
compare(struct slice in, bool envelope, bool strict)
{
	struct arena *mem = arena_new();
	struct advisory a = { .n = 0 }, b = { .n = 0 };
	struct read_job usual = job_of(in, false, envelope, strict), lean = job_of(in, true, envelope, strict);
	struct relay_member x = { .text = SLICE_EMPTY }, y = { .text = SLICE_EMPTY };
	struct err e = ERR_INIT, f = ERR_INIT;
	struct json_doc doc;
	size_t n = 0, nlean = 0, refused = 0;

	usual.relay = &x;
	lean.relay = &y;
	assert_int_equal(format_stix21.read(&usual, mem, &a, &e), format_stix21.read(&lean, mem, &b, &f));
	assert_int_equal(e.code, f.code);
	assert_string_equal(e.reason, f.reason);
	assert_int_equal(e.at.offset, f.at.offset);
	assert_true(slice_eq(a.id, b.id));
	if (e.code == ERR_NONE) {
		assert_true(slice_eq(x.text, y.text));
		assert_memory_equal(x.digest, y.digest, sizeof(x.digest));
	}
	assert_int_equal(a.n, b.n);
	for (size_t i = 0; i < a.n; i++)
		same_objects(&a.objects[i], &b.objects[i]);
	assert_int_equal(a.nverdicts, b.nverdicts);
	for (size_t i = 0; i < a.nverdicts; i++)
		same_verdicts(&a.verdicts[i], &b.verdicts[i]);
	/* whoever only counts says the same */
	assert_int_equal(format_stix21.count(&usual, mem, &n, &f), e.code == ERR_NONE ? 0 : -1);
	assert_int_equal(f.code, e.code);
	assert_int_equal(format_stix21.count(&lean, mem, &nlean, &f), e.code == ERR_NONE ? 0 : -1);
	assert_string_equal(f.reason, e.reason);
	for (size_t i = 0; i < a.nverdicts; i++)
		refused += a.verdicts[i].kind == VERDICT_REFUSED;
	if (e.code == ERR_NONE) {
		assert_int_equal(n, a.n + refused);
		assert_int_equal(nlean, n);
	}
	compared++;
	taken_apart += stix21_lean_find(&lean, mem, &doc);
	arena_free(mem);
}

static void
compare_all(struct slice in)
{
	for (int how = 0; how < 4; how++)
		compare(in, (how & 1) != 0, (how & 2) != 0);
}

/* ---- texts made for it ---- */

#define ID(type, n)	"\"type\":\"" type "\",\"id\":\"" type "--00000000-0000-4000-8000-00000000000" n "\""
#define AT	",\"created\":\"2026-01-01T00:00:00Z\",\"modified\":\"2026-01-01T00:00:00Z\""
#define MARK(n)	"marking-definition--00000000-0000-4000-8000-00000000000" n

static const char *const texts[] = {
	"", "{", "[]", "{}", "7", "{\"objects\":[]}", "{\"objects\":{}}", "{\"objects\":[7,[],{}]}",
	"{\"objects\":[{" ID("indicator", "1") AT "}],\"objects\":[]}", "{\"a\":1,\"a\":2,\"objects\":[{}]}",
	"{\"a\":{\"b\":1,\"b\":2},\"objects\":[{}]}", "{\"objects\":[{\"a\":1,\"a\":2}]}", "{\"objects\":[{}]}x",
	"{\"type\":\"bundle\",\"id\":\"bundle--00000000-0000-4000-8000-000000000001\",\"objects\":[{" ID("identity", "1") AT
	    ",\"name\":\"A\",\"sectors\":[\"energy\"]},{" ID("identity", "2") AT ",\"name\":\"B\",\"labels\":[\"sector:health\"]},"
	    "{" ID("indicator", "3") AT ",\"labels\":[\"cip-phase:mitigation\",\"embargo:x\"]},"
	    "{" ID("report", "4") AT ",\"object_refs\":[\"indicator--00000000-0000-4000-8000-000000000003\","
	    "\"identity--00000000-0000-4000-8000-000000000001\"],\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000002\"},"
	    "{" ID("relationship", "5") AT ",\"relationship_type\":\"targets\",\"source_ref\":"
	    "\"indicator--00000000-0000-4000-8000-000000000003\",\"target_ref\":\"identity--00000000-0000-4000-8000-000000000001\"},"
	    "{" ID("sighting", "6") AT ",\"where_sighted_refs\":[\"identity--00000000-0000-4000-8000-000000000002\"]},"
	    "{" ID("note", "7") AT ",\"object_refs\":[\"indicator--00000000-0000-4000-8000-000000000003\"]},"
	    "{" ID("observed-data", "8") AT ",\"object_refs\":[\"ipv4-addr--00000000-0000-4000-8000-000000000009\"]},"
	    "{" ID("ipv4-addr", "9") ",\"value\":\"192.0.2.1\"}]}",
	/* classified and lost markings, before and after what they mark */
	"{\"objects\":[{" ID("malware", "1") AT ",\"object_marking_refs\":[\"" MARK("2") "\"]},{" ID("marking-definition", "2")
	    ",\"definition_type\":\"statement\",\"definition\":{\"statement\":\"NATO SECRET\"},\"created\":\"2026-01-01T00:00:00Z\"},"
	    "{" ID("malware", "3") AT ",\"granular_markings\":[{\"marking_ref\":\"" MARK("2") "\",\"selectors\":[\"name\"]}]},"
	    "{" ID("malware", "4") AT ",\"object_marking_refs\":[\"" MARK("5") "\"]},"
	    "{" ID("marking-definition", "5") ",\"created\":\"no time\"},"
	    "{\"\\u0074ype\":\"marking-definition\",\"id\":\"" MARK("6") "\",\"definition_type\":\"tlp\",\"definition\":"
	    "{\"tlp\":\"green\"},\"created\":\"2026-01-01T00:00:00Z\"},"
	    "{" ID("malware", "7") AT ",\"object_marking_refs\":[\"" MARK("6") "\"]}]}",
	/* one id and version, three contents, two of them the same in other words */
	"{\"objects\":[{" ID("tool", "1") AT ",\"name\":\"a\"},{" AT "," ID("tool", "1") ",\"name\":\"a\"}]}",
	"{\"objects\":[{" ID("tool", "1") AT ",\"name\":\"a\"},{\"name\":\"\\u0061\"," ID("tool", "1") AT "},"
	    "\n{" ID("tool", "1") AT ",\"name\":\"b\"},\n  {" ID("marking-definition", "2") ",\"x\":1},{" ID("marking-definition", "2")
	    ",\"x\":2},{" ID("bundle", "1") "},{\"type\":\"tool\",\"id\":\"tool--\",\"modified\":7}]}",
	"{\"x_tocsin\":{\"advisory\":\"a\",\"n\":1.50},\"objects\":[{" ID("tool", "1") AT "}],\"more\":false}",
};

static void
texts_of_every_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNTOF(texts); i++)
		compare_all(slice_of(texts[i]));
	assert_true(taken_apart > 20);
}

static void
every_truncation(void **state)
{
	struct slice whole = slice_of(texts[COUNTOF(texts) - 5]);

	(void)state;
	for (size_t n = 0; n < whole.n; n += 7)
		compare(slice_from(whole.p, n), false, false);
}

/* Nesting ends at the same depth. */
static void
depth(void **state)
{
	(void)state;
	for (int n = 120; n < 130; n++) {
		struct strbuf b = STRBUF_INIT;

		strbuf_adds(&b, "{\"objects\":[{" ID("tool", "1") AT ",\"x\":");
		for (int i = 0; i < n; i++)
			strbuf_addc(&b, '[');
		for (int i = 0; i < n; i++)
			strbuf_addc(&b, ']');
		strbuf_adds(&b, "}]}");
		compare(strbuf_slice(&b), true, false);
		strbuf_fini(&b);
	}
}

/* ---- what others wrote ---- */

static int
on_file(const char *path, const struct stat *st, int kind)
{
	struct strbuf b = STRBUF_INIT;

	if (kind != FTW_F || st->st_size > 4 << 20 || !slice_ends(slice_of(path), ".json"))
		return 0;
	if (file_read(path, 8 << 20, &b, NULL) == 0)
		compare(strbuf_slice(&b), false, false);
	strbuf_fini(&b);
	return 0;
}

static void
samples(void **state)
{
	int before = compared;

	(void)state;
	ftw("tests/golden/stix21", on_file, 16);
	assert_true(compared > before);
	ftw("../shared/corpus", on_file, 16);
	print_message("%d texts, %d of them taken apart\n", compared, taken_apart);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_of_every_kind),
		cmocka_unit_test(every_truncation),
		cmocka_unit_test(depth),
		cmocka_unit_test(samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
