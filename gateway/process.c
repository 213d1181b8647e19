#include "gateway/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/wire.h"

enum { INDEX_TEXT = 16 };

static const char *const kind_words[PROCESS_KINDS] = {
	[PROCESS_STOREKEEPER] = "storekeeper", [PROCESS_TRANSLATOR] = "translator",
	[PROCESS_WORKER] = "worker",
};

const char *
process_kind_word(enum process_kind kind)
{
	return kind_words[kind];
}

/* ---- orders ---- */

void
orders_pack(struct strbuf *b, const struct orders *o)
{
	wire_put_u8(b, (uint8_t)o->kind);
	wire_put_u32(b, o->index);
	wire_put_u32(b, o->nworkers);
	wire_put_i64(b, o->master_pid);
	wire_put_i64(b, o->started_us);
	wire_put_string(b, o->config);
	wire_put_fixed(b, o->common, sizeof(o->common));
	wire_put_u32(b, o->uid);
	wire_put_u32(b, o->gid);
	wire_put_bool(b, o->group_reads);
	wire_put_text(b, o->bundle);
}

int
orders_unpack(struct slice body, struct arena *mem, struct orders *o, struct err *e)
{
	struct wire w;

	memset(o, 0, sizeof(*o));
	wire_open(&w, body);
	o->kind = (enum process_kind)wire_below(&w, PROCESS_KINDS);
	o->index = wire_u32(&w);
	o->nworkers = wire_u32(&w);
	o->master_pid = wire_i64(&w);
	o->started_us = wire_i64(&w);
	o->config = wire_name(&w, mem);
	wire_fixed(&w, o->common, sizeof(o->common));
	o->uid = wire_u32(&w);
	o->gid = wire_u32(&w);
	o->group_reads = wire_bool(&w);
	o->bundle = arena_slice(mem, wire_text(&w));
	if (!wire_done(&w) || o->nworkers == 0 || o->nworkers > PROCESS_WORKERS_MAX ||
	    o->index >= o->nworkers || o->master_pid < 1)
		return err_set(e, ERR_VALUE, "these orders make no sense");
	return 0;
}

/* ---- start ---- */

/* Signals as a fresh program finds them. */
static void
reset_signals(const sigset_t *mask)
{
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_SETMASK, mask, NULL);
}

/* Descriptors 0, 1, 2 and the channel; nothing else. Standard output is where the log goes. */
static int
arrange_descriptors(int channel)
{
	int null = open("/dev/null", O_RDONLY);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return -1;
	if (channel == PROCESS_CHANNEL)
		return fcntl(channel, F_SETFD, 0) < 0 ? -1 : close_range(PROCESS_CHANNEL + 1, ~0U, 0);
	if (dup2(channel, PROCESS_CHANNEL) < 0)
		return -1;
	return close_range(PROCESS_CHANNEL + 1, ~0U, 0);
}

static _Noreturn void
become(enum process_kind kind, uint32_t index, int channel, pid_t master, const sigset_t *mask)
{
	char program[] = "tocsin:", word[32], number[INDEX_TEXT];
	char *argv[] = { program, word, number, NULL };

	snprintf(word, sizeof(word), "%s", kind_words[kind]);
	snprintf(number, sizeof(number), "%u", (unsigned)index);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == master && arrange_descriptors(channel) == 0) {
		reset_signals(mask);
		execv("/proc/self/exe", argv);
	}
	_exit(127);
}

pid_t
process_start(enum process_kind kind, uint32_t index, int channel, struct err *e)
{
	pid_t master = getpid(), pid;
	sigset_t all, before;

	/* A signal between fork and exec must not run the master's handlers in the child. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0)
		become(kind, index, channel, master, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		err_set(e, ERR_IO, "cannot start a %s: %s", kind_words[kind], strerror(errno));
	return pid;
}
