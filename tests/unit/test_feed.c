/* If this fails, a block list keeps what was revoked, or shows a team what was not for it. */
#include "fixture_gateway.h"

#include <dirent.h>
#include <event2/event.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/json.h"
#include "gateway/feed.h"
#include "gateway/warnings.h"

enum { OUTPUT_NONE = 99 };

static const char trust_text[] =
    "node here\n    unmarked tlp amber pap amber\n    iodef-unmarked tlp red\n"
    "consumer soc\n    relation own\n    read *\n    write *\n"
    "consumer wall\n    relation own\n    uses block\n    read *\n"
    "consumer dike\n    relation client\n    read *\n"
    "release own\n    object tlp clear green amber amber+strict red\n    to relation own\n"
    "release client\n    object tlp clear green\n    to relation client\n";
static const char narrow_trust[] =
    "node here\n    unmarked tlp amber pap amber\n    iodef-unmarked tlp red\n"
    "consumer soc\n    relation own\n    read *\n    write *\n"
    "consumer wall\n    relation own\n    uses block\n    read *\n"
    "consumer dike\n    relation client\n    read *\n"
    "release own\n    object tlp clear green\n    to relation own\n"
    "release client\n    object tlp clear\n    to relation client\n";

static char folder[64];

/* ---- a world with a feed ---- */

static const char *
conf_text(struct arena *mem, const char *more)
{
	return arena_fmt(mem, "node here\n    state %s\n    sign-key k\n    audit-key k\n    dedup-key k\n"
	    "store\n    path memory\n"
	    "collection kept\ncollection other\n"
	    "collection feed\n    mode view\n    kinds indicator\n    distinct yes\n"
	    "feed f\n    collection kept\n%s"
	    "feed f.x\n    collection kept\n    formats hosts txt:ipv4\n    kinds domain ipv4\n", folder, more);
}

/* The warning list of the configuration, as load.c makes it. */
static void
load_warnings(struct world *w)
{
	struct complaints c = { 0 };

	warnings_free(w->g.warnings);
	w->g.warnings = warnings_load(w->g.config, w->g.trust, &c);
	assert_non_null(w->g.warnings);
	arena_free(c.mem);
}

static struct world *
feed_world_with(bool sqlite, const char *more, bool loop)
{
	static char path[96];
	struct arena *mem = arena_new();
	struct world *w;

	snprintf(folder, sizeof(folder), "/tmp/test_feed.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/store.db", folder);
	world_store_path = sqlite ? path : NULL;
	w = world_new(conf_text(mem, more), trust_text, loop);
	load_warnings(w);
	w->g.feeds = feeds_new(&w->g);
	world_store_path = NULL;
	arena_free(mem);
	return w;
}

static struct world *
feed_world(bool sqlite, const char *more)
{
	return feed_world_with(sqlite, more, false);
}

static void
remove_folder(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *x;

	while (d != NULL && (x = readdir(d)) != NULL) {
		char name[512];
		struct stat st;

		if (x->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, x->d_name);
		if (lstat(name, &st) == 0 && S_ISDIR(st.st_mode))
			remove_folder(name);
		else
			unlink(name);
	}
	if (d != NULL)
		closedir(d);
	rmdir(path);
}

static void
feed_world_free(struct world *w)
{
	struct feeds *f = w->g.feeds;

	/* in the order of node.c: after the store */
	w->g.draining = 1;
	w->g.feeds = NULL;
	feeds_free(f);
	warnings_free(w->g.warnings);
	world_free(w);
	remove_folder(folder);
}

/* ---- asking ---- */

struct got {
	struct feed_made	*made;
	enum err_code		 error;
	int			 calls;
};

static void
on_ready(void *arg, struct feed_made *made, const struct err *e)
{
	struct got *g = arg;

	g->calls++;
	g->error = e == NULL ? ERR_NONE : e->code;
	g->made = made == NULL ? NULL : feed_made_hold(made);
}

static struct reader
reader_of(struct world *w, const char *name)
{
	const struct peer *p = trust_find(w->g.trust, slice_of(name));

	return (struct reader){ .peer = p, .name = p == NULL ? "public" : p->name };
}

static void
ask_for(struct world *w, const char *reader, const char *file, size_t *output, struct got *g)
{
	struct feed_ask ask = { .feed = feed_find(w->g.config, slice_of(file), output),
	    .reader = reader_of(w, reader) };

	if (ask.feed == NULL)
		fail_msg("%s", file);
	ask.collection = catalog_find(w->g.catalog, slice_of(ask.feed->collection));
	*g = (struct got){ .calls = 0 };
	feeds_get(w->g.feeds, &ask, UINT64_C(1) << *output, on_ready, g);
}

static void
wait_for(struct world *w, const struct got *g)
{
	for (int i = 0; i < 100000 && g->calls == 0; i++)
		event_base_loop(w->g.base, EVLOOP_ONCE);
	assert_int_equal(g->calls, 1);
}

static struct got
get(struct world *w, const char *reader, const char *file, size_t *output)
{
	struct got g;

	ask_for(w, reader, file, output, &g);
	if (w->g.base != NULL)
		wait_for(w, &g);
	assert_int_equal(g.calls, 1);
	return g;
}

/* The text of an output, in the world's memory. */
static const char *
text(struct world *w, const char *reader, const char *file)
{
	size_t output;
	struct got g = get(w, reader, file, &output);
	const char *out;

	assert_int_equal(g.error, ERR_NONE);
	out = arena_str(w->mem, feed_file_text(g.made->out[output].file));
	feed_made_free(g.made);
	return out;
}

