/* If these fail, a document of ours that carries originals is taken for another format by whoever is not told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/format.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

enum { HEAD = 4096 };

#define ID(type, last)	"\"type\":\"" type "\",\"spec_version\":\"2.1\",\"id\":\"" type	\
	"--5f1e3c5a-0a52-4d7b-8b0a-3a5d0f6f1a0" last "\",\"created\":\"2026-04-01T00:00:00.000Z\","	\
	"\"modified\":\"2026-04-01T00:00:00.000Z\""

/* An indicator of itself, a vulnerability in a report (which CSAF asks for): short enough for one head. */
static const char bundle[] =
    "{\"type\":\"bundle\",\"id\":\"bundle--5f1e3c5a-0a52-4d7b-8b0a-3a5d0f6f1a00\",\"objects\":["
    "{" ID("indicator", "1") ",\"name\":\"n\",\"pattern\":\"[domain-name:value = 'a.example']\","
    "\"pattern_type\":\"stix\",\"valid_from\":\"2026-04-01T00:00:00.000Z\"},"
    "{" ID("vulnerability", "2") ",\"name\":\"CVE-2026-1\"},"
    "{" ID("report", "3") ",\"name\":\"r\",\"published\":\"2026-04-01T00:00:00.000Z\",\"object_refs\":["
    "\"vulnerability--5f1e3c5a-0a52-4d7b-8b0a-3a5d0f6f1a02\"]}]}";

static void
what_we_write_is_known(void **state)
{
	struct arena *mem = arena_new();
	struct read_job read = { .in = slice_of(bundle), .input = "", .in_stays = true,
	    .received = SLICE_LIT("2026-04-02T00:00:00Z") };

	(void)state;
	for (int pretty = 0; pretty < 2; pretty++) {
		for (size_t i = 0; formats[i] != NULL; i++) {
			const struct format_ops *f = formats[i];
			struct advisory adv = { .n = 0 };
			struct write_job job = { .adv = &adv, .received = read.received,
			    .csirt = "cert.example", .pretty = pretty == 1 };
			struct strbuf text = STRBUF_INIT;
			struct err e = ERR_INIT;
			struct slice head;

			if (f->sniff == NULL || f == &format_taxii11)	/* read only */
				continue;
			assert_int_equal(format_stix21.read(&read, mem, &adv, &e), 0);
			if (f->write(&job, mem, &text, &e) < 0)
				fail_msg("%s: %s", f->name, e.reason);
			head = slice_from(text.p, text.n < HEAD ? text.n : HEAD);
			assert_string_equal(format_sniff(head)->name, f->name);
			strbuf_fini(&text);
		}
	}
	arena_free(mem);
}

static void
what_is_escaped_is_not_there(void **state)
{
	(void)state;
	assert_true(format_head_has(SLICE_LIT("\"bundle--1\""), "\"bundle--"));
	assert_true(format_head_has(SLICE_LIT("\\\"bundle--1\\\" \"bundle--2\""), "\"bundle--"));
	assert_false(format_head_has(SLICE_LIT("{\"x\":\"{\\\"bundle--1\\\"}\"}"), "\"bundle--"));
	assert_false(format_head_has(SLICE_EMPTY, "\"bundle--"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_we_write_is_known),
		cmocka_unit_test(what_is_escaped_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
