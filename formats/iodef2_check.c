/*
 * iodef2_check.c -- is an Incident what RFC 7970 says? Every finding has one of three weights:
 *
 *	remark	always a warning: the IANA registries may add words, real tools shuffle children
 *	rule	a warning in tolerant mode, refused in strict mode
 *	broken	cannot be converted: the Indicator or EventData around it is refused, else the Incident
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "formats/iodef2_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"

enum weight { REMARK, RULE, BROKEN };
enum { WARNINGS_MAX = 256, CHILDREN_MAX = 24, INCIDENT_BYTES = 8 << 20 };

struct check {
	struct ir	*r;
	struct xml_node	*unit;		/* Indicator or EventData around the place, or the Incident */
	struct err	*e;
	bool		 failed;	/* the unit is refused; *e says why */
};

/* What the nearest element was made of. */
static const void *
made_of(const struct xml_node *n)
{
	while (n != NULL && n->made_of == NULL)
		n = n->parent;
	return n == NULL ? NULL : n->made_of;
}

void
ir_place(struct ir *r, const struct xml_node *n, struct err *e)
{
	err_input(e, r->job->input);
	if (r->origin != NULL && r->origin->place != NULL) {
		r->origin->place(r->origin, r->mem, made_of(n), e);
		return;
	}
	e->at = xml_pos(n);
	err_path(e, "%s", xml_path_text(r->mem, n, NULL));
}

/* How many elements stand before n among its siblings: counted from the one that was refused before it, as
 * a document may have nothing but what is refused. */
static size_t
refused_index(struct ir *r, const struct xml_node *n)
{
	size_t level = n->parent == r->doc ? 1 : 0, index = 0;
	const struct xml_node *p;

	for (p = n->prev; p != NULL && p != r->refused[level].node; p = p->prev)
		index += xml_is_text(p) ? 0 : 1;
	if (p != NULL)
		index += r->refused[level].index + 1;
	r->refused[level].node = n;
	r->refused[level].index = index;
	return index;
}

/* Note a remark as a verdict of the advisory. */
static void
add_warning(struct ir *r, const struct xml_node *n, const char *code, const char *reason)
{
	struct verdict *v;

	if (r->warnings++ >= WARNINGS_MAX)
		return;
	v = advisory_verdict(r->adv, r->mem, VERDICT_WARNED, code);
	err_set(&v->err, ERR_VALUE, "%s", r->warnings < WARNINGS_MAX ? reason :
	    "too many remarks: the rest is not listed");
	ir_place(r, n, &v->err);
}

