/*
 * translate_wire.h -- what a worker and its translator say to each other.
 *
 *	READ   the job, and the input unless it comes as a descriptor	answered by PART or FAILED
 *	MORE   (nothing)						answered by PART or FAILED
 *	DROP   (nothing)						not answered
 *	HASH   recipe, password						answered by KEY
 *	WRITE  a format and the texts of objects			answered by TEXT or FAILED
 *	ASK    the name of a question and a small message		answered by TEXT or FAILED
 *	READY  the first frame of a translator: before it no job is sent, so that none is blamed for one
 *	       that died while it was getting ready
 *
 * An object of a PART is bytes (where they stand in the input, or new ones) and those facts that its bytes
 * do not say; everything else the worker reads from the bytes (object_skim).
 *
 * Owns:    the form of these messages, and what a part must be to be taken.
 * Called:  by translate.c and translator.c.
 * Never:   believes. A PART is held against the bytes it speaks of: they are one JSON object; its id, type,
 *          version, creator, tags and fixed markings are what they say; the label is nowhere weaker. What
 *          stands elsewhere in the message (own markings' definitions, phases, sectors, victims) and the
 *          fingerprint cannot be seen in the object, and are believed within their ranges: to check them
 *          would be to parse the message a second time, in the worker. Measured: 1.1 us an object of 820
 *          bytes to take and check it, 0.3 us to send it; to translate it takes 5.7 us.
 */
#ifndef GATEWAY_TRANSLATE_WIRE_H
#define GATEWAY_TRANSLATE_WIRE_H

#include "gateway/translate.h"

struct arena;
struct strbuf;

enum translate_type {	/* a READ that wants a count alone is answered by COUNT or FAILED */
	TRANSLATE_READ = 1, TRANSLATE_MORE, TRANSLATE_DROP, TRANSLATE_HASH, TRANSLATE_WRITE, TRANSLATE_ASK,
	TRANSLATE_PART = 64, TRANSLATE_FAILED, TRANSLATE_KEY, TRANSLATE_READY, TRANSLATE_COUNT,
	TRANSLATE_TEXT
};

/* A part holds at most so many objects, and ends when it has so many bytes. */
enum { PART_OBJECTS = 1000, PART_BYTES = 4 << 20, PART_SUPPORTERS = 1000 };
enum { RELAY_MEMBER_MAX = 128 * 1024 };	/* bytes of x_tocsin */
enum { ENVELOPE_MAX = 128 * 1024 };		/* of what stood around the objects; more is left behind */

/* ---- the worker's side ---- */

/* skip: objects that were taken before the translator died. */
void	translate_put_read(struct strbuf *b, const struct translate_read *r, uint64_t skip);
void	translate_put_hash(struct strbuf *b, struct slice password, const char *recipe);
void	translate_put_write(struct strbuf *b, const struct translate_write *q);
void	translate_put_ask(struct strbuf *b, const char *question, struct slice in);
/* The answer to a question of `r`, into `mem`; `body` is not needed any more afterwards. Returns NULL, or
 * what is wrong with it. part->first and part->job are left alone. */
const char *translate_get_part(struct slice body, const struct translate_read *r, struct arena *mem,
	    struct translate_part *part);
const char *translate_get_count(struct slice body, const struct translate_read *r, struct arena *mem,
	    struct translate_part *part);
const char *translate_get_failed(struct slice body, const struct translate_read *r, struct arena *mem,
	    struct translate_part *part);
const char *translate_get_key(struct slice body, struct password_key *key);
/* What is read points into `body`. */
const char *translate_get_text(struct slice body, struct translated *t);
/* The error of a WRITE or ASK. */
const char *translate_get_refusal(struct slice body, const char *input, struct err *e, bool *retryable,
	    const char **code);

/* ---- the translator's side ---- */

/* True if it is a job. `in` is empty when it comes as a descriptor: then *by_fd. */
bool	translate_get_read(struct slice body, struct arena *mem, struct translate_read *r,
	    uint64_t *skip, bool *by_fd);
bool	translate_get_hash(struct slice body, struct arena *mem, struct slice *password,
	    const char **recipe);
/* q->objects live in `mem`, their texts in `body`. */
bool	translate_get_write(struct slice body, struct arena *mem, struct translate_write *q);
bool	translate_get_ask(struct slice body, struct arena *mem, const char **question, struct slice *in);

/* Objects [from, from + n) of a message and the refusals [vfrom, vfrom + nv) of `refused`, which are of
 * this part; `again`: objects of earlier or later parts that these name. */
struct translate_share {
	const struct advisory	*adv;
	struct slice		 in;
	int			 format;	/* place in formats[] */
	size_t			 from, n, total;
	const struct verdict *const *refused;
	size_t			 vfrom, nv;
	const size_t		*again;
	size_t			 nagain;
	const struct relay_member *relay;	/* NULL: not asked for, or not the first part */
	const struct loss	*loss;		/* NULL: not asked for */
	bool			 first, last;
};
void	translate_put_part(struct strbuf *b, const struct translate_share *s);
/* `ours`: it is not the sender's fault. format -1: none was found. */
void	translate_put_failed(struct strbuf *b, const struct err *e, int format, bool ours);
void	translate_put_count(struct strbuf *b, size_t n);
/* loss NULL: there is no account. */
void	translate_put_text(struct strbuf *b, struct slice text, const struct loss *loss,
	    struct slice report);
void	translate_put_key(struct strbuf *b, const struct password_key *key, bool good);

#endif
