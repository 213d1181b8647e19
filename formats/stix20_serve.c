#include "formats/stix20_serve.h"

#include "formats/ledger.h"
#include "formats/refs.h"
#include "formats/stix20.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

struct shelved {
	const json	*tree;		/* NULL: no object */
	size_t		 sco;		/* number in c.sco, plus one; 0: no observable */
	bool		 asked;		/* what it refers to has been asked for */
};

struct stix20_shelf {
	struct arena	*mem;
	struct stix20	 c;
	struct shelved	*v;
	size_t		 n, cap, sco_cap;
	struct idmap	 wanted;
	struct slice	*ids;
	size_t		 nids, ids_cap;
	bool		 indexed;
	const struct shelved *last;	/* that was written, and how it was said */
	const json	*said;
};

struct stix20_shelf *
stix20_shelf_new(struct arena *mem)
{
	struct stix20_shelf *s = arena_alloc(mem, sizeof(*s));

	s->mem = mem;
	s->c = (struct stix20){ .mem = mem, .keep = mem, .serving = true };
	return s;
}

void
stix20_shelf_add(struct stix20_shelf *s, struct slice text)
{
	struct json_doc doc;
	struct shelved *x;

	s->v = arena_grow(s->mem, s->v, s->n, &s->cap, sizeof(*s->v));
	x = &s->v[s->n++];
	*x = (struct shelved){ 0 };
	if (json_parse(text, NULL, s->mem, &doc, NULL) < 0 || !json_is_object(doc.root) ||
	    json_str(json_get(doc.root, "type")) == NULL || json_str(json_get(doc.root, "id")) == NULL)
		return;
	x->tree = doc.root;
	if (!stix20_is_sco(x->tree))
		return;
	s->c.sco = arena_grow(s->mem, s->c.sco, s->c.nsco, &s->sco_cap, sizeof(*s->c.sco));
	s->c.sco[s->c.nsco++] = (struct stix20_sco){
		.id = json_member(x->tree, "id"), .tree = x->tree, .bytes = text.n,
	};
	x->sco = s->c.nsco;
}

/* refs_fn: remember an observable that is not here. */
static bool
want(void *ctx, const char *member, struct slice id)
{
	struct stix20_shelf *s = ctx;

	(void)member;
	if (stix20_is_sco_id(id) && s->nids < STIX20_ENTRIES) {
		s->ids = arena_grow(s->mem, s->ids, s->nids, &s->ids_cap, sizeof(*s->ids));
		s->ids[s->nids++] = id;
	}
	return true;
}

/* Those of the ids that are wanted for the first time. */
static struct slice *
new_ones(struct stix20_shelf *s, size_t *n)
{
	struct idmap now = { 0 }, here = { 0 };
	struct slice *out = arena_alloc(s->mem, (s->nids + 1) * sizeof(*out));

	for (size_t i = 0; i < s->c.nsco; i++)
		idmap_add(&here, s->mem, s->c.sco[i].id, i);
	idmap_sort(&here);
	for (size_t i = 0; i < s->nids; i++)
		idmap_add(&now, s->mem, s->ids[i], i);
	idmap_sort(&now);
	*n = 0;
	for (size_t i = 0; i < s->nids; i++)
		if (idmap_find(&now, s->ids[i]) == (long)i &&
		    idmap_find(&here, s->ids[i]) == IDMAP_NONE &&
		    idmap_find(&s->wanted, s->ids[i]) == IDMAP_NONE)
			out[(*n)++] = s->ids[i];
	for (size_t i = 0; i < *n; i++)
		idmap_add(&s->wanted, s->mem, out[i], 0);
	idmap_sort(&s->wanted);
	return out;
}

struct slice *
stix20_shelf_wants(struct stix20_shelf *s, size_t *n)
{
	s->nids = 0;
	for (size_t i = 0; i < s->n; i++) {
		struct shelved *x = &s->v[i];

		if (!x->asked && x->tree != NULL)
			refs_each(x->tree, want, s);
		x->asked = true;
	}
	return new_ones(s, n);
}

