/*
 * master_parts.h -- between the files of the master: its children, its sockets, reloads, upgrades.
 *
 * Owns:    nothing: struct master is made in master.c.
 * Called:  by master*.c.
 * Never:   included by anyone else.
 */
#ifndef GATEWAY_MASTER_PARTS_H
#define GATEWAY_MASTER_PARTS_H

#include <sys/types.h>

#include "gateway/ipc.h"
#include "gateway/process.h"

struct bundle;
struct config;
struct event;
struct event_base;
struct master;

enum proc_state {
	PROC_GONE,		/* not there; `again` may bring it back */
	PROC_STARTING,		/* has its orders */
	PROC_SERVING,		/* said READY */
	PROC_ENDING		/* was told to go */
};

/* One child, and the place for those that follow it. */
struct proc {
	struct master	*m;
	enum process_kind kind;
	uint32_t	 index;
	enum proc_state	 state;
	pid_t		 pid;
	struct ipc	*channel;
	struct event	*again;		/* timer: start it */
	int64_t		 started_us, since_us;	/* monotonic, and by the wall clock */
	int64_t		 wait_us;	/* back-off */
	uint32_t	 restarts;
	unsigned	 channels;	/* worker: translator channels that it was given in this life */
	int64_t		 pong_us;	/* last answer to a ping; monotonic */
	uint64_t	 asked, vote;	/* worker: numbers of the reloads that it was asked to
					 * prepare, and has */
	bool		 committed;
	bool		 renewed;	/* worker: it ends to be started again, when it has finished */
	/* a translator that a reload has started beside the one that works */
	bool		 spare;
	int		 jobs;		/* its worker's end of its channel, -1 */
	const struct bundle *files;	/* its files */
};

enum master_phase { PHASE_STORE, PHASE_START, PHASE_SERVING, PHASE_DRAIN, PHASE_CLOSE };

/* Listening sockets of one address: one a worker. */
struct master_listen {
	char	*address;
	int	*fds;
	size_t	 n;
};

/* Somebody waits for the end of a reload. */
struct waiter {
	uint64_t	 id;		/* of worker 0's question */
	pid_t		 pid;		/* worker 0 as it was then */
	struct waiter	*next;
};

struct master_reload;
struct master_upgrade;

/* Folders of trust.conf (`wire folder`) that documents for peers are put into, and which ones they were
 * when they were looked at: one that is made or mounted anew is another. */
struct out_folder {
	char		*path;
	uint64_t	 id[2];
	bool		 there;
};
struct out_folders {
	struct out_folder	*v;
	size_t			 n;
};

struct master {
	const char		*path;		/* of tocsin.conf */
	struct event_base	*base;
	enum master_phase	 phase;
	int			 status;	/* of our exit */
	bool			 ended_badly;	/* a child could not end as it should */
	int64_t			 started_us;	/* wall clock */
	uint8_t			 common[32];
	struct config		*config;
	struct bundle		*bundle;
	struct out_folders	 folders;	/* that workers know */
	uint32_t		 nworkers;
	struct proc		 keeper, *workers, *translators, *spares;
	struct event		*signals[6];
	size_t			 nsignals;
	struct event		*deadline, *pulse;
	/* sockets */
	struct master_listen	*listens;
	size_t			 nlistens;
	struct master_listen	 operations;
	int			 admin;
	/* users, by kind */
	uint32_t		 uid[PROCESS_KINDS], gid;
	uint32_t		 turn;		/* worker whose turn it is to be renewed; nworkers: none */
	bool			 turn_again;	/* and then all once more */
	bool			 dies_together;	/* a test: one killed process stands for the machine */
	struct master_reload	*reload;
	struct master_upgrade	*upgrade;
	/* questions about figures under way */
	struct figures_query	*queries;
};

/* ---- children (master_children.c) ---- */

void	proc_init(struct proc *p, struct master *m, enum process_kind kind, uint32_t index);
void	proc_fini(struct proc *p);
void	proc_start(struct proc *p);
void	proc_kill(struct proc *p);			/* SIGKILL; SIGCHLD does the rest */
void	proc_send(struct proc *p, enum control_type type, uint64_t id, struct slice body, int fd);
/* A translator with these files, beside the one that is there; then in its place; or after all not. */
void	spare_start(struct master *m, uint32_t index, const struct bundle *files);
void	spare_take(struct master *m, uint32_t index);
void	spare_drop(struct master *m, uint32_t index);
/* One worker after the other finishes and is started anew, with the rights that go with the files of
 * now; who comes to it meanwhile waits in its sockets. */
