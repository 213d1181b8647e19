/*
 * If this fails: a hostile document can make the gateway read files, loop, or run out of memory; or
 * an advisory changes its meaning between being read and being written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "formats/xml.h"
#include "gateway/base/strbuf.h"
#include "tests/unit/mem_kit.h"

static struct xml_node *
parse(const char *text)
{
	struct xml_node *root;
	struct err e = ERR_INIT;

	if (xml_parse(slice_of(text), NULL, mem, &root, &e) < 0)
		fail_msg("%s: %s", text, e.reason);
	return root;
}

static void
assert_refused(struct slice text, enum err_code code)
{
	struct xml_node *root;
	struct err e = ERR_INIT;

	assert_int_equal(xml_parse(text, NULL, mem, &root, &e), -1);
	assert_null(root);
	assert_string_not_equal(e.reason, "");
	if (e.code != code)
		fail_msg("%.60s: %s (%s), expected %s", text.p, e.reason, err_word(e.code),
		    err_word(code));
}

static void
assert_printed(const struct xml_node *n, int flags, const char *text)
{
	struct strbuf b = STRBUF_INIT;

	xml_print(&b, n, flags);
	assert_string_equal(b.p, text);
	strbuf_fini(&b);
}

static void
assert_canonical(const struct xml_node *n, const char *text)
{
	struct strbuf b = STRBUF_INIT;

	xml_print_canonical(&b, n, NULL);
	assert_string_equal(b.p, text);
	strbuf_fini(&b);
}

static void
reads_a_tree(void **state)
{
	struct xml_node *r, *b;

	(void)state;
	r = parse("\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8'?>\n<!-- x --><a xmlns='urn:a' "
	    "xmlns:p='urn:p' k=' v '>\n  <b>one</b>\n  <p:b/>\n  <b xml:lang='de'>t&amp;wo <![CDATA[<3]]>"
	    "</b><!-- c -->\n</a>\n");
	assert_true(xml_is(r, "urn:a", "a"));
	assert_true(slice_is(xml_value(r, "k"), " v "));
	assert_true(slice_is(xml_value(parse("<a k='&amp;&#38;&amp;amp;&lt;#38;'/>"), "k"),
	    "&&&amp;<#38;"));
	assert_int_equal(xml_count(r, "b"), 2);
	b = xml_get(r, "b");
	assert_true(slice_is(xml_text(b, mem), "one"));
	b = xml_more(b);
	assert_true(slice_is(xml_text(b, mem), "t&wo <3"));
	assert_true(slice_is(xml_value(b, "xml:lang"), "de"));
	assert_int_equal(b->line, 5);
	assert_non_null(xml_get_ns(r, "urn:p", "b"));
	/* indentation is not content */
	assert_ptr_equal(r->first, xml_get(r, "b"));
	assert_ptr_equal(r->last, b);
}

static void
keeps_blanks_that_may_matter(void **state)
{
	(void)state;
	assert_printed(parse("<a><b>x</b> <b>y</b></a>"), 0, "<a><b>x</b> <b>y</b></a>");
	assert_printed(parse("<a>\n</a>"), 0, "<a>\n</a>");
	assert_printed(parse("<a>\n <b/>\n</a>"), 0, "<a><b/></a>");
	assert_printed(parse("<a>t\n <b/>\n</a>"), 0, "<a>t\n <b/></a>");
}

static void
names_places(void **state)
{
	struct xml_node *r = parse("<d><i><c/><c><e/></c></i><i/></d>"), *e;

	(void)state;
	e = xml_at(r, slice_of("i[1]/c[2]/e"));
	assert_non_null(e);
	assert_string_equal(xml_path_text(mem, e, NULL), "i[1]/c[2]/e[1]");
	assert_string_equal(xml_path_text(mem, e, xml_get(r, "i")), "c[2]/e[1]");
	assert_string_equal(xml_path_text(mem, e, e), "");
	assert_ptr_equal(xml_at(e, SLICE_EMPTY), e);
	assert_null(xml_at(r, slice_of("i[3]")));
	assert_null(xml_at(r, slice_of("i[0]")));
	assert_null(xml_at(r, slice_of("i[x]")));
	assert_null(xml_at(r, slice_of("[1]")));
	assert_null(xml_at(r, slice_of("i[1]x")));
}

