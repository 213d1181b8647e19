/*
 * cmd_consumer_card.h -- the card of `tocsin consumer add --for`: what to type into which field.
 *
 * Owns:    filling the templates of consumer_products.c with what this node is, and printing them.
 * Called:  by cmd_consumer.c.
 * Never:   makes a secret, or writes a file.
 */
#ifndef GATEWAY_CMD_CONSUMER_CARD_H
#define GATEWAY_CMD_CONSUMER_CARD_H

#include "gateway/base/json.h"
#include "gateway/config.h"
#include "gateway/consumer_products.h"
#include "gateway/peer.h"

/* A collection that the consumer may read. */
struct card_collection {
	const char	*name, *title, *id, *root;	/* id NULL: known once the node has run */
};

struct card {
	const struct product	*product;
	const struct config	*conf;
	const struct peer	*peer;		/* of trust.conf; NULL: it has no section yet */
	const char		*name;
	const char		*token;		/* made now; or NULL */
	const char		*password;	/* made now; or NULL */
	bool			 typed;		/* a password was typed in */
	const struct card_collection *collections;
	size_t			 ncollections;
	const struct card_collection *chosen;	/* of them; NULL: none was named */
};

/* The template with this card's values in place of its {words}. */
const char	*card_fill(struct arena *mem, const struct card *c, const char *template);
/* Lines that the consumer's section ought to have and does not; NULL past the last. */
const char	*card_line(struct arena *mem, const struct card *c, size_t i);
void		 card_print(struct arena *mem, const struct card *c);
/* Members into an object. */
void		 card_json(struct arena *mem, const struct card *c, json *o);
/* A feed of this collection in this format; NULL if there is none. */
const struct feed_conf *card_feed(const struct config *conf, const char *collection, const char *format);
/* The CA that `tocsin init` made; NULL if the certificate comes from elsewhere. */
const char	*card_ca(struct arena *mem, const struct config *conf);
const char	*card_base(struct arena *mem, const struct config *conf);

#endif
