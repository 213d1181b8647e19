/*
 * slow_sync.c -- preloaded: every fsync and fdatasync takes SLOW_SYNC_US longer, as on a disk without a cache.
 *
 * Owns:    nothing. The real sync runs first, so what was durable stays durable.
 * Called:  by the row programs, through LD_PRELOAD of a node or of a bare program.
 * Never:   fails a sync; tests/ has other ways to do that.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int
then_wait(int rc)
{
	static long us = -1;

	if (us < 0)
		us = getenv("SLOW_SYNC_US") == NULL ? 0 : atol(getenv("SLOW_SYNC_US"));
	if (rc == 0 && us > 0)
		nanosleep(&(struct timespec){ us / 1000000, us % 1000000 * 1000 }, NULL);
	return rc;
}

int
fsync(int fd)
{
	return then_wait((int)syscall(SYS_fsync, fd));
}

int
fdatasync(int fd)
{
	return then_wait((int)syscall(SYS_fdatasync, fd));
}
