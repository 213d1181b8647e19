/*
 * translator_parts.h -- what the files behind translator.h share.
 *
 *	translator.c		getting ready, reading, the life of the process
 *	translator_parts.c	a message that was read, as it is handed out: part by part
 *	translator_text.c	objects written in a format; questions about small messages
 *
 * Owns:    struct message: everything that was read lies in its arena, the input is mapped or copied there.
 * Called:  by those files only.
 * Never:   hands an object out twice, but for the supporting ones that a later part names.
 */
#ifndef GATEWAY_TRANSLATOR_PARTS_H
#define GATEWAY_TRANSLATOR_PARTS_H

#include "formats/format.h"
#include "formats/idmap.h"
#include "gateway/translator.h"

struct arena;

/* A message of which parts are still to be asked for. */
struct message {
	uint64_t		 id;
	struct arena		*mem;
	void			*map;		/* the input, if it came as a file */
	struct slice		 in;
	size_t			 passed;	/* pages before this place were given back */
	int			 format;
	struct advisory		 adv;
	size_t			 count;		/* of elements, if that is all that was asked */
	struct relay_member	 relay;
	bool			 wants_relay;
	struct loss		 loss;		/* counts only */
	const struct verdict	**refused;	/* by place in the input */
	size_t			 nrefused;
	size_t			 base;		/* objects before it are not of interest */
	size_t			 at, vat;	/* objects and refusals that were handed out */
	struct idmap		 supporters;	/* supporting objects by id */
	uint32_t		*seen;		/* parallel to objects: the part they were last put into */
	uint32_t		 part;
	size_t			 again_bytes;	/* of what this part has of others */
	struct message		*next;
};

/* An answer on its way out. */
struct outlet {
	translator_send_fn	*send;
	void			*arg;
	uint64_t		 id;
};

/* After reading: remarks go to their objects, refusals are put in the order of their places; then the
 * elements before `from` are passed over, and the objects behind it that an earlier translator handed out,
 * with the refusals among them. */
void	parts_prepare(struct message *m, uint64_t from, uint64_t skip);
/* Send the next part; true if it was the last. */
bool	parts_send(struct message *m, const struct outlet *out);

/* Answer with an error; `ours`: it is not the sender's fault. format -1: none was found. */
void	translator_send_failed(const struct outlet *out, const struct err *e, int format, bool ours);
/* Answer a WRITE and an ASK. */
void	translator_write(struct slice body, const struct outlet *out);
void	translator_ask(struct slice body, const struct outlet *out);

#endif
