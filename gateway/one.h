/*
 * one.h -- `tocsin serve --one`: the whole node in one process, for tests, debugging and small machines.
 *
 * Owns:    the process: its loop, its signals.
 * Called:  by serve.c.
 * Never:   starts another process; formats are parsed where the keys are.
 */
#ifndef GATEWAY_ONE_H
#define GATEWAY_ONE_H

/* Serve until SIGTERM. The exit status. */
int	one_run(const char *config);

#endif
