/* stix20_rest.c -- see stix20.h: what the way back would not give by itself. */
#include <stdlib.h>

#include "formats/labels.h"
#include "formats/ledger.h"
#include "formats/stix20.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

enum { HASH_BYTES = 8 };

/* ---- members by name ---- */

struct members {
	const json	**v;
	size_t		  n;
};

static int
by_name(const void *a, const void *b)
{
	return strcmp(json_name(*(const json *const *)a), json_name(*(const json *const *)b));
}

static struct members
members_of(struct arena *mem, const json *o)
{
	struct members m = { .v = arena_raw(mem, (json_count(o) + 1) * sizeof(json *)) };

	for (const json *x = json_first(o); x != NULL; x = json_next(x))
		m.v[m.n++] = x;
	qsort(m.v, m.n, sizeof(*m.v), by_name);
	return m;
}

const char *
stix20_hash(struct arena *mem, const json *value)
{
	struct strbuf text = STRBUF_INIT;
	uint8_t sum[SHA256_LEN];
	char *hex = arena_raw(mem, 2 * HASH_BYTES + 1);

	json_print_jcs(&text, value);
	digest_sha256(strbuf_slice(&text), sum);
	hex_text(sum, HASH_BYTES, hex);
	strbuf_fini(&text);
	return hex;
}

/* ---- making one ---- */

/* One member that differs; either may be NULL. */
static void
note(struct arena *mem, json **patch, const json *native, const json *wanted)
{
	json *entry = json_object(mem);

	if (wanted != NULL)
		json_append(mem, entry, "value", json_copy(mem, wanted));
	if (native != NULL)
		json_append(mem, entry, "for", json_string(mem, slice_of(stix20_hash(mem, native))));
	if (*patch == NULL)
		*patch = json_object(mem);
	json_append(mem, *patch, json_name(wanted != NULL ? wanted : native), entry);
}

/* Most values are texts. */
static bool
is_same(const json *a, const json *b)
{
	if (json_str(a) != NULL && json_str(b) != NULL)
		return slice_eq(json_slice(a), json_slice(b));
	return json_equal(a, b);
}

json *
stix20_diff(struct arena *mem, const json *native, const json *wanted)
{
	struct members a = members_of(mem, native), b = members_of(mem, wanted);
	json *patch = NULL;
	size_t i = 0, k = 0;

	while (i < a.n || k < b.n) {
		int c = i == a.n ? 1 : k == b.n ? -1 : strcmp(json_name(a.v[i]), json_name(b.v[k]));

		if (c < 0)
			note(mem, &patch, a.v[i], NULL);
		else if (c > 0)
			note(mem, &patch, NULL, b.v[k]);
		else if (!is_same(a.v[i], b.v[k]))
			note(mem, &patch, a.v[i], b.v[k]);
		i += c <= 0;
		k += c >= 0;
	}
	return patch;
}

/* ---- what a residue may not do ---- */

/* What the markings of an object come to. */
struct force {
	enum tlp	tlp;		/* as 2.0 would say it: AMBER+STRICT is RED */
	struct labels	labels;
};

static json *
find_nothing(void *ctx, struct slice id)
{
	(void)ctx;
	(void)id;
	return NULL;
}

static struct force
force_of(const json *o)
{
	struct force f;

	labels_read(o, find_nothing, NULL, &f.labels);
	f.tlp = f.labels.tlp == TLP_AMBER_STRICT ? TLP_RED : f.labels.tlp;
	return f;
}

/* All markings of an object that are not TLP's, sorted. */
static struct idmap
other_markings(struct arena *mem, const json *o)
{
	struct idmap ids = { 0 };
	const json *m;

	for (m = json_first(json_get(o, "object_marking_refs")); m != NULL; m = json_next(m))
		if (tlp_of_marking_id(json_slice(m)) == TLP_UNSET)
			idmap_add(&ids, mem, json_slice(m), 0);
	for (m = json_first(json_get(o, "granular_markings")); m != NULL; m = json_next(m))
		if (tlp_of_marking_id(json_member(m, "marking_ref")) == TLP_UNSET)
			idmap_add(&ids, mem, json_member(m, "marking_ref"), 0);
	idmap_sort(&ids);
	return ids;
}

static bool
has_markings(const json *o)
{
	return json_get(o, "object_marking_refs") != NULL || json_get(o, "granular_markings") != NULL;
}

/* Does `after` hold back what `before` held back? An object that was marked by what it was packed in may
 * have no markings of its own (`packed`). */
