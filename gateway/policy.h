/*
 * policy.h -- may this go to that peer, and why; may this come in.
 *
 * Owns:    the gates that no configuration can loosen (policy.md 1.4), the three kinds of rule
 *          (release gives, require takes away, redact changes), and the explanation.
 * Called:  by intake (policy_admit), outbox and catalog (policy_decide, at the moment of leaving),
 *          `tocsin explain`.
 * Never:   remembers, allocates, logs or looks at a clock: one pure function of trust, facts, peer
 *          and time. Default: deny.
 */
#ifndef GATEWAY_POLICY_H
#define GATEWAY_POLICY_H

#include "gateway/peer.h"

/* Where an object stands for us (rulings 24). The strictest source decides. */
enum origin { ORIGIN_OWN, ORIGIN_ADDRESSED, ORIGIN_RECEIVED };

enum { POLICY_USES_DETECT = 1, POLICY_USES_LOOKUP = 2, POLICY_USES_BLOCK = 4 };

/* What policy asks about an object. Labels are effective: `unmarked` is already applied, see
 * policy_facts_of. */
struct policy_facts {
	enum tlp	tlp;
	bool		tlp_by_default;		/* not said by the sender */
	enum pap	pap;
	enum origin	origin;
	struct slice	kind;			/* the STIX type */
	uint32_t	sectors;
	enum phase	phase;
	uint32_t	flags;			/* OBJECT_* */
	struct slice	created_by;
	struct slice	audience;		/* comma separated names: a peer named here makes RECEIVED
						 * an ADDRESSED one */
	struct slice	embargo_desk;		/* the community that an embargo leaves out; empty: none,
						 * and then it goes to nobody */
	int64_t		embargo_until_us;	/* 0 = until somebody ends it */
};

enum policy_verdict { POLICY_RELEASE, POLICY_DENY, POLICY_HOLD };

/* Stable words (policy.md 1.5). REDACTION_NOT_BUILT: a redaction that applies cannot be done yet, so
 * the release is held. */
enum policy_reason {
	REASON_NONE,
	TLP_AUDIENCE, PAP_USE, IEP_ACTION, IEP_ATTRIBUTION, IEP_EXPIRED, LABEL_VOCAB, CLASSIFIED_INPUT,
	IDENTITY_MISMATCH, ENVELOPE_BAD, EXERCISE_WALL, EMBARGO, NODE_STOPPED, SUSPENDED, REQUIRE,
	NO_RELEASE, LEAK_PREVENTED, REDACTION_NOT_BUILT, HOP_LIMIT,
	POLICY_REASONS
};

enum { DECISION_ITEMS = 24 };

struct decision_item {
	enum policy_reason	reason;		/* REASON_NONE for `for` and `would` items */
	const char		*rule;		/* "require strict-needs-assurance", or NULL: a gate */
	const char		*file;		/* where the rule (or the failing line of it) stands */
	uint32_t		 line;
	char			 text[120];	/* "assurance is none, substantial needed" */
};

struct decision {
	enum policy_verdict	verdict;
	struct decision_item	against[DECISION_ITEMS];	/* every failing reason, not the first */
	size_t			nagainst;
	struct decision_item	releases[8];			/* release rules that match */
	size_t			nreleases;
	struct decision_item	redacts[8];			/* redactions that apply */
	size_t			nredacts;
};

/* The decision for one object and one peer at `now_us`. `now_us` matters for vetting, attestations
 * and embargo dates. */
void	policy_decide(const struct trust *t, const struct policy_facts *f, const struct peer *p,
	    int64_t now_us, struct decision *d);
/* When a decision about this peer may change by itself: a paper or a vetting of it begins or ends.
 * INT64_MAX: never. (An embargo's own end is a fact of the object.) */
int64_t	policy_next_change_us(const struct trust *t, const struct peer *p, int64_t now_us);
/* May it come in from `from` (NULL: the node's own spool)? POLICY_RELEASE = admit. Checks
 * classification, identity (speaks-for) and exercise. */
void	policy_admit(const struct trust *t, const struct policy_facts *f, const struct peer *from,
	    struct decision *d);
/* Facts of an object under this trust: labels resolved per rulings 10. */
void	policy_facts_of(const struct trust *t, const struct object *o, enum origin origin,
	    struct policy_facts *f);
enum pap trust_unmarked_pap(const struct trust *t);	/* shipped: AMBER */
const char *policy_reason_word(enum policy_reason r);
const char *policy_origin_word(enum origin o);			/* "own" "addressed" "received" */
const char *policy_pap_word(enum pap p);			/* "none" for PAP_UNSET */
const char *policy_verdict_word(enum policy_verdict v);		/* "release" "deny" "hold" */
/* What happens: a release that a redaction would change is held until redaction is built. */
enum policy_verdict policy_effective(const struct decision *d);
/* The text of `tocsin explain` (policy.md 1.5), and its JSON. */
void	policy_explain(struct strbuf *out, const struct trust *t, const struct policy_facts *f,
	    struct slice object_id, const struct peer *p, int64_t now_us, const struct decision *d);
void	policy_explain_json(struct strbuf *out, const struct trust *t, const struct policy_facts *f,
	    struct slice object_id, const struct peer *p, int64_t now_us, const struct decision *d);

#endif
