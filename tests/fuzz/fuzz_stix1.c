/* If this finds something, a STIX 1.x package of a stranger can crash the translator, or what it says can get lost
 * on the way, or be let out under a laxer label. Whatever is read must account for every leaf, give the same bytes
 * twice, be RED all over if the document says so of all it holds, and come home from its residue as it was. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "formats/stix1.h"
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
	if (stix1_read(&job, mem, adv, &e) == 0)
		return 0;
	if (e.reason[0] == '\0')
		abort();
	return -1;
}

/* A Marking says RED of everything. */
static bool
all_is_red(const struct xml_node *n, struct arena *mem)
{
	struct xml_node *path = stix1_get(n, "Controlled_Structure");
	struct xml_node *what = stix1_get(n, "Marking_Structure");

	if (stix1_is(n, "Marking") && stix1_is(n->parent, "Handling") && path != NULL && what != NULL &&
	    slice_is(xml_text_line(path, mem), "//node()") &&
	    slice_is(stix1_type(what, NULL), "TLPMarkingStructureType") &&
	    slice_is(xml_value(what, "color"), "RED"))
		return true;
	for (const struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k))
		if (all_is_red(k, mem))
			return true;
	return false;
}

/* An original may say AMBER+STRICT beside RED. */
static void
check_labels(const struct advisory *adv, bool originals)
{
	for (size_t i = 0; i < adv->n; i++)
		if (adv->objects[i].class != OBJECT_META && adv->objects[i].tlp != TLP_RED &&
		    adv->objects[i].label != LABEL_UNREADABLE &&
		    (!originals || adv->objects[i].tlp != TLP_AMBER_STRICT))
			abort();
}

static void
check_home(const struct advisory *adv, const struct xml_node *root, struct arena *mem)
{
	struct stix1_home home;

	stix1_home(adv, mem, &home);
	if (home.nroots != 1 || !xml_equal(root, home.roots[0]))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem = arena_new();
	struct slice in = slice_from(data, n);
	struct advisory adv = { 0 }, twice = { 0 };
	struct xml_node *root;
	struct loss loss;
	struct err e = ERR_INIT;
	bool originals = memmem(data, n, STIX1_TOOL_ID, sizeof(STIX1_TOOL_ID) - 1) != NULL;

	if (read_once(in, &loss, mem, &adv) == 0) {
		if (xml_parse(in, NULL, mem, &root, &e) < 0 || leaves(root) != loss.n)
			abort();
		if (read_once(in, &loss, mem, &twice) < 0 || adv.n != twice.n)
			abort();
		for (size_t i = 0; i < adv.n; i++)
			if (!slice_eq(adv.objects[i].bytes, twice.objects[i].bytes))
				abort();
		if (all_is_red(root, mem))
			check_labels(&adv, originals);
		if (adv.n > 0 && !originals)
			check_home(&adv, root, mem);
	}
	arena_free(mem);
	return 0;
}
