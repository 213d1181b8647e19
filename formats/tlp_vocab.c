#include "formats/tlp_vocab.h"

#include "formats/object.h"
#include "gateway/base/arena.h"
#include "gateway/base/json_walk.h"
#include "gateway/base/strbuf.h"

enum { LABELS_MAX = 16 };

/* One object being written. */
struct saying {
	struct strbuf	*out;
	struct slice	 text;		/* of the object */
	size_t		 done;		/* bytes of it that are written, or were replaced */
	enum tlp_vocab	 vocab;
	struct arena	*mem;
	/* the list in hand */
	struct slice	*refs;
	size_t		 nrefs, cap;
	struct slice	 labels[LABELS_MAX];	/* those of them that are TLP's: each is said once */
	size_t		 nlabels;
	bool		 changed;
};

/* Write what lies before `value`, then something else in its place. */
static void
replace(struct saying *s, struct slice value, struct slice with)
{
	size_t at = (size_t)(value.p - s->text.p);

	strbuf_add(s->out, s->text.p + s->done, at - s->done);
	strbuf_addsl(s->out, with);
	s->done = at + value.n;
}

/* The level that a reference stands for; TLP_UNSET: it is no TLP marking. */
static enum tlp
level_of(const struct saying *s, struct slice value)
{
	return json_walk_is(value, '"') ?
	    tlp_of_marking_id(json_walk_text(value, true, s->mem)) : TLP_UNSET;
}

/* The id for a level, in quotes; empty where the vocabulary has none. */
static struct slice
quoted(const struct saying *s, const char *id)
{
	return id == NULL ? SLICE_EMPTY : slice_of(arena_fmt(s->mem, "\"%s\"", id));
}

/* ---- object_marking_refs ---- */

static void
add_ref(struct saying *s, struct slice ref)
{
	s->refs = arena_grow(s->mem, s->refs, s->nrefs, &s->cap, sizeof(*s->refs));
	s->refs[s->nrefs++] = ref;
}

/* A label of TLP, unless it stands there already: only these few are compared, the others can be many. */
static void
add_label(struct saying *s, struct slice ref)
{
	for (size_t i = 0; i < s->nlabels; i++)
		if (slice_eq(s->labels[i], ref)) {
			s->changed = true;
			return;
		}
	if (s->nlabels < LABELS_MAX)
		s->labels[s->nlabels++] = ref;
	add_ref(s, ref);
}

static bool
on_ref(void *ctx, struct slice name, struct slice value)
{
	struct saying *s = ctx;
	enum tlp level = level_of(s, value);
	struct slice two = quoted(s, level == TLP_UNSET ? NULL : tlp_marking_id(level));
	struct slice one = quoted(s, level == TLP_UNSET ? NULL : tlp1_marking_id(level));
	size_t before = s->nrefs;

	(void)name;
	if (s->vocab != TLP_VOCAB_1 && two.n > 0)
		add_label(s, two);
	if (s->vocab != TLP_VOCAB_2 && one.n > 0)
		add_label(s, one);
	if (level == TLP_UNSET)
		add_ref(s, value);
	else if (s->nrefs == before && one.n == 0)
		add_label(s, value);	/* cannot be said otherwise */
	if (s->nrefs != before + 1 || !slice_eq(s->refs[before], value))
		s->changed = true;
	return true;
}

static void
write_refs(struct saying *s, struct slice list)
{
	struct strbuf b = STRBUF_INIT;

	if (!json_walk_is(list, '[') || !json_walk(list, 0, on_ref, s) || !s->changed)
		return;
	for (size_t i = 0; i < s->nrefs; i++) {
		strbuf_addc(&b, i == 0 ? '[' : ',');
		strbuf_addsl(&b, s->refs[i]);
	}
	strbuf_addc(&b, ']');
	replace(s, list, strbuf_slice(&b));
	strbuf_fini(&b);
}

/* ---- granular_markings ---- */

static bool
on_granular_member(void *ctx, struct slice name, struct slice value)
{
	struct saying *s = ctx;
	enum tlp level;
	struct slice other;

	if (name.p == NULL || !slice_is(json_walk_text(name, false, s->mem), "marking_ref"))
		return true;
	level = level_of(s, value);
	if (level == TLP_UNSET)
		return true;
	other = quoted(s, s->vocab == TLP_VOCAB_1 ? tlp1_marking_id(level) : tlp_marking_id(level));
	if (other.n > 0 && !slice_eq(other, value))
		replace(s, value, other);
	return true;
}

static bool
on_granular(void *ctx, struct slice name, struct slice value)
{
	(void)name;
	if (json_walk_is(value, '{'))
		json_walk(value, 0, on_granular_member, ctx);
	return true;
}

/* ---- the object ---- */

static bool
on_member(void *ctx, struct slice name, struct slice value)
{
	struct saying *s = ctx;

	if (name.p == NULL)
		return false;
	name = json_walk_text(name, false, s->mem);
	if (slice_is(name, "object_marking_refs"))
		write_refs(s, value);
	else if (slice_is(name, "granular_markings") && s->vocab != TLP_VOCAB_BOTH &&
	    json_walk_is(value, '['))
		json_walk(value, 0, on_granular, s);
	return true;
}

void
tlp_vocab_write(struct strbuf *out, struct slice object, enum tlp_vocab vocab)
{
	struct saying s = { .out = out, .text = object, .vocab = vocab };

	if (vocab != TLP_VOCAB_AS_SENT) {
		s.mem = arena_new();
		json_walk(object, 0, on_member, &s);
		arena_free(s.mem);
	}
	strbuf_add(out, object.p + s.done, object.n - s.done);
}
