/* stix21_write.c -- a bundle of the senders' bytes. See stix21_read.h. */
#include "formats/stix21_read.h"
#include "gateway/base/codec.h"
#include "gateway/base/digest.h"
#include "gateway/base/strbuf.h"

/* Append the id of a bundle of these members: the same members always give the same id. */
static void
add_bundle_id(struct strbuf *out, const struct advisory *adv)
{
	static const char prefix[] = "stix21|bundle|";
	char name[sizeof(prefix) + 2 * SHA256_LEN], uuid[UUID_TEXT + 1];
	struct sha256 *h = sha256_new();
	uint8_t sum[SHA256_LEN];

	for (size_t i = 0; i < adv->n; i++) {
		sha256_add(h, adv->objects[i].id);
		sha256_add(h, slice_from("", 1));
		sha256_add(h, adv->objects[i].bytes);
		sha256_add(h, slice_from("", 1));
	}
	sha256_end(h, sum);
	memcpy(name, prefix, sizeof(prefix) - 1);
	hex_text(sum, sizeof(sum), name + sizeof(prefix) - 1);
	uuid_v5(uuid_ns_tocsin, slice_of(name), uuid);
	strbuf_addf(out, "bundle--%s", uuid);
}

/* Write a bundle with the bytes of every object unchanged. What the sender wrote is kept to the last
 * leaf; what a translator minted was accounted for by it. */
int
stix21_write(const struct write_job *job, struct arena *mem, struct strbuf *out, struct err *e)
{
	const struct advisory *adv = job->adv;
	const char *between = job->pretty ? ",\n  " : ",";

	(void)mem;
	(void)e;
	strbuf_adds(out, job->pretty ? "{\n \"type\": \"bundle\",\n \"id\": \"" :
	    "{\"type\":\"bundle\",\"id\":\"");
	add_bundle_id(out, adv);
	strbuf_addc(out, '"');
	for (size_t i = 0; i < adv->n; i++) {
		const struct object *o = &adv->objects[i];

		if (i > 0)
			strbuf_adds(out, between);
		else
			strbuf_adds(out, job->pretty ? ",\n \"objects\": [\n  " : ",\"objects\":[");
		strbuf_addsl(out, o->bytes);
		if ((o->flags & OBJECT_MINTED) == 0)
			stix21_account(job->loss, LOSS_KEPT, o->tree, o->id, NULL);
	}
	if (adv->n > 0)
		strbuf_adds(out, job->pretty ? "\n ]" : "]");
	strbuf_adds(out, job->pretty ? "\n}\n" : "}\n");
	return 0;
}
