#include "gateway/admit.h"

void
admit_init(struct admit *a, const struct trust *t, const struct peer *p, int64_t now_us)
{
	a->trust = t;
	a->peer = p;
	a->now_us = now_us;
	a->until_us = policy_next_change_us(t, p, now_us);
	a->nkept = a->next = 0;
	a->why = REASON_NONE;
}

/* Everything that policy_decide asks of an object; it does not ask who made it. */
static bool
are_same(const struct policy_facts *a, const struct policy_facts *b)
{
	return a->tlp == b->tlp && a->tlp_by_default == b->tlp_by_default && a->pap == b->pap &&
	    a->origin == b->origin && a->sectors == b->sectors && a->phase == b->phase &&
	    a->flags == b->flags && a->embargo_until_us == b->embargo_until_us &&
	    slice_eq(a->kind, b->kind) && slice_eq(a->audience, b->audience) &&
	    slice_eq(a->embargo_desk, b->embargo_desk);
}

static struct slice
keep_text(char **at, struct slice s)
{
	char *to = *at;

	if (s.n > 0)
		memcpy(to, s.p, s.n);
	*at += s.n;
	return slice_from(to, s.n);
}

/* The oldest verdict makes room. Facts with long texts are decided anew each time. */
static void
keep(struct admit *a, const struct policy_facts *f, enum policy_reason why)
{
	struct admit_verdict *v = &a->kept[a->next];
	char *at = v->text;

	if (f->kind.n + f->audience.n + f->embargo_desk.n > sizeof(v->text))
		return;
	a->next = (a->next + 1) % ADMIT_KEPT;
	if (a->nkept < ADMIT_KEPT)
		a->nkept++;
	v->facts = *f;
	v->facts.kind = keep_text(&at, f->kind);
	v->facts.audience = keep_text(&at, f->audience);
	v->facts.embargo_desk = keep_text(&at, f->embargo_desk);
	v->facts.created_by = SLICE_EMPTY;
	v->why = why;
}

/* Why it does not go; a redaction that applies holds it. */
static enum policy_reason
reason_of(const struct decision *d)
{
	if (policy_effective(d) == POLICY_RELEASE)
		return REASON_NONE;
	if (d->nagainst > 0 && d->against[0].reason != REASON_NONE)
		return d->against[0].reason;
	return d->nredacts > 0 ? REDACTION_NOT_BUILT : NO_RELEASE;
}

bool
admit_row(struct admit *a, const struct policy_facts *f)
{
	struct decision d;

	for (size_t i = 0; i < a->nkept; i++) {
		if (are_same(&a->kept[i].facts, f)) {
			a->why = a->kept[i].why;
			return a->why == REASON_NONE;
		}
	}
	policy_decide(a->trust, f, a->peer, a->now_us, &d);
	a->why = reason_of(&d);
	if (f->embargo_until_us > a->now_us && f->embargo_until_us < a->until_us)
		a->until_us = f->embargo_until_us;
	keep(a, f, a->why);
	return a->why == REASON_NONE;
}
