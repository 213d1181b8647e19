/* If this fails, indicators are misread, refused, or the same one is taken for two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>

#include "formats/pattern.h"
#include "gateway/base/file.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"
#include "tests/unit/mem_kit.h"

#define CORPUS "../shared/corpus/patterns/patterns.jsonl"
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static struct pat_node *
parse(struct slice text)
{
	struct err e = ERR_INIT;
	struct pat_node *p = pattern_parse(text, mem, &e);

	assert_true((p == NULL) == (e.code != ERR_NONE));
	return p;
}

static const char *
printed(const struct pat_node *p)
{
	struct strbuf b = STRBUF_INIT;
	const char *text;

	pattern_print(&b, p);
	text = arena_str(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

static const char *
canonical(const char *text)
{
	struct strbuf b = STRBUF_INIT;
	struct pat_node *p = parse(slice_of(text));
	const char *out;

	if (p == NULL)
		fail_msg("does not parse: %s", text);
	pattern_canonical(&b, p);
	out = arena_str(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return out;
}

static const char *const good[] = {
	"[ipv4-addr:value = '192.0.2.7']",
	"[ file:name='a' ]",
	"[x-own-type:'quoted name'.list[3][*].inner != -7]",
	"[a:b == +1 OR a:b <> .25 OR a:b <= -0.5 OR a:b > 00.5]",
	"[a:b = b'AAAA' AND a:b = h'' AND a:b = t'2024-02-30T23:59:60.001Z']",
	"[a:b IN ()]", "[a:b NOT IN ('x', 2, true)]", "[a:b NOT MATCHES '^\\\\d+$']",
	"[NOT EXISTS a:b[-1].c]", "[a:b ISSUPERSET '2001:db8::/32' OR a:b ISSUBSET '192.0.2.0/24']",
	"[a:b = 1]/**/AND/* x * / */[a:c = 2]//the end",
	"\xe3\x80\x80[a:b\xc2\xa0=\xe2\x80\x89+1]\xc2\x85",
	"(([a:b = 1] FOLLOWEDBY [a:c = 2]) WITHIN 1.5 SECONDS) REPEATS 2 TIMES",
	"([a:b = 1] OR [a:c = 2] START t'2024-01-01T00:00:00Z' STOP t'2024-01-02T00:00:00Z')",
	"[(((a:b = 1 AND (a:c = 2 OR (a:d = 3)))))]",
	"[a:b LIKE 'it\\'s \\\\ 100%']", "[b:h = 1 AND t:b = 2 AND h:t = 3]",
};

static const char *const bad[] = {
	"", " ", "[", "[]", "()", "[a:b = 1", "[a:b = 1]]", "[a:b = 1] [a:c = 2]", "[a:b]",
	"[a.b = 1]", "[a:b = 01]", "[a:b = 1.]", "[a:b = 1e5]", "[a:b = - 1]", "[a:b === 1]",
	"[a:b => 1]", "[a:b = \"x\"]", "[a:b = 'x]", "[a:b = 'c:\\temp']", "[a:b = '\\']",
	"[a:b-c = 1]", "[a:AND = 1]", "[true:b = 1]", "[a:b[] = 1]", "[a:b[1.0] = 1]", "[a:b. = 1]",
	"[a:b IN (1,)]", "[a:b IN 1]", "[a:b LIKE 1]", "[a:b < true]", "[a:b ISSUBSET h'00']",
	"[a:b = b'']", "[a:b = b'AAA']", "[a:b = b'A===']", "[a:b = h'0']", "[a:b = t'2024']",
	"[a:b = t'2024-01-01T00:00:00.Z']", "[a:b = t'2024-01-01T24:00:00Z']", "[a:b = null]",
	"[NOT a:b = 1]", "[a:b NOT EXISTS]", "[EXISTS a:b = 1]", "[a:b = 1 FOLLOWEDBY a:c = 1]",
	"[a:b = 1] WITHIN 5", "[a:b = 1] WITHIN -5 SECONDS", "[a:b = 1] REPEATS 1.5 TIMES",
	"[a:b = 1] START '2024-01-01T00:00:00Z' STOP '2024-01-02T00:00:00Z'",
	"[a:b = 1] /* open", "/*/[a:b = 1]", "\xef\xbb\xbf[a:b = 1]", "[a:b = '\xff']",
	"NOT [a:b = 1]", "[a:b = 1] and [a:c = 1]", "[a:b = 1];", "[LAST:b = 1]",
};

