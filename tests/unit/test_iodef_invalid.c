/* If this fails, a broken document of a partner is answered otherwise than told: not at all, with another
 * word, or pointing to another place. Needs ../shared/corpus; broken documents of our own stand in
 * tests/golden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <strings.h>

#include "formats/format.h"
#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

#define FOLDER "../shared/corpus/invalid/iodef/"

/* The first thing that strict mode says. Nothing else but what is listed is in the folder. */
static const struct row {
	const char	*file, *format, *code;
	unsigned	 line;
	const char	*path;
} rows[] = {
	{ "own-bad-address-for-category.xml", "iodef2", "NOT_OBSERVABLE", 7,
	  "Incident[1]/EventData[1]/Flow[1]/System[1]/Node[1]/Address[1]" },
	{ "own-bad-date.xml", "iodef2", "INVALID", 5, "Incident[1]/GenerationTime[1]" },
	{ "own-bad-portlist.xml", "iodef2", "INVALID", 7,
	  "Incident[1]/EventData[1]/Flow[1]/System[1]/Service[1]/Portlist[1]" },
	{ "own-bad-purpose.xml", "iodef2", "UNKNOWN_WORD", 3, "Incident[1]" },
	{ "own-bad-restriction.xml", "iodef2", "UNKNOWN_WORD", 3, "Incident[1]" },
	{ "own-bad-utf8.xml", "iodef2", "encoding", 4, "" },
	{ "own-control-character.xml", "iodef2", "encoding", 4, "" },
	{ "own-dangling-observable-reference.xml", "iodef2", "DANGLING_REFERENCE", 7,
	  "Incident[1]/IndicatorData[1]/Indicator[1]/ObservableReference[1]" },
	{ "own-date-without-offset.xml", "iodef2", "NO_OFFSET", 5, "Incident[1]/GenerationTime[1]" },
	{ "own-deep-nesting.xml", "iodef2", "depth", 7, "" },
	{ "own-dtd-entity-expansion.xml", "iodef2", "forbidden", 2, "" },
	{ "own-dtd-external-entity.xml", "iodef2", "forbidden", 2, "" },
	{ "own-dtd-harmless.xml", "iodef2", "forbidden", 2, "" },
	{ "own-duplicate-xml-id.xml", "iodef2", "INVALID", 8, "Incident[1]/EventData[2]" },
	{ "own-empty.xml", NULL, "syntax", 0, "" },
	{ "own-ext-attribute-without-ext-value.xml", "iodef2", "EXT_WITHOUT_VALUE", 3, "Incident[1]" },
	{ "own-ext-value-without-ext-attribute.xml", "iodef2", "VALUE_WITHOUT_EXT", 3, "Incident[1]" },
	{ "own-foreign-element.xml", "iodef2", "INVALID", 6, "Incident[1]/y[1]" },
	{ "own-indicator-expression-empty.xml", "iodef2", "NO_PATTERN", 7,
	  "Incident[1]/IndicatorData[1]/Indicator[1]" },
	{ "own-indicator-two-contents.xml", "iodef2", "INVALID", 7,
	  "Incident[1]/IndicatorData[1]/Indicator[1]" },
	{ "own-indicator-without-content.xml", "iodef2", "INVALID", 7,
	  "Incident[1]/IndicatorData[1]/Indicator[1]" },
	{ "own-missing-contact.xml", "iodef2", "INVALID", 3, "Incident[1]" },
	{ "own-missing-generation-time.xml", "iodef2", "INVALID", 3, "Incident[1]" },
	{ "own-missing-incident-id.xml", "iodef2", "INVALID", 3, "Incident[1]" },
	{ "own-missing-purpose.xml", "iodef2", "INVALID", 3, "Incident[1]" },
	{ "own-missing-version.xml", "iodef2", "MISSING_ATTRIBUTE", 2, "IODEF-Document" },
	{ "own-no-incident.xml", "iodef2", "missing", 2, "" },
	{ "own-no-namespace.xml", "iodef2", "NO_NAMESPACE", 2, "IODEF-Document" },
	{ "own-not-well-formed.xml", "iodef2", "syntax", 9, "" },
	{ "own-rid-ack-without-status.xml", "rid", "MISSING_ELEMENT", 2, "RID" },
	{ "own-rid-bad-msgtype.xml", "rid", "value", 3, "RIDPolicy[1]" },
	{ "own-rid-bad-status.xml", "rid", "value", 3, "RequestStatus[1]" },
	{ "own-rid-report-without-document.xml", "rid", "MISSING_ELEMENT", 3, "RIDPolicy[1]" },
	{ "own-rid-v1-namespace.xml", "rid", "unsupported", 2, "RID" },
	{ "own-rid-without-policy.xml", "rid", "missing", 2, "RID" },
	{ "own-two-roots.xml", "iodef2", "syntax", 9, "" },
	{ "own-undefined-entity.xml", "iodef2", "syntax", 4, "" },
	{ "own-undefined-prefix.xml", "iodef2", "syntax", 5, "" },
	{ "own-unknown-element.xml", "iodef2", "INVALID", 7, "Incident[1]/Colour[1]" },
	{ "own-utf16-without-bom-declared-utf8.xml", NULL, "encoding", 1, "" },
	{ "own-v1-namespace-v2-content.xml", "iodef1", "unsupported", 2, "" },
	{ "own-version-2.0.xml", "iodef2", "UNKNOWN_WORD", 2, "IODEF-Document" },
	{ "own-version-3.xml", "iodef2", "unsupported", 2, "" },
	{ "own-wrong-child-order.xml", "iodef2", "CHILD_ORDER", 5, "Incident[1]/IncidentID[1]" },
	{ "own-wrong-namespace.xml", "iodef2", "unsupported", 2, "" },
	{ "own-xinclude.xml", "iodef2", "forbidden", 7, "" },
};