static const char *
withheld(struct world *w, const char *reader, const char *file)
{
	size_t output;
	struct got g = get(w, reader, file, &output);
	struct strbuf b = STRBUF_INIT;
	const char *out;

	feed_made_withheld(g.made, output, &b);
	out = arena_str(w->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	feed_made_free(g.made);
	return out;
}

/* ---- objects ---- */

/* An indicator in any version; its pattern and its times are given. */
static const char *
indicator(struct world *w, int n, int version, const char *pattern, const char *more)
{
	return arena_fmt(w->mem, "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"%s\","
	    "\"created\":\"2023-01-01T00:00:00.000Z\",\"modified\":\"2023-01-01T00:%02d:%02d.000Z\","
	    "%s\"name\":\"number %d\",\"pattern_type\":\"stix\",\"pattern\":\"%s\"}",
	    oid(w, "indicator", n), version / 60, version % 60, more, n, pattern);
}
#define FROM	"\"valid_from\":\"2023-01-01T00:00:00Z\","
#define IPV4	"[ipv4-addr:value = '8.8.%d.%d']"

static const char *
address(struct world *w, int n)
{
	return arena_fmt(w->mem, IPV4, n / 250, n % 250 + 1);
}

static void
put(struct world *w, const char *o)
{
	struct intake_message m = world_message(w, "soc", ENVELOPE(w, o));
	struct taken t = { .status = STRBUF_INIT };

	intake_submit(w->g.intake, &m, world_on_taken, &t);
	for (int i = 0; w->g.base != NULL && i < 100000 && t.calls == 0; i++)
		event_base_loop(w->g.base, EVLOOP_ONCE);
	assert_int_equal(t.calls, 1);
	if (t.error != ERR_NONE)
		fail_msg("%s", t.reason);
	strbuf_fini(&t.status);
}

static void
on_removed(void *arg, size_t n, const struct err *e)
{
	(void)arg;
	(void)n;
	assert_null(e);
}

static void
take_out(struct world *w, int n)
{
	struct reader r = reader_of(w, "soc");
	struct slice id = slice_of(oid(w, "indicator", n));
	struct page_query q = world_query();

	q.ids = &id;
	q.nids = 1;
	q.all = true;
	catalog_remove(w->g.catalog, &r, catalog_find(w->g.catalog, SLICE_LIT("kept")), &q, on_removed,
	    NULL);
	world_turn(w);
}

/* ---- names ---- */

static void
test_names(void **state)
{
	static const struct { const char *file, *feed, *ending; } rows[] = {
		{ "f.csv", "f", "csv" }, { "f.ipv4.txt", "f", "ipv4.txt" }, { "f.stix.json", "f", "stix.json" },
		{ "f.x.hosts", "f.x", "hosts" }, { "f.x.ipv4.txt", "f.x", "ipv4.txt" },
		{ "f.x.csv", NULL, NULL }, { "f.exe", NULL, NULL }, { "f", NULL, NULL }, { "f.", NULL, NULL },
		{ ".csv", NULL, NULL }, { "g.csv", NULL, NULL }, { "f.csv.gz", NULL, NULL },
		{ "f.CSV", NULL, NULL }, { "f.x.url.txt", NULL, NULL }, { "", NULL, NULL },
	};
	struct world *w = feed_world(false, "");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t output = OUTPUT_NONE;
		const struct feed_conf *f = feed_find(w->g.config, slice_of(rows[i].file), &output);

		if ((f == NULL) != (rows[i].feed == NULL))
			fail_msg("%s", rows[i].file);
		if (f == NULL)
			continue;
		assert_string_equal(f->name, rows[i].feed);
		assert_string_equal(flat_outputs[output].ending, rows[i].ending);
	}
	feed_world_free(w);
}

/* ---- what is in it ---- */

static void
test_valid_only(void **state)
{
	struct world *w = feed_world(*state != NULL, "");

	put(w, indicator(w, 1, 0, address(w, 1), FROM));
	put(w, indicator(w, 2, 0, address(w, 2), FROM "\"revoked\":true,"));
	put(w, indicator(w, 3, 0, address(w, 3), FROM "\"valid_until\":\"2023-06-01T00:00:00Z\","));
	put(w, indicator(w, 4, 0, address(w, 4), "\"valid_from\":\"2023-12-01T00:00:00Z\","));
	put(w, indicator(w, 5, 0, address(w, 5), FROM "\"valid_until\":\"2023-12-01T00:00:00Z\","));
	put(w, indicator(w, 6, 0, "[ipv4-addr:value = '192.168.1.1']", FROM));
	put(w, indicator(w, 7, 0, "[domain-name:value = 'Evil[.]Bad[.]org']", FROM));
	assert_string_equal(text(w, "soc", "f.ipv4.txt"), "8.8.0.2\n8.8.0.6\n");
	assert_int_equal(world_count(text(w, "soc", "f.jsonl"), "\n"), 3);
	assert_non_null(strstr(withheld(w, "soc", "f.jsonl"), "revoked=1"));
	assert_non_null(strstr(withheld(w, "soc", "f.jsonl"), "expired=1"));
	assert_non_null(strstr(withheld(w, "soc", "f.jsonl"), "warned=1"));
	assert_non_null(strstr(withheld(w, "soc", "f.jsonl"), "not-yet-valid=1"));
	/* time alone changes it: 5 ends, 4 begins */
	clock_fake_add(INT64_C(30) * 86400 * 1000000);
	assert_string_equal(text(w, "soc", "f.ipv4.txt"), "8.8.0.2\n8.8.0.5\n");
	feed_world_free(w);
}

/* A newer version counts alone; of several that mean the same, one is said until it is gone. */
static void
test_one_of_a_group(void **state)
{
	struct world *w = feed_world(*state != NULL, "");

	put(w, indicator(w, 1, 0, address(w, 1), FROM));
	put(w, indicator(w, 1, 1, address(w, 2), FROM));
	assert_string_equal(text(w, "soc", "f.txt"), "8.8.0.3\n");
	put(w, indicator(w, 2, 0, address(w, 2), FROM));
	assert_int_equal(world_count(text(w, "soc", "f.jsonl"), "\n"), 1);
	assert_non_null(strstr(text(w, "soc", "f.jsonl"), oid(w, "indicator", 1)));
	put(w, indicator(w, 1, 2, address(w, 2), FROM "\"revoked\":true,"));
	assert_non_null(strstr(text(w, "soc", "f.jsonl"), oid(w, "indicator", 2)));
	assert_string_equal(text(w, "soc", "f.txt"), "8.8.0.3\n");
	take_out(w, 2);
	assert_string_equal(text(w, "soc", "f.txt"), "");
	feed_world_free(w);
}

