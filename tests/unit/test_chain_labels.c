/* If this fails, a secret becomes freer on its way through somebody's format.
 *
 * Bundles under every label go STIX -> X -> STIX and STIX -> X -> STIX -> Y -> STIX for all X and Y of the
 * registry, with and without residue. A label may grow where a format cannot say it; it never shrinks, and
 * where nothing was said nothing is, or RED. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "tests/unit/chain_kit.h"
#include "tests/unit/mem_kit.h"

/* What an object may say of its label: the reference, and a definition that the bundle then needs. */
struct marking {
	const char	*name;
	const char	*refs;		/* "": no member object_marking_refs; with [: granular_markings */
	const char	*definition;	/* NULL: none is needed */
};

#define DEFINITION(id, rest) "{\"type\":\"marking-definition\",\"spec_version\":\"2.1\",\"id\":\""	\
	id "\",\"created\":\"2026-01-01T00:00:00Z\"," rest "}"
#define STATEMENT_ID "marking-definition--11111111-1111-4111-8111-111111111111"
#define STRANGE_ID "marking-definition--22222222-2222-4222-8222-222222222222"

static const struct marking markings[] = {
	{ "nothing", "", NULL },
	{ "TLP 1 white", "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", NULL },
	{ "TLP 1 green", "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", NULL },
	{ "TLP 1 amber", "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", NULL },
	{ "TLP 1 red", "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", NULL },
	{ "TLP 2 clear", "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", NULL },
	{ "TLP 2 green", "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", NULL },
	{ "TLP 2 amber", "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", NULL },
	{ "TLP 2 amber+strict", "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003", NULL },
	{ "TLP 2 red", "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", NULL },
	{ "a part in green", "[\"type\"],\"marking_ref\":\"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
	    NULL },
	{ "a part in red", "[\"type\"],\"marking_ref\":\"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
	    NULL },
	{ "statement", STATEMENT_ID, DEFINITION(STATEMENT_ID,
	    "\"definition_type\":\"statement\",\"definition\":{\"statement\":\"be nice\"}") },
	{ "unknown id", "marking-definition--33333333-3333-4333-8333-333333333333", NULL },
	{ "unknown level", STRANGE_ID, DEFINITION(STRANGE_ID,
	    "\"definition_type\":\"tlp\",\"definition\":{\"tlp\":\"purple\"}") },
};

enum { MARKINGS = sizeof(markings) / sizeof(*markings) };

#define STAMPS "\"created\":\"2026-03-01T08:00:00.000Z\",\"modified\":\"2026-03-02T08:00:00.000Z\","
#define BY "\"created_by_ref\":\"identity--0a1b2c3d-0001-4000-8000-000000000001\","

