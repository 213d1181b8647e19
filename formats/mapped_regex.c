/* mapped_regex.c -- see mapped_regex.h. A parser makes a tree, the tree makes a program, and all threads of
 * the program run through the text side by side, the preferred one first. */
#include "formats/mapped_regex.h"

#include <limits.h>
#include <stdint.h>

#include "gateway/base/arena.h"
#include "gateway/base/ascii.h"
#include "gateway/base/codec.h"

enum {
	PATTERN_MAX = 1000, DEPTH_MAX = 32, REPEAT_MAX = 100, CODE_MAX = 500, RANGES_MAX = 64,
	TEXT_MAX = 64 * 1024
};
#define FOREVER	UINT_MAX
#define NOWHERE	SIZE_MAX

/* ---- the tree --------------------------------------------------------------------------------- */

struct range { uint32_t lo, hi; };

struct set {
	struct range	v[RANGES_MAX];
	size_t		n;
	bool		negated;
};

struct node {
	enum { N_EMPTY, N_CHAR, N_ANY, N_SET, N_BEGIN, N_END, N_CAT, N_ALT, N_REPEAT, N_GROUP } kind;
	uint32_t	 c;
	struct set	*set;
	struct node	*a, *b;
	unsigned	 min, max;	/* N_REPEAT */
	bool		 lazy;
	unsigned	 group;		/* N_GROUP */
};

struct parser {
	struct slice	 rest;
	struct arena	*mem;
	const char	*why;
	unsigned	 depth, groups;
};

static struct node	*parse_alternatives(struct parser *p);

static struct node *
fail(struct parser *p, const char *why)
{
	if (p->why == NULL)
		p->why = why;
	return NULL;
}

static struct node *
new_node(struct parser *p, int kind, struct node *a, struct node *b)
{
	struct node *n = arena_alloc(p->mem, sizeof(*n));

	n->kind = kind;
	n->a = a;
	n->b = b;
	return n;
}

static bool
is_repetition(struct slice s)
{
	return s.n > 0 && memchr("*+?{", s.p[0], 4) != NULL;
}

/* Step over a character if it comes next. */
static bool
take(struct parser *p, char c)
{
	if (p->rest.n == 0 || p->rest.p[0] != c)
		return false;
	p->rest = slice_from(p->rest.p + 1, p->rest.n - 1);
	return true;
}

static void
add_range(struct parser *p, struct set *s, uint32_t lo, uint32_t hi)
{
	if (s->n == RANGES_MAX)
		(void)fail(p, "a class has too many parts");
	else
		s->v[s->n++] = (struct range){ lo, hi };
}

/* Add what \d, \w, \s stand for; false if the letter is none of them. */
static bool
add_class(struct parser *p, struct set *s, char c)
{
	static const struct { char c; struct range v[4]; } classes[] = {
		{ 'd', { { '0', '9' } } },
		{ 'w', { { '0', '9' }, { 'A', 'Z' }, { 'a', 'z' }, { '_', '_' } } },
		{ 's', { { '\t', '\r' }, { ' ', ' ' } } },
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		if (classes[i].c != c)
			continue;
		for (size_t k = 0; k < 4 && classes[i].v[k].hi != 0; k++)
			add_range(p, s, classes[i].v[k].lo, classes[i].v[k].hi);
		return true;
	}
	return false;
}

/* The character that an escape stands for. Letters and digits that mean nothing are mistakes. */
static uint32_t
escaped(struct parser *p, char c)
{
	if (c == 't')
		return '\t';
	if (c == 'n')
		return '\n';
	if (c == 'r')
		return '\r';
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || ascii_is_digit(c))
		(void)fail(p, "a \\ before a letter that means nothing there");
	return (unsigned char)c;
}

/* One character of a class, or a whole one (\d): then *whole. */
static uint32_t
class_member(struct parser *p, struct set *s, bool *whole)
{
	*whole = false;
	if (!take(p, '\\'))
		return utf8_next(&p->rest);
	if (p->rest.n == 0) {
		(void)fail(p, "[ without ]");
		return 0;
	}
	if (add_class(p, s, p->rest.p[0])) {
		p->rest = slice_from(p->rest.p + 1, p->rest.n - 1);
		*whole = true;
		return 0;
	}
	return (unsigned char)p->rest.p[0] < 0x80 ? escaped(p, (char)utf8_next(&p->rest)) :
	    utf8_next(&p->rest);
}

