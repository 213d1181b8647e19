/*
 * policy_parts.h -- trust.conf as policy reads it: compiled, immutable, all words turned into bits.
 *
 * Owns:    struct trust and what hangs off it, private to peer.c and policy*.c; the word lists.
 * Called:  by those files only.
 * Never:   changes after the load; nothing in here is allocated while a decision is made.
 *
 *	struct trust --> peers[i], more[i]   who; more[i] has what only policy asks
 *	             --> communities[bit]
 *	             --> rules[kind][j] --> conditions: a dimension and a mask each
 *	             --> schemes, papers, recognitions --> more[i].credits: assurance, by time
 */
#ifndef GATEWAY_POLICY_PARTS_H
#define GATEWAY_POLICY_PARTS_H

#include "gateway/policy.h"

struct strbuf;

/* Ordered scales: a condition on one means "at least". */
enum assurance { ASSURANCE_NONE, ASSURANCE_BASIC, ASSURANCE_SUBSTANTIAL, ASSURANCE_HIGH };
enum vetting { VETTING_NONE, VETTING_STATED, VETTING_CHECKED, VETTING_CLEARED };
enum verified { VERIFIED_NONE, VERIFIED_DOCUMENT, VERIFIED_REGISTRY };

/* What a mask condition can be about. The facts of one decision are a bit set for each. */
enum dimension {
	DIM_TLP, DIM_PAP, DIM_KIND, DIM_SECTOR, DIM_PHASE, DIM_PERSONAL, DIM_EMBARGO, DIM_EXERCISE,
	DIM_ORIGIN, DIM_RELATION, DIM_COMMUNITY, DIM_PEER_SECTOR, DIM_ASSURANCE, DIM_VETTING,
	DIMENSIONS
};

enum { COUNTRY_WORDS = 11, KINDS_MAX = 63, NAMES_MAX = 4096, RECOGNITIONS_MAX = 256 };

/* Countries by their ISO 3166 letters: bit 26 * first + second. */
struct countries {
	uint64_t	bits[COUNTRY_WORDS];
};

/* A calendar span, as papers count: months or days. */
struct span {
	int	months, days;
};

/* What every named section has. */
struct where {
	const char	*name;
	const char	*file;
	uint32_t	 line;
};

struct community {
	struct where	at;
	bool		green;
	enum tlp	ceiling;
};

enum scheme_kind { SCHEME_EU, SCHEME_NATIONAL, SCHEME_INTERNATIONAL, SCHEME_PRIVATE,
	SCHEME_COMMUNITY };
enum scheme_status { SCHEME_DRAFT, SCHEME_IN_FORCE, SCHEME_RETIRED };
enum { ASSESSED_SELF = 1, ASSESSED_THIRD = 2 };

struct scheme {
	struct where		 at;
	const char		*title, *owner;
	enum scheme_kind	 kind;
	enum scheme_status	 status;
	const char *const	*levels;	/* lowest first */
	struct span		 max_valid;	/* zeros: no limit */
	unsigned		 assessed;
};

enum paper_state { PAPER_IN_FORCE, PAPER_SUSPENDED, PAPER_WITHDRAWN };

/* An attestation: what a peer can show, and how far we looked at it. */
struct paper {
	struct where		 at;
	size_t			 peer, scheme;
	int			 level;		/* of the scheme; -1: none named */
	const char		*issuer, *number;
	const char *const	*covers;
	uint32_t		 covers_line;
	struct countries	 locations;
	int64_t			 from_us, until_us, issued_us;
	enum verified		 verified;
	const char		*verified_by;
	bool			 self;
	enum paper_state	 state;
};

/* What a foreign paper counts as here, and on which conditions. */
struct recognition {
	struct where		 at;
	size_t			 scheme;
	int			 level;
	enum assurance		 as;
	const char *const	*covers;	/* NULL: not asked */
	enum verified		 verified;
	struct span		 issued_within;	/* zeros: not asked */
	bool			 asks_locations;
	struct countries	 locations;
	int64_t			 until_us;
	uint32_t		 covers_line, verified_line, issued_line, locations_line;
};

/* A paper that a recognition accepts, for so long. */
struct credit {
	const struct paper	 *paper;
	const struct recognition *by;
	enum assurance		 level;
	int64_t			 from_us, until_us;
};

/* What only policy asks about a peer. */
struct peer_more {
	enum vetting		 vetting;
	const char		*vetting_by;
	int64_t			 vetting_until_us;
	struct countries	 stores_in;
	struct credit		*credits;
	size_t			 ncredits;
	const struct paper	**papers;
	size_t			 npapers;
};

