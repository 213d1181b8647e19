/* iodef2_read_pattern.c -- the content of an Indicator as a pattern: expressions and references. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "formats/iodef2_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

enum { REFERENCES_DEEP = 16 };

/* What is being built, and what it touched. */
struct content {
	struct ir	*r;
	struct ir_label	 label;
	bool		 none;		/* something in it says nothing valid */
	unsigned	 deep;		/* references followed */
};

static struct pat_node	*read_member(struct content *c, struct xml_node *n);

/* Something in it joins tests of different objects: in one observation they cannot stand. */
static bool
mixes_objects(const struct pat_node *p)
{
	if (p->kind == PAT_AND && pattern_object(p).n == 0)
		return true;
	for (size_t i = 0; i < p->nkids; i++)
		if (mixes_objects(p->kids[i]))
			return true;
	return false;
}

/* NOT p inside one observation; NULL where STIX cannot. */
static struct pat_node *
negate(struct content *c, const struct pat_node *p)
{
	struct pat_node *no = pattern_is_observation(p) ? NULL : pattern_negate(c->r->mem, p);

	return no == NULL || mixes_objects(no) ? NULL : no;
}

/* Exactly one of two. */
static struct pat_node *
exclusive(struct content *c, const struct pat_list *t)
{
	struct pat_node *pair[2], *either[2], *no;

	if (t->n != 2 || pattern_is_observation(t->v[0]) || pattern_is_observation(t->v[1]) ||
	    pattern_object(t->v[0]).n == 0 ||
	    !slice_eq(pattern_object(t->v[0]), pattern_object(t->v[1])))
		return NULL;
	for (int i = 0; i < 2; i++) {
		if ((no = negate(c, t->v[1 - i])) == NULL)
			return NULL;
		pair[0] = i == 0 ? t->v[0] : no;
		pair[1] = i == 0 ? no : t->v[1];
		either[i] = pattern_join(c->r->mem, true, pair, 2);
	}
	return pattern_join(c->r->mem, false, either, 2);
}

/* The writer marks an expression between brackets of its own. */
static bool
between_brackets(struct content *c, struct xml_node *n)
{
	for (struct xml_node *k = xml_get(n, "AdditionalData"); k != NULL; k = xml_more(k)) {
		if (slice_is(xml_value(k, "name"), "observation")) {
			xml_mark_all(k, XML_KEPT);
			return true;
		}
	}
	(void)c;
	return false;
}

static struct pat_node *
read_expression(struct content *c, struct xml_node *n)
{
	struct slice op = ir_attr(n, "operator");
	bool brackets = between_brackets(c, n);
	struct pat_list all = { 0 };

	if (xml_attr(n, "ext-operator") != NULL)
		return NULL;
	n->mark = XML_KEPT;
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k)) {
		struct pat_node *p;

		if (xml_is(k, IODEF2_NS, "Confidence") || xml_is(k, IODEF2_NS, "AdditionalData"))
			continue;
		if ((p = read_member(c, k)) == NULL)
			return NULL;
		pattern_add(&all, c->r->mem, brackets ? pattern_bracket(c->r->mem, p) : p);
	}
	if (all.n == 0) {
		c->none = true;
		return NULL;
	}
	if (op.n == 0 || slice_is(op, "and"))
		return pattern_join(c->r->mem, true, all.v, all.n);
	if (slice_is(op, "or"))
		return pattern_join(c->r->mem, false, all.v, all.n);
	if (slice_is(op, "not") && all.n == 1)
		return negate(c, all.v[0]);
	return slice_is(op, "xor") ? exclusive(c, &all) : NULL;
}

/* Content of an Indicator: whichever of the four it has. */
static struct xml_node *
content_of(struct xml_node *indicator)
{
	static const char *const names[] = {
		"Observable", "ObservableReference", "IndicatorExpression", "IndicatorReference",
	};

	for (size_t i = 0; i < 4; i++) {
		struct xml_node *n = xml_get(indicator, names[i]);

		if (n != NULL)
			return n;
	}
	return NULL;
}

/* Follow uid-ref to the element it names; NULL (and `none`) if there is none. */
static struct xml_node *
follow(struct content *c, struct xml_node *n)
{
	struct slice ref = slice_trim(xml_value(n, "uid-ref"));
	struct xml_node *to = ref.n > 0 ? ir_by_id(c->r, ref) : NULL;

	if (to == NULL) {
		ir_warn(c->r, n, "DANGLING_REFERENCE", "nothing in this document has the id \"%.60s\"",
		    ref.p);
		return NULL;
	}
	if (c->deep >= REFERENCES_DEEP) {
		ir_warn(c->r, n, "CIRCULAR_REFERENCE", "references go in a circle or too deep");
		return NULL;
	}
	ir_attr(n, "uid-ref");
	n->mark = XML_KEPT;
	return to;
}

static struct pat_node *
read_observable_reference(struct content *c, struct xml_node *n)
{
	struct xml_node *to = follow(c, n);

	if (to == NULL) {
		c->none = true;
		return NULL;
	}
	c->label = ir_strictest(c->label, ir_label_within(c->r, to));
	return ir_observable(c->r, to, &c->none);
}

