/*
 * stix20_serve.h -- objects of a store of STIX 2.1, one by one, for who reads STIX 2.0.
 *
 *	row of the store		what is served
 *	indicator, report, ...		the same id in the words of 2.0 (stix20.h)
 *	note, location, ...		x-tocsin-note--UUID, with all that it says
 *	ipv4-addr, file, ...		an observed-data made for it, at the time of its version
 *	observed-data			itself, with those of its objects that are at hand
 *
 * One row is one object, whatever it refers to: numbers of a list stay what they are. What refers to an
 * observable names the observed-data that was made for it. Who asks for that one by its id finds it if
 * the observable has the id that its content gives (STIX 2.1 section 2.9); of another, the id is a hash,
 * for an id that anybody can choose could take the place of somebody's observed-data.
 *
 * Owns:    the shelf: the observables that are at hand while a page is written.
 * Called:  by who serves TAXII 2.0 from a collection that says `serve-as stix20`; by the delivery to peers
 *          that do.
 * Never:   decides who may see what: the caller puts on the shelf what this reader may have.
 */
#ifndef FORMATS_STIX20_SERVE_H
#define FORMATS_STIX20_SERVE_H

#include "gateway/base/slice.h"

struct arena;
struct strbuf;
struct stix20_shelf;

struct stix20_shelf *stix20_shelf_new(struct arena *mem);
/* Put an object there: one to be served, or an observable that others refer to. The text must stay. */
void		 stix20_shelf_add(struct stix20_shelf *s, struct slice text);
/* The ids of observables that are referred to by what is on the shelf, and are not there; *n of them. To be
 * asked again when more was put there. */
struct slice	*stix20_shelf_wants(struct stix20_shelf *s, size_t *n);
/* Append what 2.0 gets for object number i of those added; `shown` is the version under which a store shows
 * it. false: it is no object (and nothing is appended). */
bool		 stix20_shelf_write(struct stix20_shelf *s, size_t i, struct slice shown,
		    struct strbuf *out);

/* Add to the account what became of the leaves of the object that was written last. */
struct loss;
void		 stix20_shelf_account(struct stix20_shelf *s, struct loss *loss);

/* The id under which a row is served; and the other way round: what the store may call it, and a type, each
 * with at most STIX20_NAMES in `out`. */
enum { STIX20_NAMES = 20 };
struct slice	 stix20_served_id(struct arena *mem, struct slice id, struct slice text);
size_t		 stix20_stored_ids(struct arena *mem, struct slice id, struct slice *out);
size_t		 stix20_stored_types(struct slice type, struct slice *out);

#endif
