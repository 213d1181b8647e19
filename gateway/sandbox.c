#include "gateway/sandbox.h"

int
sandbox_enter(const struct sandbox *s, struct err *e)
{
	(void)s;
	(void)e;
	return 0;
}
