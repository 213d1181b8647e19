/*
 * csaf_write.c -- an advisory as a CSAF document: its profile, the originals beside it, the
 * account.
 *
 * The profile is the richest whose mandatory tests the document passes: what the objects say
 * decides, not what they are called. The base profile asks for nothing that is not made here.
 */
#include "formats/csaf_write.h"

#include "formats/csaf_check.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

void
csaf_wrote(struct csaf_writing *w, struct csaf_part *part, json *element)
{
	part->native = true;
	part->element = element;
	w->written = arena_grow(w->mem, w->written, w->nwritten, &w->written_cap, sizeof(*w->written));
	w->written[w->nwritten++] = (struct csaf_written){ element, part };
}

void
csaf_kept(struct csaf_writing *w, const json *node)
{
	ledger_mark(w->ledger, node, LOSS_KEPT, NULL);
}

struct slice
csaf_take(struct csaf_writing *w, json *tree, const char *name)
{
	return json_slice(ledger_take(w->ledger, tree, name, LOSS_KEPT));
}

void
csaf_generated(struct csaf_writing *w, const char *path, const char *note)
{
	if (!w->native_only)
		loss_add(w->job->loss, LOSS_GENERATED, path, note);
}

struct slice
csaf_label_word(struct csaf_writing *w, json *tree, const char *prefix)
{
	size_t n = strlen(prefix);

	for (json *k = json_first(json_get(tree, "labels")); k != NULL; k = json_next(k)) {
		struct slice s = json_slice(k);

		if (!slice_starts(s, prefix))
			continue;
		csaf_kept(w, k);
		return slice_from(s.p + n, s.n - n);
	}
	return SLICE_EMPTY;
}

/* See csaf_write.h. */
void
csaf_write_start(struct csaf_writing *w, const struct write_job *job, struct arena *mem)
{
	*w = (struct csaf_writing){ .job = job, .mem = mem, .n = job->adv->n, .ledger = ledger_new(mem) };
	w->v = arena_alloc(mem, (w->n + 1) * sizeof(*w->v));
	for (size_t i = 0; i < w->n; i++) {
		const struct object *o = &job->adv->objects[i];

		w->v[i] = (struct csaf_part){ .o = o, .tree = o->tree };
		idmap_add(&w->by_id, mem, o->id, i);
	}
	idmap_sort(&w->by_id);
}

/* csaf_issue_fn that only counts. */
static void
ignore(void *ctx, const struct csaf_issue *issue)
{
	(void)ctx;
	(void)issue;
}

/* True if the document passes all mandatory tests under this category. */
static bool
passes(struct csaf_writing *w, struct slice category)
{
	json_put_str(w->mem, w->document, "category", category);
	return csaf_check_tests(w->root, w->mem, ignore, NULL) == 0;
}

/* True if some vulnerability has such a member. */
static bool
any_has(const struct csaf_writing *w, const char *name)
{
	for (const json *v = json_first(json_get(w->root, "vulnerabilities")); v != NULL; v = json_next(v))
		if (json_get(v, name) != NULL)
			return true;
	return false;
}

/* Call the document what it is: what its own label says, an advisory with remediations, a
 * statement about products, or just a document. */
static void
choose_profile(struct csaf_writing *w)
{
	for (json *k = json_first(json_get(w->report->tree, "labels")); k != NULL; k = json_next(k)) {
		struct slice said = json_slice(k);

		if ((csaf_profile_of(said) == CSAF_BASE && !slice_is(said, "csaf_base")) ||
		    !passes(w, said))
			continue;
		csaf_kept(w, k);
		return;
	}
	csaf_generated(w, "document/category", "the profile follows from what is said");
	if (any_has(w, "remediations") && passes(w, slice_of(csaf_profile_word(CSAF_SECURITY))))
		return;
	if (any_has(w, "product_status") && passes(w, slice_of(csaf_profile_word(CSAF_VEX))))
		return;
	json_put_str(w->mem, w->document, "category", slice_of(csaf_profile_word(CSAF_BASE)));
}

/* See csaf_write.h. */
void
csaf_write_native(struct csaf_writing *w)
{
	w->root = json_object(w->mem);
	csaf_write_document(w);
	csaf_write_products(w);
	csaf_write_vulnerabilities(w);
	choose_profile(w);
	csaf_write_label(w);
}

