/* iodef2_write.c -- an advisory as an IODEF-Document (RFC 7970, mapping.md 2). */
#include "formats/iodef2_write.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"

static const char nobody[] = "csirt.invalid";	/* RFC 2606: no one's name */

/* The language of the document: that of the objects if they agree, else English. */
static struct slice
common_language(const struct iw *w)
{
	struct slice lang = SLICE_EMPTY, s;
	size_t i;

	for (i = 0; i < w->n; i++) {
		s = json_member(w->v[i].o->tree, "lang");
		if (s.n == 0)
			continue;
		if (lang.n > 0 && !slice_eq(lang, s))
			return SLICE_LIT("en");
		lang = s;
	}
	return lang.n > 0 ? lang : SLICE_LIT("en");
}

const char *
iw_csirt(const struct write_job *job)
{
	return job->csirt == NULL || job->csirt[0] == '\0' ? nobody : job->csirt;
}

void
iw_start_document(struct iw *w, struct slice lang)
{
	w->doc = xml_new(w->mem, IODEF2_NS, "", "IODEF-Document");
	xml_declare(w->mem, w->doc, "", IODEF2_NS);
	xml_declare(w->mem, w->doc, "ds", IODEF2_NS_DS);
	xml_declare(w->mem, w->doc, "enum", IODEF2_NS_ENUM);
	xml_declare(w->mem, w->doc, "sci", IODEF2_NS_SCI);
	iw_set(w, w->doc, "version", "2.00");
	xml_set(w->mem, w->doc, "xml:lang", iw_is_language(lang) ? lang : SLICE_LIT("en"));
}

static int
write_tree(struct iw *w, struct err *e)
{
	size_t i;

	iw_start_document(w, common_language(w));
	iw_index_build(w);
	iw_plan(w);
	iw_home(w);
	for (i = 0; i < w->nincidents; i++)
		if (iw_write_incident(w, &w->incidents[i], e) < 0)
			return -1;
	iw_residue(w);
	iw_bundle(w);
	iw_account(w);
	return 0;
}

/* See iodef2.h. */
int
iodef2_write_tree(const struct write_job *job, struct arena *mem, struct xml_node **doc,
    struct err *e)
{
	struct write_job own = *job;
	struct iw w = { .job = &own, .mem = mem, .n = job->adv->n };
	size_t i;
	int rc;

	own.csirt = iw_csirt(job);
	w.v = arena_alloc(mem, (w.n + 1) * sizeof(*w.v));
	for (i = 0; i < w.n; i++)
		w.v[i].o = &job->adv->objects[i];
	w.reader = xml_reader_new(mem);
	rc = write_tree(&w, e);
	xml_reader_free(w.reader);
	*doc = w.doc;
	return rc;
}

/* See format.h. */
int
iodef2_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e)
{
	struct xml_node *doc;

	if (iodef2_write_tree(job, mem, &doc, e) < 0)
		return -1;
	xml_print(out, doc, XML_DECLARATION | (job->pretty ? XML_PRETTY : 0));
	return 0;
}
