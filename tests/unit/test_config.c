/* If this fails, an administrator's file means something else than it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"

static const char minimal[] =
    "node cert-a\n"
    "    sign-key keys/sign\n"
    "    audit-key keys/audit\n"
    "    dedup-key keys/dedup\n";

/* A parse that must succeed; the complaints go to the message. */
static struct config *
good(const char *text)
{
	struct complaints c = { 0 };
	struct config *conf = config_parse(slice_of(text), "/etc/tocsin/tocsin.conf", &c);

	if (conf == NULL)
		fail_msg("%s", c.n > 0 ? c.text[0] : "no reason");
	arena_free(c.mem);
	return conf;
}

/* A parse that must fail with exactly these complaints (NULL ends them). */
static void
bad(const char *text, const char *const *want)
{
	struct complaints c = { 0 };
	struct config *conf = config_parse(slice_of(text), "t.conf", &c);
	size_t n = 0;

	assert_null(conf);
	for (; want[n] != NULL && n < c.n; n++)
		assert_string_equal(c.text[n], want[n]);
	if (n < c.n)
		fail_msg("one more: %s", c.text[n]);
	assert_null(want[n]);
	arena_free(c.mem);
}
#define BAD(text, ...) bad(text, (const char *const[]){ __VA_ARGS__, NULL })

/* minimal + text, for complaints behind line 4 */
#define MIN	"node a\n    sign-key s\n    audit-key a\n    dedup-key d\n"

static void
defaults_are_sensible(void **state)
{
	struct config *conf = good(minimal);

	(void)state;
	assert_string_equal(conf->name, "cert-a");
	assert_string_equal(conf->sign_key, "/etc/tocsin/keys/sign");
	assert_string_equal(conf->state_dir, "/var/lib/tocsin");
	assert_string_equal(conf->control, "/var/lib/tocsin/control.sock");
	assert_string_equal(conf->store_path, "/var/lib/tocsin/tocsin.db");
	assert_string_equal(conf->operations, "127.0.0.1:9443");
	assert_string_equal(conf->trust_file, "/etc/tocsin/trust.conf");
	assert_string_equal(conf->api_root, "api");
	assert_true(conf->authentication);
	assert_int_equal(conf->nlistens, 0);
	assert_null(conf->redis.url);
	assert_int_equal(conf->limits.body_bytes, 10 << 20);
	assert_int_equal(conf->limits.page_objects, 1000);
	assert_int_equal(conf->limits.retry_age_us, 7 * 86400 * INT64_C(1000000));
	assert_int_equal(conf->limits.hops, 8);
	assert_true(conf->limits.requests.per_second > 19.9 && conf->limits.requests.burst == 300);
	assert_int_equal(conf->log_level, LOG_INFO);
	config_free(conf);
}

static const char whole[] =
    "node cert-a\n"
    "    state state\n"
    "    url https://taxii.example:8443/\n"
    "    csirt cert-a.example\n"
    "    contact desk@cert-a.example\n"
    "    sign-key keys/sign\n"
    "    audit-key keys/audit\n"
    "    dedup-key /secret/dedup\n"
    "    certificate pki/node.pem\n"
    "    key pki/node.key\n"
    "    peer-ca pki/peers.pem\n"
    "listen 0.0.0.0:8443\n"
    "    clients required\n"
    "listen [2001:db8::1]:443\n"
    "    certificate other.pem\n"
    "    key other.key\n"
    "    clients none\n"
    "operations off\n"
    "store\n"
    "    path memory\n"
    "redis unix:run/redis.sock\n"
    "    command-timeout 50ms\n"
    "limits\n"
    "    body 1m\n"
    "    requests 5/s burst 7\n"
    "    guesses none\n"
    "    hops 3\n"
    "taxii\n"
    "    title \"Example desk\"\n"
    "collection inbox\n"
    "    id 91A7B528-80EB-42ED-A74D-C6FBD5A26116\n"
    "    validate strict\n"
    "collection fast\n"
    "    mode view\n"
    "    kinds indicator x-tocsin-thing\n"
    "    tlp clear amber+strict\n"
    "    sectors energy\n"
    "    phases indications\n"
    "    from spool:drop cert-b\n"
    "    distinct yes\n"
    "spool drop\n"
    "    path spool/drop\n"
    "    mapping abuse-csv\n"
    "    collections inbox inbox-cert-b\n"
    "feed f\n    collection fast\n    formats csv txt:ipv4\n    kinds ipv4 domain\n    confidence 50\n"
    "    observables yes\n    restricted yes\n    path lists\n    for soc\n    every 5m\n    records 10\n"
    "    bytes 1m\n    history 1m\n    history-keep 1h\n"
    "pull theirs\n    peer cert-b\n    collection \"Their list\"\n    into inbox\n    every 10m\n"
    "    kinds indicator\n    page 50\n    since 2026-01-01T00:00:00Z\n    skew 1m\n"
    "route all\n"
    "    collections inbox\n"
    "log\n"
    "    format json\n"
    "    level debug\n";

