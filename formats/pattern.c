#include "formats/pattern.h"

#include "formats/pattern_lex.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"

struct parser {
	struct pat_lexer lx;
	struct arena	*mem;
	struct err	*e;
	unsigned	 depth;		/* open brackets and parentheses */
	size_t		 literals;
};

/* A list that grows in the arena. */
struct kids {
	struct pat_node	**v;
	size_t		 n, cap;
};

/* One level of precedence: operands of the next row, joined by `tok`. The last row of a ladder has
 * a leaf instead. */
struct level {
	enum pat_tok	 tok;
	enum pat_kind	 kind;
	struct pat_node	*(*leaf)(struct parser *ps);
};

static struct pat_node *parse_observation(struct parser *ps);
static struct pat_node *parse_test(struct parser *ps);

static const struct level observation_levels[] = {
	{ PT_FOLLOWEDBY, PAT_OBS_FOLLOWEDBY, NULL },
	{ PT_OR, PAT_OBS_OR, NULL },
	{ PT_AND, PAT_OBS_AND, NULL },
	{ PT_END, PAT_OBS, parse_observation }
};

static const struct level comparison_levels[] = {
	{ PT_OR, PAT_OR, NULL },
	{ PT_AND, PAT_AND, NULL },
	{ PT_END, PAT_TEST, parse_test }
};

enum operand { TAKES_ANY, TAKES_ORDERED, TAKES_STRING, TAKES_LIST };

static const struct {
	enum pat_tok	 tok;
	enum pat_op	 op;
	enum operand	 takes;
} test_ops[] = {
	{ PT_EQ, PAT_EQ, TAKES_ANY }, { PT_NE, PAT_NE, TAKES_ANY },
	{ PT_LT, PAT_LT, TAKES_ORDERED }, { PT_LE, PAT_LE, TAKES_ORDERED },
	{ PT_GT, PAT_GT, TAKES_ORDERED }, { PT_GE, PAT_GE, TAKES_ORDERED },
	{ PT_IN, PAT_IN, TAKES_LIST }, { PT_LIKE, PAT_LIKE, TAKES_STRING },
	{ PT_MATCHES, PAT_MATCHES, TAKES_STRING }, { PT_ISSUBSET, PAT_ISSUBSET, TAKES_STRING },
	{ PT_ISSUPERSET, PAT_ISSUPERSET, TAKES_STRING }
};

static const struct {
	enum pat_tok		tok;
	enum pat_literal_kind	kind;
	bool			ordered;	/* may stand behind < and > */
} literals[] = {
	{ PT_STRING, PAT_STRING, true }, { PT_INT_POS, PAT_INT, true },
	{ PT_INT_NEG, PAT_INT, true }, { PT_FLOAT_POS, PAT_FLOAT, true },
	{ PT_FLOAT_NEG, PAT_FLOAT, true }, { PT_BINARY, PAT_BINARY, true },
	{ PT_HEX, PAT_HEX, true }, { PT_TIMESTAMP, PAT_TIMESTAMP, true },
	{ PT_TRUE, PAT_BOOL, false }, { PT_FALSE, PAT_BOOL, false }
};

/* Refuse the current token: "WHAT is missing before 'TEXT'". Always -1. */
static int
expected(struct parser *ps, const char *what)
{
	struct slice text = ps->lx.text;
	struct pos at = pos_of(ps->lx.in.p, ps->lx.in.n, ps->lx.at);

	if (ps->lx.tok == PT_END)
		return err_at(ps->e, ERR_SYNTAX, at, "%s is missing at the end", what);
	if (text.n > 40)
		text.n = 40;
	return err_at(ps->e, ERR_SYNTAX, at, "%s is missing before \"%.*s\"", what,
	    SLICE_ARG(text));
}

static int
over_limit(struct parser *ps, enum err_code code, const char *what, int limit)
{
	return err_at(ps->e, code, pos_of(ps->lx.in.p, ps->lx.in.n, ps->lx.at),
	    "the pattern has more than %d %s", limit, what);
}

/* Step over the current token if it is `tok`; 1 if it was, 0 if not, -1 if what follows is no
 * token. */
