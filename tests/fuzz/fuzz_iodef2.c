/* If this finds something, an IODEF document of a stranger can crash the translator, or what it says can
 * get lost or change on the way. Whatever is read must account for every leaf, never hold under a
 * laxer label what the document gave under RED, give the same bytes twice, and be readable again after it was written as IODEF. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "formats/iodef2.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t
leaves(const struct xml_node *n)
{
	size_t count = n->first == NULL && n->attrs == NULL ? 1 : 0;

	for (const struct xml_attr *a = n->attrs; a != NULL; a = a->next)
		count++;
	for (const struct xml_node *k = n->first; k != NULL; k = k->next)
		count += xml_is_text(k) ? 1 : leaves(k);
	return count;
}

static int
read_once(struct slice in, struct loss *loss, struct arena *mem, struct advisory *adv)
{
	struct read_job job = { .in = in, .input = "fuzz", .loss = loss,
		.received = SLICE_LIT("2026-01-01T00:00:00Z") };
	struct err e = ERR_INIT;

	loss_init(loss, mem);
	if (iodef2_read(&job, mem, adv, &e) == 0)
		return 0;
	if (e.reason[0] == '\0')
		abort();
	return -1;
}

static void
check_account(struct slice in, const struct loss *loss, struct arena *mem)
{
	struct xml_node *root;
	struct err e = ERR_INIT;

	if (xml_parse(in, NULL, mem, &root, &e) < 0 || leaves(root) != loss->n)
		abort();
}

/* Some element of a tree is for named people only. */
static bool
holds_red(const struct xml_node *n)
{
	enum label_case label;

	if (xml_attr(n, "restriction") != NULL && slice_is(n->ns, IODEF2_NS) &&
	    iodef2_restriction_read(xml_value(n, "restriction"), xml_value(n, "ext-restriction"), false,
	    &label) == TLP_RED)
		return true;
	for (const struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		if (holds_red(k))
			return true;
	}
	return false;
}

static void
check_residue(const struct object *o, const json *residue, struct arena *mem)
{
	struct xml_limits lim = { .depth = 70 };
	struct xml_node *root;
	struct err e = ERR_INIT;

	if (residue == NULL)
		return;
	if (xml_parse(json_member(residue, "xml"), &lim, mem, &root, &e) < 0)
		abort();
	if (holds_red(root) && o->tlp != TLP_RED)
		abort();
	for (json *m = json_first(json_get(residue, "more")); m != NULL; m = json_next(m))
		check_residue(o, m, mem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem = arena_new();
	struct slice in = slice_from(data, n);
	struct advisory adv = { 0 }, twice = { 0 }, home = { 0 };
	struct loss loss;
	struct strbuf out = STRBUF_INIT;
	struct err e = ERR_INIT;

	if (read_once(in, &loss, mem, &adv) == 0) {
		struct write_job job = { .adv = &adv, .received = SLICE_LIT("2026-01-01T00:00:00Z"),
			.csirt = "cert.example", .csirt_contact = "cert@cert.example" };

		check_account(in, &loss, mem);
		if (read_once(in, &loss, mem, &twice) < 0 || adv.n != twice.n)
			abort();
		for (size_t i = 0; i < adv.n; i++) {
			if (!slice_eq(adv.objects[i].bytes, twice.objects[i].bytes))
				abort();
			if (adv.objects[i].flags & OBJECT_MINTED)
				check_residue(&adv.objects[i], iodef2_residue(adv.objects[i].tree), mem);
		}
		if (iodef2_write(&job, mem, &out, &e) < 0)
			abort();
		read_once(strbuf_slice(&out), &loss, mem, &home);
	}
	strbuf_fini(&out);
	arena_free(mem);
	return 0;
}