bool
stix20_shelf_write(struct stix20_shelf *s, size_t i, struct slice shown, struct strbuf *out)
{
	const struct shelved *x = &s->v[i];
	json *said;

	if (x->tree == NULL)
		return false;
	if (!s->indexed)
		stix20_index(&s->c);
	s->indexed = true;
	s->c.now = shown;
	if (x->sco > 0)
		said = stix20_pack_alone(&s->c, &s->c.sco[x->sco - 1]);
	else if (slice_is(json_member(x->tree, "type"), "observed-data") &&
	    json_get(x->tree, "object_refs") != NULL)
		said = stix20_pack(&s->c, x->tree);
	else
		said = stix20_down(&s->c, x->tree);
	json_print(out, said);
	s->last = x;
	s->said = said;
	return true;
}

void
stix20_shelf_account(struct stix20_shelf *s, struct loss *loss)
{
	const struct shelved *x = s->last;
	const json *said = x != NULL && x->sco > 0 ? json_first(json_get(s->said, "objects")) : s->said;
	struct ledger *l = ledger_new(s->mem);

	if (x == NULL)
		return;
	stix20_account(l, x->tree, said, json_get(json_get(said, STIX20_REST), "patch"), false);
	ledger_account(l, loss, x->tree, arena_str(s->mem, json_member(x->tree, "id")), LOSS_KEPT, NULL);
}

/* ---- names ---- */

static struct slice
type_of(struct slice id)
{
	for (size_t i = 0; i + 1 < id.n; i++)
		if (id.p[i] == '-' && id.p[i + 1] == '-')
			return slice_from(id.p, i);
	return SLICE_EMPTY;
}

struct slice
stix20_served_id(struct arena *mem, struct slice id, struct slice text)
{
	struct slice type = type_of(id);
	struct json_doc doc;

	if (stix20_is_new_type(type))
		return slice_of(arena_fmt(mem, STIX20_TYPE "%.*s", SLICE_ARG(id)));
	if (json_parse(text, NULL, mem, &doc, NULL) < 0)
		return id;
	if (slice_is(type, "indicator") && stix20_is_unsayable(mem, doc.root))
		return slice_of(arena_fmt(mem, STIX20_TYPE "%.*s", SLICE_ARG(id)));
	return stix20_is_sco(doc.root) ? stix20_generated_id(mem, id, doc.root) : id;
}

static const char *const observables[] = {
	"artifact", "autonomous-system", "directory", "domain-name", "email-addr", "email-message", "file",
	"ipv4-addr", "ipv6-addr", "mac-addr", "mutex", "network-traffic", "process", "software", "url",
	"user-account", "windows-registry-key", "x509-certificate",
};

size_t
stix20_stored_ids(struct arena *mem, struct slice id, struct slice *out)
{
	const size_t skip = sizeof(STIX20_TYPE) - 1;
	struct slice bare = slice_starts(id, STIX20_TYPE) ? slice_from(id.p + skip, id.n - skip) : id;
	struct slice type = type_of(bare);
	size_t n = 0;

	out[n++] = stix20_is_new_type(type) || slice_is(type, "indicator") ? bare : id;
	if (slice_is(type_of(id), "observed-data") && id.n > UUID_TEXT &&
	    uuid_is_shaped(slice_from(id.p + id.n - UUID_TEXT, UUID_TEXT)) &&
	    id.p[id.n - UUID_TEXT + 14] == '5')
		for (size_t i = 0; i < COUNTOF(observables); i++)
			out[n++] = stix20_turned_id(mem, slice_of(observables[i]), id);
	return n;
}

size_t
stix20_stored_types(struct slice type, struct slice *out)
{
	const size_t skip = sizeof(STIX20_TYPE) - 1;
	struct slice bare = slice_starts(type, STIX20_TYPE) ?
	    slice_from(type.p + skip, type.n - skip) : type;
	size_t n = 0;

	out[n++] = stix20_is_new_type(bare) || slice_is(bare, "indicator") ? bare : type;
	if (slice_is(type, "observed-data"))
		for (size_t i = 0; i < COUNTOF(observables); i++)
			out[n++] = slice_of(observables[i]);
	return n;
}
