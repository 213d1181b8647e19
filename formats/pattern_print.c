/*
 * The printers of pattern.h: trees and paths to text.
 */
#include "formats/pattern.h"
#include "formats/pattern_lex.h"
#include "gateway/base/strbuf.h"

static const char *const op_text[] = {
	[PAT_EQ] = "=", [PAT_NE] = "!=", [PAT_LT] = "<", [PAT_LE] = "<=", [PAT_GT] = ">",
	[PAT_GE] = ">=", [PAT_IN] = "IN", [PAT_LIKE] = "LIKE", [PAT_MATCHES] = "MATCHES",
	[PAT_ISSUBSET] = "ISSUBSET", [PAT_ISSUPERSET] = "ISSUPERSET", [PAT_EXISTS] = "EXISTS"
};

/* What joins the kids, and how tightly: a joined kid that binds no tighter than its
 * parent needs parentheses. */
static const struct {
	const char	*join;
	int		 binds;
} kinds[] = {
	[PAT_OBS] = { NULL, 0 }, [PAT_OBS_GROUP] = { NULL, 0 },
	[PAT_OBS_AND] = { " AND ", 3 }, [PAT_OBS_OR] = { " OR ", 2 },
	[PAT_OBS_FOLLOWEDBY] = { " FOLLOWEDBY ", 1 },
	[PAT_AND] = { " AND ", 3 }, [PAT_OR] = { " OR ", 2 }, [PAT_TEST] = { NULL, 0 }
};

static void print_node(struct strbuf *out, const struct pat_node *p);

void
pattern_string(struct strbuf *out, struct slice s)
{
	strbuf_addc(out, '\'');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\'' || s.p[i] == '\\')
			strbuf_addc(out, '\\');
		strbuf_addc(out, s.p[i]);
	}
	strbuf_addc(out, '\'');
}

static void
print_step(struct strbuf *out, const struct pat_step *step, bool first)
{
	if (step->kind == PAT_STEP_ANY) {
		strbuf_adds(out, "[*]");
	} else if (step->kind == PAT_STEP_INDEX) {
		strbuf_addf(out, "[%.*s]", SLICE_ARG(step->name));
	} else {
		if (!first)
			strbuf_addc(out, '.');
		if (pattern_is_plain_name(step->name))
			strbuf_addsl(out, step->name);
		else
			pattern_string(out, step->name);
	}
}

void
pattern_path(struct strbuf *out, const struct pat_node *test)
{
	for (size_t i = 0; i < test->npath; i++)
		print_step(out, &test->path[i], i == 0);
}

/* A literal as it stands in a pattern. */
static void
print_literal(struct strbuf *out, const struct pat_literal *v)
{
	static const char *const prefix[] = {
		[PAT_BINARY] = "b", [PAT_HEX] = "h", [PAT_TIMESTAMP] = "t"
	};

	switch (v->kind) {
	case PAT_STRING:
		pattern_string(out, v->text);
		break;
	case PAT_BINARY:
	case PAT_HEX:
	case PAT_TIMESTAMP:
		strbuf_addf(out, "%s'%.*s'", prefix[v->kind], SLICE_ARG(v->text));
		break;
	default:
		strbuf_addsl(out, v->text);
	}
}

static void
print_test(struct strbuf *out, const struct pat_node *p)
{
	if (p->op == PAT_EXISTS)
		strbuf_adds(out, p->negated ? "NOT EXISTS " : "EXISTS ");
	strbuf_addsl(out, p->object);
	strbuf_addc(out, ':');
	pattern_path(out, p);
	if (p->op == PAT_EXISTS)
		return;
	strbuf_adds(out, p->negated ? " NOT " : " ");
	strbuf_adds(out, op_text[p->op]);
	strbuf_addc(out, ' ');
	if (p->op == PAT_IN)
		strbuf_addc(out, '(');
	for (size_t i = 0; i < p->nvalues; i++) {
		if (i > 0)
			strbuf_adds(out, ", ");
		print_literal(out, &p->values[i]);
	}
	if (p->op == PAT_IN)
		strbuf_addc(out, ')');
}

static void
print_qualifier(struct strbuf *out, const struct pat_qualifier *q)
{
	switch (q->kind) {
	case PAT_WITHIN:
		strbuf_addf(out, " WITHIN %.*s SECONDS", SLICE_ARG(q->a));
		break;
	case PAT_REPEATS:
		strbuf_addf(out, " REPEATS %.*s TIMES", SLICE_ARG(q->a));
		break;
	case PAT_START_STOP:
		strbuf_addf(out, " START t'%.*s' STOP t'%.*s'", SLICE_ARG(q->a), SLICE_ARG(q->b));
		break;
	}
}

/* The kids, joined. */
static void
print_kids(struct strbuf *out, const struct pat_node *p)
{
	for (size_t i = 0; i < p->nkids; i++) {
		const struct pat_node *kid = p->kids[i];
		bool wrap = kid->nkids > 1 && !kid->group && kid->nquals == 0 &&
		    kinds[kid->kind].binds <= kinds[p->kind].binds;

		if (i > 0)
			strbuf_adds(out, kinds[p->kind].join);
		if (wrap)
			strbuf_addc(out, '(');
		print_node(out, kid);
		if (wrap)
			strbuf_addc(out, ')');
	}
}

static void
print_node(struct strbuf *out, const struct pat_node *p)
{
	bool joined = kinds[p->kind].join != NULL;

	if (p->kind == PAT_TEST) {
		print_test(out, p);
		return;
	}
	if (p->kind == PAT_OBS)
		strbuf_addc(out, '[');
	else if (p->kind == PAT_OBS_GROUP || (joined && (p->group || p->nquals > 0)))
		strbuf_addc(out, '(');
	print_kids(out, p);
	if (p->kind == PAT_OBS)
		strbuf_addc(out, ']');
	else if (p->kind == PAT_OBS_GROUP || (joined && (p->group || p->nquals > 0)))
		strbuf_addc(out, ')');
	for (size_t i = 0; i < p->nquals; i++)
		print_qualifier(out, &p->quals[i]);
}

void
pattern_print(struct strbuf *out, const struct pat_node *p)
{
	print_node(out, p);
}
