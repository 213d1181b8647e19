/* If this fails, one hostile document of a few megabytes holds a translator up for minutes: what was once compared each
 * with each is here in such a length that this test would not end in reasonable time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/format.h"
#include "formats/idmap.h"
#include "gateway/base/arena.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"
#include "misp_kit.h"

#define ID(n)	"00000000-0000-4000-8000-00000000000" n
#define AT	"2026-01-01T00:00:00.000Z"

enum { MANY = 100000 };

/* What `n` times `item` (#: a number of six digits for which) between head and tail reads as. */
static struct advisory
read_many(const struct format_ops *f, const char *head, int n, const char *item, const char *tail)
{
	struct strbuf text = STRBUF_INIT;
	struct advisory adv;

	strbuf_adds(&text, head);
	for (int i = 0; i < n; i++) {
		if (i > 0 && item[0] == '{')
			strbuf_addc(&text, ',');
		for (const char *p = item; *p != '\0'; p++)
			if (*p == '#')
				strbuf_addf(&text, "%06d", i);
			else
				strbuf_addc(&text, *p);
	}
	strbuf_adds(&text, tail);
	assert_int_equal(kit_read(f, slice_of(arena_str(mem, strbuf_slice(&text))), &adv, NULL), 0);
	strbuf_fini(&text);
	return adv;
}

static void
test_tags_of_an_event(void **state)
{
	struct advisory adv = read_many(&format_misp,
	    "{\"Event\":{\"uuid\":\"" ID("1") "\",\"info\":\"x\",\"date\":\"2026-01-01\","
	    "\"timestamp\":\"1767225600\",\"Tag\":[",
	    MANY, "{\"name\":\"t:#\"}", "]}}");
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < adv.n; i++)
		n += json_count(json_get(adv.objects[i].tree, "labels"));
	assert_true(n >= MANY);
}

static void
test_references_to_oneself(void **state)
{
	struct advisory adv = read_many(&format_stix1,
	    "<s:STIX_Package xmlns:s=\"http://stix.mitre.org/stix-1\" xmlns:c=\"http://cybox.mitre.org/cybox-2\""
	    " xmlns:e=\"http://e.example/\" id=\"e:Package-" ID("1") "\" version=\"1.2\" timestamp=\"" AT "\">"
	    "<s:Observables cybox_major_version=\"2\" cybox_minor_version=\"1\"><c:Observable id=\"e:Observable-"
	    ID("2") "\"><c:Observable_Composition operator=\"OR\">",
	    MANY, "<c:Observable idref=\"e:Observable-" ID("2") "\"/>",
	    "</c:Observable_Composition></c:Observable></s:Observables></s:STIX_Package>");

	(void)state;
	assert_true(adv.nverdicts > 0);
}

static void
test_references_of_a_report(void **state)
{
	struct advisory adv = read_many(&format_stix21,
	    "{\"type\":\"bundle\",\"id\":\"bundle--" ID("1") "\",\"objects\":[{\"type\":\"report\","
	    "\"spec_version\":\"2.1\",\"id\":\"report--" ID("2") "\",\"created\":\"" AT "\",\"modified\":\"" AT
	    "\",\"published\":\"" AT "\",\"name\":\"x\",\"object_refs\":[\"report--" ID("2") "\"],"
	    "\"external_references\":[",
	    MANY, "{\"source_name\":\"s#\",\"url\":\"https://a.example/#\"}", "]}]}");
	struct loss loss;

	(void)state;
	assert_int_equal(adv.n, 1);
	assert_true(kit_write(&format_iodef2, &adv, true, &loss).n > 0);
	assert_true(loss.count[LOSS_KEPT] + loss.count[LOSS_MOVED] >= 2 * MANY);
}

static void
test_notes_behind_vulnerabilities(void **state)
{
	const int n = MANY / 4;
	struct advisory adv = read_many(&format_stix21,
	    "{\"type\":\"bundle\",\"id\":\"bundle--" ID("1") "\",\"objects\":[",
	    n, "{\"type\":\"vulnerability\",\"spec_version\":\"2.1\",\"id\":\"vulnerability--"
	    "00000000-0000-4000-8000-000000#\",\"created\":\"" AT "\",\"modified\":\"" AT "\",\"name\":\"v#\"},"
	    "{\"type\":\"note\",\"spec_version\":\"2.1\",\"id\":\"note--00000000-0000-4000-8000-000000#\","
	    "\"created\":\"" AT "\",\"modified\":\"" AT "\",\"content\":\"x\",\"object_refs\":[\"vulnerability--"
	    "00000000-0000-4000-8000-000000#\"]}", "]}");

	(void)state;
	assert_int_equal(adv.n, 2 * n);
	assert_true(kit_write(&format_iodef2, &adv, true, NULL).n > 0);
}

/* Header fields of a mail as a list: they have no names. */
static void
test_a_mail_with_nameless_headers(void **state)
{
	static const char mail[] = "{\"type\":\"bundle\",\"id\":\"bundle--" ID("1") "\",\"objects\":["
	    "{\"type\":\"email-message\",\"spec_version\":\"2.1\",\"id\":\"email-message--" ID("2") "\","
	    "\"is_multipart\":false,\"from_ref\":\"email-addr--" ID("3") "\",\"subject\":\"x\","
	    "\"additional_header_fields\":[\"X-Mailer\",[\"x\"],{}]},{\"type\":\"email-addr\",\"spec_version\":\"2.1\","
	    "\"id\":\"email-addr--" ID("3") "\",\"value\":\"a@a.example\"},{\"type\":\"observed-data\","
	    "\"spec_version\":\"2.1\",\"id\":\"observed-data--" ID("4") "\",\"created\":\"" AT "\",\"modified\":\"" AT
	    "\",\"first_observed\":\"" AT "\",\"last_observed\":\"" AT "\",\"number_observed\":1,\"object_refs\":["
	    "\"email-message--" ID("2") "\",\"email-addr--" ID("3") "\"]}]}";
	struct advisory adv;

	(void)state;
	assert_int_equal(kit_read(&format_stix21, slice_of(mail), &adv, NULL), 0);
	assert_int_equal(adv.n, 3);
	assert_true(kit_write(&format_iodef2, &adv, true, NULL).n > 0);
}

/* A map that is asked between its additions, in every number of runs. */
static void
test_a_map_that_grows(void **state)
{
	struct idmap map = { .v = NULL };
	const size_t n = 1000, step = 387;	/* prime to each other: all numbers, in no order */

	(void)state;
	assert_int_equal(idmap_seek(&map, SLICE_LIT("0")), IDMAP_NONE);
	for (size_t i = 0; i < n; i++) {
		size_t value = i * step % n, last = (i + n / 2) * step % n;

		idmap_insert(&map, mem, slice_of(arena_fmt(mem, "%zu", value)), value);
		assert_int_equal(idmap_seek(&map, slice_of(arena_fmt(mem, "%zu", value))), (long)value);
		assert_int_equal(idmap_seek(&map, slice_of(arena_fmt(mem, "%zu", last))),
		    i < n / 2 ? (long)IDMAP_NONE : (long)last);
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(idmap_seek(&map, slice_of(arena_fmt(mem, "%zu", i))), (long)i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tags_of_an_event, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(test_references_to_oneself, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(test_references_of_a_report, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(test_notes_behind_vulnerabilities, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(test_a_mail_with_nameless_headers, kit_setup, kit_teardown),
		cmocka_unit_test_setup_teardown(test_a_map_that_grows, kit_setup, kit_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