static void
refuses_dtds_before_libxml_sees_them(void **state)
{
	(void)state;
	assert_refused(SLICE_LIT("<!DOCTYPE a><a/>"), ERR_FORBIDDEN);
	assert_refused(SLICE_LIT("<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
	    "<a>&x;</a>"), ERR_FORBIDDEN);
	assert_refused(SLICE_LIT("<a><!ENTITY x 'y'></a>"), ERR_FORBIDDEN);
	assert_refused(SLICE_LIT("<a>&x;</a>"), ERR_SYNTAX);
	assert_refused(SLICE_LIT("<a xmlns:xi='http://www.w3.org/2001/XInclude'>"
	    "<xi:include href='file:///etc/passwd' parse='text'/></a>"), ERR_FORBIDDEN);
	assert_true(xml_is(parse("<a xmlns:xi='http://www.w3.org/2001/XInclude'/>"), "", "a"));
	/* a comment that only looks closed: what is in it stays in it */
	assert_true(xml_is(parse("<!--><!DOCTYPE a>--><a/>"), "", "a"));
	assert_refused(SLICE_LIT("<a><![CDATA[x</a>"), ERR_SYNTAX);
	assert_refused(SLICE_LIT("<a><? x</a>"), ERR_SYNTAX);
}

static void
refuses_what_is_no_xml(void **state)
{
	(void)state;
	assert_refused(SLICE_LIT(""), ERR_SYNTAX);
	assert_refused(SLICE_LIT(" \n"), ERR_ENCODING);
	assert_refused(SLICE_LIT(" <?xml version='1.0'?><a/>"), ERR_SYNTAX);
	assert_refused(SLICE_LIT("{}"), ERR_ENCODING);
	assert_refused(SLICE_LIT("<\0a\0/\0>\0"), ERR_ENCODING);
	assert_refused(SLICE_LIT("<a>\xC3</a>"), ERR_ENCODING);
	assert_refused(SLICE_LIT("<a>\xED\xA0\x80</a>"), ERR_ENCODING);
	assert_refused(SLICE_LIT("<?xml version='1.0' encoding='ISO-8859-1'?><a/>"), ERR_ENCODING);
	assert_refused(SLICE_LIT("<?xml version='1.0' encoding = 'utf-7' ?><a/>"), ERR_ENCODING);
	assert_refused(SLICE_LIT("<?xml version='1.0' encoding='UTF-16'?><a/>"), ERR_ENCODING);
	assert_refused(SLICE_LIT("\xFF\xFE<\0a\0/\0>\0"), ERR_ENCODING);
	assert_refused(SLICE_LIT("\xFE\xFF\0<\0a\0/\0>"), ERR_ENCODING);
	assert_refused(SLICE_LIT("+ADw-a/+AD4-"), ERR_ENCODING);	/* UTF-7 */
	assert_refused(SLICE_LIT("<?xml version='1.0' encoding='utf-8'?><a>caf\xE9</a>"), ERR_ENCODING);
	assert_refused(SLICE_LIT("<a>\x01</a>"), ERR_ENCODING);
	assert_refused(SLICE_LIT("<a>&#1;</a>"), ERR_ENCODING);
	assert_refused(SLICE_LIT("<a>"), ERR_SYNTAX);
	assert_refused(SLICE_LIT("<a></b>"), ERR_SYNTAX);
	assert_refused(SLICE_LIT("<a/><b/>"), ERR_SYNTAX);
	assert_refused(SLICE_LIT("<a/>x"), ERR_SYNTAX);
	assert_refused(SLICE_LIT("<a k='1' k='2'/>"), ERR_SYNTAX);
	assert_refused(SLICE_LIT("<p:a/>"), ERR_SYNTAX);
	assert_refused(SLICE_LIT("<a p:k='1'/>"), ERR_SYNTAX);
	assert_refused(SLICE_LIT("<a k='"), ERR_SYNTAX);
	assert_refused(SLICE_LIT("<"), ERR_SYNTAX);
}

