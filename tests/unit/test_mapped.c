/* If this fails, an in-house record is misread, loses a value on its way through STIX, or gets a
 * laxer label than its sender gave it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "formats/mapped_impl.h"
#include "formats/pattern.h"
#include "gateway/base/file.h"
#include "tests/unit/mem_kit.h"

#define RECEIVED	"2024-06-01T12:00:00Z"
#define HEAD_CSV	"mapping t\n format csv\n record indicator key id\n field kind -> type\n"	\
			" field value -> value\n"
#define COUNT(a)	(sizeof(a) / sizeof(*(a)))
#define BYTES(s)	{ s, sizeof(s) - 1 }
#define HEAD_JSON	"mapping t\n format json records \"\"\n"

/* ---- helpers ---------------------------------------------------------------------------------- */

static struct mapping *
mapping_of(const char *text)
{
	struct complaints c = { .mem = mem };
	struct mapping *m = mapping_parse(slice_of(text), "t.map", mem, &c);

	for (size_t i = 0; i < c.n; i++)
		print_error("%s\n", c.text[i]);
	assert_non_null(m);
	return m;
}

static int
try_read(const struct mapping *m, struct slice text, struct advisory **adv, struct loss *loss,
    struct err *e)
{
	struct read_job job = { .in = text, .input = "test", .mapping = m, .loss = loss,
	    .received = SLICE_LIT(RECEIVED) };

	*adv = arena_alloc(mem, sizeof(**adv));
	*e = (struct err)ERR_INIT;
	return format_mapped.read(&job, mem, *adv, e);
}

static struct advisory *
read_text(const struct mapping *m, struct slice text)
{
	struct advisory *adv;
	struct err e;
	char buf[700];

	if (try_read(m, text, &adv, NULL, &e) < 0)
		fail_msg("%s", err_text(&e, buf, sizeof(buf)));
	return adv;
}

