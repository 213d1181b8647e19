/*
 * master_upgrade.c -- the binary on disk takes over.
 *
 *	SIGUSR2 --- the new binary rehearses: reads all files, says yes or no, and ends
 *	   yes  --- workers finish and close, the storekeeper commits: connections wait in the sockets
 *	        --- this process becomes the new binary (exec): same pid, same sockets
 *	        --- it starts its children;  cannot it, it becomes the old binary again, which does
 */
#include "gateway/master_parts.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/log.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"

enum { REHEARSAL_SECONDS = 60, SAID_MAX = 4096, INHERITED_MAX = 4096 };

static const char variable[] = "TOCSIN_INHERIT";	/* "WORD NUMBER TEXT" a line */

struct master_upgrade {
	char		*binary;	/* path on disk */
	int		 old;		/* of the binary before us, until we serve; -1 */
	pid_t		 rehearsal;
	int		 said;		/* what it prints */
	struct event	*late;
	struct waiter	 waiter;
	bool		 asked;		/* by worker 0, who waits */
	bool		 going;
};

/* ---- who asked ---- */

static void
refuse(struct master *m, const char *why)
{
	struct master_upgrade *u = m->upgrade;

	log_event(LOG_ERROR, "upgrade.refused", LF_S("binary", u->binary), LF_S("error", why));
	if (u->asked)
		master_answer(m, &u->waiter, false, why);
	u->asked = false;
}

/* ---- the rehearsal ---- */

static _Noreturn void
rehearse(const struct master *m, int out)
{
	char program[] = "tocsin:", verb[] = "rehearse", *path = xstrdup(m->path);
	char *argv[] = { program, verb, path, NULL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0 &&
	    close_range(STDERR_FILENO + 1, ~0U, 0) == 0)
		execv(m->upgrade->binary, argv);
	dprintf(STDERR_FILENO, "cannot run it: %s\n", strerror(errno));
	_exit(127);
}

static int
start_rehearsal(struct master *m)
{
	static const struct timeval patience = { REHEARSAL_SECONDS, 0 };
	struct master_upgrade *u = m->upgrade;
	sigset_t all, before;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	u->rehearsal = fork();
	if (u->rehearsal == 0)
		rehearse(m, ends[1]);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	if (u->rehearsal < 0) {
		u->rehearsal = 0;
		close(ends[0]);
		return -1;
	}
	u->said = ends[0];
	evtimer_add(u->late, &patience);
	return 0;
}

void
upgrade_ask(struct master *m, const struct proc *who, uint64_t id)
{
	struct master_upgrade *u = m->upgrade;

	if (u->rehearsal > 0 || u->going) {
		log_event(LOG_WARN, "upgrade.under-way", LF_S("binary", u->binary));
		if (who != NULL)
			master_answer(m, &(struct waiter){ .id = id, .pid = who->pid }, false,
			    "an upgrade is under way already");
		return;
	}
	u->asked = who != NULL;
	if (who != NULL)
		u->waiter = (struct waiter){ .id = id, .pid = who->pid };
	if (m->phase != PHASE_SERVING)
		refuse(m, "the node is starting or shutting down");
	else if (start_rehearsal(m) < 0)
		refuse(m, strerror(errno));
}

static void
on_late(evutil_socket_t fd, short what, void *arg)
{
	struct master *m = arg;

	(void)fd;
	(void)what;
	if (m->upgrade->rehearsal > 0)
		kill(m->upgrade->rehearsal, SIGKILL);
}

/* It said yes: all children finish, and upgrade_now is the end of it. */
static void
go(struct master *m)
{
	struct master_upgrade *u = m->upgrade;

	u->going = true;
	log_event(LOG_INFO, "upgrade.begins", LF_S("binary", u->binary));
	if (u->asked)
		master_answer(m, &u->waiter, true, "");
	u->asked = false;
	notify_reloading();
	master_drain(m);
}

void
upgrade_reaped(struct master *m, pid_t pid, int status)
{
	struct master_upgrade *u = m->upgrade;
	char said[SAID_MAX];
	ssize_t n;

	if (u == NULL || pid != u->rehearsal)
		return;
	evtimer_del(u->late);
	u->rehearsal = 0;
	n = read(u->said, said, sizeof(said) - 1);
	close(u->said);
	said[n > 0 ? n : 0] = '\0';
	if (m->phase != PHASE_SERVING)
		refuse(m, "the node is shutting down");
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		go(m);
	else
		refuse(m, said[0] != '\0' ? said : "it does not start");
}

bool
upgrade_is_going(const struct master *m)
{
	return m->upgrade != NULL && m->upgrade->going;
}

/* ---- sockets from one binary to the next ---- */

static void
pass_on(struct strbuf *b, const char *word, int fd, const char *text)
{
	if (fd >= 0 && fcntl(fd, F_SETFD, 0) == 0)
		strbuf_addf(b, "%s %d %s\n", word, fd, text);
}

static void
pass_all(struct master *m, int old)
{
	struct strbuf b = STRBUF_INIT;

	for (size_t i = 0; i < m->nlistens; i++)
		for (size_t k = 0; k < m->listens[i].n; k++)
			pass_on(&b, "listen", m->listens[i].fds[k], m->listens[i].address);
	for (size_t k = 0; k < m->operations.n; k++)
		pass_on(&b, "operations", m->operations.fds[k], m->operations.address);
	pass_on(&b, "control", m->admin, m->config->control);
	pass_on(&b, "old", old, m->upgrade->binary);
	strbuf_addf(&b, "binary 0 %s\n", m->upgrade->binary);
	setenv(variable, b.p, 1);
	strbuf_fini(&b);
}

