/*
 * chain_kit.h -- what tests of whole chains have in common: read a text, write it in a format, read that.
 *
 * Owns:    one reading and one writing with the same now everywhere; what an object's label is worth.
 * Called:  by tests/unit/test_chain_*.c.
 * Never:   knows a format by name: what the registry holds is what is tested.
 */
#ifndef TESTS_CHAIN_KIT_H
#define TESTS_CHAIN_KIT_H

#include "formats/format.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

#define CHAIN_NOW SLICE_LIT("2026-11-22T10:00:00Z")

/* A format that comes in and goes out without a file that describes it. */
static inline bool
chain_both_ways(const struct format_ops *f)
{
	return f->read != NULL && f->write != NULL && f != &format_mapped;
}

static inline int
chain_read(const struct format_ops *f, struct slice text, struct arena *mem, struct advisory *adv,
    struct loss *loss, struct err *e)
{
	struct read_job job = { .in = text, .input = "chain", .received = CHAIN_NOW, .loss = loss };

	*adv = (struct advisory){ 0 };
	return f->read(&job, mem, adv, e);
}

static inline int
chain_write(const struct format_ops *f, const struct advisory *adv, struct arena *mem, bool residue,
    struct loss *loss, struct slice *text, struct err *e)
{
	struct write_job job = { .adv = adv, .received = CHAIN_NOW, .csirt = "cert.example",
	    .csirt_contact = "cert@cert.example", .no_residue = !residue, .loss = loss };
	struct strbuf out = STRBUF_INIT;
	int rc = f->write(&job, mem, &out, e);

	*text = arena_slice(mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return rc;
}

/* The object of that id, NULL if there is none. */
static inline const struct object *
chain_find(const struct advisory *adv, struct slice id)
{
	for (size_t i = 0; i < adv->n; i++)
		if (slice_eq(adv->objects[i].id, id))
			return &adv->objects[i];
	return NULL;
}

/* What the label of an object is worth where unmarked objects count as `unmarked`. */
static inline enum tlp
chain_level(const struct object *o, enum tlp unmarked)
{
	if (o->label == LABEL_UNREADABLE || o->label == LABEL_IODEF_ABSENT)
		return TLP_RED;
	if (o->label == LABEL_TLP)
		return o->tlp;
	return o->tlp > unmarked ? o->tlp : unmarked;
}

/* May `now` be known to somebody who may not know `then`? Under every policy for unmarked objects up to the
 * one that is shipped: translators take nothing said for less than AMBER where an element says both. */
static inline bool
chain_is_weaker(const struct object *now, const struct object *then)
{
	for (enum tlp u = TLP_CLEAR; u <= TLP_AMBER; u++)
		if (chain_level(now, u) < chain_level(then, u))
			return true;
	return false;
}

#endif
