/*
 * wire.h -- the fields of a message between two of our processes.
 *
 *	number   8, 32 or 64 bits, little endian
 *	text     u32 length, bytes
 *	string   as text; 0xffffffff instead of a length says NULL
 *	list     u32 count, elements
 *
 * Owns:    nothing: it writes into a strbuf and reads from a slice.
 * Called:  by both ends of each channel (gateway/ipc.h): store_remote and storekeeper, translate and
 *          translator, master and its children.
 * Never:   trusts: the reader treats every byte as a stranger's. After the first thing that does not fit
 *          every further read gives zero or nothing, and wire_done says no.
 */
#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <stdint.h>

#include "gateway/base/slice.h"
#include "gateway/base/strbuf.h"

struct arena;

/* ---- writing ---- */

void	wire_put_u8(struct strbuf *b, uint8_t v);
void	wire_put_bool(struct strbuf *b, bool v);
void	wire_put_u32(struct strbuf *b, uint32_t v);
void	wire_put_u64(struct strbuf *b, uint64_t v);
void	wire_put_i64(struct strbuf *b, int64_t v);
void	wire_put_f64(struct strbuf *b, double v);
void	wire_put_text(struct strbuf *b, struct slice s);
void	wire_put_string(struct strbuf *b, const char *s);	/* NULL stays NULL */
/* Bytes of a length that both ends know. */
void	wire_put_fixed(struct strbuf *b, const void *p, size_t n);

/* ---- reading ---- */

struct wire {
	const uint8_t	*p, *end;
	bool		 bad;
};

void		 wire_open(struct wire *w, struct slice body);
uint8_t		 wire_u8(struct wire *w);
/* A number below `n`: an enum's value. */
uint8_t		 wire_below(struct wire *w, unsigned n);
bool		 wire_bool(struct wire *w);		/* anything but 0 and 1 is bad */
uint32_t	 wire_u32(struct wire *w);
uint64_t	 wire_u64(struct wire *w);
int64_t		 wire_i64(struct wire *w);
double		 wire_f64(struct wire *w);
/* Points into the message. */
struct slice	 wire_text(struct wire *w);
/* A copy with its NUL; a text that holds a NUL byte is bad. NULL if NULL was written. */
const char	*wire_string(struct wire *w, struct arena *mem);
/* The same where NULL must not be: "" and bad. */
const char	*wire_name(struct wire *w, struct arena *mem);
bool		 wire_fixed(struct wire *w, void *out, size_t n);
/* How many elements of at least `each` bytes (>= 1) follow, at most `max`: a count that the rest of the
 * message cannot hold is bad, so that nobody allocates for it. */
uint32_t	 wire_count(struct wire *w, uint32_t max, size_t each);
/* Say that what was read makes no sense. */
void		 wire_refuse(struct wire *w);
/* True if all was well and nothing is left over. */
bool		 wire_done(const struct wire *w);

#endif
