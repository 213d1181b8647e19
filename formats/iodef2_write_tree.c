/*
 * iodef2_write_tree.c -- elements, labels, and the marks that say which leaf went into which element.
 */
#include <stdarg.h>
#include <stdio.h>

#include "formats/iodef2_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"

/* Behind the last child that the schema puts before it or beside it. Looks from the end: lists of
 * many thousand Indicators grow there. */
static void
insert(struct xml_node *parent, struct xml_node *child)
{
	const struct iodef2_class *class = iodef2_class(parent->name);
	size_t order = iodef_order_in(&iodef2_model, class, child), at;
	struct xml_node *n, *behind = NULL;

	for (n = parent->last; n != NULL; behind = n, n = n->prev) {
		at = xml_is_text(n) ? SIZE_MAX : iodef_order_in(&iodef2_model, class, n);
		if (at == SIZE_MAX || at <= order)
			break;
	}
	if (behind == NULL)
		xml_append(parent, child);
	else
		xml_insert(behind, child);
}

/* A new element where the schema wants it. */
struct xml_node *
iw_el(struct iw *w, struct xml_node *parent, const char *name)
{
	struct xml_node *n = xml_new(w->mem, IODEF2_NS, "", name);

	insert(parent, n);
	return n;
}

struct xml_node *
iw_only(struct iw *w, struct xml_node **known, struct xml_node *parent, const char *name)
{
	if (*known == NULL)
		*known = xml_get(parent, name);
	if (*known == NULL)
		*known = iw_el(w, parent, name);
	return *known;
}

/* As iw_el, for an element of another namespace. */
struct xml_node *
iw_el_ns(struct iw *w, struct xml_node *parent, const char *ns, const char *prefix,
    const char *name)
{
	struct xml_node *n = xml_new(w->mem, ns, prefix, name);

	insert(parent, n);
	return n;
}

struct xml_node *
iw_leaf(struct iw *w, struct xml_node *parent, const char *name, struct slice text)
{
	struct xml_node *n = iw_el(w, parent, name);

	xml_add_text(w->mem, n, text);
	return n;
}

void
iw_set(struct iw *w, struct xml_node *n, const char *name, const char *value)
{
	xml_set(w->mem, n, name, slice_of(value));
}

void
iw_set_word(struct iw *w, struct xml_node *n, const char *name, struct slice value)
{
	if (iodef2_enum_has(n->name, slice_of(name), value) && !slice_is(value, "ext-value")) {
		xml_set(w->mem, n, name, value);
		return;
	}
	iw_set(w, n, name, "ext-value");
	xml_set(w->mem, n, arena_fmt(w->mem, "ext-%s", name), value);
}

struct xml_node *
iw_extra(struct iw *w, struct xml_node *parent, const char *dtype, const char *name,
    struct slice text)
{
	struct xml_node *n = iw_leaf(w, parent, "AdditionalData", text);

	iw_set(w, n, "dtype", dtype);
	iw_set(w, n, "name", name);
	return n;
}

/* Mark an element that had to be made without an object behind it. */
void
iw_generated(struct iw *w, struct xml_node *n, const char *note)
{
	if (!w->job->no_residue)
		iw_extra(w, n, "boolean", IODEF2_RESIDUE_GENERATED, SLICE_LIT("true"));
	loss_add(w->job->loss, LOSS_GENERATED, w->batch == NULL ? xml_path_text(w->mem, n, NULL) :
	    iw_series_path(w, xml_path_text(w->mem, n, NULL)), note);
}

/* "...:60Z" is a time in RFC 3339 and none in XML Schema. */
struct xml_node *
iw_time(struct iw *w, struct xml_node *parent, const char *name, struct slice stamp, bool *exact)
{
	struct slice utc;
	char *text;

	if (!stamp_to_utc(w->mem, stamp, &utc))
		return NULL;
	*exact = slice_eq(utc, stamp);
	if (utc.n > 19 && utc.p[17] == '6') {
		text = arena_str(w->mem, utc);
		text[17] = '5';
		text[18] = '9';
		utc = slice_of(text);
		*exact = false;
	}
	return iw_leaf(w, parent, name, utc);
}

/* Blanks that a reader would change, or characters that XML has not: not exact. */
bool
iw_exact(struct slice s, enum iw_shape shape)
{
	bool was_blank = true;
	uint32_t c;

	if (s.n == 0 || !slice_eq(slice_trim(s), s))
		return false;
	while (s.n > 0) {
		c = utf8_next(&s);
		if (c == '\r' || (c < 0x20 && c != '\n' && c != '\t') || c == 0xfffe || c == 0xffff)
			return false;
		if (shape == IW_LINE && (c == '\n' || c == '\t' || (c == ' ' && was_blank)))
			return false;
		was_blank = c == ' ';
	}
	return true;
}

