/* If this fails, an administrator is told something that is not so, or the control socket stops a node. */
#include "fixture_gateway.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/admin.h"
#include "gateway/base/codec.h"
#include "gateway/base/json.h"

struct desk {
	struct world		*w;
	struct admin		*admin;
	char			 path[64];
	int			 reloads;
};

static void
on_reload(void *ctx, admin_done_cb *done, void *arg)
{
	struct desk *d = ctx;
	bool good = ++d->reloads == 1;

	done(arg, good, good ? "" : "trust.conf:7: a \"quoted\" complaint");
}

static void
on_peer_retry(void *ctx, const char *peer)
{
	struct desk *d = ctx;

	outbox_retry(d->w->g.outbox, peer);
}

static void
listening(void *ctx, char *text, size_t cap)
{
	(void)ctx;
	snprintf(text, cap, "127.0.0.1:1");
}

/* A peer that never answers. */
static void
swallow(void *ctx, const struct delivery *d, delivery_done_cb *done, void *arg)
{
	(void)ctx, (void)d, (void)done, (void)arg;
}

static int
set_up(void **state)
{
	struct desk *d = calloc(1, sizeof(*d));
	const struct admin_hooks hooks = { .ctx = d, .reload = on_reload,
		.retry = on_peer_retry, .listening = listening, .listening_ctx = d };
	struct err e = ERR_INIT;
	int fd;

	d->w = world_new(NULL, NULL, true);
	d->w->g.outbox = outbox_new(&d->w->g, swallow, NULL);
	snprintf(d->path, sizeof(d->path), "/tmp/tocsin-admin-%d.sock", (int)getpid());
	fd = admin_socket_open(d->path, &e);
	if (fd < 0)
		fail_msg("%s", e.reason);
	d->admin = admin_new(&d->w->g, fd, d->path, &hooks);
	*state = d;
	return 0;
}

static int
tear_down(void **state)
{
	struct desk *d = *state;

	admin_free(d->admin);
	assert_int_equal(access(d->path, F_OK), -1);
	world_free(d->w);
	free(d);
	return 0;
}

static int
call(struct desk *d)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", d->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

