/* If this fails, a process that a stranger's bytes have taken over opens files, calls out or starts programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/sandbox.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

static char inside[] = "/tmp/tocsin-in-XXXXXX", outside[] = "/tmp/tocsin-out-XXXXXX";

/* What a process tries; 0 if it may. */
typedef int	deed(void);

static int
opens(const char *folder, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/file", folder);
	fd = open(path, flags | O_CLOEXEC, 0600);
	return fd < 0 ? errno : 0;
}

static int
read_inside(void)
{
	return opens(inside, O_RDONLY);
}

static int
write_inside(void)
{
	return opens(inside, O_RDWR | O_CREAT);
}

static int
read_outside(void)
{
	return opens(outside, O_RDONLY);
}

static int
write_outside(void)
{
	return opens(outside, O_RDWR | O_CREAT);
}

static int
call_out(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return errno;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	rc = connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? errno : 0;
	close(fd);
	return rc == ECONNREFUSED ? 0 : rc;
}

static int
start_program(void)
{
	char name[] = "true";
	char *argv[] = { name, NULL };

	execv("/bin/true", argv);
	return errno;
}

static int
copy_itself(void)
{
	pid_t pid = (pid_t)syscall(SYS_fork);

	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : 0;
}

static int
look_into_parent(void)
{
	return (int)syscall(SYS_ptrace, 16, getppid(), 0, 0) < 0 ? errno : 0;
}

static int
signal_parent(void)
{
	return kill(getppid(), 0) < 0 ? errno : 0;
}

static int
make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int
share_memory(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd < 0 || write(fd, "x", 1) != 1 || fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) < 0 ? errno : 0;
}

static int
gain_privileges(void)
{
	return setuid(0) < 0 ? errno : geteuid() == 0 ? 0 : EPERM;
}

enum fate { MAY, MAY_NOT };

struct trial {
	const char	*what;
	deed		*deed;
	enum fate	 fate[PROCESS_KINDS];	/* storekeeper, translator, worker */
};

static const struct trial trials[] = {
	{ "read its folder",	read_inside,	{ MAY, MAY_NOT, MAY } },
	{ "write its folder",	write_inside,	{ MAY, MAY_NOT, MAY } },
	{ "read elsewhere",	read_outside,	{ MAY_NOT, MAY_NOT, MAY_NOT } },
	{ "write elsewhere",	write_outside,	{ MAY_NOT, MAY_NOT, MAY_NOT } },
	{ "call out",		call_out,	{ MAY_NOT, MAY_NOT, MAY } },
	{ "start a program",	start_program,	{ MAY_NOT, MAY_NOT, MAY_NOT } },
	{ "copy itself",	copy_itself,	{ MAY_NOT, MAY_NOT, MAY_NOT } },
	{ "look into its parent", look_into_parent, { MAY_NOT, MAY_NOT, MAY_NOT } },
	{ "signal its parent",	signal_parent,	{ MAY_NOT, MAY_NOT, MAY_NOT } },
	{ "make code",		make_code,	{ MAY_NOT, MAY_NOT, MAY_NOT } },
	{ "gain privileges",	gain_privileges, { MAY_NOT, MAY_NOT, MAY_NOT } },
	{ "share memory",	share_memory,	{ MAY, MAY, MAY } },
};

/* 0: it may; an errno; -SIGNAL if it died of it. */
static int
outcome(enum process_kind kind, deed *d)
{
	const struct sandbox_path paths[] = { { .path = inside, .write = true } };
	const struct sandbox s = { .kind = kind, .uid = geteuid(), .gid = getegid(), .paths = paths,
		.npaths = kind == PROCESS_TRANSLATOR ? 0 : 1 };
	struct err e = ERR_INIT;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (sandbox_enter(&s, &e) < 0) {
			fprintf(stderr, "%s\n", e.reason);
			_exit(254);
		}
		_exit(d());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void
each_kind_may_do_its_work_and_no_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(trials) / sizeof(*trials); i++) {
		for (int kind = 0; kind < PROCESS_KINDS; kind++) {
			int rc = outcome((enum process_kind)kind, trials[i].deed);

			if (rc == 254)
				fail_msg("%s: no sandbox", process_kind_word((enum process_kind)kind));
			if ((rc == 0) != (trials[i].fate[kind] == MAY))
				fail_msg("%s: %s: %d", process_kind_word((enum process_kind)kind),
				    trials[i].what, rc);
		}
	}
}

/* A library that tries gets an answer; what no library tries is the end. */
static void
death_is_for_what_no_library_does(void **state)
{
	(void)state;
	assert_int_equal(outcome(PROCESS_TRANSLATOR, start_program), -SIGSYS);
	assert_int_equal(outcome(PROCESS_TRANSLATOR, read_outside), EACCES);
	assert_int_equal(outcome(PROCESS_STOREKEEPER, start_program), -SIGSYS);
	assert_int_equal(outcome(PROCESS_STOREKEEPER, call_out), EACCES);
	assert_int_equal(outcome(PROCESS_WORKER, start_program), -SIGSYS);
	assert_int_equal(outcome(PROCESS_WORKER, read_outside), EACCES);
}

static int
set_up(void **state)
{
	(void)state;
	return mkdtemp(inside) == NULL || mkdtemp(outside) == NULL || opens(inside, O_RDWR | O_CREAT) ||
	    opens(outside, O_RDWR | O_CREAT);
}

static int
tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s %s", inside, outside);
	return system(command);
}

#ifdef SANITIZED
/* It makes calls of its own that the sandbox does not know. */
static void
no_sandbox_under_a_sanitizer(void **state)
{
	(void)state;
	skip();
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_may_do_its_work_and_no_more),
		cmocka_unit_test(death_is_for_what_no_library_does),
	};

#ifdef SANITIZED
	const struct CMUnitTest none[] = { cmocka_unit_test(no_sandbox_under_a_sanitizer) };

	(void)tests;
	return cmocka_run_group_tests(none, set_up, tear_down);
#else
	return cmocka_run_group_tests(tests, set_up, tear_down);
#endif
}