static void
refuses_by_limits(void **state)
{
	struct xml_limits lim = { .bytes = 64, .elements = 3, .depth = 2, .text_bytes = 8 };
	struct { const char *text; enum err_code code; } rows[] = {
		{ "<a><b/><b/></a>", ERR_NONE },
		{ "<a><b/><b/><b/></a>", ERR_LIMIT },
		{ "<a><b><c/></b></a>", ERR_DEPTH },
		{ "<a>12345678</a>", ERR_NONE },
		{ "<a>123456789</a>", ERR_LIMIT },
		{ "<a>1234&amp;6789</a>", ERR_LIMIT },
		{ "<a k='123456789'/>", ERR_LIMIT },
		{ "<a k='123456789' l='1' m='&lt;'/>", ERR_LIMIT },	/* the rest is not looked at */
		{ "<a>        <!--                                                  --></a>", ERR_LIMIT },
	};
	struct strbuf b = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct err e = ERR_INIT;
		struct xml_node *root;
		int rc = xml_parse(slice_of(rows[i].text), &lim, mem, &root, &e);

		if (rc != (rows[i].code == ERR_NONE ? 0 : -1) || e.code != rows[i].code)
			fail_msg("%s: %s", rows[i].text, e.reason);
	}
	strbuf_adds(&b, "<a");
	for (int i = 0; i < 257; i++)
		strbuf_addf(&b, " k%d='v'", i);
	strbuf_adds(&b, "/>");
	assert_refused(strbuf_slice(&b), ERR_LIMIT);
	strbuf_reset(&b);
	strbuf_adds(&b, "<a k='");
	for (int i = 0; i < 70000; i++)
		strbuf_addc(&b, 'x');
	strbuf_adds(&b, "'/>");
	assert_refused(strbuf_slice(&b), ERR_LIMIT);
	strbuf_reset(&b);
	for (int i = 0; i < 65; i++)
		strbuf_adds(&b, "<a>");
	assert_refused(strbuf_slice(&b), ERR_DEPTH);
	strbuf_fini(&b);
}

static void
says_where(void **state)
{
	struct xml_node *root;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(xml_parse(SLICE_LIT("<a>\n  <b>\n</a>"), NULL, mem, &root, &e), -1);
	assert_int_equal(e.at.line, 3);
	e = (struct err)ERR_INIT;
	assert_int_equal(xml_parse(SLICE_LIT("<a>\n\n  <!DOCTYPE"), NULL, mem, &root, &e), -1);
	assert_int_equal(e.at.line, 3);
	assert_int_equal(e.at.column, 3);
}

