/* stix1_base.c -- the tools of the STIX 1.x reader: notes, marks, texts, times. */
#include <stdarg.h>
#include <stdio.h>

#include "formats/stix1_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum { WARNINGS_MAX = 256 };

/* Return the reader's note of an element, made if need be. */
struct s1_note *
s1_note(struct s1 *s, struct xml_node *n)
{
	if (n->user == NULL)
		n->user = arena_alloc(s->mem, sizeof(struct s1_note));
	return n->user;
}

static void
place(struct s1 *s, const struct xml_node *n, struct err *e)
{
	e->at = xml_pos(n);
	err_input(e, s->job->input);
	err_path(e, "%s", xml_path_text(s->mem, n, NULL));
}

/* Note a remark as a verdict of the advisory; there is a limit to them. */
void
s1_warn(struct s1 *s, const struct xml_node *n, const char *code, const char *fmt, ...)
{
	struct verdict *v;
	char reason[200];
	va_list ap;

	if (s->warnings++ >= WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	v = advisory_verdict(s->adv, s->mem, VERDICT_WARNED, code);
	err_set(&v->err, ERR_VALUE, "%s", s->warnings < WARNINGS_MAX ? reason :
	    "too many remarks: the rest is not listed");
	place(s, n, &v->err);
}

/* Refuse the part n, with its text for quarantine. */
void
s1_refuse(struct s1 *s, struct xml_node *n, const char *code, const struct err *e)
{
	struct verdict *v = advisory_verdict(s->adv, s->mem, VERDICT_REFUSED, code);
	struct strbuf text = STRBUF_INIT;

	v->err = *e;
	if (v->err.path[0] == '\0')
		place(s, n, &v->err);
	v->id = slice_trim(xml_value(n, "id"));
	v->version = slice_trim(xml_value(n, "timestamp"));
	xml_print(&text, n, 0);
	v->text = arena_slice(s->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	for (const struct xml_node *p = n->prev; p != NULL; p = p->prev)
		v->index += xml_is_text(p) ? 0 : 1;
}

/* Marks: the account and the `moved` list are made of them. */

/* Return the trimmed text of the element, which is kept with that. */
struct slice
s1_text(struct s1 *s, struct xml_node *n)
{
	if (n == NULL)
		return SLICE_EMPTY;
	xml_mark_own(n, XML_KEPT);
	return xml_text_trim(n, s->mem);
}

/* Return the text as one line. */
struct slice
s1_line(struct s1 *s, struct xml_node *n)
{
	if (n == NULL)
		return SLICE_EMPTY;
	xml_mark_own(n, XML_KEPT);
	return xml_text_line(n, s->mem);
}

/* The type of an element was understood: nothing is lost with it. */
void
s1_keep_type(struct xml_node *n)
{
	struct xml_attr *a = n == NULL ? NULL : stix1_type_attr(n);

	if (a != NULL)
		a->mark = XML_KEPT;
}

/* Return a word of a vocabulary. */
struct slice
s1_word(struct s1 *s, struct xml_node *n)
{
	s1_keep_type(n);
	return s1_line(s, n);
}

/* Return the Value of a Statement, or the text of what should be one. */
struct slice
s1_statement(struct s1 *s, struct xml_node *n)
{
	struct xml_node *value = stix1_get(n, "Value");

	if (value == NULL)
		return n == NULL || xml_child(n) != NULL ? SLICE_EMPTY : s1_word(s, n);
	n->mark = XML_KEPT;
	return s1_word(s, value);
}

/* Return an attribute, which is kept with that. */
struct slice
s1_attr(struct xml_node *n, const char *name)
{
	struct xml_attr *a = n == NULL ? NULL : xml_attr(n, name);

	if (a == NULL)
		return SLICE_EMPTY;
	a->mark = XML_KEPT;
	return slice_trim(a->value);
}

/* Return the texts of all elements of a name, blank lines between them. */
struct slice
s1_texts(struct s1 *s, struct xml_node *n, const char *name)
{
	struct xml_node *first = stix1_get(n, name);
	struct strbuf text = STRBUF_INIT;
	struct slice out;

	if (first == NULL || stix1_more(first) == NULL)
		return s1_text(s, first);
	for (struct xml_node *k = first; k != NULL; k = stix1_more(k)) {
		struct slice one = s1_text(s, k);

		if (text.n > 0 && one.n > 0)
			strbuf_adds(&text, "\n\n");
		strbuf_addsl(&text, one);
	}
	out = arena_slice(s->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return out;
}

/* Times. */

/* At least three fraction digits. */
static struct slice
with_millis(struct s1 *s, struct slice stamp)
{
	const char *dot = memchr(stamp.p, '.', stamp.n);
	size_t digits = dot == NULL ? 0 : stamp.n - (size_t)(dot - stamp.p) - 2;

	if (stamp.n == 0 || digits >= 3)
		return stamp;
	return slice_of(arena_fmt(s->mem, "%.*s%s%.*sZ", (int)(stamp.n - 1), stamp.p,
	    dot == NULL ? "." : "", (int)(3 - digits), "000"));
}

/* Return the UTC form of a time, empty if it is none. */
struct slice
s1_time_utc(struct s1 *s, struct slice written)
{
	struct slice utc;

	if (!stamp_to_utc(s->mem, slice_trim(written), &utc))
		return SLICE_EMPTY;
	return with_millis(s, utc);
}

/* Return the time that an element holds; how it was written is residue. */
struct slice
s1_time(struct s1 *s, struct xml_node *n)
{
	struct slice written, utc;

	if (n == NULL)
		return SLICE_EMPTY;
	written = xml_text_line(n, s->mem);
	utc = s1_time_utc(s, written);
	if (utc.n == 0) {
		if (written.n > 0)
			s1_warn(s, n, "BAD_TIMESTAMP", "\"%.40s\" is no date", written.p);
		return SLICE_EMPTY;
	}
	xml_mark_own(n, slice_eq(written, utc) ? XML_KEPT : XML_APPROXIMATED);
	return utc;
}

/* Return the time that an attribute holds. */
struct slice
s1_time_attr(struct s1 *s, struct xml_node *n, const char *name)
{
	struct xml_attr *a = xml_attr(n, name);
	struct slice utc;

	if (a == NULL)
		return SLICE_EMPTY;
	utc = s1_time_utc(s, a->value);
	if (utc.n == 0)
		s1_warn(s, n, "BAD_TIMESTAMP", "%s: \"%.40s\" is no date", name, a->value.p);
	else
		a->mark = slice_eq(slice_trim(a->value), utc) ? XML_KEPT : XML_APPROXIMATED;
	return utc;
}

/* True if a is earlier than b. */
bool
s1_before(struct s1 *s, struct slice a, struct slice b)
{
	struct slice x, y;

	return stamp_key(s->mem, a, &x) && stamp_key(s->mem, b, &y) && slice_cmp(x, y) < 0;
}
