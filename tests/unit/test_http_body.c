/* If this fails, a large body fills the memory or the disk, stays behind under a name, or can be changed
 * by the process that it is handed to. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/http_body.h"

struct folder {
	char			 path[32];
	struct http_bodies	*all;
};

static const struct http_body_limits small = { 1000, 2500, 100000 };

static int
setup(void **state)
{
	struct folder *f = test_calloc(1, sizeof(*f));

	strcpy(f->path, "/tmp/tocsin-body-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->all = http_bodies_new();
	http_bodies_set_limits(f->all, &small);
	http_bodies_set_folder(f->all, open(f->path, O_PATH | O_DIRECTORY | O_CLOEXEC));
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct folder *f = *state;

	http_bodies_free(f->all);
	assert_int_equal(rmdir(f->path), 0);	/* nothing lies there */
	test_free(f);
	return 0;
}

/* `n` bytes in pieces of 7, each byte a different one than its neighbour. */
static int
fill(struct http_body *b, size_t n, struct err *e)
{
	char piece[7];

	for (size_t at = 0; at < n; at += sizeof(piece)) {
		size_t k = n - at < sizeof(piece) ? n - at : sizeof(piece);

		for (size_t i = 0; i < k; i++)
			piece[i] = (char)('a' + (at + i) % 26);
		if (http_body_add(b, slice_from(piece, k), e) < 0)
			return -1;
	}
	return 0;
}

static void
check(struct http_body *b, size_t n)
{
	uint8_t have[SHA256_LEN], want[SHA256_LEN];
	struct slice s;

	assert_int_equal(http_body_end(b, NULL), 0);
	s = http_body_slice(b);
	assert_int_equal(s.n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(s.p[i], 'a' + i % 26);
	http_body_sha256(b, have);
	digest_sha256(s, want);
	assert_memory_equal(have, want, sizeof(want));
}

static void
test_where_it_lies(void **state)
{
	struct folder *f = *state;
	struct http_body *in = http_body_new(f->all, -1), *out = http_body_new(f->all, -1),
	    *said = http_body_new(f->all, 1001), *none = http_body_new(f->all, -1);

	assert_int_equal(fill(in, 1000, NULL), 0);
	assert_int_equal(fill(out, 1001, NULL), 0);
	assert_int_equal(fill(said, 10, NULL), 0);
	assert_int_equal(http_bodies_in_memory(f->all), 1000);
	assert_int_equal(http_bodies_in_files(f->all), 1011);
	check(in, 1000);
	check(out, 1001);
	check(none, 0);
	assert_int_equal(http_body_fd(in), -1);
	assert_int_equal(http_body_fd(none), -1);
	assert_true(http_body_fd(out) > 2);
	assert_true(http_body_fd(said) > 2);
	http_body_free(in);
	http_body_free(out);
	http_body_free(said);
	http_body_free(none);
	http_body_free(NULL);
	assert_int_equal(http_bodies_in_memory(f->all) + http_bodies_in_files(f->all), 0);
}

static void
test_without_a_folder(void **state)
{
	struct http_bodies *all = http_bodies_new();
	struct http_body *b = http_body_new(all, 5000);

	(void)state;
	http_bodies_set_limits(all, &small);
	assert_true(http_bodies_fit(all, INT64_MAX));
	assert_int_equal(fill(b, 5000, NULL), 0);
	http_bodies_free(all);			/* the body that was taken lives on */
	check(b, 5000);
	assert_int_equal(http_body_fd(b), -1);
	http_body_free(b);
}

static void
test_many_small_ones_leave_memory(void **state)
{
	struct folder *f = *state;
	struct http_body *b[5];

	for (int i = 0; i < 5; i++) {
		b[i] = http_body_new(f->all, -1);
		assert_int_equal(fill(b[i], 700, NULL), 0);
	}
	assert_true(http_bodies_in_memory(f->all) <= small.all_in_memory);
	for (int i = 0; i < 5; i++) {
		check(b[i], 700);
		assert_int_equal(http_body_fd(b[i]) < 0, i < 3);
		http_body_free(b[i]);
	}
}

static void
test_all_files_together(void **state)
{
	struct folder *f = *state;
	struct http_body *a = http_body_new(f->all, -1), *b = http_body_new(f->all, -1);
	struct err e = ERR_INIT;

	assert_int_equal(fill(a, 60000, NULL), 0);
	assert_true(http_bodies_fit(f->all, 40000));
	assert_false(http_bodies_fit(f->all, 40001));
	assert_true(http_bodies_fit(f->all, 1000));	/* needs no file */
	assert_true(http_bodies_fit(f->all, -1));	/* wait and see */
	assert_int_equal(fill(b, 40001, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	http_body_free(b);
	b = http_body_new(f->all, -1);
	assert_int_equal(fill(b, 40000, NULL), 0);
	check(b, 40000);
	http_body_free(a);
	http_body_free(b);
	assert_true(http_bodies_fit(f->all, 100000));
}

static void
test_who_gets_the_descriptor_cannot_write(void **state)
{
	struct folder *f = *state;
	struct http_body *b = http_body_new(f->all, -1);
	struct stat st;
	char first;
	int fd;

	assert_int_equal(fill(b, 3000, NULL), 0);
	check(b, 3000);
	fd = http_body_fd(b);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_ptr_equal(mmap(NULL, 3000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(pread(fd, &first, 1, 0), 1);
	assert_int_equal(first, 'a');
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_nlink, 0);
	assert_int_equal(st.st_size, 3000);
	http_body_free(b);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void
test_a_full_disk(void **state)
{
	struct folder *f = *state;
	struct http_body *b = http_body_new(f->all, 90000);
	struct rlimit old, lim = { 20000, RLIM_INFINITY };
	struct err e = ERR_INIT;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	lim.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_FSIZE, &lim);
	assert_int_equal(fill(b, 90000, &e), -1);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(e.code, ERR_IO);
	http_body_free(b);
	assert_int_equal(http_bodies_in_files(f->all), 0);
}

static void
test_no_descriptor_left(void **state)
{
	struct folder *f = *state;
	struct http_body *b = http_body_new(f->all, -1);
	struct rlimit old, lim;
	struct err e = ERR_INIT;

	assert_int_equal(fill(b, 900, NULL), 0);
	getrlimit(RLIMIT_NOFILE, &old);
	for (int n = 0; n < 2; n++) {		/* the first is missing, the second */
		int next = dup(0);

		close(next);
		lim = (struct rlimit){ (rlim_t)(next + n), old.rlim_max };
		setrlimit(RLIMIT_NOFILE, &lim);
		assert_int_equal(fill(b, 200, &e), -1);
		setrlimit(RLIMIT_NOFILE, &old);
		assert_int_equal(e.code, ERR_IO);
	}
	http_body_free(b);
	assert_int_equal(http_bodies_in_memory(f->all) + http_bodies_in_files(f->all), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_where_it_lies, setup, teardown),
		cmocka_unit_test_setup_teardown(test_without_a_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_small_ones_leave_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_files_together, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_gets_the_descriptor_cannot_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_full_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_descriptor_left, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
