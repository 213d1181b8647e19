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
