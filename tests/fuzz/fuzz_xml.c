/* If this finds something, a document of a stranger can crash or stall the gateway before anybody looked
 * at what it says. What parses must print, and parse again as the same tree. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "formats/xml.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Print, parse, compare. */
static void
print_again(const struct xml_node *root, int flags, struct arena *mem)
{
	struct strbuf text = STRBUF_INIT;
	struct xml_node *again;
	struct err e = ERR_INIT;

	xml_print(&text, root, flags);
	if (xml_parse(strbuf_slice(&text), NULL, mem, &again, &e) < 0 || !xml_equal(root, again))
		abort();
	strbuf_fini(&text);
}

/* The canonical form of the canonical form is itself. */
static void
canonical_again(const struct xml_node *root, struct arena *mem)
{
	struct strbuf once = STRBUF_INIT, twice = STRBUF_INIT;
	struct xml_node *again;
	struct err e = ERR_INIT;

	xml_print_canonical(&once, root, NULL);
	if (xml_parse(strbuf_slice(&once), NULL, mem, &again, &e) == 0) {
		xml_print_canonical(&twice, again, NULL);
		if (!slice_eq(strbuf_slice(&once), strbuf_slice(&twice)))
			abort();
	}
	strbuf_fini(&once);
	strbuf_fini(&twice);
}

/* Every element is found again at the path that names it, and has texts; a copy is equal, and built by hand it still
 * prints as the same. */
static void
walk(struct xml_node *root, struct arena *mem)
{
	struct xml_node *by_hand = xml_new(mem, "urn:top", NULL, "top");
	unsigned left = 200;

	if (!xml_equal(root, xml_copy(mem, root)))
		abort();
	for (struct xml_node *n = root; n != NULL && left-- > 0;) {
		struct slice text = xml_text(n, mem), line = xml_text_line(n, mem);
		const char *path = xml_path_text(mem, n, NULL);

		if (path == NULL || line.n > text.n || xml_text_trim(n, mem).n > text.n)
			abort();
		xml_add_leaf(mem, by_hand, "leaf", line);
		xml_set(mem, xml_add(mem, by_hand, "more"), "value", line);
		n = xml_child(n) != NULL ? xml_child(n) : xml_sibling(n);
	}
	xml_replace(xml_child(by_hand), xml_copy(mem, root));
	print_again(by_hand, 0, mem);
}

/* Under limits that bite the answer is an error with a reason, or the same tree. */
static void
parse_narrowly(struct slice text, const struct xml_node *whole, struct arena *mem)
{
	const struct xml_limits tight = { .bytes = 30000, .elements = 12, .depth = 4,
		.text_bytes = 40 };
	struct xml_node *root;
	struct err e = ERR_INIT;

	if (xml_parse(text, &tight, mem, &root, &e) == 0) {
		if (whole == NULL || !xml_equal(root, whole))
			abort();
	} else if (e.reason[0] == '\0') {
		abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *mem = arena_new();
	struct xml_node *root;
	struct err e = ERR_INIT;

	if (xml_parse(slice_from(data, n), NULL, mem, &root, &e) == 0) {
		print_again(root, 0, mem);
		print_again(root, XML_DECLARATION | XML_PRETTY, mem);
		canonical_again(root, mem);
		parse_narrowly(slice_from(data, n), root, mem);
		walk(root, mem);
	} else if (e.reason[0] == '\0') {
		abort();
	}
	arena_free(mem);
	return 0;
}
