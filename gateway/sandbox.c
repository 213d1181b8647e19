#include "gateway/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/base/log.h"

/* A sanitizer starts threads, reads /proc and traces itself: it is run without the filter. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* ---- who we are ---- */

static int
drop_user(const struct sandbox *s, struct err *e)
{
	if (geteuid() == s->uid && getegid() == s->gid)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(s->gid, s->gid, s->gid) < 0 ||
	    setresuid(s->uid, s->uid, s->uid) < 0)
		return err_set(e, ERR_IO, "cannot become user %u: %s", (unsigned)s->uid,
		    strerror(errno));
	if (s->uid != 0 && setuid(0) == 0)
		return err_set(e, ERR_IO, "root came back");
	return 0;
}

/* Not even a program that root owns could give one back. Needs CAP_SETPCAP: done where we have it. */
static void
drop_bounding(void)
{
	for (int cap = 0; cap <= 63; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static int
drop_capabilities(struct err *e)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } }, now[2];

	if (syscall(SYS_capget, &head, now) == 0 && memcmp(now, none, sizeof(now)) == 0)
		return 0;		/* a service manager was here before */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, none) < 0)
		return err_set(e, ERR_IO, "cannot drop capabilities: %s", strerror(errno));
	return 0;
}

/* A change of user forgets both. */
static void
set_process_flags(void)
{
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* ---- limits ---- */

struct limit_row {
	int	which;
	rlim_t	value[PROCESS_KINDS];
};

enum { KEEP = -1 };
static const rlim_t keep = (rlim_t)KEEP;

static int
set_limits(enum process_kind kind, struct err *e)	/* EPERM: a service manager has set its own */
{
	static const rlim_t mib = 1024 * 1024;
	const struct limit_row rows[] = {
		{ RLIMIT_CORE, { 0, 0, 0 } },
		{ RLIMIT_FSIZE, { keep, 1024 * mib, keep } },	/* of a memory file */
		{ RLIMIT_NOFILE, { keep, 64, keep } },
		{ RLIMIT_AS, { keep, SANITIZED ? keep : 4096 * mib, keep } },
		{ RLIMIT_MEMLOCK, { 0, 0, 0 } },
		{ RLIMIT_MSGQUEUE, { 0, 0, 0 } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct rlimit now, to = { rows[i].value[kind], rows[i].value[kind] };

		if (rows[i].value[kind] == keep || getrlimit((__rlimit_resource_t)rows[i].which,
		    &now) < 0)
			continue;
		if (now.rlim_max < to.rlim_max)
			to.rlim_max = to.rlim_cur = now.rlim_max;
		if (setrlimit((__rlimit_resource_t)rows[i].which, &to) < 0 && errno != EPERM)
			return err_set(e, ERR_IO, "cannot set a limit: %s", strerror(errno));
	}
	return 0;
}

/* ---- files ---- */

static const uint64_t all_rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;	/* ABI 1 */
static const uint64_t read_rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t write_rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_REFER;		/* ABI 2: from one folder to another */
static const uint64_t file_rights = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE;

static int
allow_path(int rules, const struct sandbox_path *p, struct err *e)
{
	struct landlock_path_beneath_attr a = {
		.allowed_access = p->write ? write_rights : read_rights,
	};
	struct stat st;
	int rc;

	a.parent_fd = open(p->path, O_PATH | O_CLOEXEC);
	if (a.parent_fd < 0 && (errno == ENOENT || errno == ENOTDIR || p->foreign))
		return 0;
	if (a.parent_fd < 0 || fstat(a.parent_fd, &st) < 0)
		return err_set(e, ERR_IO, "sandbox: %s: %s", p->path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		a.allowed_access &= file_rights;
	rc = (int)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
	if (rc < 0)
		err_set(e, ERR_IO, "sandbox: %s: %s", p->path, strerror(errno));
	close(a.parent_fd);
	return rc;
}

/* The set of what remains; *out stays -1 if the kernel has no Landlock, or one that knows no move of a file
 * from one folder to another, as spools need it. */
static int
file_rules(const struct sandbox *s, int *out, struct err *e)
{
	const struct landlock_ruleset_attr attr = {
		.handled_access_fs = all_rights | LANDLOCK_ACCESS_FS_REFER
	};
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	int rules, rc = 0;

	if (version < 2) {
		log_event(LOG_WARN, "sandbox.no-landlock", LF_S("process",
		    process_kind_word(s->kind)), LF_I("version", version));
		return 0;
	}
	rules = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (rules < 0)
		return err_set(e, ERR_IO, "sandbox: %s", strerror(errno));
	for (size_t i = 0; i < s->npaths && rc == 0; i++)
		rc = allow_path(rules, &s->paths[i], e);
	*out = rules;
	return rc;
}

/* ---- system calls ---- */

#define CALL(name)	SCMP_SYS(name)
enum { LIST_END = -1 };

/* What any C program with a heap, a clock and descriptors does. */
static const int common_calls[] = {
	CALL(read), CALL(readv), CALL(write), CALL(writev), CALL(close), CALL(fstat), CALL(newfstatat),
	CALL(lseek), CALL(munmap), CALL(mremap), CALL(madvise), CALL(brk), CALL(futex),
	CALL(getrandom), CALL(clock_gettime), CALL(gettimeofday), CALL(time), CALL(getpid),
	CALL(gettid), CALL(getppid), CALL(exit), CALL(exit_group), CALL(rt_sigreturn),
	CALL(rt_sigprocmask), CALL(restart_syscall), CALL(recvmsg), CALL(sendmsg), CALL(recvfrom),
	CALL(poll),
	CALL(ppoll), CALL(memfd_create), CALL(fcntl), CALL(sched_yield), CALL(uname), CALL(shutdown),
	CALL(ftruncate), CALL(sysinfo) /* qsort */, CALL(sched_getaffinity), CALL(getrusage),
	CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid), LIST_END
};
/* An event loop. */
static const int loop_calls[] = {
	CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_pwait2), CALL(epoll_ctl), CALL(epoll_create1),
	CALL(timerfd_create), CALL(timerfd_settime), CALL(eventfd2), CALL(pipe2), CALL(socketpair),
	CALL(nanosleep), CALL(clock_nanosleep), CALL(rt_sigaction), CALL(getsockopt),
	CALL(setsockopt), CALL(ioctl), CALL(dup), CALL(sigaltstack),
	CALL(prlimit64), CALL(times),
	CALL(select), CALL(pselect6), CALL(sendto), CALL(set_robust_list),
	CALL(rseq), CALL(getcwd), CALL(umask), LIST_END
};
/* Files in the folders that Landlock leaves. */
static const int file_calls[] = {
	CALL(open), CALL(openat), CALL(stat), CALL(lstat), CALL(statx), CALL(access), CALL(faccessat),
	CALL(faccessat2), CALL(readlink), CALL(readlinkat), CALL(getdents64), CALL(unlink),
	CALL(unlinkat), CALL(rename), CALL(renameat), CALL(renameat2), CALL(mkdir), CALL(mkdirat),
	CALL(chmod), CALL(fsync), CALL(fdatasync), CALL(pread64), CALL(pwrite64), CALL(preadv),
	CALL(pwritev),
	CALL(fallocate), CALL(fchmod), CALL(fchmodat), CALL(fchown), CALL(flock), CALL(statfs),
	CALL(fstatfs), CALL(copy_file_range), CALL(sendfile), CALL(fadvise64), CALL(utimensat),
	CALL(link), CALL(linkat), CALL(truncate), CALL(sync_file_range), LIST_END
};
/* Connections: to take them, and to call peers and Redis. */
static const int network_calls[] = {
	CALL(accept4), CALL(accept), CALL(socket), CALL(connect), CALL(bind), CALL(listen),
	CALL(getsockname), CALL(getpeername), CALL(recvmmsg), CALL(sendmmsg), LIST_END
};

static const int *const lists_of[PROCESS_KINDS][5] = {
	[PROCESS_STOREKEEPER] = { common_calls, loop_calls, file_calls },
	[PROCESS_TRANSLATOR] = { common_calls },
	[PROCESS_WORKER] = { common_calls, loop_calls, file_calls, network_calls },
};

enum { REFUSED_MAX = 24 };
static const int refused_calls[PROCESS_KINDS][REFUSED_MAX] = {
	[PROCESS_STOREKEEPER] = { CALL(prctl), CALL(socket), CALL(connect), LIST_END },
	/* iconv looks for its modules, time zones for their files: there are none */
	[PROCESS_TRANSLATOR] = { CALL(open), CALL(openat), CALL(stat), CALL(lstat), CALL(statx),
	    CALL(access), CALL(faccessat), CALL(faccessat2), CALL(readlink), CALL(readlinkat),
	    CALL(socket), CALL(connect), CALL(prctl), CALL(ioctl), CALL(getdents64), CALL(prlimit64),
	    CALL(rt_sigaction), CALL(nanosleep), CALL(clock_nanosleep), CALL(getcwd), LIST_END },
	[PROCESS_WORKER] = { CALL(prctl), LIST_END },
};

static int
add_list(scmp_filter_ctx f, const int *calls)
{
	int rc = 0;

	for (; *calls != LIST_END && rc == 0; calls++)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, *calls, 0);
	return rc;
}

