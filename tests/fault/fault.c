/*
 * fault.c -- a disk, a memory and a clock that fail when told to. Preloaded (LD_PRELOAD) into the program
 * under test; it stands between libc and its callers and counts their calls.
 *
 * Owns:    the counters and orders in the file that TOCSIN_FAULT names, which is mapped shared: all
 *          processes of a node count together, and the test reads and changes the orders while they run.
 * Called:  by tests/scenarios/faults.py, which lays the file out as struct orders does.
 * Never:   touches what goes over sockets and pipes, the standard streams, or paths outside of orders.path.
 *
 * The n-th call of a chosen kind fails with the chosen error: orders.from = n, orders.times = how many from
 * there on (-1: all). from = 0 only counts.
 *
 * TOCSIN_FAULT_DISK names a journal of what a disk could still lose: before a write or a truncation the bytes
 * that it replaces, after a sync that all before it is safe. A power cut is then played by killing everybody
 * and taking back some of what was not safe (faults.py).
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum kind {
	OPEN_READ = 1, OPEN_WRITE = 2, WRITE = 4, PWRITE = 8, FSYNC = 16, FDATASYNC = 32, FTRUNCATE = 64,
	RENAME = 128, MKDIR = 256, UNLINK = 512, READ = 1024, ALLOCATE = 2048,
	DESCRIPTOR = 4096		/* new ones that are no files: sockets, memory */
};

struct orders {
	uint32_t	kinds;		/* that are counted, and may fail */
	int32_t		error;		/* errno of a failure */
	int64_t		from, times;
	int64_t		clock_us;	/* added to the wall clock */
	int64_t		sync_us;	/* what a sync costs */
	uint32_t	halves;	/* a write that shall fail writes half of it first, and says so */
	uint32_t	last;		/* kind of the last failure */
	_Atomic int64_t	seen, failed;
	char		path[200];	/* names that begin so count; empty: none */
};

/* A record of the journal; `old` bytes follow, which stood where `fresh` bytes were put. */
enum change { WRITTEN = 1, CUT = 2, SYNCED = 3 };
struct record {
	uint32_t	magic, change;
	uint64_t	device, inode;
	int64_t		at, size_before;
	uint64_t	old, fresh;
};
enum { RECORD_MAGIC = 0x64697363, PIECE = 65536 };

static struct orders *orders;
static int journal = -1;
static int (*real_clock)(clockid_t, struct timespec *);
static int (*real_temp)(char *, int);
static DIR *(*real_opendir)(const char *);

void	*__libc_malloc(size_t n);
void	*__libc_calloc(size_t n, size_t size);
void	*__libc_realloc(void *p, size_t n);

