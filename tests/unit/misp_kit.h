/*
 * misp_kit.h -- what tests of the MISP format have in common: texts in, objects or events out.
 *
 * Owns:    one reading and one writing with the same now; the events of a document.
 * Called:  by tests/unit/test_misp*.c.
 * Never:   looks into the reader or the writer.
 */
#ifndef TESTS_MISP_KIT_H
#define TESTS_MISP_KIT_H

#include <string.h>

#include "formats/misp.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

#define MISP_NOW SLICE_LIT("2026-11-22T10:00:00Z")

static struct arena *mem;

static inline int
kit_setup(void **state)
{
	(void)state;
	mem = arena_new();
	return 0;
}

static inline int
kit_teardown(void **state)
{
	(void)state;
	arena_free(mem);
	return 0;
}

static inline int
kit_read(const struct format_ops *f, struct slice text, struct advisory *adv, struct loss *loss)
{
	struct read_job job = { .in = text, .input = "test", .received = MISP_NOW, .loss = loss };
	struct err e = ERR_INIT;

	*adv = (struct advisory){ 0 };
	if (loss != NULL)
		loss_init(loss, mem);
	return f->read(&job, mem, adv, &e);
}

static inline struct slice
kit_write(const struct format_ops *f, const struct advisory *adv, bool residue, struct loss *loss)
{
	struct write_job job = { .adv = adv, .received = MISP_NOW, .csirt = "cert.example",
		.csirt_contact = "cert@cert.example", .no_residue = !residue, .loss = loss };
	struct strbuf out = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct slice text = SLICE_EMPTY;

	if (loss != NULL)
		loss_init(loss, mem);
	if (f->write(&job, mem, &out, &e) == 0)
		text = arena_slice(mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return text;
}

static inline json *
kit_parse(struct slice text)
{
	struct json_doc doc;
	struct err e = ERR_INIT;

	return json_parse(text, NULL, mem, &doc, &e) == 0 ? doc.root : NULL;
}

/* The events of a document in whatever wrapper, or what a search gave, as a list. */
static inline json *
kit_events(struct slice text)
{
	json *root = kit_parse(text), *list = json_list(mem), *top;

	top = json_get(root, "response") != NULL ? json_get(root, "response") : root;
	if (!json_is_list(top)) {
		json_push(list,
		    json_copy(mem, json_get(top, "Event") != NULL ? json_get(top, "Event") : top));
		return list;
	}
	for (json *k = json_first(top); k != NULL; k = json_next(k))
		json_push(
		    list, json_copy(mem, json_get(k, "Event") != NULL ? json_get(k, "Event") : k));
	return list;
}

/* What the account counts without what was generated. */
static inline size_t
kit_counted(const struct loss *l)
{
	return l->count[LOSS_KEPT] + l->count[LOSS_APPROXIMATED] + l->count[LOSS_MOVED] +
	    l->count[LOSS_DROPPED];
}

static inline const struct object *
kit_find(const struct advisory *adv, const char *id)
{
	for (size_t i = 0; i < adv->n; i++)
		if (slice_is(adv->objects[i].id, id))
			return &adv->objects[i];
	return NULL;
}

/* The first object of a type. */
static inline const struct object *
kit_first(const struct advisory *adv, const char *type)
{
	for (size_t i = 0; i < adv->n; i++)
		if (slice_is(adv->objects[i].type, type))
			return &adv->objects[i];
	return NULL;
}

#endif
