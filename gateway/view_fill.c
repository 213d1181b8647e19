#include "gateway/view_fill.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/json.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/catalog.h"
#include "gateway/gateway.h"

enum { FILL_ROWS = 500, BUCKETS = 1 << 16, UNTIL_BYTES = 40, NONE = -1 };

/* A copy that a distinct view shows. */
struct shown {
	uint8_t		fp[FINGERPRINT_LEN];
	enum tlp	tlp;
	bool		revoked;
	char		until[UNTIL_BYTES];	/* instant key, cut; "" = no end */
	long		next;			/* in its bucket */
};

struct fill {
	struct view_fills	*all;
	struct config		*config;	/* held: `col` points into it */
	struct collection_conf	 col;
	uint8_t			 digest[SHA256_LEN];
	int64_t			 after;
	int64_t			 join[FILL_ROWS], leave[FILL_ROWS];
	size_t			 njoin, nleave, joined;
	bool			 more, dead;
	/* distinct views */
	struct shown		*shown;
	size_t			 nshown, shown_cap;
	long			*bucket;
	struct fill		*next;
};

struct view_fills {
	struct gateway	*g;
	struct fill	*v;
};

static void	next_piece(struct fill *f);

/* ---- definition ---- */

static void
add_list(struct strbuf *b, const char *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		strbuf_addf(b, "%s ", *list);
	strbuf_addc(b, '|');
}

/* What makes a view that view: a change means filling it anew. */
static void
definition(const struct collection_conf *col, uint8_t out[SHA256_LEN])
{
	struct strbuf b = STRBUF_INIT;

	strbuf_addf(&b, "view1|%d|%u|%u|%u|", col->distinct, col->tlps, col->sectors, col->phases);
	add_list(&b, col->kinds);
	add_list(&b, col->sources);
	digest_sha256(strbuf_slice(&b), out);
	strbuf_fini(&b);
}

/* ---- distinct ---- */

static long *
bucket_of(struct fill *f, struct slice fp)
{
	const uint8_t *p = (const uint8_t *)fp.p;

	return &f->bucket[(p[0] << 8 | p[1]) % BUCKETS];
}

/* The end of validity of a stored version, as an instant key. */
static void
until_of(const struct store_row *r, char out[UNTIL_BYTES])
{
	struct arena *mem = arena_new();
	struct object o = { .bytes = r->bytes };
	struct json_doc doc;

	out[0] = '\0';
	if (json_parse(r->bytes, NULL, mem, &doc, NULL) == 0) {
		o.tree = doc.root;
		if (object_fill(&o, mem, NULL, NULL, NULL) == 0 && o.valid_until_key.n > 0)
			snprintf(out, UNTIL_BYTES, "%.*s", SLICE_ARG(o.valid_until_key));
	}
	arena_free(mem);
}

/* True if a copy that is shown says as much under a label at least as free; else this one is shown too. */
static bool
is_covered(struct fill *f, const struct store_row *r)
{
	struct shown s = { .tlp = r->facts.tlp, .revoked = (r->facts.flags & OBJECT_REVOKED) != 0 };
	long *head;

	if (r->fp.n != FINGERPRINT_LEN)
		return false;
	until_of(r, s.until);
	head = bucket_of(f, r->fp);
	for (long i = *head; i != NONE; i = f->shown[i].next) {
		const struct shown *o = &f->shown[i];

		if (memcmp(o->fp, r->fp.p, sizeof(o->fp)) == 0 && o->tlp <= s.tlp &&
		    o->revoked == s.revoked && (o->until[0] == '\0' ||
		    (s.until[0] != '\0' && strcmp(o->until, s.until) >= 0)))
			return true;
	}
	memcpy(s.fp, r->fp.p, sizeof(s.fp));
	s.next = *head;
	if (f->nshown == f->shown_cap) {
		f->shown_cap = f->shown_cap == 0 ? 1024 : f->shown_cap * 2;
		f->shown = xrealloc(f->shown, f->shown_cap * sizeof(*f->shown));
	}
	*head = (long)f->nshown;
	f->shown[f->nshown++] = s;
	return false;
}