void	workers_renew(struct master *m);
void	workers_renew_next(struct master *m, const struct proc *ready);
/* After SIGCHLD. */
void	children_reap(struct master *m);
size_t	children_left(const struct master *m, enum process_kind kind);
/* The next child that is not PROC_GONE, beginning with NULL. */
struct proc *child_next(struct master *m, struct proc *p);

/* ---- the master's course (master.c) ---- */

void	master_ready(struct master *m, struct proc *p);		/* it said READY */
void	master_gone(struct master *m, struct proc *p);		/* it is no more */
void	master_failed(struct master *m, struct proc *p, const char *why);
void	master_drain(struct master *m);

/* ---- sockets (master_sockets.c) ---- */

/* Bind what is configured, as many times as there are workers. Inherited ones come first. */
int	sockets_bind(struct master *m, struct err *e);
int	sockets_listen(struct master *m, struct err *e);
/* Those of TAXII: each is gone when its worker has closed it too, and whoever comes is refused. */
void	sockets_close_listens(struct master *m);
void	sockets_close(struct master *m);
/* Could all addresses be had, by us or by who has them now? */
int	sockets_try(const struct config *conf, struct err *e);
/* An open one of that address joins; false if none is configured. */
bool	sockets_take(struct master *m, const char *address, int fd);
bool	sockets_take_operations(struct master *m, const char *address, int fd);

/* ---- reload (master_reload.c) ---- */

void	reload_init(struct master *m);
void	reload_fini(struct master *m);
/* Begin, or begin again when the one under way is done. worker 0's question `id`, or NULL: a signal. */
void	reload_ask(struct master *m, const struct proc *who, uint64_t id);
void	reload_go(struct master *m);			/* begin what was asked for too early */
void	reload_prepared(struct master *m, struct proc *p, uint64_t id, struct slice body);
void	reload_committed(struct master *m, struct proc *p, uint64_t id);
void	reload_gone(struct master *m, struct proc *p);		/* it cannot vote any more */
void	reload_spare(struct master *m, const char *why);	/* one is ready (NULL), or cannot be */
/* Tell who asked. */
void	master_answer(struct master *m, const struct waiter *w, bool good, const char *why);

/* ---- figures (master_figures.c) ---- */

void	figures_ask(struct master *m, struct proc *who, uint64_t id);
void	figures_are(struct master *m, struct proc *p, uint64_t id, struct slice body);
void	figures_gone(struct master *m, struct proc *p);
void	figures_fini(struct master *m);

/* ---- upgrade (master_upgrade.c) ---- */

void	upgrade_init(struct master *m);
void	upgrade_fini(struct master *m);
void	upgrade_ask(struct master *m, const struct proc *who, uint64_t id);
bool	upgrade_is_going(const struct master *m);
void	upgrade_cancel(struct master *m);	/* we shall end instead */
void	upgrade_inherit(struct master *m);	/* sockets of the binary before us */
void	upgrade_now(struct master *m);		/* all children are gone: become the new binary */
/* We are the new binary and cannot start: become the old one again. Returns if there is none. */
void	upgrade_back(struct master *m);
void	upgrade_back_unread(const char *config);	/* the same before anything was taken over */
void	upgrade_done(struct master *m);		/* serving */
void	upgrade_reaped(struct master *m, pid_t pid, int status);

/* ---- users (master_users.c) ---- */

/* Who the children will be, and folders for them. */
int	users_find(struct master *m, struct err *e);
int	users_hand_over(struct master *m, const struct config *conf, struct err *e);
/* One file or folder, never what a link leads to; one that is not there is fine. */
int	users_give(const char *path, uint32_t uid, uint32_t gid, mode_t mode, struct err *e);

/* ---- folders for peers (master_folders.c) ---- */

struct trust;
void	folders_list(struct out_folders *list, const struct trust *t);
void	folders_free(struct out_folders *list);
/* Make those that are not there, hand them to the workers, look which ones they are; what fails is
 * logged. */
void	folders_make(const struct master *m, struct out_folders *list);
/* Does `old` have all of `now`, and are they the same? */
bool	folders_are_known(const struct out_folders *old, const struct out_folders *now);

/* ---- systemd (master_notify.c) ---- */

void	notify_ready(struct master *m);
void	notify_reloading(void);
void	notify_stopping(void);
void	notify_pulse(struct master *m);		/* the watchdog, while all children answer */
int64_t	notify_watchdog_us(void);		/* 0: none */

#endif
