/*
 * cybox_kit.h -- Observables there and back, for the tests of CybOX.
 *
 * Owns:    an arena, the document at hand and the objects that references find.
 * Called:  by test_cybox*.c.
 * Never:   used outside of tests.
 */
#ifndef TESTS_UNIT_CYBOX_KIT_H
#define TESTS_UNIT_CYBOX_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "formats/cybox.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

struct kit {
	struct arena	*mem;
	struct xml_node	*root;		/* where idrefs are looked for */
	const json	*const *objects;	/* where references are looked for */
	size_t		 nobjects;
	char		 told[4096];	/* words, blank-separated */
	size_t		 steps;
};

static inline struct xml_node *
kit_find_in(struct xml_node *n, struct slice id)
{
	struct xml_attr *a = xml_attr(n, "id");
	struct xml_node *hit = NULL;

	if (a != NULL && slice_eq(slice_trim(a->value), id))
		return n;
	for (struct xml_node *k = xml_child(n); k != NULL && hit == NULL; k = xml_sibling(k))
		hit = kit_find_in(k, id);
	return hit;
}

static inline struct xml_node *
kit_find(void *arg, struct slice id)
{
	struct kit *k = arg;

	return k->root == NULL ? NULL : kit_find_in(k->root, id);
}

static inline void
kit_told(void *arg, enum cybox_word w, const struct xml_node *at, const char *what)
{
	struct kit *k = arg;
	size_t n = strlen(k->told);

	assert_non_null(at);
	assert_non_null(what);
	snprintf(k->told + n, sizeof(k->told) - n, "%s%s", n > 0 ? " " : "", cybox_word_text(w) + 6);
}

static inline struct cybox_read
kit_reader(struct kit *k)
{
	return (struct cybox_read){ .mem = k->mem, .find = kit_find, .told = kit_told, .arg = k };
}

static inline const json *
kit_object(void *arg, struct slice id)
{
	struct kit *k = arg;

	for (size_t i = 0; i < k->nobjects; i++) {
		if (slice_eq(json_member(k->objects[i], "id"), id))
			return k->objects[i];
	}
	return NULL;
}

/* "ex:Object-UUID|1": good enough for the tests, stable. */
static inline struct slice
kit_name(void *arg, const char *kind, struct slice key)
{
	struct kit *k = arg;
	char *s = arena_fmt(k->mem, "ex:%s-%.*s", kind, SLICE_ARG(key));

	for (char *p = s; *p != '\0'; p++)
		*p = *p == '|' ? '-' : *p;
	return slice_of(s);
}

static inline struct cybox_write
kit_writer(struct kit *k)
{
	return (struct cybox_write){ .mem = k->mem, .name = kit_name, .find = kit_object, .arg = k };
}

static inline struct xml_node *
kit_parse(struct kit *k, struct slice text)
{
	struct err e = ERR_INIT;
	struct xml_node *root = NULL;

	if (xml_parse(text, NULL, k->mem, &root, &e) < 0)
		fail_msg("line %u: %s in %.*s", e.at.line, e.reason, SLICE_ARG(text));
	k->root = root;
	return root;
}

static inline struct slice
kit_print(struct kit *k, const struct xml_node *n)
{
	struct strbuf out = STRBUF_INIT;
	struct slice s;

	xml_print(&out, n, 0);
	s = arena_slice(k->mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return s;
}

static inline struct slice
kit_canonical(struct kit *k, const struct pat_node *p)
{
	struct strbuf out = STRBUF_INIT;
	struct slice s;

	pattern_canonical(&out, p);
	s = arena_slice(k->mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return s;
}

static inline struct pat_node *
kit_pattern(struct kit *k, struct slice text)
{
	struct err e = ERR_INIT;
	struct pat_node *p = pattern_parse(text, k->mem, &e);

	if (p == NULL)
		fail_msg("%s in %.*s", e.reason, SLICE_ARG(text));
	return p;
}

static inline struct slice
kit_json(struct kit *k, const json *o)
{
	struct strbuf out = STRBUF_INIT;
	struct slice s;

	json_print(&out, o);
	s = arena_slice(k->mem, strbuf_slice(&out));
	strbuf_fini(&out);
	return s;
}

#define KIT_NAMESPACES								\
	"xmlns:cybox='http://cybox.mitre.org/cybox-2' "				\
	"xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' "		\
	"xmlns:c='http://cybox.mitre.org/common-2' "				\
	"xmlns:o='http://cybox.mitre.org/objects#SomeObject-2' xmlns:ex='http://example.com/'"

#endif
