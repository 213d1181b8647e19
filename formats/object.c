/* object.c -- see object.h. What needs the whole message is in settle.c. */
#include "formats/object.h"

#include <pthread.h>

#include "formats/fingerprint.h"
#include "formats/labels.h"
#include "formats/names.h"
#include "formats/refs.h"
#include "formats/vocab.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

enum { SUPPORTERS_COMPARED = 64 };	/* an object that names more may name some twice */

/* The members that the header is made of. */
enum member {
	TYPE, ID, CREATED, MODIFIED, SPEC_VERSION, CREATED_BY, LABELS, SECTORS, REVOKED, IDENTITY_CLASS,
	VALID_UNTIL, MARKINGS, GRANULAR, MEMBERS
};
static const char *const member_names[MEMBERS] = {
	"type", "id", "created", "modified", "spec_version", "created_by_ref", "labels", "sectors",
	"revoked", "identity_class", "valid_until", "object_marking_refs", "granular_markings"
};
static struct names members;
static pthread_once_t members_named = PTHREAD_ONCE_INIT;

static void
name_members(void)
{
	for (unsigned i = 0; i < MEMBERS; i++)
		names_add(&members, member_names[i], i);
}

/* An object that is being looked at, and its members: found in one walk, not one by one. */
struct facts {
	struct object	*o;
	struct arena	*mem;
	const json	*m[MEMBERS];
};

static void
find_members(struct facts *f)
{
	pthread_once(&members_named, name_members);
	for (const json *m = json_first(f->o->tree); m != NULL; m = json_next(m)) {
		unsigned i = names_find_member(&members, json_name(m), json_name_tag(m));

		if (i != NAMES_NONE && f->m[i] == NULL)
			f->m[i] = m;
	}
}

/* Refuse because of the member `name`; returns -1. */
static int
refuse(struct err *e, enum err_code code, const char *name, const char *what)
{
	err_set(e, code, "%s", what);
	err_path(e, "%s", name);
	return -1;
}

/* Fill *out from a string member; an error unless it is a string of at least one byte. */
static int
need_string(const struct facts *f, enum member which, struct slice *out, struct err *e)
{
	const char *name = member_names[which];
	const json *m = f->m[which];

	if (m == NULL)
		return refuse(e, ERR_MISSING, name, "is missing");
	if (json_str(m) == NULL)
		return refuse(e, ERR_VALUE, name, "must be a string without NUL");
	*out = json_slice(m);
	return out->n == 0 ? refuse(e, ERR_VALUE, name, "is empty") : 0;
}

/* Fill type and id; an error unless id is "TYPE--UUID". */
static int
fill_identity(const struct facts *f, struct err *e)
{
	struct object *o = f->o;
	struct slice uuid;

	if (need_string(f, TYPE, &o->type, e) < 0 || need_string(f, ID, &o->id, e) < 0)
		return -1;
	if (o->id.n < o->type.n + 2 || memcmp(o->id.p, o->type.p, o->type.n) != 0 ||
	    memcmp(o->id.p + o->type.n, "--", 2) != 0)
		return refuse(e, ERR_VALUE, "id", "must begin with the object's type and \"--\"");
	uuid = slice_from(o->id.p + o->type.n + 2, o->id.n - o->type.n - 2);
	/* version and variant are stix21_check's business: real data breaks them, and references depend on
	 * ids being kept */
	if (!uuid_is_shaped(uuid))
		return refuse(e, ERR_VALUE, "id", "must end in a UUID");
	return 0;
}

/* Fill *text and *key from a timestamp member; nothing if it is absent, an error if it is no possible
 * UTC time with Z. */
static int
fill_time(const struct facts *f, enum member which, struct slice *text, struct slice *key, struct err *e)
{
	const json *m = f->m[which];

	if (m == NULL)
		return 0;
	if (!json_is_string(m) || !stamp_key(f->mem, json_slice(m), key))
		return refuse(e, ERR_VALUE, member_names[which], "is no possible UTC time ending in Z");
	*text = json_slice(m);
	return 0;
}

/* SHA-256 of what the object says: of its canonical text (RFC 8785), so that another order of members or
 * other blanks are not another version of an observable. */
static void
content_of(const struct object *o, uint8_t out[SHA256_LEN])
{
	struct strbuf text = STRBUF_INIT;

	strbuf_reserve(&text, o->bytes.n);
	json_print_jcs(&text, o->tree);
	digest_sha256(strbuf_slice(&text), out);
	strbuf_fini(&text);
}