void
ir_warn(struct ir *r, const struct xml_node *n, const char *code, const char *fmt, ...)
{
	char reason[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	add_warning(r, n, code, reason);
}

void
ir_refuse(struct ir *r, struct xml_node *n, const char *code, const struct err *e)
{
	struct verdict *v = advisory_verdict(r->adv, r->mem, VERDICT_REFUSED, code);
	const struct xml_node *id = xml_get(n, xml_is(n, IODEF2_NS, "Indicator") ? "IndicatorID" :
	    "IncidentID");
	struct strbuf text = STRBUF_INIT;

	v->err = *e;
	if (v->err.path[0] == '\0')
		ir_place(r, n, &v->err);
	v->id = arena_slice(r->mem, xml_text_line(id, r->mem));
	if (r->origin != NULL && r->origin->print != NULL)
		r->origin->print(r->origin, made_of(n), &text);
	else
		xml_print(&text, n, 0);
	v->text = arena_slice(r->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	v->index = refused_index(r, n);
}

/* One finding at n. Returns false when it ends the unit. */
static bool __attribute__((format(printf, 5, 6)))
found(struct check *c, const struct xml_node *n, enum weight w, const char *code, const char *fmt, ...)
{
	char reason[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	if (w == REMARK || (w == RULE && !c->r->job->strict)) {
		add_warning(c->r, n, code, reason);
		return true;
	}
	err_set(c->e, ERR_VALUE, "%s", reason);
	ir_place(c->r, n, c->e);
	c->failed = true;
	return false;
}

/* The nodes of all xs:ID values of the document. */
static void
collect_ids(struct ir *r, struct xml_node *n)
{
	struct slice id = xml_is(n, IODEF2_NS, "IndicatorID") &&
	    !xml_is(n->parent, IODEF2_NS, "AlternativeIndicatorID") &&
	    !xml_is(n->parent, IODEF2_NS, "RelatedActivity") ? xml_text_line(n, r->mem) :
	    slice_trim(xml_value(n, "observable-id"));

	if (id.n > 0) {
		r->nodes = arena_grow(
		    r->mem, r->nodes, r->nnodes, &r->nodes_cap, sizeof(struct xml_node *));
		idmap_add(&r->xml_ids, r->mem, id, r->nnodes);
		r->nodes[r->nnodes++] = n;
	}
	for (struct xml_node *k = xml_child(n); k != NULL; k = xml_sibling(k))
		collect_ids(r, k);
}

void
ir_collect_ids(struct ir *r)
{
	collect_ids(r, r->doc);
	idmap_sort(&r->xml_ids);
}

struct xml_node *
ir_by_id(const struct ir *r, struct slice id)
{
	long i = idmap_find(&r->xml_ids, slice_trim(id));

	return i == IDMAP_NONE ? NULL : r->nodes[i];
}

/* xs:ID values are unique. A second version of an Indicator is met in practice and fine. */
static void
check_id(struct check *c, struct xml_node *n)
{
	bool indicator = xml_is(n, IODEF2_NS, "IndicatorID") &&
	    xml_is(n->parent, IODEF2_NS, "Indicator");
	struct slice id = indicator ? xml_text_line(n, c->r->mem) :
	    slice_trim(xml_value(n, "observable-id"));
	struct xml_node *first = id.n > 0 ? ir_by_id(c->r, id) : NULL;
	bool same;

	if (first == NULL || first == n)
		return;
	same = indicator && xml_is(first, IODEF2_NS, "IndicatorID") &&
	    slice_eq(xml_value(first, "version"), xml_value(n, "version")) &&
	    slice_eq(xml_value(first, "name"), xml_value(n, "name"));
	found(c, n, same ? BROKEN : RULE, "DUPLICATE_ID", "the id %.*s is used twice",
	    id.n > 60 ? 60 : (int)id.n, id.p);
}

static bool
is_integer(struct slice s)
{
	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'))
		s = slice_from(s.p + 1, s.n - 1);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return s.n > 0;
}

static bool
is_real(struct slice s)
{
	char buf[64], *end;

	if (s.n == 0 || s.n >= sizeof(buf))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (strchr("0123456789+-.eE", s.p[i]) == NULL)
			return slice_is(s, "INF") || slice_is(s, "-INF") || slice_is(s, "NaN");
	}
	memcpy(buf, s.p, s.n);
	buf[s.n] = '\0';
	strtod(buf, &end);
	return *end == '\0';
}

static bool
is_portlist(struct slice s)
{
	unsigned from, to;
	size_t n = 0;

	while (s.n > 0) {
		if (!ir_next_port(&s, &from, &to))
			return false;
		n++;
	}
	return n > 0;
}

/* The text of an element of a simple type. */
static void
check_content(struct check *c, struct xml_node *n, enum iodef2_content kind)
{
	static const struct {
		bool		(*ok)(struct slice);
		const char	*what;
	} rows[] = {
		[IODEF2_INTEGER] = { is_integer, "a whole number" },
		[IODEF2_REAL] = { is_real, "a number" },
		[IODEF2_PORTLIST] = { is_portlist, "a list of ports" },
	};
	struct slice s = xml_text_line(n, c->r->mem);
	bool zone = true;

	if (kind == IODEF2_TIME) {
		if (!stamp_parse_any(s, NULL, &zone))
			found(c, n, BROKEN, "BAD_TIMESTAMP", "\"%.*s\" is not a date and time",
			    s.n > 40 ? 40 : (int)s.n, s.p);
		else if (!zone)
			found(c, n, REMARK, "NO_OFFSET", "no UTC offset: taken as UTC");
	} else if (kind < sizeof(rows) / sizeof(*rows) && rows[kind].ok != NULL && !rows[kind].ok(s)) {
		found(c, n, BROKEN, "BAD_VALUE", "\"%.*s\" is not %s", s.n > 40 ? 40 : (int)s.n, s.p,
		    rows[kind].what);
	}
}

/* An enumerated attribute and its ext- partner. */
static void
check_word(struct check *c, struct xml_node *n, const struct xml_attr *a)
{
	char ext[64];

	if (slice_starts(a->name, "ext-")) {
		struct slice plain = slice_from(a->name.p + 4, a->name.n - 4);

		if (slice_is(plain, "operator"))
			return;
		if (!slice_is(xml_value(n, plain.p), "ext-value"))
			found(c, n, REMARK, "EXT_WITHOUT_VALUE", "%s without %s=\"ext-value\"",
			    a->name.p, plain.p);
		return;
	}
	if (!iodef_enum_has(c->r->model, n->name, a->name, slice_trim(a->value))) {
		found(c, n, REMARK, "UNKNOWN_WORD", "%s=\"%.*s\" is no known word%s", a->name.p,
		    a->value.n > 40 ? 40 : (int)a->value.n, a->value.p,
		    slice_is(a->name, "restriction") ? ": read as private" : "");
		return;
	}
	if (!slice_is(a->value, "ext-value"))
		return;
	snprintf(ext, sizeof(ext), "ext-%.50s", a->name.p);
	if (xml_attr(n, ext) == NULL)
		found(c, n, REMARK, "VALUE_WITHOUT_EXT", "%s=\"ext-value\" without %s", a->name.p, ext);
}

static void
check_attrs(struct check *c, struct xml_node *n, const struct iodef2_class *class)
{
	struct slice rest = slice_of(class->attrs);

	for (const struct xml_attr *a = n->attrs; a != NULL && !c->failed; a = a->next) {
		c->r->bytes += a->name.n + a->value.n;
		if (a->ns.n > 0)
			continue;
		if (!iodef2_attr_known(class, a->name))
			found(c, n, RULE, "UNKNOWN_ATTRIBUTE", "attribute %.60s is unknown here",
			    a->name.p);
		else
			check_word(c, n, a);
	}
	while (rest.n > 0 && !c->failed) {
		struct slice word = slice_cut(&rest, ' ');
		char name[32];

		if (word.n < 2 || word.p[word.n - 1] != '!')
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(word.n - 1), word.p);
		if (xml_attr(n, name) == NULL)
			found(c, n, slice_is(n->name, "IncidentID") ? BROKEN : RULE, "MISSING_ATTRIBUTE",
			    "attribute %s is missing", name);
	}
}

/* Classes whose children may stand in any order. */
static bool
any_order(const struct iodef_model *model, const struct iodef2_class *class)
{
	static const char *const names[] = { "Assessment", "Node", "IndicatorExpression", "Method" };

	size_t n = sizeof(names) / sizeof(*names) - (model == &iodef2_model ? 1 : 0);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(class->name, names[i]) == 0)
			return true;
	}
	return false;
}

