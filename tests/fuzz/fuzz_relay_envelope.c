/* If this finds something, a peer can crash the node with the envelope of a relay, or say in it what does not
 * survive being signed and sent on. The digest is put right, so that the fuzzer gets behind it. */
#include <stdint.h>
#include <stdlib.h>

#include "adapters/relay_envelope.h"
#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
count_names(const char *names)
{
	size_t n = names[0] != '\0';

	for (; *names != '\0'; names++)
		n += *names == ',';
	return n;
}

/* The objects as they are signed, and joined as they are sent. */
static void
gather(const struct json_doc *doc, uint8_t digest[SHA256_LEN], struct strbuf *objects)
{
	struct sha256 *h = sha256_new();

	for (size_t i = 0; i < doc->nitems; i++) {
		sha256_add(h, doc->items[i].text);
		sha256_add(h, SLICE_LIT("\n"));
		strbuf_adds(objects, i == 0 ? "" : ",");
		strbuf_addsl(objects, doc->items[i].text);
	}
	sha256_end(h, digest);
}

/* The text of x_tocsin as the translator cuts it out; empty if there is none. */
static struct slice
member_of(const struct json_doc *doc, struct arena *mem)
{
	const json *x = json_get(doc->root, "x_tocsin");
	struct strbuf text = STRBUF_INIT;
	struct slice out;

	if (x != NULL)
		json_print(&text, x);
	out = arena_slice(mem, strbuf_slice(&text));
	strbuf_fini(&text);
	return out;
}

/* What was read is written, signed and read again: it says the same, and the signature holds. */
static void
check_again(const struct relay_envelope *env, struct slice objects, const uint8_t *digest,
    struct arena *mem)
{
	static const uint8_t priv[ED25519_KEY_LEN] = { 1 };
	uint8_t pub[ED25519_KEY_LEN];
	struct strbuf text = STRBUF_INIT;
	struct relay_envelope again;
	struct json_doc doc;

	if (ed25519_public(priv, pub, NULL) < 0 ||
	    relay_envelope_write(&text, env, priv, objects, digest, NULL) < 0 ||
	    json_parse(strbuf_slice(&text), NULL, mem, &doc, NULL) < 0 ||
	    relay_envelope_read(member_of(&doc, mem), digest, pub, mem, &again, NULL) != 1)
		abort();
	if (!again.is_signed || again.label != env->label || again.unmarked != env->unmarked ||
	    strcmp(again.advisory, env->advisory) != 0 || strcmp(again.from, env->from) != 0 ||
	    strcmp(again.hops, env->hops) != 0 || strcmp(again.audience, env->audience) != 0)
		abort();
	strbuf_fini(&text);
}

static void
check_envelope(struct json_doc *doc, struct arena *mem)
{
	static const uint8_t stranger[ED25519_KEY_LEN] = { 2 };
	json *x = json_get(doc->root, "x_tocsin");
	struct strbuf objects = STRBUF_INIT;
	struct relay_envelope env;
	uint8_t digest[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];
	struct err e = ERR_INIT;

	gather(doc, digest, &objects);
	if (relay_envelope_read(member_of(doc, mem), digest, NULL, mem, &env, &e) < 0 &&
	    e.code == ERR_NONE)
		abort();
	hex_text(digest, sizeof(digest), hex);
	if (json_is_object(x))
		json_put_str(mem, x, "digest", slice_of(hex));
	if (relay_envelope_read(member_of(doc, mem), digest, stranger, mem, &env, NULL) > 0)
		abort();
	if (relay_envelope_read(member_of(doc, mem), digest, NULL, mem, &env, NULL) == 1) {
		if (env.is_signed || count_names(env.hops) > RELAY_HOPS_MAX ||
		    count_names(env.audience) > RELAY_AUDIENCE_MAX)
			abort();
		check_again(&env, strbuf_slice(&objects), digest, mem);
	}
	strbuf_fini(&objects);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_from(data, size);
	struct arena *mem = arena_new();
	struct relay_envelope env;
	struct json_doc doc;

	/* the member alone, as a translator that lies would cut it */
	relay_envelope_read(in, (const uint8_t[SHA256_LEN]){ 0 }, NULL, mem, &env, NULL);
	if (json_parse(in, NULL, mem, &doc, NULL) == 0)
		check_envelope(&doc, mem);
	arena_free(mem);
	return 0;
}