/* Two readers get what each may have; a block list has no RED, a tool that blocks only what may block. */
static void
test_readers(void **state)
{
	struct world *w = feed_world(*state != NULL, "");

	put(w, indicator(w, 1, 0, address(w, 1), CLEAR FROM));
	put(w, indicator(w, 2, 0, address(w, 2), GREEN FROM));
	put(w, indicator(w, 3, 0, address(w, 3), AMBER FROM));
	put(w, indicator(w, 4, 0, address(w, 4), STRICT FROM));
	put(w, indicator(w, 5, 0, address(w, 5), GREEN FROM "\"labels\":[\"PAP:RED\"],"));
	assert_string_equal(text(w, "dike", "f.ipv4.txt"), "8.8.0.2\n8.8.0.3\n8.8.0.6\n");
	assert_string_equal(text(w, "soc", "f.ipv4.txt"), "8.8.0.2\n8.8.0.3\n8.8.0.4\n8.8.0.6\n");
	assert_int_equal(world_count(text(w, "soc", "f.csv"), "\n"), 6);
	assert_null(strstr(text(w, "wall", "f.ipv4.txt"), "8.8.0.6"));
	/* what policy keeps from a reader is not counted for him */
	assert_string_equal(withheld(w, "dike", "f.csv"), "");
	world_reload(w, conf_text(w->mem, ""), narrow_trust);
	assert_string_equal(text(w, "dike", "f.ipv4.txt"), "8.8.0.2\n");
	feed_world_free(w);
}

static void
test_choices(void **state)
{
	struct world *w = feed_world(*state != NULL, "    kinds domain\n    confidence 50\n");
	size_t output;

	put(w, indicator(w, 1, 0, "[domain-name:value = 'a.evil.org']", FROM "\"confidence\":80,"));
	put(w, indicator(w, 2, 0, "[domain-name:value = 'b.evil.org']", FROM "\"confidence\":20,"));
	put(w, indicator(w, 3, 0, "[domain-name:value = 'c.evil.org']", FROM));
	put(w, indicator(w, 4, 0, address(w, 4), FROM "\"confidence\":80,"));
	assert_string_equal(text(w, "soc", "f.txt"), "a.evil.org\n");
	assert_non_null(strstr(withheld(w, "soc", "f.txt"), "low-confidence=2"));
	assert_non_null(strstr(text(w, "soc", "f.stix.json"), "a.evil.org"));
	assert_null(strstr(text(w, "soc", "f.stix.json"), "8.8.0.5"));
	assert_null(feed_find(w->g.config, SLICE_LIT("f.ipv4.txt"), &output));
	feed_world_free(w);
}

/* A feed that is too large is refused, not cut. */
static void
test_too_large(void **state)
{
	struct world *w = feed_world(*state != NULL, "    records 2\n");
	size_t output;
	struct got g;

	for (int i = 0; i < 3; i++)
		put(w, indicator(w, i, 0, address(w, i), FROM));
	g = get(w, "soc", "f.txt", &output);
	assert_int_equal(g.error, ERR_LIMIT);
	assert_null(g.made);
	take_out(w, 0);
	assert_string_equal(text(w, "soc", "f.txt"), "8.8.0.2\n8.8.0.3\n");
	feed_world_free(w);
}

/* ---- what is kept ---- */

/* (The store in memory cannot tell whether it has changed.) Nothing is built twice for nothing; what was added elsewhere changes nothing here. */
static void
test_kept(void **state)
{
	static const char *const elsewhere[] = { "other", NULL };
	struct world *w = feed_world(*state != NULL, "");
	struct intake_message m;
	struct taken t;

	put(w, indicator(w, 1, 0, address(w, 1), FROM));
	text(w, "soc", "f.txt");
	text(w, "soc", "f.txt");
	assert_int_equal((int)stats_value2(w->g.stats, STAT_FEEDS, "f", "built"), 1);
	assert_int_equal((int)stats_value2(w->g.stats, STAT_FEEDS, "f", "kept"), 1);
	m = world_message(w, "soc", ENVELOPE(w, indicator(w, 2, 0, address(w, 2), FROM)));
	m.collections = elsewhere;
	t = world_send(w, &m);
	strbuf_fini(&t.status);
	assert_string_equal(text(w, "soc", "f.txt"), "8.8.0.2\n");
	assert_int_equal((int)stats_value2(w->g.stats, STAT_FEEDS, "f", "built"), 1);
	put(w, indicator(w, 3, 0, address(w, 3), FROM));
	assert_string_equal(text(w, "soc", "f.txt"), "8.8.0.2\n8.8.0.4\n");
	assert_int_equal((int)stats_value2(w->g.stats, STAT_FEEDS, "f", "built"), 1);
	assert_int_equal((int)stats_value2(w->g.stats, STAT_FEEDS, "f", "extended"), 1);
	/* another output is another build, of both */
	text(w, "soc", "f.hosts");
	text(w, "soc", "f.txt");
	assert_int_equal((int)stats_value2(w->g.stats, STAT_FEEDS, "f", "built"), 2);
	feed_world_free(w);
}

/* Equal content has an equal tag, whoever asks and however often it is built. */
static void
test_tags(void **state)
{
	struct world *w = feed_world(*state != NULL, "");
	char before[FEED_TAG + 1];
	size_t output;
	struct got g;

	put(w, indicator(w, 1, 0, address(w, 1), CLEAR FROM));
	g = get(w, "soc", "f.csv", &output);
	snprintf(before, sizeof(before), "%s", feed_file_tag(g.made->out[output].file));
	feed_made_free(g.made);
	world_reload(w, conf_text(w->mem, ""), trust_text);
	g = get(w, "dike", "f.csv", &output);
	assert_string_equal(feed_file_tag(g.made->out[output].file), before);
	feed_made_free(g.made);
	put(w, indicator(w, 2, 0, address(w, 2), CLEAR FROM));
	g = get(w, "dike", "f.csv", &output);
	assert_string_not_equal(feed_file_tag(g.made->out[output].file), before);
	feed_made_free(g.made);
	feed_world_free(w);
}

