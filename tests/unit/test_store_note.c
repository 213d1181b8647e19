/* If this fails, a pull begins again from nothing or leaves something out, or a consumer loses its bookmark. */
#include "store_kit.h"

static void
set(struct kit *k, const char *space, const char *name, const char *text)
{
	int before = k->answers;

	store_note_set(k->s, space, name, text, kit_done, k);
	assert_int_equal(k->answers, before + 1);
	assert_int_equal(k->err.code, ERR_NONE);
}

static const char *
get(struct kit *k, const char *space, const char *name)
{
	struct err e = ERR_INIT;
	const char *text = store_note_get(k->s, space, name, k->mem, &e);

	assert_int_equal(e.code, ERR_NONE);
	return text;
}

struct list {
	char	text[256];
	size_t	max;
};

static bool
on_note(void *ctx, const char *name, const char *text)
{
	struct list *l = ctx;

	snprintf(l->text + strlen(l->text), sizeof(l->text) - strlen(l->text), "%s=%s ", name, text);
	return --l->max > 0;
}

static const char *
list(struct kit *k, const char *space, size_t max)
{
	struct list *l = arena_alloc(k->mem, sizeof(*l));
	struct err e = ERR_INIT;

	l->max = max;
	assert_int_equal(store_note_each(k->s, space, on_note, l, &e), 0);
	return l->text;
}

static void
last_text_counts(void **state)
{
	struct kit *k = *state;
	char here[] = "first";

	assert_null(get(k, "pull", "a"));
	set(k, "pull", "a", here);
	here[0] = 'F';				/* it was copied */
	assert_string_equal(get(k, "pull", "a"), "first");
	set(k, "pull", "a", "second");
	assert_string_equal(get(k, "pull", "a"), "second");
	set(k, "pull", "a", "");
	assert_string_equal(get(k, "pull", "a"), "");
	set(k, "pull", "a", NULL);
	assert_null(get(k, "pull", "a"));
	set(k, "pull", "a", NULL);		/* what is not there can be forgotten */
}

static void
spaces_are_apart(void **state)
{
	struct kit *k = *state;

	set(k, "pull", "b", "2");
	set(k, "pull", "a", "1");
	set(k, "bookmark", "a", "3");
	set(k, "pul", "la", "4");
	set(k, "pull", "c", "5");
	assert_string_equal(list(k, "pull", 9), "a=1 b=2 c=5 ");
	assert_string_equal(list(k, "pull", 2), "a=1 b=2 ");
	assert_string_equal(list(k, "bookmark", 9), "a=3 ");
	assert_string_equal(list(k, "nothing", 9), "");
	set(k, "pull", "b", NULL);
	assert_string_equal(list(k, "pull", 9), "a=1 c=5 ");
	assert_string_equal(get(k, "bookmark", "a"), "3");
}

static void
notes_outlive_the_process(void **state)
{
	struct kit *k = *state;

	set(k, "pull", "a", "1");
	set(k, "pull", "b", "2");
	set(k, "pull", "a", "3");
	store_close(k->s);
	kit_open(k);
	assert_string_equal(list(k, "pull", 9), "a=3 b=2 ");
}

/* A note that cannot be kept is told as such, and the others of its group are. */
static void
too_long_is_told(void **state)
{
	struct kit *k = *state;
	char *text;

	text = arena_alloc(k->mem, (2 << 20) + 1);
	memset(text, 'x', 2 << 20);
	store_note_set(k->s, "pull", "a", text, kit_done, k);
	assert_int_equal(k->err.code, ERR_LIMIT);
	set(k, "pull", "a", "1");
	assert_string_equal(get(k, "pull", "a"), "1");
}

/* Pages that were kept stay good: a bookmark that moves with each page must not cost each of them. */
static void
a_note_changes_no_page(void **state)
{
	struct kit *k = *state;
	struct store_epoch before, after;

	assert_true(store_epoch(k->s, &before));
	set(k, "bookmark", "a", "1");
	assert_true(store_epoch(k->s, &after));
	assert_true(store_epoch_eq(&before, &after));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(last_text_counts),
		BOTH(spaces_are_apart),
		DISK(notes_outlive_the_process),
		BOTH(too_long_is_told),
		DISK(a_note_changes_no_page),
	};

	return cmocka_run_group_tests_name("store_note", tests, NULL, NULL);
}