/* The referenced pattern stands in for the reference. */
static struct pat_node *
read_indicator_reference(struct content *c, struct xml_node *n)
{
	struct xml_node *to = xml_attr(n, "euid-ref") != NULL ? NULL : follow(c, n), *content;
	struct pat_node *p;

	if (to == NULL || !xml_is(to->parent, IODEF2_NS, "Indicator") ||
	    (content = content_of(to->parent)) == NULL)
		return NULL;
	c->label = ir_strictest(c->label, ir_label_within(c->r, to->parent));
	c->deep++;
	p = read_member(c, content);
	c->deep--;
	return p;
}

static struct pat_node *
read_observable(struct content *c, struct xml_node *n)
{
	struct xml_node *thing = xml_child(n);

	n->mark = XML_KEPT;
	if (thing == NULL) {
		c->none = true;
		return NULL;
	}
	return ir_observable(c->r, thing, &c->none);
}

static struct pat_node *
read_member(struct content *c, struct xml_node *n)
{
	static const struct {
		const char	*name;
		struct pat_node	*(*read)(struct content *, struct xml_node *);
	} rows[] = {
		{ "Observable", read_observable },
		{ "ObservableReference", read_observable_reference },
		{ "IndicatorExpression", read_expression },
		{ "IndicatorReference", read_indicator_reference },
	};

	for (size_t i = 0; i < 4; i++) {
		if (xml_is(n, IODEF2_NS, rows[i].name))
			return rows[i].read(c, n);
	}
	return NULL;
}

/* Names of rule languages as they occur in software names and CPEs. */
static const struct { const char *word, *type; } languages[] = {
	{ "snort", "snort" }, { "suricata", "suricata" }, { "yara", "yara" }, { "sigma", "sigma" },
	{ "pcre", "pcre" }, { "stix", "stix" },
};

/* pattern_type from the name of an application: a known word in it, else "x-" and the name. */
static struct slice
language_of(struct ir *r, struct xml_node *app)
{
	struct slice texts[2] = { xml_text_line(xml_get(app, "SoftwareReference"), r->mem),
	    xml_text_line(xml_get(app, "Description"), r->mem) };
	struct strbuf name = STRBUF_INIT;
	struct slice out;

	for (size_t t = 0; t < 2; t++) {
		for (size_t i = 0; texts[t].n > 0 && i < sizeof(languages) / sizeof(*languages); i++) {
			if (strcasestr(texts[t].p, languages[i].word) != NULL)
				return slice_of(languages[i].type);
		}
	}
	out = texts[1].n > 0 ? texts[1] : texts[0];
	strbuf_adds(&name, "x-");
	for (size_t i = 0; i < out.n && name.n < 40; i++)
		strbuf_addc(&name, isalnum((unsigned char)out.p[i]) ?
		    (char)tolower((unsigned char)out.p[i]) : '-');
	if (name.n == 2)
		strbuf_adds(&name, "iodef-detection");
	out = arena_slice(r->mem, strbuf_slice(&name));
	strbuf_fini(&name);
	return out;
}

/* See iodef2_read.h. */
bool
ir_detection(struct ir *r, struct xml_node *n, struct slice *type, struct slice *text)
{
	struct xml_node *app = xml_get(n, "Application"), *conf = xml_get(n, "DetectionConfiguration");
	struct err e = ERR_INIT;

	if (conf == NULL || xml_more(conf) != NULL || xml_text_trim(conf, r->mem).n == 0)
		return false;
	*type = language_of(r, app);
	*text = xml_text_trim(conf, r->mem);
	if (slice_is(*type, "stix") && pattern_parse(*text, r->mem, &e) == NULL)
		*type = SLICE_LIT("x-stix");
	n->mark = XML_KEPT;
	xml_mark_own(conf, XML_KEPT);
	if (app != NULL && xml_get(app, "Description") != NULL &&
	    slice_is_nocase(xml_text_line(xml_get(app, "Description"), r->mem), type->p)) {
		app->mark = XML_KEPT;
		xml_mark_own(xml_get(app, "Description"), XML_KEPT);
	}
	return true;
}

/* The DetectionPattern that an Indicator's content is or refers to, NULL if it is none. */
static struct xml_node *
detection_of(struct ir *r, struct xml_node *content)
{
	struct xml_node *thing = xml_child(content);

	if (xml_is(content, IODEF2_NS, "ObservableReference"))
		thing = ir_by_id(r, slice_trim(xml_value(content, "uid-ref")));
	return xml_is(thing, IODEF2_NS, "DetectionPattern") ? thing : NULL;
}

/* See iodef2_read.h. */
void
ir_pattern(struct ir *r, struct xml_node *indicator, struct ir_pattern *out)
{
	struct xml_node *n = content_of(indicator), *detection;
	struct content c = { .r = r, .label = ir_label_within(r, indicator) };
	struct strbuf text = STRBUF_INIT;

	memset(out, 0, sizeof(*out));
	out->kind = IR_NONE;
	out->label = c.label;
	if (n == NULL)
		return;
	detection = detection_of(r, n);
	if (detection != NULL && ir_detection(r, detection, &out->type, &out->text)) {
		n->mark = XML_KEPT;
		out->kind = IR_OTHER;
		out->label = ir_strictest(c.label, ir_label_within(r, detection));
		return;
	}
	out->node = read_member(&c, n);
	out->label = c.label;
	if (out->node != NULL) {
		out->kind = IR_STIX;
	} else if (!c.none) {
		out->kind = IR_XML;
		out->type = SLICE_LIT("x-iodef");
		xml_print(&text, n, 0);
		out->text = arena_slice(r->mem, strbuf_slice(&text));
		strbuf_fini(&text);
		xml_mark_all(n, XML_KEPT);
	}
}