static void
every_section_is_read(void **state)
{
	struct config *conf = good(whole);
	const struct collection_conf *view;

	(void)state;
	assert_string_equal(conf->public_url, "https://taxii.example:8443");
	assert_string_equal(conf->control, "/etc/tocsin/state/control.sock");
	assert_string_equal(conf->dedup_key, "/secret/dedup");
	assert_int_equal(conf->nlistens, 2);
	assert_string_equal(conf->listens[0].certificate, "/etc/tocsin/pki/node.pem");
	assert_string_equal(conf->listens[0].peer_ca, "/etc/tocsin/pki/peers.pem");
	assert_int_equal(conf->listens[0].clients, CLIENTS_REQUIRED);
	assert_string_equal(conf->listens[1].key, "/etc/tocsin/other.key");
	assert_null(conf->operations);
	assert_string_equal(conf->store_path, "memory");
	assert_string_equal(conf->redis.url, "unix:/etc/tocsin/run/redis.sock");
	assert_int_equal(conf->redis.command_us, 50000);
	assert_int_equal(conf->limits.body_bytes, 1 << 20);
	assert_true(conf->limits.requests.per_second == 5 && conf->limits.requests.burst == 7);
	assert_true(conf->limits.guesses.per_second == 0);
	assert_string_equal(conf->title, "Example desk");
	assert_string_equal(conf->collections[0].id, "91a7b528-80eb-42ed-a74d-c6fbd5a26116");
	assert_true(conf->collections[0].validate_strict && !conf->collections[0].view);
	view = config_collection(conf, slice_of("fast"));
	assert_true(view != NULL && view->view && view->distinct);
	assert_string_equal(view->kinds[1], "x-tocsin-thing");
	assert_int_equal(view->tlps, 1 << TLP_CLEAR | 1 << TLP_AMBER_STRICT);
	assert_int_equal(view->phases, 1 << PHASE_INDICATIONS);
	assert_int_equal(view->sectors, 1u << sector_parse(slice_of("energy")));
	assert_string_equal(conf->spools[0].mapping, "/etc/tocsin/mappings/abuse-csv.map");
	assert_string_equal(conf->spools[0].format, "mapped");
	assert_string_equal(conf->routes[0].from[0], "*");
	assert_string_equal(conf->pulls[0].peer, "cert-b");
	assert_string_equal(conf->pulls[0].collection, "Their list");
	assert_string_equal(conf->pulls[0].collections[0], "inbox");
	assert_string_equal(conf->pulls[0].since, "2026-01-01T00:00:00Z");
	assert_true(conf->pulls[0].interval_us == INT64_C(600000000) && conf->pulls[0].page == 50 &&
	    conf->pulls[0].skew_us == 60000000);
	assert_true(conf->log_json && conf->log_level == LOG_DEBUG);
	assert_non_null(config_collection(conf, slice_of("91a7b528-80eb-42ed-a74d-c6fbd5a26116")));
	assert_null(config_collection(conf, slice_of("")));
	config_free(conf);
}

static void
all_errors_come_at_once(void **state)
{
	(void)state;
	BAD("nod a\n    state x\nlimits\n    boddy 10m\n    body huge\n    hops 0\n    hops 3\n",
	    "t.conf:1: unknown section 'nod', did you mean 'node'?",
	    "t.conf:4: unknown word in `limits`: 'boddy', did you mean 'body'?",
	    "t.conf:5: limits body: 'huge' is no size: write 4096, 64k, 10m or 2g",
	    "t.conf:6: limits hops: 0 is out of range: 1 to 64",
	    "t.conf:7: hops is said twice; first at t.conf:6",
	    "t.conf: there is no `node` section");
}

