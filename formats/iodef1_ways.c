/* iodef1_ways.c -- whole documents from v1 to v2 and back (see iodef1.h). */
#include <string.h>

#include "formats/iodef1.h"
#include "gateway/base/arena.h"

static const struct iodef_way up = {
	&iodef1_model, &iodef2_model, iodef1_native_up, iodef1_native_down, IODEF1_CARRIED_V2,
	IODEF1_CARRIED_V1, iodef1_parts,
};
static const struct iodef_way down = {
	&iodef2_model, &iodef1_model, iodef1_native_down, iodef1_native_up, IODEF1_CARRIED_V1,
	IODEF1_CARRIED_V2, iodef1_parts,
};

/* v1 has no AdditionalData in the document: to the first Incident with it. */
static void
sink_document_data(struct arena *mem, struct xml_node *doc)
{
	struct xml_node *incident = xml_get(doc, "Incident"), *next;

	for (struct xml_node *n = xml_get(doc, "AdditionalData"); n != NULL; n = next) {
		struct slice meaning = xml_value(n, "meaning");
		struct iodef1_meaning m = iodef1_meaning_read(meaning);
		const char *bracket = "[@document]", *blank = meaning.n > 0 ? " " : "";

		next = xml_more(n);
		xml_detach(n);
		if (incident == NULL)
			continue;
		if (m.rest.n < meaning.n) {	/* into the brackets that are there */
			size_t end = (size_t)((const char *)memchr(meaning.p, ']', meaning.n) - meaning.p);

			bracket = arena_fmt(mem, "%.*s%s@document]", (int)end, meaning.p,
			    end > 1 ? " " : "");
			meaning = m.rest;
			blank = meaning.n > 0 ? " " : "";
		}
		xml_set(mem, n, "meaning", slice_of(arena_fmt(mem, "%s%s%.*s", bracket, blank,
		    SLICE_ARG(meaning))));
		xml_append(incident, n);
	}
}

/* See iodef1.h. */
struct xml_node *
iodef1_up(struct arena *mem, const struct xml_node *v1)
{
	struct xml_node *doc = iodef_carry(&up, mem, v1);

	xml_declare(mem, doc, "", IODEF2_NS);
	return doc;
}

/* See iodef1.h. */
struct xml_node *
iodef1_down(struct arena *mem, const struct xml_node *v2)
{
	struct xml_node *doc = iodef_carry(&down, mem, v2);

	sink_document_data(mem, doc);
	xml_declare(mem, doc, "", IODEF1_NS);
	return doc;
}