static int
accept(struct parser *ps, enum pat_tok tok)
{
	if (ps->lx.tok != tok)
		return 0;
	return pattern_lex(&ps->lx, ps->e) < 0 ? -1 : 1;
}

static int
expect(struct parser *ps, enum pat_tok tok, const char *what)
{
	int rc = accept(ps, tok);

	return rc == 0 ? expected(ps, what) : rc;
}

/* The current token's text if it is one of two kinds, then step on. */
static int
take(struct parser *ps, enum pat_tok tok, enum pat_tok other, const char *what, struct slice *out)
{
	if (ps->lx.tok != tok && ps->lx.tok != other)
		return expected(ps, what);
	*out = ps->lx.text;
	return pattern_lex(&ps->lx, ps->e);
}

static struct pat_node *
node_new(struct parser *ps, enum pat_kind kind)
{
	struct pat_node *n = arena_alloc(ps->mem, sizeof(*n));

	n->kind = kind;
	return n;
}

/* A node of one kid. */
static struct pat_node *
node_over(struct parser *ps, enum pat_kind kind, struct pat_node *kid)
{
	struct pat_node *n = node_new(ps, kind);

	n->kids = arena_alloc(ps->mem, sizeof(*n->kids));
	n->kids[0] = kid;
	n->nkids = 1;
	return n;
}

/* operand (tok operand)*: the operand itself, or a node over all of them. */
static struct pat_node *
parse_level(struct parser *ps, const struct level *lv)
{
	struct kids kids = { NULL, 0, 0 };
	struct pat_node *n;
	int more;

	if (lv->leaf != NULL)
		return lv->leaf(ps);
	do {
		if ((n = parse_level(ps, lv + 1)) == NULL)
			return NULL;
		if (kids.n == 0 && ps->lx.tok != lv->tok)
			return n;
		kids.v = arena_grow(ps->mem, kids.v, kids.n, &kids.cap, sizeof(*kids.v));
		kids.v[kids.n++] = n;
	} while ((more = accept(ps, lv->tok)) == 1);
	if (more < 0)
		return NULL;
	n = node_new(ps, lv->kind);
	n->kids = kids.v;
	n->nkids = kids.n;
	return n;
}

/* `open` levels `close`, where the current token is the opening one. */
static struct pat_node *
parse_enclosed(struct parser *ps, const struct level *levels, enum pat_tok close, const char *what)
{
	struct pat_node *n;

	if (ps->depth >= PATTERN_DEPTH) {
		over_limit(ps, ERR_DEPTH, "levels of brackets", PATTERN_DEPTH);
		return NULL;
	}
	ps->depth++;
	if (pattern_lex(&ps->lx, ps->e) < 0 || (n = parse_level(ps, levels)) == NULL ||
	    expect(ps, close, what) < 0)
		return NULL;
	ps->depth--;
	return n;
}

/* Read one qualifier into *q; 0 if there is none here. */
static int
parse_qualifier(struct parser *ps, struct pat_qualifier *q)
{
	int rc;

	memset(q, 0, sizeof(*q));
	if ((rc = accept(ps, PT_START)) != 0) {
		q->kind = PAT_START_STOP;
		if (rc < 0 ||
		    take(ps, PT_TIMESTAMP, PT_TIMESTAMP, "a timestamp t'...'", &q->a) < 0 ||
		    expect(ps, PT_STOP, "STOP") < 0)
			return -1;
		rc = take(ps, PT_TIMESTAMP, PT_TIMESTAMP, "a timestamp t'...'", &q->b);
		return rc < 0 ? -1 : 1;
	}
	if ((rc = accept(ps, PT_WITHIN)) != 0) {
		q->kind = PAT_WITHIN;
		if (rc < 0 || take(ps, PT_INT_POS, PT_FLOAT_POS, "a number", &q->a) < 0)
			return -1;
		return expect(ps, PT_SECONDS, "SECONDS");
	}
	if ((rc = accept(ps, PT_REPEATS)) != 0) {
		q->kind = PAT_REPEATS;
		if (rc < 0 || take(ps, PT_INT_POS, PT_INT_POS, "a whole number", &q->a) < 0)
			return -1;
		return expect(ps, PT_TIMES, "TIMES");
	}
	return 0;
}

