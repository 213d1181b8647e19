/*
 * relay_envelope.h -- the member `x_tocsin` of a TAXII envelope between two Tocsin nodes (rulings 25).
 *
 *	{"x_tocsin":{"advisory":"report--...","from":"cert-a","hops":["cert-a"],"audience":["cert-b"],
 *	             "label":"amber","unmarked":"amber","digest":"HEX","sig":"BASE64"},
 *	 "objects":[...]}
 *
 * label = the strictest of all objects; unmarked = the strictest of those that carry no label of their own
 * ("none" if all do): the receiver's own default never makes them weaker. hops end with the sender.
 *
 * digest = SHA-256 over the text of every object, each followed by LF. sig = Ed25519 of the sender over
 *
 *	"tocsin-relay-1" LF advisory LF from LF hops LF audience LF label LF unmarked LF digest
 *
 * (lists joined by commas), so that a relay or a reverse proxy cannot change audience, labels, path or
 * content unseen.
 *
 * Owns:    writing, reading and checking that member.
 * Called:  by peer_link.c (out) and taxii_post.c (in, from pinned peers only).
 * Never:   decides what a valid envelope entitles to.
 */
#ifndef ADAPTERS_RELAY_ENVELOPE_H
#define ADAPTERS_RELAY_ENVELOPE_H

#include "formats/object.h"
#include "gateway/base/digest.h"

struct arena;
struct strbuf;

enum { RELAY_HOPS_MAX = 64, RELAY_AUDIENCE_MAX = 256 };

struct relay_envelope {
	const char	*advisory;
	const char	*from;
	const char	*hops;		/* comma separated, sender last */
	const char	*audience;	/* comma separated, "" = none */
	enum tlp	 label, unmarked;
	bool		 is_signed;	/* a signature was there and is good */
};

/* The whole POST body: x_tocsin and objects (comma separated texts). */
int	relay_envelope_write(struct strbuf *out, const struct relay_envelope *env,
	    const uint8_t sign_key[ED25519_KEY_LEN], struct slice objects,
	    const uint8_t digest[SHA256_LEN], struct err *e);

/* Read the member x_tocsin, cut out of an envelope whose objects have that digest. 1: it is one and fits
 * the objects; 0: there is none (an empty text); -1: it is broken, does not fit, or (with `verify_key`) is
 * not signed by it: ENVELOPE_BAD. A NULL verify_key leaves is_signed false. */
int	relay_envelope_read(struct slice member, const uint8_t objects[SHA256_LEN],
	    const uint8_t *verify_key, struct arena *mem, struct relay_envelope *env, struct err *e);

#endif
