#include "gateway/base/siphash.h"

#include <endian.h>
#include <string.h>

#include "gateway/base/digest.h"

struct state {
	uint64_t	a, b, c, d;
};

static uint64_t
turn(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static void
rounds(struct state *s, int n)
{
	while (n-- > 0) {
		s->a += s->b;
		s->c += s->d;
		s->b = turn(s->b, 13) ^ s->a;
		s->d = turn(s->d, 16) ^ s->c;
		s->a = turn(s->a, 32);
		s->c += s->b;
		s->a += s->d;
		s->b = turn(s->b, 17) ^ s->c;
		s->d = turn(s->d, 21) ^ s->a;
		s->c = turn(s->c, 32);
	}
}

static void
take(struct state *s, uint64_t word)
{
	s->d ^= word;
	rounds(s, 2);
	s->a ^= word;
}

struct siphash_key
siphash_key_new(void)
{
	struct siphash_key key;

	random_bytes(&key, sizeof(key));
	return key;
}

uint64_t
siphash(const struct siphash_key *key, struct slice text)
{
	struct state s = {
		key->k0 ^ UINT64_C(0x736f6d6570736575), key->k1 ^ UINT64_C(0x646f72616e646f6d),
		key->k0 ^ UINT64_C(0x6c7967656e657261), key->k1 ^ UINT64_C(0x7465646279746573),
	};
	uint64_t last = (uint64_t)text.n << 56, word;
	size_t i = 0;

	for (; text.n - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, text.p + i, sizeof(word));
		take(&s, le64toh(word));
	}
	for (size_t k = 0; i + k < text.n; k++)
		last |= (uint64_t)(unsigned char)text.p[i + k] << 8 * k;
	take(&s, last);
	s.c ^= 0xff;
	rounds(&s, 4);
	return s.a ^ s.b ^ s.c ^ s.d;
}
