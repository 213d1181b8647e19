#include "gateway/cmd_ids.h"

#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/siphash.h"
#include "gateway/base/strbuf.h"

enum { IDS_START = 256 };

struct pair {
	uint64_t	a, b;		/* 0, 0: free */
};

struct ids {
	struct pair		*v;
	size_t			 n, cap;	/* cap: a power of two */
	struct siphash_key	 keys[2];	/* whoever names things chooses no places */
	struct strbuf		 name;
};

struct ids *
ids_new(void)
{
	struct ids *s = xcalloc(1, sizeof(*s));

	s->name = (struct strbuf)STRBUF_INIT;
	s->cap = IDS_START;
	s->v = xcalloc(s->cap, sizeof(*s->v));
	s->keys[0] = siphash_key_new();
	s->keys[1] = siphash_key_new();
	return s;
}

void
ids_free(struct ids *s)
{
	if (s == NULL)
		return;
	strbuf_fini(&s->name);
	free(s->v);
	free(s);
}

static struct pair *
slot(struct pair *v, size_t cap, struct pair p)
{
	size_t i = (size_t)p.a & (cap - 1);

	while ((v[i].a != 0 || v[i].b != 0) && (v[i].a != p.a || v[i].b != p.b))
		i = (i + 1) & (cap - 1);
	return &v[i];
}

static void
grow(struct ids *s)
{
	size_t cap = s->cap * 2;
	struct pair *v = xcalloc(cap, sizeof(*v));

	for (size_t i = 0; i < s->cap; i++)
		if (s->v[i].a != 0 || s->v[i].b != 0)
			*slot(v, cap, s->v[i]) = s->v[i];
	free(s->v);
	s->v = v;
	s->cap = cap;
}

bool
ids_add(struct ids *s, struct slice id, struct slice version)
{
	struct pair p, *at;

	strbuf_setlen(&s->name, 0);
	strbuf_addsl(&s->name, id);
	strbuf_addc(&s->name, '\0');
	strbuf_addsl(&s->name, version);
	p.a = siphash(&s->keys[0], strbuf_slice(&s->name));
	p.b = siphash(&s->keys[1], strbuf_slice(&s->name)) | 1;	/* never all zero */
	if (s->n * 4 >= s->cap * 3)
		grow(s);
	at = slot(s->v, s->cap, p);
	if (at->b != 0)
		return true;
	*at = p;
	s->n++;
	return false;
}
