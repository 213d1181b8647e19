/* If this fails: a hostile text takes the worker down with its translator, a translator that was taken over makes
 * RED objects GREEN, or a message is lost because another one killed what read it. */
#include "gateway/translate.h"

#include <errno.h>
#include <event2/event.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/ipc.h"
#include "gateway/translate_wire.h"
#include "gateway/translator.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED	true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED	true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED	false
#endif

#define GREEN	"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
#define RED	"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"

/* A worker's end, and the translators that were started for it. */
struct bench {
	struct event_base	*base;
	struct translate	*t;
	struct config		 config;
	struct arena		*mem;
	pid_t			 pid;
	int			 started;
	const char		*fault;		/* of the next ones */
	bool			 no_more;	/* the next one does not come */
	/* what came back */
	int			 parts, calls;
	size_t			 objects, again, refused;
	bool			 last;
	enum err_code		 error;
	bool			 retryable;
	char			 code[160], first_id[80], codes[256];
	struct relay_member	 relay;
	struct translate_job	*job;
	struct strbuf		 ids;
};

static void	start_translator(struct bench *b);

static void
end_translator(struct bench *b)
{
	int status;

	if (b->pid <= 0)
		return;
	kill(b->pid, SIGKILL);
	while (waitpid(b->pid, &status, 0) < 0 && errno == EINTR)
		;
	b->pid = 0;
}

static void
on_replace(void *arg, unsigned generation, const char *why)
{
	struct bench *b = arg;

	(void)generation;
	(void)why;
	end_translator(b);
	if (!b->no_more)
		start_translator(b);
}

static void
start_translator(struct bench *b)
{
	const struct rlimit room = { 1 << 30, 1 << 30 };
	int fds[2];

	assert_int_equal(ipc_pair(fds, NULL), 0);
	fflush(NULL);
	b->started++;
	b->pid = fork();
	assert_true(b->pid >= 0);
	if (b->pid == 0) {
		for (int fd = 3; fd < 100; fd++)	/* no other translator's channel stays open here */
			if (fd != fds[1])
				close(fd);
		if (b->fault != NULL)
			setenv("TOCSIN_CAGE_FAULT", b->fault, 1);
		if (b->fault != NULL && strncmp(b->fault, "oom", 3) == 0)
			setrlimit(RLIMIT_AS, &room);
		_exit(translator_run(fds[1], NULL, NULL, NULL, NULL) == 0 ? 0 : 1);
	}
	close(fds[1]);
	translate_channel(b->t, fds[0]);
}

static int
setup(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	struct translate_conf conf = { .replace = on_replace, .arg = b };

	log_setup(2, false, LOG_OFF);
	unsetenv("TOCSIN_CAGE_FAULT");
	strbuf_init(&b->ids);
	b->base = event_base_new();
	b->mem = arena_new();
	b->config.mem = arena_new();
	b->config.holds = 100;		/* never freed by the translate under test */
	b->config.limits = (struct limits_conf){ .translate_queue = 1000, .translate_us = 20000000,
	    .object_bytes = 8 << 20, .objects = 100000 };
	conf.base = b->base;
	conf.config = &b->config;
	b->t = translate_new(&conf, NULL);
	assert_non_null(b->t);
	*state = b;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	translate_free(b->t);
	end_translator(b);
	event_base_free(b->base);
	strbuf_fini(&b->ids);
	arena_free(b->config.mem);
	arena_free(b->mem);
	free(b);
	return 0;
}

/* ---- asking ---- */

static void
on_part(void *arg, const struct translate_part *p)
{
	struct bench *b = arg;

	b->calls++;
	b->parts += p->error == NULL;
	b->last = p->last;
	b->job = p->job;
	b->objects += p->adv->n - p->nagain;
	b->again += p->nagain;
	b->refused += p->adv->nverdicts;
	b->error = p->error == NULL ? ERR_NONE : p->error->code;
	b->retryable = p->retryable;
	snprintf(b->code, sizeof(b->code), "%s", p->code == NULL ? "" : p->code);
	snprintf(b->codes + strlen(b->codes), sizeof(b->codes) - strlen(b->codes), "%s|", b->code);
	if (p->adv->n > 0)
		snprintf(b->first_id, sizeof(b->first_id), "%.*s", SLICE_ARG(p->adv->objects[0].id));
	for (size_t i = 0; i < p->adv->n - p->nagain; i++)
		strbuf_addf(&b->ids, "%.*s %d\n", SLICE_ARG(p->adv->objects[i].id),
		    (int)p->adv->objects[i].tlp);
	if (p->first)
		b->relay = p->relay;
}