/* The objects of a bundle, without their closing brace; the marked one of the mixed test is INDICATOR. */
enum { INDICATOR = 1 };
static const char *const objects[] = {
	"{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":\"identity--0a1b2c3d-0001-4000-8000-"
	"000000000001\"," STAMPS "\"name\":\"CERT Example\",\"identity_class\":\"organization\"",
	"{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--0a1b2c3d-0002-4000-8000-"
	"000000000002\"," STAMPS BY "\"name\":\"beacon\",\"indicator_types\":[\"malicious-activity\"],"
	"\"pattern\":\"[domain-name:value = 'bad.example']\",\"pattern_type\":\"stix\","
	"\"valid_from\":\"2026-03-01T08:00:00Z\"",
	"{\"type\":\"malware\",\"spec_version\":\"2.1\",\"id\":\"malware--0a1b2c3d-0003-4000-8000-"
	"000000000003\"," STAMPS BY "\"name\":\"Graulund\",\"is_family\":true",
	"{\"type\":\"relationship\",\"spec_version\":\"2.1\",\"id\":\"relationship--0a1b2c3d-0004-4000-"
	"8000-000000000004\"," STAMPS BY "\"relationship_type\":\"indicates\",\"source_ref\":\"indicator--"
	"0a1b2c3d-0002-4000-8000-000000000002\",\"target_ref\":\"malware--0a1b2c3d-0003-4000-8000-"
	"000000000003\"",
	"{\"type\":\"vulnerability\",\"spec_version\":\"2.1\",\"id\":\"vulnerability--0a1b2c3d-0005-4000-"
	"8000-000000000005\"," STAMPS BY "\"name\":\"CVE-2026-1234\",\"external_references\":[{"
	"\"source_name\":\"cve\",\"external_id\":\"CVE-2026-1234\"}]",
	"{\"type\":\"ipv4-addr\",\"spec_version\":\"2.1\",\"id\":\"ipv4-addr--28bb3599-77cd-5a82-a950-"
	"b5bc3caf07c4\",\"value\":\"198.51.100.3\"",
	"{\"type\":\"observed-data\",\"spec_version\":\"2.1\",\"id\":\"observed-data--0a1b2c3d-0006-4000-"
	"8000-000000000006\"," STAMPS BY "\"first_observed\":\"2026-03-01T08:00:00Z\","
	"\"last_observed\":\"2026-03-01T09:00:00Z\",\"number_observed\":3,\"object_refs\":[\"ipv4-addr--"
	"28bb3599-77cd-5a82-a950-b5bc3caf07c4\"]",
	"{\"type\":\"course-of-action\",\"spec_version\":\"2.1\",\"id\":\"course-of-action--0a1b2c3d-0007-"
	"4000-8000-000000000007\"," STAMPS BY "\"name\":\"Block it\",\"description\":\"at the proxy\"",
	"{\"type\":\"report\",\"spec_version\":\"2.1\",\"id\":\"report--0a1b2c3d-0008-4000-8000-"
	"000000000008\"," STAMPS BY "\"name\":\"Spring advisory\",\"report_types\":[\"vulnerability\"],"
	"\"published\":\"2026-03-02T08:00:00Z\",\"object_refs\":["
	"\"indicator--0a1b2c3d-0002-4000-8000-000000000002\",\"malware--0a1b2c3d-0003-4000-8000-"
	"000000000003\",\"relationship--0a1b2c3d-0004-4000-8000-000000000004\",\"vulnerability--0a1b2c3d-"
	"0005-4000-8000-000000000005\",\"observed-data--0a1b2c3d-0006-4000-8000-000000000006\","
	"\"course-of-action--0a1b2c3d-0007-4000-8000-000000000007\"]",
};

enum { OBJECTS = sizeof(objects) / sizeof(*objects) };

