/* master_notify.c -- what systemd is told (sd_notify(3)), in one datagram each. */
#include "gateway/master_parts.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/slice.h"

enum { SILENT_US = 10 * 1000000 };	/* a child that does not answer for so long hangs */

/* Nobody listens, or he is gone: nothing is lost. */
static void
notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t n = path == NULL ? 0 : strlen(path);
	int fd;

	if (n == 0 || n >= sizeof(sa.sun_path))
		return;
	memcpy(sa.sun_path, path, n);
	if (path[0] == '@')
		sa.sun_path[0] = '\0';		/* an abstract one */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&sa,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		fprintf(stderr, "tocsin: NOTIFY_SOCKET does not listen\n");
	close(fd);
}

void
notify_ready(struct master *m)
{
	char text[160];

	snprintf(text, sizeof(text), "READY=1\nMAINPID=%lld\nSTATUS=%u workers serve",
	    (long long)getpid(), (unsigned)m->nworkers);
	notify(text);
}

void
notify_reloading(void)
{
	char text[80];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
	    (long long)clock_mono_us());
	notify(text);
}

void
notify_stopping(void)
{
	notify("STOPPING=1");
}

int64_t
notify_watchdog_us(void)
{
	unsigned long long us = 0, pid = 0;
	const char *whom = getenv("WATCHDOG_PID");

	if (!slice_u64(slice_of(getenv("WATCHDOG_USEC")), &us) || us > INT64_MAX)
		return 0;
	if (whom != NULL && (!slice_u64(slice_of(whom), &pid) || pid != (unsigned long long)getpid()))
		return 0;
	return (int64_t)us;
}

void
notify_pulse(struct master *m)
{
	int64_t now = clock_mono_us();

	if (notify_watchdog_us() == 0 || m->phase != PHASE_SERVING)
		return;
	for (struct proc *p = child_next(m, NULL); p != NULL; p = child_next(m, p))
		if (p->kind != PROCESS_TRANSLATOR && p->state == PROC_SERVING &&
		    now - p->pong_us > SILENT_US)
			return;
	notify("WATCHDOG=1");
}