static struct translate_read
job_of(struct bench *b, struct slice in)
{
	uint8_t *sha256 = arena_alloc(b->mem, SHA256_LEN);

	digest_sha256(in, sha256);
	return (struct translate_read){ .in = in, .sha256 = sha256, .input = "test", .format = "stix21",
	    .received = "2026-01-01T00:00:00Z", .limits = { .objects = 100000 }, .envelope = true };
}

static void
ask(struct bench *b, const struct translate_read *r)
{
	b->calls = b->parts = 0;
	b->objects = b->again = b->refused = 0;
	strbuf_reset(&b->ids);
	translate_read(b->t, r, b->mem, on_part, b);
}

/* Turn the loop until something was answered. */
static void
await(struct bench *b, int calls)
{
	int64_t end = clock_mono_us() + 60 * 1000000;

	while (b->calls < calls && clock_mono_us() < end)
		event_base_loop(b->base, EVLOOP_ONCE);
	assert_true(b->calls >= calls);
}

static const char *
indicator(struct bench *b, int n, const char *marking, const char *more)
{
	return arena_fmt(b->mem, "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":"
	    "\"indicator--00000000-0000-4000-8000-%012d\",\"created\":\"2026-01-01T00:00:00.000Z\","
	    "\"modified\":\"2026-01-01T00:00:00.000Z\",\"object_marking_refs\":[\"%s\"],%s"
	    "\"pattern\":\"[ipv4-addr:value = '198.51.100.%d']\",\"pattern_type\":\"stix\","
	    "\"valid_from\":\"2026-01-01T00:00:00Z\"}", n, marking, more, n % 250);
}

