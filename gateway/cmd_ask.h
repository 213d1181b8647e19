/*
 * cmd_ask.h -- asking a running node over its control socket, for the verbs of the program.
 *
 * Owns:    the connection, for one question.
 * Called:  by cmd_control.c, cmd_consumer_*.c.
 * Never:   decides what is asked, or how the answer reads.
 */
#ifndef GATEWAY_CMD_ASK_H
#define GATEWAY_CMD_ASK_H

#include "gateway/base/json.h"
#include "gateway/base/slice.h"
#include "gateway/cmd.h"

struct strbuf;

/* The socket: --socket, or what the configuration says; the caller frees it. NULL after a message. */
char	*cmd_socket_path(const struct args *a);
/* Send one line, receive one; -1 after a message. */
int	 cmd_exchange(const char *path, struct slice request, struct strbuf *answer);
/* Both, and the answer as a tree. NULL after a message, also if the node said no. */
json	*cmd_ask(const struct args *a, json *request, struct arena *mem);

#endif
