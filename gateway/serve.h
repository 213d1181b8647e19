/*
 * serve.h -- `tocsin serve`: one process with everything in it.
 *
 * Owns:    the order in which the parts are made, reloaded, drained and taken down.
 * Called:  by main.c.
 * Never:   decides anything about an advisory.
 */
#ifndef GATEWAY_SERVE_H
#define GATEWAY_SERVE_H

int	cmd_serve(int argc, char **argv);

#endif
