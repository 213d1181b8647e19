#include "gateway/cmd_account.h"

#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/base/json.h"
#include "gateway/base/spill.h"
#include "gateway/base/strbuf.h"

static const char *const legs[LEGS] = { [LEG_READING] = "reading", [LEG_WRITING] = "writing" };

/* Path and note follow. */
struct record {
	uint32_t	kind, path, note;
};

struct account {
	struct spill	*entries[LEGS];
	size_t		 count[LEGS][LOSS_KINDS];
	struct loss	 now;
	struct arena	*mem;		/* of `now` */
};

struct account *
account_new(void)
{
	struct account *a = xcalloc(1, sizeof(*a));

	for (int i = 0; i < LEGS; i++)
		a->entries[i] = spill_new();
	a->mem = arena_new();
	loss_init(&a->now, a->mem);
	return a;
}

void
account_free(struct account *a)
{
	if (a == NULL)
		return;
	for (int i = 0; i < LEGS; i++)
		spill_free(a->entries[i]);
	arena_free(a->mem);
	free(a);
}

struct loss *
account_loss(struct account *a)
{
	return a == NULL ? NULL : &a->now;
}

static void
add(struct account *a, enum leg leg, const struct loss_entry *e, const char *path)
{
	const char *note = e->note == NULL ? "" : e->note;
	const struct record r = { e->kind, (uint32_t)strlen(path), (uint32_t)strlen(note) };

	spill_add(a->entries[leg], &r, sizeof(r));
	spill_add(a->entries[leg], path, r.path);
	spill_add(a->entries[leg], note, r.note);
	a->count[leg][e->kind]++;
}

void
account_take(struct account *a, enum leg leg, const struct read_piece *piece)
{
	if (a == NULL || a->now.n == 0)
		return;
	for (size_t i = 0; i < a->now.n; i++) {
		const char *path = a->now.v[i].path;

		if (piece == NULL || format_piece_path(piece, a->mem, &path))
			add(a, leg, &a->now.v[i], path);
	}
	arena_free(a->mem);
	a->mem = arena_new();
	loss_init(&a->now, a->mem);
}

struct account_mark
account_mark(const struct account *a, enum leg leg)
{
	struct account_mark m = { 0 };

	if (a == NULL)
		return m;
	m.size = spill_size(a->entries[leg]);
	memcpy(m.count, a->count[leg], sizeof(m.count));
	return m;
}

void
account_cut(struct account *a, enum leg leg, const struct account_mark *to)
{
	if (a == NULL)
		return;
	spill_cut(a->entries[leg], to->size);
	memcpy(a->count[leg], to->count, sizeof(to->count));
}

size_t
account_count(const struct account *a, enum leg leg, enum loss_kind kind)
{
	return a->count[leg][kind];
}

static void
add_counts(struct strbuf *out, const struct account *a, enum leg leg)
{
	for (int k = 0; k < LOSS_KINDS; k++)
		strbuf_addf(out, "%s%s %zu", k == 0 ? "" : ", ", loss_word((enum loss_kind)k),
		    a->count[leg][k]);
	strbuf_addc(out, '\n');
}

void
account_print_counts(const struct account *a, FILE *out)
{
	struct strbuf text = STRBUF_INIT;

	for (int leg = 0; leg < LEGS; leg++) {
		strbuf_addf(&text, "%s: ", legs[leg]);
		add_counts(&text, a, (enum leg)leg);
	}
	fputs(text.p, out);
	strbuf_fini(&text);
}

/* The entry at *at, behind which *at is left; false at the end. */
static bool
next_entry(struct account *a, enum leg leg, uint64_t *at, struct arena *mem, struct loss_entry *out)
{
	struct record r;
	char *path, *note;

	if (*at >= spill_size(a->entries[leg]) ||
	    !spill_get(a->entries[leg], *at, &r, sizeof(r)))
		return false;
	path = arena_alloc(mem, (size_t)r.path + 1);
	note = arena_alloc(mem, (size_t)r.note + 1);
	if (!spill_get(a->entries[leg], *at + sizeof(r), path, r.path) ||
	    !spill_get(a->entries[leg], *at + sizeof(r) + r.path, note, r.note))
		return false;
	*at += sizeof(r) + r.path + r.note;
	*out = (struct loss_entry){ (enum loss_kind)r.kind, path, r.note == 0 ? NULL : note };
	return true;
}

/* The entry as one account of its own shows it: without the line of counts. */
static void
add_line(struct strbuf *out, const struct loss_entry *e)
{
	strbuf_addf(out, "%s  %s%s%s", loss_word(e->kind), e->path, e->note == NULL ? "" : "  ",
	    e->note == NULL ? "" : e->note);
	for (size_t i = 0; i < out->n; i++)
		if ((unsigned char)out->p[i] < ' ' || out->p[i] == 0x7f)
			out->p[i] = '?';	/* of hostile names: nothing for a terminal */
	strbuf_addc(out, '\n');
}

static void
add_json(struct strbuf *out, const struct loss_entry *e)
{
	strbuf_addf(out, "{\"kind\":\"%s\",\"path\":", loss_word(e->kind));
	json_print_string(out, slice_of(e->path));
	if (e->note != NULL) {
		strbuf_adds(out, ",\"note\":");
		json_print_string(out, slice_of(e->note));
	}
	strbuf_addc(out, '}');
}

static void
begin_leg(struct strbuf *out, const struct account *a, enum leg leg, bool as_json)
{
	if (!as_json) {
		strbuf_addf(out, "%s:\n", legs[leg]);
		return;
	}
	strbuf_addf(out, "%s\"%s\":{", leg == 0 ? "{" : ",", legs[leg]);
	for (int k = 0; k < LOSS_KINDS; k++)
		strbuf_addf(out, "\"%s\":%zu,", loss_word((enum loss_kind)k), a->count[leg][k]);
	strbuf_adds(out, "\"entries\":[");
}

static void
write_leg(struct account *a, enum leg leg, bool as_json, struct file_draft *d)
{
	struct strbuf text = STRBUF_INIT;
	struct loss_entry e;
	uint64_t at = 0;
	bool first = true;

	begin_leg(&text, a, leg, as_json);
	for (;;) {
		struct arena *mem = arena_new();
		bool more = next_entry(a, leg, &at, mem, &e);

		file_draft_add(d, strbuf_slice(&text));
		strbuf_setlen(&text, 0);
		if (more && as_json && !first)
			strbuf_addc(&text, ',');
		if (more)
			(as_json ? add_json : add_line)(&text, &e);
		first = false;
		arena_free(mem);
		if (!more)
			break;
	}
	if (as_json)
		strbuf_adds(&text, leg + 1 == LEGS ? "]}}\n" : "]}");
	else
		add_counts(&text, a, leg);
	file_draft_add(d, strbuf_slice(&text));
	strbuf_fini(&text);
}

int
account_write(struct account *a, const char *path, struct err *e)
{
	bool as_json = slice_ends(slice_of(path), ".json");
	struct file_draft *d = file_draft_new(path, e);

	if (d == NULL)
		return -1;
	for (int leg = 0; leg < LEGS; leg++) {
		write_leg(a, (enum leg)leg, as_json, d);
		if (spill_failed(a->entries[leg], e)) {
			file_draft_drop(d);
			return -1;
		}
	}
	return file_draft_keep(d, 0644, e);
}