enum condition_kind {
	CONDITION_MASK,			/* have[dim] & mask */
	CONDITION_PEERS,		/* the peer is in a set */
	CONDITION_COUNTRY,		/* of the peer */
	CONDITION_STORES,		/* all that it stores in lies within */
	CONDITION_HOLDS,		/* a paper of a scheme, in force now */
	CONDITION_APPROVAL,		/* unmet: hold */
	CONDITION_LATER			/* understood, not evaluated by this build */
};

struct holds_ask {
	size_t	scheme;
	int	level;			/* at least; -1: any */
};

struct condition {
	enum condition_kind	 kind;
	enum dimension		 dim;
	uint64_t		 mask;
	const uint64_t		*peers;
	struct countries	 countries;
	const struct holds_ask	*asks;
	size_t			 nasks;
	bool			 about_to;	/* a `to` line */
	const char		*text;		/* its words, as written */
	const char		*wanted;	/* the same without the predicate's name */
	const char		*file;
	uint32_t		 line;
};

enum rule_kind { RULE_RELEASE, RULE_REQUIRE, RULE_REDACT, RULE_KINDS };

struct conditions {
	struct condition	*v;
	size_t			 n, cap;
};

struct rule {
	enum rule_kind		 kind;
	struct where		 at;
	const char		*title;		/* "require NAME" */
	struct conditions	 when;		/* all must hold for the rule to speak */
	struct conditions	 unless;	/* redact: any one silences it */
	struct conditions	 must;		/* require: what is asked */
};

struct rules {
	struct rule	*v;
	size_t		 n;
};

struct trust {
	struct arena		*mem;
	unsigned		 holds;
	uint8_t			 digest[32];
	struct where		 node;
	struct slice		 identity;
	const char		*country, *contact, *sign_key;
	const char *const	*aliases;
	uint32_t		 sectors, fast;
	enum tlp		 unmarked_tlp, iodef_unmarked_tlp;
	enum pap		 unmarked_pap;
	const char		*misp_groups;		/* "UUID=amber,UUID=green"; NULL: none */
	struct peer		*peers;
	struct peer_more	*more;		/* parallel */
	const struct peer	**by_name;	/* sorted */
	size_t			 npeers;
	struct community	*communities;
	size_t			 ncommunities;
	uint64_t		 green;			/* communities where GREEN may circulate */
	uint64_t		 ceilings[TLP_LEVELS];	/* communities that a label may reach */
	struct scheme		*schemes;
	size_t			 nschemes;
	struct paper		*papers;
	size_t			 npapers;
	struct recognition	*recognitions;
	size_t			 nrecognitions;
	struct rules		 rules[RULE_KINDS];
	const char		*kinds[KINDS_MAX + 1];	/* STIX types that rules name: bit = index */
	size_t			 nkinds;
};

/* Facts of one decision, as bits. */
struct asked {
	const struct trust		*t;
	const struct policy_facts	*f;
	const struct peer		*p;
	const struct peer_more		*more;	/* never NULL */
	int64_t				 now_us;
	enum origin			 origin;	/* audience considered */
	uint64_t			 have[DIMENSIONS];
};

/* policy.c */
void		policy_gather(struct asked *q, const struct trust *t, const struct policy_facts *f,
		    const struct peer *p, int64_t now_us);

/* policy_paper.c: papers and what they are worth here. */
int64_t		span_after(int64_t from_us, struct span s);
void		papers_settle(struct trust *t);
enum assurance	more_assurance(const struct peer_more *more, int64_t now_us);
enum vetting	more_vetting(const struct peer_more *more, int64_t now_us);
bool		more_holds(const struct trust *t, const struct peer_more *more,
		    const struct holds_ask *ask, int64_t now_us);
/* Why paper `a` earns nothing by recognition `r` now; false if it does earn, or is of another scheme.
 * `line` gets the line of `r` or of the paper that says so. */
bool		paper_why_not(const struct trust *t, const struct paper *a, const struct recognition *r,
		    int64_t now_us, char *text, size_t cap, uint32_t *r_line, uint32_t *a_line);

/* policy_words.c: lists that end with NULL; the index is the value of the enum unless said. */
extern const char *const words_relation[], *const words_assurance[], *const words_vetting[],
    *const words_verified[], *const words_origin[], *const words_pap[], *const words_tlp[],
    *const words_sector[], *const words_phase[], *const words_kind[], *const words_control[],
    *const words_metric[];
int		word_index(struct slice w, const char *const *list);	/* or -1 */
/* A code of ISO 3166 or a group (EU, EEA) joins the set; false if it is neither. */
bool		countries_add(struct countries *set, struct slice word);
bool		countries_have(const struct countries *set, struct slice code);
bool		countries_are_empty(const struct countries *set);
bool		countries_within(const struct countries *part, const struct countries *whole);
/* The codes of `set` that are not in `except` (NULL: all), blank between them, cut at cap. */
void		countries_text(const struct countries *set, const struct countries *except, char *out,
		    size_t cap);

#endif
