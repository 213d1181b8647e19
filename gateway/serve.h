/*
 * serve.h -- `tocsin serve`: as several processes (master.h) or as one (one.h).
 *
 * Owns:    what every process of a node does first: no core files with secrets, no death by a
 *          closed socket, private files by default.
 * Called:  by main.c; process_harden by each child.
 * Never:   decides anything about an advisory.
 */
#ifndef GATEWAY_SERVE_H
#define GATEWAY_SERVE_H

#include <stdbool.h>

/* Serve until SIGTERM. The exit status. */
int	serve(const char *config, bool one);
void	process_harden(void);

#endif
