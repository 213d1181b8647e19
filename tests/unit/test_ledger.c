/* If this fails, a field of a partner's document disappears on its way through STIX, or is told as kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/ledger.h"
#include "gateway/base/strbuf.h"
#include "tests/unit/mem_kit.h"

static json *
parse(const char *text)
{
	struct json_doc doc;
	struct err e = ERR_INIT;

	assert_int_equal(json_parse(slice_of(text), NULL, mem, &doc, &e), 0);
	return doc.root;
}

static const char *
text_of(const json *tree)
{
	struct strbuf b = STRBUF_INIT;
	char *text;

	json_print(&b, tree);
	text = arena_str(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

static const char event[] =
	"{\"uuid\":\"u\",\"info\":\"i\",\"when\":\"1700000000\",\"secret\":1,"
	"\"Org\":{\"name\":\"n\",\"id\":\"7\"},"
	"\"Tag\":[{\"name\":\"a\"},{\"name\":\"b\",\"colour\":\"red\"},{\"name\":\"c\"}],"
	"\"none\":[],\"rel\":[{\"x\":{}}]}";

/* Marks as a reader would make them. */
static struct ledger *
marked(json *root)
{
	struct ledger *l = ledger_new(mem);
	json *tags = json_get(root, "Tag");

	ledger_take(l, root, "uuid", LOSS_KEPT);
	ledger_take(l, root, "info", LOSS_KEPT);
	ledger_take(l, root, "when", LOSS_APPROXIMATED);
	ledger_mark(l, json_get(root, "secret"), LOSS_DROPPED, "never carried");
	ledger_take(l, json_get(root, "Org"), "name", LOSS_KEPT);
	ledger_mark(l, tags, LOSS_KEPT, NULL);
	ledger_take(l, json_at(tags, 1), "colour", LOSS_MOVED);
	ledger_mark(l, NULL, LOSS_KEPT, NULL);
	assert_null(ledger_take(l, root, "absent", LOSS_KEPT));
	return l;
}

static void
test_every_leaf_is_accounted_once(void **state)
{
	static const struct { enum loss_kind kind; const char *path; } want[] = {
		{ LOSS_KEPT, "Event/uuid" }, { LOSS_KEPT, "Event/info" },
		{ LOSS_APPROXIMATED, "Event/when" }, { LOSS_DROPPED, "Event/secret" },
		{ LOSS_KEPT, "Event/Org/name" }, { LOSS_MOVED, "Event/Org/id" },
		{ LOSS_KEPT, "Event/Tag[0]/name" }, { LOSS_KEPT, "Event/Tag[1]/name" },
		{ LOSS_MOVED, "Event/Tag[1]/colour" }, { LOSS_KEPT, "Event/Tag[2]/name" },
		{ LOSS_MOVED, "Event/none" }, { LOSS_MOVED, "Event/rel[0]/x" },
	};
	json *root = parse(event);
	struct loss loss;

	(void)state;
	loss_init(&loss, mem);
	ledger_account(marked(root), &loss, root, "Event", LOSS_MOVED, NULL);
	assert_int_equal(loss.n, sizeof(want) / sizeof(*want));
	for (size_t i = 0; i < loss.n; i++) {
		assert_string_equal(loss.v[i].path, want[i].path);
		assert_int_equal(loss.v[i].kind, want[i].kind);
	}
	assert_string_equal(loss.v[3].note, "never carried");
}

static void
test_the_rest_is_what_is_not_said_exactly(void **state)
{
	json *root = parse(event);

	(void)state;
	assert_string_equal(text_of(ledger_rest(marked(root), mem, root)),
	    "{\"when\":\"1700000000\",\"Org\":{\"id\":\"7\"},\"Tag\":[null,{\"colour\":\"red\"},null],"
	    "\"none\":[],\"rel\":[{\"x\":{}}]}");
	root = parse("{\"a\":1,\"b\":[2]}");
	{
		struct ledger *l = ledger_new(mem);

		ledger_mark(l, root, LOSS_KEPT, NULL);
		assert_null(ledger_rest(l, mem, root));
	}
}

static void
test_a_rest_comes_home(void **state)
{
	json *root = parse(event);
	json *rest = ledger_rest(marked(root), mem, root);
	json *again = parse("{\"uuid\":\"u\",\"info\":\"i\",\"when\":\"1700000000.0\",\"secret\":1,"
	    "\"Org\":{\"name\":\"n\"},\"Tag\":[{\"name\":\"a\"},{\"name\":\"b\"},{\"name\":\"c\"}]}");

	(void)state;
	ledger_restore(mem, again, rest, true);
	assert_true(json_equal(again, root));
	ledger_restore(mem, again, rest, true);		/* it changes nothing twice */
	assert_true(json_equal(again, root));
}

/* What an editor wrote wins over what the rest remembers, and a list that he changed is his. */
static void
test_an_edit_is_not_overwritten(void **state)
{
	json *root = parse(event);
	json *rest = ledger_rest(marked(root), mem, root);
	json *again = parse("{\"when\":\"2\",\"Tag\":[{\"name\":\"b\"}]}");

	(void)state;
	ledger_restore(mem, again, rest, false);
	assert_string_equal(text_of(again), "{\"when\":\"2\",\"Tag\":[{\"name\":\"b\"}],"
	    "\"Org\":{\"id\":\"7\"},\"none\":[],\"rel\":[{\"x\":{}}]}");
}

static void
test_marks_without_number(void **state)
{
	enum { MANY = 10000 };
	struct strbuf b = STRBUF_INIT;
	struct loss loss;
	struct ledger *l = ledger_new(mem);
	json *root;

	(void)state;
	strbuf_addc(&b, '[');
	for (int i = 0; i < MANY; i++)
		strbuf_addf(&b, "%s%d", i > 0 ? "," : "", i);
	strbuf_addc(&b, ']');
	root = parse(b.p);
	for (json *m = json_first(root); m != NULL; m = json_next(m))
		ledger_mark(l, m, LOSS_KEPT, NULL);
	loss_init(&loss, mem);
	ledger_account(l, &loss, root, "", LOSS_DROPPED, NULL);
	assert_int_equal(loss.count[LOSS_KEPT], MANY);
	assert_string_equal(loss.v[MANY - 1].path, "[9999]");
	strbuf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_leaf_is_accounted_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_rest_is_what_is_not_said_exactly, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_a_rest_comes_home, setup, teardown),
		cmocka_unit_test_setup_teardown(test_an_edit_is_not_overwritten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_marks_without_number, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
