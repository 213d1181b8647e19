/* iodef2_texts.c -- the Descriptions of an element as name, description and translations. */
#include <string.h>

#include "formats/iodef2_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

enum { NAME_MAX_CHARS = 120 };

struct slice
ir_cut(struct ir *r, struct slice line, size_t max)
{
	size_t chars = 0, i = 0, word = 0;

	while (i < line.n && chars < max) {
		if (line.p[i] == ' ')
			word = i;
		i++;
		while (i < line.n && ((unsigned char)line.p[i] & 0xC0) == 0x80)
			i++;
		chars++;
	}
	if (i == line.n)
		return line;
	if (line.p[i] == ' ')
		word = i;
	return arena_slice(r->mem, slice_from(line.p, word > 0 ? word : i));
}

/* The language of a text: its own xml:lang or that of the Incident. */
static struct slice
lang_of(struct ir_incident *inc, struct xml_node *n)
{
	struct xml_attr *a = xml_attr(n, "xml:lang");

	return a != NULL ? slice_trim(a->value) : inc->lang;
}

/* Translations of the name and description of ob become one language-content. */
static void
translate(struct ir *r, struct ir_incident *inc, struct ir_obj *ob, json *contents,
    struct xml_node *n, bool first)
{
	struct slice lang = lang_of(inc, n), text = ir_text(r, n);
	const char *key = arena_str(r->mem, lang);
	json *entry = json_get(contents, key);

	xml_attr(n, "xml:lang")->mark = XML_KEPT;
	ir_attr(n, "translation-id");
	if (entry == NULL)
		entry = json_put(r->mem, contents, key, json_object(r->mem));
	if (first && json_get(entry, "name") == NULL && json_get(ob->tree, "name") != NULL)
		json_put_str(r->mem, entry, "name",
		    ir_cut(r, xml_collapse(text, r->mem), NAME_MAX_CHARS));
	if (json_get(ob->tree, "description") != NULL && json_get(entry, "description") == NULL)
		json_put_str(r->mem, entry, "description", text);
}

/* Gather the Descriptions in the language of the Incident into *text; returns the first of them. */
static struct xml_node *
main_texts(struct ir *r, struct ir_incident *inc, struct xml_node *n, struct strbuf *text)
{
	struct xml_node *first = NULL;

	for (struct xml_node *d = xml_get(n, "Description"); d != NULL; d = xml_more(d)) {
		struct xml_attr *lang = xml_attr(d, "xml:lang");

		if (!slice_eq(lang_of(inc, d), inc->lang) && xml_attr(d, "translation-id") != NULL)
			continue;
		if (lang != NULL && slice_eq(lang_of(inc, d), inc->lang))
			lang->mark = XML_KEPT;
		if (text->n > 0)
			strbuf_adds(text, "\n\n");
		strbuf_addsl(text, ir_text(r, d));
		first = first == NULL ? d : first;
	}
	return first;
}

static void
add_translations(struct ir *r, struct ir_incident *inc, struct ir_obj *ob, struct xml_node *n,
    struct xml_node *first)
{
	json *contents = json_object(r->mem);
	struct ir_obj *lc;

	for (struct xml_node *d = xml_get(n, "Description"); d != NULL; d = xml_more(d)) {
		struct slice lang = lang_of(inc, d);

		if (slice_eq(lang, inc->lang) || lang.n < 2 || xml_attr(d, "translation-id") == NULL ||
		    xml_attr(d, "xml:lang") == NULL)
			continue;
		translate(r, inc, ob, contents, d, first != NULL &&
		    slice_eq(xml_value(d, "translation-id"), xml_value(first, "translation-id")));
	}
	if (json_first(contents) == NULL)
		return;
	ir_attr(first, "translation-id");
	lc = ir_new(r, inc, "language-content", IR_UUID(r, "lang", ob->id), NULL, NULL);
	json_put_str(r->mem, lc->tree, "object_ref", ob->id);
	json_put_str(r->mem, lc->tree, "object_modified", json_member(ob->tree, "modified"));
	json_put(r->mem, lc->tree, "contents", contents);
	lc->label = ob->label;
}

struct slice
ir_texts(struct ir *r, struct ir_incident *inc, struct xml_node *n)
{
	struct strbuf text = STRBUF_INIT;
	struct slice all;

	main_texts(r, inc, n, &text);
	all = arena_slice(r->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return all;
}

void
ir_describe(struct ir *r, struct ir_incident *inc, struct ir_obj *ob, struct xml_node *n,
    struct slice fallback)
{
	struct strbuf text = STRBUF_INIT;
	struct xml_node *first = main_texts(r, inc, n, &text);
	struct slice all = arena_slice(r->mem, strbuf_slice(&text)), name = SLICE_EMPTY;

	strbuf_fini(&text);
	if (first != NULL)
		name = ir_cut(r, xml_text_line(first, r->mem), NAME_MAX_CHARS);
	if (name.n == 0)
		name = fallback;
	if (json_get(ob->tree, "name") == NULL && name.n > 0)
		json_put_str(r->mem, ob->tree, "name", name);
	if (all.n > 0)
		json_put_str(r->mem, ob->tree, "description", all);
	if (first != NULL)
		add_translations(r, inc, ob, n, first);
}
