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
	} else if (e.reason[0] == '\0') {
		abort();
	}
	arena_free(mem);
	return 0;
}
