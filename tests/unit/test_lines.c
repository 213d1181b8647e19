/* If this fails, an administrator's file means something else than it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/base/lines.h"
#include "gateway/base/strbuf.h"

/* One load, and where it keeps things. */
static struct arena *mem;
static struct lines lines;
static struct complaints complaints;

static int
fresh(void **state)
{
	(void)state;
	mem = arena_new();
	lines = (struct lines){ 0 };
	complaints = (struct complaints){ .mem = mem };
	return 0;
}

static int
done(void **state)
{
	(void)state;
	arena_free(mem);
	return 0;
}

/* Start over in the same test. */
static void
again(void)
{
	done(NULL);
	fresh(NULL);
}

/* A load as text: "NUMBER[+] COLUMN:word|COLUMN:word" a line, complaints after "!". */
static char *
shown(void)
{
	struct strbuf b = STRBUF_INIT;
	char *text;

	for (size_t i = 0; i < lines.n; i++) {
		const struct line *l = &lines.v[i];

		strbuf_addf(&b, "%u%s", l->number, l->indented ? "+" : "");
		for (size_t j = 0; j < l->nwords; j++) {
			assert_int_equal(l->words[j].p[l->words[j].n], '\0');
			strbuf_addf(&b, "%c%u:%s", j == 0 ? ' ' : '|', l->columns[j],
			    l->words[j].p);
		}
		strbuf_addc(&b, '\n');
	}
	for (size_t i = 0; i < complaints.n; i++)
		strbuf_addf(&b, "! %s\n", complaints.text[i]);
	text = arena_str(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

static const struct {
	const char *text, *want;
} grammar[] = {
	{ "", "" },
	{ "\n\n  \n\t\n", "" },
	{ "# only\n   # a comment", "" },
	{ "peer x", "1 1:peer|6:x\n" },
	{ "peer x\n  pin y\n\tlimit out\n", "1 1:peer|6:x\n2+ 3:pin|7:y\n3+ 2:limit|8:out\n" },
	{ "peer x\r\n  pin y\r\n", "1 1:peer|6:x\n2+ 3:pin|7:y\n" },
	{ "\xef\xbb\xbfpeer x\n", "1 1:peer|6:x\n" },
	{ "a b # c d\n", "1 1:a|3:b\n" },
	{ "a b#c #\n", "1 1:a|3:b#c\n" },
	{ "a \"b # c\" d\n", "1 1:a|3:b # c|11:d\n" },
	{ "a \"\" \"\\\"\\\\\" \"x\ty\"\n", "1 1:a|3:|6:\"\\|13:x\ty\n" },
	{ "a C:\\n\n", "1 1:a|3:C:\\n\n" },
	{ "a \"caf\xc3\xa9\" b\n", "1 1:a|3:caf\xc3\xa9|11:b\n" },
	{ "a\n\n  include x\n", "1 1:a\n3+ 3:include|11:x\n" },
	{ "a\n# c\n b\n", "1 1:a\n3+ 2:b\n" },
	/* What is refused, with its place. */
	{ "a\n  b \"c d\n", "1 1:a\n! t:2:5: this quote is not closed\n" },
	{ "a \"b\\\"\n", "! t:1:3: this quote is not closed\n" },
	{ "a \"b\\", "! t:1:3: this quote is not closed\n" },
	{ "a \"b\\n\"\n",
	  "! t:1:5: in quotes a backslash stands before \" or \\ only\n" },
	{ "a \"b\"c\n", "! t:1:6: a blank is missing after the closing quote\n" },
	{ "a \"b\"#c\n", "! t:1:6: a blank is missing after the closing quote\n" },
	{ "a b\"c\"\n", "! t:1:4: a quote inside a word; quote the whole word\n" },
	{ "a \xff\n", "! t:1:3: this byte is not UTF-8\n" },
	{ "a # \xc0\x80\n", "! t:1:5: this byte is not UTF-8\n" },
	{ "a \x01\n", "! t:1:3: control and invisible characters are refused\n" },
	{ "a b\rc\n", "! t:1:4: control and invisible characters are refused\n" },
	{ "a \xe2\x80\xae" "b\n", "! t:1:3: control and invisible characters are refused\n" },
	{ "a \xc2\x85\n", "! t:1:3: control and invisible characters are refused\n" },
	{ "  b\n", "! t:1: an indented line needs a section above it in this file\n" },
	{ "include x\n", "! t:1: include is not possible here: this text is no file\n" },
	{ "include\n", "! t:1: include takes one file name\n" },
	{ "include x y\n", "! t:1: include takes one file name\n" },
	{ "include \"\"\n", "! t:1: include takes one file name\n" },
	/* A broken line costs itself, or the section that it would have opened; no more. */
	{ "a\n  b\n  \"c\n  d\ne\n",
	  "1 1:a\n2+ 3:b\n4+ 3:d\n5 1:e\n! t:3:3: this quote is not closed\n" },
	{ "a\npeer \"b\n  c\n  \"d\ne\n  f\n", "1 1:a\n5 1:e\n6+ 3:f\n"
	  "! t:2:6: this quote is not closed\n! t:4:3: this quote is not closed\n" },
	{ "a\n#\xff\n b\n", "1 1:a\n3+ 2:b\n! t:2:2: this byte is not UTF-8\n" },
};

static void
test_grammar(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(grammar) / sizeof(*grammar); i++) {
		int rc = lines_parse(slice_of(grammar[i].text), "t", mem, &lines, &complaints);

		assert_string_equal(shown(), grammar[i].want);
		assert_int_equal(rc, complaints.n > 0 ? -1 : 0);
		again();
	}
	/* NUL is a control character like any other. */
	assert_int_equal(lines_parse(slice_from("a \0 b\n", 6), "t", mem, &lines, &complaints), -1);
	assert_string_equal(shown(), "! t:1:3: control and invisible characters are refused\n");
}

static void
test_limits(void **state)
{
	struct strbuf b = STRBUF_INIT;

	(void)state;
	/* 16 KiB is a line, one byte more is not; the next line is read all the same. */
	for (size_t n = 16384; n <= 16385; n++) {
		strbuf_reset(&b);
		for (size_t i = 0; i < n; i++)
			strbuf_addc(&b, 'x');
		strbuf_adds(&b, "\ny\n");
		lines_parse(strbuf_slice(&b), "t", mem, &lines, &complaints);
		assert_int_equal(lines.n, n == 16384 ? 2 : 1);
		assert_int_equal(complaints.n, n == 16384 ? 0 : 1);
		if (n > 16384)
			assert_string_equal(complaints.text[0],
			    "t:1:16385: the line is longer than 16 KiB");
		again();
	}
	strbuf_reset(&b);
	for (size_t i = 0; i < 1000001; i++)
		strbuf_addc(&b, '\n');
	assert_int_equal(lines_parse(strbuf_slice(&b), "t", mem, &lines, &complaints), -1);
	assert_string_equal(shown(), "! t:1000001: more than 1000000 lines\n");
	again();
	while (b.n <= 16 << 20)
		strbuf_adds(&b, "# 4567890123456789012345678901234567890123456789012345678901\n");
	assert_int_equal(lines_parse(strbuf_slice(&b), "t", mem, &lines, &complaints), -1);
	assert_string_equal(shown(), "! t: larger than 16777216 bytes\n");
	strbuf_fini(&b);
}

/* All errors of a load are told at once; from the 101st on they are counted. */
static void
test_all_complaints(void **state)
{
	struct strbuf b = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < 150; i++)
		strbuf_adds(&b, "section\n  ok\n  \"broken\n");
	assert_int_equal(lines_parse(strbuf_slice(&b), "t", mem, &lines, &complaints), -1);
	assert_int_equal(lines.n, 300);
	assert_int_equal(complaints.n, 100);
	assert_int_equal(complaints.dropped, 50);
	assert_string_equal(complaints.text[99], "t:300:3: this quote is not closed");
	/* Once full, a broken load is a broken load still. */
	assert_int_equal(lines_parse(SLICE_LIT("\"x"), "t", mem, &lines, &complaints), -1);
	assert_int_equal(lines_parse(SLICE_LIT("x"), "t", mem, &lines, &complaints), 0);
	strbuf_fini(&b);
}