/* Fill version and version_key: `modified`, else `created`, else the hash of the content. */
static int
fill_version(const struct facts *f, struct err *e)
{
	struct object *o = f->o;
	struct slice text = SLICE_EMPTY, key = SLICE_EMPTY;
	uint8_t content[SHA256_LEN];
	static const char sha256[] = "sha256:";
	char *hash;

	if (fill_time(f, CREATED, &text, &key, e) < 0 ||
	    ((text.n == 0 || !slice_eq(text, json_slice(f->m[MODIFIED]))) &&
	    fill_time(f, MODIFIED, &text, &key, e) < 0))
		return -1;
	o->version = text;
	o->version_key = key;
	if (key.n == 0) {
		content_of(o, content);
		hash = arena_raw(f->mem, sizeof(sha256) + 2 * SHA256_LEN);
		memcpy(hash, sha256, sizeof(sha256) - 1);
		hex_text(content, sizeof(content), hash + sizeof(sha256) - 1);
		o->version_key = slice_from(hash, sizeof(sha256) - 1 + 2 * SHA256_LEN);
	}
	return 0;
}

/* Return the specification version: its own word, else what TAXII 2.1 section 3.4.1 reads into it. */
static struct slice
spec_version_of(const struct facts *f)
{
	struct slice said = json_slice(f->m[SPEC_VERSION]);

	if (said.n > 0)
		return said;
	return f->o->version.n > 0 ? SLICE_LIT("2.0") : SLICE_LIT("2.1");
}

/* Return the phase that a label `cip-phase:X` names, else the default of the type. */
static enum phase
phase_of(const struct facts *f, const struct vocab_type *t)
{
	static const char prefix[] = "cip-phase:";
	const size_t n = sizeof(prefix) - 1;
	const json *l;

	for (l = json_first(f->m[LABELS]); l != NULL; l = json_next(l)) {
		struct slice s = json_slice(l);
		enum phase p = slice_starts(s, prefix) ?
		    phase_parse(slice_from(s.p + n, s.n - n)) : PHASE_UNSET;

		if (p != PHASE_UNSET)
			return p;
	}
	return t == NULL ? PHASE_UNSET : t->phase;
}

/* Return the sectors that labels name, and those of an identity (else NULL). */
static uint32_t
sectors_of(const json *labels, const json *sectors)
{
	static const char prefix[] = "sector:";
	const size_t n = sizeof(prefix) - 1;
	uint32_t set = 0;
	const json *l;

	for (l = json_first(labels); l != NULL; l = json_next(l)) {
		struct slice s = json_slice(l);

		if (slice_starts(s, prefix))
			set |= vocab_sector_bit(slice_from(s.p + n, s.n - n));
	}
	for (l = json_first(sectors); l != NULL; l = json_next(l)) {
		int bit = sector_of_stix(json_slice(l));

		set |= bit < 0 ? vocab_sector_bit(json_slice(l)) : (uint32_t)1 << bit;
	}
	return set;
}

/* Return the sectors an object names itself. */
uint32_t
object_own_sectors(const struct object *o)
{
	return sectors_of(json_get(o->tree, "labels"),
	    slice_is(o->type, "identity") ? json_get(o->tree, "sectors") : NULL);
}

/* Return the flags that the object shows by itself, labels aside. */
static uint32_t
flags_of(const struct facts *f, const struct vocab_type *t)
{
	uint32_t flags = 0;

	if (json_bool(f->m[REVOKED]))
		flags |= OBJECT_REVOKED;
	if (t != NULL && t->personal)
		flags |= OBJECT_PERSONAL;
	if (slice_is(f->o->type, "identity") && slice_is(json_slice(f->m[IDENTITY_CLASS]), "individual"))
		flags |= OBJECT_PERSONAL;
	return flags;
}

/* An object's supporters while they are collected. */
struct supporters {
	struct object	*o;
	struct arena	*mem;
	size_t		 cap;
};

/* refs_fn: remember an id that is one of a supporting object. */
static bool
note_supporter(void *ctx, const char *member, struct slice id)
{
	struct supporters *s = ctx;
	struct object *o = s->o;

	(void)member;
	if (!slice_starts(id, "marking-definition--") && !slice_starts(id, "identity--") &&
	    !slice_starts(id, "extension-definition--"))	/* refs_is_supporting */
		return true;
	for (size_t i = 0; i < o->nsupporters && i < SUPPORTERS_COMPARED; i++)
		if (slice_eq(o->supporters[i], id))
			return true;
	o->supporters = arena_grow(s->mem, o->supporters, o->nsupporters, &s->cap,
	    sizeof(*o->supporters));
	o->supporters[o->nsupporters++] = id;
	return o->nsupporters < OBJECT_SUPPORTERS_MAX;
}

/* Fill the list of supporting objects that this one names. */
static void
fill_supporters(struct object *o, struct arena *mem)
{
	struct supporters s = { .o = o, .mem = mem };

	o->supporters = NULL;
	o->nsupporters = 0;
	refs_each(o->tree, note_supporter, &s);
}

/* Fill the header of an object from its tree and bytes; 0, or -1 with a path and a reason when it
 * lacks what no object can lack. Everything else that may be wrong is left to stix21_check. */
