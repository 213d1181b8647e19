/* keeper.c -- the storekeeper's process (storekeeper.h is what it does). */
#include "gateway/child.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/base/clock.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/figures.h"
#include "gateway/keys.h"
#include "gateway/sandbox.h"
#include "gateway/storekeeper.h"

struct keeper {
	struct child		*c;
	struct config		*config;
	struct store		*store;
	struct storekeeper	*keeper;
	struct figures_source	 figures;
	bool			 draining;
};

static void
add_client(struct keeper *k, uint64_t id, int fd)
{
	char name[32];

	snprintf(name, sizeof(name), "worker %u", (unsigned)id);
	storekeeper_add_client(k->keeper, fd, name);
}

static void
tell_figures(struct keeper *k, uint64_t id)
{
	struct strbuf b = STRBUF_INIT;

	figures_pack(&k->figures, &b);
	child_send(k->c, CONTROL_FIGURES_ARE, id, strbuf_slice(&b));
	strbuf_fini(&b);
}

static void
on_drained(void *arg)
{
	struct keeper *k = arg;

	child_end(k->c);
}

static void
on_frame(struct child *c, struct ipc_message *m)
{
	struct keeper *k = c->self;

	switch (m->type) {
	case CONTROL_CLIENT:
		if (m->fd >= 0)
			add_client(k, m->id, m->fd);
		m->fd = -1;
		break;
	case CONTROL_DRAIN:
		if (!k->draining)
			storekeeper_drain(k->keeper, on_drained, k);
		k->draining = true;
		break;
	case CONTROL_FIGURES:
		tell_figures(k, m->id);
		break;
	default:
		break;
	}
}

/* The folder that the database lies in: SQLite makes files beside it. */
static int
confine(struct keeper *k, struct err *e)
{
	const struct sandbox_path paths[] = {
		{ .path = arena_str(k->c->mem, file_folder(k->config->store_path)), .write = true },
	};
	const struct sandbox s = { .kind = PROCESS_STOREKEEPER, .uid = k->c->orders.uid,
		.gid = k->c->orders.gid, .paths = paths, .npaths = 1 };

	return sandbox_enter(&s, e);
}

static int
open_store(struct keeper *k, struct err *e)
{
	struct keys keys = { .audit = { 0 } };
	const struct store_conf sc = {
		.path = k->config->store_path, .base = k->c->base,
		.group_reads = k->c->orders.group_reads, .writes_only = true,
		.audit_key = slice_from(keys.audit, sizeof(keys.audit)),
	};

	if (key_read(k->config->audit_key, keys.audit, e) == 0)
		k->store = store_open(&sc, e);
	keys_wipe(&keys);
	return k->store == NULL ? -1 : 0;
}

static int
start(struct keeper *k, struct complaints *why, struct err *e)
{
	struct child *c = k->c;
	uint64_t id;
	int fd;

	k->config = config_load(c->orders.config, why);
	if (k->config == NULL)
		return err_set(e, ERR_CONFIG, "%s", why->n > 0 ? why->text[0] : "configuration");
	log_setup(2, k->config->log_json, k->config->log_level);
	if (confine(k, e) < 0 || open_store(k, e) < 0)
		return -1;
	k->figures = (struct figures_source){ .stats = stats_new(), .store = k->store,
		.started_us = clock_wall_us() };
	store_count_in(k->store, k->figures.stats);
	k->keeper = storekeeper_new(c->base, k->store);
	while ((fd = child_take(c, CONTROL_CLIENT, &id)) >= 0)
		add_client(k, id, fd);
	return 0;
}

int
keeper_run(struct child *c)
{
	struct keeper k = { .c = c };
	struct complaints why = { 0 };
	struct err e = ERR_INIT;
	char text[sizeof(e) + 64];
	int status = 0;

	c->on_frame = on_frame;
	/* cppcheck-suppress autoVariables */
	c->self = &k;
	if (start(&k, &why, &e) < 0)
		status = child_fail(c, err_text(&e, text, sizeof(text)));
	else
		child_serve(c);
	storekeeper_free(k.keeper);
	store_close(k.store);
	stats_free(k.figures.stats);
	config_free(k.config);
	arena_free(why.mem);
	return status;
}