static struct slice
write_text(const struct mapping *m, const struct advisory *adv, struct loss *loss)
{
	struct write_job job = { .adv = adv, .mapping = m, .received = SLICE_LIT(RECEIVED),
	    .loss = loss };
	struct strbuf out = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct slice s;

	if (format_mapped.write(&job, mem, &out, &e) < 0)
		fail_msg("%s", e.reason);
	s = arena_slice(mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return s;
}

/* The nth object of a type, NULL if there are fewer. */
static json *
object_of(const struct advisory *adv, const char *type, size_t n)
{
	for (size_t i = 0; i < adv->n; i++)
		if (slice_is(adv->objects[i].type, type) && n-- == 0)
			return adv->objects[i].tree;
	return NULL;
}

static size_t
count_of(const struct advisory *adv, const char *type)
{
	size_t n = 0;

	while (object_of(adv, type, n) != NULL)
		n++;
	return n;
}

static void
assert_slice(struct slice s, const char *want)
{
	if (!slice_is(s, want))
		fail_msg("got \"%.*s\", wanted \"%s\"", SLICE_ARG(s), want);
}

static void
assert_member(const json *o, const char *name, const char *want)
{
	assert_slice(json_member(o, name), want);
}

static const char *
label_of(const json *o)
{
	enum tlp t = tlp_of_marking_id(json_slice(json_first(json_get(o, "object_marking_refs"))));

	return tlp_word(t);
}

/* ---- mapping files ---------------------------------------------------------------------------- */

static void
test_complaints(void **state)
{
	static const struct { const char *text, *want; } cases[] = {
		{ " format csv\n", "t.map:1" },
		{ "mapping t\n", "no `format` line" },
		{ "mapping t\n format cvs\n", "did you mean 'csv'" },
		{ "mapping t\n format csv delimitre ;\n", "did you mean 'delimiter'" },
		{ "mapping t\n format csv delimiter ab\n", "not one character" },
		{ "mapping t\n format csv encoding latin-9\n", "unknown encoding" },
		{ "mapping t\n format csv header no\n record indicator\n field a -> type\n",
		    "needs a `columns` line" },
		{ "mapping t\n format xml\n", "needs `records PATH`" },
		{ "mapping t\n format xml records /x:a/x:b\n", "no `namespace` line" },
		{ "mapping t\n format xml records //a\n", "not a name" },
		{ "mapping t\n format json records data\n", "starts with /" },
		{ HEAD_CSV " field a -> valeu\n", "t.map:6: unknown target 'valeu', did you mean 'value'" },
		{ HEAD_CSV " field a => value\n", "SOURCE -> TARGET" },
		{ HEAD_CSV " field a -> name shout\n", "unknown word 'shout'" },
		{ HEAD_CSV " field a -> tlp table G green, P purple\n", "\"purple\" is not a TLP" },
		{ HEAD_CSV " field a -> type table x nonsense\n", "no kind of value" },
		{ HEAD_CSV " field a -> confidence default 200\n", "0 to 100" },
		{ HEAD_CSV " field a -> valid_from time %d.%m\n", "day, month and year" },
		{ HEAD_CSV " field a -> valid_from time %d.%m.%Q\n", "may hold" },
		{ HEAD_CSV " field a -> valid_from time %d.%m.%Y zone Mars/Olympus\n", "time zone" },
		{ HEAD_CSV " field a -> valid_from time %d.%m.%Y zone ../../etc/passwd\n",
		    "no time zone" },
		{ HEAD_CSV " field a -> name time rfc3339\n", "name is no time" },
		{ HEAD_CSV " field a -> name template \"x{\"\n", "{ without }" },
		{ HEAD_CSV " default tlp purple\n", "\"purple\" is not a TLP" },
		{ HEAD_CSV " when a among b\n", "unknown condition" },
		{ HEAD_CSV " record report\n", "one record line" },
		{ HEAD_CSV "children x\n record indicator\n field a -> type\n", "no children" },
		{ HEAD_CSV "mapping u\n", "one mapping" },
		{ HEAD_CSV " producer X id identity--1\n", "id of an identity" },
		{ "mapping t\n format json\n record report\n field /a -> report\n", "belong to a report" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct complaints c = { .mem = mem };
		bool found = false;

		assert_null(mapping_parse(slice_of(cases[i].text), "t.map", mem, &c));
		for (size_t k = 0; k < c.n; k++)
			found |= strstr(c.text[k], cases[i].want) != NULL;
		if (!found)
			fail_msg("case %zu: no complaint \"%s\" but \"%s\"", i, cases[i].want,
			    c.n > 0 ? c.text[0] : "");
	}
}

static void
test_shipped_mappings(void **state)
{
	static const char *const names[] = { "abuse-csv", "sensor-json", "partner-xml" };
	struct complaints c = { .mem = mem };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct mapping *m = mapping_find("conf/mappings", slice_of(names[i]), mem, &c);

		assert_non_null(m);
		assert_slice(mapping_name(m), names[i]);
	}
	assert_int_equal(c.n, 0);
	assert_null(mapping_find("conf/mappings", SLICE_LIT("abuse-cvs"), mem, &c));
	assert_non_null(strstr(c.text[0], "did you mean 'abuse-csv'"));
	assert_null(mapping_find("conf/mappings", SLICE_LIT("../trust"), mem, &c));
}

/* ---- time ------------------------------------------------------------------------------------- */

static void
test_times(void **state)
{
	static const struct {
		enum map_time_form form;
		const char *format, *zone, *text, *utc;
		bool back;
	} cases[] = {
		{ TIME_FORMAT, "%d.%m.%Y %H:%M", "+01:00", "03.02.2024 14:05",
		    "2024-02-03T13:05:00Z", true },
		{ TIME_FORMAT, "%d.%m.%Y %H:%M", "+01:00", "3.2.2024 14:05",
		    "2024-02-03T13:05:00Z", false },
		{ TIME_FORMAT, "%Y-%m-%d %H:%M:%S.%f", NULL, "2024-02-29 23:59:59.1230",
		    "2024-02-29T23:59:59.1230Z", true },
		{ TIME_FORMAT, "%d %b %Y", "-03:30", "01 Jan 2024", "2024-01-01T03:30:00Z", true },
		{ TIME_FORMAT, "%Y%m%d%H%M%S%z", NULL, "20240101000000+05:45",
		    "2023-12-31T18:15:00Z", false },
		{ TIME_FORMAT, "%y/%m/%d", NULL, "69/01/02", "1969-01-02T00:00:00Z", true },
		{ TIME_FORMAT, "%d.%m.%Y", NULL, "29.02.2023", NULL, false },
		{ TIME_FORMAT, "%d.%m.%Y", NULL, "01.01.2024 ", NULL, false },
		{ TIME_FORMAT, "%d.%m.%Y %H:%M", NULL, "01.01.2024 24:00", NULL, false },
		{ TIME_EPOCH, "", NULL, "1709280000.25", "2024-03-01T08:00:00.25Z", true },
		{ TIME_EPOCH, "", NULL, "0", "1970-01-01T00:00:00Z", true },
		{ TIME_EPOCH, "", NULL, "-5", NULL, false },
		{ TIME_EPOCH, "", NULL, "1e9", NULL, false },
		{ TIME_EPOCH, "", NULL, "99999999999999", NULL, false },
		{ TIME_EPOCH_MS, "", NULL, "1709280000250", "2024-03-01T08:00:00.250Z", true },
		{ TIME_EPOCH_MS, "", NULL, "1709280000000", "2024-03-01T08:00:00Z", true },
		{ TIME_RFC3339, "", NULL, "2024-03-01T09:30:00.50+02:00",
		    "2024-03-01T07:30:00.50Z", false },
		{ TIME_RFC3339, "", NULL, "2024-03-01", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct map_time t = { cases[i].form, slice_of(cases[i].format), NULL };
		struct slice utc = SLICE_EMPTY, back = SLICE_EMPTY;

		if (cases[i].zone != NULL)
			t.zone = map_zone_load(slice_of(cases[i].zone), mem, NULL);
		if (map_time_read(&t, slice_of(cases[i].text), mem, &utc) != (cases[i].utc != NULL))
			fail_msg("case %zu: %s", i, cases[i].text);
		if (cases[i].utc == NULL)
			continue;
		assert_slice(utc, cases[i].utc);
		assert_true(map_time_write(&t, utc, mem, &back));
		if (cases[i].back)
			assert_slice(back, cases[i].text);
	}
}

static void
test_zones(void **state)
{
	static const struct { const char *zone, *local, *utc; } cases[] = {
		{ "Europe/Madrid", "2024-01-15 09:30", "2024-01-15T08:30:00Z" },
		{ "Europe/Madrid", "2024-07-15 09:30", "2024-07-15T07:30:00Z" },
		{ "Europe/Madrid", "2024-03-31 01:59", "2024-03-31T00:59:00Z" },
		{ "Europe/Madrid", "2024-03-31 02:30", "2024-03-31T01:30:00Z" },	/* skipped */
		{ "Europe/Madrid", "2024-03-31 03:00", "2024-03-31T01:00:00Z" },
		{ "Europe/Madrid", "2024-10-27 02:30", "2024-10-27T00:30:00Z" },	/* twice */
		{ "Europe/Madrid", "2024-10-27 03:00", "2024-10-27T02:00:00Z" },
		{ "Europe/Madrid", "2061-07-15 09:30", "2061-07-15T07:30:00Z" },	/* by rule */
		{ "Europe/Madrid", "2061-12-15 09:30", "2061-12-15T08:30:00Z" },
		{ "Australia/Sydney", "2061-01-15 09:30", "2061-01-14T22:30:00Z" },
		{ "Australia/Sydney", "2061-07-15 09:30", "2061-07-14T23:30:00Z" },
		{ "Asia/Kolkata", "2050-01-01 00:00", "2049-12-31T18:30:00Z" },
		{ "Europe/Madrid", "1890-01-01 00:00", "1890-01-01T00:14:44Z" },	/* local mean time */
		{ "UTC", "2024-07-15 09:30", "2024-07-15T09:30:00Z" },
	};
	struct map_time t = { TIME_FORMAT, SLICE_LIT("%Y-%m-%d %H:%M"), NULL };
	struct slice utc;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err e = ERR_INIT;

		t.zone = map_zone_load(slice_of(cases[i].zone), mem, &e);
		if (t.zone == NULL)
			fail_msg("%s", e.reason);
		assert_true(map_time_read(&t, slice_of(cases[i].local), mem, &utc));
		assert_slice(utc, cases[i].utc);
	}
}

/* ---- values ----------------------------------------------------------------------------------- */

static void
test_kinds(void **state)
{
	static const struct { const char *kind, *text, *type, *value, *port; } cases[] = {
		{ "ip", "198.51.100.23", "ipv4", "198.51.100.23", "" },
		{ "ip", "198[.]51.100[.]23:8080", "ipv4", "198.51.100.23", "8080" },
		{ "ip", "[2001:DB8::1]:443", "ipv6", "2001:db8::1", "443" },
		{ "ip", "2001:DB8::1", "ipv6", "2001:db8::1", "" },
		{ "ip", "198.51.100.0/25", "ipv4-net", "198.51.100.0/25", "" },
		{ "ip", "198.51.100.7/32", "ipv4", "198.51.100.7", "" },
		{ "ip", "999.1.2.3", NULL, NULL, NULL },
		{ "ip", "198.51.100.23:70000", NULL, NULL, NULL },
		{ "ip", "evil.example", NULL, NULL, NULL },
		{ "host", "Bad.EXAMPLE.", "domain", "bad.example", "" },
		{ "host", "999.1.2.3", NULL, NULL, NULL },
		{ "host", "a@b.example", NULL, NULL, NULL },
		{ "host-or-url", "hxxp://evil[.]example/a?b=1", "url", "http://evil.example/a?b=1", "" },
		{ "host-or-url", "b\xc3\xbc" "cher.example", "domain", "b\xc3\xbc" "cher.example", "" },
		{ "hash", "D41D8CD98F00B204E9800998ECF8427E", "md5",
		    "d41d8cd98f00b204e9800998ecf8427e", "" },
		{ "hash", "abc", NULL, NULL, NULL },
		{ "hash", "z41d8cd98f00b204e9800998ecf8427e", NULL, NULL, NULL },
		{ "auto", "a@b.example", "email", "a@b.example", "" },
		{ "auto", "word", NULL, NULL, NULL },
		{ "sha256", "d41d8cd98f00b204e9800998ecf8427e", NULL, NULL, NULL },
		{ "asn", "AS64500", "asn", "64500", "" },
		{ "cve", "CVE-2024-1", NULL, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct map_atom a = { 0 };
		struct err e = ERR_INIT;
		int rc = map_value_parse(slice_of(cases[i].kind), slice_of(cases[i].text), mem, &a,
		    &e);

		if ((rc == 0) != (cases[i].type != NULL))
			fail_msg("%s %s: %s", cases[i].kind, cases[i].text, e.reason);
		if (rc < 0)
			continue;
		assert_slice(a.type, cases[i].type);
		assert_slice(a.value, cases[i].value);
		assert_slice(a.port, cases[i].port);
	}
}

/* What a record of named targets looks for, and that its pattern is legal. */
static void
test_patterns(void **state)
{
	static const struct { const char *row, *pattern; } cases[] = {
		{ "{\"ip\":\"198.51.100.1\"}", "[ipv4-addr:value = '198.51.100.1']" },
		{ "{\"ip\":[\"198.51.100.1\",\"2001:db8::1\"],\"dom\":\"e.example\"}",
		    "[ipv4-addr:value = '198.51.100.1'] OR [ipv6-addr:value = '2001:db8::1'] OR "
		    "[domain-name:value = 'e.example']" },
		{ "{\"fn\":\"it's.exe\",\"fs\":12,\"md5\":\"D41D8CD98F00B204E9800998ECF8427E\"}",
		    "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e' AND "
		    "file:name = 'it\\'s.exe' AND file:size = 12]" },
		{ "{\"src\":\"192.0.2.0/24\",\"dp\":25,\"proto\":\"TCP\"}",
		    "[network-traffic:src_ref.value ISSUBSET '192.0.2.0/24' AND "
		    "network-traffic:dst_port = 25 AND network-traffic:protocols[*] = 'tcp']" },
		{ "{\"as\":\"AS64500\",\"key\":\"HKLM\\\\Software\\\\X\"}",
		    "[autonomous-system:number = 64500] OR "
		    "[windows-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\Software\\\\X']" },
	};
	struct mapping *m = mapping_of(HEAD_JSON " record indicator\n field /ip -> ip\n"
	    " field /dom -> domain\n field /fn -> file.name\n field /fs -> file.size\n"
	    " field /md5 -> file.md5\n field /src -> traffic.src\n field /dp -> traffic.dst_port\n"
	    " field /proto -> traffic.protocol\n field /as -> asn\n field /key -> regkey\n");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *text = arena_fmt(mem, "[%s]", cases[i].row);
		struct advisory *adv = read_text(m, slice_of(text));

		if (adv->nverdicts > 0)
			fail_msg("%s: %s", cases[i].row, adv->verdicts[0].err.reason);
		assert_member(object_of(adv, "indicator", 0), "pattern", cases[i].pattern);
		assert_non_null(pattern_parse(slice_of(cases[i].pattern), mem, NULL));
		/* and back, whatever the pattern's shape */
		adv = read_text(m, write_text(m, adv, NULL));
		assert_member(object_of(adv, "indicator", 0), "pattern", cases[i].pattern);
	}
}

/* ---- CSV -------------------------------------------------------------------------------------- */

static void
test_csv_forms(void **state)
{
	struct mapping *m = mapping_of("mapping t\n format csv skip 1 comment \"//\"\n"
	    " record indicator key id\n field ip -> ipv4\n field what -> description\n");
	struct advisory *adv = read_text(m, SLICE_LIT("\xef\xbb\xbf" "exported today\r\n"
	    "// remark\r\nid,what,ip\r\n\r\n1,\"a,\r\nb \"\"c\"\"\",198.51.100.1\r\n"
	    "// \"remark\r\n2,d\"e,198.51.100.2"));

	(void)state;
	assert_int_equal(adv->nverdicts, 0);
	assert_int_equal(count_of(adv, "indicator"), 2);
	assert_member(object_of(adv, "indicator", 0), "description", "a,\r\nb \"c\"");
	assert_member(object_of(adv, "indicator", 1), "description", "d\"e");
}

static void
test_csv_encodings(void **state)
{
	static const char *const rows = " record indicator key id\n field ip -> ipv4\n"
	    " field what -> description\n";
	struct mapping *latin = mapping_of(arena_fmt(mem,
	    "mapping t\n format csv encoding iso-8859-1\n%s", rows));
	struct mapping *cp = mapping_of(arena_fmt(mem,
	    "mapping t\n format csv encoding windows-1252\n%s", rows));
	struct mapping *utf = mapping_of(arena_fmt(mem, "mapping t\n format csv\n%s", rows));
	struct slice text = SLICE_LIT("id,ip,what\n1,198.51.100.1,\x80 a\xf1o\n");
	struct advisory *adv = read_text(latin, text);

	(void)state;
	assert_member(object_of(adv, "indicator", 0), "description", "\xc2\x80 a\xc3\xb1o");
	assert_memory_equal(write_text(latin, adv, NULL).p, text.p, text.n);
	adv = read_text(cp, text);
	assert_member(object_of(adv, "indicator", 0), "description", "\xe2\x82\xac a\xc3\xb1o");
	assert_memory_equal(write_text(cp, adv, NULL).p, text.p, text.n);
	adv = read_text(utf, text);
	assert_int_equal(adv->nverdicts, 1);
	assert_string_equal(adv->verdicts[0].code, "BAD_ENCODING");
	assert_int_equal(adv->verdicts[0].err.at.line, 2);
}

static void
test_csv_whole_file_errors(void **state)
{
	static const struct { const char *text; enum err_code code; } cases[] = {
		{ "", ERR_MISSING }, { "id,kind\n", ERR_MISSING },
		{ "id,kind,value,id\n", ERR_DUPLICATE }, { "id,\"kind,value\n", ERR_SYNTAX },
	};
	struct mapping *m = mapping_of(HEAD_CSV);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct advisory *adv;
		struct err e;

		assert_int_equal(try_read(m, slice_of(cases[i].text), &adv, NULL, &e), -1);
		assert_int_equal(e.code, cases[i].code);
	}
}

