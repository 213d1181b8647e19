/* If this fails, a power cut leaves half a key file, or a FIFO in a spool stops the gateway. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/strbuf.h"

/* Each test has a folder of its own, and is in it. */
static int
set_up(void **state)
{
	char path[] = "/tmp/tocsin-test-XXXXXX";

	if (mkdtemp(path) == NULL || chdir(path) < 0)
		return -1;
	*state = strdup(path);
	return 0;
}

static int
tear_down(void **state)
{
	char command[64];
	int rc;

	snprintf(command, sizeof(command), "rm -rf %s", (char *)*state);
	rc = chdir("/") < 0 || system(command) != 0 ? -1 : 0;
	free(*state);
	return rc;
}

static size_t
count_entries(const char *folder)
{
	DIR *d = opendir(folder);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
test_write_and_read(void **state)
{
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	strbuf_adds(&b, "before ");
	assert_int_equal(file_write("a", SLICE_LIT("one\0two"), 0640, &e), 0);
	assert_int_equal(mode_of("a"), 0640);
	assert_int_equal(file_read("a", 7, &b, &e), 0);
	assert_int_equal(b.n, 14);
	assert_memory_equal(b.p, "before one\0two", 15);
	/* Replaced, with the new mode, and nothing is left lying about. */
	assert_int_equal(file_write("a", SLICE_EMPTY, 0600, &e), 0);
	assert_int_equal(mode_of("a"), 0600);
	strbuf_reset(&b);
	assert_int_equal(file_read("a", 0, &b, &e), 0);
	assert_int_equal(b.n, 0);
	assert_int_equal(count_entries("."), 1);
	strbuf_fini(&b);
}

static void
test_read_limits(void **state)
{
	struct strbuf b = STRBUF_INIT, big = STRBUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	for (int i = 0; i < 200000; i++)
		strbuf_addc(&big, (char)('a' + i % 26));
	assert_int_equal(file_write("big", strbuf_slice(&big), 0600, &e), 0);
	strbuf_adds(&b, "kept");
	assert_int_equal(file_read("big", 199999, &b, &e), -1);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_string_equal(e.input, "big");
	assert_string_equal(b.p, "kept");
	strbuf_reset(&b);
	assert_int_equal(file_read("big", 200000, &b, &e), 0);
	assert_true(slice_eq(strbuf_slice(&b), strbuf_slice(&big)));
	strbuf_fini(&b);
	strbuf_fini(&big);
}

static void
test_read_refuses(void **state)
{
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(file_read("nothing", 10, &b, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_non_null(strstr(e.reason, "No such file"));
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(file_read("fifo", 10, &b, &e), -1);
	assert_string_equal(e.reason, "not a regular file");
	assert_int_equal(file_read(".", 10, &b, &e), -1);
	assert_int_equal(file_read("/dev/zero", 10, &b, &e), -1);
	assert_int_equal(b.n, 0);
	strbuf_fini(&b);
}

/* "-" reads a pipe to its end, whatever pieces it comes in. */
static void
test_read_stdin(void **state)
{
	int kept = dup(STDIN_FILENO), pipes[2];
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], "piped", 5), 5);
	close(pipes[1]);
	assert_int_equal(dup2(pipes[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(file_read("-", 100, &b, &e), 0);
	assert_string_equal(b.p, "piped");
	dup2(kept, STDIN_FILENO);
	close(kept);
	close(pipes[0]);
	strbuf_fini(&b);
}

static void
test_write_refuses(void **state)
{
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(file_write("no/such/folder", SLICE_LIT("x"), 0600, &e), -1);
	assert_int_equal(e.code, ERR_IO);
	assert_string_equal(e.input, "no/such/folder");
	/* A folder in the way: the old thing stays, the temporary file goes. */
	assert_int_equal(mkdir("taken", 0700), 0);
	assert_int_equal(file_write("taken", SLICE_LIT("x"), 0600, &e), -1);
	assert_int_equal(count_entries("."), 1);
	/* A link is replaced, what it points to is not written through. */
	assert_int_equal(file_write("real", SLICE_LIT("real"), 0600, &e), 0);
	assert_int_equal(symlink("real", "link"), 0);
	assert_int_equal(file_write("link", SLICE_LIT("new"), 0600, &e), 0);
	assert_int_equal(file_read("real", 100, &b, &e), 0);
	assert_string_equal(b.p, "real");
	strbuf_fini(&b);
}

/* What root edits for a service, the service can read. */
static void
test_write_keeps_owner(void **state)
{
	struct err e = ERR_INIT;
	struct stat st;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(file_write("x", SLICE_LIT("1"), 0600, &e), 0);
	assert_int_equal(chown("x", 12345, 54321), 0);
	assert_int_equal(file_write("x", SLICE_LIT("2"), 0600, &e), 0);
	assert_int_equal(stat("x", &st), 0);
	assert_int_equal(st.st_uid, 12345);
	assert_int_equal(st.st_gid, 54321);
}

/* Otherwise a file is made, or a process locked up, in another folder than meant. */
static void
test_folder_of_a_path(void **state)
{
	(void)state;
	assert_true(slice_is(file_folder("a"), "."));
	assert_true(slice_is(file_folder("./a"), "."));
	assert_true(slice_is(file_folder("/a"), "/"));
	assert_true(slice_is(file_folder("/"), "/"));
	assert_true(slice_is(file_folder("a/b"), "a"));
	assert_true(slice_is(file_folder("/a/b/c"), "/a/b"));
}

static void
test_dir_make(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(dir_make("a//b/c/", 0700, &e), 0);
	assert_int_equal(mode_of("a/b/c"), 0700);
	assert_int_equal(dir_make("a/b/c", 0700, &e), 0);
	assert_int_equal(dir_make("/", 0700, &e), 0);
	assert_int_equal(dir_make("one", 0750, &e), 0);
	assert_int_equal(file_write("a/file", SLICE_LIT("x"), 0600, &e), 0);
	assert_int_equal(dir_make("a/file", 0700, &e), -1);
	assert_int_equal(dir_make("a/file/d", 0700, &e), -1);
	assert_non_null(strstr(e.reason, "Not a directory"));
}

static void
test_questions(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_false(file_exists("a"));
	assert_false(file_is_open_to_others("a"));
	assert_int_equal(file_write("a", SLICE_LIT("x"), 0600, &e), 0);
	assert_true(file_exists("a"));
	assert_false(file_is_open_to_others("a"));
	assert_int_equal(chmod("a", 0604), 0);
	assert_true(file_is_open_to_others("a"));
	assert_int_equal(chmod("a", 0620), 0);
	assert_true(file_is_open_to_others("a"));
}

static void
test_move(void **state)
{
	struct strbuf b = STRBUF_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(dir_make("in", 0700, &e), 0);
	assert_int_equal(dir_make("done", 0700, &e), 0);
	assert_int_equal(file_write("in/x", SLICE_LIT("x"), 0600, &e), 0);
	assert_int_equal(file_move("in/x", "done/x", &e), 0);
	assert_false(file_exists("in/x"));
	assert_int_equal(file_read("done/x", 10, &b, &e), 0);
	assert_string_equal(b.p, "x");
	assert_int_equal(file_move("in/x", "done/y", &e), -1);
	assert_string_equal(e.input, "in/x");
	assert_non_null(strstr(e.reason, "done/y"));
	strbuf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_write_and_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_read_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_read_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_read_stdin, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_write_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_write_keeps_owner, set_up, tear_down),
		cmocka_unit_test(test_folder_of_a_path),
		cmocka_unit_test_setup_teardown(test_dir_make, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_questions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_move, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
