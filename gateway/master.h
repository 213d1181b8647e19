/*
 * master.h -- `tocsin serve`: the process that starts the others and starts them again.
 *
 *	bind --- storekeeper ready --- listen --- workers and translators ready --- serving
 *	                                                |  SIGHUP  load, PREPARE, COMMIT or ABORT
 *	                                                |  SIGUSR2 the binary on disk takes over
 *	                                                |  SIGTERM DRAIN workers, then the storekeeper
 *
 * Owns:    listening sockets, the control socket, the files as they were read (bundle.h), the children.
 * Called:  by serve.c.
 * Never:   reads a byte from the network, and believes no frame of a child before it is checked. A
 *          child that dies is started again, however often; more and more slowly when it dies at
 *          once.
 */
#ifndef GATEWAY_MASTER_H
#define GATEWAY_MASTER_H

/* Serve until SIGTERM. The exit status. */
int	master_run(const char *config);

#endif