/* A folder to include from. */
static int
open_folder(void **state)
{
	char path[] = "/tmp/tocsin-test-XXXXXX";

	if (mkdtemp(path) == NULL || chdir(path) < 0)
		return -1;
	*state = strdup(path);
	return fresh(NULL);
}

static int
close_folder(void **state)
{
	char command[64];
	int rc;

	snprintf(command, sizeof(command), "rm -rf %s", (char *)*state);
	rc = chdir("/") < 0 || system(command) != 0 ? -1 : 0;
	free(*state);
	return done(NULL) | rc;
}

static void
put(const char *path, const char *text)
{
	struct err e = ERR_INIT;

	if (file_write(path, slice_of(text), 0600, &e) < 0)
		fail_msg("%s: %s", path, e.reason);
}

static void
test_include(void **state)
{
	(void)state;
	assert_int_equal(dir_make("conf/more", 0700, NULL), 0);
	put("conf/main.conf", "a\n  b\ninclude more/one.conf\nc\n  d\n");
	put("conf/more/one.conf",
	    "x\n  y\ninclude two.conf # beside one.conf\ninclude ../three.conf\n");
	put("conf/more/two.conf", "z\n");
	put("conf/three.conf", "# nothing\n");
	assert_int_equal(lines_read("conf/main.conf", mem, &lines, &complaints), 0);
	assert_string_equal(shown(), "1 1:a\n2+ 3:b\n1 1:x\n2+ 3:y\n1 1:z\n4 1:c\n5+ 3:d\n");
	assert_string_equal(lines.v[0].file, "conf/main.conf");
	assert_string_equal(lines.v[2].file, "conf/more/one.conf");
	assert_string_equal(lines.v[4].file, "conf/more/two.conf");
	assert_string_equal(lines.v[5].file, "conf/main.conf");
	again();
	/* Lines never slip into a section of another file. */
	put("conf/more/one.conf", "  stray\n  stray too\nx\n");
	put("conf/main.conf", "a\ninclude more/one.conf\n  lost\nb\n");
	assert_int_equal(lines_read("conf/main.conf", mem, &lines, &complaints), -1);
	assert_string_equal(shown(), "1 1:a\n3 1:x\n4 1:b\n"
	    "! conf/more/one.conf:1: an indented line needs a section above it in this file\n"
	    "! conf/main.conf:3: an indented line needs a section above it in this file\n");
}