static void
what_must_be_said_is_missed(void **state)
{
	(void)state;
	BAD("node\n    sign-key a b\n    audit-key\nspool x\n",
	    "t.conf:1: node: a name is missing",
	    "t.conf:2: node sign-key takes one path; quote it if it holds blanks",
	    "t.conf:3: node audit-key: a path is missing",
	    "t.conf:1: `node` needs a line `dedup-key`",
	    "t.conf:4: `spool` needs a line `path`",
	    "t.conf:4: `spool` needs a line `collections`");
	BAD(MIN "node b\n", "t.conf:5: a second `node` section; the first is at t.conf:1");
	BAD(MIN "store x\n", "t.conf:5: `store` takes nothing behind it");
	BAD(MIN "operations off\n    path x\n", "t.conf:6: `operations` has no lines of its own");
}

static void
values_are_checked(void **state)
{
	(void)state;
	BAD(MIN "listen 8443\n    clients none\n    certificate c\n    key k\n",
	    "t.conf:5: listen: '8443' is no address: write 192.0.2.1:8443, [2001:db8::1]:8443, or "
	    "0.0.0.0:8443 for all");
	/* a list whose first element never got its name */
	BAD(MIN "listen a b\n    clients none\n    certificate c\n    key k\n"
	    "listen [::1]:1\n    clients none\n    certificate c\n    key k\n",
	    "t.conf:5: listen takes one address; quote it if it holds blanks");
	BAD(MIN "operations 192.0.2.1:9443\n",
	    "t.conf:5: operations: '192.0.2.1:9443' is no loopback address, and nobody is "
	    "authenticated there");
	BAD(MIN "redis redis://u:p@h:1\n",
	    "t.conf:5: redis: the URL holds no secrets; use `user` and `password-file`");
	BAD(MIN "redis http://h\n",
	    "t.conf:5: redis: 'http://h' is no Redis: write unix:/path, redis://host:port or "
	    "rediss://host:port");
	BAD(MIN "redis rediss://h:1\n", "t.conf: redis: rediss needs a `ca`");
	BAD(MIN "taxii\n    api-root taxii2\n    authentication maybe\n",
	    "t.conf:6: taxii api-root: 'taxii2' is a path with a meaning of its own",
	    "t.conf:7: taxii authentication: 'maybe' is neither yes nor no");
	BAD(MIN "collection a b\n    id 91a7b528-80eb-12ed-a74d-c6fbd5a26116\n",
	    "t.conf:5: collection takes one name; quote it if it holds blanks",
	    "t.conf:6: collection id: '91a7b528-80eb-12ed-a74d-c6fbd5a26116' is no UUIDv4");
	BAD(MIN "collection 91a7b528-80eb-42ed-a74d-c6fbd5a26116\n",
	    "t.conf:5: collection: '91a7b528-80eb-42ed-a74d-c6fbd5a26116' is no name: it looks like "
	    "a UUID");
	BAD(MIN "log\n    level inof\n    format xml\n",
	    "t.conf:6: unknown log level 'inof', did you mean 'info'?",
	    "t.conf:7: unknown log format 'xml'");
	BAD(MIN "limits\n    requests 5/s burst\n    guesses often\n    idle-timeout 5\n",
	    "t.conf:6: limits requests: '5/s' may be followed by `burst N` only",
	    "t.conf:7: limits guesses: 'often' is no rate: write 600/min, 10/s or 5/h, or none",
	    "t.conf:8: limits idle-timeout: '5' is no time span: write 200ms, 15s, 5m, 24h or 90d");
}

static void
references_are_checked(void **state)
{
	(void)state;
	BAD(MIN "collection inbox\ncollection inbox\n",
	    "t.conf:6: a second collection 'inbox'; the first is at t.conf:5");
	BAD(MIN "collection news\n    mode view\n    kinds indicatr\n    tlp ambr\n    from spool:x\n",
	    "t.conf:7: unknown type 'indicatr', did you mean 'indicator'?",
	    "t.conf:8: unknown label 'ambr', did you mean 'amber'?",
	    "t.conf:9: unknown source 'spool:x'");
	BAD(MIN "collection news\n    mode view\nspool s\n    path p\n    collections newz news\n",
	    "t.conf:9: unknown collection 'newz', did you mean 'news'?",
	    "t.conf:9: collection 'news' is a view: nothing is put there");
	BAD(MIN "collection news\n    tlp green\n",
	    "t.conf:5: collection news: a filter needs `mode view`; a kept collection holds what is "
	    "put there");
	BAD(MIN "listen 192.0.2.1:1\ntaxii\n    authentication no\n",
	    "t.conf:5: listen: no certificate, neither here nor in `node`",
	    "t.conf:5: listen: client certificates need a `peer-ca`, here or in `node`; or say "
	    "`clients none`",
	    "t.conf:5: listen: with `authentication no` only loopback addresses are served");
	BAD(MIN "collection inbox\npull p\n    peer x\n    into inbxo\n    since yesterday\n    skew 2d\n",
	    "t.conf:9: pull since: 'yesterday' is no time such as 2026-03-31T00:00:00Z",
	    "t.conf:10: pull skew: 2d is out of range: 0s to 1d",
	    "t.conf:8: unknown collection 'inbxo', did you mean 'inbox'?");
	BAD(MIN "collection inbox\npull p\n    into inbox\n", "t.conf:6: `pull` needs a line `peer`");
	BAD(MIN "limits\n    retry-min 1h\n", "t.conf:6: limits: retry-min is longer than retry-max");
}

