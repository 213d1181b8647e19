/*
 * flat_seen.c -- what a run has written once: values by 128 bits of a hash, sids by number.
 *
 * Two values share 128 bits of SHA-256 less often than the machine errs.
 */
#include <stdlib.h>

#include "formats/flat_impl.h"
#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/siphash.h"
#include "gateway/base/strbuf.h"

enum { SEEN_START = 64 };
/* Numbers above all that rule sets publish, below 2^31: some tools count in signed ones. */
#define SID_BASE	UINT32_C(1000000000)
#define SID_RANGE	UINT32_C(1000000000)

struct key {
	uint64_t	a, b;		/* 0, 0: free */
};

struct set {
	struct key	*v;
	size_t		 n, cap;	/* cap: a power of two */
	struct siphash_key key;		/* whoever names values chooses no places */
};

/* Numbers, each by one more: 0 is free. */
struct numbers {
	uint32_t	*v;
	size_t		 n, cap;	/* cap: a power of two */
	struct siphash_key key;
};

struct flat_seen {
	struct set	values;
	struct numbers	sids;
};

struct flat_seen *
flat_seen_new(void)
{
	return xcalloc(1, sizeof(struct flat_seen));
}

void
flat_seen_free(struct flat_seen *s)
{
	if (s == NULL)
		return;
	free(s->values.v);
	free(s->sids.v);
	free(s);
}

static struct key *
slot(struct set *s, struct key k)
{
	size_t i = (size_t)siphash(&s->key, slice_from(&k, sizeof(k))) & (s->cap - 1);

	while ((s->v[i].a != 0 || s->v[i].b != 0) && (s->v[i].a != k.a || s->v[i].b != k.b))
		i = (i + 1) & (s->cap - 1);
	return &s->v[i];
}

static void
grow(struct set *s)
{
	struct set bigger = { NULL, s->n, s->cap == 0 ? SEEN_START : s->cap * 2,
	    s->cap == 0 ? siphash_key_new() : s->key };

	bigger.v = xcalloc(bigger.cap, sizeof(*bigger.v));
	for (size_t i = 0; i < s->cap; i++)
		if (s->v[i].a != 0 || s->v[i].b != 0)
			*slot(&bigger, s->v[i]) = s->v[i];
	free(s->v);
	*s = bigger;
}

/* True if it was there already. */
static bool
add(struct set *s, struct key k)
{
	struct key *at;

	if (s->n * 4 >= s->cap * 3)
		grow(s);
	at = slot(s, k);
	if (at->a == k.a && at->b == k.b)
		return true;
	*at = k;
	s->n++;
	return false;
}

static uint32_t *
number_slot(struct numbers *s, uint32_t number)
{
	size_t i = (size_t)siphash(&s->key, slice_from(&number, sizeof(number))) & (s->cap - 1);

	while (s->v[i] != 0 && s->v[i] != number)
		i = (i + 1) & (s->cap - 1);
	return &s->v[i];
}

static void
grow_numbers(struct numbers *s)
{
	struct numbers bigger = { NULL, s->n, s->cap == 0 ? SEEN_START : s->cap * 2,
	    s->cap == 0 ? siphash_key_new() : s->key };

	bigger.v = xcalloc(bigger.cap, sizeof(*bigger.v));
	for (size_t i = 0; i < s->cap; i++)
		if (s->v[i] != 0)
			*number_slot(&bigger, s->v[i]) = s->v[i];
	free(s->v);
	*s = bigger;
}

/* True if it was there already. */
static bool
add_number(struct numbers *s, uint32_t number)
{
	uint32_t *at;

	if (s->n * 4 >= s->cap * 3)
		grow_numbers(s);
	at = number_slot(s, number);
	if (*at == number)
		return true;
	*at = number;
	s->n++;
	return false;
}

/* SHA-256 of kind NUL value. */
static void
digest_of(const char *kind, struct slice value, uint8_t digest[SHA256_LEN])
{
	struct strbuf text = STRBUF_INIT;

	strbuf_add(&text, kind, strlen(kind) + 1);
	strbuf_addsl(&text, value);
	digest_sha256(strbuf_slice(&text), digest);
	strbuf_fini(&text);
}

bool
flat_seen_add(struct flat_seen *s, const char *kind, struct slice value)
{
	uint8_t digest[SHA256_LEN];
	struct key k;

	digest_of(kind, value, digest);
	memcpy(&k, digest, sizeof(k));
	k.b |= 1;		/* never all zero */
	return add(&s->values, k);
}

/* From the digest byte by byte: the same number on every machine. */
uint32_t
flat_seen_sid(struct flat_seen *s, uint32_t base, const char *form, struct slice value)
{
	uint8_t digest[SHA256_LEN];
	uint64_t at = 0;

	digest_of(form, value, digest);
	for (size_t i = 0; i < 8; i++)
		at = at << 8 | digest[i];
	at %= SID_RANGE;
	while (add_number(&s->sids, (uint32_t)at + 1))
		at = (at + 1) % SID_RANGE;
	return (base == 0 ? SID_BASE : base) + (uint32_t)at;
}