static void
test_include_refused(void **state)
{
	(void)state;
	put("a.conf", "a\ninclude nothing.conf\ninclude a.conf\ninclude b.conf\ninclude -\nlast\n");
	put("b.conf", "b\ninclude ./a.conf\n");
	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(lines_read("a.conf", mem, &lines, &complaints), -1);
	assert_string_equal(shown(), "1 1:a\n1 1:b\n6 1:last\n"
	    "! a.conf:2: include 'nothing.conf': cannot open: No such file or directory\n"
	    "! a.conf:3: include 'a.conf': the file includes itself\n"
	    "! b.conf:2: include './a.conf': the file includes itself\n"
	    "! a.conf:5: include './-': cannot open: No such file or directory\n");
	again();
	/* The same file twice is no cycle, and a link to itself is one. */
	put("a.conf", "include b.conf\ninclude b.conf\ninclude link.conf\n");
	put("b.conf", "b\n");
	assert_int_equal(symlink("a.conf", "link.conf"), 0);
	assert_int_equal(lines_read("a.conf", mem, &lines, &complaints), -1);
	assert_string_equal(shown(), "1 1:b\n1 1:b\n"
	    "! a.conf:3: include 'link.conf': the file includes itself\n");
	again();
	assert_int_equal(lines_read("none.conf", mem, &lines, &complaints), -1);
	assert_string_equal(shown(), "! none.conf: cannot open: No such file or directory\n");
	again();
	assert_int_equal(lines_read("d", mem, &lines, &complaints), -1);
	assert_string_equal(shown(), "! d: not a regular file\n");
}