/* What stands behind [ up to ]. */
static struct node *
parse_class(struct parser *p)
{
	struct node *n = new_node(p, N_SET, NULL, NULL);
	struct set *s = n->set = arena_alloc(p->mem, sizeof(*s));
	bool first = true, whole;

	s->negated = take(p, '^');
	for (; p->why == NULL && (first || !take(p, ']')); first = false) {
		uint32_t lo, hi;

		if (p->rest.n == 0)
			return fail(p, "[ without ]");
		lo = class_member(p, s, &whole);
		if (whole)
			continue;
		hi = lo;
		if (p->rest.n > 1 && p->rest.p[0] == '-' && p->rest.p[1] != ']') {
			take(p, '-');
			hi = class_member(p, s, &whole);
			if (whole || hi < lo)
				return fail(p, "a range in [ ] that goes nowhere");
		}
		add_range(p, s, lo, hi);
	}
	return n;
}

static struct node *
parse_group(struct parser *p)
{
	struct node *n = new_node(p, N_GROUP, NULL, NULL);

	if (++p->depth > DEPTH_MAX)
		return fail(p, "parentheses are nested too deep");
	if (slice_starts(p->rest, "?:"))
		p->rest = slice_from(p->rest.p + 2, p->rest.n - 2);
	else if (p->rest.n > 0 && p->rest.p[0] == '?')
		return fail(p, "behind (? only : is understood");
	else
		n->group = ++p->groups;
	n->a = parse_alternatives(p);
	p->depth--;
	return take(p, ')') ? n : fail(p, "( without )");
}

/* \d and its like, or a character that would mean something else without the \. */
static struct node *
parse_escape(struct parser *p)
{
	struct node *n = new_node(p, N_SET, NULL, NULL);
	char c;

	if (p->rest.n == 0)
		return fail(p, "\\ at the end");
	c = p->rest.p[0];
	n->set = arena_alloc(p->mem, sizeof(*n->set));
	if (add_class(p, n->set, ascii_lower(c))) {
		n->set->negated = c != ascii_lower(c);
		p->rest = slice_from(p->rest.p + 1, p->rest.n - 1);
		return n;
	}
	n->kind = N_CHAR;
	n->c = utf8_next(&p->rest);
	if (n->c < 0x80)
		n->c = escaped(p, (char)n->c);
	return n;
}

static struct node *
parse_atom(struct parser *p)
{
	struct node *n;

	if (take(p, '('))
		return parse_group(p);
	if (take(p, '['))
		return parse_class(p);
	if (take(p, '\\'))
		return parse_escape(p);
	if (take(p, '.'))
		return new_node(p, N_ANY, NULL, NULL);
	if (take(p, '^'))
		return new_node(p, N_BEGIN, NULL, NULL);
	if (take(p, '$'))
		return new_node(p, N_END, NULL, NULL);
	if (is_repetition(p->rest))
		return fail(p, "a repetition of nothing");
	n = new_node(p, N_CHAR, NULL, NULL);
	n->c = utf8_next(&p->rest);
	return n;
}

/* A number below REPEAT_MAX; FOREVER if there is none. */
static unsigned
parse_count(struct parser *p)
{
	unsigned v = 0;
	bool any = false;

	while (p->rest.n > 0 && ascii_is_digit(p->rest.p[0]) && v <= REPEAT_MAX) {
		v = 10 * v + (unsigned)(p->rest.p[0] - '0');
		p->rest = slice_from(p->rest.p + 1, p->rest.n - 1);
		any = true;
	}
	if (v > REPEAT_MAX)
		(void)fail(p, "{ } counts to 100");
	return any ? v : FOREVER;
}

/* * + ? {m,n}, once; *n is wrapped. False if none comes next. */
static bool
parse_repetition(struct parser *p, struct node **n)
{
	unsigned min = 0, max = FOREVER;
	struct node *r;

	if (take(p, '+')) {
		min = 1;
	} else if (take(p, '?')) {
		max = 1;
	} else if (take(p, '{')) {
		min = max = parse_count(p);
		if (take(p, ','))
			max = parse_count(p);
		if (min == FOREVER || max < min || !take(p, '}'))
			(void)fail(p, "{ } holds a number, or two with a comma");
	} else if (!take(p, '*')) {
		return false;
	}
	r = new_node(p, N_REPEAT, *n, NULL);
	r->min = min;
	r->max = max;
	r->lazy = take(p, '?');
	*n = r;
	return true;
}

/* What stands between two |. */
static struct node *
parse_sequence(struct parser *p)
{
	struct node *all = NULL;

	while (p->why == NULL && p->rest.n > 0 && p->rest.p[0] != '|' && p->rest.p[0] != ')') {
		struct node *n = parse_atom(p);

		if (n == NULL)
			return NULL;
		if (parse_repetition(p, &n) && is_repetition(p->rest))
			return fail(p, "a repetition of a repetition");
		all = all == NULL ? n : new_node(p, N_CAT, all, n);
	}
	return all != NULL ? all : new_node(p, N_EMPTY, NULL, NULL);
}

