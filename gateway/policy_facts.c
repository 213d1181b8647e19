/* What policy asks about an object, taken from its header. */
#include "gateway/policy.h"

#include "formats/shipped.h"

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
	f->pap = o->pap == PAP_UNSET ? trust_unmarked_pap(t) : o->pap;
	if ((f->flags & OBJECT_EMBARGO) != 0)
		f->embargo_desk = o->embargo_desk;
	if (slice_is(o->type, "identity") && f->created_by.n == 0)
		f->created_by = o->id;
}
