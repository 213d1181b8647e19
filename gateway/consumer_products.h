/*
 * consumer_products.h -- the products that pull from us or push to us, and what has to be typed into each.
 *
 * Owns:    one table: the fields of the product's form, how it can log in, its habits and traps, the
 *          lines that its section in trust.conf needs, how `tocsin consumer test` plays it.
 * Called:  by cmd_consumer_card.c (prints it), cmd_consumer_play.c (plays it).
 * Never:   knows a node: values are templates.
 *
 * In templates: {base} https://host:port  {root} API root with slash, {root-} without  {rootname} its
 * segment  {discovery} {objects}  {collection} its UUID  {title}  {cname} its name  {user} {secret}
 * {basic} base64 of user:password  {feed} address of the flat file  {fname} its name  {ca} "--cacert FILE "
 * or nothing  {auth} what makes curl log in.
 *
 * To add a product: a row; `--for` and its help know it then.
 */
#ifndef GATEWAY_CONSUMER_PRODUCTS_H
#define GATEWAY_CONSUMER_PRODUCTS_H

#include <stdbool.h>
#include <stddef.h>

enum { PRODUCT_FIELDS = 12, PRODUCT_LINES = 8 };

struct product_field {
	const char	*label, *value;		/* label NULL ends a list */
};

/* How its client behaves, for the test that plays it. */
enum product_walk {
	WALK_NEXT,		/* follows `next`, repeats no filters */
	WALK_NEXT_AFTER,	/* follows `next` and repeats added_after */
	WALK_DATES,		/* asks again from the last date, without `next` */
	WALK_MODIFIED,		/* asks again from the newest `modified` */
	WALK_FEED,		/* fetches a file */
	WALK_PUSH		/* sends */
};

struct product {
	const char		*name;		/* of --for; NULL ends the table */
	const char		*title;
	bool			 password;	/* Basic alone, or first: a password is made for it */
	const char		*logins;	/* what it can, in words */
	const char		*interval;	/* poll that often */
	unsigned		 page;		/* objects it asks for at once; 0: it does not say */
	const char		*trust[4];	/* lines of its section: "tlp-vocab 1.0" */
	const char		*feed;		/* ending of the flat file it reads */
	const char		*feed_format;	/* its name in tocsin.conf */
	enum product_walk	 walk;
	const char		*accept;	/* as its client sends it */
	const char		*filter;	/* of its polls: "match[type]=indicator"; or NULL */
	bool			 discovers;	/* asks discovery, root and collections first */
	bool			 by_title;	/* and looks for the collection by its title */
	struct product_field	 fields[PRODUCT_FIELDS];
	const char		*lines[PRODUCT_LINES];	/* to be typed elsewhere: cron, settings */
	const char		*traps[PRODUCT_LINES];
};

extern const struct product products[];
/* NULL if there is none of that name. */
const struct product *product_find(const char *name);

#endif
