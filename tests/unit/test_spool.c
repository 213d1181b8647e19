/* If this fails, a file that somebody dropped is lost, taken twice for nothing, or read half-written. */
#include "fixture_gateway.h"

#include <sys/stat.h>
#include <unistd.h>

#include "adapters/spool.h"
#include "gateway/base/file.h"

struct folder {
	struct world	*w;
	struct spools	*spools;
	char		 path[64];
};

static const char *
file_in(struct folder *f, const char *sub, const char *name)
{
	return arena_fmt(f->w->mem, "%s/%s%s%s", f->path, sub, name[0] != '\0' ? "/" : "", name);
}

static void
drop(struct folder *f, const char *name, struct slice text)
{
	struct err e = ERR_INIT;

	if (file_write(file_in(f, "incoming", name), text, 0600, &e) < 0)
		fail_msg("%s", e.reason);
}

static bool
is_in(struct folder *f, const char *sub, const char *name)
{
	return access(file_in(f, sub, name), F_OK) == 0;
}

/* Let the spool look until the file is where it should be. */
static void
wait_for(struct folder *f, const char *sub, const char *name)
{
	for (int i = 0; i < 5000 && !is_in(f, sub, name); i++)
		event_base_loop(f->w->g.base, EVLOOP_ONCE);
	if (!is_in(f, sub, name))
		fail_msg("%s is not in %s", name, sub);
}

/* Let it look so many times (each takes 10 ms by its configuration). */
static void
look(struct folder *f, int times)
{
	for (int i = 0; i < times; i++)
		event_base_loop(f->w->g.base, EVLOOP_ONCE);
}

static const char *
conf_of(struct folder *f, const char *more)
{
	return arena_fmt(f->w->mem, "%sspool drop\n    path %s\n    collections kept\n"
	    "    interval 10ms\n%s", world_conf, f->path, more);
}

static int
set_up(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));
	struct err e = ERR_INIT;

	f->w = world_new(NULL, NULL, true);
	snprintf(f->path, sizeof(f->path), "/tmp/tocsin-spool-XXXXXX");
	if (mkdtemp(f->path) == NULL)
		return -1;
	world_reload(f->w, conf_of(f, ""), NULL);
	f->spools = spools_new(&f->w->g, &e);
	if (f->spools == NULL)
		fail_msg("%s", e.reason);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct folder *f = *state;
	char command[96];

	f->w->g.store->ops = f->w->sound;
	queue_flush(f->w->g.store);
	spools_free(f->spools);
	world_free(f->w);
	snprintf(command, sizeof(command), "rm -rf %s", f->path);
	if (system(command) != 0)
		return -1;
	free(f);
	return 0;
}

static struct slice
one(struct folder *f, int n)
{
	return ENVELOPE(f->w, ind(f->w, n, GREEN));
}

/* In the order of their names, and each goes to done/. */
static void
taken_in_order(void **state)
{
	struct folder *f = *state;

	drop(f, "c", one(f, 3));
	drop(f, "a", one(f, 1));
	drop(f, "b", one(f, 2));
	drop(f, ".hidden", one(f, 4));
	drop(f, "half.tmp", one(f, 5));
	drop(f, "half.part", one(f, 6));
	wait_for(f, "done", "c");
	assert_true(is_in(f, "done", "a") && is_in(f, "done", "b"));
	assert_string_equal(world_has(f->w, "kept", NULL), "indicator 1,indicator 2,indicator 3");
	look(f, 5);
	assert_true(is_in(f, "incoming", ".hidden") && is_in(f, "incoming", "half.tmp") &&
	    is_in(f, "incoming", "half.part"));
}

/* A name that is taken in done/ costs nothing that lies there. */
static void
same_name_twice(void **state)
{
	struct folder *f = *state;

	drop(f, "a", one(f, 1));
	wait_for(f, "done", "a");
	drop(f, "a", one(f, 2));
	wait_for(f, "done", "a.1");
	assert_string_equal(world_has(f->w, "kept", NULL), "indicator 1,indicator 2");
}

/* Unreadable or too large: rejected, with the reason beside it under the same name. */
static void
rejected_with_a_reason(void **state)
{
	struct folder *f = *state;
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;

	drop(f, "bad.json", SLICE_LIT("{\"objects\":[\n  }"));
	wait_for(f, "rejected", "bad.json");
	assert_int_equal(file_read(file_in(f, "rejected", "bad.json.reason"), 4096, &b, &e), 0);
	assert_non_null(strstr(b.p, "bad.json:2:3: "));
	drop(f, "bad.json", SLICE_LIT("{"));
	wait_for(f, "rejected", "bad.json.1");
	assert_true(is_in(f, "rejected", "bad.json.1.reason"));
	world_reload(f->w, conf_of(f, "    file 1k\n"), NULL);
	assert_int_equal(spools_reload(f->spools, &e), 0);
	drop(f, "large", one(f, 1));
	strbuf_reset(&b);
	for (int i = 0; i < 2000; i++)
		strbuf_addc(&b, ' ');
	drop(f, "larger", strbuf_slice(&b));
	wait_for(f, "rejected", "larger");
	wait_for(f, "done", "large");
	strbuf_fini(&b);
}

