/*
 * ipc.h -- one channel between two of our processes: frames over a pair of connected unix sockets.
 *
 *	u32 length of the body | u16 type | u16 flags | u64 id | body
 *
 * A body above INLINE_MAX travels in a sealed memory file whose descriptor goes with the frame: one copy,
 * and what was checked cannot be changed afterwards. A frame may carry a descriptor of the caller besides.
 *
 * Owns:    the socket, the bytes that wait to be written (bounded), one frame being read.
 * Called:  by store_remote/storekeeper, translate/translator, master and its children.
 * Never:   looks into a body, and never trusts the other end: a frame that breaks a rule closes the
 *          channel, whose owner treats the other process as dead.
 *
 * Types belong to the two ends of a channel. An id is the asker's: an answer carries that of its question.
 */
#ifndef GATEWAY_IPC_H
#define GATEWAY_IPC_H

#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct event_base;
struct ipc;

struct ipc_message {
	uint16_t	type;
	uint64_t	id;
	struct slice	body;	/* valid during the callback */
	int		fd;	/* -1, or a descriptor: set it to -1 to keep it, or it is closed */
	bool		mapped;	/* ipc.c's: the body lies in a mapping of its own */
};

/* A body that outlives its callback. */
struct ipc_body {
	struct slice	bytes;
	bool		mapped;
};
/* During the callback: a mapped body is taken over, another one copied. */
void		 ipc_body_keep(struct ipc_message *m, struct ipc_body *out);
void		 ipc_body_free(struct ipc_body *b);

/* May free the channel. */
typedef void ipc_message_cb(void *arg, struct ipc *c, struct ipc_message *m);
/* The other end is gone, or broke a rule (`why` says which). Called once, never from within ipc_send;
 * nothing is read or written any more; free the channel. */
typedef void ipc_closed_cb(void *arg, struct ipc *c, const char *why);

struct ipc_conf {
	const char	*name;		/* for messages: "storekeeper", "worker 1" */
	size_t		 max_body;	/* bytes of a body that comes in; 0 = 256 MiB */
	size_t		 max_waiting;	/* bytes waiting to be written, descriptors' sizes not counted;
					 * above: the channel is closed. 0 = 64 MiB */
	ipc_message_cb	*on_message;
	ipc_closed_cb	*on_closed;
	void		*arg;
};

/* Takes over `fd`, a connected unix stream socket, and makes it non-blocking and close-on-exec. */
struct ipc	*ipc_new(struct event_base *base, int fd, const struct ipc_conf *conf);
void		 ipc_free(struct ipc *c);		/* NULL is fine; what waits is not written */
/* Queue a frame; tries to write at once. `fd` (-1: none) is duplicated, the caller keeps his. False if the
 * channel is closed or full: on_closed comes or came. */
bool		 ipc_send(struct ipc *c, uint16_t type, uint64_t id, struct slice body, int fd);
bool		 ipc_is_open(const struct ipc *c);
/* Stop or go on calling on_message (back-pressure: the other end's queue fills). */
void		 ipc_pause(struct ipc *c, bool paused);
/* Write all that waits, blocking, for at most `timeout_us`. */
void		 ipc_flush(struct ipc *c, int64_t timeout_us);

/* Wait for at most `timeout_us` until the other end has said something, and hand it over as the loop
 * would; what waits to be written goes out meanwhile. False when nothing came. Not from on_message. */
bool		 ipc_wait(struct ipc *c, int64_t timeout_us);

/* A connected pair, close-on-exec both. -1 and *e if there is none to be had. */
int		 ipc_pair(int fds[2], struct err *e);

/* Blocking forms, for a process that has no loop yet. One frame each; the body is malloc'd (m->body.p, free
 * it), m->fd is the caller's. -1 and *e on the end of the channel, a broken frame, a timeout (0: none). */
int		 ipc_read_frame(int fd, size_t max_body, int64_t timeout_us, struct ipc_message *m,
		    struct err *e);
int		 ipc_write_frame(int fd, uint16_t type, uint64_t id, struct slice body, int pass,
		    struct err *e);

#endif
