/*
 * cmd_consumer_play.h -- playing a product against a node, step by step, as its client would.
 *
 * Owns:    the steps, and the words for what each of them saw. They stop at the first that fails.
 * Called:  by cmd_consumer_test.c.
 * Never:   writes anything to the node.
 */
#ifndef GATEWAY_CMD_CONSUMER_PLAY_H
#define GATEWAY_CMD_CONSUMER_PLAY_H

#include "gateway/config.h"
#include "gateway/consumer_products.h"

struct arena;

enum play_state { PLAY_OK, PLAY_WARNED, PLAY_FAILED };
typedef void play_tell_fn(void *ctx, const char *step, enum play_state state, const char *words);

struct play_conf {
	const struct config	*conf;
	const struct product	*product;
	const char		*name, *token;	/* whom it stands for */
	const char		*collection;	/* name, alias or UUID; NULL: all that it may read */
	bool			 bookmark;	/* it has one */
	play_tell_fn		*tell;
	void			*ctx;
};

/* PLAY_OK, or the worst of what was told. */
enum play_state	play_run(const struct play_conf *conf, struct arena *mem);

#endif
