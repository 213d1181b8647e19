/* object_skim.c -- the header as far as the object's own text tells it, read without a tree (object.h). */
#include "formats/labels.h"
#include "formats/object.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/json_walk.h"

/* The members that the header is made of. */
enum member {
	M_TYPE, M_ID, M_SPEC_VERSION, M_CREATED, M_MODIFIED, M_CREATED_BY, M_REVOKED, M_VALID_UNTIL,
	M_MARKINGS, M_GRANULAR, M_LABELS, MEMBERS
};

static const char *const names[MEMBERS] = {
	[M_TYPE] = "type", [M_ID] = "id", [M_SPEC_VERSION] = "spec_version", [M_CREATED] = "created",
	[M_MODIFIED] = "modified", [M_CREATED_BY] = "created_by_ref", [M_REVOKED] = "revoked",
	[M_VALID_UNTIL] = "valid_until", [M_MARKINGS] = "object_marking_refs",
	[M_GRANULAR] = "granular_markings", [M_LABELS] = "labels",
};

struct skim {
	struct arena	*mem;
	struct slice	 v[MEMBERS];		/* raw; p NULL if there is none */
	struct labels	 own, granular;
	bool		 open;			/* a marking that only its definition explains */
	bool		 told;			/* this granular marking says something */
};

/* json_walk_fn over the object: keep what is ours; a name that comes twice ends it. */
static bool
on_member(void *ctx, struct slice name, struct slice value)
{
	struct skim *s = ctx;

	if (name.p == NULL)
		return false;		/* a list is no object */
	name = json_walk_text(name, false, s->mem);
	for (int i = 0; i < MEMBERS; i++) {
		if (!slice_is(name, names[i]))
			continue;
		if (s->v[i].p != NULL)
			return false;
		s->v[i] = value;
		break;
	}
	return true;
}

/* The content of a string member; empty if it is none. */
static struct slice
text_of(const struct skim *s, struct slice value)
{
	return json_walk_is(value, '"') ? json_walk_text(value, true, s->mem) : SLICE_EMPTY;
}

/* True for a string of at least one byte and without NUL. */
static bool
need_text(const struct skim *s, enum member m, struct slice *out)
{
	*out = text_of(s, s->v[m]);
	return out->n > 0 && memchr(out->p, '\0', out->n) == NULL;
}

/* ---- labels ---- */

static bool
on_tag(void *ctx, struct slice name, struct slice value)
{
	struct skim *s = ctx;

	(void)name;
	labels_add_tag(&s->own, text_of(s, value));
	return true;
}

static void
add_marking(struct skim *s, struct labels *l, struct slice value)
{
	if (!json_walk_is(value, '"') || !labels_add_fixed(l, text_of(s, value))) {
		s->open = true;
		l->label = labels_stronger(l->label, LABEL_OTHER);
	}
}

static bool
on_marking(void *ctx, struct slice name, struct slice value)
{
	struct skim *s = ctx;

	(void)name;
	add_marking(s, &s->own, value);
	return true;
}

static bool
on_granular_member(void *ctx, struct slice name, struct slice value)
{
	struct skim *s = ctx;

	struct slice text = name.p == NULL ? SLICE_EMPTY : json_walk_text(name, false, s->mem);

	if (slice_is(text, "marking_ref"))
		add_marking(s, &s->granular, value);
	s->told = s->told || slice_is(text, "marking_ref") || slice_is(text, "lang");
	return true;
}

static bool
on_granular(void *ctx, struct slice name, struct slice value)
{
	struct skim *s = ctx;

	(void)name;
	s->told = false;
	if (json_walk_is(value, '{'))
		json_walk(value, 0, on_granular_member, s);
	if (!s->told)
		s->own.label = LABEL_UNREADABLE;
	return true;
}

/* Each child of a list or object; anything else has none. */
static void
each(struct skim *s, enum member m, json_walk_fn *fn)
{
	if (json_walk_is(s->v[m], '[') || json_walk_is(s->v[m], '{'))
		json_walk(s->v[m], 0, fn, s);
}

