/* If this finds something, an Observable of a stranger can crash the gateway, or what CybOX says exactly by our own
 * word is read back as something else. Input: XML with Observables in it, or a pattern. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "formats/cybox.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct arena		*mem;
	struct xml_node		*root;
	struct cybox_objects	 found;
	size_t			 steps;
};

static struct xml_node *
find_below(struct xml_node *n, struct slice id)
{
	struct xml_attr *a = xml_attr(n, "id");
	struct xml_node *hit = NULL;

	if (a != NULL && slice_eq(slice_trim(a->value), id))
		return n;
	for (struct xml_node *k = xml_child(n); k != NULL && hit == NULL; k = xml_sibling(k))
		hit = find_below(k, id);
	return hit;
}

static struct xml_node *
find_element(void *arg, struct slice id)
{
	struct run *r = arg;

	return r->root == NULL ? NULL : find_below(r->root, id);
}

static const json *
find_object(void *arg, struct slice id)
{
	struct run *r = arg;

	for (size_t i = 0; i < r->found.n; i++) {
		if (slice_eq(r->found.v[i].id, id))
			return r->found.v[i].tree;
	}
	return NULL;
}

static struct slice
name_of(void *arg, const char *kind, struct slice key)
{
	struct run *r = arg;

	return slice_of(arena_fmt(r->mem, "ex:%s-%.*s", kind, SLICE_ARG(key)));
}

static struct xml_node *
parse_again(struct run *r, const struct xml_node *el)
{
	struct strbuf text = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct xml_node *root = NULL;

	xml_print(&text, el, 0);
	if (xml_parse(strbuf_slice(&text), NULL, r->mem, &root, &e) < 0 && e.code != ERR_DEPTH &&
	    e.code != ERR_LIMIT)
		abort();
	strbuf_fini(&text);
	return root;
}

/* The pattern there and back; NULL if it has no exact form. */
static struct pat_node *
there_and_back(struct run *r, const struct pat_node *p)
{
	struct cybox_write job = { .mem = r->mem, .name = name_of, .find = find_object, .arg = r };
	struct cybox_read back = { .mem = r->mem, .find = find_element, .arg = r };
	struct xml_node *el, *outer = r->root;
	struct pat_node *again = NULL;
	enum cybox_extent ext;

	el = cybox_write_pattern(&job, p, SLICE_LIT("k"), &ext);
	if (el != NULL && (r->root = parse_again(r, el)) != NULL &&
	    cybox_read_pattern(&back, r->root, &again) == CYBOX_NOTHING)
		abort();
	r->root = outer;
	return ext == CYBOX_EXACT ? again : NULL;
}

/* What is written exactly reads back as the same, or as something that does. Alternatives beside conditions
 * may come back multiplied out, and a LIKE without a condition of its own as an expression. */
static void
check_pattern(struct run *r, const struct pat_node *p)
{
	struct strbuf one = STRBUF_INIT, two = STRBUF_INIT;
	struct pat_node *again = there_and_back(r, p);

	if (again == NULL)
		return;
	pattern_canonical(&one, p);
	pattern_canonical(&two, again);
	if (memmem(one.p, one.n, " LIKE ", 6) != NULL || memchr(one.p, '(', one.n) != NULL) {
		if ((again = there_and_back(r, again)) == NULL)
			abort();
		strbuf_reset(&one);
		pattern_canonical(&one, again);
	}
	if (!slice_eq(strbuf_slice(&one), strbuf_slice(&two)))
		abort();
	strbuf_fini(&one);
	strbuf_fini(&two);
}

/* An object that CybOX says whole is the same object when read again. */
static void
check_object(struct run *r, const struct cybox_object *o)
{
	struct cybox_write job = { .mem = r->mem, .name = name_of, .find = find_object, .arg = r };
	struct cybox_read back = { .mem = r->mem, .find = find_element, .arg = r };
	struct cybox_objects again = { 0 };
	struct ledger *l = ledger_new(r->mem);
	struct xml_node *el = cybox_write_object(&job, o->tree, l), *outer = r->root;
	struct loss loss;

	/* a process is named by what it was made of; other Objects are not in this document */
	if (el == NULL || slice_starts(o->id, "process") || json_get(o->tree, "body_multipart") != NULL ||
	    (r->root = parse_again(r, el)) == NULL) {
		r->root = outer;
		return;
	}
	loss_init(&loss, r->mem);
	ledger_account(l, &loss, o->tree, "", LOSS_DROPPED, NULL);
	cybox_read_objects(&back, r->root, &again, NULL);
	if (loss.count[LOSS_DROPPED] <= 2) {	/* id, spec_version */
		size_t i = 0;

		while (i < again.n && !slice_eq(again.v[i].id, o->id))
			i++;
		if (i == again.n)
			abort();
	}
	r->root = outer;
}

static void
walk(struct run *r, struct xml_node *n)
{
	struct cybox_read job = { .mem = r->mem, .find = find_element, .arg = r, .steps = &r->steps };
	struct strbuf text = STRBUF_INIT;
	struct pat_node *p;
	size_t before = r->found.n;
	struct err e = ERR_INIT;

	if (!slice_is(n->name, "Observable")) {
		for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k))
			walk(r, k);
		return;
	}
	cybox_read_objects(&job, n, &r->found, NULL);
	for (size_t i = before; i < r->found.n; i++)
		check_object(r, &r->found.v[i]);
	cybox_read_pattern(&job, n, &p);
	if (p == NULL)
		return;
	pattern_print(&text, p);
	if (pattern_parse(strbuf_slice(&text), r->mem, &e) == NULL)
		abort();
	strbuf_fini(&text);
	check_pattern(r, p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r = { .mem = arena_new() };
	struct slice in = slice_from(data, size);
	struct err e = ERR_INIT;
	struct pat_node *p;

	if (size > 0 && data[0] == '[') {
		if ((p = pattern_parse(in, r.mem, &e)) != NULL)
			check_pattern(&r, p);
	} else if (xml_parse(in, NULL, r.mem, &r.root, &e) == 0) {
		walk(&r, r.root);
	}
	arena_free(r.mem);
	return 0;
}
