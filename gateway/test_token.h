/*
 * test_token.h -- with which `tocsin consumer test` asks in the place of a consumer, for two minutes.
 *
 *	tocsin-test.NAME.EXPIRY.MAC
 *
 * Owns:    making and checking them; all workers share the key, nothing is kept.
 * Called:  by admin_consumer.c (makes, on the control socket only), taxii_auth.c (checks).
 * Never:   outlives its two minutes, or is taken for the consumer's own requests: books, bookmarks and
 *          rates leave such requests out, audit records name them.
 */
#ifndef GATEWAY_TEST_TOKEN_H
#define GATEWAY_TEST_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/slice.h"

struct arena;
struct keys;

enum { TEST_TOKEN_SECONDS = 120 };

const char	*test_token_make(const struct keys *k, const char *name, int64_t now_us, struct arena *mem);
/* Does it look like one? Then it is nothing else. */
bool		 test_token_is(struct slice token);
/* Whom it stands for, in mem; NULL if it is wrong or over. */
const char	*test_token_name(const struct keys *k, struct slice token, int64_t now_us,
		    struct arena *mem);

#endif