/* ---- the walk ---- */

static void
end(struct fill *f)
{
	struct fill **at;

	for (at = &f->all->v; *at != f; at = &(*at)->next)
		;
	*at = f->next;
	config_free(f->config);
	free(f->shown);
	free(f->bucket);
	free(f);
}

static void
fail(struct fill *f, const struct err *e)
{
	log_event(LOG_ERROR, "view.fill", LF_S("collection", f->col.name), LF_S("error", e->reason));
	end(f);
}

static void
finish(struct fill *f)
{
	struct err e = ERR_INIT;

	if (store_view_set_digest(f->all->g->store, f->col.cid, f->digest, &e) < 0) {
		fail(f, &e);
		return;
	}
	if (f->joined > 0)
		log_event(LOG_INFO, "view.filled", LF_S("collection", f->col.name),
		    LF_I("objects", f->joined));
	end(f);
}

static void
on_joined(void *arg, const struct err *e)
{
	struct fill *f = arg;

	if (e != NULL) {
		fail(f, e);
		return;
	}
	f->joined += f->njoin;
	next_piece(f);
}

static void
on_scanned(void *arg, const struct store_page *page, const struct err *e)
{
	struct fill *f = arg;

	if (e != NULL) {
		fail(f, e);
		return;
	}
	f->njoin = f->nleave = 0;
	f->more = page->more;
	for (size_t i = 0; i < page->n; i++) {
		const struct store_row *r = &page->rows[i];

		f->after = r->vid;
		if (catalog_view_matches(&f->col, r->type, &r->facts, "*") &&
		    !(f->col.distinct && is_covered(f, r)))
			f->join[f->njoin++] = r->vid;
		else
			f->leave[f->nleave++] = r->vid;
	}
	if (page->n == 0)
		finish(f);
	else
		store_join(f->all->g->store, f->col.cid, f->join, f->njoin, f->leave, f->nleave,
		    on_joined, f);
}

/* A walk that was overtaken, or whose node is going down, ends; the next start walks again. */
static void
next_piece(struct fill *f)
{
	if (f->dead || f->all->g->draining)
		end(f);
	else if (!f->more)
		finish(f);
	else
		store_scan(f->all->g->store, f->after, FILL_ROWS, on_scanned, f);
}

int
view_fill(struct view_fills *v, const struct collection_conf *col, struct err *e)
{
	uint8_t have[SHA256_LEN], want[SHA256_LEN];
	struct fill *f;

	definition(col, want);
	if (store_view_digest(v->g->store, col->cid, have, e) < 0)
		return -1;
	if (memcmp(want, have, sizeof(want)) == 0)
		return 0;
	for (f = v->v; f != NULL; f = f->next)
		if (f->col.cid == col->cid)
			f->dead = true;
	f = xcalloc(1, sizeof(*f));
	f->all = v;
	f->config = config_hold(v->g->config);
	f->col = *col;
	memcpy(f->digest, want, sizeof(want));
	if (col->distinct) {
		f->bucket = xmalloc(BUCKETS * sizeof(*f->bucket));
		for (size_t i = 0; i < BUCKETS; i++)
			f->bucket[i] = NONE;
	}
	f->more = col->sources == NULL || col->sources[0] == NULL;
	f->next = v->v;
	v->v = f;
	next_piece(f);
	return 0;
}

struct view_fills *
view_fills_new(struct gateway *g)
{
	struct view_fills *v = xcalloc(1, sizeof(*v));

	v->g = g;
	return v;
}

void
view_fills_free(struct view_fills *v)
{
	if (v == NULL)
		return;
	while (v->v != NULL)
		end(v->v);
	free(v);
}