bool
iw_is_ncname(struct slice s)
{
	size_t i;
	bool letter;

	for (i = 0; i < s.n; i++) {
		letter = (s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
		    s.p[i] == '_';
		if (!letter && (i == 0 || !((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '-' ||
		    s.p[i] == '.')))
			return false;
	}
	return s.n > 0;
}

/* xs:language: runs of at most eight letters or digits, the first of letters. */
bool
iw_is_language(struct slice s)
{
	size_t i, run = 0;
	bool first = true, letter, digit;

	for (i = 0; i < s.n; i++) {
		letter = (s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z';
		digit = s.p[i] >= '0' && s.p[i] <= '9';
		if (s.p[i] == '-' && run > 0) {
			run = 0;
			first = false;
		} else if ((!letter && !(digit && !first)) || ++run > 8) {
			return false;
		}
	}
	return run > 0;
}

/* A scheme, and nothing that xs:anyURI refuses. On the strict side: the rest becomes text. */
bool
iw_is_uri(struct slice s)
{
	static const char ok[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	    "-._~:/?#@!$&'()*+,;=";
	size_t i, hashes = 0, colon = 0;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '%') {
			if (i + 2 >= s.n || ascii_hex(s.p[i + 1]) < 0 || ascii_hex(s.p[i + 2]) < 0)
				return false;
		} else if (strchr(ok, s.p[i]) == NULL || s.p[i] == '\0') {
			return false;
		}
		hashes += s.p[i] == '#';
		if (s.p[i] == ':' && colon == 0)
			colon = i;
	}
	if (hashes > 1 || colon == 0 || colon + 1 >= s.n)
		return false;
	for (i = 0; i < colon; i++)
		if (!((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z') &&
		    (i == 0 || strchr("0123456789+-.", s.p[i]) == NULL))
			return false;
	return true;
}

bool
iw_is_fqdn(struct slice s)
{
	size_t i, dots = 0;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '.')
			dots++;
		else if (!((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'z') &&
		    !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '-')
			return false;
	}
	return s.n > 0 && s.n < 254 && dots > 0 && s.p[0] != '.' && s.p[s.n - 1] != '.';
}

bool
iw_is_email(struct slice s)
{
	const char *at = memchr(s.p, '@', s.n);
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] == ' ' || s.p[i] == '<' || s.p[i] == ',' || s.p[i] == '/')
			return false;
	return at != NULL && at > s.p && at + 1 < s.p + s.n &&
	    memchr(at + 1, '@', (size_t)(s.p + s.n - at - 1)) == NULL;
}

void
iw_claim(struct iw *w, struct iw_obj *ob, struct xml_node *node)
{
	if (node == NULL)
		return;
	ob->nodes = arena_grow(w->mem, ob->nodes, ob->nnodes, &ob->nodes_cap,
	    sizeof(struct xml_node *));
	ob->nodes[ob->nnodes++] = node;
	ob->done = true;
}

/* `path` is kept as it is: a literal, or text in the arena. The last mark of a path counts. */
void
iw_mark(struct iw *w, struct iw_obj *ob, enum loss_kind kind, const char *path)
{
	if (w->job->loss == NULL)
		return;
	ob->marks = arena_grow(w->mem, ob->marks, ob->nmarks, &ob->marks_cap, sizeof(*ob->marks));
	ob->marks[ob->nmarks++] = (struct iw_mark){ path, kind };
}

void
iw_markf(struct iw *w, struct iw_obj *ob, enum loss_kind kind, const char *fmt, ...)
{
	char buf[256];
	va_list ap;

	if (w->job->loss == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	iw_mark(w, ob, kind, arena_str(w->mem, slice_of(buf)));
}

void
iw_mark_kind(struct iw *w, struct iw_obj *ob, bool id)
{
	iw_mark(w, ob, LOSS_KEPT, "type");
	iw_mark(w, ob, LOSS_KEPT, "spec_version");
	if (id)
		iw_mark(w, ob, LOSS_KEPT, "id");
	if (ob->o->label == LABEL_TLP && (ob->o->flags & OBJECT_GRANULAR) == 0)
		iw_mark(w, ob, json_count(json_get(ob->o->tree, "object_marking_refs")) == 1 ?
		    LOSS_KEPT : LOSS_APPROXIMATED, "object_marking_refs");
}

struct xml_node *
iw_prop(struct iw *w, struct iw_obj *ob, struct xml_node *parent, const char *name,
    const char *prop, enum iw_shape shape)
{
	struct slice s = json_member(ob->o->tree, prop);

	if (slice_trim(s).n == 0)
		return NULL;
	iw_mark(w, ob, iw_exact(s, shape) ? LOSS_KEPT : LOSS_APPROXIMATED, prop);
	return iw_leaf(w, parent, name, s);
}

struct xml_node *
iw_prop_time(struct iw *w, struct iw_obj *ob, struct xml_node *parent, const char *name,
    const char *prop)
{
	struct slice s = json_member(ob->o->tree, prop);
	struct xml_node *n;
	bool exact;

	if (s.n == 0 || (n = iw_time(w, parent, name, s, &exact)) == NULL)
		return NULL;
	iw_mark(w, ob, exact ? LOSS_KEPT : LOSS_APPROXIMATED, prop);
	return n;
}

/* The same property in other languages, as siblings that share a translation-id. */
static void
add_translations(struct iw *w, struct iw_obj *ob, struct xml_node *first, const char *prop,
    bool claim)
{
	const struct iw_ref *rows;
	struct xml_node *n;
	json *lang;
	size_t i, nrows;

	rows = iw_rows(&w->by_language, ob->o->id, &nrows);
	for (i = 0; i < nrows; i++) {
		if (!iw_label_covers(iw_label(ob->o), iw_label(rows[i].obj->o)))
			continue;
		lang = json_first(json_get(rows[i].obj->o->tree, "contents"));
		for (; lang != NULL; lang = json_next(lang)) {
			struct slice s = json_member(lang, prop);

			if (slice_trim(s).n == 0 || !iw_is_language(slice_of(json_name(lang))))
				continue;
			if (xml_attr(first, "translation-id") == NULL)
				iw_set(w, first, "translation-id", prop);
			n = iw_leaf(w, first->parent, "Description", s);
			iw_set(w, n, "translation-id", prop);
			iw_set(w, n, "xml:lang", json_name(lang));
			iw_markf(w, rows[i].obj, iw_exact(s, IW_TEXT) ? LOSS_KEPT :
			    LOSS_APPROXIMATED, "contents.%s.%s", json_name(lang), prop);
			if (claim)
				iw_claim(w, rows[i].obj, n);
		}
	}
}

void
iw_descriptions(struct iw *w, struct iw_obj *ob, struct xml_node *parent, bool claim)
{
	static const char *const props[] = { "name", "description", NULL };
	struct slice lang = json_member(ob->o->tree, "lang");
	struct xml_node *n;
	size_t i;

	for (i = 0; props[i] != NULL; i++) {
		n = iw_prop(w, ob, parent, "Description", props[i], IW_TEXT);
		if (n == NULL)
			continue;
		if (iw_is_language(lang)) {
			xml_set(w->mem, n, "xml:lang", lang);
			iw_mark(w, ob, LOSS_KEPT, "lang");
		}
		if (claim)
			iw_claim(w, ob, n);
		add_translations(w, ob, n, props[i], claim);
	}
}

/* What an object's label counts as: one that nobody can read is RED. */
enum tlp
iw_label(const struct object *o)
{
	return object_level(o);
}

/* No label is what policy calls unmarked, shipped as amber: stricter than GREEN, laxer than AMBER. */
static int
rank(enum tlp t)
{
	static const int ranks[TLP_LEVELS] = {
		[TLP_CLEAR] = 1, [TLP_GREEN] = 2, [TLP_UNSET] = 3, [TLP_AMBER] = 4,
		[TLP_AMBER_STRICT] = 5, [TLP_RED] = 6
	};

	return ranks[t];
}

enum tlp
iw_label_join(enum tlp a, enum tlp b)
{
	return tlp_join(a, b);
}

bool
iw_label_covers(enum tlp around, enum tlp inner)
{
	return rank(around) >= rank(inner);
}

/* n stands in an Incident that says nothing: RFC 7970 makes that private. */
static bool
is_in_silent_incident(const struct xml_node *n)
{
	while (n != NULL && !xml_is(n, IODEF2_NS, "Incident"))
		n = n->parent;
	return n != NULL && xml_value(n, "restriction").n == 0;
}

static const struct xml_node *
labelled_ancestor(const struct xml_node *n)
{
	while (n != NULL && xml_value(n, "restriction").n == 0)
		n = n->parent;
	return n;
}

enum tlp
iw_label_at(const struct xml_node *n)
{
	enum label_case label;
	bool silent = is_in_silent_incident(n);

	n = labelled_ancestor(n);
	if (n == NULL)
		return silent ? TLP_RED : TLP_UNSET;
	return iodef2_restriction_read(xml_value(n, "restriction"),
	    xml_value(n, "ext-restriction"), false, &label);
}

/* An unlabelled object in a RED surrounding inherits: `default` would look like a release. */
void
iw_restrict(struct iw *w, struct xml_node *n, enum tlp label)
{
	const struct xml_node *from = labelled_ancestor(n->parent);
	enum tlp around = iw_label_at(n->parent);

	if (from != NULL && (around == label || (label == TLP_UNSET && around == TLP_RED)))
		return;
	iw_set(w, n, "restriction", iodef2_restriction_word(label));
}
