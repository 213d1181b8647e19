#include "gateway/child.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/bundle.h"
#include "gateway/base/digest.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/load.h"
#include "gateway/master_parts.h"
#include "gateway/serve.h"

enum { BIRTH_US = 60 * 1000000, LENT_MAX = 1024 };

int
child_take(struct child *c, enum control_type what, uint64_t *id)
{
	for (size_t i = 0; i < c->nlent; i++) {
		int fd = c->lent[i].fd;

		if (c->lent[i].what != what || fd < 0)
			continue;
		if (id != NULL)
			*id = c->lent[i].id;
		c->lent[i].fd = -1;
		return fd;
	}
	return -1;
}

int
child_fail(struct child *c, const char *why)
{
	struct err e = ERR_INIT;

	if (c->master != NULL) {
		ipc_send(c->master, CONTROL_FAILED, 0, slice_of(why), -1);
		ipc_flush(c->master, 1000000);
	} else {
		ipc_write_frame(PROCESS_CHANNEL, CONTROL_FAILED, 0, slice_of(why), -1, &e);
	}
	return 1;
}

void
child_send(struct child *c, enum control_type type, uint64_t id, struct slice body)
{
	ipc_send(c->master, (uint16_t)type, id, body, -1);
}

/* ---- the loop ---- */

static void
on_message(void *arg, struct ipc *channel, struct ipc_message *m)
{
	struct child *c = arg;

	(void)channel;
	if (m->type == CONTROL_PING)
		child_send(c, CONTROL_PONG, m->id, SLICE_EMPTY);
	else
		c->on_frame(c, m);
}

/* Nobody would start us again, and nobody would hear of it. */
static void
on_closed(void *arg, struct ipc *channel, const char *why)
{
	(void)arg;
	(void)channel;
	(void)why;
	_exit(1);
}

void
child_serve(struct child *c)
{
	const struct ipc_conf conf = {
		.name = "master", .max_body = PROCESS_BUNDLE_MAX, .on_message = on_message,
		.on_closed = on_closed, .arg = c,
	};

	c->master = ipc_new(c->base, PROCESS_CHANNEL, &conf);
	child_send(c, CONTROL_READY, 0, SLICE_EMPTY);
	event_base_dispatch(c->base);
}

void
child_end(struct child *c)
{
	event_base_loopexit(c->base, NULL);
}

/* ---- birth ---- */

static int
take_orders(struct child *c, struct slice body, struct err *e)
{
	struct bundle *b;

	if (c->bundle != NULL)
		return err_set(e, ERR_VALUE, "orders came twice");
	if (orders_unpack(body, c->mem, &c->orders, e) < 0)
		return -1;
	if ((b = bundle_unpack(c->orders.bundle, e)) == NULL)
		return -1;
	secret_wipe((char *)(uintptr_t)c->orders.bundle.p, c->orders.bundle.n);
	c->orders.bundle = SLICE_EMPTY;
	c->bundle = b;
	file_overlay(b);
	return 0;
}

static int
take_frame(struct child *c, const struct ipc_message *m, struct err *e)
{
	if (m->type == CONTROL_ORDERS)
		return take_orders(c, m->body, e);
	if (m->fd < 0 || c->nlent == LENT_MAX)
		return err_set(e, ERR_VALUE, "a frame without its descriptor, or too many");
	c->lent = xrealloc(c->lent, (c->nlent + 1) * sizeof(*c->lent));
	c->lent[c->nlent++] = (struct lent){ (enum control_type)m->type, m->id, m->fd };
	return 0;
}

/* Everything up to GO. */
static int
be_born(struct child *c, struct err *e)
{
	struct ipc_message m = { .type = 0 };

	while (m.type != CONTROL_GO) {
		int rc;

		if (ipc_read_frame(PROCESS_CHANNEL, PROCESS_BUNDLE_MAX, BIRTH_US, &m, e) < 0)
			return -1;
		rc = m.type == CONTROL_GO ? 0 : take_frame(c, &m, e);
		secret_wipe((char *)(uintptr_t)m.body.p, m.body.n);
		free((char *)(uintptr_t)m.body.p);
		if (rc < 0)
			return -1;
	}
	if (c->bundle == NULL || getppid() != (pid_t)c->orders.master_pid)
		return err_set(e, ERR_VALUE, "no orders, or another's");
	return 0;
}

/* The master tells us when it is time to go: a signal to the whole group is not for us. */
static void
leave_signals_to_master(void)
{
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
}

/* Would this binary start with these files? What is wrong with them goes to standard error. */
static int
rehearse(const char *config)
{
	struct complaints c = { 0 };
	struct err e = ERR_INIT;
	struct loaded l;
	int rc;

	process_harden();
	rc = load_all(&l, config, NULL, &c);
	if (rc < 0) {
		load_print(&c);
	} else {
		rc = sockets_try(l.config, &e);
		if (rc < 0)
			fprintf(stderr, "%s\n", e.reason);
		loaded_free(&l);
	}
	arena_free(c.mem);
	return rc < 0 ? 2 : 0;
}

int
process_main(int argc, char **argv)
{
	static int (*const runs[PROCESS_KINDS])(struct child *) = {
		[PROCESS_STOREKEEPER] = keeper_run, [PROCESS_TRANSLATOR] = cage_run,
		[PROCESS_WORKER] = worker_run,
	};
	struct child c = { .mem = NULL };
	struct err e = ERR_INIT;
	char title[16];

	if (argc == 2 && strcmp(argv[0], "rehearse") == 0)
		return rehearse(argv[1]);
	c.mem = arena_new();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	process_harden();
	leave_signals_to_master();
	snprintf(title, sizeof(title), "%s %s", argc > 0 ? argv[0] : "", argc > 1 ? argv[1] : "");
	prctl(PR_SET_NAME, title);
	if (be_born(&c, &e) < 0) {
		log_event(LOG_ERROR, "process.birth", LF_S("process", title), LF_S("error", e.reason));
		return 1;
	}
	if (c.orders.kind != PROCESS_TRANSLATOR)	/* which knows one channel and no loop */
		c.base = event_base_new();
	c.status = runs[c.orders.kind](&c);
	for (size_t i = 0; i < c.nlent; i++)
		if (c.lent[i].fd >= 0)
			close(c.lent[i].fd);
	free(c.lent);
	ipc_free(c.master);
	if (c.base != NULL)
		event_base_free(c.base);
	file_overlay(NULL);
	bundle_free(c.bundle);
	arena_free(c.mem);
	return c.status;
}
