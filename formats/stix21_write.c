/* stix21_write.c -- a bundle of the senders' bytes, at once or object by object. See stix21_read.h. */
#include <stdlib.h>

#include "formats/stix21_read.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

struct writing {
	const struct write_job	*job;
	struct sha256		*members;	/* NULL once the id is said */
	bool			 any;
};

static struct writing *
begin(const struct write_job *job, struct err *e)
{
	struct writing *w = xcalloc(1, sizeof(*w));

	(void)e;
	w->job = job;
	w->members = sha256_new();
	return w;
}

/* The same members always give the same id. */
static void
look(struct writing *w, const struct object *o)
{
	sha256_add(w->members, o->id);
	sha256_add(w->members, slice_from("", 1));
	sha256_add(w->members, o->bytes);
	sha256_add(w->members, slice_from("", 1));
}

/* Append the id of a bundle of the members that were looked at. */
static void
add_bundle_id(struct writing *w, struct strbuf *out)
{
	static const char prefix[] = "stix21|bundle|";
	char name[sizeof(prefix) + 2 * SHA256_LEN], uuid[UUID_TEXT + 1];
	uint8_t sum[SHA256_LEN];

	sha256_end(w->members, sum);
	w->members = NULL;
	memcpy(name, prefix, sizeof(prefix) - 1);
	hex_text(sum, sizeof(sum), name + sizeof(prefix) - 1);
	uuid_v5(uuid_ns_tocsin, slice_of(name), uuid);
	strbuf_addf(out, "bundle--%s", uuid);
}

static int
head(struct writing *w, struct strbuf *out, struct err *e)
{
	(void)e;
	strbuf_adds(out, w->job->pretty ? "{\n \"type\": \"bundle\",\n \"id\": \"" :
	    "{\"type\":\"bundle\",\"id\":\"");
	add_bundle_id(w, out);
	strbuf_addc(out, '"');
	return 0;
}

/* What the sender wrote is kept to the last leaf; what a translator minted was accounted for by it. */
static void
account(const struct writing *w, const struct object *o)
{
	struct json_doc doc = { .root = o->tree };
	struct arena *mem;

	if (w->job->loss == NULL || (o->flags & OBJECT_MINTED) != 0)
		return;
	mem = arena_new();
	if (doc.root == NULL)
		json_parse(o->bytes, NULL, mem, &doc, NULL);
	stix21_account(w->job->loss, LOSS_KEPT, doc.root, o->id, NULL);
	arena_free(mem);
}

/* The bytes of every object go out unchanged. */
static int
put(struct writing *w, const struct object *o, struct strbuf *out, struct err *e)
{
	bool pretty = w->job->pretty;

	(void)e;
	if (w->any)
		strbuf_adds(out, pretty ? ",\n  " : ",");
	else
		strbuf_adds(out, pretty ? ",\n \"objects\": [\n  " : ",\"objects\":[");
	w->any = true;
	strbuf_addsl(out, o->bytes);
	account(w, o);
	return 0;
}

static int
tail(struct writing *w, struct strbuf *out, struct err *e)
{
	(void)e;
	if (w->any)
		strbuf_adds(out, w->job->pretty ? "\n ]" : "]");
	strbuf_adds(out, w->job->pretty ? "\n}\n" : "}\n");
	return 0;
}

static void
end(struct writing *w)
{
	uint8_t sum[SHA256_LEN];

	if (w->members != NULL)
		sha256_end(w->members, sum);
	free(w);
}

const struct format_stream stix21_stream = {
	.begin = begin, .look = look, .head = head, .put = put, .tail = tail, .end = end,
};

/* Write a bundle of all objects. */
int
stix21_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e)
{
	(void)mem;
	return format_stream_all(&stix21_stream, job, out, e);
}