/* Read all qualifiers that follow `n`; a node that has some already is wrapped first, so that none
 * moves through a parenthesis. */
static struct pat_node *
parse_qualifiers(struct parser *ps, struct pat_node *n)
{
	struct pat_qualifier q;
	bool had = n->nquals > 0;
	size_t cap = 0;
	int rc;

	while ((rc = parse_qualifier(ps, &q)) == 1) {
		if (had)
			n = node_over(ps, PAT_OBS_GROUP, n);
		had = false;
		n->quals = arena_grow(ps->mem, n->quals, n->nquals, &cap, sizeof(*n->quals));
		n->quals[n->nquals++] = q;
	}
	return rc < 0 ? NULL : n;
}

/* [ comparison ] or ( observations ), with qualifiers. */
static struct pat_node *
parse_observation(struct parser *ps)
{
	struct pat_node *n;

	if (ps->lx.tok == PT_LPAREN) {
		n = parse_enclosed(ps, observation_levels, PT_RPAREN, "\")\"");
		if (n == NULL)
			return NULL;
		n->group = n->kind != PAT_OBS && n->kind != PAT_OBS_GROUP;
		return parse_qualifiers(ps, n);
	}
	if (ps->lx.tok == PT_LBRACKET) {
		n = parse_enclosed(ps, comparison_levels, PT_RBRACKET, "\"]\"");
		if (n == NULL)
			return NULL;
		return parse_qualifiers(ps, node_over(ps, PAT_OBS, n));
	}
	expected(ps, "an observation \"[...]\"");
	return NULL;
}

static int
add_step(struct parser *ps, struct pat_node *n, size_t *cap, struct pat_step step)
{
	n->path = arena_grow(ps->mem, n->path, n->npath, cap, sizeof(*n->path));
	n->path[n->npath++] = step;
	return pattern_lex(&ps->lx, ps->e);
}

/* A name, quoted or not. */
static int
parse_name_step(struct parser *ps, struct pat_node *n, size_t *cap)
{
	if (ps->lx.tok != PT_IDENT && ps->lx.tok != PT_STRING)
		return expected(ps, "a property name");
	return add_step(ps, n, cap, (struct pat_step){ PAT_STEP_NAME, ps->lx.text });
}

/* number ] or * ] */
static int
parse_index_step(struct parser *ps, struct pat_node *n, size_t *cap)
{
	struct pat_step step = { PAT_STEP_INDEX, ps->lx.text };

	if (ps->lx.tok == PT_STAR)
		step.kind = PAT_STEP_ANY;
	else if (ps->lx.tok != PT_INT_POS && ps->lx.tok != PT_INT_NEG)
		return expected(ps, "an index");
	if (add_step(ps, n, cap, step) < 0)
		return -1;
	return expect(ps, PT_RBRACKET, "\"]\"") < 0 ? -1 : 0;
}

/* type:step(.step | [index])* */
static int
parse_path(struct parser *ps, struct pat_node *n)
{
	size_t cap = 0;
	int rc;

	if (take(ps, PT_IDENT, PT_HYPHENATED, "an object type", &n->object) < 0 ||
	    expect(ps, PT_COLON, "\":\"") < 0 || parse_name_step(ps, n, &cap) < 0)
		return -1;
	for (;;) {
		if ((rc = accept(ps, PT_DOT)) == 1)
			rc = parse_name_step(ps, n, &cap) < 0 ? -1 : 1;
		else if (rc == 0 && (rc = accept(ps, PT_LBRACKET)) == 1)
			rc = parse_index_step(ps, n, &cap) < 0 ? -1 : 1;
		if (rc <= 0)
			return rc;
	}
}

