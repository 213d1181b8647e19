#include "adapters/relay_envelope.h"

#include "gateway/base/arena.h"
#include "gateway/base/codec.h"
#include "gateway/base/json.h"
#include "gateway/base/strbuf.h"

enum { NAME_MAX_BYTES = 128, ADVISORY_MAX_BYTES = 256, MEMBER_MAX_BYTES = 128 * 1024 };

/* The text that is signed. */
static void
signed_text(struct strbuf *out, const struct relay_envelope *env, const char *digest)
{
	strbuf_addf(out, "tocsin-relay-1\n%s\n%s\n%s\n%s\n%s\n%s\n%s", env->advisory, env->from,
	    env->hops, env->audience, tlp_word(env->label), tlp_word(env->unmarked), digest);
}

/* "a,b" as a JSON list of strings. */
static void
add_names(struct strbuf *out, const char *names)
{
	struct slice rest = slice_of(names);

	strbuf_addc(out, '[');
	for (bool first = true; rest.n > 0; first = false) {
		if (!first)
			strbuf_addc(out, ',');
		json_print_string(out, slice_cut(&rest, ','));
	}
	strbuf_addc(out, ']');
}

int
relay_envelope_write(struct strbuf *out, const struct relay_envelope *env,
    const uint8_t sign_key[ED25519_KEY_LEN], struct slice objects,
    const uint8_t digest[SHA256_LEN], struct err *e)
{
	uint8_t sig[ED25519_SIG_LEN];
	char hex[2 * SHA256_LEN + 1];
	struct strbuf text = STRBUF_INIT;
	int rc;

	hex_text(digest, SHA256_LEN, hex);
	signed_text(&text, env, hex);
	rc = ed25519_sign(sign_key, strbuf_slice(&text), sig, e);
	strbuf_fini(&text);
	if (rc < 0)
		return -1;
	strbuf_adds(out, "{\"x_tocsin\":{\"advisory\":");
	json_print_string(out, slice_of(env->advisory));
	strbuf_adds(out, ",\"from\":");
	json_print_string(out, slice_of(env->from));
	strbuf_adds(out, ",\"hops\":");
	add_names(out, env->hops);
	strbuf_adds(out, ",\"audience\":");
	add_names(out, env->audience);
	strbuf_addf(out, ",\"label\":\"%s\",\"unmarked\":\"%s\",\"digest\":\"%s\",\"sig\":\"",
	    tlp_word(env->label), tlp_word(env->unmarked), hex);
	base64_add(out, sig, sizeof(sig));
	strbuf_adds(out, "\"},\"objects\":[");
	strbuf_addsl(out, objects);
	strbuf_adds(out, "]}");
	return 0;
}

static int
bad(struct err *e, const char *member, const char *why)
{
	err_set(e, ERR_VALUE, "%s", why);
	err_path(e, "x_tocsin/%s", member);
	return -1;
}

/* A name that can stand in a comma separated list and in a signed line. */
static bool
is_name(struct slice s, size_t max)
{
	if (s.n == 0 || s.n > max)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == ',' || s.p[i] == 0x7f)
			return false;
	return true;
}

static int
read_text(const json *x, const char *member, size_t max, struct arena *mem, const char **out,
    struct err *e)
{
	struct slice s = json_member(x, member);

	if (!is_name(s, max))
		return bad(e, member, "missing, or no plain name");
	*out = arena_str(mem, s);
	return 0;
}

static int
read_names(const json *x, const char *member, size_t max, struct arena *mem, const char **out,
    struct err *e)
{
	const json *list = json_get(x, member);
	struct strbuf b = STRBUF_INIT;
	int rc = 0;

	if (list != NULL && (!json_is_list(list) || json_count(list) > max))
		return bad(e, member, "no list of names, or too many");
	for (const json *i = json_first(list); i != NULL && rc == 0; i = json_next(i)) {
		if (!is_name(json_slice(i), NAME_MAX_BYTES)) {
			rc = bad(e, member, "holds something that is no plain name");
			break;
		}
		if (b.n > 0)
			strbuf_addc(&b, ',');
		strbuf_addsl(&b, json_slice(i));
	}
	*out = arena_str(mem, strbuf_slice(&b));
	strbuf_fini(&b);
	return rc;
}

static int
read_label(const json *x, const char *member, enum tlp *out, struct err *e)
{
	struct slice word = json_member(x, member);

	*out = tlp_parse(word);
	if (*out == TLP_UNSET && !slice_is(word, tlp_word(TLP_UNSET)))
		return bad(e, member, "no TLP label");
	return 0;
}

/* The sender is the last of the hops: who leaves himself out would get his own advisories back. */
static bool
ends_with_sender(const struct relay_envelope *env)
{
	const char *comma = strrchr(env->hops, ',');

	return strcmp(comma == NULL ? env->hops : comma + 1, env->from) == 0;
}

static bool
signature_holds(const json *x, const struct relay_envelope *env, const char *digest,
    const uint8_t *key)
{
	struct strbuf raw = STRBUF_INIT, text = STRBUF_INIT;
	bool good;

	signed_text(&text, env, digest);
	good = base64_decode(json_member(x, "sig"), false, &raw) && raw.n == ED25519_SIG_LEN &&
	    ed25519_verify(key, strbuf_slice(&text), (const uint8_t *)raw.p);
	strbuf_fini(&raw);
	strbuf_fini(&text);
	return good;
}

/* Everything but the signature. */
static int
read_members(const json *x, struct arena *mem, struct relay_envelope *env, struct err *e)
{
	if (!json_is_object(x))
		return bad(e, "", "no object");
	if (read_text(x, "advisory", ADVISORY_MAX_BYTES, mem, &env->advisory, e) < 0 ||
	    read_text(x, "from", NAME_MAX_BYTES, mem, &env->from, e) < 0 ||
	    read_names(x, "hops", RELAY_HOPS_MAX, mem, &env->hops, e) < 0 ||
	    read_names(x, "audience", RELAY_AUDIENCE_MAX, mem, &env->audience, e) < 0 ||
	    read_label(x, "label", &env->label, e) < 0 ||
	    read_label(x, "unmarked", &env->unmarked, e) < 0)
		return -1;
	return ends_with_sender(env) ? 0 : bad(e, "hops", "do not end with the sender");
}

int
relay_envelope_read(struct slice member, const uint8_t objects[SHA256_LEN], const uint8_t *verify_key,
    struct arena *mem, struct relay_envelope *env, struct err *e)
{
	static const struct json_limits limits = { .depth = 4, .nodes = 1024, .bytes = MEMBER_MAX_BYTES };
	char digest[2 * SHA256_LEN + 1];
	struct json_doc doc;

	memset(env, 0, sizeof(*env));
	if (member.n == 0)
		return 0;
	if (json_parse(member, &limits, mem, &doc, NULL) < 0)
		return bad(e, "", "no object of that kind");
	if (read_members(doc.root, mem, env, e) < 0)
		return -1;
	hex_text(objects, SHA256_LEN, digest);
	if (!slice_is(json_member(doc.root, "digest"), digest))
		return bad(e, "digest", "does not fit the objects");
	if (verify_key == NULL)
		return 1;
	if (!signature_holds(doc.root, env, digest, verify_key))
		return bad(e, "sig", "not signed by this peer's key, or changed on the way");
	env->is_signed = true;
	return 1;
}
