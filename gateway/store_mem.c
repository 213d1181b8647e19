#include "gateway/store_impl.h"

struct store *
store_mem_open(const struct store_conf *conf, struct err *e)
{
	(void)conf;
	err_set(e, ERR_UNSUPPORTED, "no memory backend yet");
	return NULL;
}