int
object_fill(struct object *o, struct arena *mem, object_find_fn find, void *ctx, struct err *e)
{
	struct facts f = { .o = o, .mem = mem };
	const struct vocab_type *t;
	struct labels labels;
	bool identity;

	if (!json_is_object(o->tree))
		return err_set(e, ERR_VALUE, "not a JSON object");
	find_members(&f);
	if (fill_identity(&f, e) < 0 || fill_version(&f, e) < 0)
		return -1;
	identity = slice_is(o->type, "identity");
	t = vocab_type_find(o->type);
	o->class = t == NULL ? OBJECT_CUSTOM : t->class;
	o->spec_version = spec_version_of(&f);
	o->created_by = json_slice(f.m[CREATED_BY]);
	o->phase = phase_of(&f, t);
	o->sectors = sectors_of(f.m[LABELS], identity ? f.m[SECTORS] : NULL);
	o->valid_until_key = SLICE_EMPTY;
	if (slice_is(o->type, "indicator"))
		stamp_key(mem, json_slice(f.m[VALID_UNTIL]), &o->valid_until_key);
	labels_read_members(&(struct labels_members){ f.m[MARKINGS], f.m[GRANULAR], f.m[LABELS] },
	    slice_is(o->type, "marking-definition") ? o->tree : NULL, find, ctx, &labels);
	o->tlp = labels.tlp;
	o->label = labels.label;
	o->pap = labels.pap;
	o->embargo_desk = labels.desk;
	o->flags |= labels.flags | flags_of(&f, t);
	fill_supporters(o, mem);
	fingerprint_fill(o, mem);
	return 0;
}

/* Make room for n more objects. */
void
advisory_reserve(struct advisory *adv, struct arena *mem, size_t n)
{
	struct object *v;

	if (adv->cap - adv->n >= n)
		return;
	v = arena_raw(mem, (adv->n + n) * sizeof(*v));
	if (adv->n > 0)
		memcpy(v, adv->objects, adv->n * sizeof(*v));
	adv->objects = v;
	adv->cap = adv->n + n;
}

/* Append an object, all zero but its index. */
struct object *
advisory_add(struct advisory *adv, struct arena *mem)
{
	struct object *o;

	adv->objects = arena_grow(mem, adv->objects, adv->n, &adv->cap, sizeof(*adv->objects));
	o = &adv->objects[adv->n];
	*o = (struct object){ .index = adv->n };
	adv->n++;
	return o;
}

/* Append a verdict, all zero but kind and code. */
struct verdict *
advisory_verdict(struct advisory *adv, struct arena *mem, enum verdict_kind kind, const char *code)
{
	struct verdict *v;

	adv->verdicts = arena_grow(mem, adv->verdicts, adv->nverdicts, &adv->verdicts_cap,
	    sizeof(*adv->verdicts));
	v = &adv->verdicts[adv->nverdicts++];
	*v = (struct verdict){ .kind = kind, .code = code };
	return v;
}

/* object_find_fn over the marking-definitions already in an advisory. */
json *
advisory_find_marking(void *ctx, struct slice id)
{
	const struct advisory *adv = ctx;

	for (size_t i = 0; i < adv->n; i++)
		if (slice_eq(adv->objects[i].id, id) &&
		    slice_is(adv->objects[i].type, "marking-definition"))
			return adv->objects[i].tree;
	return NULL;
}

/* Make an object of a tree that a translator built; -1 (and nothing added) if it is none. Markings
 * other than the nine fixed ones must have been minted before the objects that refer to them. */
int
advisory_mint(struct advisory *adv, struct arena *mem, json *tree, struct err *e)
{
	struct strbuf text = STRBUF_INIT;
	struct object *o = advisory_add(adv, mem);

	json_print(&text, tree);
	o->tree = tree;
	o->bytes = arena_slice(mem, strbuf_slice(&text));
	o->flags = OBJECT_MINTED;
	strbuf_fini(&text);
	if (object_fill(o, mem, advisory_find_marking, adv, e) < 0) {
		adv->n--;
		return -1;
	}
	return 0;
}

/* Return the TLP 2.0 definition of a level, as OASIS publishes it; NULL for TLP_UNSET. */
json *
tlp_marking_object(struct arena *mem, enum tlp t)
{
	json *o, *ext, *tlp2;

	if (t == TLP_UNSET)
		return NULL;
	o = json_object(mem);
	json_put_str(mem, o, "type", SLICE_LIT("marking-definition"));
	json_put_str(mem, o, "spec_version", SLICE_LIT("2.1"));
	json_put_str(mem, o, "id", slice_of(tlp_marking_id(t)));
	json_put_str(mem, o, "created", SLICE_LIT("2022-10-01T00:00:00.000Z"));
	json_put_str(mem, o, "name", slice_of(tlp_label(t)));
	ext = json_put(mem, o, "extensions", json_object(mem));
	tlp2 = json_put(mem, ext, "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d",
	    json_object(mem));
	json_put_str(mem, tlp2, "extension_type", SLICE_LIT("property-extension"));
	json_put_str(mem, tlp2, "tlp_2_0", slice_of(tlp_word(t)));
	return o;
}
