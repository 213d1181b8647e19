/* iodef_json_read.c -- JSON (RFC 8727) as trees of IODEF v2, natively: one value, one element. */
#include <string.h>

#include "formats/iodef_json.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

typedef struct iodef_json_reader reader;
typedef const struct iodef_json_place place;

static void	fill(reader *r, struct xml_node *x, place *at);

static place *
below(reader *r, place *up, const char *name, size_t index, const json *node)
{
	struct iodef_json_place *p = arena_alloc(r->mem, sizeof(*p));

	*p = (struct iodef_json_place){ up, name, index, node };
	return p;
}

static void
remark(reader *r, place *at, const char *code, const char *reason, bool bad)
{
	if (r->remark != NULL)
		r->remark(r, at, code, reason, bad);
}

static void
note(reader *r, const json *node, enum loss_kind kind, const char *text)
{
	if (r->ledger != NULL)
		ledger_mark(r->ledger, node, kind, text);
}

/* ---- texts ------------------------------------------------------------------------------------ */

/* Length of a character at s.p[i] that XML cannot hold, else 0. */
static size_t
forbidden_at(struct slice s, size_t i)
{
	unsigned char c = (unsigned char)s.p[i];

	if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
		return 1;
	return c == 0xEF && i + 2 < s.n && (unsigned char)s.p[i + 1] == 0xBF &&
	    (unsigned char)s.p[i + 2] >= 0xBE ? 3 : 0;
}

