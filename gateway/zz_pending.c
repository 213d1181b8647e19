/* zz_pending.c -- stands in for the store's remote end and the translators' channel until they are here. */
#include <unistd.h>

#include "gateway/store_remote.h"
#include "gateway/translate.h"

#define PENDING __attribute__((weak))

PENDING struct store *
store_remote_open(const struct store_remote_conf *conf, struct err *e)
{
	(void)conf;
	err_set(e, ERR_CONFIG, "workers are not there yet: serve --one");
	return NULL;
}

PENDING int
store_remote_channel(struct store *s, int fd, struct err *e)
{
	(void)s;
	close(fd);
	return err_set(e, ERR_CONFIG, "workers are not there yet: serve --one");
}

PENDING void
translate_channel(struct translate *t, int fd)
{
	(void)t;
	close(fd);
}

PENDING int
translate_reload(struct translate *t, const struct config *config, struct err *e)
{
	(void)t;
	(void)config;
	(void)e;
	return 0;
}

#include "gateway/storekeeper.h"
#include "gateway/translator.h"

PENDING struct storekeeper *
storekeeper_new(struct event_base *base, struct store *local)
{
	(void)base;
	(void)local;
	return NULL;
}

PENDING void
storekeeper_free(struct storekeeper *k)
{
	(void)k;
}

PENDING void
storekeeper_add_client(struct storekeeper *k, int fd, const char *name)
{
	(void)k;
	(void)name;
	close(fd);
}

PENDING void
storekeeper_drain(struct storekeeper *k, void (*cb)(void *arg), void *arg)
{
	(void)k;
	cb(arg);
}

PENDING int
translator_run(int fd, const struct config *conf, int (*confine)(void *ctx, struct err *e), void *ctx,
    struct err *e)
{
	char c;

	(void)conf;
	if (confine != NULL && confine(ctx, e) < 0)
		return -1;
	while (read(fd, &c, 1) > 0)
		;
	return 0;
}
