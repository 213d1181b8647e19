/*
 * translator.h -- the cage: where foreign bytes are parsed and written, and passwords are hashed.
 *
 *	worker --- job ---> translator          one job in hand at a time, in the order they came
 *	       <-- part 1 --                    a large message comes back in parts, each
 *	       --- more --->                    asked for when the one before is durable
 *	       <-- part 2 --
 *
 * Owns:    the compiled mapping files, and the memory of the message in hand.
 * Called:  translator_run by main.c in a process of its own (gateway/translate.h is the other end);
 *          translator_do by translate.c when everything runs in one process (--one, unit tests).
 * Never:   opens a file or a socket, reads a clock, logs, or keeps anything of a message after it: what
 *          it needs of the system (mapping files, time zones, libraries' tables) is fetched before it is
 *          confined. Afterwards it needs: read, recvmsg, sendmsg, poll/ppoll, memfd_create, write, fcntl
 *          (seals), fstat, mmap, munmap, mremap, madvise, mprotect, brk, close, futex, getrandom,
 *          clock_gettime, exit_group, rt_sigreturn.
 *
 * A reload is a new translator with a new bundle: the worker gives jobs to the new channel
 * (translate_channel) and closes the old one when its last job is answered, which ends the process.
 *
 * For tests, TOCSIN_CAGE_FAULT=crash|hang|lie|oom:PATTERN makes it misbehave on a message that holds
 * PATTERN (tests/README.md). The variable is read by translator_run alone.
 */
#ifndef GATEWAY_TRANSLATOR_H
#define GATEWAY_TRANSLATOR_H

#include <stdint.h>

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

struct arena;
struct strbuf;

/* What a worker may ask of a small message that it does not parse itself: the answer is a text of ours
 * (JSON), -1 and *e say what is wrong with the message. */
struct translator_question {
	const char	*name;
	int		(*answer)(struct slice in, struct arena *mem, struct strbuf *out, struct err *e);
};
extern const struct translator_question translator_questions[];	/* ends with name NULL */

struct config;
struct translator;

/* Load the mappings that the spools of the configuration name, and everything else that a job may need.
 * NULL and *e if a mapping does not load. The configuration is not kept. */
struct translator *translator_new(const struct config *conf, struct err *e);
void		 translator_free(struct translator *t);		/* NULL is fine */

/* A frame from the worker: zero or more frames are answered through `send`, before it returns (`body` is
 * valid during the call only). `fd`: a read-only file with the input, or -1; it stays the caller's. */
typedef void	 translator_send_fn(void *arg, uint16_t type, uint64_t id, struct slice body);
void		 translator_do(struct translator *t, uint16_t type, uint64_t id, struct slice body, int fd,
		    translator_send_fn *send, void *arg);

/* The life of a translator process: get ready, call `confine` (NULL is fine; -1 ends it), serve the channel
 * `fd` until the worker closes it. 0 when it did; -1 and *e on anything else. */
int		 translator_run(int fd, const struct config *conf,
		    int (*confine)(void *ctx, struct err *e), void *ctx, struct err *e);

#endif
