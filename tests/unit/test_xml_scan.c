/* If this fails, a large IODEF document is cut in the middle of an Incident, or one of them is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "formats/xml_scan.h"
#include "gateway/base/strbuf.h"

struct found {
	struct slice	text;
	struct strbuf	out;
};

static bool
on_child(void *arg, struct slice name, size_t from, size_t to)
{
	struct found *f = arg;

	strbuf_addf(&f->out, "%.*s=%.*s|", SLICE_ARG(name), (int)(to - from), f->text.p + from);
	return true;
}

static void
test_children_are_found_whole(void **state)
{
	static const struct { const char *text, *want; } rows[] = {
		{ "<a><b/></a>", "b=<b/>|" },
		{ "<?xml version='1.0'?>\n<a x=\"1>2\">\n <b>t<c/></b><d></d> </a>\n<!-- end -->\n",
		    "b=<b>t<c/></b>|d=<d></d>|" },
		{ "\xef\xbb\xbf<p:a xmlns:p='x'><p:b>1</p:b></p:a>", "b=<p:b>1</p:b>|" },
		{ "<a><b y='</b>'><![CDATA[</b></a>]]><!-- </b> --><?pi </b>?></b></a>",
		    "b=<b y='</b>'><![CDATA[</b></a>]]><!-- </b> --><?pi </b>?></b>|" },
		{ "<a><!-- <b/> --><b a='/'>x</b><b><b><b/></b></b></a>",
		    "b=<b a='/'>x</b>|b=<b><b><b/></b></b>|" },
		{ "<a></a>", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct found f = { .text = slice_of(rows[i].text), .out = STRBUF_INIT };
		struct xml_span span;

		strbuf_adds(&f.out, "");
		assert_true(xml_scan(f.text, &span, on_child, &f, NULL, NULL));
		assert_string_equal(f.out.n == 0 ? "" : f.out.p, rows[i].want);
		assert_true(slice_starts(slice_from(f.text.p + span.end, f.text.n - span.end), "</"));
		assert_int_equal(f.text.p[span.inside - 1], '>');
		strbuf_fini(&f.out);
	}
}

static void
test_what_is_in_doubt_is_left_to_the_parser(void **state)
{
	static const char *const rows[] = {
		"", "text", "<a>", "<a><b></a>", "<a>text<b/></a>", "<a/>", "<a></b>", "<a></a><a></a>",
		"<!DOCTYPE a><a><b/></a>", "<a><b/></a>text", "<a><b x='></a>", "<a><b <c/></b></a>",
		"<a><![CDATA[x]]><b/></a>", "<a><!-- <b/></a>", "</a>", "<a></a></a>", "< a></a>",
	};

	(void)state;
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		struct xml_span span;

		if (xml_scan(slice_of(rows[i]), &span, NULL, NULL, NULL, NULL))
			fail_msg("%s was taken for a document", rows[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_children_are_found_whole),
		cmocka_unit_test(test_what_is_in_doubt_is_left_to_the_parser),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
