#include "gateway/base/lines.h"

#include <stdio.h>

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"

enum {
	LINE_BYTES_MAX = 16 << 10,
	FILE_BYTES_MAX = 16 << 20,
	LOAD_BYTES_MAX = 64 << 20,	/* a file and all that it includes */
	LOAD_LINES_MAX = 1000000,
	DEPTH_MAX = 8,
};

/* What an indented line belongs to. */
enum section {
	SECTION_NONE,		/* nothing: the file has just begun, or an include came */
	SECTION_OPEN,
	SECTION_LOST,		/* a section without a usable first line: only checked */
};

/* A file being read, and through `above` the files that include it. */
struct source {
	const struct source	*above;
	const char		*name;
	unsigned		 depth;
	bool			 may_include;
	enum section		 section;
	uint64_t		 id[2];		/* file_identity */
};

/* One load: what comes out of it, and what it has cost so far. */
struct load {
	struct arena		*mem;
	struct lines		*out;
	struct complaints	*c;
	size_t			 bytes, lines;
	bool			 stopped;	/* a limit of the whole load was met */
};

static void	read_source(struct load *ld, struct source *src, struct slice text);

/* Add "file:line:column: reason"; always false. */
static bool
refuse(struct load *ld, const struct line *at, size_t offset, const char *reason)
{
	complain(ld->c, NULL, "%s:%u:%zu: %s", at->file, at->number, offset + 1, reason);
	return false;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The checks that need no grammar: length, UTF-8, no control characters. */
static bool
check_text(struct load *ld, const struct line *at, struct slice text)
{
	size_t bad = utf8_bad_at(text);
	struct slice rest = text;

	if (text.n > LINE_BYTES_MAX)
		return refuse(ld, at, LINE_BYTES_MAX, "the line is longer than 16 KiB");
	if (bad < text.n)
		return refuse(ld, at, bad, "this byte is not UTF-8");
	while (rest.n > 0) {
		size_t offset = (size_t)(rest.p - text.p);
		uint32_t cp = utf8_next(&rest);

		if (cp != '\t' && utf8_is_unseen(cp))
			return refuse(ld, at, offset,
			    "control and invisible characters are refused");
	}
	return true;
}

/* Find the quote that closes the one at text.p[*i]; leaves *i on it. */
static bool
find_close(struct load *ld, const struct line *at, struct slice text, size_t *i)
{
	size_t start = *i, j;

	for (j = start + 1; j < text.n && text.p[j] != '"'; j++) {
		if (text.p[j] != '\\')
			continue;
		j++;
		if (j < text.n && text.p[j] != '"' && text.p[j] != '\\')
			return refuse(ld, at, j - 1,
			    "in quotes a backslash stands before \" or \\ only");
	}
	if (j >= text.n)
		return refuse(ld, at, start, "this quote is not closed");
	*i = j;
	return true;
}

/* Read the quoted word that starts at text.p[*i]; leaves *i behind the closing quote. */
static bool
take_quoted(struct load *ld, const struct line *at, struct slice text, size_t *i, struct slice *out)
{
	size_t start = *i, n = 0;
	char *word;

	if (!find_close(ld, at, text, i))
		return false;
	word = arena_raw(ld->mem, *i - start);
	for (size_t j = start + 1; j < *i; j++) {
		if (text.p[j] == '\\')
			j++;
		word[n++] = text.p[j];
	}
	word[n] = '\0';
	*out = slice_from(word, n);
	++*i;
	if (*i < text.n && !is_blank(text.p[*i]))
		return refuse(ld, at, *i, "a blank is missing after the closing quote");
	return true;
}

/* Read the bare word that starts at text.p[*i]; leaves *i behind it. */
static bool
take_bare(struct load *ld, const struct line *at, struct slice text, size_t *i, struct slice *out)
{
	size_t start = *i;

	for (; *i < text.n && !is_blank(text.p[*i]); ++*i) {
		if (text.p[*i] == '"')
			return refuse(ld, at, *i, "a quote inside a word; quote the whole word");
	}
	*out = arena_slice(ld->mem, slice_from(text.p + start, *i - start));
	return true;
}

/* Split a line into words; false if something in it was refused. */
static bool
split(struct load *ld, struct line *at, struct slice text)
{
	size_t i = 0, cap = 0, columns_cap = 0;
	struct slice word = SLICE_EMPTY;

	for (;;) {
		size_t start;

		while (i < text.n && is_blank(text.p[i]))
			i++;
		if (i == text.n || text.p[i] == '#')
			return true;
		start = i;
		if (!(text.p[i] == '"' ? take_quoted : take_bare)(ld, at, text, &i, &word))
			return false;
		at->words = arena_grow(ld->mem, at->words, at->nwords, &cap, sizeof(*at->words));
		at->columns = arena_grow(ld->mem, at->columns, at->nwords, &columns_cap,
		    sizeof(*at->columns));
		at->words[at->nwords] = word;
		at->columns[at->nwords++] = (uint32_t)start + 1;
	}
}

/* The path that `word` means inside the file `name`: relative to its folder. */
static const char *
resolve(struct arena *mem, const char *name, struct slice word)
{
	const char *slash = strrchr(name, '/');

	if (word.p[0] == '/')
		return arena_str(mem, word);
	if (slash != NULL)
		return arena_fmt(mem, "%.*s/%s", (int)(slash - name), name, word.p);
	/* "-" alone would be standard input. */
	return slice_is(word, "-") ? "./-" : arena_str(mem, word);
}

/* Read one file into the load; `at` is the line that includes it, or NULL. */
static void
read_file(struct load *ld, struct source *src, const char *path, const struct line *at)
{
	size_t left = LOAD_BYTES_MAX - ld->bytes;
	struct strbuf text = STRBUF_INIT;
	struct err e = ERR_INIT;

	if (file_read(path, left < FILE_BYTES_MAX ? left : FILE_BYTES_MAX, &text, &e) < 0) {
		if (at == NULL)
			complain(ld->c, NULL, "%s: %s", src->name, e.reason);
		else
			complain(ld->c, at, "include '%s': %s", src->name, e.reason);
	} else {
		ld->bytes += text.n;
		read_source(ld, src, strbuf_slice(&text));
	}
	strbuf_fini(&text);
}

/* Follow "include FILE". */
static void
include(struct load *ld, struct source *from, const struct line *at)
{
	struct source src = { .above = from, .depth = from->depth + 1, .may_include = true };

	if (at->nwords != 2 || at->words[1].n == 0) {
		complain(ld->c, at, "include takes one file name");
		return;
	}
	if (!from->may_include) {
		complain(ld->c, at, "include is not possible here: this text is no file");
		return;
	}
	if (src.depth > DEPTH_MAX) {
		complain(ld->c, at, "includes are nested deeper than %d", (int)DEPTH_MAX);
		return;
	}
	src.name = resolve(ld->mem, from->name, at->words[1]);
	if (file_identity(src.name, src.id)) {
		for (const struct source *s = from; s != NULL; s = s->above) {
			if (s->id[0] != src.id[0] || s->id[1] != src.id[1])
				continue;
			complain(ld->c, at, "include '%s': the file includes itself", src.name);
			return;
		}
	}
	read_file(ld, &src, src.name, at);
}

/* Take one line of a file. */
static void
read_line(struct load *ld, struct source *src, uint32_t number, struct slice text)
{
	struct line l = { .file = src->name, .number = number };

	if (text.n > 0 && text.p[text.n - 1] == '\r')
		text.n--;
	if (!check_text(ld, &l, text) || !split(ld, &l, text)) {
		if (text.n > 0 && !is_blank(text.p[0]) && text.p[0] != '#')
			src->section = SECTION_LOST;
		return;
	}
	if (l.nwords == 0)
		return;
	l.indented = l.columns[0] > 1;
	if (!l.indented && slice_is(l.words[0], "include")) {
		include(ld, src, &l);
		src->section = SECTION_NONE;
		return;
	}
	if (l.indented && src->section != SECTION_OPEN) {
		/* Under an include, or at the top of an included file, the line would silently fall
		 * into whatever section the other file ended with. */
		if (src->section == SECTION_NONE)
			complain(ld->c, &l,
			    "an indented line needs a section above it in this file");
		src->section = SECTION_LOST;
		return;
	}
	src->section = SECTION_OPEN;
	ld->out->v = arena_grow(ld->mem, ld->out->v, ld->out->n, &ld->out->cap, sizeof(l));
	ld->out->v[ld->out->n++] = l;
}

/* Take all lines of a text. */
static void
read_source(struct load *ld, struct source *src, struct slice text)
{
	uint32_t number = 0;

	if (slice_starts(text, "\xef\xbb\xbf"))
		text = slice_from(text.p + 3, text.n - 3);
	while (text.n > 0 && !ld->stopped) {
		struct slice line = slice_cut(&text, '\n');

		number++;
		if (++ld->lines > LOAD_LINES_MAX) {
			complain(ld->c, NULL, "%s:%u: more than %d lines", src->name, number,
			    (int)LOAD_LINES_MAX);
			ld->stopped = true;
		} else {
			read_line(ld, src, number, line);
		}
	}
}

/* -1 if complaints came on top of `before`. */
static int
verdict(const struct complaints *c, size_t before)
{
	return c->n + c->dropped > before ? -1 : 0;
}

int
lines_read(const char *path, struct arena *mem, struct lines *out, struct complaints *c)
{
	struct load ld = { .mem = mem, .out = out, .c = c };
	bool is_stdin = strcmp(path, "-") == 0;
	struct source src = { .name = is_stdin ? "(stdin)" : arena_str(mem, slice_of(path)),
	    .may_include = !is_stdin };
	size_t before = c->n + c->dropped;

	if (c->mem == NULL)
		c->mem = mem;
	if (!is_stdin)
		file_identity(path, src.id);
	read_file(&ld, &src, path, NULL);
	return verdict(c, before);
}

int
lines_parse(struct slice text, const char *name, struct arena *mem, struct lines *out,
    struct complaints *c)
{
	struct load ld = { .mem = mem, .out = out, .c = c };
	struct source src = { .name = arena_str(mem, slice_of(name)) };
	size_t before = c->n + c->dropped;

	if (c->mem == NULL)
		c->mem = mem;
	if (text.n > FILE_BYTES_MAX)
		complain(c, NULL, "%s: larger than %d bytes", name, (int)FILE_BYTES_MAX);
	else
		read_source(&ld, &src, text);
	return verdict(c, before);
}
