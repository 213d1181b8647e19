/* translate_hash.c -- the jobs that turn passwords into keys. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/translate_parts.h"

enum { HASHES_MAX = 64 };	/* rulings 28 */

static void
give_key(struct translate_job *j, const struct password_key *key)
{
	translate_hash_cb *cb = j->hashed;
	void *arg = j->arg;

	translate_job_free(j);
	cb(arg, key);
}

static void
hash_tell(struct translate_job *j)
{
	struct password_key key = j->key;

	give_key(j, &key);
	secret_wipe(&key, sizeof(key));
}

static void
hash_give_up(struct translate_job *j, const char *code, const struct err *e, bool retryable)
{
	(void)code;
	(void)e;
	(void)retryable;
	give_key(j, NULL);
}

static uint16_t
hash_question(const struct translate_job *j, int fd, struct strbuf *b)
{
	(void)fd;
	translate_put_hash(b, slice_from(j->password, j->password_n), j->recipe);
	return TRANSLATE_HASH;
}

static const char *
hash_decode(struct translate_job *j, uint16_t type, struct slice body)
{
	return type == TRANSLATE_KEY ? translate_get_key(body, &j->key) : "an answer to something else";
}

static const struct job_kind hashing = {
	.list = LIST_HASHES, .timed = "hash", .secret = true, .question = hash_question,
	.decode = hash_decode, .tell = hash_tell, .give_up = hash_give_up,
};

void
translate_hash(struct translate *t, struct slice password, const char *recipe, translate_hash_cb *cb,
    void *arg)
{
	bool full = t->lists[LIST_HASHES].n >= HASHES_MAX;
	struct translate_job *j;

	if (full || strlen(recipe) >= PASSWORD_RECIPE) {
		cb(arg, NULL);
		return;
	}
	j = translate_job_new(t, &hashing, arg);
	j->hashed = cb;
	j->password = xstrndup(password.p, password.n);
	j->password_n = password.n;
	memcpy(j->recipe, recipe, strlen(recipe) + 1);
	translate_job_ask(j);
}
