/* stix20_sco.c -- see stix20.h: one observable in the words of the other version. */
#include "formats/stix20.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

/* ---- both ---- */

/* Give members their other names, where those are free. */
static void
rename_members(struct arena *mem, json *o, struct slice type, bool up)
{
	for (json *m = json_first(o); m != NULL; m = json_next(m)) {
		const char *other = stix20_renamed(type, json_name(m), up);

		if (other != NULL && json_get(o, other) == NULL)
			json_rename(mem, m, other);
	}
}

/* One spelling for the name of a hash, at any depth. */
static void
hash_names(struct arena *mem, json *node, const char *from, const char *to)
{
	for (json *m = json_first(node); m != NULL; m = json_next(m)) {
		json *old = json_name(m) != NULL && strcmp(json_name(m), "hashes") == 0 ?
		    json_get(m, from) : NULL;

		if (old != NULL && json_get(m, to) == NULL)
			json_rename(mem, old, to);
		else if (json_first(m) != NULL)
			hash_names(mem, m, from, to);
	}
}

/* ---- up ---- */

/* A text where 2.1 has a list of texts. */
static void
lists_up(struct arena *mem, json *dictionary)
{
	for (json *m = json_first(dictionary), *next; m != NULL; m = next) {
		json *list;

		next = json_next(m);
		if (!json_is_string(m) || json_name(m) == NULL)
			continue;
		list = json_list(mem);
		json_push(list, json_copy(mem, m));
		json_put(mem, dictionary, json_name(m), list);
	}
}

/* Make a command line of arguments, for a process that has none. */
static void
arguments_up(struct arena *mem, json *o)
{
	const json *list = json_get(o, "arguments");
	struct strbuf line = STRBUF_INIT;

	if (json_get(o, "command_line") != NULL || !json_is_list(list))
		return;
	strbuf_addsl(&line, json_member(o, "name"));
	for (const json *m = json_first(list); m != NULL; m = json_next(m)) {
		struct slice s = json_slice(m);
		bool quote = s.n == 0 || memchr(s.p, ' ', s.n) != NULL;

		strbuf_adds(&line, line.n > 0 ? " " : "");
		strbuf_adds(&line, quote ? "\"" : "");
		strbuf_addsl(&line, s);
		strbuf_adds(&line, quote ? "\"" : "");
	}
	if (line.n > 0)
		json_append(mem, o, "command_line", json_string(mem, strbuf_slice(&line)));
	strbuf_fini(&line);
}

static void
drop_gone(json *o, struct slice type, const char *ext)
{
	for (json *m = json_first(o), *next; m != NULL; m = next) {
		next = json_next(m);
		if (stix20_is_gone(type, ext, json_name(m)))
			json_detach(o, m);
	}
}

static void
extensions_up(struct arena *mem, json *o, struct slice type)
{
	json *all = json_get(o, "extensions");

	if (!json_is_object(all))
		return;
	for (json *m = json_first(all); m != NULL; m = json_next(m)) {
		if (!json_is_object(m))
			continue;
		drop_gone(m, type, json_name(m));
		if (strcmp(json_name(m), "http-request-ext") == 0 &&
		    json_is_object(json_get(m, "request_header")))
			lists_up(mem, json_get(m, "request_header"));
	}
}

/* Give x_tocsin_NAME its name back. */
static void
names_up(struct arena *mem, json *o, struct slice type)
{
	const size_t n = sizeof(STIX20_PREFIX) - 1;

	for (json *m = json_first(o); m != NULL; m = json_next(m)) {
		const char *name = json_name(m);

		if (slice_starts(slice_of(name), STIX20_PREFIX) && stix20_is_new(type, name + n) &&
		    json_get(o, name + n) == NULL)
			json_rename(mem, m, name + n);
	}
}

json *
stix20_sco_up(struct arena *mem, const json *from)
{
	json *copy = json_copy(mem, from), *o = json_object(mem), *word = json_get(copy, "type");
	struct slice type = json_member(copy, "type");

	json_detach(copy, word);
	json_adopt(o, word);
	json_append(mem, o, "spec_version", json_string(mem, SLICE_LIT("2.1")));
	json_remove(copy, "spec_version");
	stix20_move_members(o, copy);
	if (slice_is(type, "process"))
		arguments_up(mem, o);
	drop_gone(o, type, NULL);
	rename_members(mem, o, type, true);
	names_up(mem, o, type);
	hash_names(mem, o, "ssdeep", "SSDEEP");
	if (json_is_object(json_get(o, "additional_header_fields")))
		lists_up(mem, json_get(o, "additional_header_fields"));
	extensions_up(mem, o, type);
	return o;
}

/* ---- down ---- */

/* A text where 2.1 has a list of texts. */
static void
lists_down(struct arena *mem, json *dictionary)
{
	for (json *m = json_first(dictionary), *next; m != NULL; m = next) {
		struct strbuf text = STRBUF_INIT;

		next = json_next(m);
		if (!json_is_list(m) || json_first(m) == NULL)
			continue;
		for (const json *x = json_first(m); x != NULL; x = json_next(x)) {
			strbuf_adds(&text, x == json_first(m) ? "" : ", ");
			strbuf_addsl(&text, json_slice(x));
		}
		json_put(mem, dictionary, json_name(m), json_string(mem, strbuf_slice(&text)));
		strbuf_fini(&text);
	}
}

static void
names_down(struct arena *mem, json *o, struct slice type)
{
	for (json *m = json_first(o); m != NULL; m = json_next(m))
		if (strcmp(json_name(m), "extensions") != 0 && stix20_is_new(type, json_name(m)))
			json_rename(mem, m, arena_fmt(mem, STIX20_PREFIX "%s", json_name(m)));
}

json *
stix20_sco_down(struct arena *mem, const json *from)
{
	static const char *const own[] = { "id", "spec_version", "object_marking_refs",
	    "granular_markings" };
	json *o = json_copy(mem, from), *header;
	struct slice type = json_member(o, "type");

	for (size_t i = 0; i < COUNTOF(own); i++)
		json_remove(o, own[i]);
	rename_members(mem, o, type, false);
	names_down(mem, o, type);
	hash_names(mem, o, "SSDEEP", "ssdeep");
	header = json_get(json_get(json_get(o, "extensions"), "http-request-ext"), "request_header");
	if (json_is_object(header))
		lists_down(mem, header);
	for (const struct stix20_need *n = stix20_needs; n->type != NULL; n++)
		if (slice_is(type, n->type) && json_get(o, n->name) == NULL)
			json_append(mem, o, n->name, json_string(mem, slice_of(n->text)));
	return o;
}
