/*
 * peer.h -- who someone is, and what trust.conf lets them do.
 *
 * Owns:    struct trust: the whole of trust.conf (and what it includes), compiled and immutable. A
 *          reload builds a new one and swaps the pointer.
 * Called:  by adapters (who is at the other end), intake, router, outbox, policy, admin.
 * Never:   holds secrets (those are in credentials.h) and never decides about an object (policy.h).
 *
 * A `consumer NAME` section is, to policy, a peer of relation own or client that needs no pin
 * (rulings 21).
 */
#ifndef GATEWAY_PEER_H
#define GATEWAY_PEER_H

#include "gateway/base/lines.h"
#include "formats/loss.h"
#include "formats/object.h"
#include "formats/tlp_vocab.h"

struct arena;

enum relation { RELATION_OWN, RELATION_CLIENT, RELATION_PARTNER, RELATION_PUBLIC, RELATIONS };
enum { PEER_PINS = 2, PEERS_MAX = 1024, COMMUNITIES_MAX = 64 };
/* Does a peer take part in exercises: not at all, beside the real traffic, or in nothing else. */
enum exercise_part { EXERCISE_NO, EXERCISE_ALSO, EXERCISE_ONLY };
/* What stands at `url`: a node of our kind, or some TAXII server; or there is a folder instead. */
enum peer_wire { WIRE_TOCSIN, WIRE_TAXII21, WIRE_TAXII20, WIRE_FOLDER };

struct limit {
	double		per_second;	/* 0 = no limit */
	uint32_t	burst;
};

struct peer {
	const char	*name;
	size_t		 index;			/* 0 .. trust_peers()-1, stable within one load */
	bool		 is_consumer;
	enum relation	 relation;
	uint8_t		 pins[PEER_PINS][32];	/* SHA-256 of SubjectPublicKeyInfo */
	size_t		 npins;
	/* wire */
	enum peer_wire	 wire;
	const char	*url;			/* https://host:port/root/; NULL: we never call it */
	const char	*collection;		/* where we POST, in that API root; NULL: we only pull */
	const char	*folder;		/* WIRE_FOLDER: where documents for it are put */
	const char	*folder_format;		/* ... in this format (format_find) */
	bool		 folder_plain;		/* ... without originals in extensions */
	bool		 by_name;		/* its certificate: name and chain are enough, no pin */
	const char	*proxy;			/* host of an HTTP proxy on the way to it, or NULL */
	uint16_t	 proxy_port;
	const char	*ca;			/* PEM for its server certificate; NULL: peer-ca */
	const char	*const *speaks;		/* format names, NULL-terminated; first is preferred */
	bool		 has_sign_key;
	uint8_t		 sign_key[32];		/* Ed25519 public key for relay envelopes */
	bool		 speaks_for_any;
	struct slice	*speaks_for;		/* identity ids besides its own */
	size_t		 nspeaks_for;
	struct slice	 identity;		/* its own identity id, or empty */
	struct limit	 limit_in, limit_out;
	bool		 iodef_amber_strict;	/* read IODEF `amber` as AMBER+STRICT */
	bool		 validate_strict;
	struct loss_limit	 refuse_loss;	/* of what it sends us */
	struct loss_limit	 refuse_loss_out; /* of what it is sent in another format than STIX 2.1 */
	/* consumers: collection names they may read / write; "*" = all */
	const char	*const *reads;
	const char	*const *writes;
	/* facts for policy */
	uint64_t	 communities;		/* bit set */
	const char	*country;
	uint32_t	 sectors;
	bool		 tlp1_vocabulary;	/* `tlp-vocab 1.0`: cannot say AMBER+STRICT */
	enum tlp_vocab	 tlp_vocab;		/* relation own: in which ids labels are shown */
	bool		 serve_stix20;		/* a TAXII 2.0 server: STIX 2.1 goes in the words of 2.0 */
	bool		 no_taxii20;		/* TAXII 2.0 is 406 to it */
	bool		 no_taxii11;		/* TAXII 1.1 is 404 to it */
	bool		 bookmark;		/* a consumer whose place is remembered */
	bool		 empty_list;		/* pages without objects show an empty list */
	uint32_t	 uses;			/* bit set of POLICY_USES_* */
	uint32_t	 wants_phases;		/* bit set of phases it subscribed to; 0 = all */
	enum exercise_part exercise;
	const char	*file;			/* of its section, for explain */
	uint32_t	 line;
};

/* Do we send to this peer? */
static inline bool
peer_is_sent_to(const struct peer *p)
{
	return p->folder != NULL || (p->url != NULL && p->collection != NULL);
}

struct trust;

/* Load a trust file. NULL with complaints (all of them) if anything is wrong. */
struct trust	*trust_load(const char *path, struct complaints *c);
struct trust	*trust_parse(struct slice text, const char *name, struct complaints *c);
/* Counted: a load starts with one hold; whoever keeps a peer over a callback takes another, so that a
 * reload in between harms nobody. trust_free lets go of one; the last one frees. */
struct trust	*trust_hold(struct trust *t);
void		 trust_free(struct trust *t);		/* NULL is fine */
/* SHA-256 over the effective lines: the policy digest of audit records. */
const uint8_t	*trust_digest(const struct trust *t);
size_t		 trust_peers(const struct trust *t);
const struct peer *trust_peer(const struct trust *t, size_t index);
const struct peer *trust_find(const struct trust *t, struct slice name);	/* NULL if none */
const struct peer *trust_by_pin(const struct trust *t, const uint8_t pin[32]);
/* Node facts of trust.conf (policy.md 1.3). */
enum tlp	 trust_unmarked_tlp(const struct trust *t);	/* shipped: AMBER */
enum tlp	 trust_iodef_unmarked_tlp(const struct trust *t); /* shipped: RED */
const char	*trust_misp_groups(const struct trust *t);	/* as in struct read_job; NULL: none */
struct slice	 trust_node_identity(const struct trust *t);
const char	*trust_node_name(const struct trust *t);	/* NULL if the file has no node section */
/* `aliases`, NULL-terminated: names, domains and networks of this node. NULL: none. */
const char *const *trust_node_aliases(const struct trust *t);
const char	*trust_node_sign_key(const struct trust *t);	/* file it names, or NULL */
bool		 trust_fast_phase(const struct trust *t, enum phase p);
const char	*relation_word(enum relation r);

#endif