static void
test_include_depth(void **state)
{
	char name[16], text[32];

	(void)state;
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "%d.conf", i);
		snprintf(text, sizeof(text), "include %d.conf\nx\n", i + 1);
		put(name, text);
	}
	put("10.conf", "end\n");
	assert_int_equal(lines_read("2.conf", mem, &lines, &complaints), 0);
	assert_int_equal(lines.n, 9);
	again();
	assert_int_equal(lines_read("1.conf", mem, &lines, &complaints), -1);
	assert_int_equal(lines.n, 9);
	assert_int_equal(complaints.n, 1);
	assert_string_equal(complaints.text[0], "9.conf:1: includes are nested deeper than 8");
}

static const struct {
	const char *word, *want;
} nearest[] = {
	{ "relation", "relation" }, { "relatoin", "relation" }, { "realtion", "relation" },
	{ "relaton", "relation" }, { "Relation", "relation" }, { "vettting", "vetting" },
	{ "store-in", "stores-in" }, { "stores_in", "stores-in" }, { "pni", "pin" },
	{ "limits", "limit" },
	/* Too far, or too short to tell. */
	{ "pn", NULL }, { "x", NULL }, { "", NULL }, { "relshun", NULL }, { "zzzzzzzz", NULL },
	{ "rlt", NULL },
};
static const char *const keys[] = { "pin", "relation", "vetting", "stores-in", "limit", NULL };

static void
test_nearest(void **state)
{
	struct line at = { .file = "trust.conf", .number = 7 };
	char word[200];

	(void)state;
	for (size_t i = 0; i < sizeof(nearest) / sizeof(*nearest); i++) {
		const char *got = nearest_word(slice_of(nearest[i].word), keys);

		if (nearest[i].want == NULL ? got != NULL :
		    got == NULL || strcmp(got, nearest[i].want) != 0)
			fail_msg("'%s' gives '%s'", nearest[i].word, got == NULL ? "nothing" : got);
	}
	/* Three edits away, which is half the word: too far. */
	complain_unknown(&complaints, &at, "key", SLICE_LIT("vetted"), keys);
	complain_unknown(&complaints, &at, "key", SLICE_LIT("veting"), keys);
	memset(word, 'x', sizeof(word));
	memcpy(word + 79, "\xc3\xa9", 2);
	complain_unknown(&complaints, NULL, "key", slice_from(word, sizeof(word)), keys);
	assert_string_equal(complaints.text[0],
	    "trust.conf:7: unknown key 'vetted'");
	assert_string_equal(complaints.text[1],
	    "trust.conf:7: unknown key 'veting', did you mean 'vetting'?");
	memcpy(word + 79, "...'", 5);
	assert_memory_equal(complaints.text[2], "unknown key 'xxx", 16);
	assert_string_equal(complaints.text[2] + 13, word);
	assert_int_equal(complain(&complaints, &at, "%d of %s", 2, "three"), -1);
	assert_string_equal(complaints.text[3], "trust.conf:7: 2 of three");
}

static const struct {
	const char	*word;
	int64_t		 bytes, span_us;	/* -1: refused */
} units[] = {
	{ "0", 0, -1 }, { "1024", 1024, -1 }, { "64k", 65536, -1 },
	{ "2g", INT64_C(2147483648), -1 },
	{ "10m", 10485760, 600000000 }, { "0m", 0, 0 }, { "100ms", -1, 100000 },
	{ "15s", -1, 15000000 }, { "24h", -1, INT64_C(86400000000) },
	{ "90d", -1, INT64_C(7776000000000) }, { "3y", -1, INT64_C(94608000000000) },
	{ "", -1, -1 }, { "m", -1, -1 }, { "-1m", -1, -1 }, { "+1m", -1, -1 }, { "1 m", -1, -1 },
	{ "1M", -1, -1 }, { "1mm", -1, -1 }, { "1.5m", -1, -1 }, { "01m", -1, -1 },
	{ "1h30m", -1, -1 },
	{ "0x10", -1, -1 }, { "1kb", -1, -1 }, { "9223372036854775807", INT64_MAX, -1 },
	{ "9223372036854775808", -1, -1 }, { "8589934592g", -1, -1 },
	{ "8589934591g", INT64_C(9223372035781033984), -1 }, { "99999999999d", -1, -1 },
	{ "99999999999999999999k", -1, -1 },
};

