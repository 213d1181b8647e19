/*
 * redis_server.h -- a real redis-server of a test's own: private folder, unix socket, stopped by pid.
 *
 * Owns:    the child process and its folder.
 * Called:  by the unit tests that need Redis.
 * Never:   touches a server that it did not start; survives its test (it dies with its parent).
 */
#ifndef TESTS_UNIT_REDIS_SERVER_H
#define TESTS_UNIT_REDIS_SERVER_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "gateway/redis.h"

struct server {
	char	dir[64], socket[96], url[112];
	pid_t	pid;
};

/* --- the loop ------------------------------------------------------------------------------------ */

static bool	overdue;

static inline void
on_overdue(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	overdue = true;
}

static inline void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

/* Run the loop until `done` says so; ten seconds of it are a failure. */
static inline void
run_until(struct event_base *base, bool (*done)(void *), void *arg)
{
	struct event *limit = evtimer_new(base, on_overdue, NULL);
	struct event *tick = event_new(base, -1, EV_PERSIST, on_tick, NULL);

	overdue = false;
	event_add(limit, &(struct timeval){ 10, 0 });
	event_add(tick, &(struct timeval){ 0, 5000 });
	while (!done(arg) && !overdue)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(limit);
	event_free(tick);
	if (overdue)
		fail_msg("nothing happened for ten seconds");
}

static inline bool
is_up(void *arg)
{
	return redis_state(arg) == REDIS_UP;
}

static inline bool
is_down(void *arg)
{
	return redis_state(arg) == REDIS_DOWN;
}

/* --- a client of its own, which waits ------------------------------------------------------------ */

/* Send one inline command over the socket; the answer's first bytes into out. */
static inline void
raw(const struct server *s, const char *command, char *out, size_t cap)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), i;
	ssize_t n;

	memcpy(a.sun_path, s->socket, strlen(s->socket) + 1);
	out[0] = '\0';
	for (i = 0; connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0; i++) {
		if (i == 500)
			fail_msg("%s: %s", s->socket, strerror(errno));
		usleep(10000);
	}
	if (write(fd, command, strlen(command)) < 0 || write(fd, "\r\n", 2) < 0)
		fail_msg("%s: %s", command, strerror(errno));
	if ((n = read(fd, out, cap - 1)) < 0)
		fail_msg("%s: %s", command, strerror(errno));
	out[n] = '\0';
	close(fd);
}

/* The same, and it must be answered like this. */
static inline void
tell(const struct server *s, const char *command, const char *expected)
{
	char out[256];

	raw(s, command, out, sizeof(out));
	if (strncmp(out, expected, strlen(expected)) != 0)
		fail_msg("%s: %s", command, out);
}

/* --- the server ---------------------------------------------------------------------------------- */

/* A port that nobody uses now. */
static inline uint16_t
free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		fail_msg("no free port: %s", strerror(errno));
	close(fd);
	return ntohs(a.sin_port);
}

static inline void
server_spawn(struct server *s, const char *const *more)
{
	const char *argv[40] = { "redis-server", "--unixsocket", s->socket, "--save", "",
	    "--appendonly", "no", "--dir", s->dir, "--logfile", "log", "--daemonize", "no" };
	size_t n = 13;
	bool port = false;

	for (; more != NULL && *more != NULL; more++) {
		port = port || strcmp(*more, "--port") == 0;
		argv[n++] = *more;
	}
	if (!port) {
		argv[n++] = "--port";
		argv[n++] = "0";
	}
	unlink(s->socket);
	if ((s->pid = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
}

/* Start one and wait until it listens. */
static inline void
server_start(struct server *s, const char *const *more)
{
	char out[64];

	memset(s, 0, sizeof(*s));
	snprintf(s->dir, sizeof(s->dir), "/tmp/tocsin-redis-XXXXXX");
	if (mkdtemp(s->dir) == NULL)
		fail_msg("%s: %s", s->dir, strerror(errno));
	snprintf(s->socket, sizeof(s->socket), "%s/socket", s->dir);
	snprintf(s->url, sizeof(s->url), "unix:%s", s->socket);
	server_spawn(s, more);
	raw(s, "PING", out, sizeof(out));
}

static inline void
server_kill(struct server *s)
{
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	s->pid = 0;
}

static inline void
server_stop(struct server *s)
{
	char path[128];

	server_kill(s);
	unlink(s->socket);
	snprintf(path, sizeof(path), "%s/log", s->dir);
	unlink(path);
	rmdir(s->dir);
}

static inline struct redis_conf
conf_of(const struct server *s)
{
	return (struct redis_conf){ .url = s->url, .prefix = "t:", .connect_us = 2000000,
	    .command_us = 1000000, .claim_short_us = 30000000, .claim_long_us = 3600000000,
	    .queue_max = 10000, .reply_max = 1 << 20 };
}

#endif