/* All that comes until the node closes. */
static const char *
hear(struct desk *d, int fd)
{
	struct strbuf b = STRBUF_INIT;
	const char *text;
	char piece[4096];
	ssize_t n;

	for (int i = 0; i < 1000; i++) {
		world_turn(d->w);
		while ((n = read(fd, piece, sizeof(piece))) > 0)
			strbuf_add(&b, piece, (size_t)n);
		if (n == 0)
			break;
	}
	close(fd);
	text = arena_str(d->w->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

/* Question and answer, which must be one line of JSON. */
static const json *
ask(struct desk *d, const char *question)
{
	int fd = call(d);
	const char *text;
	struct json_doc doc;
	struct err e = ERR_INIT;

	say(fd, question);
	say(fd, "\n");
	text = hear(d, fd);
	if (text[0] == '\0' || text[strlen(text) - 1] != '\n' ||
	    json_parse(slice_of(text), NULL, d->w->mem, &doc, &e) < 0)
		fail_msg("%s -> %s", question, text);
	return doc.root;
}

static bool
is_ok(const json *answer)
{
	return json_bool(json_get(answer, "ok"));
}

/* ---- the socket ---- */

static void
ours_alone(void **state)
{
	struct desk *d = *state;
	struct stat st;

	assert_int_equal(stat(d->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
odd_questions(void **state)
{
	static const char *const odd[] = { "", "{", "[]", "7", "{}", "{\"cmd\":7}", "{\"cmd\":\"x\"}",
		"{\"cmd\":\"status\",\"cmd\":\"status\"}", "{\"cmd\":\"peer\"}",
		"{\"cmd\":\"explain\"}", "{\"cmd\":\"explain\",\"peer\":\"near\"}",
		"{\"cmd\":\"quarantine-show\"}", "{\"cmd\":\"quarantine-show\",\"id\":\"x\"}",
		"{\"cmd\":\"quarantine-drop\",\"id\":99}", "{\"cmd\":\"quarantine-retry\",\"id\":99}",
		"{\"cmd\":\"quarantine-retry\",\"id\":1,\"bytes\":\"!\"}",
		"{\"cmd\":\"peer-retry\",\"peer\":\"nobody\"}" };
	struct desk *d = *state;

	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		const json *a = ask(d, odd[i]);

		if (is_ok(a) || json_member(a, "error").n == 0)
			fail_msg("%s was answered", odd[i]);
	}
}

/* Who asks and goes away, before and after his question; who says nothing; and too many of them. */
static void
clients_vanish(void **state)
{
	struct desk *d = *state;
	int fd[20];

	for (int i = 0; i < 20; i++) {
		fd[i] = call(d);
		if (i % 3 == 0)
			say(fd[i], "{\"cmd\":\"peer-retry\",\"peer\":\"near\"}\n");
		else if (i % 3 == 1)
			say(fd[i], "{\"cmd\":");
		if (i % 2 == 0)
			event_base_loop(d->w->g.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		if (i < 10)
			close(fd[i]);
	}
	world_turn(d->w);
	for (int i = 10; i < 20; i++)
		close(fd[i]);
	world_turn(d->w);
	assert_true(is_ok(ask(d, "{\"cmd\":\"status\"}")));
	/* one is left in the middle of his question, for the end of the node */
	say(call(d), "{\"cmd\":\"quarantine-list\"");
	world_turn(d->w);
}

/* ---- the verbs ---- */

static void
status(void **state)
{
	struct desk *d = *state;
	const json *a = ask(d, "{\"cmd\":\"status\"}");

	assert_true(is_ok(a));
	assert_true(slice_is(json_member(a, "node"), "here"));
	assert_int_equal(json_count(json_get(a, "peers")), 3);
	a = ask(d, "{\"cmd\":\"consumers\"}");
	assert_int_equal(json_count(json_get(a, "consumers")), 3);
	a = ask(d, "{\"cmd\":\"peer\",\"peer\":\"near\"}");
	assert_true(slice_is(json_member(a, "url"), "https://near.example/api/"));
}

static void
reload_all_or_nothing(void **state)
{
	struct desk *d = *state;
	const json *a;

	assert_true(is_ok(ask(d, "{\"cmd\":\"reload\"}")));
	a = ask(d, "{\"cmd\":\"reload\"}");
	assert_false(is_ok(a));
	assert_true(slice_is(json_member(a, "error"), "trust.conf:7: a \"quoted\" complaint"));
}

static const char *
explain(struct desk *d, const char *id, const char *peer)
{
	const json *a = ask(d, arena_fmt(d->w->mem,
	    "{\"cmd\":\"explain\",\"object\":\"%s\",\"peer\":\"%s\"}", id, peer));

	return arena_str(d->w->mem, json_member(a, is_ok(a) ? "verdict" : "error"));
}

/* What explain says is what would happen: a release that a redaction would change is a hold. */
static void
explain_tells_what_happens(void **state)
{
	struct desk *d = *state;
	struct world *w = d->w;
	const char *id = oid(w, "indicator", 1);

	world_put(w, "soc", ENVELOPE(w, ind(w, 1, GREEN), ind(w, 2, RED)));
	assert_string_equal(explain(d, id, "near"), "release");
	assert_string_equal(explain(d, id, "far"), "deny");
	assert_string_equal(explain(d, oid(w, "indicator", 2), "near"), "deny");
	assert_string_equal(explain(d, oid(w, "indicator", 3), "near"),
	    "this node has no object of that id");
	assert_string_equal(explain(d, id, "nobody"),
	    "there is no peer or consumer of that name in trust.conf");
	world_reload(w, NULL, arena_fmt(w->mem, "%sredact victims\n    object kind indicator\n"
	    "    to relation partner\n    victim person drop\n", world_trust));
	assert_string_equal(explain(d, id, "near"), "hold");
}

/* ---- quarantine ---- */

static int
only_entry(struct desk *d)
{
	const json *list = json_get(ask(d, "{\"cmd\":\"quarantine-list\"}"), "quarantine");
	int64_t id = 0;

	if (json_count(list) == 0)
		return 0;
	assert_int_equal(json_count(list), 1);
	assert_true(json_int(json_get(json_first(list), "id"), &id));
	return (int)id;
}

static const json *
retry(struct desk *d, int id, const char *edited)
{
	struct strbuf b = STRBUF_INIT;
	const json *a;

	strbuf_addf(&b, "{\"cmd\":\"quarantine-retry\",\"id\":%d", id);
	if (edited != NULL) {
		strbuf_adds(&b, ",\"bytes\":\"");
		base64_add(&b, edited, strlen(edited));
		strbuf_adds(&b, "\"");
	}
	strbuf_adds(&b, "}");
	a = ask(d, b.p);
	strbuf_fini(&b);
	return a;
}

/* The same road again: policy has not gone away, and an edited copy may pass. */
static void
retried(void **state)
{
	struct desk *d = *state;
	struct world *w = d->w;
	const char *theirs = GREEN "\"created_by_ref\":\"identity--99999999-9999-4999-8999-999999999999\",";
	int id;

	world_put(w, "next", ENVELOPE(w, ind(w, 1, theirs)));
	id = only_entry(d);
	assert_true(id > 0);
	assert_false(is_ok(retry(d, id, NULL)));
	assert_string_equal(world_has(w, "kept", NULL), "");
	assert_true(is_ok(retry(d, id, ind(w, 1, GREEN))));
	assert_string_equal(world_has(w, "kept", NULL), "indicator 1");
}

/* What an unmarked object was at its source is not kept with it: it is the strictest that can be relayed, not
 * our own default. */
static void
retried_no_weaker(void **state)
{
	struct desk *d = *state;
	struct world *w = d->w;
	struct policy_facts f;

	world_put(w, "near", ENVELOPE(w, "{\"type\":\"indicator\"}"));
	assert_true(is_ok(retry(d, only_entry(d), ind(w, 1, NO_LABEL))));
	world_has(w, "kept", &f);
	assert_int_equal(f.tlp, TLP_AMBER_STRICT);
	assert_true(f.tlp_by_default);
}

/* A source that is gone speaks for nobody. */
static void
retried_for_nobody(void **state)
{
	struct desk *d = *state;
	struct world *w = d->w;

	world_put(w, "near", ENVELOPE(w, "{\"type\":\"indicator\"}"));
	world_reload(w, NULL, "consumer soc\n    relation own\n");
	assert_false(is_ok(retry(d, only_entry(d), ind(w, 1, GREEN))));
	assert_string_equal(world_has(w, "kept", NULL), "");
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ours_alone), TEST(odd_questions), TEST(clients_vanish), TEST(status),
		TEST(reload_all_or_nothing), TEST(explain_tells_what_happens), TEST(retried),
		TEST(retried_no_weaker), TEST(retried_for_nobody),
	};

	signal(SIGPIPE, SIG_IGN);	/* as serve.c does */
	return cmocka_run_group_tests_name("admin", tests, NULL, NULL);
}