/* Children without which there is nothing to make an object of. */
static bool
is_vital(const struct iodef2_class *class, const char *child)
{
	return (strcmp(class->name, "Incident") == 0 || strcmp(class->name, "Indicator") == 0) &&
	    (slice_ends(slice_of(child), "ID") || strcmp(child, "GenerationTime") == 0 ||
	    strcmp(child, "ReportTime") == 0);
}

/* How many children of each kind there must be. */
static void
check_counts(struct check *c, struct xml_node *n, const struct iodef2_class *class,
    const unsigned *count)
{
	const struct iodef2_child *k = class->children;
	unsigned kinds = 0;

	for (size_t i = 0; k[i].name != NULL && !c->failed; i++) {
		kinds += count[i] > 0 ? 1 : 0;
		if (count[i] < k[i].min)
			found(c, n, is_vital(class, k[i].name) ? BROKEN : RULE, "MISSING_ELEMENT",
			    "%s is missing", k[i].name);
		else if (k[i].max > 0 && count[i] > k[i].max)
			found(c, n, REMARK, "TOO_MANY", "more than %u %s", k[i].max, k[i].name);
	}
	if (class->choice && kinds != 1 && !c->failed)
		found(c, n, kinds > 1 ? BROKEN : RULE, "BAD_CHOICE",
		    "%s must hold exactly one kind of element", class->name);
}

/* An Indicator holds exactly one content. */
static void
check_indicator(struct check *c, struct xml_node *n)
{
	size_t count = xml_count(n, "Observable") + xml_count(n, "ObservableReference") +
	    xml_count(n, "IndicatorExpression") + xml_count(n, "IndicatorReference");

	if (count != 1)
		found(c, n, BROKEN, "BAD_CHOICE", "an Indicator needs exactly one of Observable, "
		    "ObservableReference, IndicatorExpression, IndicatorReference; it has %zu", count);
}

static void	check_element(struct check *c, struct xml_node *n);

