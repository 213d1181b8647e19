/* If this fails, a process that may open no file reads other bytes than the master did, or gets a secret
 * that is not for it. */
#include "gateway/base/bundle.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"

enum { WORKER = 1, KEEPER = 2 };

static char folder[] = "/tmp/tocsin-bundle-XXXXXX";

static const char *
path_of(const char *name)
{
	static char path[4][256];
	static int turn;
	char *p = path[turn++ % 4];

	snprintf(p, sizeof(path[0]), "%s/%s", folder, name);
	return p;
}

static void
put(const char *name, const char *text, mode_t mode)
{
	struct err e = ERR_INIT;

	assert_int_equal(file_write(path_of(name), slice_of(text), mode, &e), 0);
}

static bool
reads(const char *name, const char *text)
{
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;
	bool same = file_read(path_of(name), 1000, &b, &e) == 0 &&
	    slice_is(strbuf_slice(&b), text);

	strbuf_fini(&b);
	return same;
}

static struct bundle *
recorded(void)
{
	struct bundle *b = bundle_new();

	put("conf", "node a", 0644);
	put("key", "secret", 0600);
	file_record(b, WORKER | KEEPER);
	assert_true(reads("conf", "node a"));
	file_record(b, KEEPER);
	assert_true(reads("key", "secret"));
	file_record(NULL, 0);
	return b;
}

static struct bundle *
sent_to(const struct bundle *b, unsigned kind)
{
	struct strbuf packed = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct bundle *got;

	bundle_pack(&packed, b, kind);
	got = bundle_unpack(strbuf_slice(&packed), &e);
	strbuf_fini(&packed);
	assert_non_null(got);
	return got;
}

static void
each_kind_gets_its_files(void **state)
{
	struct bundle *b = recorded(), *worker = sent_to(b, WORKER), *keeper = sent_to(b, KEEPER);

	(void)state;
	assert_non_null(bundle_find(worker, path_of("conf")));
	assert_null(bundle_find(worker, path_of("key")));
	assert_non_null(bundle_find(keeper, path_of("key")));
	assert_true(bundle_same(b, keeper, KEEPER));
	assert_false(bundle_same(b, worker, KEEPER));
	bundle_free(worker);
	bundle_free(keeper);
	bundle_free(b);
}

static void
files_are_read_from_memory(void **state)
{
	struct bundle *b = recorded(), *keeper = sent_to(b, KEEPER);
	uint64_t one[2], two[2];

	(void)state;
	put("conf", "node b", 0600);
	unlink(path_of("key"));
	file_overlay(keeper);
	assert_true(reads("conf", "node a"));
	assert_true(reads("key", "secret"));
	assert_true(file_exists(path_of("key")));
	assert_true(file_is_open_to_others(path_of("conf")));
	assert_false(file_is_open_to_others(path_of("key")));
	assert_true(file_identity(path_of("conf"), one) && file_identity(path_of("key"), two));
	assert_memory_not_equal(one, two, sizeof(one));
	put("other", "on disk", 0600);
	assert_true(reads("other", "on disk"));
	file_overlay(NULL);
	assert_true(reads("conf", "node b"));
	assert_false(file_exists(path_of("key")));
	bundle_free(keeper);
	bundle_free(b);
}

static void
damaged_bundles_are_refused(void **state)
{
	struct bundle *b = recorded();
	struct strbuf packed = STRBUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	bundle_pack(&packed, b, KEEPER);
	for (size_t n = 0; n < packed.n; n++)
		assert_null(bundle_unpack(slice_from(packed.p, n), &e));
	strbuf_adds(&packed, "x");
	assert_null(bundle_unpack(strbuf_slice(&packed), &e));
	strbuf_fini(&packed);
	bundle_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_gets_its_files),
		cmocka_unit_test(files_are_read_from_memory),
		cmocka_unit_test(damaged_bundles_are_refused),
	};
	int failed;

	if (mkdtemp(folder) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path_of("conf"));
	unlink(path_of("other"));
	rmdir(folder);
	return failed;
}
