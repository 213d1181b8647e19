/* taxii11_read.c -- format taxii11: the STIX 1.x that a message of TAXII 1.1 carries, see taxii11.h. */
#include "formats/idmap.h"
#include "formats/stix1.h"
#include "formats/taxii11.h"
#include "formats/xml_walk.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

enum { OBJECTS_MAX = 100000, PREFIXES_MAX = 1000 };

struct taxii11 {
	const struct read_job	*job;
	struct arena		*mem;
	struct advisory		*adv;
	struct xml_node		*root;
	size_t			 limit;		/* of objects */
};

/* ---- a block ---- */

static struct slice
print(struct taxii11 *t, const struct xml_node *n)
{
	struct strbuf b = STRBUF_INIT;
	struct slice text;

	xml_print(&b, n, 0);
	text = arena_slice(t->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return text;
}

static void
refuse(struct taxii11 *t, const struct xml_node *n, const char *code, const struct err *e, const char *path,
    size_t index)
{
	struct verdict *v = advisory_verdict(t->adv, t->mem, VERDICT_REFUSED, code);

	v->err = *e;
	err_input(&v->err, t->job->input);
	err_path(&v->err, "%s", path);
	v->text = print(t, n);
	v->index = index;
}

static bool
is_declared(const struct xml_node *n, struct slice prefix)
{
	for (const struct xml_decl *d = n->decls; d != NULL; d = d->next)
		if (slice_eq(d->prefix, prefix))
			return true;
	return false;
}

/* Values of xsi:type and of ids use prefixes too: what holds at `n` is declared there. False: too many. */
static bool
take_along(struct taxii11 *t, struct xml_node *n)
{
	size_t prefixes = 0;

	for (const struct xml_node *p = n; p != NULL; p = p->parent)
		for (const struct xml_decl *d = p->decls; d != NULL; d = d->next)
			if (++prefixes > PREFIXES_MAX)
				return false;
	for (const struct xml_node *p = n->parent; p != NULL; p = p->parent)
		for (const struct xml_decl *d = p->decls; d != NULL; d = d->next)
			if (d->prefix.n > 0 && !is_declared(n, d->prefix))
				xml_declare(t->mem, n, arena_str(t->mem, d->prefix),
				    arena_str(t->mem, d->uri));
	return true;
}

static void
mark_all(struct xml_node *n, enum xml_mark mark)
{
	struct xml_node *at = n;

	while (at != NULL) {		/* document order, without recursion */
		at->mark = mark;
		for (struct xml_attr *a = at->attrs; a != NULL; a = a->next)
			a->mark = mark;
		if (at->first != NULL) {
			at = at->first;
			continue;
		}
		while (at != n && at->next == NULL)
			at = at->parent;
		at = at == n ? NULL : at->next;
	}
}

/* Take what one package gave into the whole. */
static int
join(struct taxii11 *t, const struct advisory *one, const char *path, struct err *e)
{
	if (t->adv->n + one->n > t->limit)
		return err_set(e, ERR_LIMIT, "the message gives more than %zu objects", t->limit);
	for (size_t i = 0; i < one->n; i++) {
		struct object *o = advisory_add(t->adv, t->mem);
		size_t index = t->adv->n - 1;

		*o = one->objects[i];
		o->index = index;
	}
	for (size_t i = 0; i < one->nverdicts; i++) {
		const struct verdict *from = &one->verdicts[i];
		struct verdict *v = advisory_verdict(t->adv, t->mem, from->kind, from->code);
		char below[sizeof(v->err.path)];

		*v = *from;
		memcpy(below, v->err.path, sizeof(below));
		v->err.path[0] = '\0';
		err_path(&v->err, "%s%s%s", path, below[0] == '\0' ? "" : "/", below);
		v->err.input[0] = '\0';
		err_input(&v->err, t->job->input);
	}
	return 0;
}

static void
join_account(struct loss *all, const struct loss *one)
{
	for (size_t i = 0; one->mem != NULL && i < one->n; i++)
		loss_add(all, one->v[i].kind, one->v[i].path, one->v[i].note);
	for (int kind = 0; one->mem == NULL && kind < LOSS_KINDS; kind++)
		all->count[kind] += one->count[kind];
}

/* A package, detached from its block. What cannot be read costs itself alone. */
static int
read_package(struct taxii11 *t, struct xml_node *doc, const char *path, size_t index, struct err *e)
{
	static const struct xml_account notes = { .dropped = "refused, see the verdict" };
	struct read_job job = *t->job;
	struct advisory one = { 0 };
	struct err why = ERR_INIT;
	struct loss loss;

	if (job.loss != NULL) {
		loss_init(&loss, job.loss->mem);
		job.loss = &loss;
	}
	job.in = print(t, doc);
	job.sha256 = NULL;
	job.piece = NULL;
	job.passed = NULL;
	if (stix1_read_tree(&job, t->mem, doc, path, &one, &why) == 0) {
		if (job.loss != NULL)
			join_account(t->job->loss, &loss);
		return join(t, &one, path, e);
	}
	refuse(t, doc, "BAD_CONTENT", &why, path, index);
	mark_all(doc, XML_DROPPED);
	xml_account(t->job->loss, t->mem, doc, path, &notes);
	return 0;
}

/* Content is the package, or its text (CDATA, or escaped). NULL and *e: it is neither. */
static struct xml_node *
package_of(struct taxii11 *t, struct xml_node *content, const char **path, struct err *e)
{
	struct xml_limits lim = { .depth = t->job->limits.depth, .elements = t->limit * 100 };
	struct xml_node *doc = xml_child(content);

	*path = xml_path_text(t->mem, doc == NULL ? content : doc, NULL);
	if (doc != NULL) {
		if (xml_sibling(doc) != NULL) {
			err_at(e, ERR_VALUE, xml_pos(content), "Content has more than one element");
			return NULL;
		}
		if (take_along(t, doc))
			return doc;
		err_at(e, ERR_LIMIT, xml_pos(doc), "more than %d namespace declarations", PREFIXES_MAX);
		return NULL;
	}
	return xml_parse(slice_trim(xml_text(content, t->mem)), &lim, t->mem, &doc, e) < 0 ? NULL : doc;
}

static int
read_block(struct taxii11 *t, struct xml_node *block, size_t index, struct err *e)
{
	const struct xml_node *named = xml_get(block, "Content_Binding");
	struct slice binding = slice_trim(xml_value(named, "binding_id"));
	struct xml_node *content = xml_get(block, "Content"), *doc;
	const char *path = xml_path_text(t->mem, block, NULL);
	struct err why = ERR_INIT;

	if (content == NULL || !taxii11_is_stix(binding)) {
		if (content == NULL)
			err_at(&why, ERR_MISSING, xml_pos(block), "Content is missing");
		else
			err_at(&why, ERR_UNSUPPORTED, xml_pos(block), "binding \"%.100s\" is not one of "
			    "STIX 1.x", binding.p);
		refuse(t, block, content == NULL ? "BAD_CONTENT" : "UNSUPPORTED_CONTENT", &why, path,
		    index);
		mark_all(block, XML_DROPPED);
		return 0;
	}
	doc = package_of(t, content, &path, &why);
	if (doc == NULL) {
		refuse(t, block, "BAD_CONTENT", &why, path, index);
		mark_all(block, XML_DROPPED);
		return 0;
	}
	while (content->first != NULL)
		xml_detach(content->first);
	if (content->attrs == NULL)
		xml_detach(content);	/* what it held is told of as a package */
	return read_package(t, doc, path, index, e);
}

/* ---- the whole ---- */

static void
conflicts(struct taxii11 *t, const struct object *o)
{
	struct verdict *v = advisory_verdict(t->adv, t->mem, VERDICT_REFUSED, "VERSION_CONFLICT");

	err_set(&v->err, ERR_CONFLICT, "an earlier package of this message says something else in the same "
	    "version of this object");
	err_input(&v->err, t->job->input);
	v->id = o->id;
	v->version = o->version;
	v->text = o->bytes;
}

/* Packages of one message may have the same definition or identity: the first stays. */
static void
drop_doubles(struct taxii11 *t)
{
	struct advisory *adv = t->adv;
	struct idmap map = { 0 };
	struct object *all = arena_alloc(t->mem, (adv->n + 1) * sizeof(*all));
	size_t n = adv->n;

	for (size_t i = 0; i < n; i++) {
		all[i] = adv->objects[i];
		idmap_add(&map, t->mem, slice_of(arena_fmt(t->mem, "%.*s %.*s", SLICE_ARG(all[i].id),
		    SLICE_ARG(all[i].version_key))), i);
	}
	adv->n = 0;
	idmap_sort(&map);
	for (size_t i = 0; i < n; i++)
		all[map.v[i].value].offset = (size_t)idmap_find(&map, map.v[i].id);
	for (size_t i = 0; i < n; i++) {
		const struct object *first = &all[all[i].offset];

		all[i].index = adv->n;
		if (first == &all[i])
			adv->objects[adv->n++] = all[i];
		else if (!slice_eq(first->bytes, all[i].bytes))
			conflicts(t, &all[i]);
	}
	for (size_t i = 0; i < adv->n; i++)
		adv->objects[i].offset = 0;
}

static void
name_advisory(struct taxii11 *t)
{
	uint8_t digest[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1], uuid[UUID_TEXT + 1];

	format_digest(t->job, digest);
	hex_text(digest, SHA256_LEN, hex);
	uuid_v5(uuid_ns_tocsin, slice_of(arena_fmt(t->mem, "taxii11|message|%s", hex)), uuid);
	t->adv->id = slice_of(arena_fmt(t->mem, "bundle--%s", uuid));
}

static void
keep_envelope(struct taxii11 *t)
{
	static const struct xml_account notes = { .moved = "around the content: in the envelope",
	    .dropped = "refused, see the verdict" };
	json *o = json_object(t->mem), *in = json_put(t->mem, o, "taxii11", json_object(t->mem));
	struct strbuf b = STRBUF_INIT;

	json_put_str(t->mem, in, "message", t->root->name);
	json_put_str(t->mem, in, "xml", print(t, t->root));
	json_print(&b, o);
	t->adv->envelope = arena_slice(t->mem, strbuf_slice(&b));
	strbuf_fini(&b);
	xml_account(t->job->loss, t->mem, t->root, "", &notes);
}

static int
read_message(struct taxii11 *t, struct err *e)
{
	struct xml_limits lim = { .bytes = t->job->limits.bytes, .depth = t->job->limits.depth };
	struct xml_node *block, *next;
	size_t index = 0;

	t->limit = t->job->limits.objects > 0 ? t->job->limits.objects : OBJECTS_MAX;
	if (t->job->limits.objects > 0)
		lim.elements = t->limit * 100;
	if (xml_parse(t->job->in, &lim, t->mem, &t->root, e) < 0)
		return -1;
	if (!slice_is(t->root->ns, TAXII11_NS) || (!slice_is(t->root->name, "Inbox_Message") &&
	    !slice_is(t->root->name, "Poll_Response")))
		return err_at(e, ERR_UNSUPPORTED, xml_pos(t->root),
		    "the root element is %.60s of namespace \"%.80s\", not an Inbox_Message or "
		    "Poll_Response of TAXII 1.1", t->root->name.p, t->root->ns.p);
	for (block = xml_get(t->root, "Content_Block"); block != NULL; block = next) {
		next = xml_more(block);
		if (read_block(t, block, index++, e) < 0)
			return -1;
	}
	drop_doubles(t);
	name_advisory(t);
	keep_envelope(t);
	advisory_settle(t->adv, t->mem);
	return 0;
}

/* See format.h. */
int
taxii11_read(const struct read_job *job, struct arena *mem, struct advisory *adv, struct err *e)
{
	struct taxii11 t = { .job = job, .mem = mem, .adv = adv };
	struct err why = ERR_INIT;

	if (read_message(&t, &why) == 0)
		return 0;
	err_input(&why, job->input);
	if (e != NULL)
		*e = why;
	return -1;
}

static int
taxii11_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e)
{
	(void)job;
	(void)mem;
	(void)out;
	return err_set(e, ERR_UNSUPPORTED, "messages of TAXII 1.1 are read only: write stix1");
}

static int
sniff_taxii11(struct slice head)
{
	struct slice tag = xml_root_tag(head);
	bool ours = memmem(tag.p, tag.n, "messages/taxii_xml_binding-1.1", 30) != NULL;

	return ours ? 98 : 0;
}

const struct format_ops format_taxii11 = {
	.name = "taxii11",
	.media_type = "application/xml",
	.file_ending = ".xml",
	.sniff = sniff_taxii11,
	.read = taxii11_read,
	.write = taxii11_write,
};
