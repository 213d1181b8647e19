/* master_upgrade.c -- the binary on disk takes over. */
#include "gateway/master_parts.h"

void
upgrade_ask(struct master *m, const struct proc *who, uint64_t id)
{
	struct waiter w = { .id = id, .pid = who == NULL ? 0 : who->pid };

	if (who != NULL)
		master_answer(m, &w, false, "not yet");
}

void
upgrade_inherit(struct master *m)
{
	(void)m;
}

void
upgrade_now(struct master *m)
{
	(void)m;
}

void
upgrade_back(struct master *m)
{
	(void)m;
}

void
upgrade_done(struct master *m)
{
	(void)m;
}

void
upgrade_reaped(struct master *m, pid_t pid, int status)
{
	(void)m;
	(void)pid;
	(void)status;
}

void
upgrade_fini(struct master *m)
{
	(void)m;
}