static bool
is_as_strict(struct arena *mem, const json *before, const json *after, bool packed)
{
	struct force a = force_of(before), b = force_of(after);
	struct idmap had = other_markings(mem, before), has = other_markings(mem, after);

	if (packed && !has_markings(after))
		return true;
	if (b.tlp < a.tlp || b.labels.pap < a.labels.pap ||
	    (a.labels.flags & ~b.labels.flags & (uint32_t)~OBJECT_GRANULAR) != 0 ||
	    labels_stronger(a.labels.label, b.labels.label) != b.labels.label)
		return false;
	for (size_t i = 0; i < had.n; i++)
		if (had.v[i].id.n > 0 && idmap_find(&has, had.v[i].id) == IDMAP_NONE)
			return false;
	return true;
}

/* Without the prefix of types that 2.0 does not know. */
static struct slice
bare(struct slice s)
{
	const size_t n = sizeof(STIX20_TYPE) - 1;

	return slice_starts(s, STIX20_TYPE) ? slice_from(s.p + n, s.n - n) : s;
}

/* Members that say who an object is may be said in the other version's words, and no other. */
static bool
may_be(const char *name, const json *native, const json *value)
{
	if (strcmp(name, "id") != 0 && strcmp(name, "type") != 0)
		return true;
	return json_is_string(value) && slice_eq(bare(json_slice(native)), bare(json_slice(value)));
}

/* ---- taking one ---- */

static bool
is_about_labels(const char *name)
{
	static const char *const names[] = { "object_marking_refs", "granular_markings", "labels" };

	for (size_t i = 0; i < COUNTOF(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* Restore one member, if what stands in its place is what stood there. */
static void
take(struct arena *mem, json *o, const json *entry)
{
	const char *name = json_name(entry);
	json *now = json_get(o, name);
	const json *value = json_get(entry, "value"), *mark = json_get(entry, "for");

	if ((now == NULL) != (mark == NULL) || !may_be(name, now, value) ||
	    (now != NULL && !slice_is(json_slice(mark), stix20_hash(mem, now))))
		return;
	if (value == NULL)
		json_detach(o, now);
	else
		json_put(mem, o, name, json_copy(mem, value));
}

/* Restore the members about labels, or not. */
static void
take_all(struct arena *mem, json *o, const json *patch, bool labels)
{
	size_t n = 0;

	for (const json *p = json_first(patch); p != NULL && n < STIX20_PATCH; p = json_next(p), n++)
		if (json_is_object(p) && json_name(p) != NULL && is_about_labels(json_name(p)) == labels)
			take(mem, o, p);
}

/* `before`: the markings that must hold. */
static bool
patch_with(struct arena *mem, json *native, const json *patch, const json *before, bool packed)
{
	static const char *const names[] = { "object_marking_refs", "granular_markings", "labels" };
	json *trial = json_object(mem);

	take_all(mem, native, patch, false);
	for (size_t i = 0; i < COUNTOF(names); i++)
		if (json_get(native, names[i]) != NULL)
			json_append(mem, trial, names[i], json_copy(mem, json_get(native, names[i])));
	take_all(mem, trial, patch, true);
	if (!is_as_strict(mem, before, trial, packed))
		return false;
	take_all(mem, native, patch, true);
	return true;
}

bool
stix20_patch(struct arena *mem, json *native, const json *patch)
{
	return patch_with(mem, native, patch, native, false);
}

bool
stix20_patch_packed(struct arena *mem, json *native, const json *patch)
{
	return patch_with(mem, native, patch, native, true);
}

bool
stix20_patch_emptied(struct arena *mem, json *native, const json *patch, const json *before)
{
	return patch_with(mem, native, patch, before, false);
}

/* ---- the account ---- */

void
stix20_account(struct ledger *l, const json *from, const json *to, const json *patch, bool dropped)
{
	for (const json *p = json_first(patch); p != NULL; p = json_next(p)) {
		const char *name = json_name(p);

		if (json_get(p, "value") == NULL)
			continue;	/* the target says more than there was */
		if (json_get(to, name) != NULL || (strcmp(name, "object_refs") == 0 &&
		    json_get(to, "objects") != NULL))
			ledger_mark(l, json_get(from, name), LOSS_APPROXIMATED, dropped ? NULL :
			    "said in other words; as it was in the extension");
		else
			ledger_mark(l, json_get(from, name), dropped ? LOSS_DROPPED : LOSS_MOVED, NULL);
	}
}
