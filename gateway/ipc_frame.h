/*
 * ipc_frame.h -- one frame of a channel: its head, its body in a memory file, one sendmsg or recvmsg.
 *
 * Owns:    the bytes of a head; which bodies go by a memory file, and that those are sealed; descriptors on
 *          the way.
 * Called:  by ipc.c (on an event loop) and ipc_block.c (before there is one).
 * Never:   knows what a frame is about.
 */
#ifndef GATEWAY_IPC_FRAME_H
#define GATEWAY_IPC_FRAME_H

#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/err.h"
#include "gateway/base/slice.h"

enum {
	FRAME_HEAD = 16,
	FRAME_INLINE_MAX = 128 * 1024,	/* a larger body goes by a memory file */
	FRAME_FDS_MAX = 2		/* body and the caller's */
};
enum { FRAME_BODY_FD = 1, FRAME_FD = 2, FRAME_FLAGS = FRAME_BODY_FD | FRAME_FD };

struct frame_head {
	uint32_t	length;
	uint16_t	type, flags;
	uint64_t	id;
};

/* A frame that waits to be written, or a part of it. */
struct frame {
	struct frame	*next;
	size_t		 n, done;
	int		 fds[FRAME_FDS_MAX];
	int		 nfds;
	unsigned char	 bytes[];
};

/* A head, of FRAME_HEAD bytes. */
struct frame_head frame_head_get(const unsigned char *p);
/* What is wrong with a head, or NULL. */
const char	*frame_head_fault(const struct frame_head *h, size_t max_body);
/* The bytes of a sealed memory file (munmap ends them), or NULL if it is not what the frame says. */
void		*frame_body_map(int fd, size_t n);
/* The frame as it goes out, with a duplicate of `fd` (-1: none); NULL if there is no descriptor to be had
 * for it. */
struct frame	*frame_new(uint16_t type, uint64_t id, struct slice body, int fd);
/* Closes the descriptors that did not go out. */
void		 frame_free(struct frame *f);
/* As sendmsg; the descriptors go with the first byte. */
ssize_t		 frame_send(int fd, const void *p, size_t n, const int *fds, int nfds);
/* As recvmsg; descriptors are appended to `fds`. -2: more descriptors than anybody sends. */
ssize_t		 frame_receive(int fd, void *p, size_t n, int *fds, int *nfds, int max);
void		 frame_close_all(int *fds, int n);
/* True when the descriptor is ready for `events` before `until_us` of the monotonic clock (0: no end). */
bool		 frame_wait_for(int fd, short events, int64_t until_us);

#endif
