/* master_users.c -- who the children are. */
#include "gateway/master_parts.h"

#include <unistd.h>

int
users_find(struct master *m, struct err *e)
{
	(void)e;
	for (int i = 0; i < PROCESS_KINDS; i++)
		m->uid[i] = geteuid();
	m->gid = getegid();
	return 0;
}

int
users_hand_over(struct master *m, const struct config *conf, struct err *e)
{
	(void)m;
	(void)conf;
	(void)e;
	return 0;
}