/* ---- since ---- */

#define KEY	SLICE_LIT("0123456789abcdef0123456789abcdef")

static void
test_cursor(void **state)
{
	struct feed_state s = { .chain = { 1, 2, 3 }, .no = 77 };
	struct feed_since out;
	char text_of[FEED_CURSOR];

	(void)state;
	feed_cursor(&s, KEY, SLICE_LIT("f\n+soc"), text_of);
	assert_true(feed_since_read(slice_of(text_of), KEY, SLICE_LIT("f\n+soc"), &out));
	assert_false(out.by_time);
	assert_int_equal(out.no, 77);
	assert_memory_equal(out.chain, s.chain, sizeof(s.chain));
	assert_false(feed_since_read(slice_of(text_of), KEY, SLICE_LIT("f\n+dike"), &out));
	assert_false(feed_since_read(slice_of(text_of), SLICE_LIT("another key, thirty-two bytes..."),
	    SLICE_LIT("f\n+soc"), &out));
	for (size_t i = 0; text_of[i] != '\0'; i++) {
		char was = text_of[i];

		text_of[i] = was == 'A' ? 'B' : 'A';
		assert_false(feed_since_read(slice_of(text_of), KEY, SLICE_LIT("f\n+soc"), &out));
		text_of[i] = was;
	}
	assert_true(feed_since_read(SLICE_LIT("2026-01-31T12:00:00Z"), KEY, SLICE_EMPTY, &out));
	assert_true(out.by_time);
	assert_false(feed_since_read(SLICE_LIT("yesterday"), KEY, SLICE_EMPTY, &out));
	assert_false(feed_since_read(SLICE_EMPTY, KEY, SLICE_EMPTY, &out));
}

/* What a consumer has: lines by name. */
struct consumer {
	const char	*reader;
	char		*name[4096], *line[4096];
	size_t		 n;
	bool		 has_cursor;
	struct feed_since cursor;
	int64_t		 at_us;
};

/* A name as a consumer would put it together from a line. */
static char *
name_of(struct slice line)
{
	static const char *const members[] = { "id", "type", "value", "role", "protocol", "context" };
	struct arena *mem = arena_new();
	struct strbuf b = STRBUF_INIT;
	struct json_doc doc;
	struct err e = ERR_INIT;
	int64_t port;
	char *out;

	if (json_parse(line, NULL, mem, &doc, &e) < 0)
		fail_msg("%s: %.*s", e.reason, SLICE_ARG(line));
	for (size_t i = 0; i < COUNTOF(members); i++)
		strbuf_addf(&b, "%.*s|", SLICE_ARG(json_member(doc.root, members[i])));
	if (json_int(json_get(doc.root, "port"), &port))
		strbuf_addf(&b, "%lld", (long long)port);
	out = xstrdup(b.p);
	strbuf_fini(&b);
	arena_free(mem);
	return out;
}

static size_t
find(const struct consumer *c, const char *name)
{
	size_t i = 0;

	while (i < c->n && strcmp(c->name[i], name) != 0)
		i++;
	return i;
}

static void
forget(struct consumer *c, size_t i)
{
	free(c->name[i]);
	free(c->line[i]);
	c->n--;
	c->name[i] = c->name[c->n];
	c->line[i] = c->line[c->n];
}

static void
learn(struct consumer *c, struct slice line)
{
	char *name = name_of(line);
	size_t i = find(c, name);

	if (i < c->n)
		forget(c, i);
	assert_true(c->n < COUNTOF(c->name));
	c->name[c->n] = name;
	c->line[c->n++] = xstrndup(line.p, line.n);
}

static void
on_change(void *ctx, enum feed_op op, struct slice name, struct slice line, struct slice csv)
{
	struct consumer *c = ctx;
	struct strbuf b = STRBUF_INIT;
	char *key;
	size_t i;

	strbuf_addf(&b, "{%.*s}", SLICE_ARG(name));
	key = name_of(strbuf_slice(&b));
	i = find(c, key);
	if (op == FEED_REMOVED) {
		assert_true(line.n == 0 && csv.n == 0);
		assert_true(i < c->n || c->cursor.by_time);
		if (i < c->n)
			forget(c, i);
	} else {
		assert_true((i < c->n) == (op == FEED_CHANGED) || c->cursor.by_time);
		assert_true(csv.n > 0 && line.p[line.n - 1] == '\n');
		learn(c, slice_from(line.p, line.n - 1));
	}
	free(key);
	strbuf_fini(&b);
}

static void
set_cursor(struct consumer *c, const struct feed_state *s)
{
	c->cursor = (struct feed_since){ .no = s->no };
	memcpy(c->cursor.chain, s->chain, FEED_CHAIN);
	c->has_cursor = true;
	c->at_us = clock_wall_us();
}

static void
fetch_whole(struct consumer *c, const struct feed_made *made, struct slice all)
{
	while (c->n > 0)
		forget(c, 0);
	while (all.n > 0)
		learn(c, slice_cut(&all, '\n'));
	assert_true(made->has_state);
	set_cursor(c, &made->state);
}

