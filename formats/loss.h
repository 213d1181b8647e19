/*
 * loss.h -- the account of a conversion: what became of every leaf of the input.
 *
 * Owns:    a list of entries; nothing is decided here.
 * Called:  by readers and writers while they convert; by `tocsin convert --loss`, the outbox (audit).
 * Never:   holds values, only paths and short notes (a loss report may be logged).
 *
 * The words (rulings 34): kept, approximated, moved (to an extension), dropped; generated is listed
 * beside them. Tested: kept + approximated + moved + dropped = the leaves of the input.
 */
#ifndef FORMATS_LOSS_H
#define FORMATS_LOSS_H

#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct arena;
struct strbuf;

enum loss_kind { LOSS_KEPT, LOSS_APPROXIMATED, LOSS_MOVED, LOSS_DROPPED, LOSS_GENERATED, LOSS_KINDS };

struct loss_entry {
	enum loss_kind	kind;
	const char	*path;		/* in the source ("Incident[1]/Contact[2]/Timezone", or
					 * "indicator--.../confidence"); in the target for generated */
	const char	*note;		/* short, or NULL */
};

struct loss {
	struct arena		*mem;		/* NULL: only the counts are kept */
	struct loss_entry	*v;
	size_t			 n, cap;
	size_t			 count[LOSS_KINDS];
};

/* How much may be dropped of a document before it is refused. */
struct loss_limit {
	bool		set;
	bool		approximated;	/* what is approximated counts too */
	uint32_t	millionths;	/* of the leaves */
};
/* "5%", "0.5%", "0%"; false if it is no share of 0 to 100 %. */
bool	loss_limit_parse(struct slice s, struct loss_limit *out);
/* True if the counts are beyond the limit: then *e says by how much. */
bool	loss_is_beyond(const struct loss_limit *limit, const uint64_t count[LOSS_KINDS], struct err *e);

void	loss_init(struct loss *l, struct arena *mem);	/* mem NULL: counts only */
/* NULL `l` is fine: nothing is recorded. path and note are copied. */
void	loss_add(struct loss *l, enum loss_kind kind, const char *path, const char *note);
void	loss_addf(struct loss *l, enum loss_kind kind, const char *note, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));
const char *loss_word(enum loss_kind kind);
/* One line an entry: "dropped  PATH  NOTE", then a line with the counts. */
void	loss_print(struct strbuf *out, const struct loss *l);
/* {"kept":N,...,"entries":[{"kind","path","note"}]} */
void	loss_print_json(struct strbuf *out, const struct loss *l);

#endif
