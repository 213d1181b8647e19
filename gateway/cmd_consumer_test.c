/* cmd_consumer_test.c -- `tocsin consumer test`: a product, played against the running node. */
#include <stdio.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd_ask.h"
#include "gateway/cmd_consumer_play.h"
#include "gateway/peer.h"

enum { STEP_COLUMN = 13, STATE_COLUMN = 8 };

struct telling {
	struct arena	*mem;
	json		*steps;		/* NULL: to people */
};

static const char *const states[] = { "ok", "warned", "failed" };

static void
on_step(void *ctx, const char *step, enum play_state state, const char *words)
{
	struct telling *t = ctx;
	json *o;

	if (t->steps == NULL) {
		printf("%-*s%-*s", STEP_COLUMN, step, STATE_COLUMN, states[state]);
		print_safe(stdout, slice_of(words));
		putchar('\n');
		fflush(stdout);
		return;
	}
	o = json_push(t->steps, json_object(t->mem));
	json_put_str(t->mem, o, "step", slice_of(step));
	json_put_str(t->mem, o, "state", slice_of(states[state]));
	json_put_str(t->mem, o, "found", slice_of(words));
}

static void
print_json(const struct args *a, struct telling *t, const struct play_conf *pc, enum play_state worst)
{
	struct strbuf out = STRBUF_INIT;
	json *o = json_object(t->mem);

	json_put_str(t->mem, o, "consumer", slice_of(a->v[0]));
	json_put_str(t->mem, o, "product", slice_of(pc->product->name));
	json_put_str(t->mem, o, "state", slice_of(states[worst]));
	json_put(t->mem, o, "steps", t->steps);
	json_print(&out, o);
	puts(out.p);
	strbuf_fini(&out);
}

/* The token with which we ask in its place; NULL after a message. */
static const char *
borrow_token(const struct args *a, struct arena *mem)
{
	json *request = json_object(mem), *answer;

	json_put_str(mem, request, "cmd", SLICE_LIT("consumer-token"));
	json_put_str(mem, request, "consumer", slice_of(a->v[0]));
	answer = cmd_ask(a, request, mem);
	return answer == NULL ? NULL : json_str(json_get(answer, "token"));
}

static int
test(const struct args *a, const struct config *conf, const struct trust *trust, struct arena *mem)
{
	struct telling t = { .mem = mem };
	const char *product = args_get(a, "for") == NULL ? "generic" : args_get(a, "for");
	const struct peer *p = trust_find(trust, slice_of(a->v[0]));
	struct play_conf pc = { .conf = conf, .product = product_find(product), .name = a->v[0],
	    .collection = args_get(a, "collection"), .tell = on_step, .ctx = &t,
	    .bookmark = p != NULL && p->bookmark };
	enum play_state worst;

	if (pc.product == NULL)
		return cmd_fail("'%s' is no product we know; `tocsin consumer add --help` lists them",
		    product);
	pc.token = borrow_token(a, mem);
	if (pc.token == NULL)
		return CMD_FAILED;
	if (args_get(a, "json") != NULL)
		t.steps = json_list(mem);
	worst = play_run(&pc, mem);
	if (t.steps != NULL)
		print_json(a, &t, &pc, worst);
	return worst == PLAY_OK ? CMD_DONE : CMD_NO;
}

static int
run(const struct args *a)
{
	struct complaints c = { .mem = arena_new() };
	struct arena *mem = arena_new();
	struct config *conf = config_load(cmd_config_path(a), &c);
	struct trust *trust = conf == NULL ? NULL : trust_load(conf->trust_file, &c);
	int status = trust == NULL ? cmd_complaints(&c) : test(a, conf, trust, mem);

	trust_free(trust);
	config_free(conf);
	arena_free(mem);
	arena_free(c.mem);
	return status;
}

static const struct cmd_option options[] = {
	CMD_CONFIG,
	{ "socket", 0, "PATH", "ask here, whatever the configuration says" },
	{ "for", 'f', "PRODUCT", "play this one: see `tocsin consumer add` (default: generic)" },
	{ "collection", 0, "NAME", "this one only (default: all that it may read); for files, the feed" },
	{ "json", 'j', NULL, "for programs" },
	{ .name = NULL }
};

const struct command command_consumer_test = {
	"consumer test", "NAME", 1, 1, "play a product against the running node",
	"Asks over TLS what that product asks, in its order, with its filters and its way of paging, "
	"with a token that stands for the consumer for two minutes, and says what came of each step. "
	"Nothing is written, and neither the consumer's book nor its bookmark knows of it; audit records "
	"name the test. Exit status 1 if a step failed or something is odd, 2 if the node could not be "
	"asked.",
	options, run
};
