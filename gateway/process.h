/*
 * process.h -- what the processes of one node are, and what master and children say to each other.
 *
 *	master ---+--- storekeeper ------------+
 *	          |        |  store channel    |  store channel
 *	          +--- worker 0 ... worker n-1
 *	          |        |  translator channel
 *	          +--- translator 0 ... translator n-1
 *
 * A child is this program started anew (argv "tocsin:" "worker" "1"), so its memory never held what
 * other kinds need. Descriptor 3 is its channel to the master (ipc.h). It reads ORDERS, then one
 * frame for each thing it is lent, then GO; all of that before its loop begins. Afterwards frames
 * come in any order.
 *
 * Owns:    the kinds, the types of the control channel's frames, the orders and their form.
 * Called:  by master*.c and by what runs in a child: worker.c, keeper.c, cage.c.
 * Never:   believed unread: what comes from a child is validated as a stranger's word.
 */
#ifndef GATEWAY_PROCESS_H
#define GATEWAY_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct arena;
struct bundle;
struct strbuf;

enum process_kind { PROCESS_STOREKEEPER, PROCESS_TRANSLATOR, PROCESS_WORKER, PROCESS_KINDS };
enum { PROCESS_CHANNEL = 3, PROCESS_WORKERS_MAX = 64, PROCESS_BUNDLE_MAX = 64 << 20 };

const char	*process_kind_word(enum process_kind kind);	/* "storekeeper" */

enum control_type {
	/* From the master, before GO. The frame's id says which one. */
	CONTROL_ORDERS = 1,	/* struct orders, packed */
	CONTROL_LISTENER,	/* + descriptor: a socket of the listen line of that number; several
				 * may come */
	CONTROL_OPERATIONS,	/* + descriptor: the operations listener (worker 0) */
	CONTROL_ADMIN,		/* + descriptor: the control socket (worker 0) */
	/* Before GO, and again when the other end was started anew. */
	CONTROL_STORE,		/* + descriptor: worker's end of a channel to the storekeeper */
	CONTROL_TRANSLATOR,	/* + descriptor: worker's end of a channel to its translator */
	CONTROL_CLIENT,		/* + descriptor: storekeeper's end of a channel to worker `id` */
	CONTROL_JOBS,		/* + descriptor: translator's end of the channel to its worker */
	CONTROL_GO,		/* begin; the child answers READY or FAILED */
	/* Later. Each is answered with the same id where an answer is named. */
	CONTROL_PREPARE,	/* a bundle: load it, keep it beside; answered by PREPARED */
	CONTROL_COMMIT,		/* take what was prepared; answered by COMMITTED */
	CONTROL_ABORT,		/* drop it */
	CONTROL_DRAIN,		/* stop accepting, finish, commit, exit 0; id 1: for an upgrade */
	CONTROL_LAST,		/* worker 0, after DRAIN: the others are gone; until then it stays and
				 * tells who asks that the node ends */
	CONTROL_PING,		/* answered by PONG from the loop */
	CONTROL_FIGURES,	/* answered by FIGURES_ARE */
	CONTROL_RELOADED,	/* to worker 0, after each reload: bool, for counters and the audit log */
	CONTROL_RETRY,		/* text: an administrator says that the link to this peer may work again */
	CONTROL_REPORT,		/* answer to ASK_FIGURES: u8 kind, u32 index, i64 pid, u32 restarts,
				 * f64 bytes
				 * resident, f64 seconds of processor time (0: not known), text;
				 * one a process, then one with no body */
	CONTROL_DONE,		/* answer to ASK_RELOAD and ASK_UPGRADE: bool, text of complaints */

	/* From a child. */
	CONTROL_READY = 64,	/* it works */
	CONTROL_FAILED,		/* text: it cannot, and why; it exits */
	CONTROL_PREPARED,	/* bool, text of complaints */
	CONTROL_COMMITTED,
	CONTROL_PONG,
	CONTROL_FIGURES_ARE,	/* text: what `stats` packs */
	CONTROL_REPLACE,	/* worker: kill my translator and give me another; text says why */
	CONTROL_ASK_FIGURES,	/* worker 0: figures of all, answered by REPORTs */
	CONTROL_ASK_RELOAD,	/* worker 0: an administrator asks; answered by DONE */
	CONTROL_ASK_UPGRADE,	/* likewise */
	CONTROL_ASK_RETRY	/* worker 0: text of RETRY, for all */
};

/* What a child is told at birth. */
struct orders {
	enum process_kind kind;
	uint32_t	index, nworkers;	/* worker or translator 0..nworkers-1 */
	int64_t		master_pid;
	int64_t		started_us;		/* wall clock, of the node */
	const char	*config;		/* path of tocsin.conf, as the bundle names it */
	uint8_t		common[32];		/* workers: keys.h */
	struct slice	bundle;			/* bundle_pack, of the files that its kind needs */
	uint32_t	uid, gid;		/* to become; the ones it has if it is not root */
	bool		group_reads;		/* storekeeper: workers are other users of its group */
};

/* Append. */
void	orders_pack(struct strbuf *b, const struct orders *o);
/* Texts and bytes are copied into `mem`. -1 and *e if it makes no sense. */
int	orders_unpack(struct slice body, struct arena *mem, struct orders *o, struct err *e);

/* fork and exec of ourselves as that kind, with `channel` as descriptor 3 and nothing else above 2.
 * The pid, or -1 and *e. */
pid_t	process_start(enum process_kind kind, uint32_t index, int channel, struct err *e);

/* What runs when argv[0] is "tocsin:" (main.c): argv is a child's kind and its index, or "rehearse" and the
 * path of tocsin.conf. The exit status. */
int	process_main(int argc, char **argv);

#endif