static void
api_roots_and_what_is_unique_in_them(void **state)
{
	struct config *conf = good(MIN "taxii\n    title T\nroot east\n    title East\nroot west\n"
	    "collection a\n    alias news\ncollection b\n    alias news\n    roots west east\n"
	    "collection c\n    title a\n    roots west\n");

	(void)state;
	assert_string_equal(config_root_at(conf, 0)->name, "api");
	assert_string_equal(config_root_at(conf, 0)->title, "T");
	assert_string_equal(config_root(conf, SLICE_LIT("east"))->title, "East");
	assert_string_equal(config_root_at(conf, 2)->title, "west");
	assert_null(config_root_at(conf, 3));
	assert_null(config_root(conf, SLICE_LIT("East")));
	assert_true(config_in_root(&conf->collections[0], config_root_at(conf, 0)));
	assert_false(config_in_root(&conf->collections[0], config_root_at(conf, 1)));
	assert_false(config_in_root(&conf->collections[1], config_root_at(conf, 0)));
	assert_true(config_in_root(&conf->collections[1], config_root_at(conf, 1)));
	config_free(conf);
	BAD(MIN "root taxii2\nroot api\nroot x\nroot x\nroot a/b\n",
	    "t.conf:5: root: 'taxii2' is a path with a meaning of its own",
	    "t.conf:9: root: 'a/b' is no path segment: letters, digits, - _ and . only",
	    "t.conf:8: a second root 'x'; the first is at t.conf:7",
	    "t.conf:6: root 'api' is the `api-root` of `taxii` already");
	BAD(MIN "root east\ncollection a\n    roots api eats\n",
	    "t.conf:7: unknown API root 'eats', did you mean 'east'?");
	BAD(MIN "collection a\n    alias b\ncollection b\n    alias inbox-x\ncollection c\n"
	    "    alias 91a7b528-80eb-42ed-a74d-c6fbd5a26116\n",
	    "t.conf:10: collection alias: '91a7b528-80eb-42ed-a74d-c6fbd5a26116' is no name: it looks "
	    "like a UUID",
	    "t.conf:6: alias 'b' is taken in the same API root by the collection at t.conf:7",
	    "t.conf:8: alias 'inbox-x': such names are those of peers' inboxes");
	BAD(MIN "collection a\n    title Same\ncollection b\n    title Same\n",
	    "t.conf:8: title 'Same' is taken in the same API root by the collection at t.conf:5");
	BAD(MIN "collection a\n    id 91a7b528-80eb-42ed-a74d-c6fbd5a26116\ncollection b\n"
	    "    id 91A7B528-80eb-42ed-a74d-c6fbd5a26116\n",
	    "t.conf:8: id 91a7b528-80eb-42ed-a74d-c6fbd5a26116 is that of the collection at t.conf:5 "
	    "already");
	BAD(MIN "taxii\n    token-header Authorization\n",
	    "t.conf:6: taxii token-header: 'Authorization' has a meaning of its own in HTTP");
	BAD(MIN "taxii\n    token-header \"X Key\"\n",
	    "t.conf:6: taxii token-header: 'X Key' is no header name: letters, digits, - and _ only");
}

static void
effective_values_name_their_origin(void **state)
{
	struct config *conf = good(whole);
	struct strbuf out = STRBUF_INIT;

	(void)state;
	config_print(&out, conf);
	assert_non_null(strstr(out.p, "\n    body                    1m"));
	assert_non_null(strstr(out.p, "# /etc/tocsin/tocsin.conf:24\n"));
	assert_non_null(strstr(out.p, "\n    requests                5/s burst 7"));
	assert_non_null(strstr(out.p, "\n    object                  8m"
	    "                                      # default\n"));
	assert_non_null(strstr(out.p, "\noperations                  off"));
	assert_non_null(strstr(out.p, "\n    title                   \"Example desk\""));
	assert_non_null(strstr(out.p, "\n    tlp                     clear amber+strict"));
	assert_non_null(strstr(out.p, "\n    validate                strict"));
	config_free(conf);
	strbuf_fini(&out);
}

