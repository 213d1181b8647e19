/* If this fails, what an administrator calls own is put into everybody's block lists, or a typing error in the
 * list goes unheard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "formats/warnlist.h"
#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/peer.h"
#include "gateway/warnings.h"

#define NODE	"node cert-a\n    sign-key s\n    audit-key a\n    dedup-key d\n"

/* The list of a configuration and a trust file; complaints joined by | in `said`. */
static struct warnlist *
load(const char *text, const char *trust_text, char *said, size_t cap)
{
	struct complaints c = { 0 };
	struct config *conf = config_parse(slice_of(text), "t.conf", &c);
	struct trust *trust = NULL;
	struct warnlist *w;

	assert_non_null(conf);
	if (trust_text != NULL)
		assert_non_null(trust = trust_parse(slice_of(trust_text), "trust.conf", &c));
	w = warnings_load(conf, trust, &c);
	said[0] = '\0';
	for (size_t i = 0; i < c.n; i++)
		snprintf(said + strlen(said), cap - strlen(said), "%s%s", i > 0 ? "|" : "", c.text[i]);
	trust_free(trust);
	config_free(conf);
	arena_free(c.mem);
	return w;
}

static void
check(const struct warnlist *w, enum flat_type type, const char *value, const char *reason)
{
	const char *said = warnlist_hit(w, type, slice_of(value));

	if (reason == NULL)
		assert_null(said);
	else
		assert_string_equal(said == NULL ? "nothing" : said, reason);
}

static void
test_own_and_aliases(void **state)
{
	char said[2000];
	struct warnlist *w = load(NODE "warnings\n    networks 185.10.0.0/16 2a00:1::1\n"
	    "    domains cert.gov.xx\n", "node cert-a\n    aliases \"Grid CERT\" GRID grid.gov.xx "
	    "185.20.0.0/24\n", said, sizeof(said));

	(void)state;
	assert_string_equal(said, "");
	assert_non_null(w);
	check(w, FLAT_IPV4, "185.10.1.1", "own network");
	check(w, FLAT_IPV6, "2a00:1::1", "own network");
	check(w, FLAT_DOMAIN, "www.cert.gov.xx", "own domain");
	check(w, FLAT_DOMAIN, "grid.gov.xx", "an alias of this node");
	check(w, FLAT_IPV4, "185.20.0.7", "an alias of this node");
	check(w, FLAT_DOMAIN, "gov.xx", "a name that stands above one of the list");
	check(w, FLAT_DOMAIN, "mil.gov.xx", NULL);
	check(w, FLAT_IPV4, "10.0.0.1", "private network (RFC 1918)");
	warnings_free(w);
}

static void
test_nothing_said(void **state)
{
	char said[2000];
	struct warnlist *w = load(NODE, NULL, said, sizeof(said));

	(void)state;
	assert_non_null(w);
	check(w, FLAT_IPV4, "127.0.0.1", "loopback (RFC 1122)");
	check(w, FLAT_IPV4, "185.10.1.1", NULL);
	warnings_free(w);
}

/* Every mistake is said with its place, all at once. */
static void
test_mistakes(void **state)
{
	char said[2000];

	(void)state;
	assert_null(load(NODE "warnings\n    networks 185.10.0.0/16 cert.gov.xx 300.1.1.1\n"
	    "    domains 10.0.0.1 a_b..c\n    file /nonexistent/list\n", NULL, said, sizeof(said)));
	assert_string_equal(said, "t.conf:6: warnings networks: 'cert.gov.xx' is no network|"
	    "t.conf:6: warnings networks: '300.1.1.1' is no network|"
	    "t.conf:7: warnings domains: '10.0.0.1' is no domain name|"
	    "t.conf:7: warnings domains: 'a_b..c' is no domain name|"
	    "t.conf:8: warnings file: /nonexistent/list: cannot open: No such file or directory");
}

static void
test_file(void **state)
{
	char dir[] = "/tmp/tocsin-warnings-XXXXXX", path[64], text[200], said[2000];
	struct warnlist *w;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/list", dir);
	snprintf(text, sizeof(text), NODE "warnings\n    file %s\n", path);
	assert_int_equal(file_write(path, SLICE_LIT("# ours\n185.30.0.0/24\nour.site\n"), 0600, NULL), 0);
	w = load(text, NULL, said, sizeof(said));
	assert_string_equal(said, "");
	check(w, FLAT_URL, "https://www.our.site/x", "on the list of this node's administrator");
	warnings_free(w);
	assert_int_equal(file_write(path, SLICE_LIT("our.site\nno value\n"), 0600, NULL), 0);
	assert_null(load(text, NULL, said, sizeof(said)));
	assert_non_null(strstr(said, "t.conf:6: warnings file: line 2 of "));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_and_aliases),
		cmocka_unit_test(test_nothing_said),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
