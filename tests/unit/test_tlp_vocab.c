/* If this fails, a consumer that reads one version of TLP misses a label, or reads a weaker one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/object.h"
#include "formats/tlp_vocab.h"
#include "gateway/base/strbuf.h"

#define CLEAR2	"\"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487\""
#define WHITE1	"\"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9\""
#define AMBER2	"\"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421\""
#define AMBER1	"\"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82\""
#define STRICT2	"\"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003\""
#define OTHER	"\"marking-definition--00000000-0000-4000-8000-000000000001\""

static const struct {
	const char *sent, *one, *two, *both;	/* NULL: as sent */
} rows[] = {
	{ "{\"type\":\"x\"}", NULL, NULL, NULL },
	{ "{\"a\":1.10 , \"object_marking_refs\" : [ " AMBER2 " ],\"b\":\"\\u00e9\" }",
	    "{\"a\":1.10 , \"object_marking_refs\" : [" AMBER1 "],\"b\":\"\\u00e9\" }", NULL,
	    "{\"a\":1.10 , \"object_marking_refs\" : [" AMBER2 "," AMBER1 "],\"b\":\"\\u00e9\" }" },
	{ "{\"object_marking_refs\":[" WHITE1 "," OTHER "]}", NULL,
	    "{\"object_marking_refs\":[" CLEAR2 "," OTHER "]}",
	    "{\"object_marking_refs\":[" CLEAR2 "," WHITE1 "," OTHER "]}" },
	/* both ids of one label become one, and a consumer of both gets each once */
	{ "{\"object_marking_refs\":[" AMBER1 "," OTHER "," AMBER2 "]}",
	    "{\"object_marking_refs\":[" AMBER1 "," OTHER "]}",
	    "{\"object_marking_refs\":[" AMBER2 "," OTHER "]}",
	    "{\"object_marking_refs\":[" AMBER2 "," AMBER1 "," OTHER "]}" },
	/* what 1.0 cannot say is never made less */
	{ "{\"object_marking_refs\":[" STRICT2 "]}", NULL, NULL, NULL },
	/* written with escapes, it is the same marking */
	{ "{\"object\\u005fmarking_refs\":[\"marking\\u002ddefinition--55D920B0-5e8b-4f79-9ee9-91f868d9b421\"]}",
	    "{\"object\\u005fmarking_refs\":[" AMBER1 "]}", "{\"object\\u005fmarking_refs\":[" AMBER2 "]}",
	    "{\"object\\u005fmarking_refs\":[" AMBER2 "," AMBER1 "]}" },
	/* a part of an object */
	{ "{\"granular_markings\":[{\"selectors\":[\"a\"],\"marking_ref\":" AMBER2 "},{\"lang\":\"de\"},"
	    "{\"marking_ref\":" OTHER "}],\"object_marking_refs\":[" CLEAR2 "]}",
	    "{\"granular_markings\":[{\"selectors\":[\"a\"],\"marking_ref\":" AMBER1 "},{\"lang\":\"de\"},"
	    "{\"marking_ref\":" OTHER "}],\"object_marking_refs\":[" WHITE1 "]}", NULL,
	    "{\"granular_markings\":[{\"selectors\":[\"a\"],\"marking_ref\":" AMBER2 "},{\"lang\":\"de\"},"
	    "{\"marking_ref\":" OTHER "}],\"object_marking_refs\":[" CLEAR2 "," WHITE1 "]}" },
	/* only at the top, only lists, only strings */
	{ "{\"x\":{\"object_marking_refs\":[" AMBER2 "]},\"y\":" AMBER2 "}", NULL, NULL, NULL },
	{ "{\"object_marking_refs\":" AMBER2 "}", NULL, NULL, NULL },
	{ "{\"object_marking_refs\":[1,[" AMBER2 "],null]}", NULL, NULL, NULL },
	{ "{\"object_marking_refs\":[]}", NULL, NULL, NULL },
};

static void
says(const char *sent, enum tlp_vocab v, const char *want)
{
	struct strbuf b = STRBUF_INIT;

	strbuf_adds(&b, "<");
	tlp_vocab_write(&b, slice_of(sent), v);
	assert_int_equal(b.p[0], '<');
	assert_string_equal(b.p + 1, want == NULL ? sent : want);
	strbuf_fini(&b);
}

static void
only_the_labels_change(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		says(rows[i].sent, TLP_VOCAB_AS_SENT, rows[i].sent);
		says(rows[i].sent, TLP_VOCAB_1, rows[i].one);
		says(rows[i].sent, TLP_VOCAB_2, rows[i].two);
		says(rows[i].sent, TLP_VOCAB_BOTH, rows[i].both);
	}
}

/* If this hangs, one object with many markings stops the worker that shows it. */
static void
many_markings_cost_their_number(void **state)
{
	struct strbuf sent = STRBUF_INIT, want = STRBUF_INIT;

	(void)state;
	strbuf_adds(&sent, "{\"object_marking_refs\":[" AMBER1 "," AMBER2);
	strbuf_adds(&want, "{\"object_marking_refs\":[" AMBER2);
	for (unsigned i = 0; i < 300000; i++) {
		strbuf_addf(&sent, ",\"marking-definition--%08x-0000-4000-8000-000000000001\"", i);
		strbuf_addf(&want, ",\"marking-definition--%08x-0000-4000-8000-000000000001\"", i);
	}
	strbuf_adds(&sent, "]}");
	strbuf_adds(&want, "]}");
	says(sent.p, TLP_VOCAB_2, want.p);
	strbuf_fini(&sent);
	strbuf_fini(&want);
}

/* Whatever the vocabulary, each label is still the label that it was. */
static void
no_label_gets_weaker(void **state)
{
	(void)state;
	for (int t = TLP_CLEAR; t < TLP_LEVELS; t++) {
		const char *one = tlp1_marking_id((enum tlp)t);

		assert_int_equal(tlp_of_marking_id(slice_of(tlp_marking_id((enum tlp)t))), t);
		assert_true((one == NULL) == (t == TLP_AMBER_STRICT));
		if (one != NULL)
			assert_int_equal(tlp_of_marking_id(slice_of(one)), t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_labels_change),
		cmocka_unit_test(many_markings_cost_their_number),
		cmocka_unit_test(no_label_gets_weaker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