static void
fetch_changes(struct world *w, struct consumer *c, const struct feed_made *made, struct slice all,
    bool by_time)
{
	struct reader r = reader_of(w, c->reader);
	struct strbuf base = STRBUF_INIT;
	struct feed_state to;
	struct err e = ERR_INIT;

	feed_base(w->g.config, "f", &r, &base);
	if (by_time)
		c->cursor = (struct feed_since){ .by_time = true, .time_us = c->at_us };
	if (feed_log_since(base.p, &c->cursor, on_change, c, &to, &e) < 0) {
		assert_int_equal(e.code, ERR_REFERENCE);
		fetch_whole(c, made, all);
	} else {
		assert_int_equal(to.no, made->state.no);
		set_cursor(c, &to);
	}
	strbuf_fini(&base);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Has the consumer exactly what the feed says? */
static void
compare(const struct consumer *c, struct slice all)
{
	char **lines = calloc(c->n + 1, sizeof(*lines)), **mine = calloc(c->n + 1, sizeof(*mine));
	size_t n = 0;

	memcpy(mine, c->line, c->n * sizeof(*mine));
	for (struct slice rest = all; rest.n > 0; n++) {
		struct slice line = slice_cut(&rest, '\n');

		if (n == c->n)
			fail_msg("%s lacks %.*s", c->reader, SLICE_ARG(line));
		lines[n] = xstrndup(line.p, line.n);
	}
	if (n < c->n)
		fail_msg("%s has %zu of %zu", c->reader, c->n, n);
	qsort(lines, n, sizeof(*lines), by_text);
	qsort(mine, n, sizeof(*mine), by_text);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(mine[i], lines[i]);
		free(lines[i]);
	}
	free(lines);
	free(mine);
}

static void
refresh(struct world *w, struct consumer *c, unsigned dice)
{
	size_t output;
	struct got g = get(w, c->reader, "f.jsonl", &output);
	struct slice all = feed_file_text(g.made->out[output].file);

	assert_int_equal(g.error, ERR_NONE);
	if (!c->has_cursor || dice % 8 == 0)
		fetch_whole(c, g.made, all);
	else
		fetch_changes(w, c, g.made, all, dice % 8 == 1);
	compare(c, all);
	feed_made_free(g.made);
}

/* ---- a random history ---- */

static unsigned
roll(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 8) % n;
}

static const char *
random_more(struct world *w, unsigned *seed)
{
	static const char *const labels[] = { CLEAR, GREEN, AMBER, STRICT, "" };
	const char *until = "", *label = labels[roll(seed, 5)];
	int64_t now = clock_wall_us();
	char from[STAMP_TEXT + 1], to[STAMP_TEXT + 1];

	stamp_text(now + ((int64_t)roll(seed, 40) - 30) * 60000000, from);
	stamp_text(now + ((int64_t)roll(seed, 40) + 20) * 60000000, to);
	if (roll(seed, 3) == 0)
		until = arena_fmt(w->mem, "\"valid_until\":\"%s\",", to);
	return arena_fmt(w->mem, "%s\"valid_from\":\"%s\",%s%s", label, from, until,
	    roll(seed, 10) == 0 ? "\"revoked\":true," : "");
}

static const char *
random_pattern(struct world *w, unsigned *seed)
{
	int n = (int)roll(seed, 12);

	switch (roll(seed, 4)) {
	case 0:
		return arena_fmt(w->mem, "[ipv4-addr:value IN ('8.8.1.%d','8.8.1.%d')]", n + 1, n + 2);
	case 1:
		return "[ipv4-addr:value = '10.1.2.3']";
	case 2:
		return arena_fmt(w->mem, "[domain-name:value = 'd%d.evil.org' OR "
		    "ipv4-addr:value = '8.8.2.%d']", n, n + 1);
	default:
		return address(w, n);
	}
}

/* Malware, and that an indicator is about it: names of records change. */
static void
relate(struct world *w, unsigned *seed, int step)
{
	int n = (int)roll(seed, 3);

	put(w, arena_fmt(w->mem, "{\"type\":\"malware\",\"spec_version\":\"2.1\",\"id\":\"%s\","
	    "\"created\":\"2023-01-01T00:00:00.000Z\",\"modified\":\"2023-01-01T01:%02d:%02d.000Z\","
	    "\"is_family\":true,\"name\":\"worm %d\"," GREEN "\"description\":\"d\"}",
	    oid(w, "malware", n), step / 60, step % 60, step));
	put(w, arena_fmt(w->mem, "{\"type\":\"relationship\",\"spec_version\":\"2.1\",\"id\":\"%s\","
	    "\"created\":\"2023-01-01T00:00:00.000Z\",\"modified\":\"2023-01-01T00:00:00.000Z\","
	    GREEN "\"relationship_type\":\"indicates\",\"source_ref\":\"%s\",\"target_ref\":\"%s\"}",
	    oid(w, "relationship", step), oid(w, "indicator", (int)roll(seed, 30)),
	    oid(w, "malware", n)));
}

static const char *const other_confs[] = { "", "    kinds ipv4\n",
	"warnings\n    networks 8.8.1.4/30\n    domains d3.evil.org\n" };

static void
one_step(struct world *w, unsigned *seed, int step)
{
	int n = (int)roll(seed, 30);

	clock_fake_add((int64_t)roll(seed, 4) * 30000000 + 1000);
	switch (roll(seed, 12)) {
	case 0: case 1:
		take_out(w, n);
		break;
	case 2:
		relate(w, seed, step);
		break;
	case 3:
		clock_fake_add((int64_t)roll(seed, 20) * 60000000);
		break;
	case 4:
		if (roll(seed, 4) != 0)
			break;
		world_reload(w, conf_text(w->mem, other_confs[roll(seed, 3)]),
		    roll(seed, 2) ? trust_text : narrow_trust);
		load_warnings(w);
		break;
	default:
		put(w, indicator(w, n, step, random_pattern(w, seed), random_more(w, seed)));
		break;
	}
}

/* Whoever applies what changed has what the feed says, whatever happens, in whatever order he asks. */
static void
test_histories(void **state)
{
	for (unsigned history = 1; history <= (*state == NULL ? 6 : 2); history++) {
		struct world *w = feed_world(*state != NULL, history % 2 == 0 ?
		    "    history 64k\n" : "");
		struct consumer *c = calloc(3, sizeof(*c));
		struct feeds *desks[2] = { w->g.feeds, feeds_new(&w->g) };	/* of two workers */
		unsigned seed = history;

		c[0].reader = "soc";
		c[1].reader = "dike";
		c[2].reader = "wall";
		for (int step = 0; step < 250; step++) {
			one_step(w, &seed, step);
			w->g.feeds = desks[roll(&seed, 2)];
			if (roll(&seed, 3) == 0)
				refresh(w, &c[roll(&seed, 3)], roll(&seed, 1000));
		}
		for (int i = 0; i < 3; i++) {
			refresh(w, &c[i], 7);
			while (c[i].n > 0)
				forget(&c[i], 0);
		}
		free(c);
		feeds_free(desks[1]);
		w->g.feeds = desks[0];
		feed_world_free(w);
	}
}