__attribute__((constructor)) static void
map_orders(void)
{
	const char *path = getenv("TOCSIN_FAULT");
	int fd = path == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	void *at;

	*(void **)&real_clock = dlsym(RTLD_NEXT, "clock_gettime");
	*(void **)&real_temp = dlsym(RTLD_NEXT, "mkostemp");
	*(void **)&real_opendir = dlsym(RTLD_NEXT, "opendir");
	path = getenv("TOCSIN_FAULT_DISK");
	if (path != NULL)
		journal = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return;
	at = mmap(NULL, sizeof(*orders), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	syscall(SYS_close, fd);
	if (at != MAP_FAILED)
		orders = at;
}

/* Count a call of this kind; true if it shall fail. */
static int
shall_fail(enum kind kind)
{
	int64_t n;

	if (orders == NULL || !(orders->kinds & kind))
		return 0;
	n = atomic_fetch_add(&orders->seen, 1) + 1;
	if (orders->from == 0 || n < orders->from ||
	    (orders->times >= 0 && n >= orders->from + orders->times))
		return 0;
	orders->last = kind;
	atomic_fetch_add(&orders->failed, 1);
	errno = orders->error;
	return 1;
}

static int
path_counts(const char *path)
{
	size_t n = orders == NULL ? 0 : strnlen(orders->path, sizeof(orders->path));

	return n > 0 && strncmp(path, orders->path, n) == 0;
}

/* Regular files, but not the standard streams: the log must stay readable. */
static int
file_counts(int fd)
{
	struct stat st;

	return orders != NULL && fd > 2 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* ---- names ---- */

static int
open_it(const char *path, int flags, mode_t mode)
{
	enum kind kind = (flags & O_ACCMODE) == O_RDONLY && !(flags & O_CREAT) ? OPEN_READ : OPEN_WRITE;

	if (path_counts(path) && shall_fail(kind))
		return -1;
	return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static mode_t
mode_of(int flags, va_list ap)
{
	return flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(ap, unsigned) : 0;
}

#define OPENER(name)								\
int	name(const char *path, int flags, ...);				\
int										\
name(const char *path, int flags, ...)						\
{										\
	va_list ap;								\
	mode_t mode;								\
										\
	va_start(ap, flags);							\
	mode = mode_of(flags, ap);						\
	va_end(ap);								\
	return open_it(path, flags, mode);					\
}
OPENER(open)
OPENER(open64)

/* what _FORTIFY_SOURCE makes of open without a mode */
int	__open_2(const char *path, int flags);
int	__open64_2(const char *path, int flags);

int
__open_2(const char *path, int flags)
{
	return open_it(path, flags, 0);
}

int
__open64_2(const char *path, int flags)
{
	return open_it(path, flags, 0);
}

int
mkostemp(char *path, int flags)
{
	return path_counts(path) && shall_fail(OPEN_WRITE) ? -1 : real_temp(path, flags);
}

int
mkostemp64(char *path, int flags)
{
	return mkostemp(path, flags);
}

int
rename(const char *from, const char *to)
{
	if (path_counts(from) && shall_fail(RENAME))
		return -1;
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int
mkdir(const char *path, mode_t mode)
{
	if (path_counts(path) && shall_fail(MKDIR))
		return -1;
	return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int
unlink(const char *path)
{
	if (path_counts(path) && shall_fail(UNLINK))
		return -1;
	return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

DIR *
opendir(const char *path)
{
	return path_counts(path) && shall_fail(OPEN_READ) ? NULL : real_opendir(path);
}

/* ---- descriptors without a name ---- */

int
accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict n, int flags)
{
	return shall_fail(DESCRIPTOR) ? -1 : (int)syscall(SYS_accept4, fd, address, n, flags);
}

int
accept(int fd, struct sockaddr *restrict address, socklen_t *restrict n)
{
	return accept4(fd, address, n, 0);
}

int
socket(int domain, int type, int protocol)
{
	return shall_fail(DESCRIPTOR) ? -1 : (int)syscall(SYS_socket, domain, type, protocol);
}

int
memfd_create(const char *name, unsigned flags)
{
	return shall_fail(DESCRIPTOR) ? -1 : (int)syscall(SYS_memfd_create, name, flags);
}

/* ---- the journal ---- */

/* Say what is about to happen to a piece of a file (or has: SYNCED), with the bytes that will be gone. */
static void
note_piece(enum change change, int fd, const struct stat *st, int64_t at, uint64_t fresh)
{
	struct { struct record r; char old[PIECE]; } x = { .r = {
		.magic = RECORD_MAGIC, .change = change, .device = st->st_dev, .inode = st->st_ino,
		.at = at, .size_before = st->st_size, .fresh = fresh } };
	ssize_t n = fresh > 0 ? syscall(SYS_pread64, fd, x.old, fresh, at) : 0;

	x.r.old = n > 0 ? (uint64_t)n : 0;
	if (syscall(SYS_write, journal, &x, sizeof(x.r) + x.r.old) < 0)
		abort();
}

/* The same of any length: what is cut off goes piece by piece. */
static void
note(enum change change, int fd, int64_t at, uint64_t fresh)
{
	struct stat st;

	if (journal < 0 || fd <= 2 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	if (change == CUT)
		fresh = at < st.st_size ? (uint64_t)(st.st_size - at) : 0;
	for (; fresh > PIECE; fresh -= PIECE, at += PIECE)
		note_piece(change, fd, &st, at, PIECE);
	note_piece(change, fd, &st, at, fresh);
}

/* ---- bytes ---- */

/* How much of n bytes goes through before the failure: 0, or half of it (a short write). */
static size_t
half_of(size_t n)
{
	return orders->halves && n > 1 ? n / 2 : 0;
}

ssize_t
write(int fd, const void *p, size_t n)
{
	if (file_counts(fd) && shall_fail(WRITE) && (n = half_of(n)) == 0)
		return -1;
	return syscall(SYS_write, fd, p, n);
}

ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
	if (file_counts(fd) && shall_fail(PWRITE) && (n = half_of(n)) == 0)
		return -1;
	note(WRITTEN, fd, at, n);
	return syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t
pwrite(int fd, const void *p, size_t n, off_t at)
{
	return pwrite64(fd, p, n, at);
}

ssize_t
read(int fd, void *p, size_t n)
{
	return file_counts(fd) && shall_fail(READ) ? -1 : syscall(SYS_read, fd, p, n);
}

ssize_t
pread64(int fd, void *p, size_t n, off64_t at)
{
	return file_counts(fd) && shall_fail(READ) ? -1 : syscall(SYS_pread64, fd, p, n, at);
}

ssize_t
pread(int fd, void *p, size_t n, off_t at)
{
	return pread64(fd, p, n, at);
}

int
ftruncate64(int fd, off64_t n)
{
	if (file_counts(fd) && shall_fail(FTRUNCATE))
		return -1;
	note(CUT, fd, n, 0);
	return (int)syscall(SYS_ftruncate, fd, n);
}

int
ftruncate(int fd, off_t n)
{
	return ftruncate64(fd, n);
}

static void
take_time(void)
{
	int64_t us = orders == NULL ? 0 : orders->sync_us;
	struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	if (us > 0)
		nanosleep(&ts, NULL);
}

int
fsync(int fd)
{
	int rc;

	take_time();
	rc = shall_fail(FSYNC) ? -1 : (int)syscall(SYS_fsync, fd);
	if (rc == 0)
		note(SYNCED, fd, 0, 0);
	return rc;
}

int
fdatasync(int fd)
{
	int rc;

	take_time();
	rc = shall_fail(FDATASYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
	if (rc == 0)
		note(SYNCED, fd, 0, 0);
	return rc;
}

/* ---- memory ---- */

#ifndef NO_MALLOC
void *
malloc(size_t n)
{
	return shall_fail(ALLOCATE) ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return shall_fail(ALLOCATE) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return shall_fail(ALLOCATE) ? NULL : __libc_realloc(p, n);
}
#endif

/* ---- time ---- */

int
clock_gettime(clockid_t which, struct timespec *ts)
{
	/* a sanitizer asks before our constructor has run */
	int rc = real_clock != NULL ? real_clock(which, ts) : (int)syscall(SYS_clock_gettime, which, ts);
	int64_t us = orders == NULL ? 0 : orders->clock_us;

	if (rc == 0 && us != 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
		us += (int64_t)ts->tv_sec * 1000000 + ts->tv_nsec / 1000;
		ts->tv_sec = us / 1000000;
		ts->tv_nsec = us % 1000000 * 1000 + ts->tv_nsec % 1000;
	}
	return rc;
}

int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &ts) < 0)
		return -1;
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *out)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (out != NULL)
		*out = ts.tv_sec;
	return ts.tv_sec;
}
