/* If this fails, a path, a method or an Accept line leads a client to something else than it asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adapters/taxii_routes.h"
#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"

static const char conf_text[] =
    "node a\n    sign-key s\n    audit-key a\n    dedup-key d\n"
    "taxii\n    api-root one\nroot two\ncollection c\n    roots two\n";

static const char conf_without_20[] =
    "node a\n    sign-key s\n    audit-key a\n    dedup-key d\ntaxii\n    taxii20 no\n";

#define T21	"Accept: application/taxii+json;version=2.1\r\n"
#define T20	"Accept: application/vnd.oasis.taxii+json; version=2.0\r\n"
#define S20	"Accept: application/vnd.oasis.stix+json; version=2.0\r\n"
#define BUNDLE	"Content-Type: application/vnd.oasis.stix+json; version=2.0\r\n"
#define ENVELOPE "Content-Type: application/taxii+json;version=2.1\r\n"

static const struct {
	const char *method, *path, *lines;
	const char *want;	/* word of the route, "406 word", "404", "405 allow" */
} rows[] = {
	{ "GET", "/taxii2/", T21, "discovery" },
	{ "GET", "/taxii2", "", "discovery" },
	{ "HEAD", "/taxii2/", T21, "discovery" },
	{ "GET", "/%74axii2/", T21, "discovery" },
	{ "GET", "/Taxii2/", T21, "404" },
	{ "GET", "/", T21, "404" },
	{ "GET", "//", T21, "404" },
	{ "GET", "/taxii2//", T21, "404" },
	{ "GET", "/one/", T21, "root" },
	{ "GET", "/two", T21, "root" },
	{ "GET", "/three/", T21, "404" },
	{ "GET", "/two/collections/c/objects/x/versions/", T21, "versions" },
	{ "GET", "/two/collections/c/objects/x/versions/y/", T21, "404" },
	{ "GET", "/two/collections/c/objects/x%2Fversions/", T21, "404" },
	{ "GET", "/two/collections/c/../c/", T21, "404" },
	{ "GET", "/two/1/2/3/4/5/6/7/8/9/10/", T21, "404" },
	{ "POST", "/two/collections/c/objects/", ENVELOPE, "post" },
	{ "POST", "/two/collections/c/objects/", T21, "post" },
	{ "POST", "/two/collections/c/objects/", "Accept: */*\r\n" BUNDLE, "post20" },
	{ "POST", "/two/collections/c/objects/", T20 BUNDLE, "post20" },
	{ "POST", "/two/collections/c/objects/", T20 ENVELOPE, "post20" },
	{ "DELETE", "/two/collections/c/objects/x/", T21, "delete" },
	{ "DELETE", "/two/collections/c/objects/x/", T20, "406 delete" },
	{ "DELETE", "/two/collections/c/objects/", T21, "405 GET, HEAD, POST, OPTIONS" },
	{ "PUT", "/taxii2/", T21, "405 GET, HEAD, OPTIONS" },
	{ "OPTIONS", "/two/collections/c/objects/x/", T20, "405 GET, HEAD, DELETE, OPTIONS" },
	{ "BREW", "/one/", T21, "405 GET, HEAD, OPTIONS" },
	{ "GET", "/one/", T20, "root20" },
	{ "GET", "/taxii/", T20, "discovery20" },
	{ "GET", "/taxii/", T21, "406 discovery20" },
	{ "GET", "/taxii2/", T20, "406 discovery" },
	{ "POST", "/taxii11/", "", "taxii11" },
	{ "POST", "/taxii11/poll", "Accept: application/xml\r\n", "poll11" },
	{ "POST", "/taxii11/inbox/", T21, "inbox11" },
	{ "GET", "/taxii11/discovery", "", "405 POST, OPTIONS" },
	{ "POST", "/taxii11/objects/", "", "404" },
	{ "GET", "/two/collections/c/objects/", S20, "objects20" },
	{ "GET", "/two/collections/c/objects/", S20 T21, "objects" },
	{ "GET", "/two/collections/c/", S20, "406 collection" },
	{ "GET", "/one/", "Accept: text/html\r\n", "406 root" },
};

/* Match one request; the words of its outcome. */
static const char *
outcome(const struct config *conf, const char *method, const char *path, const char *lines,
    enum taxii_family *family, char text[128])
{
	struct http1 *p = http1_new_requests(NULL);
	struct strbuf b = STRBUF_INIT;
	struct taxii_match m;
	struct slice in, data;

	strbuf_addf(&b, "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n", method, path, lines);
	in = strbuf_slice(&b);
	assert_int_equal(http1_next(p, &in, &data), HTTP1_HEAD);
	taxii_match(http1_head(p), conf, NULL, &m);
	*family = m.family;
	if (m.place == NULL)
		snprintf(text, 128, "404");
	else if (m.route == NULL)
		snprintf(text, 128, "405 %s", m.allow);
	else
		snprintf(text, 128, "%s%s", m.acceptable ? "" : "406 ", m.route->word);
	http1_free(p);
	strbuf_fini(&b);
	return text;
}

static struct config *
config_of(const char *text)
{
	struct complaints c = { 0 };
	struct config *conf = config_parse(slice_of(text), "t.conf", &c);

	if (conf == NULL)
		fail_msg("%s", c.text[0]);
	arena_free(c.mem);
	return conf;
}

static void
requests_find_their_route(void **state)
{
	struct config *conf = config_of(conf_text);
	enum taxii_family family;
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strcmp(outcome(conf, rows[i].method, rows[i].path, rows[i].lines, &family, text),
		    rows[i].want) != 0)
			fail_msg("%s %s %s: %s", rows[i].method, rows[i].path, rows[i].lines, text);
	config_free(conf);
}

/* Errors come in the form of who asked, as far as that can be told. */
static void
errors_have_a_family(void **state)
{
	static const struct { const char *path, *lines; enum taxii_family want; } shown[] = {
		{ "/nothing/", T21, FAMILY_TAXII21 }, { "/nothing/", T20, FAMILY_TAXII20 },
		{ "/nothing/", "Accept: text/html\r\n", FAMILY_TAXII21 },
		{ "/one/", T20, FAMILY_TAXII20 }, { "/one/", "Accept: a/b\r\n", FAMILY_TAXII21 },
		{ "/taxii/", "Accept: a/b\r\n", FAMILY_TAXII20 }, { "/taxii2/", T20, FAMILY_TAXII21 },
	};
	struct config *conf = config_of(conf_text), *plain = config_of(conf_without_20);
	enum taxii_family family;
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
		outcome(conf, "GET", shown[i].path, shown[i].lines, &family, text);
		if (family != shown[i].want)
			fail_msg("%s %s: %d", shown[i].path, shown[i].lines, (int)family);
	}
	/* a family that is off has neither paths nor errors */
	assert_string_equal(outcome(plain, "GET", "/taxii/", T20, &family, text), "404");
	assert_int_equal(family, FAMILY_TAXII21);
	assert_string_equal(outcome(plain, "GET", "/api/", T20, &family, text), "406 root");
	assert_int_equal(family, FAMILY_TAXII21);
	config_free(conf);
	config_free(plain);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_find_their_route),
		cmocka_unit_test(errors_have_a_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
