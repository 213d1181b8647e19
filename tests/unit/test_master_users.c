/* If this fails, a storekeeper that was taken over opens any file of root's to its own group. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/config.h"
#include "gateway/master_parts.h"

enum { KEEPER = 2000000001, WORKER = 2000000002, GROUP = 2000000003 };

struct place {
	struct arena	*mem;
	const char	*folder, *secret, *store;
	struct config	 conf;
	struct master	 m;
};

static void
make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static int
setup(void **state)
{
	struct place *p = xcalloc(1, sizeof(*p));
	char *folder;

	p->mem = arena_new();
	folder = arena_str(p->mem, SLICE_LIT("/tmp/tocsin-users-XXXXXX"));
	assert_non_null(mkdtemp(folder));
	p->folder = folder;
	p->secret = arena_fmt(p->mem, "%s/secret", folder);
	p->store = arena_fmt(p->mem, "%s/db/store", folder);
	p->conf.store_path = p->store;
	p->conf.bodies_dir = arena_fmt(p->mem, "%s/bodies", folder);
	p->conf.feeds_dir = arena_fmt(p->mem, "%s/feeds", folder);
	p->m.uid[PROCESS_STOREKEEPER] = KEEPER;
	p->m.uid[PROCESS_WORKER] = WORKER;
	p->m.gid = GROUP;
	assert_int_equal(mkdir(arena_fmt(p->mem, "%s/db", folder), 0700), 0);
	make_file(p->secret);
	*state = p;
	return 0;
}

static int
teardown(void **state)
{
	struct place *p = *state;

	unlink(p->store);
	unlink(p->secret);
	rmdir(p->conf.bodies_dir);
	rmdir(arena_fmt(p->mem, "%s/db", p->folder));
	rmdir(p->folder);
	arena_free(p->mem);
	free(p);
	return 0;
}

static void
check_owner(const char *path, uid_t uid, mode_t mode)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void
the_store_is_handed_over(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;

	if (geteuid() != 0)
		skip();
	make_file(p->store);
	assert_int_equal(users_hand_over(&p->m, &p->conf, &e), 0);
	check_owner(p->store, KEEPER, 0640);
	check_owner(p->conf.bodies_dir, WORKER, 0700);
}

static void
what_a_link_leads_to_is_not(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;

	if (geteuid() != 0)
		skip();
	assert_int_equal(symlink(p->secret, p->store), 0);
	assert_int_equal(users_hand_over(&p->m, &p->conf, &e), 0);
	check_owner(p->secret, 0, 0600);
}

static void
a_second_name_is_not(void **state)
{
	struct place *p = *state;
	struct err e = ERR_INIT;

	if (geteuid() != 0)
		skip();
	assert_int_equal(link(p->secret, p->store), 0);
	assert_int_equal(users_hand_over(&p->m, &p->conf, &e), -1);
	check_owner(p->secret, 0, 0600);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_store_is_handed_over, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_link_leads_to_is_not, setup, teardown),
		cmocka_unit_test_setup_teardown(a_second_name_is_not, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