/* ---- in a loop ---- */

static void
put_many(struct world *w, int from, int to)
{
	struct strbuf b = STRBUF_INIT;

	for (int i = from; i < to; i++)
		strbuf_addf(&b, "%s%s", i > from ? "," : "",
		    indicator(w, i, 0, address(w, i), GREEN FROM));
	put(w, arena_str(w->mem, strbuf_slice(&b)));
	strbuf_fini(&b);
}

static size_t
lines_of(struct got *g, size_t output)
{
	size_t n;

	assert_int_equal(g->error, ERR_NONE);
	n = world_count(arena_str(g->made->config->mem, feed_file_text(g->made->out[output].file)), "\n");
	feed_made_free(g->made);
	return n;
}

/* Who asks together shares a build; who asks for what was not there when it began does not get less. */
static void
test_together(void **state)
{
	struct world *w = feed_world_with(*state != NULL, "", true);
	struct got g[4];
	size_t output;

	put_many(w, 0, 300);
	for (int i = 0; i < 3; i++)
		ask_for(w, "soc", "f.txt", &output, &g[i]);
	for (int i = 0; i < 3; i++)
		wait_for(w, &g[i]);
	/* the store in memory cannot tell that nothing has changed meanwhile */
	assert_int_equal((int)stats_value2(w->g.stats, STAT_FEEDS, "f", "built"), *state != NULL ? 1 : 2);
	for (int i = 0; i < 3; i++)
		assert_int_equal(lines_of(&g[i], output), 300);
	/* a build has begun; then something is acknowledged; then somebody asks */
	put_many(w, 300, 301);
	ask_for(w, "soc", "f.txt", &output, &g[0]);
	put(w, indicator(w, 0, 1, address(w, 0), GREEN FROM "\"revoked\":true,"));
	ask_for(w, "soc", "f.txt", &output, &g[1]);
	wait_for(w, &g[0]);
	wait_for(w, &g[1]);
	lines_of(&g[0], output);
	assert_int_equal(lines_of(&g[1], output), 300);
	feed_world_free(w);
}

/* Rights that change under a build hold for what comes of it. */
static void
test_reload_under_a_build(void **state)
{
	struct world *w = feed_world_with(*state != NULL, "", true);
	size_t output;
	struct got g;

	put_many(w, 0, 300);
	put(w, indicator(w, 400, 0, address(w, 400), CLEAR FROM));
	ask_for(w, "dike", "f.txt", &output, &g);
	world_reload(w, conf_text(w->mem, ""), narrow_trust);	/* clear alone is for clients now */
	load_warnings(w);
	wait_for(w, &g);
	assert_int_equal(lines_of(&g, output), 1);
	/* and whose feed is gone is told so */
	ask_for(w, "soc", "f.x.hosts", &output, &g);
	world_reload(w, arena_fmt(w->mem, "node here\n    state %s\n    sign-key k\n    audit-key k\n"
	    "    dedup-key k\nstore\n    path memory\ncollection kept\n", folder), NULL);
	load_warnings(w);
	wait_for(w, &g);
	assert_int_equal(g.error, ERR_BUSY);
	feed_world_free(w);
}

static const struct store_ops *sound_ops;
static int stumble_at;

static int
stumbling_page(struct store *s, struct page_walk *walk, struct err *e)
{
	int rc = sound_ops->page(s, walk, e);

	return --stumble_at == 0 ? err_set(e, ERR_STORE, "disk I/O error") : rc;
}

/* A store that stumbles once, at whichever page, costs time, and no record is said twice or left out. */
static void
test_store_stumbles(void **state)
{
	for (int at = 1; at < 7; at++) {
		struct world *w = feed_world_with(*state != NULL, "", true);
		struct store_ops sick = *w->g.store->ops;
		size_t output;
		struct got g;

		put_many(w, 0, 300);
		sound_ops = w->g.store->ops;
		sick.page = stumbling_page;
		w->g.store->ops = &sick;
		stumble_at = at;
		ask_for(w, "soc", "f.csv", &output, &g);
		wait_for(w, &g);
		assert_int_equal(lines_of(&g, output), 301);
		w->g.store->ops = sound_ops;
		feed_world_free(w);
	}
}

/* The end of the node under a build: nothing is lost track of (ASan would tell). */
static void
test_stop_under_a_build(void **state)
{
	struct world *w = feed_world_with(*state != NULL, "", true);
	struct got g[2];
	size_t output;

	put_many(w, 0, 300);
	ask_for(w, "soc", "f.csv", &output, &g[0]);
	ask_for(w, "dike", "f.csv", &output, &g[1]);
	feed_world_free(w);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(g[i].calls, 1);
		assert_true(g[i].error != ERR_NONE || g[i].made != NULL);
		feed_made_free(g[i].made);
	}
}

/* ---- going on with what was made ---- */

static const char *
sdo(struct world *w, const char *type, int n, const char *more)
{
	return arena_fmt(w->mem, "{\"type\":\"%s\",\"spec_version\":\"2.1\",\"id\":\"%s\","
	    "\"created\":\"2023-01-01T00:00:00.000Z\",\"modified\":\"2023-01-01T00:00:00.000Z\",%s"
	    GREEN "\"lang\":\"en\"}", type, oid(w, type, n), more);
}