static struct slice
clean(reader *r, place *at, struct slice s)
{
	struct strbuf b = STRBUF_INIT;
	struct slice out = s;
	size_t bad = 0, n;

	for (size_t i = 0; i < s.n; i++)
		bad += forbidden_at(s, i) > 0 ? 1 : 0;
	if (bad == 0)
		return s;
	remark(r, at, "CONTROL_CHARACTER", "a character that XML cannot hold becomes U+FFFD", false);
	for (size_t i = 0; i < s.n; i += n > 0 ? n : 1) {
		n = forbidden_at(s, i);
		if (n > 0)
			strbuf_adds(&b, "\xEF\xBF\xBD");
		else
			strbuf_addc(&b, s.p[i]);
	}
	out = arena_slice(r->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return out;
}

/* A scalar as text; false, and a remark, if it is none. */
static bool
scalar(reader *r, place *at, struct slice *out)
{
	const json *v = at->node;

	if (json_is_string(v))
		*out = clean(r, at, json_slice(v));
	else if (json_is_number(v))
		*out = json_number_text(r->mem, v);
	else if (json_is_bool(v))
		*out = json_bool(v) ? SLICE_LIT("true") : SLICE_LIT("false");
	else {
		remark(r, at, "BAD_TYPE", "this must be a text or a number", true);
		note(r, v, LOSS_DROPPED, "not of the right type");
		return false;
	}
	return true;
}

static void
add_text(reader *r, struct xml_node *x, place *at)
{
	struct slice s;

	if (scalar(r, at, &s) && s.n > 0)
		xml_add_text(r->mem, x, s)->made_of = at->node;
	else if (x->made_of == NULL)
		x->made_of = at;
}

static void
set_attr(reader *r, struct xml_node *x, const char *name, place *at)
{
	struct slice s;

	if (!scalar(r, at, &s))
		return;
	xml_set(r->mem, x, name, s);
	xml_attr(x, name)->made_of = at->node;
}

/* ---- bytes ------------------------------------------------------------------------------------ */

/* The XML element of that name which is in the base64 text, NULL if that is something else. */
static struct xml_node *
xml_in_base64(reader *r, struct slice s, const char *ns, const char *name)
{
	struct strbuf b = STRBUF_INIT;
	struct xml_node *n = NULL;

	if (!base64_decode(s, true, &b) || b.n == 0 || b.p[0] != '<' ||
	    xml_parse(strbuf_slice(&b), NULL, r->mem, &n, NULL) < 0 || !xml_is(n, ns, name))
		n = NULL;
	strbuf_fini(&b);
	return n;
}

/* Take over what is in n. */
static void
move_content(struct xml_node *x, struct xml_node *n)
{
	struct xml_node *next;

	x->attrs = n->attrs;
	x->decls = n->decls;
	x->prefix = n->prefix;
	for (struct xml_node *k = n->first; k != NULL; k = next) {
		next = k->next;
		xml_detach(k);
		xml_append(x, k);
	}
}

/* X509Data, Signature and RawData as bytes. */
static void
fill_bytes(reader *r, struct xml_node *x, place *at)
{
	struct xml_node *n;
	struct slice s;

	if (!scalar(r, at, &s))
		return;
	n = xml_in_base64(r, s, x->ns.p, x->name.p);
	note(r, at->node, LOSS_KEPT, NULL);
	if (n != NULL)
		move_content(x, n);
	else if (slice_is(x->name, "X509Data"))
		xml_add_leaf(r->mem, x, "X509Certificate", s)->made_of = at;
	else
		xml_add_text(r->mem, x, s)->made_of = at->node;
}

/* The URI of an algorithm, or, as the letter of RFC 8727 has it, its base64. */
static void
fill_algorithm(reader *r, struct xml_node *x, place *at)
{
	struct strbuf b = STRBUF_INIT;
	struct slice s;

	if (!scalar(r, at, &s))
		return;
	if (memchr(s.p, ':', s.n) == NULL && base64_decode(s, true, &b) && b.n > 0 &&
	    memchr(b.p, ':', b.n) != NULL)
		s = clean(r, at, arena_slice(r->mem, strbuf_slice(&b)));
	xml_set(r->mem, x, "Algorithm", s);
	xml_attr(x, "Algorithm")->made_of = at->node;
	strbuf_fini(&b);
}

/* ---- elements --------------------------------------------------------------------------------- */

/* A new last child; of `ns` NULL: IODEF. */
static struct xml_node *
add(reader *r, struct xml_node *parent, const char *ns, const char *name, place *at)
{
	const char *prefix = "";
	struct xml_node *x;

	if (ns != NULL && strcmp(ns, IODEF2_NS_DS) == 0)
		prefix = "ds";
	else if (ns != NULL && strcmp(ns, IODEF2_NS_ENUM) == 0)
		prefix = "enum";
	else if (ns != NULL && strcmp(ns, IODEF2_NS_SCI) == 0)
		prefix = "sci";
	x = xml_new(r->mem, ns != NULL ? ns : IODEF2_NS, prefix, name);
	x->made_of = at;
	if (parent != NULL)
		xml_append(parent, x);
	return x;
}

/* One value as an element below parent. */
static void
add_value(reader *r, struct xml_node *parent, const char *ns, const char *name, place *at)
{
	const json *n = r->places ? json_get(at->node, IODEF_JSON_PLACE) : NULL;
	struct xml_node *x;

	if (n != NULL) {
		x = add(r, parent, IODEF1_NS_PART, IODEF1_PART, at);
		xml_set(r->mem, x, "of", slice_of(name));
		xml_set(r->mem, x, "n", json_slice(n));
		return;
	}
	fill(r, add(r, parent, ns, name, at), at);
}

/* All values of a member: a list, or, where the sender forgot it, one. */
static void
add_values(reader *r, struct xml_node *parent, const char *ns, const char *name, bool list, place *at)
{
	size_t i = 0;

	if (json_is_list(at->node) != list)
		remark(r, at, "BAD_TYPE", list ? "a list was to be here" : "no list was to be here", true);
	if (!json_is_list(at->node)) {
		add_value(r, parent, ns, name, at);
		return;
	}
	for (json *v = json_first(at->node); v != NULL; v = json_next(v))
		add_value(r, parent, ns, name, below(r, at, NULL, i++, v));
}

/* "value" and the language of a text: a bare string is English. */
static void
fill_ml(reader *r, struct xml_node *x, place *at)
{
	static const char *const names[][2] = { { "lang", "xml:lang" }, { "translation-id", NULL } };

	if (!json_is_object(at->node)) {
		add_text(r, x, at);
		if (!iodef_json_is_english(x->parent))
			xml_set(r->mem, x, "xml:lang", SLICE_LIT("en"));
		return;
	}
	for (size_t i = 0; i < COUNTOF(names); i++) {
		json *m = json_get(at->node, names[i][0]);

		if (m != NULL)
			set_attr(r, x, names[i][1] != NULL ? names[i][1] : names[i][0],
			    below(r, at, names[i][0], 0, m));
	}
	if (json_get(at->node, "value") != NULL)
		add_text(r, x, below(r, at, "value", 0, json_get(at->node, "value")));
}

/* The text of dtype xml as elements, if it is the text that we would write for them. */
static bool
fill_xml(reader *r, struct xml_node *x, struct slice text)
{
	struct strbuf b = STRBUF_INIT, again = STRBUF_INIT;
	struct xml_limits lim = { .depth = 60 };
	struct xml_node *n;
	bool same;

	strbuf_adds(&b, "<x>");
	strbuf_addsl(&b, text);
	strbuf_adds(&b, "</x>");
	same = xml_parse(strbuf_slice(&b), &lim, r->mem, &n, NULL) == 0 && xml_child(n) != NULL;
	if (same) {
		xml_print(&again, n, 0);
		same = slice_eq(strbuf_slice(&again), strbuf_slice(&b));
	}
	strbuf_fini(&b);
	strbuf_fini(&again);
	for (struct xml_node *k = same ? n->first : NULL, *next; k != NULL; k = next) {
		next = k->next;
		xml_detach(k);
		xml_append(x, k);
	}
	return same;
}

/* The text of an element that has attributes too. */
static void
fill_text(reader *r, struct xml_node *x, const struct iodef2_class *class, place *at)
{
	const char *name = iodef_json_text(x->name);
	json *m = name == NULL ? NULL : json_get(at->node, name);
	place *there = below(r, at, name, 0, m);
	struct slice s;
	double v;

	if (class->children != NULL || m == NULL)
		return;
	if (slice_is(x->name, "Confidence") && !slice_is(xml_value(x, "rating"), "numeric") &&
	    json_double(m, &v) && v == 0) {
		note(r, m, LOSS_KEPT, "said by the rating");
		return;
	}
	if (class->content == IODEF2_EXTENSION && slice_is(xml_value(x, "dtype"), "xml") &&
	    !slice_starts(xml_value(x, "name"), "iodef-") && json_is_string(m) &&
	    scalar(r, there, &s) && fill_xml(r, x, s)) {
		note(r, m, LOSS_MOVED, "in the iodef extension");
		return;
	}
	add_text(r, x, there);
	if (class->content == IODEF2_EXTENSION && slice_is(xml_value(x, "dtype"), "json") &&
	    slice_starts(xml_value(x, "name"), "stix-object"))
		xml_set(r->mem, x, "dtype", SLICE_LIT("string"));
}

/* AttackPattern, Vulnerability, Weakness, and what is in them. */
static void
fill_sci(reader *r, struct xml_node *x, place *at)
{
	static const struct {
		const char	*name, *ns;
	} rows[] = {
		{ "RawData", IODEF2_NS_SCI }, { "Reference", NULL }, { "Platform", IODEF2_NS_SCI },
		{ "Scoring", IODEF2_NS_SCI },
	};

	if (!json_is_object(at->node)) {
		fill_bytes(r, x, at);
		return;
	}
	for (json *m = json_first(at->node); m != NULL; m = json_next(m)) {
		bool id = strcmp(json_name(m), "ContentID") == 0;

		if (json_is_string(m) && strcmp(json_name(m), "RawData") != 0)
			set_attr(r, x, id ? arena_fmt(r->mem, "%sID", x->name.p) : json_name(m),
			    below(r, at, json_name(m), 0, m));
	}
	for (size_t i = 0; i < COUNTOF(rows); i++) {
		json *m = json_get(at->node, rows[i].name);

		if (m != NULL)
			add_values(r, x, rows[i].ns, rows[i].name, true, below(r, at, rows[i].name, 0, m));
	}
}

/* ---- objects ---------------------------------------------------------------------------------- */

static const char *const impacts[] = {
	"SystemImpact", "BusinessImpact", "TimeImpact", "MonetaryImpact", "IntendedImpact",
};

static bool
is_impact(const char *name)
{
	for (size_t i = 0; i < COUNTOF(impacts); i++) {
		if (strcmp(name, impacts[i]) == 0)
			return true;
	}
	return false;
}

/* {"SystemImpact": {...}} in the order of the list. */
static void
add_impacts(reader *r, struct xml_node *x, place *at)
{
	json *list = json_get(at->node, "Impact");
	place *where = below(r, at, "Impact", 0, list);
	size_t i = 0;

	for (json *v = json_is_list(list) ? json_first(list) : list; v != NULL;
	    v = json_is_list(list) ? json_next(v) : NULL) {
		place *there = json_is_list(list) ? below(r, where, NULL, i++, v) : where;

		for (json *m = json_is_object(v) ? json_first(v) : NULL; m != NULL; m = json_next(m)) {
			if (is_impact(json_name(m)))
				add_value(r, x, NULL, json_name(m),
				    below(r, there, json_name(m), 0, m));
			else
				remark(r, there, "UNKNOWN_MEMBER", "no kind of impact", true);
		}
	}
}

/* Wrappers of XML that JSON has not: their name, the member, and what is inside. */
static const struct {
	const char	*wrapper, *member, *inner, *ns;
} wrappers[] = {
	{ "Flow", "System", "System", NULL }, { "Record", "RecordData", "RecordData", NULL },
	{ "IndicatorData", "Indicator", "Indicator", NULL },
	{ "ApplicationHeader", "ApplicationHeaderField", "ApplicationHeaderField", NULL },
	{ "SignatureData", "Signature", "Signature", IODEF2_NS_DS },
};

static bool
add_wrapped(reader *r, struct xml_node *x, const char *name, place *at)
{
	for (size_t i = 0; i < COUNTOF(wrappers); i++) {
		json *m = json_get(at->node, wrappers[i].member);
		place *there;

		if (strcmp(name, wrappers[i].wrapper) != 0)
			continue;
		there = below(r, at, wrappers[i].member, 0, m);
		if (m != NULL)
			add_values(r, add(r, x, NULL, name, there), wrappers[i].ns, wrappers[i].inner,
			    true, there);
		return true;
	}
	return false;
}

/* "uid-ref" of an Indicator, or a list of them in an IndicatorExpression. */
static void
add_references(reader *r, struct xml_node *x, place *at)
{
	json *m = json_get(at->node, "uid-ref");
	bool many = json_is_list(m);
	place *there = below(r, at, "uid-ref", 0, m);
	size_t i = 0;

	for (json *v = many ? json_first(m) : m; v != NULL; v = many ? json_next(v) : NULL) {
		place *one = many ? below(r, there, NULL, i++, v) : there;

		set_attr(r, add(r, x, NULL, "ObservableReference", one), "uid-ref", one);
	}
}

static void
add_child(reader *r, struct xml_node *x, const struct iodef2_child *row, place *at)
{
	const char *name = iodef_json_member(x->name, row->name);
	json *m;

	if (slice_is(x->name, "Key") && strcmp(row->name, "KeyValue") == 0)
		return;		/* is Value in XML */
	if (add_wrapped(r, x, row->name, at))
		return;
	if (strcmp(row->name, "ObservableReference") == 0) {
		add_references(r, x, at);
		return;
	}
	if (slice_is(x->name, "Assessment") && strcmp(row->name, impacts[0]) == 0)
		add_impacts(r, x, at);
	m = json_get(at->node, name);
	if (m == NULL)
		m = json_get(at->node, name = row->name);
	if (m != NULL)
		add_values(r, x, row->ns, row->name, row->max == 0, below(r, at, name, 0, m));
}

/* Is that a member that some row takes? */
static bool
is_known(const struct xml_node *x, const struct iodef2_class *class, const char *name)
{
	const char *text = iodef_json_text(x->name);

	if (iodef2_attr_known(class, slice_of(name)) || (strcmp(name, "lang") == 0 &&
	    iodef2_attr_known(class, SLICE_LIT("xml:lang"))))
		return true;
	if (class->children == NULL)
		return text != NULL && strcmp(name, text) == 0;
	if (slice_is(x->name, "Assessment") && strcmp(name, "Impact") == 0)
		return true;
	for (const struct iodef2_child *c = class->children; c->name != NULL; c++) {
		bool reference = strcmp(c->name, "ObservableReference") == 0, wrapped = false;

		for (size_t i = 0; i < COUNTOF(wrappers); i++) {
			wrapped |= strcmp(c->name, wrappers[i].wrapper) == 0;
			if (strcmp(c->name, wrappers[i].wrapper) == 0 &&
			    strcmp(name, wrappers[i].member) == 0)
				return true;
		}
		if (reference ? strcmp(name, "uid-ref") == 0 : !wrapped &&
		    (strcmp(name, c->name) == 0 ||
		    strcmp(name, iodef_json_member(x->name, c->name)) == 0))
			return true;
	}
	return false;
}

static bool
may_hold_data(const struct xml_node *x, const struct iodef2_class *class)
{
	for (const struct iodef2_child *c = class->children; c != NULL && c->name != NULL; c++) {
		if (strcmp(c->name, "AdditionalData") == 0)
			return !class->choice && !slice_is(x->name, "Observable");
	}
	return false;
}

/* Members that IODEF does not know travel as AdditionalData; where that cannot be, or there are too
 * many, they are dropped. */
static void
keep_unknown(reader *r, struct xml_node *x, const struct iodef2_class *class, place *at)
{
	bool room = may_hold_data(x, class);
	struct strbuf b = STRBUF_INIT;
	struct xml_node *n;
	size_t count = 0;

	for (json *m = json_first(at->node); m != NULL; m = json_next(m)) {
		bool kept = room && count < IODEF_JSON_UNKNOWN;

		if (is_known(x, class, json_name(m)))
			continue;
		remark(r, below(r, at, json_name(m), 0, m), "UNKNOWN_MEMBER", "is not known here", true);
		note(r, m, kept ? LOSS_MOVED : LOSS_DROPPED, "unknown");
		if (!kept)
			continue;
		strbuf_addc(&b, count++ == 0 ? '{' : ',');
		json_print_string(&b, slice_of(json_name(m)));
		strbuf_addc(&b, ':');
		json_print(&b, m);
	}
	if (count > 0) {
		strbuf_addc(&b, '}');
		n = add(r, x, NULL, "AdditionalData", at);
		xml_set(r->mem, n, "name", SLICE_LIT(IODEF_JSON_MEMBERS));
		xml_set(r->mem, n, "dtype", SLICE_LIT("json"));
		xml_add_text(r->mem, n, strbuf_slice(&b));
	}
	strbuf_fini(&b);
}

static void
fill_object(reader *r, struct xml_node *x, const struct iodef2_class *class, place *at)
{
	struct slice names = slice_of(class->attrs);

	while (names.n > 0) {
		struct slice name = slice_cut(&names, ' ');
		const char *attr, *member;
		json *m;

		if (name.n > 0 && name.p[name.n - 1] == '!')
			name.n--;
		attr = arena_str(r->mem, name);
		member = slice_is(name, "xml:lang") ? "lang" : attr;
		m = name.n == 0 ? NULL : json_get(at->node, member);
		if (m != NULL)
			set_attr(r, x, attr, below(r, at, member, 0, m));
	}
	if (slice_is(x->name, "NodeRole") && slice_is(xml_value(x, "category"), "anomyzation"))
		xml_set(r->mem, x, "category", SLICE_LIT("anonymization"));	/* a slip of RFC 8727 */
	fill_text(r, x, class, at);
	for (const struct iodef2_child *c = class->children; c != NULL && c->name != NULL; c++)
		add_child(r, x, c, at);
	keep_unknown(r, x, class, at);
}

static void
fill_enum(reader *r, struct xml_node *x, place *at)
{
	json *index = json_get(at->node, "specIndex"), *id = json_get(at->node, "ID");

	if (index != NULL)
		set_attr(r, x, "specIndex", below(r, at, "specIndex", 0, index));
	if (id != NULL)
		add_text(r, add(r, x, IODEF2_NS_ENUM, "ID", at), below(r, at, "ID", 0, id));
}

static void
fill_signature(reader *r, struct xml_node *x, place *at)
{
	if (slice_is(x->name, "X509Data") || slice_is(x->name, "Signature"))
		fill_bytes(r, x, at);
	else if (slice_is(x->name, "DigestValue"))
		add_text(r, x, at);
	else
		fill_algorithm(r, x, at);
}

/* What the value says, into the element. */
static void
fill(reader *r, struct xml_node *x, place *at)
{
	const struct iodef2_class *class = iodef2_class(x->name);

	if (slice_is(x->ns, IODEF2_NS_DS))
		fill_signature(r, x, at);
	else if (iodef_json_is_sci(x) && slice_is(x->name, "RawData"))
		fill_bytes(r, x, at);
	else if (iodef_json_is_sci(x))
		fill_sci(r, x, at);
	else if (slice_is(x->ns, IODEF2_NS_ENUM))
		fill_enum(r, x, at);
	else if (class == NULL)
		return;
	else if (class->content == IODEF2_ML_TEXT)
		fill_ml(r, x, at);
	else if (class->children == NULL && class->attrs[0] == '\0')
		add_text(r, x, at);
	else if (json_is_object(at->node))
		fill_object(r, x, class, at);
	else if (class->children == NULL && iodef_json_text(x->name) != NULL)
		add_text(r, x, at);
	else {
		remark(r, at, "BAD_TYPE", "an object was to be here", true);
		note(r, at->node, LOSS_DROPPED, "not of the right type");
	}
}

/* See iodef_json.h. */
struct xml_node *
iodef_json_element(reader *r, struct xml_node *parent, const char *name, const json *value)
{
	const char *ns = strcmp(name, IODEF1_PART) == 0 ? IODEF1_NS_PART : NULL;
	struct xml_node *x = add(r, NULL, ns, name, NULL);

	x->parent = parent;
	fill(r, x, below(r, NULL, name, 0, value));
	x->parent = NULL;
	return x;
}

/* See iodef_json.h. */
struct xml_node *
iodef_json_document(reader *r, const json *root)
{
	place *at = below(r, NULL, NULL, 0, root);
	struct xml_node *x = add(r, NULL, NULL, "IODEF-Document", at);

	xml_declare(r->mem, x, "", IODEF2_NS);
	fill(r, x, at);
	xml_set(r->mem, x, "version", SLICE_LIT("2.00"));
	note(r, json_get(root, "version"), LOSS_KEPT, NULL);
	return x;
}