static struct slice
load(struct arena *mem, const char *path)
{
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct slice s;

	if (file_read(path, 1 << 20, &b, &e) < 0)
		fail_msg("%s: %s", path, e.reason);
	s = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

static void
compare(const struct row *row, const char *code, const struct err *e)
{
	if (strcmp(code, row->code) != 0 || e->at.line != row->line || strcmp(e->path, row->path) != 0)
		fail_msg("%s: %s at %u %s (%s), not %s at %u %s", row->file, code, e->at.line, e->path,
		    e->reason, row->code, row->line, row->path);
	assert_true(e->reason[0] != '\0');
}

static void
check_row(const struct row *row)
{
	struct arena *mem = arena_new();
	struct slice text = load(mem, arena_fmt(mem, FOLDER "%s", row->file));
	struct slice head = text;
	const struct format_ops *f;
	struct read_job job = { .in = text, .input = row->file, .strict = true,
		.received = SLICE_LIT("2026-11-21T10:00:00Z") };
	struct advisory adv = { 0 };
	struct err e = ERR_INIT;

	head.n = head.n > 4096 ? 4096 : head.n;
	f = format_sniff(head);
	if (row->format == NULL ? f != NULL : f == NULL || strcmp(f->name, row->format) != 0)
		fail_msg("%s is taken for %s", row->file, f == NULL ? "nothing" : f->name);
	if (f == NULL)
		f = &format_iodef2;
	if (f->read(&job, mem, &adv, &e) < 0)
		compare(row, err_word(e.code), &e);
	else if (adv.nverdicts == 0)
		fail_msg("%s: nothing is said", row->file);
	else
		compare(row, adv.verdicts[0].code, &adv.verdicts[0].err);
	arena_free(mem);
}

static void
every_broken_document_is_answered(void **state)
{
	(void)state;
	if (!file_exists(FOLDER "own-expected.json"))
		skip();
	for (size_t i = 0; i < COUNTOF(rows); i++)
		check_row(&rows[i]);
}

/* What the list of the corpus calls an error is refused; nothing in that list is left out here. */
static void
the_list_is_the_corpus(void **state)
{
	struct arena *mem = arena_new();
	struct json_doc doc;
	struct err e = ERR_INIT;
	size_t n = 0;

	(void)state;
	if (!file_exists(FOLDER "own-expected.json")) {
		arena_free(mem);
		skip();
	}
	assert_int_equal(json_parse(load(mem, FOLDER "own-expected.json"), NULL, mem, &doc, &e), 0);
	for (json *m = json_first(doc.root); m != NULL; m = json_next(m), n++) {
		size_t i = 0;

		while (i < COUNTOF(rows) && !slice_is(json_member(m, "file"), rows[i].file))
			i++;
		if (i == COUNTOF(rows))
			fail_msg("%s is in no row", json_str(json_get(m, "file")));
		if (slice_is(json_member(m, "severity"), "error") && rows[i].code[0] <= 'Z' &&
		    strcmp(rows[i].code, "INVALID") != 0)
			fail_msg("%s is only warned of", rows[i].file);
	}
	assert_int_equal(n, COUNTOF(rows));
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_broken_document_is_answered),
		cmocka_unit_test(the_list_is_the_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
