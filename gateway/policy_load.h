/*
 * policy_load.h -- how trust.conf becomes a struct trust.
 *
 * Owns:    struct load: one load in work; the tables of sections and their directives.
 * Called:  by policy_load*.c and policy_rules.c only.
 * Never:   stops at the first complaint.
 *
 * Two passes over the lines: the first collects the names of all sections, so that a line may name what
 * stands below it; the second hands every indented line to its directive.
 */
#ifndef GATEWAY_POLICY_LOAD_H
#define GATEWAY_POLICY_LOAD_H

#include "gateway/policy_parts.h"

/* What shares one set of names. */
enum names_kind {
	NAMES_NODE, NAMES_PEER, NAMES_COMMUNITY, NAMES_SCHEME, NAMES_PAPER, NAMES_RECOGNITION,
	NAMES_OBJECTIVE, NAMES_RELEASE, NAMES_REQUIRE, NAMES_REDACT, NAMES_KINDS
};

struct names {
	const char	**v;		/* NULL-terminated */
	const struct line **at;
	size_t		  n, cap, at_cap;
};

struct load {
	struct trust		*t;
	struct arena		*mem;		/* of the trust */
	struct complaints	*c;
	struct lines		 lines;
	struct names		 names[NAMES_KINDS];
	bool			 partial;	/* lines were lost: dangling names prove nothing */
	/* the open section */
	const struct section	*section;	/* NULL: none, or one that was refused */
	const struct line	*opened;
	size_t			 index;		/* of its name */
	uint64_t		 seen;		/* bit set of its directives */
};

enum { DIRECTIVE_MANY = 1, DIRECTIVE_NEEDED = 2, WORDS_ANY = 4096 };

/* One directive: how many words may follow it, and who takes the line. */
struct directive {
	const char	*word;
	unsigned	 min, max, flags;
	void		(*take)(struct load *ld, const struct line *l);
};

struct section {
	const char		*word;
	enum names_kind		 names;
	size_t			 limit;
	const struct directive	*directives;	/* a NULL word ends them */
	void			(*open)(struct load *ld);
	void			(*close)(struct load *ld);	/* checks of the whole; NULL: none */
};

/* Tables: policy_load_peer.c, policy_load_paper.c, policy_rules.c. */
extern const struct directive directives_node[], directives_community[], directives_peer[],
    directives_consumer[], directives_scheme[], directives_paper[], directives_recognition[],
    directives_objective[], directives_release[], directives_require[], directives_redact[];
void	open_peer(struct load *ld), open_consumer(struct load *ld), close_peer(struct load *ld),
	open_community(struct load *ld), open_node(struct load *ld),
	open_scheme(struct load *ld), open_paper(struct load *ld), close_paper(struct load *ld),
	open_recognition(struct load *ld), close_scheme(struct load *ld),
	open_objective(struct load *ld), open_rule(struct load *ld), close_rule(struct load *ld);

/* Lines of a peer, in policy_load_wire.c. */
typedef void	peer_line(struct load *ld, const struct line *l);
peer_line	peer_limit, peer_url, peer_wire, peer_serve_as, peer_verify, peer_proxy, peer_collection,
		peer_ca, peer_sign_key, peer_speaks, peer_tlp_vocab, peer_empty_list,
		peer_taxii20, peer_taxii11, peer_iodef_amber, peer_validate, peer_refuse_loss;
/* What its lines say together. */
void		peer_check_wire(struct load *ld);

/* Where the open section stands. */
struct where	load_where(const struct load *ld);
/* The number of a name, or -1 with a complaint "unknown WHAT 'name'". */
int		load_name(struct load *ld, const struct line *l, enum names_kind kind, size_t word);
/* The index of word `word` of the line in a list, or -1 with a complaint. */
int		load_word(struct load *ld, const struct line *l, const char *what, size_t word,
		    const char *const *list);
/* True, or a complaint that word `word` is not `what`. */
bool		load_bool(struct load *ld, const struct line *l, size_t word, bool *out);
/* Bits of the words from `first` on, by their index in a list. */
uint64_t	load_bits(struct load *ld, const struct line *l, const char *what, size_t first,
		    const char *const *list);
/* Words from `first` on as a NULL-terminated list. */
const char *const *load_list(struct load *ld, const struct line *l, size_t first);
/* True, or a complaint that word `word` is no name: names stand in logs, keys and messages. */
bool		load_plain(struct load *ld, const struct line *l, size_t word);
bool		load_date(struct load *ld, const struct line *l, size_t word, int64_t *end_us);
bool		load_span(struct load *ld, const struct line *l, size_t word, struct span *out);
void		load_countries(struct load *ld, const struct line *l, size_t first,
		    struct countries *out);
bool		load_identity(struct load *ld, const struct line *l, size_t word, struct slice *out);
/* A path as seen from the file that the line stands in. */
const char	*load_path(struct load *ld, const struct line *l, size_t word);
/* A scheme and perhaps a level of it at *word, stepping over them; false with a complaint. */
bool		load_scheme(struct load *ld, const struct line *l, size_t *word, size_t *scheme,
		    int *level);

#endif
