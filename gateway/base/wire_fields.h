/*
 * wire_fields.h -- structs on the wire: one row a member serves writing, reading and checking.
 *
 *	static const struct wire_field peer_fields[] = {
 *		WIRE_NAME(struct peer_note, name, 255),
 *		WIRE_I64(struct peer_note, seen_us),
 *		WIRE_NUMBERS(struct peer_note, collections, ncollections, 1000),
 *		WIRE_END
 *	};
 *
 * Owns:    nothing; what is read points into the message (texts) or lives in the arena (C strings,
 *          lists).
 * Called:  by the two ends of a channel, with the same table.
 * Never:   allocates more than the message can fill: a list's count is checked against the bytes that
 *          follow.
 */
#ifndef BASE_WIRE_FIELDS_H
#define BASE_WIRE_FIELDS_H

#include "gateway/base/wire.h"

enum wire_kind {
	WIRE_K_END,
	WIRE_K_BOOL,		/* bool */
	WIRE_K_ENUM,		/* an enum or int of 4 bytes, below `limit` */
	WIRE_K_U32, WIRE_K_U64, WIRE_K_I64,
	WIRE_K_BYTES,		/* an array of `limit` bytes */
	WIRE_K_WORD,		/* char[limit] with its NUL */
	WIRE_K_TEXT,		/* struct slice */
	WIRE_K_NAME,		/* const char *, never NULL */
	WIRE_K_STRING,		/* const char *, may be NULL */
	WIRE_K_NUMBERS,		/* const int64_t * and a count */
	WIRE_K_NAMES,		/* const char *const * and a count */
	WIRE_K_LIST,		/* pointer to structs and a count */
	WIRE_K_SAME,		/* the same, read into the list that is there: its count must be the same */
	WIRE_K_ONE,		/* pointer to a struct */
	WIRE_K_MAYBE		/* the same, may be NULL */
};

struct wire_field {
	enum wire_kind	kind;
	size_t		at, count_at;
	size_t		limit;		/* bytes of a text, elements of a list, values of an enum */
	size_t		size;		/* of an element */
	const struct wire_field *fields;	/* of an element */
};

#define WIRE_ROW(k, s, m, lim)	{ .kind = (k), .at = offsetof(s, m), .limit = (lim) }
#define WIRE_BOOL(s, m)		WIRE_ROW(WIRE_K_BOOL, s, m, 2)
#define WIRE_ENUM(s, m, n)	WIRE_ROW(WIRE_K_ENUM, s, m, n)
#define WIRE_U32(s, m)		WIRE_ROW(WIRE_K_U32, s, m, 0)
#define WIRE_U64(s, m)		WIRE_ROW(WIRE_K_U64, s, m, 0)
#define WIRE_I64(s, m)		WIRE_ROW(WIRE_K_I64, s, m, 0)
#define WIRE_BYTES(s, m)	WIRE_ROW(WIRE_K_BYTES, s, m, sizeof(((s *)0)->m))
#define WIRE_WORD(s, m)		WIRE_ROW(WIRE_K_WORD, s, m, sizeof(((s *)0)->m))
#define WIRE_TEXT(s, m, max)	WIRE_ROW(WIRE_K_TEXT, s, m, max)
#define WIRE_NAME(s, m, max)	WIRE_ROW(WIRE_K_NAME, s, m, max)
#define WIRE_STRING(s, m, max)	WIRE_ROW(WIRE_K_STRING, s, m, max)
#define WIRE_NUMBERS(s, m, c, max)						\
	{ .kind = WIRE_K_NUMBERS, .at = offsetof(s, m), .count_at = offsetof(s, c), .limit = (max) }
#define WIRE_NAMES(s, m, c, max)						\
	{ .kind = WIRE_K_NAMES, .at = offsetof(s, m), .count_at = offsetof(s, c), .limit = (max) }
#define WIRE_NEST(k, s, m, c, max, f)						\
	{ .kind = (k), .at = offsetof(s, m), .count_at = (c), .limit = (max),	\
	    .size = sizeof(*((s *)0)->m), .fields = (f) }
#define WIRE_LIST(s, m, c, max, f)	WIRE_NEST(WIRE_K_LIST, s, m, offsetof(s, c), max, f)
#define WIRE_SAME(s, m, c, max, f)	WIRE_NEST(WIRE_K_SAME, s, m, offsetof(s, c), max, f)
#define WIRE_ONE(s, m, f)	WIRE_NEST(WIRE_K_ONE, s, m, 0, 0, f)
#define WIRE_MAYBE(s, m, f)	WIRE_NEST(WIRE_K_MAYBE, s, m, 0, 0, f)
#define WIRE_END		{ .kind = WIRE_K_END }

/* Append the members that the table names. False if one is beyond its limit: what was appended is then
 * of no use to any reader. */
bool	wire_put_fields(struct strbuf *b, const struct wire_field *f, const void *from);
/* Read them into a zeroed struct; wire_done tells whether all was well. */
void	wire_get_fields(struct wire *w, const struct wire_field *f, void *to, struct arena *mem);

#endif