/* Check Indicator and EventData for themselves: a broken one is refused alone unless strict. */
static void
check_unit(struct check *c, struct xml_node *n)
{
	struct err e = ERR_INIT;
	struct check own = { .r = c->r, .unit = n, .e = &e };

	check_element(&own, n);
	if (!own.failed)
		return;
	if (c->r->job->strict) {
		*c->e = e;
		c->failed = true;
		return;
	}
	ir_refuse(c->r, n, "INVALID", &e);
	xml_mark_all(n, XML_DROPPED);
}

static void
check_children(struct check *c, struct xml_node *n, const struct iodef2_class *class)
{
	unsigned count[CHILDREN_MAX] = { 0 };
	size_t last = 0;
	bool told = false;

	for (struct xml_node *k = xml_child(n); k != NULL && !c->failed; k = xml_sibling(k)) {
		size_t at = iodef_order_in(c->r->model, class, k);

		if (at >= CHILDREN_MAX) {
			found(c, k, RULE, "UNKNOWN_ELEMENT", "element %.60s is unknown here", k->name.p);
			continue;
		}
		count[at]++;
		if (at < last && !told && !any_order(c->r->model, class)) {
			found(c, k, REMARK, "CHILD_ORDER", "%.60s stands too late", k->name.p);
			told = true;
		}
		last = at > last ? at : last;
		if (!slice_is(k->ns, c->r->model->ns))
			continue;
		if (slice_is(k->name, "Indicator") || slice_is(k->name, "EventData"))
			check_unit(c, k);
		else
			check_element(c, k);
	}
	if (!c->failed)
		check_counts(c, n, class, count);
}

/* The class of an element. Elements of one name nearly always share the text of it: that is remembered. */
static const struct iodef2_class *
class_of(struct ir *r, const struct xml_node *n)
{
	struct ir_class *known = &r->classes[((uintptr_t)n->name.p >> 3) % COUNTOF(r->classes)];

	if (known->name.p != n->name.p || known->name.n != n->name.n) {
		known->name = n->name;
		known->class = iodef_class(r->model, n->name);
	}
	return known->class;
}

static void
check_element(struct check *c, struct xml_node *n)
{
	const struct iodef2_class *class = class_of(c->r, n);

	if (class == NULL)
		return;		/* the parent has said so */
	c->r->bytes += 2 * n->name.n + 5;
	check_id(c, n);
	if (!c->failed)
		check_attrs(c, n, class);
	if (c->failed)
		return;
	if (class->children != NULL) {
		check_children(c, n, class);
		if (!c->failed && slice_is(n->name, "Indicator"))
			check_indicator(c, n);
		return;
	}
	if (class->content != IODEF2_EXTENSION) {
		for (struct xml_node *k = n->first; k != NULL; k = k->next) {
			c->r->bytes += k->text.n;
			if (!xml_is_text(k) && !c->failed)
				found(c, k, RULE, "UNKNOWN_ELEMENT", "element %.60s is unknown here",
				    k->name.p);
		}
		if (!c->failed)
			check_content(c, n, class->content);
	} else {
		c->r->bytes += xml_text(n, c->r->mem).n;
	}
}

int
ir_check(struct ir *r, struct xml_node *incident, struct err *e)
{
	struct check c = { .r = r, .unit = incident, .e = e };
	size_t max = r->job->limits.object_bytes;

	r->bytes = 0;
	if (r->origin == NULL || !r->origin->checked)
		check_element(&c, incident);
	if (!c.failed && r->bytes > (max > 0 ? max : INCIDENT_BYTES))
		found(&c, incident, BROKEN, "TOO_LARGE", "an Incident of about %zu bytes, the limit is %zu",
		    r->bytes, max > 0 ? max : INCIDENT_BYTES);
	return c.failed ? -1 : 0;
}

/* See iodef2.h. */
void
iodef_check_tree(const struct read_job *job, struct arena *mem, struct xml_node *doc,
    const struct iodef_model *model, struct advisory *adv)
{
	struct ir r = { .job = job, .mem = mem, .adv = adv, .doc = doc, .model = model };

	for (struct xml_node *n = xml_get(doc, "Incident"); n != NULL; n = xml_more(n)) {
		struct err e = ERR_INIT;

		if (ir_check(&r, n, &e) == 0)
			continue;
		ir_refuse(&r, n, "INVALID", &e);
		xml_mark_all(n, XML_DROPPED);
	}
}

/* See iodef2.h. */
void
iodef_remark(const struct read_job *job, struct arena *mem, struct advisory *adv,
    const struct xml_node *n, const char *code, const char *reason)
{
	struct ir r = { .job = job, .mem = mem, .adv = adv };

	add_warning(&r, n, code, reason);
}