/* Print and read again: the same text; and the canonical form is its own. */
static void
check_round(const struct pat_node *p)
{
	const char *once = printed(p), *canon, *again;
	struct pat_node *q = parse(slice_of(once));

	assert_non_null(q);
	assert_string_equal(once, printed(q));
	canon = canonical(once);
	again = canonical(canon);
	assert_string_equal(canon, again);
}

static void
test_grammar(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct pat_node *p = parse(slice_of(good[i]));

		if (p == NULL)
			fail_msg("refused: %s", good[i]);
		check_round(p);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		if (parse(slice_of(bad[i])) != NULL)
			fail_msg("taken: %s", bad[i]);
}

static void
test_tree(void **state)
{
	struct pat_node *p = parse(slice_of("[a:b = 1 OR a:c = 2 AND a:d = 3] AND "
	    "[x:'y z'[0].w[*] NOT IN ('q\\'', h'aB')] WITHIN 2 SECONDS"));
	struct strbuf path = STRBUF_INIT;
	struct pat_node *t;

	(void)state;
	assert_int_equal(p->kind, PAT_OBS_AND);
	assert_int_equal(p->nkids, 2);
	assert_int_equal(p->nquals, 0);
	assert_int_equal(p->kids[0]->kids[0]->kind, PAT_OR);
	assert_int_equal(p->kids[0]->kids[0]->kids[1]->kind, PAT_AND);
	assert_int_equal(p->kids[1]->nquals, 1);
	assert_true(slice_is(p->kids[1]->quals[0].a, "2"));
	t = p->kids[1]->kids[0];
	assert_true(t->negated && t->op == PAT_IN && t->nvalues == 2);
	assert_true(slice_is(t->values[0].text, "q'"));
	assert_true(slice_is(t->values[1].text, "aB"));
	pattern_path(&path, t);
	assert_true(slice_is(strbuf_slice(&path), "'y z'[0].w[*]"));
	strbuf_fini(&path);
}

static const struct {
	const char	*text;
	unsigned	 line, column;
	const char	*reason;
} places[] = {
	{ "[a:b = 1 OR]", 1, 12, "an object type is missing before \"]\"" },
	{ "[a:b = 1]\nAND\n  [a:b = 'x\\y']", 3, 12,
	    "in a string, \\ must be followed by \\ or '" },
	{ "[a:b = 1] OR", 1, 13, "an observation \"[...]\" is missing at the end" },
	{ "[a:b = t'x']", 1, 8, "t'...' must hold a time like 2024-02-03T04:05:06Z" },
};

/* What our own writers build prints without a parenthesis too many. */
static void
test_print(void **state)
{
	static const char *const plain[] = {
		"[a:b = 1 AND a:c = 2]", "[a:b = 1 OR a:c = 2 AND a:d = 3]",
		"[(a:b = 1 OR a:c = 2) AND a:d = 3]", "[a:b = 1] AND [a:c = 2] OR [a:d = 3]",
		"([a:b = 1] OR [a:c = 2]) WITHIN 5 SECONDS", "[file:hashes.'SHA-256' = 'x']",
		"[x-y:'a b'.c[*].d NOT IN (1, 'it\\'s')]", "[NOT EXISTS a:b[0]]",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(plain); i++)
		assert_string_equal(printed(parse(slice_of(plain[i]))), plain[i]);
}