/* What is printed as effective is itself a configuration that says the same. */
static void
effective_values_can_be_read_again(void **state)
{
	static const char *const texts[] = { minimal, whole };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct config *a = good(texts[i]), *b;
		struct strbuf out = STRBUF_INIT, again = STRBUF_INIT;

		config_print(&out, a);
		b = good(out.p);
		assert_int_equal(config_restart_needed(&again, a, b), 0);
		assert_string_equal(again.p, "");
		assert_memory_equal(&a->limits, &b->limits, sizeof(a->limits));
		assert_int_equal(a->nspools, b->nspools);
		assert_int_equal(a->ncollections, b->ncollections);
		config_free(a);
		config_free(b);
		strbuf_fini(&out);
		strbuf_fini(&again);
	}
}

static void
rates_are_printed_as_they_were_said(void **state)
{
	static const char *const rates[] = { "90/h", "7/min", "5/s", "600/min", "1/h", "1000000/s" };

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(*rates); i++) {
		struct strbuf text = STRBUF_INIT, out = STRBUF_INIT;
		struct config *a, *b;

		strbuf_addf(&text, "%slimits\n    requests %s burst 3\n", minimal, rates[i]);
		a = good(text.p);
		config_print(&out, a);
		b = good(out.p);
		assert_true(a->limits.requests.per_second == b->limits.requests.per_second);
		assert_int_equal(b->limits.requests.burst, 3);
		config_free(a);
		config_free(b);
		strbuf_fini(&text);
		strbuf_fini(&out);
	}
}

static void
a_reload_knows_what_takes_a_restart(void **state)
{
	static const char changed[] =
	    "node cert-a\n    state /other\n    sign-key keys/sign\n    audit-key keys/audit\n"
	    "    dedup-key keys/dedup\n"
	    "limits\n    body 1m\n"
	    "collection new\n"
	    "listen 127.0.0.1:1\n    clients none\n    certificate c\n    key k\n";
	struct config *a = good(minimal), *b = good(changed);
	struct strbuf out = STRBUF_INIT;

	(void)state;
	assert_int_equal(config_restart_needed(&out, a, b), 6);
	assert_string_equal(out.p, "node state: /var/lib/tocsin -> /other\n"
	    "node bodies: /var/lib/tocsin/bodies -> /other/bodies\n"
	    "node feeds: /var/lib/tocsin/feeds -> /other/feeds\n"
	    "node control: /var/lib/tocsin/control.sock -> /other/control.sock\n"
	    "listen is new\n"
	    "store path: /var/lib/tocsin/tocsin.db -> /other/tocsin.db\n");
	config_free(a);
	config_free(b);
	strbuf_fini(&out);
}

static void
holds_are_counted(void **state)
{
	struct config *conf = good(minimal);

	(void)state;
	assert_ptr_equal(config_hold(conf), conf);
	config_free(conf);
	assert_string_equal(conf->name, "cert-a");	/* still there; ASan would tell */
	config_free(conf);
	config_free(NULL);
}

/* Names that are in one file and not in the other make the two drift apart. */
static void
the_sample_shows_every_key(void **state)
{
	struct strbuf sample = STRBUF_INIT, all = STRBUF_INIT;
	struct config *conf = good(whole);
	struct complaints c = { 0 };
	struct config *loaded;
	struct slice rest;

	(void)state;
	assert_int_equal(file_read("conf/tocsin.conf", 1 << 20, &sample, NULL), 0);
	config_print(&all, conf);
	for (rest = strbuf_slice(&all); rest.n > 0;) {
		struct slice line = slice_cut(&rest, '\n'), word = slice_trim(line);
		char key[64];

		word = slice_cut(&word, ' ');
		snprintf(key, sizeof(key), "%s%.*s", line.p[0] == ' ' ? " " : "", SLICE_ARG(word));
		if (strstr(sample.p, key) == NULL)
			fail_msg("conf/tocsin.conf does not mention `%s`", key);
	}
	loaded = config_load("conf/tocsin.conf", &c);
	if (loaded == NULL)
		fail_msg("%s", c.n > 0 ? c.text[0] : "no reason");
	config_free(loaded);
	config_free(conf);
	arena_free(c.mem);
	strbuf_fini(&sample);
	strbuf_fini(&all);
}