static void
test_units(void **state)
{
	int64_t v;

	(void)state;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		struct slice w = slice_of(units[i].word);

		if (word_bytes(w, &v) != (units[i].bytes >= 0) ||
		    (units[i].bytes >= 0 && v != units[i].bytes))
			fail_msg("bytes '%s'", units[i].word);
		if (word_span_us(w, &v) != (units[i].span_us >= 0) ||
		    (units[i].span_us >= 0 && v != units[i].span_us))
			fail_msg("span '%s'", units[i].word);
	}
}

static void
test_simple_words(void **state)
{
	static const char *const yes[] = { "yes", "on", "true" };
	static const char *const no[] = { "no", "off", "false" };
	static const char *const bad_ints[] = { "", "-", "-0", "01", "+1", "1 ", "0x1", "11", "-11",
	    "1.0", "9999999999999999999999" };
	static const char *const bad_rates[] = { "", "5", "/s", "0/s", "5/", "5/m", "5/d", "1.5/s",
	    "-1/s", "5 /s", "5/s/s" };
	double rate;
	int64_t v;
	bool b;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_true(word_bool(slice_of(yes[i]), &b) && b);
		assert_true(word_bool(slice_of(no[i]), &b) && !b);
	}
	assert_false(word_bool(SLICE_LIT("Yes"), &b) || word_bool(SLICE_LIT("1"), &b) ||
	    word_bool(SLICE_EMPTY, &b));
	for (v = -10; v <= 10; v++) {
		char text[8];
		int64_t got;

		snprintf(text, sizeof(text), "%d", (int)v);
		assert_true(word_int(slice_of(text), -10, 10, &got) && got == v);
	}
	for (size_t i = 0; i < sizeof(bad_ints) / sizeof(*bad_ints); i++)
		assert_false(word_int(slice_of(bad_ints[i]), -10, 10, &v));
	assert_true(word_rate(SLICE_LIT("600/min"), &rate) && rate == 10.0);
	assert_true(word_rate(SLICE_LIT("10/s"), &rate) && rate == 10.0);
	assert_true(word_rate(SLICE_LIT("9/h"), &rate) && rate == 0.0025);
	for (size_t i = 0; i < sizeof(bad_rates) / sizeof(*bad_rates); i++)
		assert_false(word_rate(slice_of(bad_rates[i]), &rate));
	assert_true(word_date(SLICE_LIT("1970-01-01"), &v) && v == INT64_C(86399999999));
	assert_true(word_date(SLICE_LIT("2028-02-29"), &v) && v == INT64_C(1835481599999999));
	assert_false(word_date(SLICE_LIT("2027-02-29"), &v) ||
	    word_date(SLICE_LIT("2027-3-31"), &v) || word_date(SLICE_LIT("2027-03-31Z"), &v) ||
	    word_date(SLICE_EMPTY, &v));
}