/* abort() and a test's crash point: a signal to ourselves, to nobody else. New memory is never code. */
static int
add_conditional(scmp_filter_ctx f)
{
	const struct scmp_arg_cmp not_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp to_us = { .arg = 0, .op = SCMP_CMP_EQ,
	    .datum_a = (scmp_datum_t)getpid() };
	int rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &to_us);

	if (rc == 0)
		rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &not_code);
	if (rc == 0)
		rc = seccomp_rule_add_array(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &not_code);
	return rc;
}

/* What a library may try, and lives without. */
static int
add_refused(scmp_filter_ctx f, enum process_kind kind)
{
	int rc = 0;

	for (const int *c = refused_calls[kind]; *c != LIST_END && rc == 0; c++)
		rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), *c, 0);
	return rc;
}

static int
restrict_calls(enum process_kind kind, struct err *e)
{
	const bool learning = getenv("TOCSIN_SANDBOX_LOG") != NULL;
	scmp_filter_ctx f = seccomp_init(learning ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS);
	int rc = f == NULL ? -ENOMEM : 0;

	for (const int *const *list = lists_of[kind]; rc == 0 && *list != NULL; list++)
		rc = add_list(f, *list);
	if (rc == 0)
		rc = add_conditional(f);
	if (rc == 0 && !learning)
		rc = add_refused(f, kind);
	if (rc == 0)
		rc = seccomp_load(f);
	if (f != NULL)
		seccomp_release(f);
	return rc == 0 ? 0 : err_set(e, ERR_IO, "cannot filter system calls: %s", strerror(-rc));
}

/* ---- all ---- */

/* Folders are opened while we may still see them, the rest goes from the outside to the inside. */
int
sandbox_enter(const struct sandbox *s, struct err *e)
{
	int rules = -1, rc = -1;

	if (set_limits(s->kind, e) < 0 || file_rules(s, &rules, e) < 0)
		goto done;
	drop_bounding();
	if (drop_user(s, e) < 0 || drop_capabilities(e) < 0)
		goto done;
	set_process_flags();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		err_set(e, ERR_IO, "no_new_privs: %s", strerror(errno));
		goto done;
	}
	if (rules >= 0 && !SANITIZED && syscall(SYS_landlock_restrict_self, rules, 0) < 0) {
		err_set(e, ERR_IO, "sandbox: %s", strerror(errno));
		goto done;
	}
	rc = SANITIZED ? 0 : restrict_calls(s->kind, e);
done:
	if (rules >= 0)
		close(rules);
	return rc;
}
