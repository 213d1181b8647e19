/* If this finds something, a file that an administrator was handed can crash the gateway. */
#include <stdint.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/bundle.h"
#include "gateway/base/codec.h"
#include "gateway/base/file.h"
#include "gateway/base/lines.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const words[] = { "peer", "release", "require", "redact", "include", NULL };

/* What the lexer promises of each line. */
static void
check_line(const struct line *l, struct slice text)
{
	size_t before = 0;

	if (l->number == 0 || l->nwords == 0 || l->indented != (l->columns[0] > 1))
		abort();
	for (size_t i = 0; i < l->nwords; i++) {
		struct slice w = l->words[i];

		if (w.p[w.n] != '\0' || utf8_bad_at(w) != w.n || memchr(w.p, '\n', w.n) != NULL ||
		    l->columns[i] <= before || l->columns[i] > text.n)
			abort();
		before = l->columns[i];
	}
}

/* Every kind of value may meet every word; a value that is taken keeps its bounds. */
static void
check_values(struct slice w)
{
	int64_t v = 0;
	double rate = 1;
	int family = 4, prefix = 0;
	uint8_t addr[16];
	bool b;

	word_bool(w, &b);
	if (word_int(w, -5, 70000, &v) && (v < -5 || v > 70000))
		abort();
	if ((word_bytes(w, &v) && v < 0) || (word_span_us(w, &v) && v < 0))
		abort();
	if (word_rate(w, &rate) && !(rate > 0))
		abort();
	word_date(w, &v);
	if (word_cidr(w, &family, addr, &prefix) &&
	    (prefix < 0 || prefix > (family == 4 ? 32 : 128)))
		abort();
	nearest_word(w, words);
}

/* Write a line back with every word quoted. */
static void
add_line(struct strbuf *b, const struct line *l)
{
	strbuf_adds(b, l->indented ? " " : "");
	for (size_t i = 0; i < l->nwords; i++) {
		strbuf_adds(b, i == 0 ? "\"" : " \"");
		for (size_t j = 0; j < l->words[i].n; j++) {
			if (strchr("\"\\", l->words[i].p[j]) != NULL)
				strbuf_addc(b, '\\');
			strbuf_addc(b, l->words[i].p[j]);
		}
		strbuf_addc(b, '"');
	}
	strbuf_addc(b, '\n');
}

/* What was read, written and read again is the same, unless it became too long for a line. */
static void
check_again(const struct lines *first, struct arena *mem)
{
	struct complaints c = { .mem = mem };
	struct strbuf b = STRBUF_INIT;
	struct lines second = { 0 };

	for (size_t i = 0; i < first->n; i++)
		add_line(&b, &first->v[i]);
	if (lines_parse(strbuf_slice(&b), "again", mem, &second, &c) == 0) {
		if (first->n != second.n)
			abort();
		for (size_t i = 0; i < second.n; i++) {
			if (first->v[i].nwords != second.v[i].nwords)
				abort();
			for (size_t j = 0; j < second.v[i].nwords; j++)
				if (!slice_eq(first->v[i].words[j], second.v[i].words[j]))
					abort();
		}
	} else if (b.n <= 16384) {
		abort();
	}
	strbuf_fini(&b);
}

/* Files that include one another, cut from the text at form feeds: a, b/b, b/c. It ends, and whoever complains
 * names one of them. */
static void
check_includes(struct slice text, struct arena *mem)
{
	static const char *const paths[] = { "a", "b/b", "b/c", NULL };
	struct complaints c = { .mem = mem };
	struct bundle *files = bundle_new();
	struct lines lines = { 0 };
	int rc;

	for (size_t i = 0; paths[i] != NULL; i++)
		bundle_add(files, paths[i], slice_cut(&text, '\f'), false, 1);
	file_overlay(files);
	rc = lines_read("a", mem, &lines, &c);
	file_overlay(NULL);
	if ((rc == 0) != (c.n == 0))
		abort();
	for (size_t i = 0; i < c.n; i++)
		if (strncmp(c.text[i], "a:", 2) != 0 && strncmp(c.text[i], "b/", 2) != 0)
			abort();
	bundle_free(files);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_from(data, size);
	struct arena *mem = arena_new();
	struct complaints c = { .mem = mem };
	struct lines lines = { 0 };
	int rc = lines_parse(text, "fuzz", mem, &lines, &c);

	if ((rc == 0) != (c.n == 0) || c.n > 100)
		abort();
	for (size_t i = 0; i < c.n; i++)
		if (strncmp(c.text[i], "fuzz:", 5) != 0)
			abort();
	for (size_t i = 0; i < lines.n; i++) {
		check_line(&lines.v[i], text);
		for (size_t j = 0; j < lines.v[i].nwords && j < 16; j++)
			check_values(lines.v[i].words[j]);
	}
	check_again(&lines, mem);
	check_includes(text, mem);
	arena_free(mem);
	return 0;
}
