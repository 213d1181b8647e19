/*
 * IPv4 and IPv6 addresses and networks of value.h.
 */
#include <stdint.h>
#include <stdio.h>

#include "formats/value.h"
#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"

enum { IPV4_BYTES = 4, IPV6_WORDS = 8, IPV6_TEXT = 48 };

/* Decimal of at most three digits, without leading zeros, up to max; -1 otherwise. */
static int
small_number(struct slice s, unsigned max)
{
	unsigned long long v;

	if (s.n > 3 || (s.n > 1 && s.p[0] == '0') || !slice_u64(s, &v) || v > max)
		return -1;
	return (int)v;
}

static bool
parse_ipv4(struct slice s, uint8_t addr[IPV4_BYTES])
{
	for (int i = 0; i < IPV4_BYTES; i++) {
		bool last = i == IPV4_BYTES - 1;
		struct slice part;
		int v;

		if (last != (s.n == 0 || memchr(s.p, '.', s.n) == NULL))
			return false;
		part = slice_cut(&s, '.');
		if ((v = small_number(part, 255)) < 0)
			return false;
		addr[i] = (uint8_t)v;
	}
	return true;
}

/* Up to four hex digits at *i; false if there is none or a fifth. */
static bool
parse_word(struct slice s, size_t *i, uint16_t *word)
{
	size_t first = *i;

	*word = 0;
	while (*i < s.n && ascii_hex(s.p[*i]) >= 0) {
		if (*i - first == 4)
			return false;
		*word = (uint16_t)(*word << 4 | ascii_hex(s.p[(*i)++]));
	}
	return *i > first;
}

/* Move the words behind the gap to the end and fill it with zeros. */
static bool
close_gap(uint16_t word[IPV6_WORDS], size_t n, size_t gap)
{
	size_t tail;

	if (gap > IPV6_WORDS)
		return n == IPV6_WORDS;
	if (n >= IPV6_WORDS)
		return false;
	tail = n - gap;
	memmove(word + IPV6_WORDS - tail, word + gap, tail * sizeof(*word));
	memset(word + gap, 0, (IPV6_WORDS - n) * sizeof(*word));
	return true;
}

/* RFC 4291 section 2.2, all three forms. */
static bool
parse_ipv6(struct slice s, uint16_t word[IPV6_WORDS])
{
	size_t n = 0, i = 0, gap = IPV6_WORDS + 1;
	uint8_t v4[IPV4_BYTES];

	if (slice_starts(s, "::"))
		gap = 0, i = 2;
	while (i < s.n) {
		size_t first = i;

		if (n == IPV6_WORDS || !parse_word(s, &i, &word[n]))
			return false;
		if (i < s.n && s.p[i] == '.') {
			if (n > IPV6_WORDS - 2 ||
			    !parse_ipv4(slice_from(s.p + first, s.n - first), v4))
				return false;
			word[n++] = (uint16_t)(v4[0] << 8 | v4[1]);
			word[n++] = (uint16_t)(v4[2] << 8 | v4[3]);
			break;
		}
		n++;
		if (i == s.n)
			break;
		if (s.p[i++] != ':' || i == s.n)
			return false;
		if (s.p[i] == ':') {
			if (gap <= IPV6_WORDS)
				return false;
			gap = n;
			i++;
		}
	}
	return close_gap(word, n, gap);
}

/* The longest run of two or more zero words, the first of equals; *len 0 if there is none. */
static size_t
zero_run(const uint16_t word[IPV6_WORDS], size_t *len)
{
	size_t best = 0;

	*len = 0;
	for (size_t i = 0; i < IPV6_WORDS; i++) {
		size_t n = 0;

		while (i + n < IPV6_WORDS && word[i + n] == 0)
			n++;
		if (n >= 2 && n > *len) {
			best = i;
			*len = n;
		}
		i += n;
	}
	return best;
}

/* By hand: it is the most common value of all, and snprintf takes half of its reading. */
static void
print_ipv4(const uint16_t word[2], char *w)
{
	for (int i = 0; i < IPV4_BYTES; i++) {
		unsigned v = i % 2 == 0 ? word[i / 2] >> 8 : word[i / 2] & 255;

		if (v >= 100)
			*w++ = (char)('0' + v / 100);
		if (v >= 10)
			*w++ = (char)('0' + v / 10 % 10);
		*w++ = (char)('0' + v % 10);
		*w++ = i == IPV4_BYTES - 1 ? '\0' : '.';
	}
}

/* RFC 5952, with the dotted form for ::ffff:0:0/96 (its section 5). */
static void
print_ipv6(const uint16_t word[IPV6_WORDS], char out[IPV6_TEXT])
{
	static const uint16_t mapped[6] = { 0, 0, 0, 0, 0, 0xffff };
	size_t len, run = zero_run(word, &len), at = 0;

	if (memcmp(word, mapped, sizeof(mapped)) == 0) {
		snprintf(out, IPV6_TEXT, "::ffff:%u.%u.%u.%u", word[6] >> 8, word[6] & 255,
		    word[7] >> 8, word[7] & 255);
		return;
	}
	for (size_t i = 0; i < IPV6_WORDS; i++) {
		const char *colon = i > 0 && !(len > 0 && i == run + len) ? ":" : "";

		if (len > 0 && i == run) {
			at += (size_t)snprintf(out + at, IPV6_TEXT - at, "::");
			i += len - 1;
			continue;
		}
		at += (size_t)snprintf(out + at, IPV6_TEXT - at, "%s%x", colon, word[i]);
	}
}

/* Clear the bits behind the prefix in n units of `width` bits held in 16-bit words. */
static void
mask_words(uint16_t *word, size_t n, unsigned prefix)
{
	for (size_t i = 0; i < n; i++) {
		unsigned keep = prefix > 16 * i ? prefix - 16 * (unsigned)i : 0;

		if (keep < 16)
			word[i] &= (uint16_t)(0xffffU << (16 - keep));
	}
}

/* The text of the address, and of the network if the prefix is shorter than the address. */
static struct slice
print_ip(int version, const uint16_t *word, unsigned prefix, struct arena *mem)
{
	char text[IPV6_TEXT];

	if (version == 4)
		print_ipv4(word, text);
	else
		print_ipv6(word, text);
	if (prefix == (version == 4 ? 32U : 128U))
		return arena_slice(mem, slice_of(text));
	return slice_of(arena_fmt(mem, "%s/%u", text, prefix));
}

bool
value_ip(int version, struct slice s, struct arena *mem, struct slice *out)
{
	unsigned bits = version == 4 ? 32 : 128;
	uint16_t word[IPV6_WORDS] = { 0 };
	uint8_t v4[IPV4_BYTES];
	struct slice rest = slice_trim(s), addr = slice_cut(&rest, '/');
	bool net = addr.n < slice_trim(s).n;
	int prefix = net ? small_number(rest, bits) : (int)bits;

	if (prefix < 0)
		return false;
	if (version == 4) {
		if (!parse_ipv4(addr, v4))
			return false;
		word[0] = (uint16_t)(v4[0] << 8 | v4[1]);
		word[1] = (uint16_t)(v4[2] << 8 | v4[3]);
	} else {
		if (addr.n > 2 && addr.p[0] == '[' && addr.p[addr.n - 1] == ']')
			addr = slice_from(addr.p + 1, addr.n - 2);
		if (!parse_ipv6(addr, word))
			return false;
	}
	mask_words(word, bits / 16, (unsigned)prefix);
	*out = print_ip(version, word, (unsigned)prefix, mem);
	return true;
}
