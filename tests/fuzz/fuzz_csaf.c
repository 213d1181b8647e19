/* If this finds something, a CSAF document or STIX object that a stranger made can crash the translator, make
 * it write a document that its own mandatory tests refuse, or lose on the way home what it took in. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/csaf.h"
#include "formats/csaf_check.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define NOW	SLICE_LIT("2026-01-01T00:00:00Z")

/* Leaves of a tree: what has no children. */
static size_t
count_leaves(const json *node)
{
	const json *c = json_first(node);
	size_t n = c == NULL;

	for (; c != NULL; c = json_next(c))
		n += count_leaves(c);
	return n;
}

/* End here, and say where, unless it is as it must be. */
#define MUST(yes)	do {							\
	if (!(yes)) {								\
		fprintf(stderr, "fuzz_csaf.c:%d: %s\n", __LINE__, #yes);	\
		abort();							\
	}									\
} while (0)

static json *
tree_of(struct arena *mem, struct slice text)
{
	struct json_limits limits = { .depth = 500, .nodes = SIZE_MAX };
	struct json_doc doc;

	MUST(json_parse(text, &limits, mem, &doc, NULL) == 0);
	return doc.root;
}

/* Read with a format; every leaf is accounted once. */
static bool
read_text(const struct format_ops *f, struct arena *mem, struct slice text, bool account,
    struct advisory *adv)
{
	struct loss loss;
	struct read_job job = { .in = text, .input = "fuzz", .received = NOW, .loss = &loss };
	struct err e = ERR_INIT;

	loss_init(&loss, mem);
	*adv = (struct advisory){ .n = 0 };
	if (f->read(&job, mem, adv, &e) < 0)
		return false;
	if (account)
		MUST(loss.n - loss.count[LOSS_GENERATED] == count_leaves(tree_of(mem, text)));
	return true;
}

static bool
write_text(const struct format_ops *f, struct arena *mem, const struct advisory *adv, bool bare,
    struct slice *out)
{
	struct loss loss;
	struct write_job job = { .adv = adv, .received = NOW, .csirt = "cert.example", .loss = &loss,
	    .no_residue = bare };
	struct strbuf text = STRBUF_INIT;
	struct err e = ERR_INIT;
	size_t leaves = 0;
	bool fine;

	loss_init(&loss, mem);
	fine = f->write(&job, mem, &text, &e) == 0;
	*out = arena_slice(mem, strbuf_slice(&text));
	strbuf_fini(&text);
	for (size_t i = 0; i < adv->n; i++)
		leaves += count_leaves(adv->objects[i].tree);
	if (fine && f == &format_csaf)
		MUST(loss.n - loss.count[LOSS_GENERATED] == leaves);
	return fine;
}

static void
on_issue(void *ctx, const struct csaf_issue *issue)
{
	(void)ctx;
	if (issue->remark)
		return;
	fprintf(stderr, "%s: %s: %s\n", issue->code, issue->path, issue->reason);
	abort();
}

/* What is written without residue passes every test. */
static void
check_bare(struct arena *mem, const struct advisory *adv)
{
	struct slice text;
	json *root;

	if (!write_text(&format_csaf, mem, adv, true, &text))
		return;
	root = tree_of(mem, text);
	csaf_check_structure(root, mem, on_issue, NULL);
	csaf_check_tests(root, mem, on_issue, NULL);
}

/* CSAF to STIX and home again is what came in. */
static void
from_csaf(struct arena *mem, struct slice in)
{
	size_t notes = 0;
	struct slice stix, again;
	struct advisory adv, back;
	json *root;

	if (!read_text(&format_csaf, mem, in, true, &adv) || adv.n == 0)
		return;
	check_bare(mem, &adv);
	MUST(write_text(&format_stix21, mem, &adv, false, &stix));
	MUST(read_text(&format_stix21, mem, stix, false, &back));
	if (back.n != adv.n || !write_text(&format_csaf, mem, &back, false, &again))
		return;		/* refused as STIX: too long a time, say */
	root = tree_of(mem, in);
	for (const json *n = json_first(json_get(json_get(root, "document"), "notes")); n != NULL;
	    n = json_next(n))
		notes += slice_starts(json_member(n, "title"), "stix-");
	if (notes == 0)
		MUST(json_equal(root, tree_of(mem, again)));
	MUST(read_text(&format_csaf, mem, again, true, &back));
}

/* STIX to CSAF and back is what came in, to the byte. */
static void
from_stix(struct arena *mem, struct slice in)
{
	struct advisory adv, back;
	struct slice text;

	if (!read_text(&format_stix21, mem, in, false, &adv))
		return;
	check_bare(mem, &adv);
	if (!write_text(&format_csaf, mem, &adv, false, &text))
		return;
	MUST(read_text(&format_csaf, mem, text, true, &back));
	for (size_t i = 0; i < adv.n; i++)
		if (csaf_residue(adv.objects[i].tree) != NULL)
			return;		/* goes home instead */
	MUST(adv.n == back.n);
	for (size_t i = 0; i < adv.n; i++) {
		MUST(slice_eq(adv.objects[i].bytes, back.objects[i].bytes));
		MUST(adv.objects[i].tlp == back.objects[i].tlp);
		MUST(adv.objects[i].label == back.objects[i].label);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem = arena_new();
	struct slice in = slice_from(data, n);

	from_csaf(mem, in);
	from_stix(mem, in);
	arena_free(mem);
	return 0;
}