/* Is it what we were told? */
static bool
is_listening_socket(int fd)
{
	int yes = 0;
	socklen_t n = sizeof(yes);

	return fd > STDERR_FILENO && getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &n) == 0 && yes;
}

static void
take_socket(struct master *m, struct slice word, int fd, const char *text)
{
	if (!is_listening_socket(fd)) {
		log_event(LOG_ERROR, "upgrade.socket", LF_S("address", text));
	} else if (slice_is(word, "listen") && sockets_take(m, text, fd)) {
		return;
	} else if (slice_is(word, "operations") && sockets_take_operations(m, text, fd)) {
		return;
	} else if (slice_is(word, "control") && strcmp(text, m->config->control) == 0) {
		m->admin = fd;
		return;
	} else {
		log_event(LOG_WARN, "upgrade.address-gone", LF_S("address", text));
	}
	close(fd);
}

static void
take_line(struct master *m, struct slice line)
{
	struct slice word = slice_cut(&line, ' '), number = slice_cut(&line, ' ');
	unsigned long long n;
	char *text;

	if (!slice_u64(number, &n) || n > INT32_MAX)
		return;
	text = xstrndup(line.p, line.n);
	if (slice_is(word, "binary")) {
		free(m->upgrade->binary);
		m->upgrade->binary = xstrdup(text);
	} else if (fcntl((int)n, F_SETFD, FD_CLOEXEC) < 0) {
		log_event(LOG_ERROR, "upgrade.socket", LF_S("address", text));
	} else if (slice_is(word, "old")) {
		m->upgrade->old = (int)n;
	} else {
		take_socket(m, word, (int)n, text);
	}
	free(text);
}

void
upgrade_inherit(struct master *m)
{
	const char *given = getenv(variable);
	char *kept = given == NULL ? NULL : xstrdup(given);
	struct slice rest = slice_of(kept);

	unsetenv(variable);
	for (int i = 0; rest.n > 0 && i < INHERITED_MAX; i++)
		take_line(m, slice_cut(&rest, '\n'));
	free(kept);
}

/* ---- the change ---- */

static char *
own_path(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	return xstrndup(path, n > 0 ? (size_t)n : 0);
}

static void
become(struct master *m, int fd, const char *path)
{
	char *program = xstrdup(m->upgrade->binary), verb[] = "serve", option[] = "--config";
	char *config = xstrdup(m->path);
	char *argv[] = { program, verb, option, config, NULL };

	signal(SIGHUP, SIG_IGN);	/* until it listens for them */
	signal(SIGUSR2, SIG_IGN);
	unsetenv("TOCSIN_START_FAILS");
	if (path != NULL)
		execv(path, argv);
	else
		fexecve(fd, argv, environ);
	log_event(LOG_ERROR, "upgrade.exec", LF_S("binary", program), LF_S("error", strerror(errno)));
	free(program);
	free(config);
}

void
upgrade_now(struct master *m)
{
	int old;

	if (m->status != 0 || !upgrade_is_going(m))
		return;
	/* Who wants us to end is heard to the last: one that came since the loop ended is still in it, and
	 * one that comes from now on ends us, who have no children any more. */
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	event_base_loop(m->base, EVLOOP_NONBLOCK);
	if (!upgrade_is_going(m))
		return;
	old = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	pass_all(m, old);
	become(m, -1, m->upgrade->binary);
	pass_all(m, -1);
	become(m, old, NULL);
	m->status = 1;
}

void
upgrade_back(struct master *m)
{
	struct master_upgrade *u = m->upgrade;

	if (u->old < 0)
		return;
	log_event(LOG_ERROR, "upgrade.failed", LF_S("binary", u->binary));
	for (struct proc *p = child_next(m, NULL); p != NULL; p = child_next(m, p))
		proc_kill(p);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;			/* the store must be free */
	pass_all(m, -1);
	become(m, u->old, NULL);
}

void
upgrade_back_unread(const char *config)
{
	struct master_upgrade u = { .old = -1 };
	struct master m = { .path = config, .upgrade = &u };
	const char *given = getenv(variable);
	struct slice rest = slice_of(given), line;
	struct strbuf b = STRBUF_INIT;
	unsigned long long fd;

	while (rest.n > 0) {
		line = slice_cut(&rest, '\n');
		if (slice_starts(line, "old ")) {
			slice_cut(&line, ' ');
			u.old = slice_u64(slice_cut(&line, ' '), &fd) && fd < 1024 ? (int)fd : -1;
			u.binary = xstrndup(line.p, line.n);
		} else {
			strbuf_addf(&b, "%.*s\n", SLICE_ARG(line));
		}
	}
	if (u.old >= 0) {
		setenv(variable, b.p, 1);
		become(&m, u.old, NULL);
	}
	free(u.binary);
	strbuf_fini(&b);
}

void
upgrade_done(struct master *m)
{
	struct master_upgrade *u = m->upgrade;

	if (u->old < 0)
		return;
	close(u->old);
	u->old = -1;
	log_event(LOG_INFO, "upgrade.done", LF_S("binary", u->binary),
	    LF_S("version", TOCSIN_VERSION));
}

/* ---- life ---- */

void
upgrade_init(struct master *m)
{
	struct master_upgrade *u = xcalloc(1, sizeof(*u));

	m->upgrade = u;
	u->old = -1;
	u->binary = own_path();
	u->late = evtimer_new(m->base, on_late, m);
}

void
upgrade_cancel(struct master *m)
{
	m->upgrade->going = false;
}

void
upgrade_fini(struct master *m)
{
	struct master_upgrade *u = m->upgrade;

	if (u == NULL)
		return;
	if (u->rehearsal > 0)
		kill(u->rehearsal, SIGKILL);
	event_free(u->late);
	free(u->binary);
	free(u);
	m->upgrade = NULL;
}