/* Something new, about old and new things alike, in any order; sometimes what makes a new beginning. */
static void
add_something(struct world *w, unsigned *seed, int step)
{
	int old = step > 0 ? (int)roll(seed, (unsigned)step) : 0, near = (int)roll(seed, 3) == 0 ? old : step;

	switch (roll(seed, 9)) {
	case 0:
		put(w, sdo(w, "malware", step, arena_fmt(w->mem, "\"name\":\"worm %d\","
		    "\"is_family\":true,", step)));
		break;
	case 1: case 2:
		put(w, sdo(w, "relationship", step, arena_fmt(w->mem, "\"relationship_type\":\"indicates\","
		    "\"source_ref\":\"%s\",\"target_ref\":\"%s\",", oid(w, "indicator", near + 1),
		    oid(w, "malware", (int)roll(seed, (unsigned)step + 20)))));
		break;
	case 3:
		put(w, sdo(w, "identity", (int)roll(seed, 25) + 500, "\"name\":\"Team\","));
		break;
	case 4:
		put(w, sdo(w, "report", step, arena_fmt(w->mem, "\"name\":\"report %d\",\"published\":"
		    "\"2023-01-01T00:00:00Z\",\"object_refs\":[\"%s\"],", step,
		    oid(w, "indicator", near + 1))));
		break;
	case 5:
		if (roll(seed, 6) == 0)
			put(w, indicator(w, old, 1, address(w, old), FROM));
		break;
	default:
		put(w, indicator(w, step, 0, random_pattern(w, seed), arena_fmt(w->mem,
		    "%s\"created_by_ref\":\"%s\",", random_more(w, seed),
		    oid(w, "identity", (int)roll(seed, 25) + 500))));
		break;
	}
}

/* A feed that was gone on with is, byte by byte, the one that is made from the beginning. */
static void
test_extended(void **state)
{
	static const char *const files[] = { "f.csv", "f.jsonl", "f.txt", "f.hosts", "f.rules", "f.intel",
	    "f.cdb", "f.ipv4.txt" };
	double extended = 0, built = 0;

	for (unsigned history = 1; history <= 3; history++) {
		struct world *w = feed_world(*state != NULL, "");
		unsigned seed = 100 + history;

		for (int step = 0; step < 120; step++) {
			const char *mine[COUNTOF(files)];
			struct feeds *desk = w->g.feeds;

			clock_fake_add(1000);
			add_something(w, &seed, step);
			if (roll(&seed, 3) != 0)
				continue;
			for (size_t i = 0; i < COUNTOF(files); i++)
				mine[i] = text(w, "soc", files[i]);
			extended += stats_value2(w->g.stats, STAT_FEEDS, "f", "extended");
			built = stats_value2(w->g.stats, STAT_FEEDS, "f", "built");
			w->g.feeds = feeds_new(&w->g);
			for (size_t i = 0; i < COUNTOF(files); i++)
				assert_string_equal(text(w, "soc", files[i]), mine[i]);
			feeds_free(w->g.feeds);
			w->g.feeds = desk;
		}
		feed_world_free(w);
	}
	assert_true(extended > 10 && built > 10);
}

/* A name that comes late, and what is said later about an old indicator, are in its record. */
static void
test_late_names(void **state)
{
	struct world *w = feed_world(*state != NULL, "");
	const char *indicates = arena_fmt(w->mem, "\"relationship_type\":\"indicates\","
	    "\"source_ref\":\"%s\",\"target_ref\":\"%s\",", oid(w, "indicator", 1), oid(w, "malware", 1));

	put(w, sdo(w, "relationship", 1, indicates));
	put(w, indicator(w, 1, 0, address(w, 1), FROM));
	assert_null(strstr(text(w, "soc", "f.csv"), "worm"));
	put(w, indicator(w, 2, 0, address(w, 2), FROM));
	assert_non_null(strstr(text(w, "soc", "f.csv"), "8.8.0.3"));
	assert_int_equal((int)stats_value2(w->g.stats, STAT_FEEDS, "f", "extended"), 1);
	put(w, sdo(w, "malware", 1, "\"name\":\"worm\",\"is_family\":true,"));
	assert_non_null(strstr(text(w, "soc", "f.csv"), "worm"));
	assert_int_equal((int)stats_value2(w->g.stats, STAT_FEEDS, "f", "built"), 2);
	put(w, sdo(w, "report", 1, arena_fmt(w->mem, "\"name\":\"weekly\",\"published\":"
	    "\"2023-01-01T00:00:00Z\",\"object_refs\":[\"%s\"],", oid(w, "indicator", 2))));
	assert_non_null(strstr(text(w, "soc", "f.csv"), "weekly"));
	put(w, sdo(w, "sighting", 1, arena_fmt(w->mem, "\"first_seen\":\"2023-02-03T00:00:00Z\","
	    "\"sighting_of_ref\":\"%s\",", oid(w, "indicator", 2))));
	assert_non_null(strstr(text(w, "soc", "f.csv"), "2023-02-03"));
	assert_int_equal((int)stats_value2(w->g.stats, STAT_FEEDS, "f", "built"), 4);
	feed_world_free(w);
}

/* Nobody is told of a removal that he never had: a cursor names what was there. */
static void
test_no_leak(void **state)
{
	struct world *w = feed_world(*state != NULL, "");
	struct consumer c = { .reader = "dike" };

	put(w, indicator(w, 1, 0, address(w, 1), GREEN FROM));
	refresh(w, &c, 0);
	put(w, indicator(w, 2, 0, address(w, 2), STRICT FROM));
	put(w, indicator(w, 2, 1, address(w, 2), STRICT FROM "\"revoked\":true,"));
	put(w, indicator(w, 1, 1, address(w, 1), STRICT FROM));
	refresh(w, &c, 7);
	assert_int_equal(c.n, 0);
	feed_world_free(w);
}

