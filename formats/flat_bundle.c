/*
 * flat_bundle.c -- the objects themselves, verbatim, in a STIX 2.1 bundle.
 */
#include "formats/flat_impl.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

/* The id follows from the title: the same feed is the same bundle on every node. */
void
flat_bundle_head(struct flat_run *run, struct strbuf *out)
{
	char id[UUID_TEXT + 1];
	struct strbuf name = STRBUF_INIT;

	strbuf_addf(&name, "feed|%s", run->job->title);
	uuid_v5(uuid_ns_tocsin, strbuf_slice(&name), id);
	strbuf_fini(&name);
	strbuf_addf(out, "{\"type\":\"bundle\",\"id\":\"bundle--%s\"", id);
}

/* `objects` is absent or holds one: it is opened by the first. */
void
flat_bundle_object(struct flat_run *run, const struct object *o, struct strbuf *out)
{
	strbuf_adds(out, run->any ? ",\n" : ",\"objects\":[\n");
	run->any = true;
	strbuf_addsl(out, o->bytes);
}

void
flat_bundle_tail(struct flat_run *run, struct strbuf *out)
{
	strbuf_adds(out, run->any ? "\n]}\n" : "}\n");
}
