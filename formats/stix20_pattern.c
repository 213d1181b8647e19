/* stix20_pattern.c -- see stix20.h: a pattern token by token; what needs no other word keeps its bytes. */
#include "formats/pattern_lex.h"
#include "formats/stix20.h"
#include "gateway/base/arena.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"

/* One pattern being rewritten. */
struct rewrite {
	struct pat_lexer	 lx;
	struct strbuf		 out;
	size_t			 done;		/* bytes of the text that are written, or replaced */
	bool			 up;
	const char		*type;		/* of what the path has led to; NULL: unknown */
	bool			 in_path;
	bool			 hashes;	/* the step before was `hashes` */
	bool			 process;	/* the path is "process:", no step yet */
	enum pat_tok		 before;
	bool			 exists;
};

/* Put `with` in the place of the token that ends at lx.next. */
static void
replace(struct rewrite *w, const char *with)
{
	strbuf_add(&w->out, w->lx.in.p + w->done, w->lx.at - w->done);
	strbuf_adds(&w->out, with);
	w->done = w->lx.next;
}

/* The name of a step as the other version has it; NULL: the same. */
static const char *
other_name(const struct rewrite *w)
{
	struct slice s = w->lx.text;

	if (w->hashes)
		return slice_is(s, w->up ? "ssdeep" : "SSDEEP") ? (w->up ? "SSDEEP" : "ssdeep") : NULL;
	if (w->process && w->up && slice_is(s, "name"))
		return "image_ref.name";
	return w->type == NULL ? NULL :
	    stix20_renamed(slice_of(w->type), arena_str(w->lx.mem, s), w->up);
}

/* A step of an object path: a name, quoted or not. */
static void
step(struct rewrite *w)
{
	const char *other = other_name(w);
	struct slice name = w->lx.text;

	if (other != NULL)
		replace(w, w->lx.tok == PT_STRING ? arena_fmt(w->lx.mem, "'%s'", other) : other);
	w->type = stix20_step_type(name);
	w->hashes = slice_is(name, "hashes");
	w->process = false;
}

/* One of the two times behind START: a text in 2.0, a timestamp in 2.1. */
static void
time_limit(struct rewrite *w)
{
	if (w->up && w->lx.tok == PT_STRING && stamp_parse(w->lx.text, NULL))
		replace(w, arena_fmt(w->lx.mem, "t'%.*s'", SLICE_ARG(w->lx.text)));
	else if (!w->up && w->lx.tok == PT_TIMESTAMP)
		replace(w, arena_fmt(w->lx.mem, "'%.*s'", SLICE_ARG(w->lx.text)));
}

/* Is the token a word that may stand in a path? Keywords may, after a dot. */
static bool
is_step(const struct rewrite *w)
{
	return w->in_path && (w->before == PT_COLON || w->before == PT_DOT) &&
	    (w->lx.tok == PT_STRING || (w->lx.tok >= PT_IDENT && w->lx.tok <= PT_FALSE));
}

static void
token(struct rewrite *w)
{
	enum pat_tok tok = w->lx.tok;

	if (is_step(w)) {
		step(w);
	} else if (tok == PT_COLON) {
		w->in_path = true;
		w->hashes = false;
		w->process = w->type != NULL && strcmp(w->type, "process") == 0;
	} else if (tok == PT_DOT || tok == PT_LBRACKET || tok == PT_RBRACKET || tok == PT_STAR ||
	    tok == PT_INT_POS) {
		;	/* the path may go on */
	} else {
		w->in_path = false;
		if (tok == PT_EXISTS)
			w->exists = true;
		if (w->before == PT_START || w->before == PT_STOP)
			time_limit(w);
		w->type = tok == PT_IDENT || tok == PT_HYPHENATED ?
		    arena_str(w->lx.mem, w->lx.text) : NULL;
	}
	w->before = tok;
}

bool
stix20_pattern(struct arena *mem, struct slice text, bool up, struct slice *out)
{
	struct rewrite w = { .lx = { .in = text, .mem = mem }, .out = STRBUF_INIT, .up = up,
	    .before = PT_END };
	int rc;

	*out = text;
	while ((rc = pattern_lex(&w.lx, NULL)) == 0 && w.lx.tok != PT_END)
		token(&w);
	if (rc == 0 && w.done > 0) {
		strbuf_add(&w.out, text.p + w.done, text.n - w.done);
		*out = arena_slice(mem, strbuf_slice(&w.out));
	}
	strbuf_fini(&w.out);
	return rc < 0 || !w.exists;
}