static void
prints_what_it_read(void **state)
{
	static const char *const texts[] = {
		"<a/>", "<a xmlns=\"u\"><b xmlns=\"\"/></a>", "<p:a xmlns:p=\"u\" p:k=\"1\" k=\"2\"/>",
		"<a xmlns=\"u\"><a xmlns=\"v\"><a xmlns=\"u\"/></a></a>",
		"<a>&amp;&lt;&gt;\"'</a>", "<a k=\"&lt;&amp;&quot;>&#xA;&#x9;\"/>", "<a>x&#xD;y</a>",
		"<a k=\"&amp;amp; &amp;#38; &#38;#x26;\"/>", "<a xml:lang=\"de\" xmlns:q=\"urn:q\">q:name</a>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct strbuf b = STRBUF_INIT;
		struct xml_node *first = parse(texts[i]), *again;

		xml_print(&b, first, 0);
		again = parse(b.p);
		if (!xml_equal(first, again))
			fail_msg("%s became %s", texts[i], b.p);
		strbuf_reset(&b);
		xml_print(&b, again, XML_DECLARATION | XML_PRETTY);
		assert_true(xml_equal(first, parse(b.p)));
		strbuf_fini(&b);
	}
	assert_printed(parse("<a><b><c>t</c></b></a>"), XML_PRETTY | XML_DECLARATION,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>\n  <b>\n    <c>t</c>\n  </b>\n</a>\n");
}

static void
pieces_carry_their_namespaces(void **state)
{
	struct xml_node *r = parse("<a xmlns='u' xmlns:x='ux' xmlns:y='uy' xmlns:z='uz' xmlns:t='ut'>"
	    "<b x:k='1'><y:c v='t:q'/></b></a>");

	(void)state;
	assert_printed(xml_get(r, "b"), 0, "<b xmlns=\"u\" xmlns:x=\"ux\" xmlns:t=\"ut\" x:k=\"1\">"
	    "<y:c xmlns:y=\"uy\" v=\"t:q\"/></b>");
}

static void
canonical_form_is_exclusive_c14n(void **state)
{
	(void)state;
	assert_canonical(parse("<a xmlns='u' xmlns:z='uz' b='2' a='1'>  x \n y <z:b z:q='1' p='2'/></a>"),
	    "<a xmlns=\"u\" a=\"1\" b=\"2\">x y<z:b xmlns:z=\"uz\" p=\"2\" z:q=\"1\"></z:b></a>");
	assert_canonical(parse("<p:a xmlns:p='u' xmlns='d'><b/></p:a>"),
	    "<p:a xmlns:p=\"u\"><b xmlns=\"d\"></b></p:a>");
	assert_canonical(parse("<a xmlns='u'><b xmlns=''/></a>"),
	    "<a xmlns=\"u\"><b xmlns=\"\"></b></a>");
	assert_canonical(parse("<a k='&lt;&#x9;>'>&gt;</a>"), "<a k=\"&lt;&#x9;>\">&gt;</a>");
}

static void
equality_looks_through_spelling(void **state)
{
	static const struct { const char *a, *b; bool same; } rows[] = {
		{ "<a xmlns='u' x='1' y='2'> t </a>", "<p:a xmlns:p='u' y='2' x='1'>t</p:a>", true },
		{ "<a>x  y</a>", "<a>x\ny</a>", true },
		{ "<a><!-- c --><b/></a>", "<a>\n<b></b></a>", true },
		{ "<a xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:schemaLocation='x'/>", "<a/>",
		  true },
		{ "<a xmlns='u'/>", "<a xmlns='v'/>", false },
		{ "<a x='1'/>", "<a x='2'/>", false },
		{ "<a x='1'/>", "<a/>", false },
		{ "<a><b/><c/></a>", "<a><c/><b/></a>", false },
		{ "<a><b/></a>", "<a><b/><b/></a>", false },
		{ "<a>xy</a>", "<a>x y</a>", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (xml_equal(parse(rows[i].a), parse(rows[i].b)) != rows[i].same)
			fail_msg("%s / %s", rows[i].a, rows[i].b);
	}
}

static void
builds(void **state)
{
	struct xml_node *r = xml_new(mem, "urn:u", "p", "r"), *a, *b;

	(void)state;
	a = xml_add_leaf(mem, r, "a", SLICE_LIT("<&>\x01\xEF\xBF\xBF"));
	b = xml_add(mem, r, "b");
	xml_set(mem, b, "xml:lang", SLICE_LIT("en"));
	xml_set(mem, b, "k", SLICE_LIT("1"));
	xml_set(mem, b, "k", SLICE_LIT("\"2\""));
	xml_insert(b, xml_copy(mem, b));
	xml_unset(b, "k");
	assert_printed(r, 0, "<p:r xmlns:p=\"urn:u\"><p:a>&lt;&amp;&gt;\xEF\xBF\xBD\xEF\xBF\xBD</p:a>"
	    "<p:b xml:lang=\"en\" k=\"&quot;2&quot;\"/><p:b xml:lang=\"en\"/></p:r>");
	xml_replace(a, xml_new(mem, "", "", "n"));
	xml_detach(b);
	assert_printed(r, 0, "<p:r xmlns:p=\"urn:u\"><n/><p:b xml:lang=\"en\" k=\"&quot;2&quot;\"/></p:r>");
	assert_true(slice_is(xml_collapse(SLICE_LIT(" a \n b  c "), mem), "a b c"));
}

/* What is remembered of ordinals never outlives a change of the tree. */
static void
test_paths_follow_changes(void **state)
{
	struct xml_node *root = xml_new(mem, "urn:x", "", "a"), *v[40], *other;

	(void)state;
	for (int i = 0; i < 40; i++)
		v[i] = xml_add(mem, root, i % 4 == 0 ? "c" : "b");
	assert_string_equal(xml_path_text(mem, v[39], NULL), "b[30]");
	assert_string_equal(xml_path_text(mem, v[5], NULL), "b[4]");
	assert_string_equal(xml_path_text(mem, v[39], NULL), "b[30]");
	assert_string_equal(xml_path_text(mem, v[36], NULL), "c[10]");
	other = xml_new(mem, "urn:x", "", "b");
	xml_insert(v[1], other);
	assert_string_equal(xml_path_text(mem, v[39], NULL), "b[31]");
	assert_string_equal(xml_path_text(mem, other, NULL), "b[1]");
	xml_detach(v[2]);
	xml_detach(v[4]);
	assert_string_equal(xml_path_text(mem, v[39], NULL), "b[30]");
	assert_string_equal(xml_path_text(mem, v[36], NULL), "c[9]");
	xml_append(root, v[2]);
	assert_string_equal(xml_path_text(mem, v[2], NULL), "b[31]");
	xml_append(v[39], other = xml_copy(mem, v[5]));
	assert_string_equal(xml_path_text(mem, other, NULL), "b[30]/b[1]");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_tree),
		cmocka_unit_test(keeps_blanks_that_may_matter),
		cmocka_unit_test(names_places),
		cmocka_unit_test(refuses_dtds_before_libxml_sees_them),
		cmocka_unit_test(refuses_what_is_no_xml),
		cmocka_unit_test(refuses_by_limits),
		cmocka_unit_test(says_where),
		cmocka_unit_test(prints_what_it_read),
		cmocka_unit_test(pieces_carry_their_namespaces),
		cmocka_unit_test(canonical_form_is_exclusive_c14n),
		cmocka_unit_test(equality_looks_through_spelling),
		cmocka_unit_test(builds),
		cmocka_unit_test(test_paths_follow_changes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