static struct slice
envelope(struct bench *b, int n, const char *more)
{
	struct strbuf text = STRBUF_INIT;
	struct slice out;

	strbuf_adds(&text, "{\"objects\":[");
	for (int i = 0; i < n; i++) {
		strbuf_adds(&text, i == 0 ? "" : ",");
		strbuf_adds(&text, indicator(b, i, i % 2 == 0 ? RED : GREEN, more));
	}
	strbuf_adds(&text, "]}");
	out = arena_slice(b->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return out;
}

/* ---- a translator that works ---- */

static void
a_message_comes_back(void **state)
{
	struct bench *b = *state;
	struct translate_read r = job_of(b, envelope(b, 3, ""));

	start_translator(b);
	ask(b, &r);
	await(b, 1);
	assert_int_equal(b->error, ERR_NONE);
	assert_true(b->last);
	assert_string_equal(b->ids.p,
	    "indicator--00000000-0000-4000-8000-000000000000 5\n"
	    "indicator--00000000-0000-4000-8000-000000000001 2\n"
	    "indicator--00000000-0000-4000-8000-000000000002 5\n");
	assert_int_equal(translate_in_work(b->t), 0);
}

static void
what_is_refused_says_where(void **state)
{
	struct bench *b = *state;
	struct translate_read r = job_of(b, SLICE_LIT("{\"objects\":[}"));

	start_translator(b);
	ask(b, &r);
	await(b, 1);
	assert_int_equal(b->error, ERR_SYNTAX);
	assert_false(b->retryable);
	r = job_of(b, SLICE_LIT("{\"objects\":[{\"type\":\"x\",\"id\":\"y\"},7]}"));
	ask(b, &r);
	await(b, 1);
	assert_int_equal(b->error, ERR_NONE);
	assert_int_equal(b->objects, 0);
	assert_int_equal(b->refused, 2);
}

/* 2,500 objects, the identity that all of them name in the first part only. */
static void
a_large_message_comes_in_parts(void **state)
{
	static const char maker[] = "{\"objects\":[{\"type\":\"identity\",\"spec_version\":\"2.1\",\"id\":"
	    "\"identity--00000000-0000-4000-8000-000000000001\",\"created\":\"2026-01-01T00:00:00.000Z\","
	    "\"modified\":\"2026-01-01T00:00:00.000Z\",\"name\":\"CERT A\",\"identity_class\":\"organization\"},";
	struct bench *b = *state;
	struct slice rest = envelope(b, 2499,
	    "\"created_by_ref\":\"identity--00000000-0000-4000-8000-000000000001\",");
	struct slice all = slice_of(arena_fmt(b->mem, "%s%s", maker, rest.p + 12));
	struct translate_read r = job_of(b, all);

	start_translator(b);
	ask(b, &r);
	await(b, 1);
	assert_int_equal(b->objects, PART_OBJECTS);
	assert_int_equal(b->again, 0);
	assert_false(b->last);
	/* nothing more until it is asked for; meanwhile others are served */
	assert_int_equal(translate_in_work(b->t), 1);
	translate_more(b->job, b->mem);
	await(b, 2);
	assert_int_equal(b->again, 1);
	translate_more(b->job, b->mem);
	await(b, 3);
	assert_true(b->last);
	assert_int_equal(b->objects, 2500);
	assert_int_equal(b->again, 2);
}

static void
small_ones_pass_by(void **state)
{
	struct bench *b = *state;
	struct translate_read large = job_of(b, envelope(b, 1500, "")), small = job_of(b, envelope(b, 1, ""));
	struct translate_job *open;

	start_translator(b);
	ask(b, &large);
	await(b, 1);
	open = b->job;
	ask(b, &small);
	await(b, 1);
	assert_true(b->last);
	assert_int_equal(b->objects, 1);
	translate_more(open, b->mem);
	await(b, 2);
	assert_true(b->last);
}

static void
on_key(void *arg, const struct password_key *key)
{
	struct bench *b = arg;

	b->calls++;
	b->last = key != NULL && password_fits(key, b->code);
}

static void
passwords_are_hashed(void **state)
{
	struct bench *b = *state;
	char stored[160], recipe[PASSWORD_RECIPE];

	start_translator(b);
	assert_int_equal(password_hash(SLICE_LIT("secret"), stored, NULL), 0);
	password_recipe(stored, recipe);
	assert_null(strstr(recipe, strrchr(stored, ':')));
	for (int right = 0; right < 2; right++) {
		struct password_key key;

		assert_true(password_derive(right ? SLICE_LIT("secret") : SLICE_LIT("Secret"), recipe, &key));
		assert_int_equal(password_fits(&key, stored), right);
	}
	b->calls = 0;
	snprintf(b->code, sizeof(b->code), "%s", stored);
	for (int right = 0; right < 2; right++) {
		b->calls = 0;
		translate_hash(b->t, right ? SLICE_LIT("secret") : SLICE_LIT("Secret"), recipe, on_key, b);
		await(b, 1);
		assert_int_equal(b->last, right);
	}
	for (int i = 0; i < 20; i++)	/* nothing comes after it */
		event_base_loop(b->base, EVLOOP_NONBLOCK);
	assert_int_equal(b->started, 1);
	b->calls = 0;
	translate_hash(b->t, SLICE_LIT("secret"), "md5:1:2:3:4", on_key, b);
	await(b, 1);
	assert_false(b->last);
	assert_true(b->started >= 3);	/* a recipe that is none is a worker's mistake: nobody believes the answer */
}

/* ---- writing ---- */

#define WRITTEN "{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--0a1b2c3d-0002-4000-8000-"	\
	"000000000002\",\"created\":\"2026-03-01T08:00:00.000Z\",\"modified\":\"2026-03-02T08:00:00.000Z\","	\
	"\"name\":\"boom\",\"pattern\":\"[ipv4-addr:value = '198.51.100.7']\",\"pattern_type\":\"stix\","	\
	"\"valid_from\":\"2026-03-01T08:00:00Z\"}"

static void
on_text(void *arg, const struct translated *text)
{
	struct bench *b = arg;

	b->calls++;
	b->error = text->error == NULL ? ERR_NONE : text->error->code;
	b->retryable = text->retryable;
	b->objects = (size_t)(text->loss[LOSS_KEPT] + text->loss[LOSS_APPROXIMATED] +
	    text->loss[LOSS_MOVED] + text->loss[LOSS_DROPPED]);
	snprintf(b->code, sizeof(b->code), "%s", text->code == NULL ? "" : text->code);
	strbuf_reset(&b->ids);
	strbuf_addsl(&b->ids, text->text);
	strbuf_addsl(&b->ids, text->report);
}

static const struct slice written[] = { { WRITTEN, sizeof(WRITTEN) - 1 } };

static struct translate_write
writing(const char *format)
{
	return (struct translate_write){ .format = format, .objects = written, .n = 1,
	    .received = "2026-04-01T00:00:00Z", .csirt = "cert.example", .csirt_contact = "c@cert.example" };
}

static void
objects_are_written(void **state)
{
	struct bench *b = *state;
	struct translate_write q = writing("iodef2");

	start_translator(b);
	translate_write(b->t, &q, on_text, b);
	await(b, 1);
	assert_int_equal(b->error, ERR_NONE);
	assert_non_null(strstr(b->ids.p, "<Address category=\"ipv4-addr\">198.51.100.7</Address>"));
	assert_null(strstr(b->ids.p, "kept 0"));
	assert_true(b->objects >= 9);		/* the leaves of the indicator */
	q.report = true;
	translate_write(b->t, &q, on_text, b);
	await(b, 2);
	assert_non_null(strstr(b->ids.p, "/pattern"));
	q = writing("txt:ip");
	translate_write(b->t, &q, on_text, b);
	await(b, 3);
	assert_int_equal(b->error, ERR_NONE);
	q = writing("iodef2");
	q.most = 100;
	translate_write(b->t, &q, on_text, b);
	await(b, 4);
	assert_int_equal(b->error, ERR_LIMIT);
	q = writing("papyrus");
	translate_write(b->t, &q, on_text, b);
	await(b, 5);
	assert_int_equal(b->error, ERR_UNSUPPORTED);
	translate_ask(b->t, "the way", SLICE_LIT("?"), NULL, on_text, b);
	await(b, 6);
	assert_int_equal(b->error, ERR_UNSUPPORTED);
	assert_int_equal(b->started, 1);
}

/* If this fails, what policy took to be AMBER leaves without a word of it, or a label is made of nothing. */
static void
what_is_unmarked_is_marked(void **state)
{
	struct bench *b = *state;
	struct translate_write q = writing("stix21");

	start_translator(b);
	translate_write(b->t, &q, on_text, b);
	await(b, 1);
	assert_null(strstr(b->ids.p, "object_marking_refs"));
	q.unmarked = TLP_AMBER;
	translate_write(b->t, &q, on_text, b);
	await(b, 2);
	assert_non_null(strstr(b->ids.p,
	    "\"object_marking_refs\":[\"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421\"]"));
	q = writing("iodef2");
	q.unmarked = TLP_AMBER;
	translate_write(b->t, &q, on_text, b);
	await(b, 3);
	assert_int_equal(b->error, ERR_NONE);
	assert_non_null(strstr(b->ids.p, "restriction=\"amber\""));
}

static void
what_cannot_be_written_is_given_up(void **state)
{
	struct bench *b = *state;
	struct translate_write q = writing("iodef2");
	struct translate_read good = job_of(b, envelope(b, 2, ""));

	b->fault = "crash:boom";
	start_translator(b);
	translate_write(b->t, &q, on_text, b);
	await(b, 1);
	assert_string_equal(b->code, "TRANSLATOR_CRASHED");
	assert_false(b->retryable);
	assert_int_equal(b->started, 4);
	b->calls = 0;
	translate_read(b->t, &good, b->mem, on_part, b);	/* and others go on */
	await(b, 1);
	assert_int_equal(b->error, ERR_NONE);
}

/* ---- translators that do not ---- */

static void
try_fault(struct bench *b, const char *fault, const char *code, int started)
{
	struct translate_read bad = job_of(b, envelope(b, 3, "\"name\":\"boom\",")),
	    good = job_of(b, envelope(b, 2, ""));

	b->fault = fault;
	start_translator(b);
	ask(b, &bad);
	translate_read(b->t, &good, b->mem, on_part, b);
	await(b, 2);
	/* the other message goes on, before it is tried again */
	assert_string_equal(b->codes, arena_fmt(b->mem, "|%s|", code));
	assert_false(b->retryable);
	assert_int_equal(b->objects, 2);
	assert_int_equal(b->started, started);
	/* the same message again is refused without another try */
	ask(b, &bad);
	await(b, 1);
	assert_string_equal(b->code, code);
	assert_int_equal(b->started, started);
}

static void
one_that_dies(void **state)
{
	try_fault(*state, "crash:boom", "TRANSLATOR_CRASHED", 4);
}

static void
one_that_hangs(void **state)
{
	struct bench *b = *state;

	b->config.limits.translate_us = 1500000;
	try_fault(b, "hang:boom", "TRANSLATOR_TIMEOUT", 4);
}

static void
one_that_lies(void **state)
{
	try_fault(*state, "lie:boom", "TRANSLATOR_CRASHED", 4);
}

static void
one_that_eats(void **state)
{
	if (SANITIZED)
		skip();			/* a sanitizer's own memory is beyond any limit */
	try_fault(*state, "oom:boom", "TRANSLATOR_CRASHED", 4);
}

/* It dies after the first part: the second one is asked of the next translator, and nothing comes twice. */
static void
dead_between_parts(void **state)
{
	struct bench *b = *state;
	struct translate_read r = job_of(b, envelope(b, 2500, ""));

	start_translator(b);
	ask(b, &r);
	await(b, 1);
	kill(b->pid, SIGKILL);
	translate_more(b->job, b->mem);
	await(b, 2);
	assert_int_equal(b->error, ERR_NONE);
	translate_more(b->job, b->mem);
	await(b, 3);
	assert_true(b->last);
	assert_int_equal(b->objects, 2500);
	assert_int_equal(b->started, 2);
	for (int i = 0; i < 2500; i++) {
		const char *line = arena_fmt(b->mem, "8000-%012d ", i), *at = strstr(b->ids.p, line);

		assert_non_null(at);
		assert_null(strstr(at + 1, line));
	}
}

static void
a_reload_brings_another_one(void **state)
{
	struct bench *b = *state;
	struct translate_read r = job_of(b, envelope(b, 1500, ""));
	pid_t first;
	int status;

	start_translator(b);
	first = b->pid;
	ask(b, &r);
	await(b, 1);
	start_translator(b);
	translate_more(b->job, b->mem);
	await(b, 2);
	assert_true(b->last);
	assert_int_equal(b->objects, 1500);
	assert_int_equal(waitpid(first, &status, 0), first);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
a_dropped_job_is_not_answered(void **state)
{
	struct bench *b = *state;
	struct translate_read r = job_of(b, envelope(b, 1500, "")), other = job_of(b, envelope(b, 1, ""));

	start_translator(b);
	ask(b, &r);
	await(b, 1);
	translate_drop(b->job);
	ask(b, &other);
	await(b, 1);
	assert_int_equal(b->objects, 1);
	assert_int_equal(translate_in_work(b->t), 0);
}

static void
a_full_queue_says_later(void **state)
{
	struct bench *b = *state;
	struct translate_read r = job_of(b, envelope(b, 1, ""));

	b->config.limits.translate_queue = 1;
	ask(b, &r);				/* waits: there is no translator yet */
	translate_read(b->t, &r, b->mem, on_part, b);
	assert_int_equal(b->calls, 1);
	assert_int_equal(b->error, ERR_BUSY);
	assert_true(b->retryable);
	start_translator(b);
	await(b, 2);
	assert_int_equal(b->error, ERR_NONE);
}

/* ---- answers, held against the bytes they speak of ---- */

/* An answer about three objects, and its question: a good one, or one with bytes of its own. */
static struct slice
some_answer(struct bench *b, struct translate_read *r, bool own_bytes)
{
	static uint8_t sha256[SHA256_LEN];
	struct translate_share s = { .total = 3, .n = 3, .nv = 1, .first = true, .last = true };
	struct read_job job = { .received = SLICE_LIT("2026-01-01T00:00:00Z"), .in_stays = true };
	struct advisory *adv = arena_alloc(b->mem, sizeof(*adv));
	const struct verdict *refused;
	struct strbuf out = STRBUF_INIT;
	struct slice answer, in = slice_of(arena_fmt(b->mem, "{\"objects\":[%s,%s,{\"type\":\"ipv4-addr\",\"id\":"
	    "\"ipv4-addr--00000000-0000-4000-8000-000000000003\",\"value\":\"192.0.2.1\"},{\"a\":1}]}",
	    indicator(b, 1, RED, ""), indicator(b, 2, GREEN, "\"revoked\":true,")));

	*r = job_of(b, in);
	r->sha256 = sha256;
	job.in = in;
	assert_int_equal(format_stix21.read(&job, b->mem, adv, NULL), 0);
	assert_int_equal(adv->n, 3);
	for (size_t i = 0; i < adv->nverdicts; i++)
		if (adv->verdicts[i].kind == VERDICT_REFUSED)
			refused = &adv->verdicts[i];
	adv->envelope = SLICE_LIT("{\"rid\":{}}");
	s.adv = adv;
	s.in = own_bytes ? SLICE_EMPTY : in;
	s.refused = &refused;
	translate_put_part(&out, &s);
	answer = arena_slice(b->mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return answer;
}

static struct slice
good_answer(struct bench *b, struct translate_read *r)
{
	return some_answer(b, r, false);
}

/* What a lie could gain: is everything that policy hangs on what the bytes say? */
static void
check_taken(const struct translate_part *p)
{
	for (size_t i = 0; i < p->adv->n; i++) {
		const struct object *o = &p->adv->objects[i];
		bool red = memmem(o->bytes.p, o->bytes.n, RED, sizeof(RED) - 1) != NULL;
		bool revoked = memmem(o->bytes.p, o->bytes.n, "\"revoked\":true", 14) != NULL;

		assert_non_null(memmem(o->bytes.p, o->bytes.n, o->id.p, o->id.n));
		if (red)
			assert_int_equal(o->tlp, TLP_RED);
		assert_int_equal(revoked, (o->flags & OBJECT_REVOKED) != 0);
	}
}

static void
every_truncation_is_a_lie(void **state)
{
	struct bench *b = *state;
	struct translate_read r;
	struct slice whole = good_answer(b, &r);
	struct translate_part part = { .first = true };

	assert_null(translate_get_part(whole, &r, b->mem, &part));
	assert_int_equal(part.adv->n, 3);
	assert_true(slice_is(part.adv->envelope, "{\"rid\":{}}"));
	check_taken(&part);
	for (size_t n = 0; n < whole.n; n++) {
		struct arena *mem = arena_new();

		assert_non_null(translate_get_part(slice_from(whole.p, n), &r, mem, &part));
		arena_free(mem);
	}
}

/* Bytes that the translator made up could be those of the message but for their label. */
static void
stix_stands_in_its_message(void **state)
{
	struct bench *b = *state;
	struct translate_read r;
	struct slice answer = some_answer(b, &r, true);
	struct translate_part part = { .first = true };

	assert_string_equal(translate_get_part(answer, &r, b->mem, &part),
	    "an object that does not stand in its message");
}

static void
no_flipped_bit_weakens_a_label(void **state)
{
	struct bench *b = *state;
	struct translate_read r;
	struct slice whole = good_answer(b, &r);
	char *bytes = arena_str(b->mem, whole);

	memcpy(bytes, whole.p, whole.n);
	for (size_t i = 0; i < whole.n; i++) {
		for (unsigned bit = 1; bit < 256; bit <<= 1) {
			struct arena *mem = arena_new();
			struct translate_part part = { .first = true };

			bytes[i] = (char)(bytes[i] ^ (char)bit);
			if (translate_get_part(slice_from(bytes, whole.n), &r, mem, &part) == NULL)
				check_taken(&part);
			bytes[i] = (char)(bytes[i] ^ (char)bit);
			arena_free(mem);
		}
	}
}

/* ---- the other way round: no honest answer is taken for a lie ---- */

static struct bench *reader;
static struct translator *honest;
static int messages;

struct kept {
	uint16_t	type;
	struct strbuf	body;
};

static void
keep(void *arg, uint16_t type, uint64_t id, struct slice body)
{
	struct kept *k = arg;

	(void)id;
	k->type = type;
	strbuf_reset(&k->body);
	strbuf_addsl(&k->body, body);
}

/* Read one text as a translator does, and take the answer as a worker does. */
static void
read_honestly(const char *name, struct slice in, bool strict)
{
	struct translate_read r = job_of(reader, in);
	struct kept k = { 0, STRBUF_INIT };
	struct strbuf question = STRBUF_INIT;
	struct translate_part part = { .last = false };
	uint16_t type = TRANSLATE_READ;

	r.format = NULL;
	r.envelope = false;
	r.strict = strict;
	translate_put_read(&question, &r, 0);
	for (messages++; !part.last; type = TRANSLATE_MORE) {
		struct arena *mem = arena_new();
		const char *why;

		translator_do(honest, type, (uint64_t)messages, strbuf_slice(&question), -1, keep, &k);
		part = (struct translate_part){ .first = true };
		why = k.type == TRANSLATE_FAILED ?
		    translate_get_failed(strbuf_slice(&k.body), &r, mem, &part) :
		    translate_get_part(strbuf_slice(&k.body), &r, mem, &part);
		if (why != NULL)
			fail_msg("%s: %s", name, why);
		arena_free(mem);
	}
	strbuf_fini(&question);
	strbuf_fini(&k.body);
}

static int
on_sample(const char *path, const struct stat *st, int kind)
{
	struct strbuf b = STRBUF_INIT;

	if (kind == FTW_F && st->st_size < 4 << 20 && file_read(path, 8 << 20, &b, NULL) == 0) {
		read_honestly(path, strbuf_slice(&b), false);
		read_honestly(path, strbuf_slice(&b), true);
	}
	strbuf_fini(&b);
	return 0;
}

static void
honest_answers_are_taken(void **state)
{
	static const char *const small[] = {
		"{\"objects\":[{\"type\":\"x-a\",\"id\":\"x-a--00000000-0000-4000-8000-000000000001\","
		    "\"created\":\"2026-01-01T00:00:00Z\"}]}",
		"{\"objects\":[{}]}",
	};

	reader = *state;
	honest = translator_new(NULL, NULL);
	for (size_t i = 0; i < COUNTOF(small); i++)
		read_honestly("small", slice_of(small[i]), false);
	ftw("tests/golden", on_sample, 16);
	assert_true(messages > 50);
	ftw("../shared/corpus", on_sample, 16);
	print_message("%d messages\n", messages);
	translator_free(honest);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_message_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_refused_says_where, setup, teardown),
		cmocka_unit_test_setup_teardown(a_large_message_comes_in_parts, setup, teardown),
		cmocka_unit_test_setup_teardown(small_ones_pass_by, setup, teardown),
		cmocka_unit_test_setup_teardown(passwords_are_hashed, setup, teardown),
		cmocka_unit_test_setup_teardown(objects_are_written, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_written_is_given_up, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_unmarked_is_marked, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_dies, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_hangs, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_lies, setup, teardown),
		cmocka_unit_test_setup_teardown(one_that_eats, setup, teardown),
		cmocka_unit_test_setup_teardown(dead_between_parts, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reload_brings_another_one, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dropped_job_is_not_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_queue_says_later, setup, teardown),
		cmocka_unit_test_setup_teardown(honest_answers_are_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(every_truncation_is_a_lie, setup, teardown),
		cmocka_unit_test_setup_teardown(stix_stands_in_its_message, setup, teardown),
		cmocka_unit_test_setup_teardown(no_flipped_bit_weakens_a_label, setup, teardown),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
