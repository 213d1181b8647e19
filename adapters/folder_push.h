/*
 * folder_push.h -- a peer that is sent documents of its own format, by way of a folder.
 *
 *	delivery -> companions -> the cage writes -> too much lost? -> .NAME.tmp -> NAME -> answer
 *
 * One delivery, one file:
 *
 *	20261122T073434.125Z-ADVISORY-0123456789abcdef.xml	queued when, what, which versions
 *
 * The name follows from what is in it, and so does the content: after a crash the same file is written over
 * itself, and two deliveries never share one. Whoever takes the files may take every name that does not
 * begin with a dot: it stands there only when all of it is on the disk.
 *
 * Owns:    writing for peers with `wire folder`, and refusing what would lose too much (`refuse-loss out`).
 * Called:  by peer_link.c, which is asked by outbox.c.
 * Never:   decides what may go, remembers a delivery, tries again by itself, makes a label weaker: what
 *          carries none is written under the one that this node takes it to have.
 */
#ifndef ADAPTERS_FOLDER_PUSH_H
#define ADAPTERS_FOLDER_PUSH_H

#include "gateway/outbox.h"

struct gateway;
struct folder_pushes;

/* Makes the folders of its peers, if there is no master who has done it; what cannot be made is logged, and
 * told again by every delivery. */
struct folder_pushes *folder_pushes_new(struct gateway *g);
/* What is under way ends without its answer. */
void		 folder_pushes_free(struct folder_pushes *p);
void		 folder_pushes_reload(struct folder_pushes *p);
/* As an outbox_send_fn; ctx is the struct folder_pushes. */
void		 folder_pushes_send(void *ctx, const struct delivery *d, delivery_done_cb *done, void *arg);

#endif