static struct node *
parse_alternatives(struct parser *p)
{
	struct node *all = parse_sequence(p);

	while (p->why == NULL && take(p, '|'))
		all = new_node(p, N_ALT, all, parse_sequence(p));
	return all;
}

/* ---- the program ------------------------------------------------------------------------------ */

struct code {
	enum { C_CHAR, C_ANY, C_SET, C_BEGIN, C_END, C_SPLIT, C_JUMP, C_SAVE, C_MATCH } op;
	uint32_t		 c;
	const struct set	*set;
	size_t			 x, y;		/* SPLIT: x is preferred; SAVE: 0 from, 1 to */
};

struct map_regex {
	struct code	code[CODE_MAX];
	size_t		n;
	unsigned	group;
	bool		full;
};

static size_t
emit(struct map_regex *re, struct code c)
{
	if (re->n == CODE_MAX) {
		re->full = true;
		return CODE_MAX - 1;
	}
	re->code[re->n] = c;
	return re->n++;
}

static void	generate(struct map_regex *re, const struct node *n);

/* n->a once or not at all. */
static void
generate_option(struct map_regex *re, const struct node *n)
{
	size_t split = emit(re, (struct code){ .op = C_SPLIT });

	generate(re, n->a);
	re->code[split].x = n->lazy ? re->n : split + 1;
	re->code[split].y = n->lazy ? split + 1 : re->n;
}

static void
generate_repeat(struct map_regex *re, const struct node *n)
{
	size_t split;

	for (unsigned i = 0; i < n->min && !re->full; i++)
		generate(re, n->a);
	if (n->max != FOREVER) {
		for (unsigned i = n->min; i < n->max && !re->full; i++)
			generate_option(re, n);
		return;
	}
	split = emit(re, (struct code){ .op = C_SPLIT });
	generate(re, n->a);
	emit(re, (struct code){ .op = C_JUMP, .x = split });
	re->code[split].x = n->lazy ? re->n : split + 1;
	re->code[split].y = n->lazy ? split + 1 : re->n;
}

static void
generate_either(struct map_regex *re, const struct node *n)
{
	size_t split = emit(re, (struct code){ .op = C_SPLIT }), jump;

	re->code[split].x = re->n;
	generate(re, n->a);
	jump = emit(re, (struct code){ .op = C_JUMP });
	re->code[split].y = re->n;
	generate(re, n->b);
	re->code[jump].x = re->n;
}

static void
generate(struct map_regex *re, const struct node *n)
{
	bool wanted = n->kind == N_GROUP && n->group == re->group && re->group > 0;

	if (re->full)
		return;
	switch (n->kind) {
	case N_EMPTY:	break;
	case N_CHAR:	emit(re, (struct code){ .op = C_CHAR, .c = n->c }); break;
	case N_ANY:	emit(re, (struct code){ .op = C_ANY }); break;
	case N_SET:	emit(re, (struct code){ .op = C_SET, .set = n->set }); break;
	case N_BEGIN:	emit(re, (struct code){ .op = C_BEGIN }); break;
	case N_END:	emit(re, (struct code){ .op = C_END }); break;
	case N_CAT:
		generate(re, n->a);
		generate(re, n->b);
		break;
	case N_ALT:	generate_either(re, n); break;
	case N_REPEAT:	generate_repeat(re, n); break;
	case N_GROUP:
		if (wanted)
			emit(re, (struct code){ .op = C_SAVE, .x = 0 });
		generate(re, n->a);
		if (wanted)
			emit(re, (struct code){ .op = C_SAVE, .x = 1 });
		break;
	}
}

/* Compile an expression, or say why not. */
struct map_regex *
map_regex_compile(struct slice pattern, unsigned group, struct arena *mem, const char **why)
{
	struct parser p = { .rest = pattern, .mem = mem };
	struct map_regex *re = arena_alloc(mem, sizeof(*re));
	struct node *tree = pattern.n > PATTERN_MAX ? fail(&p, "the expression is too long") :
	    utf8_bad_at(pattern) != pattern.n ? fail(&p, "this is not UTF-8") :
	    parse_alternatives(&p);

	if (p.why == NULL && p.rest.n > 0)
		(void)fail(&p, ") without (");
	if (p.why == NULL && group > p.groups)
		(void)fail(&p, "there are not as many groups");
	re->group = group;
	if (p.why == NULL) {
		if (group == 0)
			emit(re, (struct code){ .op = C_SAVE, .x = 0 });
		generate(re, tree);
		if (group == 0)
			emit(re, (struct code){ .op = C_SAVE, .x = 1 });
		emit(re, (struct code){ .op = C_MATCH });
		if (re->full)
			(void)fail(&p, "the expression is too long");
	}
	*why = p.why;
	return p.why == NULL ? re : NULL;
}