static void
test_limits(void **state)
{
	struct mapping *m = mapping_of(HEAD_CSV);
	struct slice text = SLICE_LIT("id,kind,value\n1,ip,192.0.2.1\n2,ip,\"192.0.2.2"
	    "                                      \"\n3,ip,192.0.2.3\n");
	struct read_job job = { .in = text, .input = "t", .mapping = m,
	    .received = SLICE_LIT(RECEIVED), .limits = { .object_bytes = 30 } };
	struct advisory adv = { 0 };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(format_mapped.read(&job, mem, &adv, &e), 0);
	assert_int_equal(count_of(&adv, "indicator"), 2);
	assert_int_equal(adv.nverdicts, 1);
	assert_string_equal(adv.verdicts[0].code, "TOO_LARGE");
	job.limits = (struct format_limits){ .objects = 2 };
	assert_int_equal(format_mapped.read(&job, mem, &adv, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	job.limits = (struct format_limits){ .bytes = 20 };
	assert_int_equal(format_mapped.read(&job, mem, &adv, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
}

/* ---- records ---------------------------------------------------------------------------------- */

static void
test_ids(void **state)
{
	struct mapping *m = mapping_of(HEAD_CSV);
	struct slice parts[2] = { SLICE_LIT("a|b"), SLICE_LIT("") };
	struct advisory *adv = read_text(m, SLICE_LIT("id,kind,value\n\"a|b\",ip,192.0.2.1\n"));
	char uuid[UUID_TEXT + 1];

	(void)state;
	uuid_v5(uuid_ns_tocsin, SLICE_LIT("inhouse|t|indicator|a\\|b"), uuid);
	assert_member(object_of(adv, "indicator", 0), "id", arena_fmt(mem, "indicator--%s", uuid));
	uuid_v5(uuid_ns_tocsin, SLICE_LIT("inhouse|t|report|a\\|b|"), uuid);
	assert_slice(map_id(m, mem, "report", parts, 2), arena_fmt(mem, "report--%s", uuid));
	/* no time of its own: `received` */
	assert_member(object_of(adv, "indicator", 0), "created", "2024-06-01T12:00:00.000Z");
	assert_member(object_of(adv, "indicator", 0), "valid_from", "2024-06-01T12:00:00.000Z");
}

static void
test_same_key(void **state)
{
	struct mapping *m = mapping_of(HEAD_CSV " field at -> valid_from time epoch\n");
	struct advisory *adv = read_text(m, SLICE_LIT("id,kind,value,at\n1,ip,192.0.2.1,10\n"
	    "1,ip,192.0.2.1,10\n1,ip,192.0.2.9,10\n1,ip,192.0.2.9,20\n,ip,192.0.2.1,10\n"));
	struct slice out;

	(void)state;
	assert_int_equal(count_of(adv, "indicator"), 2);	/* the first, and its later version */
	assert_int_equal(adv->nverdicts, 2);
	assert_string_equal(adv->verdicts[0].code, "MISSING_FIELD");
	assert_string_equal(adv->verdicts[1].code, "DUPLICATE_KEY");
	assert_int_equal(adv->verdicts[1].err.at.line, 4);
	out = write_text(m, adv, NULL);
	assert_slice(out, "id,kind,value,at\n1,ip,192.0.2.9,20\n");
}

static void
test_labels(void **state)
{
	struct mapping *m = mapping_of(HEAD_CSV " default tlp amber\n field tlp -> tlp\n"
	    " field fam -> malware\n");
	struct advisory *adv = read_text(m, SLICE_LIT("id,kind,value,tlp,fam\n"
	    "1,ip,192.0.2.1,green,Otter\n2,ip,192.0.2.2,RED,Otter\n3,ip,192.0.2.3,,Stoat\n"
	    "4,ip,192.0.2.4,TLP:CLEAR,\n5,ip,192.0.2.5,purple,\n6,ip,192.0.2.6,amber+strict,\n"));

	(void)state;
	assert_string_equal(label_of(object_of(adv, "indicator", 0)), "green");
	assert_string_equal(label_of(object_of(adv, "indicator", 1)), "red");
	assert_string_equal(label_of(object_of(adv, "indicator", 2)), "amber");
	assert_string_equal(label_of(object_of(adv, "indicator", 3)), "clear");
	assert_string_equal(label_of(object_of(adv, "indicator", 4)), "amber+strict");
	assert_int_equal(adv->nverdicts, 1);
	/* two records speak of Otter: the stricter label holds for it */
	assert_string_equal(label_of(object_of(adv, "malware", 0)), "red");
	assert_string_equal(label_of(object_of(adv, "malware", 1)), "amber");
	assert_string_equal(label_of(object_of(adv, "relationship", 0)), "green");
	assert_int_equal(count_of(adv, "marking-definition"), 5);
}

static void
test_children_inherit(void **state)
{
	struct mapping *m = mapping_of(HEAD_JSON " record report key /n\n field /t -> name required\n"
	    " field /tlp -> tlp\n field /who -> creator.name\nchildren /iocs\n record indicator\n"
	    " field /ip -> ip\n field /tlp -> tlp\n");
	struct advisory *adv = read_text(m, SLICE_LIT("[{\"n\":1,\"t\":\"T\",\"tlp\":\"red\","
	    "\"who\":\"W\",\"iocs\":[{\"ip\":\"192.0.2.1\"},{\"ip\":\"192.0.2.2\",\"tlp\":\"green\"},"
	    "{\"ip\":\"x\"}]},{\"n\":2,\"iocs\":[{\"ip\":\"192.0.2.3\"}]}]"));
	json *report = object_of(adv, "report", 0);
	struct slice text;

	(void)state;
	assert_int_equal(count_of(adv, "report"), 1);
	assert_int_equal(count_of(adv, "indicator"), 2);	/* not that of the refused report */
	assert_int_equal(json_count(json_get(report, "object_refs")), 2);
	assert_string_equal(label_of(object_of(adv, "indicator", 0)), "red");
	assert_string_equal(label_of(object_of(adv, "indicator", 1)), "green");
	assert_member(object_of(adv, "indicator", 0), "created_by_ref",
	    json_str(json_get(object_of(adv, "identity", 0), "id")));
	assert_int_equal(adv->nverdicts, 2);
	text = write_text(m, adv, NULL);
	assert_slice(text, "[{\"iocs\":[{\"ip\":\"192.0.2.1\"},{\"ip\":\"192.0.2.2\","
	    "\"tlp\":\"green\"}],\"t\":\"T\",\"tlp\":\"red\",\"who\":\"W\",\"n\":1}]\n");
}

static void
test_when_const_default_template(void **state)
{
	struct mapping *m = mapping_of("mapping t\n format csv\n record indicator key id\n"
	    " when state in live checked\n when ip present\n field ip -> ipv4\n"
	    " field conf -> confidence table low 15, high 85 unknown residue default 50\n"
	    " field place -> labels template \"{id} is at {}\"\n field tags -> labels split |\n"
	    " const anomalous-activity -> indicator_types\n field secret -> x:secret\n");
	struct slice text = SLICE_LIT("id,state,ip,conf,place,tags,secret\n1,live,192.0.2.1,high,Vigo,"
	    "a| b ,s\n2,draft,192.0.2.2,,,,\n3,checked,,,,,\n4,live,192.0.2.4,odd,,,\n"
	    "5,live,192.0.2.5,,,,\n");
	struct advisory *adv = read_text(m, text);
	json *o = object_of(adv, "indicator", 0);
	struct strbuf b = STRBUF_INIT;
	int64_t n;

	(void)state;
	assert_int_equal(adv->nverdicts, 1);
	assert_string_equal(adv->verdicts[0].code, "SKIPPED");
	assert_int_equal(count_of(adv, "indicator"), 3);
	json_print(&b, json_get(o, "labels"));
	assert_string_equal(b.p, "[\"1 is at Vigo\",\"a\",\"b\"]");
	strbuf_fini(&b);
	assert_slice(json_slice(json_first(json_get(o, "indicator_types"))), "anomalous-activity");
	assert_true(json_int(json_get(o, "confidence"), &n) && n == 85);
	assert_true(json_int(json_get(object_of(adv, "indicator", 1), "confidence"), &n) && n == 50);
	assert_true(json_int(json_get(object_of(adv, "indicator", 2), "confidence"), &n) && n == 50);
	assert_slice(write_text(m, adv, NULL), "id,state,ip,conf,place,tags,secret\n"
	    "1,live,192.0.2.1,high,Vigo,\"a| b \",s\n4,live,192.0.2.4,odd,,,\n"
	    "5,live,192.0.2.5,,,,\n");
}

static void
test_groups(void **state)
{
	struct mapping *m = mapping_of(HEAD_CSV " container grouping \"Night list\"\n"
	    " field tlp -> tlp\n field rep -> report\n");
	struct advisory *adv = read_text(m, SLICE_LIT("id,kind,value,tlp,rep\n"
	    "1,ip,192.0.2.1,green,A\n2,ip,192.0.2.2,amber,A\n3,ip,192.0.2.3,green,\n"));
	json *report = object_of(adv, "report", 0), *all = object_of(adv, "grouping", 0);

	(void)state;
	assert_member(report, "name", "A");
	assert_int_equal(json_count(json_get(report, "object_refs")), 2);
	assert_string_equal(label_of(report), "amber");
	assert_member(all, "name", "Night list");
	assert_int_equal(json_count(json_get(all, "object_refs")), 3);
	assert_string_equal(label_of(all), "amber");
	assert_slice(write_text(m, adv, NULL), "id,kind,value,tlp,rep\n"
	    "1,ip,192.0.2.1,green,A\n2,ip,192.0.2.2,amber,A\n3,ip,192.0.2.3,green,\n");
}

/* ---- the way back ----------------------------------------------------------------------------- */

/* An object that was changed after it came in is written as it is now. */
static void
test_changed_object(void **state)
{
	struct mapping *m = mapping_of(HEAD_CSV " field what -> description\n field tlp -> tlp\n"
	    " default tlp green\n");
	struct advisory *adv = read_text(m, SLICE_LIT("id,kind,value,what,tlp,extra\n"
	    "1,ip,198[.]51.100.7, old ,,kept\n")), *changed = arena_alloc(mem, sizeof(*changed));
	json *o = json_copy(mem, object_of(adv, "indicator", 0)), *refs;
	struct err e = ERR_INIT;

	(void)state;
	assert_slice(write_text(m, adv, NULL), "id,kind,value,what,tlp,extra\n"
	    "1,ip,198[.]51.100.7,\" old \",,kept\n");
	json_put_str(mem, o, "description", SLICE_LIT("new"));
	json_put_str(mem, o, "pattern", SLICE_LIT("[url:value = 'http://x.example/']"));
	refs = json_list(mem);
	json_push(refs, json_string(mem, slice_of(tlp_marking_id(TLP_RED))));
	json_put(mem, o, "object_marking_refs", refs);
	assert_int_equal(advisory_mint(changed, mem, o, &e), 0);
	assert_slice(write_text(m, changed, NULL), "id,kind,value,what,tlp,extra\n"
	    "1,url,http://x.example/,new,RED,kept\n");
}

/* Objects that never were records. */
static void
test_foreign_objects(void **state)
{
	static const char bundle[] = "{\"type\":\"bundle\",\"id\":"
	    "\"bundle--00000000-0000-4000-8000-000000000001\",\"objects\":["
	    "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":"
	    "\"indicator--00000000-0000-4000-8000-00000000000%c\",\"created\":"
	    "\"2024-01-01T00:00:00.000Z\",\"modified\":\"2024-01-0%cT00:00:00.000Z\","
	    "\"pattern_type\":\"stix\",\"valid_from\":\"2024-01-01T00:00:00Z\",\"pattern\":\"%s\"%s}]}";
	static const struct { char id, day; const char *pattern, *more, *want; } cases[] = {
		{ '2', '1', "[ipv4-addr:value = '1.2.3.4']", ",\"confidence\":85",
		    "indicator--00000000-0000-4000-8000-000000000002,host,1.2.3.4,high\n" },
		{ '3', '1', "[ipv4-addr:value IN ('1.2.3.4','5.6.7.0/24') OR url:value = 'http://a.b/']",
		    "", "indicator--00000000-0000-4000-8000-000000000003,host,1.2.3.4,\n"
		    "indicator--00000000-0000-4000-8000-000000000003,host,5.6.7.0/24,\n"
		    "indicator--00000000-0000-4000-8000-000000000003,link,http://a.b/,\n" },
		{ '4', '1', "[network-traffic:dst_ref.value = '2001:db8::1' AND "
		    "network-traffic:dst_port = 80]", "",
		    "indicator--00000000-0000-4000-8000-000000000004,host,[2001:db8::1]:80,\n" },
		{ '5', '1', "[ipv4-addr:value = '1.2.3.4']", ",\"revoked\":true", "" },
		{ '6', '1', "[process:pid = 4]", "", "" },
		{ '7', '1', "[mutex:name = 'x']", "", "" },	/* the table has no word for it */
	};
	struct mapping *m = mapping_of("mapping t\n format csv\n record indicator key id\n"
	    " field kind -> type table host ip, name domain, link url unknown reject required\n"
	    " field value -> value required\n field conf -> confidence table high 85\n");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *text = arena_fmt(mem, bundle, cases[i].id, cases[i].day, cases[i].pattern,
		    cases[i].more);
		struct read_job job = { .in = slice_of(text), .input = "t",
		    .received = SLICE_LIT(RECEIVED) };
		struct advisory adv = { 0 };
		struct err e = ERR_INIT;
		struct loss loss;

		loss_init(&loss, mem);
		assert_int_equal(format_stix21.read(&job, mem, &adv, &e), 0);
		assert_int_equal(adv.n, 1);
		assert_slice(write_text(m, &adv, &loss), arena_fmt(mem, "id,kind,value,conf\n%s",
		    cases[i].want));
		if (cases[i].want[0] == '\0')
			assert_true(loss.count[LOSS_DROPPED] > 0);
	}
}

/* What a format has no word for becomes stronger, or is not written; never weaker. */
static void
test_labels_out(void **state)
{
	static const struct { const char *rows; enum tlp tlp; const char *want; } cases[] = {
		{ " field l -> tlp table G green, R red unknown reject\n", TLP_GREEN, "1.2.3.4,G" },
		{ " field l -> tlp table G green, R red unknown reject\n", TLP_AMBER, "1.2.3.4,R" },
		{ " field l -> tlp table G green, R red unknown reject\n", TLP_CLEAR, "1.2.3.4,G" },
		{ " field l -> tlp table G green unknown reject\n", TLP_AMBER, "" },
		{ " field l -> tlp table G green, A amber\n default tlp green\n", TLP_UNSET,
		    "1.2.3.4,A" },
		{ " field l -> tlp table G green, A amber\n", TLP_UNSET, "1.2.3.4," },
		{ " const green -> tlp\n field l -> lang\n", TLP_GREEN, "1.2.3.4," },
		{ " const green -> tlp\n field l -> lang\n", TLP_RED, "" },
		{ " default tlp amber\n field l -> lang\n", TLP_GREEN, "1.2.3.4," },
		{ " default tlp amber\n field l -> lang\n", TLP_AMBER_STRICT, "" },
		{ " field l -> lang\n", TLP_RED, "1.2.3.4," },	/* a format without labels */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mapping *m = mapping_of(arena_fmt(mem, "mapping t\n format csv\n"
		    " record indicator\n field v -> ipv4\n%s", cases[i].rows));
		struct advisory adv = { 0 };
		struct json_doc doc;
		struct err e = ERR_INIT;

		assert_int_equal(json_parse(SLICE_LIT("{\"type\":\"indicator\",\"spec_version\":"
		    "\"2.1\",\"id\":\"indicator--00000000-0000-4000-8000-000000000002\",\"created\":"
		    "\"2024-01-01T00:00:00.000Z\",\"modified\":\"2024-01-01T00:00:00.000Z\","
		    "\"pattern_type\":\"stix\",\"valid_from\":\"2024-01-01T00:00:00Z\",\"pattern\":"
		    "\"[ipv4-addr:value = '1.2.3.4']\"}"), NULL, mem, &doc, &e), 0);
		if (cases[i].tlp != TLP_UNSET)
			map_set_tlp(mem, doc.root, cases[i].tlp);
		assert_int_equal(advisory_mint(&adv, mem, doc.root, &e), 0);
		assert_slice(write_text(m, &adv, NULL), arena_fmt(mem, "v,l\n%s%s", cases[i].want,
		    cases[i].want[0] != '\0' ? "\n" : ""));
	}
}

/* ---- the account ------------------------------------------------------------------------------ */

static size_t
leaves(const json *o)
{
	size_t n = 0;

	if (!json_is_object(o) && !json_is_list(o))
		return 1;
	for (const json *k = json_first(o); k != NULL; k = json_next(k))
		n += leaves(k);
	return n;
}

static void
test_account(void **state)
{
	struct complaints c = { .mem = mem };
	struct mapping *m = mapping_find("conf/mappings", SLICE_LIT("sensor-json"), mem, &c);
	struct strbuf text = STRBUF_INIT;
	struct json_doc doc;
	struct advisory *adv;
	struct loss in, out;
	struct err e;
	size_t all = 0;

	(void)state;
	assert_int_equal(file_read("tests/golden/mapped/sensor-json/input.json", 1 << 20, &text, &e),
	    0);
	assert_int_equal(json_parse(strbuf_slice(&text), NULL, mem, &doc, &e), 0);
	loss_init(&in, mem);
	loss_init(&out, mem);
	assert_int_equal(try_read(m, strbuf_slice(&text), &adv, &in, &e), 0);
	for (int k = LOSS_KEPT; k <= LOSS_DROPPED; k++)
		all += in.count[k];
	assert_int_equal(all, leaves(doc.root));
	write_text(m, adv, &out);
	all = 0;
	for (int k = LOSS_KEPT; k <= LOSS_DROPPED; k++)
		all += out.count[k];
	for (size_t i = 0; i < adv->n; i++)
		all -= leaves(adv->objects[i].tree);
	assert_int_equal(all, 0);
	strbuf_fini(&text);
}

static void
test_residue_off(void **state)
{
	struct mapping *m = mapping_of(HEAD_CSV " residue no\n");
	struct advisory *adv;
	struct loss loss;
	struct err e;

	(void)state;
	loss_init(&loss, mem);
	assert_int_equal(try_read(m, SLICE_LIT("id,kind,value,more\n1,ip,192.0.2.1,x\n"), &adv, &loss,
	    &e), 0);
	assert_null(json_get(object_of(adv, "indicator", 0), "extensions"));
	assert_int_equal(count_of(adv, "extension-definition"), 0);
	assert_int_equal(loss.count[LOSS_DROPPED], 2);		/* id, more */
	assert_int_equal(loss.count[LOSS_MOVED], 0);
}

static void
test_check(void **state)
{
	struct mapping *m = mapping_of(HEAD_CSV " field tlp -> tlp\n");
	struct strbuf out = STRBUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(mapping_check(m, SLICE_LIT("id,kind,value,tlp,more\n1,ip,192.0.2.1,red,x\n"
	    "2,ip,192.0.2.2,pink,x\n"), "sample.csv", SLICE_LIT(RECEIVED), &out, &e), 1);
	assert_non_null(strstr(out.p, "indicator.object_marking_refs"));
	assert_non_null(strstr(out.p, "more"));
	assert_non_null(strstr(out.p, "not mapped"));
	assert_non_null(strstr(out.p, "\"pink\" is not a TLP label"));
	assert_int_equal(mapping_check(m, SLICE_LIT("nothing"), "x", SLICE_LIT(RECEIVED), &out, &e),
	    -1);
	strbuf_fini(&out);
}

/* A file in each encoding comes back byte for byte; what an encoding cannot say is no record. */
static void
test_encodings(void **state)
{
	static const struct { const char *name; struct slice text; } files[] = {
		{ "iso-8859-15", BYTES("id,kind,value,note\n1,url,http://a.example/,5 \xa4 \xbd\n") },
		{ "windows-1252", BYTES("id,kind,value,note\n1,url,http://a.example/,5 \x80 \x9c\n") },
		{ "utf-16", BYTES("\xff\xfei\0d\0,\0k\0i\0n\0d\0,\0v\0a\0l\0u\0e\0,\0n\0o\0t\0e\0\n\0"
		    "1\0,\0i\0p\0,\0001\0.\0002\0.\0003\0.\0004\0,\0\xac\x20\x3d\xd8\x00\xde\n\0") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		struct mapping *m = mapping_of(arena_fmt(mem, "mapping t\n format csv encoding %s\n"
		    " record indicator key id\n field kind -> type\n field value -> value\n"
		    " field note -> description\n", files[i].name));
		struct advisory *adv = read_text(m, files[i].text);
		struct slice out;

		if (adv->nverdicts > 0 || adv->n < 1)
			fail_msg("%s: %s", files[i].name,
			    adv->nverdicts == 0 ? "nothing" : adv->verdicts[0].err.reason);
		out = write_text(m, adv, NULL);
		assert_true(slice_eq(out, files[i].text));
	}
}

static void
test_broken_utf16(void **state)
{
	static const struct slice bad[] = {
		BYTES("\xff\xfei"), BYTES("\xff\xfe\x00\xd8"), BYTES("\xff\xfe\x00\xdc\x41\x00"),
		BYTES("\xff\xfe\x00\xd8\x41\x00"),
	};
	struct slice out;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(map_utf16_read(bad[i], mem, &out));
	assert_true(map_utf16_read((struct slice)BYTES("\xfe\xff\0A\xd8\x3d\xde\x00"), mem, &out));
	assert_true(slice_is(out, "A\xf0\x9f\x98\x80"));
	assert_true(map_utf16_read((struct slice)BYTES("A\0"), mem, &out));
	assert_true(slice_is(out, "A"));
}

/* Numbers in the forms of several countries, there and back. */
static void
test_numbers(void **state)
{
	static const struct { const char *words, *cell, *confidence, *back; } rows[] = {
		{ "number", "85", "85", "85" }, { "number", "85.4", "85", "85" },
		{ "number", "85.5", "86", "86" }, { "number times 100", "0.85", "85", "0.85" },
		{ "number times 10", "8.5", "85", "8.5" }, { "number decimal \",\" times 10", "8,5", "85", "8,5" },
		{ "number times 0.1", "850", "85", "850" }, { "number decimal \",\" times 0.01", "8.500", "85", "8500" },
		{ "number", "1e2", NULL, NULL }, { "number", "", NULL, NULL }, { "number", "-", NULL, NULL },
		{ "number", "1.2.3", NULL, NULL }, { "number times 1000000", "99999999999999", NULL, NULL },
		{ "number", "9999999999999999", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct map_number n = { true, '.', 1, 0 };
		struct slice got, back;
		const char *times = strstr(rows[i].words, "times ");

		if (strstr(rows[i].words, "decimal") != NULL)
			n.decimal = ',';
		for (const char *p = times == NULL ? "" : times + 6, *point = NULL; *p != '\0'; p++) {
			if (p == times + 6)
				n.times = 0;
			if (*p == '.')
				point = p;
			else
				n.times = 10 * n.times + (*p - '0');
			n.scale += point != NULL && *p != '.';
		}
		if (map_number_read(&n, slice_of(rows[i].cell), mem, &got) != (rows[i].confidence != NULL))
			fail_msg("%s: \"%s\"", rows[i].words, rows[i].cell);
		if (rows[i].confidence == NULL)
			continue;
		assert_true(slice_is(got, rows[i].confidence));
		assert_true(map_number_write(&n, got, mem, &back));
		if (!slice_is(back, rows[i].back))
			fail_msg("%s: \"%s\" comes back as \"%.*s\"", rows[i].words, rows[i].cell,
			    SLICE_ARG(back));
	}
}

/* Mistakes of the newer words are told, and where. */
static void
test_new_mistakes(void **state)
{
	static const char *const bad[] = {
		HEAD_CSV " field more -> name regex \"(\"\n",
		HEAD_CSV " field more -> name regex \"(a)\" group 2\n",
		HEAD_CSV " field more -> confidence number times 0\n",
		HEAD_CSV " field more -> confidence number decimal x\n",
		HEAD_CSV " field more -> name if id\n", HEAD_CSV " field more -> name if id in\n",
		HEAD_CSV " field more -> name if id is x\n", HEAD_CSV " field more -> name join \"\"\n",
		HEAD_CSV "children x\n record indicator\n field y -> value\n",
		"mapping j\n format json records /a\n record report\n field /n -> name\n"
		    "children /b of nobody\n record report\n field /n -> name\n",
		"mapping j\n format json records /a\n record report\n field /n -> name\n"
		    "children /b as x\n record report\n field /n -> name\n"
		    "children /c as x\n record report\n field /n -> name\n",
		"mapping j\n format json records /a\n record report\n field ../n -> name\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct complaints c = { .mem = mem };

		if (mapping_parse(slice_of(bad[i]), "test", mem, &c) != NULL || c.n == 0)
			fail_msg("taken: %s", bad[i]);
	}
}

static void
test_hostile_xml(void **state)
{
	struct mapping *m = mapping_of("mapping t\n format xml records /r/i\n"
	    " record indicator key @n\n field @ip -> ip\n");
	static const char *const bad[] = {
		"<!DOCTYPE r [<!ENTITY a \"b\">]><r><i n='1' ip='192.0.2.1'/></r>",
		"<?xml version='1.0' encoding='UTF-16'?><r/>", "<r><i></r>", "<q/>", "",
		"<?xml version='1.0' encoding='windows-1252'?><r>\x81</r>",
	};
	struct advisory *adv;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(try_read(m, slice_of(bad[i]), &adv, NULL, &e), -1);
		assert_true(e.code != ERR_NONE && e.reason[0] != '\0');
	}
	adv = read_text(m, SLICE_LIT("<r><i n='1' ip='192.0.2.1'/><i ip='192.0.2.2'/></r>"));
	assert_int_equal(count_of(adv, "indicator"), 1);
	assert_int_equal(adv->nverdicts, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_complaints, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shipped_mappings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_times, setup, teardown),
		cmocka_unit_test_setup_teardown(test_zones, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_patterns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_csv_forms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_csv_encodings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_csv_whole_file_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_key, setup, teardown),
		cmocka_unit_test_setup_teardown(test_labels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_children_inherit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_when_const_default_template, setup, teardown),
		cmocka_unit_test_setup_teardown(test_groups, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_object, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_objects, setup, teardown),
		cmocka_unit_test_setup_teardown(test_labels_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_account, setup, teardown),
		cmocka_unit_test_setup_teardown(test_residue_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_check, setup, teardown),
		cmocka_unit_test_setup_teardown(test_encodings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_utf16, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_new_mistakes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_xml, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
