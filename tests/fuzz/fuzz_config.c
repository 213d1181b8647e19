/* Any text as tocsin.conf and as credentials: complaints or a configuration, never a crash; and what is printed as
 * effective is a configuration again that says the same. */
#include <stdint.h>
#include <stdlib.h>

#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "gateway/config.h"
#include "gateway/credentials.h"

int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Is there a word that the printed form must quote and cannot (a control character is refused on the way in)? */
static void
check_again(struct config *conf)
{
	struct complaints c = { .mem = arena_new() };
	struct strbuf first = STRBUF_INIT, second = STRBUF_INIT, differ = STRBUF_INIT;
	struct config *again;

	config_print(&first, conf);
	again = config_parse(strbuf_slice(&first), "t.conf", &c);
	if (again == NULL || config_restart_needed(&differ, conf, again) != 0)
		abort();
	config_print(&second, again);
	config_free(again);
	arena_free(c.mem);
	strbuf_fini(&first);
	strbuf_fini(&second);
	strbuf_fini(&differ);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_from(data, size);
	struct complaints c = { .mem = arena_new() };
	struct config *conf = config_parse(text, "t.conf", &c);
	struct credentials *cr;

	if ((conf == NULL) != (c.n > 0))
		abort();
	if (conf != NULL)
		check_again(conf);
	config_free(conf);
	cr = credentials_parse(text, "credentials", &c);
	if (cr != NULL)
		credentials_token(cr, text, 0);
	credentials_free(cr);
	arena_free(c.mem);
	return 0;
}