/* ---- the search ------------------------------------------------------------------------------- */

struct thread {
	size_t	at;		/* in the program */
	size_t	from, to;	/* of the group, NOWHERE: not seen yet */
};

struct threads {
	struct thread	*v;
	size_t		 n;
	size_t		*seen;		/* the step in which a place was added, + 1 */
};

struct search {
	const struct map_regex	*re;
	struct slice		 text;
	struct threads		 now, next;
};

/* Follow what needs no character and add the threads that need one, in the order of preference. The work
 * to do is a stack of its own: expressions are long. */
static void
add_thread(const struct search *s, struct threads *list, struct thread first, size_t pos)
{
	struct thread stack[2 * CODE_MAX + 1];	/* a place is left once, for two others */
	size_t n = 0;

	stack[n++] = first;
	while (n > 0) {
		struct thread t = stack[--n];
		const struct code *c = &s->re->code[t.at];

		if (list->seen[t.at] == pos + 1)
			continue;
		list->seen[t.at] = pos + 1;
		switch (c->op) {
		case C_JUMP:
			stack[n++] = (struct thread){ c->x, t.from, t.to };
			break;
		case C_SPLIT:
			stack[n++] = (struct thread){ c->y, t.from, t.to };
			stack[n++] = (struct thread){ c->x, t.from, t.to };
			break;
		case C_SAVE:
			stack[n++] = c->x == 0 ? (struct thread){ t.at + 1, pos, NOWHERE } :
			    (struct thread){ t.at + 1, t.from, pos };
			break;
		case C_BEGIN:
			if (pos == 0)
				stack[n++] = (struct thread){ t.at + 1, t.from, t.to };
			break;
		case C_END:
			if (pos == s->text.n)
				stack[n++] = (struct thread){ t.at + 1, t.from, t.to };
			break;
		default:
			list->v[list->n++] = t;
		}
	}
}

static bool
in_set(const struct set *s, uint32_t c)
{
	for (size_t i = 0; i < s->n; i++)
		if (c >= s->v[i].lo && c <= s->v[i].hi)
			return !s->negated;
	return s->negated;
}

static bool
takes(const struct code *code, uint32_t c)
{
	return code->op == C_ANY || (code->op == C_CHAR && code->c == c) ||
	    (code->op == C_SET && in_set(code->set, c));
}

/* Run all threads over one character; true if a match was found, which ends those behind it. */
static bool
step(struct search *s, bool more, uint32_t c, size_t after, struct thread *match)
{
	for (size_t i = 0; i < s->now.n; i++) {
		struct thread t = s->now.v[i];
		const struct code *code = &s->re->code[t.at];

		if (code->op == C_MATCH) {
			*match = t;
			return true;
		}
		if (more && takes(code, c))
			add_thread(s, &s->next, (struct thread){ t.at + 1, t.from, t.to }, after);
	}
	return false;
}

static struct threads
new_threads(struct arena *mem, size_t n)
{
	return (struct threads){ arena_alloc(mem, n * sizeof(struct thread)), 0,
		arena_alloc(mem, n * sizeof(size_t)) };
}

/* Find the first match, and its group. */
bool
map_regex_find(const struct map_regex *re, struct slice text, struct arena *mem, struct slice *out)
{
	struct search s = { .re = re, .text = text };
	struct thread match = { .from = NOWHERE, .to = NOWHERE };
	struct slice rest = text;
	bool found = false;

	if (text.n > TEXT_MAX || utf8_bad_at(text) != text.n)
		return false;
	s.now = new_threads(mem, re->n);
	s.next = new_threads(mem, re->n);
	for (size_t pos = 0;; pos = text.n - rest.n) {
		struct threads swap = s.now;
		bool more = rest.n > 0;
		uint32_t c;

		if (!found)
			add_thread(&s, &s.now, (struct thread){ 0, NOWHERE, NOWHERE }, pos);
		c = more ? utf8_next(&rest) : 0;
		s.next.n = 0;
		found |= step(&s, more, c, text.n - rest.n, &match);
		s.now = s.next;
		s.next = swap;
		if (!more || (found && s.now.n == 0))
			break;
	}
	if (!found || match.from == NOWHERE || match.to == NOWHERE)
		return false;
	*out = slice_from(text.p + match.from, match.to - match.from);
	return true;
}