/* Append the literal at hand to the values of the test. */
static int
parse_literal(struct parser *ps, struct pat_node *n, size_t *cap, enum operand takes)
{
	size_t i;

	for (i = 0; i < COUNTOF(literals); i++)
		if (literals[i].tok == ps->lx.tok)
			break;
	if (i == COUNTOF(literals) || (takes == TAKES_ORDERED && !literals[i].ordered) ||
	    (takes == TAKES_STRING && ps->lx.tok != PT_STRING))
		return expected(ps, takes == TAKES_STRING ? "a string" : "a value");
	if (ps->literals++ >= PATTERN_LITERALS)
		return over_limit(ps, ERR_LIMIT, "values", PATTERN_LITERALS);
	n->values = arena_grow(ps->mem, n->values, n->nvalues, cap, sizeof(*n->values));
	n->values[n->nvalues++] = (struct pat_literal){ literals[i].kind, ps->lx.text };
	return pattern_lex(&ps->lx, ps->e);
}

/* ( literal, literal ... ), perhaps empty. */
static int
parse_set(struct parser *ps, struct pat_node *n)
{
	size_t cap = 0;
	int rc;

	if (expect(ps, PT_LPAREN, "\"(\"") < 0)
		return -1;
	if ((rc = accept(ps, PT_RPAREN)) != 0)
		return rc < 0 ? -1 : 0;
	do {
		if (parse_literal(ps, n, &cap, TAKES_ANY) < 0)
			return -1;
	} while ((rc = accept(ps, PT_COMMA)) == 1);
	return rc < 0 || expect(ps, PT_RPAREN, "\")\"") < 0 ? -1 : 0;
}

/* path NOT? operator operand */
static int
parse_relation(struct parser *ps, struct pat_node *n)
{
	size_t i, cap = 0;
	int rc;

	if (parse_path(ps, n) < 0 || (rc = accept(ps, PT_NOT)) < 0)
		return -1;
	n->negated = rc == 1;
	for (i = 0; i < COUNTOF(test_ops); i++)
		if (test_ops[i].tok == ps->lx.tok)
			break;
	if (i == COUNTOF(test_ops))
		return expected(ps, "a comparison operator");
	n->op = test_ops[i].op;
	if (pattern_lex(&ps->lx, ps->e) < 0)
		return -1;
	if (test_ops[i].takes == TAKES_LIST)
		return parse_set(ps, n);
	return parse_literal(ps, n, &cap, test_ops[i].takes);
}

/* ( comparison ), NOT? EXISTS path, or a relation. */
static struct pat_node *
parse_test(struct parser *ps)
{
	struct pat_node *n;
	int rc;

	if (ps->lx.tok == PT_LPAREN) {
		n = parse_enclosed(ps, comparison_levels, PT_RPAREN, "\")\"");
		if (n != NULL)
			n->group = n->kind != PAT_TEST;
		return n;
	}
	n = node_new(ps, PAT_TEST);
	if ((rc = accept(ps, PT_NOT)) < 0)
		return NULL;
	n->negated = rc == 1;
	if (n->negated || ps->lx.tok == PT_EXISTS) {
		n->op = PAT_EXISTS;
		return expect(ps, PT_EXISTS, "EXISTS") < 0 || parse_path(ps, n) < 0 ? NULL : n;
	}
	return parse_relation(ps, n) < 0 ? NULL : n;
}

struct pat_node *
pattern_parse(struct slice text, struct arena *mem, struct err *e)
{
	struct parser ps = { .lx = { .in = text, .mem = mem }, .mem = mem, .e = e };
	struct pat_node *n;
	size_t bad;

	if (text.n > PATTERN_BYTES) {
		err_set(e, ERR_LIMIT, "the pattern is longer than %d bytes", PATTERN_BYTES);
		return NULL;
	}
	if ((bad = utf8_bad_at(text)) < text.n) {
		err_at(e, ERR_ENCODING, pos_of(text.p, text.n, bad), "the pattern is not UTF-8");
		return NULL;
	}
	if (pattern_lex(&ps.lx, e) < 0 || (n = parse_level(&ps, observation_levels)) == NULL)
		return NULL;
	if (ps.lx.tok != PT_END) {
		expected(&ps, "AND, OR, FOLLOWEDBY or the end");
		return NULL;
	}
	return n;
}
