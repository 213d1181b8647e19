#include "gateway/base/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/digest.h"
#include "gateway/base/wire.h"

enum { FILES_MAX = 4096 };

/* Every file is on the heap of its own: pointers to it stay good while others join. */
struct entry {
	struct bundle_file	 file;
	char			*path, *content;
};

struct bundle {
	struct entry	**v;
	size_t		  n, cap;
};

struct bundle *
bundle_new(void)
{
	return xcalloc(1, sizeof(struct bundle));
}

static void
drop_content(struct entry *x)
{
	secret_wipe(x->content, x->file.content.n);
	free(x->content);
}

void
bundle_free(struct bundle *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->n; i++) {
		drop_content(b->v[i]);
		free(b->v[i]->path);
		free(b->v[i]);
	}
	free(b->v);
	free(b);
}

static struct entry *
find(const struct bundle *b, const char *path)
{
	for (size_t i = 0; i < b->n; i++)
		if (strcmp(b->v[i]->path, path) == 0)
			return b->v[i];
	return NULL;
}

static struct entry *
add_entry(struct bundle *b, const char *path)
{
	struct entry *x = xcalloc(1, sizeof(*x));

	if (b->n == b->cap) {
		b->cap = b->cap == 0 ? 16 : b->cap * 2;
		b->v = xrealloc(b->v, b->cap * sizeof(*b->v));
	}
	x->path = xstrdup(path);
	x->file.path = x->path;
	x->file.number = b->n;
	b->v[b->n++] = x;
	return x;
}

void
bundle_add(struct bundle *b, const char *path, struct slice content, bool open_to_others,
    unsigned kinds)
{
	struct entry *x = find(b, path);

	if (x == NULL)
		x = add_entry(b, path);
	else
		drop_content(x);
	x->content = xmalloc(content.n + 1);
	if (content.n > 0)
		memcpy(x->content, content.p, content.n);
	x->content[content.n] = '\0';
	x->file.content = slice_from(x->content, content.n);
	x->file.open_to_others = open_to_others;
	x->file.kinds |= kinds;
}

const struct bundle_file *
bundle_find(const struct bundle *b, const char *path)
{
	const struct entry *x = find(b, path);

	return x == NULL ? NULL : &x->file;
}

void
bundle_pack(struct strbuf *out, const struct bundle *b, unsigned kinds)
{
	uint32_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += (b->v[i]->file.kinds & kinds) != 0;
	wire_put_u32(out, n);
	for (size_t i = 0; i < b->n; i++) {
		const struct bundle_file *f = &b->v[i]->file;

		if ((f->kinds & kinds) == 0)
			continue;
		wire_put_string(out, f->path);
		wire_put_text(out, f->content);
		wire_put_bool(out, f->open_to_others);
	}
}

struct bundle *
bundle_unpack(struct slice body, struct err *e)
{
	struct bundle *b = bundle_new();
	struct arena *mem = arena_new();
	struct wire w;
	uint32_t n;

	wire_open(&w, body);
	n = wire_count(&w, FILES_MAX, 9);
	for (uint32_t i = 0; i < n && !w.bad; i++) {
		const char *path = wire_name(&w, mem);
		struct slice content = wire_text(&w);
		bool open = wire_bool(&w);

		if (!w.bad)
			bundle_add(b, path, content, open, ~0u);
	}
	arena_free(mem);
	if (wire_done(&w))
		return b;
	bundle_free(b);
	err_set(e, ERR_VALUE, "that is no bundle of files");
	return NULL;
}

static bool
holds(const struct bundle *b, const struct bundle_file *f, unsigned kinds)
{
	const struct bundle_file *g = bundle_find(b, f->path);

	return g != NULL && (g->kinds & kinds) != 0 && slice_eq(f->content, g->content);
}

bool
bundle_same(const struct bundle *a, const struct bundle *b, unsigned kinds)
{
	for (size_t i = 0; i < a->n; i++)
		if ((a->v[i]->file.kinds & kinds) != 0 && !holds(b, &a->v[i]->file, kinds))
			return false;
	for (size_t i = 0; i < b->n; i++)
		if ((b->v[i]->file.kinds & kinds) != 0 && !holds(a, &b->v[i]->file, kinds))
			return false;
	return true;
}