/* A bundle whose INDICATOR says `one` and whose other objects say `others`. */
static struct slice
bundle(const struct marking *one, const struct marking *others)
{
	struct strbuf b = STRBUF_INIT;
	struct slice text;

	strbuf_adds(&b, "{\"type\":\"bundle\",\"id\":\"bundle--0a1b2c3d-ffff-4000-8000-0000000000ff\","
	    "\"objects\":[");
	for (size_t i = 0; i < OBJECTS; i++) {
		const struct marking *m = i == INDICATOR ? one : others;

		strbuf_addf(&b, "%s%s", i > 0 ? "," : "", objects[i]);
		if (m->refs[0] == '[')
			strbuf_addf(&b, ",\"granular_markings\":[{\"selectors\":%s\"}]", m->refs);
		else if (m->refs[0] != '\0')
			strbuf_addf(&b, ",\"object_marking_refs\":[\"%s\"]", m->refs);
		strbuf_addc(&b, '}');
	}
	if (one->definition != NULL)
		strbuf_addf(&b, ",%s", one->definition);
	if (others->definition != NULL && others != one)
		strbuf_addf(&b, ",%s", others->definition);
	strbuf_adds(&b, "]}");
	text = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

/* Definitions are public words; everything else tells something. */
static bool
tells_something(const struct object *o)
{
	return o->class != OBJECT_META;
}

/* Fail if anything in `now` may be known to more people than what it was made of. */
static void
check(const struct advisory *now, const struct advisory *then, const char *road)
{
	const struct object *least = NULL;

	for (size_t i = 0; i < then->n; i++)
		if (tells_something(&then->objects[i]) &&
		    (least == NULL || chain_is_weaker(&then->objects[i], least)))
			least = &then->objects[i];
	for (size_t i = 0; i < now->n; i++) {
		const struct object *o = &now->objects[i], *was = chain_find(then, o->id);

		if (!tells_something(o))
			continue;
		if (chain_is_weaker(o, was != NULL ? was : least))
			fail_msg("%s: %.*s came as %s (case %d) and is %s (case %d) now", road,
			    SLICE_ARG(o->id), tlp_word(was != NULL ? was->tlp : least->tlp),
			    was != NULL ? (int)was->label : (int)least->label, tlp_word(o->tlp),
			    (int)o->label);
	}
	/* The indicator may have another id now; what it says is known by its fingerprint. */
	for (size_t i = 0; i < now->n; i++)
		for (size_t k = 0; k < then->n; k++) {
			const struct object *o = &now->objects[i], *was = &then->objects[k];

			if (slice_is(was->type, "indicator") && slice_is(o->type, "indicator") &&
			    o->has_fp && was->has_fp &&
			    memcmp(o->fp, was->fp, FINGERPRINT_LEN) == 0 && chain_is_weaker(o, was))
				fail_msg("%s: the indicator is %s now", road, tlp_word(o->tlp));
		}
}

/* Write and read; false if the format says that it cannot (which is an answer). */
static bool
pass(const struct format_ops *f, const struct advisory *in, bool residue, struct advisory *out,
    const char *road)
{
	struct err e = ERR_INIT;
	char words[1024];
	struct slice text;

	if (chain_write(f, in, mem, residue, NULL, &text, &e) < 0) {
		assert_true(e.code != ERR_NONE);
		return false;
	}
	if (chain_read(f, text, mem, out, NULL, &e) < 0)
		fail_msg("%s: it does not read what it wrote: %s", road,
		    err_text(&e, words, sizeof(words)));
	return true;
}

/* All chains of one and two formats from one bundle; returns how many could be gone. */
static size_t
all_chains(struct slice text, const char *what)
{
	struct advisory start, one, two;
	struct err e = ERR_INIT;
	size_t n = 0;

	assert_int_equal(chain_read(&format_stix21, text, mem, &start, NULL, &e), 0);
	assert_true(start.n >= OBJECTS);
	for (int residue = 0; residue < 2; residue++)
		for (size_t x = 0; formats[x] != NULL; x++) {
			const char *road = arena_fmt(mem, "%s, %s%s", what, formats[x]->name,
			    residue ? "" : " without residue");

			if (!chain_both_ways(formats[x]) ||
			    !pass(formats[x], &start, residue, &one, road))
				continue;
			check(&one, &start, road);
			n++;
			for (size_t y = 0; formats[y] != NULL; y++) {
				const char *on = arena_fmt(mem, "%s, %s", road, formats[y]->name);

				if (!chain_both_ways(formats[y]) ||
				    !pass(formats[y], &one, residue, &two, on))
					continue;
				check(&two, &one, on);
				check(&two, &start, on);
				n++;
			}
		}
	return n;
}

static void
test_everything_under_one_label(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < MARKINGS; i++) {
		struct arena *all = mem;

		mem = arena_new();
		n += all_chains(bundle(&markings[i], &markings[i]), markings[i].name);
		arena_free(mem);
		mem = all;
	}
	assert_true(n >= MARKINGS * 2 * 2);	/* two formats at least can always be written */
}

static void
test_one_secret_among_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < MARKINGS; i++)
		for (size_t k = 0; k < MARKINGS; k++) {
			struct arena *all = mem;

			if (i == k)
				continue;
			mem = arena_new();
			all_chains(bundle(&markings[i], &markings[k]),
			    arena_fmt(mem, "%s among %s", markings[i].name, markings[k].name));
			arena_free(mem);
			mem = all;
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_everything_under_one_label, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_secret_among_others, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
