/* What policy asks about an object, taken from its header and tree. */
#include "gateway/policy.h"

#include <strings.h>

#include "formats/shipped.h"
#include "gateway/base/json.h"

/* Fixed ids of the PAP definitions; WHITE is the old word for CLEAR. */
static const struct {
	const char	*id;
	enum pap	 pap;
} pap_ids[] = {
	{ "marking-definition--a3bea94c-b469-41dc-9cfe-d6e7daba7730", PAP_CLEAR },
	{ "marking-definition--ad15a0cd-55b6-4588-a14c-a66105329b92", PAP_CLEAR },
	{ "marking-definition--c43594d1-4b11-4c59-93ab-1c9b14d53ce9", PAP_GREEN },
	{ "marking-definition--60f8932b-e51e-4458-b265-a2e8be9a80ab", PAP_AMBER },
	{ "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e", PAP_RED },
};

static const struct {
	const char	*tag;
	enum pap	 pap;
} pap_tags[] = {
	{ "pap:white", PAP_CLEAR }, { "pap:clear", PAP_CLEAR }, { "pap:green", PAP_GREEN },
	{ "pap:amber", PAP_AMBER }, { "pap:red", PAP_RED },
};

static enum pap
stricter(enum pap a, enum pap b)
{
	return a > b ? a : b;
}

/* What a tag says; a PAP level that we cannot read is the strictest. */
static enum pap
pap_of_tag(struct slice tag)
{
	for (size_t i = 0; i < sizeof(pap_tags) / sizeof(pap_tags[0]); i++)
		if (slice_is_nocase(tag, pap_tags[i].tag))
			return pap_tags[i].pap;
	return tag.n >= 4 && strncasecmp(tag.p, "pap:", 4) == 0 ? PAP_RED : PAP_UNSET;
}

/* The strictest PAP that markings and tags of the object say. */
static enum pap
pap_of(const json *tree)
{
	enum pap pap = PAP_UNSET;
	const json *x;

	for (x = json_first(json_get(tree, "object_marking_refs")); x != NULL; x = json_next(x))
		for (size_t i = 0; i < sizeof(pap_ids) / sizeof(pap_ids[0]); i++)
			if (slice_is_nocase(json_slice(x), pap_ids[i].id))
				pap = stricter(pap, pap_ids[i].pap);
	for (x = json_first(json_get(tree, "labels")); x != NULL; x = json_next(x))
		pap = stricter(pap, pap_of_tag(slice_trim(json_slice(x))));
	return pap;
}

/* Objects that everybody has, byte for byte: the fixed TLP definitions and the extensions we ship. */
static bool
is_common(struct slice id)
{
	if (tlp_of_marking_id(id) != TLP_UNSET)
		return true;
	for (int i = 0; i < EXTENSIONS; i++)
		if (slice_is(id, extension_definition_id((enum extension)i)))
			return true;
	return false;
}

/* What the label of the object means under this trust (rulings 10). */
static void
label_of(const struct trust *t, const struct object *o, struct policy_facts *f)
{
	enum tlp floor = TLP_UNSET;

	switch (o->label) {
	case LABEL_TLP:
		break;
	case LABEL_ABSENT:
	case LABEL_OTHER:
		floor = trust_unmarked_tlp(t);
		break;
	case LABEL_IODEF_ABSENT:
		floor = trust_iodef_unmarked_tlp(t);
		break;
	case LABEL_UNREADABLE:
		floor = TLP_RED;
		break;
	}
	if (o->label == LABEL_TLP && o->tlp == TLP_UNSET)
		floor = TLP_RED;	/* said, and nobody knows what */
	f->tlp = o->tlp > floor ? o->tlp : floor;
	f->tlp_by_default = floor != TLP_UNSET && floor >= o->tlp;
}

/* The community that a tag `embargo:NAME` leaves out. */
static struct slice
desk_of(const json *tree)
{
	static const char head[] = "embargo:";

	for (const json *x = json_first(json_get(tree, "labels")); x != NULL; x = json_next(x)) {
		struct slice tag = json_slice(x);

		if (slice_starts(tag, head))
			return slice_from(tag.p + sizeof(head) - 1, tag.n - (sizeof(head) - 1));
	}
	return SLICE_EMPTY;
}

void
policy_facts_of(const struct trust *t, const struct object *o, enum origin origin,
    struct policy_facts *f)
{
	*f = (struct policy_facts){
		.origin = origin, .kind = o->type, .sectors = o->sectors, .phase = o->phase,
		.flags = o->flags, .created_by = o->created_by, .audience = SLICE_EMPTY,
		.embargo_desk = SLICE_EMPTY,
	};
	if (is_common(o->id)) {
		/* Whoever sends one and whatever it carries: it is public and nobody's. */
		f->tlp = TLP_CLEAR;
		f->pap = PAP_CLEAR;
		f->created_by = SLICE_EMPTY;
		return;
	}
	label_of(t, o, f);
	f->pap = pap_of(o->tree);
	if (f->pap == PAP_UNSET)
		f->pap = trust_unmarked_pap(t);
	if ((f->flags & OBJECT_EMBARGO) != 0)
		f->embargo_desk = desk_of(o->tree);
	if (slice_is(o->type, "identity") && f->created_by.n == 0)
		f->created_by = o->id;
}
