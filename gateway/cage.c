/* cage.c -- a translator's process (translator.h is what it does). */
#include "gateway/child.h"

#include "gateway/base/arena.h"
#include "gateway/base/bundle.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/config.h"
#include "gateway/sandbox.h"
#include "gateway/translator.h"

#include <unistd.h>

/* From here on it has its jobs and its memory, and nothing else. The channel to the master goes as
 * well: the worker's end of the other one tells it when to go. */
static int
confine(void *ctx, struct err *e)
{
	struct child *c = ctx;
	const struct sandbox s = { .kind = PROCESS_TRANSLATOR, .uid = c->orders.uid,
		.gid = c->orders.gid };

	if (sandbox_enter(&s, e) < 0)
		return -1;
	if (ipc_write_frame(PROCESS_CHANNEL, CONTROL_READY, 0, SLICE_EMPTY, -1, e) < 0)
		return -1;
	close(PROCESS_CHANNEL);
	return 0;
}

int
cage_run(struct child *c)
{
	struct complaints why = { 0 };
	struct err e = ERR_INIT;
	char text[sizeof(e) + 64];
	struct config *config = config_load(c->orders.config, &why);
	int fd = child_take(c, CONTROL_JOBS, NULL), status = 0;

	if (config == NULL || fd < 0) {
		status = child_fail(c, why.n > 0 ? why.text[0] : "no channel to a worker");
	} else {
		log_setup(STDERR_FILENO, config->log_json, config->log_level);
		if (translator_run(fd, config, confine, c, &e) < 0) {
			log_event(LOG_WARN, "translator.ends", LF_S("error",
			    err_text(&e, text, sizeof(text))));
			status = 1;
		}
	}
	config_free(config);
	arena_free(why.mem);
	return status;
}