/* The two samples describe one node: all that is missing is its keys. */
static void
the_samples_belong_together(void **state)
{
	struct complaints c = { .mem = arena_new() };
	struct config *conf = config_load("conf/tocsin.conf", &c);
	struct trust *trust = trust_load("conf/trust.conf", &c);

	(void)state;
	assert_true(conf != NULL && trust != NULL);
	config_check(conf, trust, NULL, &c);
	for (size_t i = 0; i < c.n; i++)
		if (strstr(c.text[i], "No such file") == NULL)
			fail_msg("%s", c.text[i]);
	config_free(conf);
	trust_free(trust);
	arena_free(c.mem);
}

static const char whom[] =
    "node cert-a\n"
    "community net\n    members cert-b\n    green yes\n"
    "peer cert-b\n"
    "    pin sha256:1111111111111111111111111111111111111111111111111111111111111111\n"
    "    relation partner\n"
    "consumer soc\n    relation own\n    read news inbox-cert-b inbox-cert-c\n    write news\n"
    "release all\n    object tlp clear\n    to relation own\n";

/* A name in one file that means nothing in the other would be a right that nobody has. */
static void
names_of_the_two_files_are_compared(void **state)
{
	static const char *const want[] = {
		"t.conf:11: unknown peer or consumer 'cert-d', did you mean 'cert-b'?",
		"t.conf:15: 'inbox-cert-e': trust.conf has no peer of that name with a pin",
		"trust:8: unknown collection 'inbox-cert-c', did you mean 'inbox-cert-b'?",
		"trust:8: soc may not write 'news': it is a view",
	};
	struct complaints c = { .mem = arena_new() };
	struct config *conf = config_parse(SLICE_LIT("node cert-a\n    sign-key s\n"
	    "    audit-key a\n    dedup-key d\n    state /nowhere\ncollection inbox-cert-b\n"
	    "collection news\n    mode view\n    from cert-b soc\n"
	    "route r\n    from cert-d\n    collections inbox-cert-b\n"
	    "route s\n    from cert-b\n    collections inbox-cert-e\n"), "t.conf", &c);
	struct trust *trust = trust_parse(slice_of(whom), "trust", &c);
	size_t found = 0;

	(void)state;
	assert_true(conf != NULL && trust != NULL);
	assert_int_equal(config_check(conf, trust, NULL, &c), -1);
	for (size_t i = 0; i < c.n; i++) {
		if (strstr(c.text[i], "No such file") != NULL)
			continue;
		assert_true(found < sizeof(want) / sizeof(*want));
		assert_string_equal(c.text[i], want[found++]);
	}
	assert_int_equal(found, sizeof(want) / sizeof(*want));
	config_free(conf);
	trust_free(trust);
	arena_free(c.mem);
}

static void
the_manual_is_the_table(void **state)
{
	static const char begin[] = "<!-- reference: begin -->\n", end[] = "<!-- reference: end -->\n";
	struct strbuf manual = STRBUF_INIT, want = STRBUF_INIT;
	char *from, *to;

	(void)state;
	assert_int_equal(file_read("conf/README.md", 1 << 20, &manual, NULL), 0);
	strbuf_adds(&want, begin);
	config_print_reference(&want);
	from = strstr(manual.p, begin);
	to = strstr(manual.p, end);
	assert_true(from != NULL && to != NULL);
	*to = '\0';
	if (strcmp(from, want.p) != 0)
		fail_msg("conf/README.md is not what the table says; run: conf/update-reference");
	strbuf_fini(&manual);
	strbuf_fini(&want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_sensible),
		cmocka_unit_test(every_section_is_read),
		cmocka_unit_test(all_errors_come_at_once),
		cmocka_unit_test(what_must_be_said_is_missed),
		cmocka_unit_test(values_are_checked),
		cmocka_unit_test(references_are_checked),
		cmocka_unit_test(api_roots_and_what_is_unique_in_them),
		cmocka_unit_test(effective_values_name_their_origin),
		cmocka_unit_test(effective_values_can_be_read_again),
		cmocka_unit_test(rates_are_printed_as_they_were_said),
		cmocka_unit_test(a_reload_knows_what_takes_a_restart),
		cmocka_unit_test(holds_are_counted),
		cmocka_unit_test(the_sample_shows_every_key),
		cmocka_unit_test(the_samples_belong_together),
		cmocka_unit_test(names_of_the_two_files_are_compared),
		cmocka_unit_test(the_manual_is_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