static const struct {
	const char	*word;
	int		 family, prefix;
	const char	*bytes;		/* the first and the last of four or sixteen */
} networks[] = {
	{ "192.0.2.0/24", 4, 24, "\xc0\x00" }, { "192.0.2.255", 4, 32, "\xc0\xff" },
	{ "0.0.0.0/0", 4, 0, "\x00\x00" }, { "192.0.2.254/31", 4, 31, "\xc0\xfe" },
	{ "2001:db8::/32", 6, 32, "\x20\x00" }, { "2001:db8::1", 6, 128, "\x20\x01" },
	{ "::/0", 6, 0, "\x00\x00" }, { "::ffff:192.0.2.1", 6, 128, "\x00\x01" },
	{ "2001:db8:ffff:ffff:ffff:ffff:192.0.2.255", 6, 128, "\x20\xff" },
	{ "", 0, 0, NULL }, { "/24", 0, 0, NULL }, { "192.0.2.0/", 0, 0, NULL },
	{ "192.0.2.0/33", 0, 0, NULL }, { "192.0.2.0/-1", 0, 0, NULL },
	{ "192.0.2.0/024", 0, 0, NULL },
	{ "192.0.2.0/24/24", 0, 0, NULL }, { "192.0.2.1/24", 0, 0, NULL },
	{ "192.0.2", 0, 0, NULL },
	{ "192.0.2.256", 0, 0, NULL }, { "192.0.02.1", 0, 0, NULL }, { "0xc0000201", 0, 0, NULL },
	{ " 192.0.2.1", 0, 0, NULL }, { "2001:db8::1/64", 0, 0, NULL },
	{ "2001:db8::/129", 0, 0, NULL },
	{ "fe80::1%eth0", 0, 0, NULL }, { "[::1]", 0, 0, NULL }, { ":::", 0, 0, NULL },
	{ "2001:0db8:0000:0000:0000:0000:0000:0000:0000:0001", 0, 0, NULL },
	{ "host.example", 0, 0, NULL },
};

static void
test_cidr(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(networks) / sizeof(*networks); i++) {
		int family = 0, prefix = 0;
		uint8_t addr[16];
		bool ok = word_cidr(slice_of(networks[i].word), &family, addr, &prefix);

		if (ok != (networks[i].bytes != NULL))
			fail_msg("'%s' is %s", networks[i].word, ok ? "taken" : "refused");
		if (!ok)
			continue;
		assert_int_equal(family, networks[i].family);
		assert_int_equal(prefix, networks[i].prefix);
		assert_int_equal(addr[0], (uint8_t)networks[i].bytes[0]);
		assert_int_equal(addr[family == 4 ? 3 : 15], (uint8_t)networks[i].bytes[1]);
		for (int j = 4; family == 4 && j < 16; j++)
			assert_int_equal(addr[j], 0);
	}
	assert_false(word_cidr(slice_from("::\0001", 4), &(int){ 0 }, (uint8_t[16]){ 0 },
	    &(int){ 0 }));
}

/* The example of the shared policy page, when it is there: every line of it lexes. */
static void
test_shared_example(void **state)
{
	struct strbuf page = STRBUF_INIT;
	const char *begin, *end;
	size_t sections = 0;

	(void)state;
	if (!file_exists("../shared/policy.md"))
		skip();
	assert_int_equal(file_read("../shared/policy.md", 1 << 20, &page, NULL), 0);
	begin = strstr(page.p, "### 1.3");
	assert_non_null(begin);
	begin = strstr(begin, "\n```\n");
	assert_non_null(begin);
	end = strstr(begin + 5, "\n```\n");
	assert_non_null(end);
	lines_parse(slice_from(begin + 5, (size_t)(end - begin - 4)), "trust.conf", mem, &lines,
	    &complaints);
	/* The include is all that text in memory cannot do. */
	assert_int_equal(complaints.n, 1);
	assert_non_null(strstr(complaints.text[0], "include is not possible"));
	for (size_t i = 0; i < lines.n; i++)
		sections += !lines.v[i].indented;
	assert_true(sections > 20);
	assert_true(lines.n > 150);
	strbuf_fini(&page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_shared_example, fresh, done),
		cmocka_unit_test_setup_teardown(test_grammar, fresh, done),
		cmocka_unit_test_setup_teardown(test_limits, fresh, done),
		cmocka_unit_test_setup_teardown(test_all_complaints, fresh, done),
		cmocka_unit_test_setup_teardown(test_include, open_folder, close_folder),
		cmocka_unit_test_setup_teardown(test_include_refused, open_folder, close_folder),
		cmocka_unit_test_setup_teardown(test_include_depth, open_folder, close_folder),
		cmocka_unit_test_setup_teardown(test_nearest, fresh, done),
		cmocka_unit_test_setup_teardown(test_units, fresh, done),
		cmocka_unit_test_setup_teardown(test_simple_words, fresh, done),
		cmocka_unit_test_setup_teardown(test_cidr, fresh, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