static void
test_places(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(places); i++) {
		struct err e = ERR_INIT;

		assert_null(pattern_parse(slice_of(places[i].text), mem, &e));
		assert_int_equal(e.at.line, places[i].line);
		assert_int_equal(e.at.column, places[i].column);
		assert_string_equal(e.reason, places[i].reason);
	}
}

/* n times `open`, middle, n times `close`. */
static struct slice
nested(unsigned n, char open, const char *middle, char close)
{
	struct strbuf b = STRBUF_INIT;
	struct slice s;

	for (unsigned i = 0; i < n; i++)
		strbuf_addc(&b, open);
	strbuf_adds(&b, middle);
	for (unsigned i = 0; i < n; i++)
		strbuf_addc(&b, close);
	s = arena_slice(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return s;
}

static void
test_limits(void **state)
{
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(parse(nested(PATTERN_DEPTH - 1, '(', "[a:b = 1]", ')')));
	assert_null(pattern_parse(nested(PATTERN_DEPTH, '(', "[a:b = 1]", ')'), mem, &e));
	assert_int_equal(e.code, ERR_DEPTH);
	assert_null(pattern_parse(nested(100000, '(', "[a:b = 1]", ')'), mem, &e));
	assert_int_equal(e.code, ERR_DEPTH);
	assert_null(pattern_parse(nested(PATTERN_BYTES, ' ', "[a:b = 1]", ' '), mem, &e));
	assert_int_equal(e.code, ERR_LIMIT);
	strbuf_adds(&b, "[a:b IN (1");
	for (int i = 1; i <= PATTERN_LITERALS; i++)
		strbuf_adds(&b, ",1");
	strbuf_adds(&b, ")]");
	assert_null(pattern_parse(strbuf_slice(&b), mem, &e));
	assert_int_equal(e.code, ERR_LIMIT);
	strbuf_fini(&b);
}

/* Each group is one thing in many spellings: the first is the canonical one. */
static const char *const same[] = {
	"[ipv4-addr:value = '1.2.3.4']", "[ipv4-addr:value='1.2.3.4']",
	"\t[ ipv4-addr : value == '1.2.3.4' ] // x", "[ipv4-addr:value IN ('1.2.3.4')]",
	"[ipv4-addr:value = '1.2.3.4/32']", "([(ipv4-addr:value = '1.2.3.4')])",
	"[ipv4-addr:value ISSUBSET '1.2.3.4/32']", "[ipv4-addr:'value' = '1[.]2[.]3[.]4']",
	"[ipv4-addr:value LIKE '1.2.3.4']", "[ipv4-addr:value NOT != '1.2.3.4']",
	"[ipv4-addr:value = '1.2.3.4'] OR [ipv4-addr:value = '1.2.3.4/32']",
	"[ipv4-addr:value = '1.2.3.4'] REPEATS 1 TIMES",
	"[ipv4-addr:value IN ('1.2.3.4', '1.2.3.4/32')]", NULL,

	"[ipv4-addr:value = '198.51.100.0/24']", "[ipv4-addr:value ISSUBSET '198.51.100.0/24']",
	"[ipv4-addr:value ISSUBSET '198.51.100.77/24']", NULL,

	"[ipv6-addr:value = '2001:db8::1']",
	"[ipv6-addr:value = '2001:0DB8:0:0:0:0:0:1/128']", NULL,

	"[file:hashes.'SHA-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709']",
	"[file:hashes.sha1 = 'DA39A3EE5E6B4B0D3255BFEF95601890AFD80709']",
	"[file:hashes.'sha-1' = 'da39a3ee5e6b4b0d3255bfef95601890afd80709']", NULL,

	"[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']",
	"[file:hashes.'MD5' = 'D41D8CD98F00B204E9800998ECF8427E']",
	"[file:hashes.md5 IN ('d41d8cd98f00b204e9800998ecf8427e')]", NULL,

	"[domain-name:value IN ('a.example', 'b.example')]",
	"[domain-name:value = 'b.example' OR domain-name:value = 'A.example.']",
	"[domain-name:value = 'b[.]example'] OR [domain-name:value = 'a.example']",
	"[domain-name:value IN ('b.example', 'a.example', 'B.EXAMPLE')]", NULL,

	"[a:b NOT IN (1, 2)]", "[a:b != 2 AND a:b <> 1]",
	"[a:b NOT = 1 AND (a:b NOT IN (2, 1))]", NULL,

	"[a:b = 1 AND a:c = 'x' AND a:d = true]", "[(a:d = true AND a:b = 1) AND a:c = 'x']",
	"[a:b = +1.0 AND a:b = 1 AND (a:c = 'x' AND a:d = true)]", NULL,

	"[network-traffic:dst_port = 443]", "[network-traffic:dst_port = '443']",
	"[network-traffic:dst_port = 'https']",
	"[network-traffic:dst_port = 443.0]", NULL,

	"[autonomous-system:number = 64496]", "[autonomous-system:number = 'AS64496']", NULL,

	"[network-traffic:dst_ref.value = '192.0.2.1']",
	"[network-traffic:dst_ref.value ISSUBSET '192.0.2.1/32']", NULL,

	"[email-message:to_refs[*].value = 'a@example.com']",
	"[email-message:to_refs[*].value = 'a[at]EXAMPLE[.]com']", NULL,

	"[windows-registry-key:key = 'hkey_local_machine\\\\software\\\\x']",
	"[windows-registry-key:key = 'HKLM\\\\Software\\\\X']", NULL,

	"[a:b = 1] WITHIN 5 SECONDS REPEATS 2 TIMES",
	"[a:b = 1] REPEATS 2 TIMES WITHIN 5.0 SECONDS",
	"([a:b = 1]) WITHIN 05.00 SECONDS REPEATS +2 TIMES", NULL,

	"[a:b = 1] FOLLOWEDBY [a:c = 1] FOLLOWEDBY [a:d = 1]",
	"[a:b = 1] FOLLOWEDBY ([a:c = 1] FOLLOWEDBY [a:d = 1])", NULL,

	"[a:b = 1 OR a:c = 1] WITHIN 5 SECONDS",
	"([a:c = 1] OR [a:b = 1]) WITHIN 5 SECONDS", NULL,

	"[a:b = t'2024-01-01T00:00:00.5Z' AND a:c = h'abcd']",
	"[a:c = h'ABCD' AND a:b = t'2024-01-01T00:00:00.500Z']", NULL,
};

/* No two of these say the same. */
static const char *const different[] = {
	"[a:b = 1]", "[a:b = '1']", "[a:b = 1 AND a:c = 1]", "[a:b = 1 OR a:c = 1]", "[a:b != 1]",
	"[a:b = 1] AND [a:c = 1]", "[a:b = 1] FOLLOWEDBY [a:c = 1]",
	"[a:c = 1] FOLLOWEDBY [a:b = 1]",
	"[a:b = 1] WITHIN 5 SECONDS", "([a:b = 1] WITHIN 5 SECONDS) WITHIN 5 SECONDS",
	"[a:b[*] != 1]", "[a:b[*] NOT = 1]", "[a:b[0] = 1]", "[a:b LIKE 'x%']", "[a:b = 'x%']",
	"[a:b = 'x']", "[a:b = 'X']", "[a:b IN ()]", "[EXISTS a:b]", "[NOT EXISTS a:b]",
	"[a:b > 1]", "[a:b >= 1]", "[a:b NOT > 1]", "[a:b.c = 1]", "[a:'b.c' = 1]", "[a:b = h'01']",
	"[a:b ISSUBSET '192.0.2.0/24']", "[a:b ISSUPERSET '192.0.2.0/24']",
	"[a:b = 1 AND (a:c = 1 OR a:d = 1)]", "[a:b = 1 AND a:c = 1 OR a:d = 1]",
	"[a:b = 1 OR a:b = 2 AND a:c = 3]", "[(a:b = 1 OR a:b = 2) AND a:c = 3]",
	"[ipv4-addr:value = '1.2.3.4']", "[ipv4-addr:value = '1.2.3.0/24']",
	"[ipv4-addr:value = '1.2.3.4' AND ipv4-addr:value = '1.2.3.5']",
};

static void
test_canonical(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(same); i++) {
		const char *want = same[i];

		for (; same[i] != NULL; i++)
			assert_string_equal(canonical(same[i]), want);
	}
	for (size_t i = 0; i < COUNT(different); i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(canonical(different[i]), canonical(different[k]));
}

static void
test_flaws(void **state)
{
	(void)state;
	assert_int_equal(pattern_flaws(parse(slice_of("[file:hashes.MD5 = 'zz']"))), PATTERN_HASH);
	assert_int_equal(pattern_flaws(parse(slice_of("[file:hashes[*] = 'zz']"))), 0);
	assert_int_equal(pattern_flaws(parse(slice_of("[a:b = 1 OR NOT EXISTS a:c]"))), PATTERN_NOT_20);
	assert_int_equal(pattern_flaws(parse(slice_of(
	    "[a:b = 1] REPEATS 2 TIMES WITHIN 1 SECONDS REPEATS 2 TIMES"))), PATTERN_TWICE);
	assert_int_equal(pattern_flaws(parse(slice_of(
	    "([a:b = 1] REPEATS 2 TIMES) REPEATS 2 TIMES"))), 0);
}

/* One line a thing that the row lists: what it says and what we read must give the same lines. */
struct lines {
	const char	*line[256];
	size_t		 n;
};

static void
add_line(struct lines *l, const struct strbuf *b)
{
	assert_true(l->n < COUNT(l->line));
	l->line[l->n++] = arena_str(mem, strbuf_slice(b));
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Both hold the same lines; as often, unless the row counts each once. */
static void
same_lines(struct lines *ours, struct lines *theirs, bool once, const char *what)
{
	qsort(ours->line, ours->n, sizeof(*ours->line), by_text);
	qsort(theirs->line, theirs->n, sizeof(*theirs->line), by_text);
	for (struct lines *l = ours; once && l != NULL; l = l == ours ? theirs : NULL) {
		size_t kept = 0;

		for (size_t i = 0; i < l->n; i++)
			if (kept == 0 || strcmp(l->line[kept - 1], l->line[i]) != 0)
				l->line[kept++] = l->line[i];
		l->n = kept;
	}
	for (size_t i = 0; i < ours->n || i < theirs->n; i++)
		if (i >= ours->n || i >= theirs->n || strcmp(ours->line[i], theirs->line[i]) != 0)
			fail_msg("%s: read \"%s\", not \"%s\"", what,
			    i < ours->n ? ours->line[i] : "nothing",
			    i < theirs->n ? theirs->line[i] : "nothing");
}

static const char *const operators[] = {
	[PAT_EQ] = "=", [PAT_NE] = "!=", [PAT_LT] = "<", [PAT_LE] = "<=", [PAT_GT] = ">",
	[PAT_GE] = ">=", [PAT_IN] = "IN", [PAT_LIKE] = "LIKE", [PAT_MATCHES] = "MATCHES",
	[PAT_ISSUBSET] = "ISSUBSET", [PAT_ISSUPERSET] = "ISSUPERSET",
};

static void
add_literal(struct strbuf *b, const struct pat_literal *l)
{
	static const char *const prefixes[] = {
		[PAT_BINARY] = "b", [PAT_HEX] = "h", [PAT_TIMESTAMP] = "t",
	};

	if (l->kind == PAT_STRING)
		pattern_string(b, l->text);
	else if (l->kind >= PAT_BINARY)
		strbuf_addf(b, "%s'%.*s'", prefixes[l->kind], SLICE_ARG(l->text));
	else
		strbuf_addsl(b, l->text);
}

/* "type|step|step|operator|literal" of one test. */
static void
add_test(struct lines *l, const struct pat_node *t)
{
	struct strbuf b = STRBUF_INIT;

	strbuf_addsl(&b, t->object);
	for (size_t i = 0; i < t->npath; i++) {
		strbuf_addc(&b, '|');
		if (t->path[i].kind == PAT_STEP_ANY)
			strbuf_addc(&b, '*');
		else
			strbuf_addsl(&b, t->path[i].name);
	}
	strbuf_addf(&b, "|%s%s|%s", t->negated ? "NOT " : "", operators[t->op], t->op == PAT_IN ? "(" : "");
	for (size_t i = 0; i < t->nvalues; i++) {
		if (i > 0)
			strbuf_addc(&b, ',');
		add_literal(&b, &t->values[i]);
	}
	strbuf_adds(&b, t->op == PAT_IN ? ")" : "");
	add_line(l, &b);
	strbuf_fini(&b);
}

/* What a pattern says: its tests but for EXISTS, its operators between observations, its qualifiers. */
static void
list_pattern(const struct pat_node *p, struct lines *tests, struct lines *ops, struct lines *quals)
{
	static const char *const names[] = {
		[PAT_OBS_AND] = "AND", [PAT_OBS_OR] = "OR", [PAT_OBS_FOLLOWEDBY] = "FOLLOWEDBY",
	};
	struct strbuf b = STRBUF_INIT;

	if (p->kind == PAT_TEST && p->op != PAT_EXISTS)
		add_test(tests, p);
	if (p->kind == PAT_OBS_AND || p->kind == PAT_OBS_OR || p->kind == PAT_OBS_FOLLOWEDBY) {
		strbuf_adds(&b, names[p->kind]);
		add_line(ops, &b);
	}
	for (size_t i = 0; i < p->nquals; i++) {
		const struct pat_qualifier *q = &p->quals[i];

		strbuf_reset(&b);
		if (q->kind == PAT_WITHIN)
			strbuf_addf(&b, "WITHIN %.*s SECONDS", SLICE_ARG(q->a));
		else if (q->kind == PAT_REPEATS)
			strbuf_addf(&b, "REPEATS %.*s TIMES", SLICE_ARG(q->a));
		else
			strbuf_addf(&b, "START t'%.*s' STOP t'%.*s'", SLICE_ARG(q->a), SLICE_ARG(q->b));
		add_line(quals, &b);
	}
	strbuf_fini(&b);
	for (size_t i = 0; i < p->nkids; i++)
		list_pattern(p->kids[i], tests, ops, quals);
}

/* A test of the row, with == and <> as we fold them, and lists without the blanks of their source. */
static void
add_row_test(struct lines *l, const json *t)
{
	struct strbuf b = STRBUF_INIT;
	struct slice op = json_slice(json_at(t, 2)), literal = json_slice(json_at(t, 3));

	strbuf_addsl(&b, json_slice(json_at(t, 0)));
	for (json *s = json_first(json_at(t, 1)); s != NULL; s = json_next(s)) {
		strbuf_addc(&b, '|');
		if (json_is_string(s))
			strbuf_addsl(&b, json_slice(s));
		else
			strbuf_addsl(&b, json_number_text(mem, s));
	}
	strbuf_addc(&b, '|');
	strbuf_addsl(&b, slice_is(op, "==") ? SLICE_LIT("=") : slice_is(op, "<>") ? SLICE_LIT("!=") : op);
	strbuf_addc(&b, '|');
	if (slice_ends(op, "IN")) {
		bool quoted = false;

		for (size_t i = 0; i < literal.n; i++) {
			quoted ^= literal.p[i] == '\'';
			if (quoted || literal.p[i] != ' ')
				strbuf_addc(&b, literal.p[i]);
		}
	} else {
		strbuf_addsl(&b, literal);
	}
	add_line(l, &b);
	strbuf_fini(&b);
}

static void
add_row_words(struct lines *l, const json *list)
{
	for (json *i = json_first(list); i != NULL; i = json_next(i))
		l->line[l->n++] = json_str(i);
}

static bool
has_word(const json *list, const char *word)
{
	for (json *i = json_first(list); i != NULL; i = json_next(i))
		if (slice_is(json_slice(i), word))
			return true;
	return false;
}

/* The verdicts of a row on what parses: strict mode, and the version before. */
static void
check_flaws(const json *row, const struct pat_node *p)
{
	const json *lint = json_get(row, "lint"), *v20 = json_get(row, "syntax_2_0");
	unsigned found = pattern_flaws(p);

	if (((found & PATTERN_HASH) != 0) != has_word(lint, "hash-format"))
		fail_msg("hash-format: %.*s", SLICE_ARG(json_member(row, "pattern")));
	if (((found & PATTERN_TWICE) != 0) != has_word(lint, "duplicate-qualifier") &&
	    json_get(row, "lint_maybe") == NULL)
		fail_msg("duplicate-qualifier: %.*s", SLICE_ARG(json_member(row, "pattern")));
	if (json_is_bool(v20) && json_bool(v20) != ((found & PATTERN_NOT_20) == 0))
		fail_msg("version 2.0: %.*s", SLICE_ARG(json_member(row, "pattern")));
}

static void
check_row(const json *row)
{
	struct slice text = json_member(row, "pattern");
	const char *what = arena_str(mem, text);
	struct lines ours[3] = { { .n = 0 } }, theirs[3] = { { .n = 0 } };
	struct pat_node *p = parse(text);

	if (json_is_bool(json_get(row, "syntax")) &&
	    json_bool(json_get(row, "syntax")) != (p != NULL))
		fail_msg("%s: %s", p != NULL ? "taken" : "refused", what);
	if (p == NULL)
		return;
	if (memchr(text.p, '\0', text.n) == NULL)	/* see test_nul */
		check_round(p);
	check_flaws(row, p);
	if (json_get(row, "tests") == NULL)
		return;
	list_pattern(p, &ours[0], &ours[1], &ours[2]);
	for (json *t = json_first(json_get(row, "tests")); t != NULL; t = json_next(t))
		add_row_test(&theirs[0], t);
	add_row_words(&theirs[1], json_get(row, "observation_ops"));
	add_row_words(&theirs[2], json_get(row, "qualifiers"));
	same_lines(&ours[0], &theirs[0], false, what);
	same_lines(&ours[1], &theirs[1], true, what);
	same_lines(&ours[2], &theirs[2], true, what);
}

/* Verdicts computed with the OASIS validator; only where the corpus is at hand. */
static void
test_corpus(void **state)
{
	struct strbuf all = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct slice rest, line;
	size_t rows = 0;

	(void)state;
	if (!file_exists(CORPUS)) {
		skip();
		return;
	}
	assert_int_equal(file_read(CORPUS, 16 << 20, &all, &e), 0);
	for (rest = strbuf_slice(&all); rest.n > 0; rows++) {
		struct json_doc doc;

		line = slice_cut(&rest, '\n');
		assert_int_equal(json_parse(line, NULL, mem, &doc, &e), 0);
		check_row(doc.root);
	}
	assert_true(rows > 200);
	strbuf_fini(&all);
}

static void
test_nul(void **state)
{
	static const char text[] = "[a:b = 'x\0y']";
	struct pat_node *p = parse(slice_from(text, sizeof(text) - 1));
	struct strbuf b = STRBUF_INIT;

	(void)state;
	assert_non_null(p);
	assert_int_equal(p->kids[0]->values[0].text.n, 3);
	pattern_print(&b, p);
	assert_true(slice_eq(strbuf_slice(&b), slice_from(text, sizeof(text) - 1)));
	strbuf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_grammar, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_print, setup, teardown),
		cmocka_unit_test_setup_teardown(test_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_canonical, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flaws, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nul, setup, teardown),
		cmocka_unit_test_setup_teardown(test_corpus, setup, teardown),
	};

	return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