/* Markings that are no list cannot be read. */
static void
need_list(struct skim *s, enum member m)
{
	if (s->v[m].p != NULL && !json_walk_is(s->v[m], '[') && !json_walk_is(s->v[m], 'n'))
		s->own.label = LABEL_UNREADABLE;
}

/* The same rules as labels_read. */
static void
skim_labels(struct skim *s, struct object *o)
{
	need_list(s, M_MARKINGS);
	need_list(s, M_GRANULAR);
	each(s, M_MARKINGS, on_marking);
	labels_add_tag(&s->own, text_of(s, s->v[M_LABELS]));
	each(s, M_LABELS, on_tag);
	each(s, M_GRANULAR, on_granular);
	if (s->granular.label == LABEL_OTHER)
		s->own.label = labels_stronger(s->own.label, LABEL_OTHER);
	o->tlp = s->granular.tlp > s->own.tlp ? s->granular.tlp : s->own.tlp;
	o->label = s->own.label;
	o->pap = s->own.pap;
	o->embargo_desk = s->own.desk;
	o->flags |= s->own.flags;
}

/* ---- the whole ---- */

/* `modified`, else `created`; both must be times where they are. */
static bool
skim_version(struct skim *s, struct object *o)
{
	static const enum member times[] = { M_CREATED, M_MODIFIED };

	o->version = o->version_key = SLICE_EMPTY;
	for (size_t i = 0; i < COUNTOF(times); i++) {
		struct slice text = text_of(s, s->v[times[i]]);

		if (s->v[times[i]].p == NULL)
			continue;
		if (!stamp_key(s->mem, text, &o->version_key))
			return false;
		o->version = text;
	}
	return true;
}

static bool
skim_identity(struct skim *s, struct object *o)
{
	size_t n;

	if (!need_text(s, M_TYPE, &o->type) || !need_text(s, M_ID, &o->id))
		return false;
	n = o->type.n;
	return o->id.n == n + 2 + UUID_TEXT && memcmp(o->id.p, o->type.p, n) == 0 &&
	    memcmp(o->id.p + n, "--", 2) == 0 &&
	    uuid_is_shaped(slice_from(o->id.p + n + 2, UUID_TEXT));
}

int
object_skim(struct object *o, struct arena *mem, bool *open)
{
	struct skim s = { .mem = mem };

	if (!json_walk(o->bytes, 0, on_member, &s) || !skim_identity(&s, o) || !skim_version(&s, o))
		return -1;
	o->spec_version = text_of(&s, s.v[M_SPEC_VERSION]);
	if (o->spec_version.n == 0)
		o->spec_version = o->version.n > 0 ? SLICE_LIT("2.0") : SLICE_LIT("2.1");
	o->class = object_class_of(o->type);
	o->created_by = text_of(&s, s.v[M_CREATED_BY]);
	o->valid_until_key = SLICE_EMPTY;
	if (slice_is(o->type, "indicator"))
		stamp_key(mem, text_of(&s, s.v[M_VALID_UNTIL]), &o->valid_until_key);
	o->flags = json_walk_is(s.v[M_REVOKED], 't') ? OBJECT_REVOKED : 0;
	skim_labels(&s, o);
	*open = s.open;
	return 0;
}

/* ---- what only some ask ---- */

struct confidence {
	struct arena	*mem;
	int		 value;
};

static bool
on_confidence(void *ctx, struct slice name, struct slice value)
{
	struct confidence *c = ctx;
	unsigned long long n;

	if (name.p == NULL)
		return false;
	if (!slice_is(json_walk_text(name, false, c->mem), "confidence"))
		return true;
	if (slice_u64(value, &n) && n <= 100)
		c->value = (int)n;
	return false;
}

int
object_confidence(struct slice bytes)
{
	struct confidence c = { .mem = arena_new(), .value = -1 };

	json_walk(bytes, 0, on_confidence, &c);
	arena_free(c.mem);
	return c.value;
}
