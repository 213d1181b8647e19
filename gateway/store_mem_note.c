/* Small facts of other modules: text by space and name, in order. */
#include <stdlib.h>

#include "gateway/store_mem.h"

static int
compare(const struct mem_note *x, const char *space, const char *name)
{
	int c = strcmp(x->space, space);

	return c != 0 || name == NULL ? c : strcmp(x->name, name);
}

/* Where the note is or ought to be; with name NULL, where its space begins. */
static size_t
place_of(const struct mem *m, const char *space, const char *name)
{
	size_t lo = 0, hi = m->nnotes;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare(&m->notes[mid], space, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
note_free(struct mem_note *x)
{
	free(x->space);
	free(x->name);
	free(x->text);
}

static void
insert(struct mem *m, size_t at, const char *space, const char *name, const char *text)
{
	if (m->nnotes == m->notes_cap) {
		m->notes_cap = m->notes_cap * 2 + 16;
		m->notes = xrealloc(m->notes, m->notes_cap * sizeof(*m->notes));
	}
	memmove(&m->notes[at + 1], &m->notes[at], (m->nnotes - at) * sizeof(*m->notes));
	m->notes[at] = (struct mem_note){ xstrdup(space), xstrdup(name), xstrdup(text) };
	m->nnotes++;
}

int
mem_note_set(struct store *s, const char *space, const char *name, const char *text, struct err *e)
{
	struct mem *m = mem_of(s);
	size_t at = place_of(m, space, name);
	bool there = at < m->nnotes && compare(&m->notes[at], space, name) == 0;

	(void)e;
	if (there) {
		note_free(&m->notes[at]);
		m->nnotes--;
		memmove(&m->notes[at], &m->notes[at + 1], (m->nnotes - at) * sizeof(*m->notes));
	}
	if (text != NULL)
		insert(m, at, space, name, text);
	return 0;
}

int
mem_notes(struct store *s, const char *space, const char *name, struct arena *mem,
    struct store_note **v, size_t *n, struct err *e)
{
	struct mem *m = mem_of(s);
	size_t cap = 0;

	(void)e;
	*n = 0;
	for (size_t i = place_of(m, space, name);
	    i < m->nnotes && compare(&m->notes[i], space, name) == 0; i++) {
		*v = arena_grow(mem, *v, *n, &cap, sizeof(**v));
		(*v)[(*n)++] = (struct store_note){ arena_str(mem, slice_of(m->notes[i].name)),
		    arena_str(mem, slice_of(m->notes[i].text)) };
	}
	return 0;
}

void
mem_notes_free(struct mem *m)
{
	for (size_t i = 0; i < m->nnotes; i++)
		note_free(&m->notes[i]);
	free(m->notes);
}
