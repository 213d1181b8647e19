#include "formats/xml_scan.h"

enum { FAR = 4 << 20 };

struct scan {
	struct slice	 text;
	size_t		 at, told;
	size_t		 depth;		/* elements that are open */
	struct slice	 name;		/* of the child that is open, without prefix */
	size_t		 from;
	struct xml_span	*out;
	bool		 over;		/* the root is closed */
	xml_child_fn	*fn;
	void		*arg;
	xml_passed_fn	*passed;
	void		*passed_arg;
};

static bool
looking_at(const struct scan *s, const char *what)
{
	size_t n = strlen(what);

	return s->text.n - s->at >= n && memcmp(s->text.p + s->at, what, n) == 0;
}

/* Step behind the next `what`. */
static bool
skip_past(struct scan *s, const char *what)
{
	const char *p = memmem(s->text.p + s->at, s->text.n - s->at, what, strlen(what));

	if (p == NULL)
		return false;
	s->at = (size_t)(p - s->text.p) + strlen(what);
	return true;
}

/* Nothing but blanks up to the next tag, or the end. */
static bool
skip_blanks(struct scan *s)
{
	while (s->at < s->text.n && memchr(" \t\r\n", s->text.p[s->at], 4) != NULL)
		s->at++;
	return s->at == s->text.n || s->text.p[s->at] == '<';
}

/* Text of an element goes up to the next tag; there is none around the children of the root. */
static bool
skip_text(struct scan *s)
{
	const char *p;

	if (s->depth < 2)
		return skip_blanks(s);
	p = memchr(s->text.p + s->at, '<', s->text.n - s->at);
	if (p == NULL)
		return false;
	s->at = (size_t)(p - s->text.p);
	return true;
}

/* The name behind `<` or `</`, as written. */
static struct slice
tag_name(const struct scan *s, size_t at)
{
	size_t n = 0;

	while (at + n < s->text.n && memchr(" \t\r\n/>", s->text.p[at + n], 6) == NULL)
		n++;
	return slice_from(s->text.p + at, n);
}

static struct slice
without_prefix(struct slice name)
{
	const char *colon = memchr(name.p, ':', name.n);

	return colon == NULL ? name :
	    slice_from(colon + 1, (size_t)(name.p + name.n - colon) - 1);
}

/* A child ends at the cursor. */
static bool
end_child(struct scan *s)
{
	if (s->passed != NULL && s->at - s->told > FAR) {
		s->passed(s->passed_arg, s->text.p + s->from);
		s->told = s->at;
	}
	return s->fn == NULL || s->fn(s->arg, s->name, s->from, s->at);
}

static bool
open_element(struct scan *s, size_t start, bool closed)
{
	struct slice name = tag_name(s, start + 1);

	if (name.n == 0 || s->over)
		return false;
	if (s->depth == 0) {
		s->out->root = name;
		s->out->inside = s->at;
		if (closed)
			return false;
	} else if (s->depth == 1) {
		s->name = without_prefix(name);
		s->from = start;
		if (closed)
			return end_child(s);
	}
	s->depth += !closed;
	return true;
}

static bool
start_tag(struct scan *s)
{
	size_t start = s->at;
	char quote = '\0';

	for (s->at++; s->at < s->text.n; s->at++) {
		char c = s->text.p[s->at];

		if (quote != '\0') {
			if (c == quote)
				quote = '\0';
		} else if (c == '"' || c == '\'') {
			quote = c;
		} else if (c == '<') {
			return false;
		} else if (c == '>') {
			s->at++;
			return open_element(s, start, s->text.p[s->at - 2] == '/');
		}
	}
	return false;
}

static bool
end_tag(struct scan *s)
{
	size_t start = s->at;

	if (s->depth == 0 || !skip_past(s, ">"))
		return false;
	s->depth--;
	if (s->depth == 1)
		return end_child(s);
	if (s->depth == 0) {
		s->over = true;
		s->out->end = start;
		return slice_eq(tag_name(s, start + 2), s->out->root);
	}
	return true;
}

/* What begins with `<` at the cursor. */
static bool
skip_markup(struct scan *s)
{
	if (looking_at(s, "<!--"))
		return skip_past(s, "-->");
	if (looking_at(s, "<?"))
		return skip_past(s, "?>");
	if (looking_at(s, "<![CDATA["))
		return s->depth > 1 && skip_past(s, "]]>");
	if (looking_at(s, "<!"))
		return false;
	return looking_at(s, "</") ? end_tag(s) : start_tag(s);
}

bool
xml_scan(struct slice text, struct xml_span *out, xml_child_fn *fn, void *arg, xml_passed_fn *passed,
    void *passed_arg)
{
	struct scan s = { .text = text, .out = out, .fn = fn, .arg = arg, .passed = passed,
	    .passed_arg = passed_arg };

	if (slice_starts(text, "\xef\xbb\xbf"))
		s.at = 3;
	while (s.at < text.n)
		if (!skip_text(&s) || (s.at < text.n && !skip_markup(&s)))
			return false;
	return s.over;
}
