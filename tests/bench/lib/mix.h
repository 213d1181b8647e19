/*
 * mix.h -- a sample of every kind of STIX 2.1 object, as large as wanted and the same every time.
 *
 * Owns:    case.jsonl, one case as CERTs exchange it: 71 objects of all 41 types but extension-definition, of 450
 *          bytes in the mean, a quarter of them relationships, a third observables; and what is filled in for each case.
 * Called:  by the row programs, from the top of the tree.
 * Never:   has a case twice: names, values and ids differ. Observables have the ids that their content gives.
 */
#ifndef TESTS_BENCH_LIB_MIX_H
#define TESTS_BENCH_LIB_MIX_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/sco.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

#define MIX_FILE	"tests/bench/lib/case.jsonl"

/* Append what a mark of the template stands for in case n. */
static inline void
mix_fill(struct strbuf *b, char mark, unsigned n)
{
	switch (mark) {
	case 'n':	strbuf_addf(b, "%u", n); break;			/* any number */
	case 'x':	strbuf_addf(b, "%06x", n); break;		/* the end of a UUID or hash */
	case 'd':	strbuf_addf(b, "%02u", n % 28 + 1); break;	/* a day */
	case 'a':	strbuf_addf(b, "%u.%u", n >> 8 & 255, n & 255); break;
	case 'm':	strbuf_addf(b, "%02x:%02x", n >> 8 & 255, n & 255); break;
	case '4':	strbuf_addf(b, "%x", n & 0xffff); break;
	case 'C':	strbuf_addf(b, "%u", 10000 + n); break;		/* of a CVE */
	default:	abort();
	}
}

/* Give an observable of the case the id of its content, wherever it is named. */
static inline void
mix_name(struct strbuf *text, size_t at)
{
	struct arena *mem = arena_new();
	struct slice line = slice_from(text->p + at, text->n - at), id, right;
	struct json_doc doc;

	line.n = (size_t)((const char *)memchr(line.p, '\n', line.n) - line.p);
	if (json_parse(line, NULL, mem, &doc, NULL) < 0)
		abort();
	id = json_member(doc.root, "id");
	right = sco_id(mem, doc.root);
	if (right.n > 0 && right.n != id.n)
		abort();
	for (char *p = text->p; right.n > 0 && (p = strstr(p, id.p)) != NULL; p += id.n)
		memcpy(p, right.p, right.n);
	arena_free(mem);
}

/* Append a bundle of that many cases. */
static inline void
mix_make(struct strbuf *out, unsigned cases)
{
	struct strbuf text = STRBUF_INIT, one = STRBUF_INIT;
	FILE *f = fopen(MIX_FILE, "r");
	int c;

	if (f == NULL) {
		fprintf(stderr, "%s: not there: start this at the top of the tree\n", MIX_FILE);
		exit(1);
	}
	while ((c = getc(f)) != EOF)
		strbuf_addc(&text, (char)c);
	fclose(f);
	strbuf_adds(out, "{\"type\": \"bundle\", \"id\": \"bundle--5ca50000-7e57-4a00-8b00-000000000000\", \"objects\": [\n");
	for (unsigned n = 0; n < cases; n++) {
		strbuf_reset(&one);
		for (const char *p = text.p; *p != '\0'; p++)
			if (*p == '$')
				mix_fill(&one, *++p, n);
			else
				strbuf_addc(&one, *p);
		for (char *p = one.p; *p != '\0'; p = strchr(p, '\n') + 1)
			mix_name(&one, (size_t)(p - one.p));
		for (char *p = strchr(one.p, '\n'); p[1] != '\0'; p = strchr(p + 1, '\n'))
			p[0] = ',';
		strbuf_addsl(out, strbuf_slice(&one));
		strbuf_setlen(out, out->n - 1);
		strbuf_adds(out, n + 1 < cases ? ",\n" : "]}\n");
	}
	strbuf_fini(&text);
	strbuf_fini(&one);
}

#endif
