/* If this fails, the same address from two CERTs gets two ids, and nothing links them any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/sco.h"
#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"

#define VECTORS	"../shared/corpus/stix21/sco_id_vectors.json"

/* Ids computed apart from this program, with Python's uuid5 over the canonical text. */
static const struct { const char *object, *id; } cases[] = {
	{ "{\"type\":\"ipv4-addr\",\"value\":\"198.51.100.3\"}",
	    "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4" },
	{ "{\"type\":\"domain-name\",\"value\":\"b\xc3\xbc" "cher.example\",\"x_other\":1}",
	    "domain-name--dbf3aff2-b3cd-57d2-9616-0ddfde9d01ad" },
	{ "{\"type\":\"autonomous-system\",\"number\":15139,\"name\":\"n\"}",
	    "autonomous-system--3aa27478-50b5-5ab8-9da9-cdc12b657fff" },
	{ "{\"type\":\"file\",\"hashes\":{\"SHA-1\":\"00\",\"MD5\":\"A92E5B2BAE0B4B3A3D81C85610B95CD4\"},"
	    "\"name\":\"foo.exe\"}", "file--1bb5ce3e-9391-5097-93ee-a26c96e71d9a" },
	{ "{\"type\":\"email-message\",\"is_multipart\":false,\"subject\":\"Saying \\\"Hello\\\"\\n\\u20ac\","
	    "\"body\":\"x\",\"from_ref\":\"email-addr--7165e2a9-671f-585d-b1e1-ca59c671d934\"}",
	    "email-message--7ffd79b4-0764-5efc-906a-739e7e90db1f" },
	{ "{\"type\":\"process\",\"pid\":1}", "" },
	{ "{\"type\":\"file\",\"size\":1}", "" },
	{ "{\"type\":\"x-mine\",\"value\":\"1\"}", "" },
};

static void
test_ids_by_content(void **state)
{
	struct arena *mem = arena_new();
	struct json_doc doc;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct slice id;

		assert_int_equal(json_parse(slice_of(cases[i].object), NULL, mem, &doc, NULL), 0);
		id = sco_id(mem, doc.root);
		if (!slice_is(id, cases[i].id))
			fail_msg("%s gives %.*s", cases[i].object, SLICE_ARG(id));
	}
	arena_free(mem);
}

static void
test_vectors_of_the_corpus(void **state)
{
	struct arena *mem = arena_new();
	struct strbuf text = STRBUF_INIT;
	struct json_doc doc;
	struct err e = ERR_INIT;

	(void)state;
	if (!file_exists(VECTORS)) {
		arena_free(mem);
		skip();
	}
	assert_int_equal(file_read(VECTORS, 1 << 20, &text, &e), 0);
	assert_int_equal(json_parse(strbuf_slice(&text), NULL, mem, &doc, &e), 0);
	assert_true(doc.nitems > 20);
	for (size_t i = 0; i < doc.nitems; i++) {
		struct slice id = sco_id(mem, json_get(doc.items[i].node, "object"));

		if (!slice_eq(id, json_member(doc.items[i].node, "id")))
			fail_msg("%s gives %.*s", json_str(json_get(doc.items[i].node, "id")),
			    SLICE_ARG(id));
	}
	strbuf_fini(&text);
	arena_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_by_content),
		cmocka_unit_test(test_vectors_of_the_corpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