/* Damage in what is kept costs a full fetch, never a wrong answer. */
static void
test_damage(void **state)
{
	static const char *const endings[] = { ".state", ".log.1" };
	struct feed_since since;
	struct feed_state to;

	for (size_t k = 0; k < 2 * COUNTOF(endings); k++) {
		struct world *w = feed_world(*state != NULL, "");
		struct consumer c = { .reader = "soc" };
		struct strbuf base = STRBUF_INIT;
		struct reader r = reader_of(w, "soc");
		struct err e = ERR_INIT;
		FILE *f;

		for (int i = 0; i < 3; i++) {
			put(w, indicator(w, i, 0, address(w, i), FROM));
			refresh(w, &c, i == 0 ? 0 : 7);
		}
		since = c.cursor;
		since.no = 1;
		c.cursor.by_time = true;	/* he has more than that already */
		feed_base(w->g.config, "f", &r, &base);
		assert_int_equal(feed_log_since(base.p, &since, on_change, &c, &to, &e), 0);
		strbuf_adds(&base, endings[k / 2]);
		f = fopen(base.p, "r+");
		assert_non_null(f);
		if (k % 2 == 0) {
			assert_int_equal(ftruncate(fileno(f), 50), 0);
		} else {
			fseek(f, 100, SEEK_SET);
			fputc('X', f);
			fputc('Y', f);
		}
		fclose(f);
		base.n -= strlen(endings[k / 2]);
		base.p[base.n] = '\0';
		assert_int_equal(feed_log_since(base.p, &since, on_change, &c, &to, &e), -1);
		assert_int_equal(e.code, ERR_REFERENCE);
		c.cursor.by_time = false;
		put(w, indicator(w, 9, 0, address(w, 9), FROM));
		refresh(w, &c, 7);
		put(w, indicator(w, 10, 0, address(w, 10), FROM));
		refresh(w, &c, 7);
		while (c.n > 0)
			forget(&c, 0);
		strbuf_fini(&base);
		feed_world_free(w);
	}
}

/* A crash between log and state leaves a block too many: it was never told, and it is written over. */
static void
test_crash_between(void **state)
{
	struct world *w = feed_world(*state != NULL, "");
	struct consumer c = { .reader = "soc" };
	struct strbuf base = STRBUF_INIT;
	struct reader r = reader_of(w, "soc");
	FILE *f;

	put(w, indicator(w, 1, 0, address(w, 1), FROM));
	refresh(w, &c, 0);
	put(w, indicator(w, 2, 0, address(w, 2), FROM));
	refresh(w, &c, 7);
	feed_base(w->g.config, "f", &r, &base);
	strbuf_adds(&base, ".log.1");
	f = fopen(base.p, "a");
	assert_non_null(f);
	fputs("1klb and whatever was going to be the next block, cut off where the machine stopped", f);
	fclose(f);
	put(w, indicator(w, 3, 0, address(w, 3), FROM));
	c.cursor.no = 1;
	c.cursor.by_time = false;
	forget(&c, 1);			/* he is at the first state again */
	refresh(w, &c, 7);
	assert_int_equal(c.n, 3);
	while (c.n > 0)
		forget(&c, 0);
	strbuf_fini(&base);
	feed_world_free(w);
}

/* The log has its limit; what is older than it is not told wrongly. */
static void
test_history_ends(void **state)
{
	struct world *w = feed_world(*state != NULL, "    history 64k\n");
	struct consumer c = { .reader = "soc" };
	struct feed_state last, oldest;
	struct strbuf base = STRBUF_INIT;
	struct reader r = reader_of(w, "soc");
	uint64_t bytes;

	feed_base(w->g.config, "f", &r, &base);
	for (int i = 0; i < 120; i++) {
		put(w, indicator(w, i, 0, address(w, i), FROM));
		refresh(w, &c, i == 0 ? 0 : 7);
		assert_true(feed_log_look(base.p, &last, &oldest, &bytes));
		assert_true(bytes <= 65536);
		assert_int_equal(last.no, i + 1);
	}
	assert_true(oldest.no > 1);
	c.cursor.no = oldest.no - 1;
	refresh(w, &c, 7);		/* fetches the whole */
	while (c.n > 0)
		forget(&c, 0);
	strbuf_fini(&base);
	feed_world_free(w);
}

/* ---- in a loop ---- */

/* A build ends step by step on the stack of its own timer. Who asks for another output meanwhile is served
 * by another build, which takes the place of the one that has just ended. */
static void
test_asked_meanwhile(void **state)
{
	static const char *const files[] = { "f.jsonl", "f.txt", "f.stix.json" };
	enum { ASKED = sizeof(files) / sizeof(*files) };
	struct world *w = feed_world(*state != NULL, "");
	struct event_base *base = event_base_new();
	struct got g[ASKED] = { { .calls = 0 } };
	size_t output[ASKED];

	put(w, indicator(w, 1, 0, address(w, 1), FROM));
	w->g.base = base;
	for (size_t i = 0; i < ASKED; i++) {
		struct feed_ask ask = { .feed = feed_find(w->g.config, slice_of(files[i]), &output[i]),
		    .reader = reader_of(w, "soc") };

		ask.collection = catalog_find(w->g.catalog, slice_of(ask.feed->collection));
		feeds_get(w->g.feeds, &ask, UINT64_C(1) << output[i], on_ready, &g[i]);
	}
	for (int i = 0; i < 100000 && g[0].calls + g[1].calls + g[2].calls < ASKED; i++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		world_turn(w);
	}
	for (size_t i = 0; i < ASKED; i++) {
		assert_int_equal(g[i].calls, 1);
		assert_int_equal(g[i].error, ERR_NONE);
		assert_non_null(memmem(feed_file_text(g[i].made->out[output[i]].file).p,
		    feed_file_text(g[i].made->out[output[i]].file).n, "8.8.0.2", 7));
		feed_made_free(g[i].made);
	}
	feed_world_free(w);
}

#define BOTH(test)	cmocka_unit_test_prestate(test, NULL), cmocka_unit_test_prestate(test, (void *)1)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names), cmocka_unit_test(test_cursor),
		BOTH(test_valid_only), BOTH(test_one_of_a_group), BOTH(test_readers),
		BOTH(test_choices), BOTH(test_too_large), cmocka_unit_test_prestate(test_kept, (void *)1), BOTH(test_tags),
		BOTH(test_no_leak), BOTH(test_damage), BOTH(test_crash_between), BOTH(test_together),
		BOTH(test_reload_under_a_build), BOTH(test_stop_under_a_build), BOTH(test_store_stumbles), BOTH(test_history_ends), BOTH(test_histories),
		cmocka_unit_test_prestate(test_extended, (void *)1),
		cmocka_unit_test_prestate(test_late_names, (void *)1), BOTH(test_asked_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