/* The store cannot write: the file stays, and is taken once it can. */
static void
full_disk(void **state)
{
	struct folder *f = *state;

	world_break(f->w, true, false);
	drop(f, "a", one(f, 1));
	look(f, 30);
	assert_true(is_in(f, "incoming", "a"));
	assert_true(stats_get(f->w->g.stats, STAT_SPOOL, "later") > 0);
	world_mend(f->w);
	wait_for(f, "done", "a");
	assert_string_equal(world_has(f->w, "kept", NULL), "indicator 1");
}

/* Taken in, and done/ cannot take the file: it stays, and is not taken in again and again. */
static void
nowhere_to_move_to(void **state)
{
	struct folder *f = *state;

	assert_int_equal(rmdir(file_in(f, "done", "")), 0);
	drop(f, "a", one(f, 1));
	for (int i = 0; i < 100 && stats_get(f->w->g.stats, STAT_SPOOL, "done") == 0; i++)
		look(f, 1);
	look(f, 3);
	assert_true(is_in(f, "incoming", "a"));
	assert_int_equal(stats_get(f->w->g.stats, STAT_OBJECTS, "new"), 1);
	assert_int_equal(stats_get(f->w->g.stats, STAT_OBJECTS, "known"), 0);
}

/* A symbolic link is not followed, wherever it leads. */
static void
links_are_left_alone(void **state)
{
	struct folder *f = *state;

	assert_int_equal(symlink("/etc/passwd", file_in(f, "incoming", "a")), 0);
	drop(f, "b", one(f, 1));
	wait_for(f, "done", "b");
	look(f, 3);
	assert_string_equal(world_quarantine(f->w), "");
	assert_int_equal(unlink(file_in(f, "incoming", "a")), 0);
}

/* A reload while a file is in hand: it is finished under the old configuration, once. */
static void
reload_with_a_file_in_hand(void **state)
{
	struct folder *f = *state;
	struct err e = ERR_INIT;

	drop(f, "a", one(f, 1));
	for (int i = 0; i < 5000 && intake_in_work(f->w->g.intake) == 0; i++)
		event_base_loop(f->w->g.base, EVLOOP_ONCE);
	assert_int_equal(intake_in_work(f->w->g.intake), 1);
	world_reload(f->w, conf_of(f, ""), NULL);
	assert_int_equal(spools_reload(f->spools, &e), 0);
	wait_for(f, "done", "a");
	drop(f, "b", one(f, 2));
	wait_for(f, "done", "b");
	assert_int_equal(stats_get(f->w->g.stats, STAT_OBJECTS, "known"), 0);
	assert_string_equal(world_has(f->w, "kept", NULL), "indicator 1,indicator 2");
}

static void
on_drained(void *arg)
{
	++*(int *)arg;
}

/* The end: the file in hand is finished, the next one stays for the next start. */
static void
drained(void **state)
{
	struct folder *f = *state;
	int done = 0;

	drop(f, "a", one(f, 1));
	drop(f, "b", one(f, 2));
	for (int i = 0; i < 5000 && intake_in_work(f->w->g.intake) == 0; i++)
		event_base_loop(f->w->g.base, EVLOOP_ONCE);
	spools_drain(f->spools, on_drained, &done);
	assert_int_equal(done, 0);
	while (done == 0)
		event_base_loop(f->w->g.base, EVLOOP_ONCE);
	assert_true(is_in(f, "done", "a") && is_in(f, "incoming", "b"));
}

/* Many files: one look for all of them. */
static void
many_files(void **state)
{
	struct folder *f = *state;

	for (int i = 0; i < 300; i++)
		drop(f, arena_fmt(f->w->mem, "f%03d", i), one(f, i));
	wait_for(f, "done", "f299");
	assert_int_equal(stats_get(f->w->g.stats, STAT_SPOOL, "done"), 300);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(taken_in_order), TEST(same_name_twice), TEST(rejected_with_a_reason),
		TEST(full_disk), TEST(nowhere_to_move_to), TEST(links_are_left_alone),
		TEST(reload_with_a_file_in_hand), TEST(drained), TEST(many_files),
	};

	return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