/* The list of notes of the document, made when it is first needed. */
static json *
notes_of(struct csaf_writing *w)
{
	json *list = json_get(w->document, "notes");

	return list != NULL ? list : json_put(w->mem, w->document, "notes", json_list(w->mem));
}

static void
add_note(struct csaf_writing *w, const char *title, struct slice text)
{
	json *to = json_push(notes_of(w), json_object(w->mem));

	json_put_str(w->mem, to, "category", SLICE_LIT("other"));
	json_put_str(w->mem, to, "text", text);
	json_put_str(w->mem, to, "title", slice_of(title));
}

/* Id of the bundle, and the hash of the document as it is before notes of ours are in it. */
static struct slice
bundle_text(struct csaf_writing *w, size_t n)
{
	json *o = json_object(w->mem);
	struct strbuf text = STRBUF_INIT;
	struct slice s;
	char hash[65];

	csaf_tree_hash(w->root, hash);
	json_put_str(w->mem, o, "id", w->job->adv->id);
	json_put_str(w->mem, o, "csirt", slice_of(w->job->csirt));
	json_put_str(w->mem, o, "sha256", slice_of(hash));
	json_put_int(w->mem, o, "objects", (int64_t)n);
	json_print(&text, o);
	s = arena_slice(w->mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return s;
}

/* See csaf_write.h. Objects whose own document says them need no note; if all others are there,
 * the bundle is told too. */
void
csaf_write_originals(struct csaf_writing *w)
{
	struct slice bundle;
	size_t n = 0;

	if (w->job->no_residue)
		return;
	for (size_t i = 0; i < w->n; i++)
		n += !w->v[i].home;
	if (n == 0)
		return;
	bundle = bundle_text(w, n);
	for (size_t i = 0; i < w->n; i++)
		if (!w->v[i].home)
			add_note(w, CSAF_NOTE_OBJECT, w->v[i].o->bytes);
	if (n == w->n)
		add_note(w, CSAF_NOTE_BUNDLE, bundle);
}

/* The fixed definitions of TLP 2.0 are the same everywhere: the word of the document says them. */
static bool
is_tlp(const struct object *o)
{
	enum tlp t = tlp_of_marking_id(o->id);

	return t != TLP_UNSET && slice_is(o->id, tlp_marking_id(t));
}

/* See csaf_write.h. */
void
csaf_write_account(struct csaf_writing *w)
{
	for (size_t i = 0; w->job->loss != NULL && i < w->n; i++) {
		struct csaf_part *p = &w->v[i];
		bool noted = !w->job->no_residue && !p->home;

		if (is_tlp(p->o))
			csaf_kept(w, p->tree);
		ledger_account(w->ledger, w->job->loss, p->tree, arena_str(w->mem, p->o->id),
		    noted ? LOSS_MOVED : LOSS_DROPPED, noted ? "in a note of the document" :
		    "CSAF has no place for it");
	}
}

/* Print with two blanks a level, as advisories are published. */
static void
print_pretty(struct strbuf *out, const json *o, int level)
{
	bool list = json_is_list(o);

	if (json_first(o) == NULL || (!list && !json_is_object(o))) {
		json_print(out, o);
		return;
	}
	strbuf_addc(out, list ? '[' : '{');
	for (const json *m = json_first(o); m != NULL; m = json_next(m)) {
		strbuf_addf(out, "%s\n%*s", m == json_first(o) ? "" : ",", 2 * (level + 1), "");
		if (!list) {
			json_print_string(out, slice_of(json_name(m)));
			strbuf_adds(out, ": ");
		}
		print_pretty(out, m, level + 1);
	}
	strbuf_addf(out, "\n%*s%c", 2 * level, "", list ? ']' : '}');
}

/* See csaf.h. */
int
csaf_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e)
{
	struct csaf_writing w;

	csaf_write_start(&w, job, mem);
	if (job->no_residue || !csaf_go_home(&w)) {
		if (!csaf_plan(&w))
			return err_set(e, ERR_UNSUPPORTED, "a CSAF document is made of a report that names "
			    "vulnerabilities, and there is none");
		csaf_write_native(&w);
	}
	csaf_write_originals(&w);
	csaf_write_account(&w);
	if (job->pretty)
		print_pretty(out, w.root, 0);
	else
		json_print(out, w.root);
	strbuf_addc(out, '\n');
	return 0;
}
