#include "adapters/feeds_delta.h"

#include <stdio.h>

#include "gateway/base/arena.h"
#include "gateway/base/json.h"

void
feeds_delta_head(struct feeds_delta *d)
{
	if (!d->csv)
		return;
	strbuf_adds(d->out, "op,");
	strbuf_addsl(d->out, d->columns);
	strbuf_adds(d->out, "\r\n");
}

/* A field, in quotes if it needs them. */
static void
add_field(struct strbuf *out, struct slice s)
{
	bool plain = memchr(s.p, '"', s.n) == NULL && memchr(s.p, ',', s.n) == NULL &&
	    memchr(s.p, '\n', s.n) == NULL && memchr(s.p, '\r', s.n) == NULL;

	if (plain) {
		strbuf_addsl(out, s);
		return;
	}
	strbuf_addc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"')
			strbuf_addc(out, '"');
		strbuf_addc(out, s.p[i]);
	}
	strbuf_addc(out, '"');
}

/* The row of a record that is gone: of its columns, those that tell it from others. */
static void
add_gone(struct feeds_delta *d, struct slice name)
{
	struct arena *mem = arena_new();
	struct strbuf text = STRBUF_INIT;
	struct slice rest = d->columns;
	struct json_doc doc = { .root = NULL };

	strbuf_addc(&text, '{');
	strbuf_addsl(&text, name);
	strbuf_addc(&text, '}');
	json_parse(strbuf_slice(&text), NULL, mem, &doc, NULL);
	while (rest.n > 0) {
		const char *column = arena_str(mem, slice_cut(&rest, ','));
		int64_t n;

		strbuf_addc(d->out, ',');
		if (json_int(json_get(doc.root, column), &n))
			strbuf_addn(d->out, n);
		else
			add_field(d->out, json_member(doc.root, column));
	}
	strbuf_adds(d->out, "\r\n");
	strbuf_fini(&text);
	arena_free(mem);
}

void
feeds_delta_add(void *delta, enum feed_op op, struct slice name, struct slice line, struct slice csv)
{
	struct feeds_delta *d = delta;

	/* a worker that reads other files yet may have made a state without this output */
	if (op != FEED_REMOVED && (d->csv ? csv.n : line.n) == 0) {
		d->incomplete = true;
		return;
	}
	d->n[op]++;
	if (d->csv) {
		strbuf_adds(d->out, feed_op_word(op));
		if (op == FEED_REMOVED) {
			add_gone(d, name);
		} else {
			strbuf_addc(d->out, ',');
			strbuf_addsl(d->out, csv);
		}
		return;
	}
	strbuf_addf(d->out, "{\"op\":\"%s\",", feed_op_word(op));
	if (op == FEED_REMOVED) {
		strbuf_addsl(d->out, name);
		strbuf_adds(d->out, "}\n");
	} else {
		strbuf_add(d->out, line.p + 1, line.n - 1);	/* behind its brace */
	}
}
