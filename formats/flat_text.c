/*
 * flat_text.c -- lines of lists: plain values, hosts files, Suricata datasets, Wazuh CDB.
 *
 * What cannot stand on a line of such a list is left out: an escape would be another value there.
 */
#include "formats/flat_impl.h"
#include "gateway/base/ascii.h"
#include "gateway/base/codec.h"
#include "gateway/base/strbuf.h"

enum { CDB_KEY_MAX = 250 };

void
flat_line(struct strbuf *out, struct slice s, size_t max)
{
	size_t from = out->n;
	struct strbuf mended = STRBUF_INIT;
	struct slice rest;

	utf8_mend(&mended, flat_cut(s, max * 2));
	rest = strbuf_slice(&mended);
	while (rest.n > 0 && out->n - from < max) {
		struct slice one = rest;
		uint32_t cp = utf8_next(&rest);

		one.n -= rest.n;
		if (out->n - from + one.n > max)
			break;
		if (utf8_is_unseen(cp))
			strbuf_addc(out, ' ');
		else
			strbuf_addsl(out, one);
	}
	strbuf_fini(&mended);
}

bool
flat_is_odd(struct slice s)
{
	if (utf8_bad_at(s) != s.n)
		return true;
	while (s.n > 0)
		if (utf8_is_unseen(utf8_next(&s)))
			return true;
	return false;
}

bool
flat_is_hostname(struct slice s)
{
	size_t dots = 0;

	if (s.n == 0 || s.p[0] == '.' || s.p[s.n - 1] == '.')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '.')
			dots++;
		else if (!ascii_is_digit(c) && (c < 'a' || c > 'z') && c != '-' && c != '_')
			return false;
	}
	return dots > 0;
}

/* Take `n` bytes off the front. */
static struct slice
bite(struct slice *s, size_t n)
{
	struct slice head = slice_from(s->p, n);

	*s = slice_from(s->p + n, s->n - n);
	return head;
}

bool
flat_url_split(struct slice url, struct flat_url *out)
{
	size_t scheme = slice_starts(url, "http://") ? 4 : slice_starts(url, "https://") ? 5 : 0;
	struct slice server, rest = url;
	size_t n, colon;

	memset(out, 0, sizeof(*out));
	if (scheme == 0)
		return false;
	out->scheme = bite(&rest, scheme);
	bite(&rest, 3);
	for (n = 0; n < rest.n && strchr("/?#", rest.p[n]) == NULL; n++)
		;
	server = bite(&rest, n);
	for (n = server.n; n > 0 && server.p[n - 1] != '@'; n--)
		;
	bite(&server, n);
	for (colon = server.n; colon > 0 && ascii_is_digit(server.p[colon - 1]); colon--)
		;
	if (colon > 1 && server.p[colon - 1] == ':') {
		out->port = slice_from(server.p + colon, server.n - colon);
		server.n = colon - 1;
	}
	out->six = server.n > 2 && server.p[0] == '[';
	out->host = out->six ? slice_from(server.p + 1, server.n - 2) : server;
	for (n = 0; n < rest.n && rest.p[n] != '#'; n++)
		;
	out->path = n == 0 ? SLICE_LIT("/") : slice_from(rest.p, n);
	return out->host.n > 0 && out->path.p[0] == '/';
}

/* One value a line; a `#` in front would make it a comment, a blank inside two words. */
bool
flat_txt_record(struct flat_run *run, const struct flat_record *r, struct strbuf *out)
{
	if (flat_is_odd(r->value) || r->value.p[0] == '#')
		return false;
	if (flat_seen_add(run->seen, "", r->value))
		return true;
	strbuf_addsl(out, r->value);
	strbuf_addc(out, '\n');
	return true;
}

void
flat_hosts_head(struct flat_run *run, struct strbuf *out)
{
	strbuf_adds(out, "# ");
	flat_line(out, slice_of(run->job->title), FLAT_NAME_MAX);
	strbuf_adds(out, "\n");
}

bool
flat_hosts_record(struct flat_run *run, const struct flat_record *r, struct strbuf *out)
{
	if (!flat_is_hostname(r->value))
		return false;
	if (flat_seen_add(run->seen, "", r->value))
		return true;
	strbuf_adds(out, "0.0.0.0 ");
	strbuf_addsl(out, r->value);
	strbuf_addc(out, '\n');
	return true;
}

/* Strings in base64, hashes in hex, addresses as they are. */
bool
flat_dataset_record(struct flat_run *run, const struct flat_record *r, struct strbuf *out)
{
	if (r->type == FLAT_DOMAIN && !flat_is_hostname(r->value))
		return false;
	if (flat_seen_add(run->seen, "", r->value))
		return true;
	if (r->type == FLAT_DOMAIN)
		base64_add(out, r->value.p, r->value.n);
	else
		strbuf_addsl(out, r->value);
	strbuf_addc(out, '\n');
	return true;
}

/* The key by which Wazuh looks up a network: the octets that all its addresses share ("10.1.").
 * False if the prefix does not end at an octet. */
static bool
cdb_network(struct slice net, struct slice *key)
{
	struct slice bits = net, addr = slice_cut(&bits, '/');
	size_t octets = slice_is(bits, "8") ? 1 : slice_is(bits, "16") ? 2 :
	    slice_is(bits, "24") ? 3 : 0;

	*key = addr;
	for (size_t i = 0; i < addr.n && octets > 0; i++) {
		if (addr.p[i] == '.' && --octets == 0) {
			key->n = i + 1;
			return true;
		}
	}
	return false;
}

/* KEY:VALUE; a key with a colon stands in quotes, which it therefore cannot hold. */
bool
flat_cdb_record(struct flat_run *run, const struct flat_record *r, struct strbuf *out)
{
	struct slice key = r->value;
	bool quote = memchr(key.p, ':', key.n) != NULL;

	if (flat_is_odd(key) || memchr(key.p, '"', key.n) != NULL || key.n > CDB_KEY_MAX ||
	    key.p[0] == '#' || (r->type == FLAT_IPV4_NET && !cdb_network(r->value, &key)) ||
	    r->type == FLAT_IPV6_NET)
		return false;
	if (flat_seen_add(run->seen, "", key))
		return true;
	strbuf_addf(out, "%s%.*s%s:%s\n", quote ? "\"" : "", SLICE_ARG(key), quote ? "\"" : "",
	    r->classification);
	return true;
}
