/*
 * cmd_check.h -- the second half of `tocsin check`: the store, page by page (cmd_check_store.c).
 *
 * Owns:    nothing; it prints what store_check.h finds.
 * Called:  by cmd_check.c for --store.
 * Never:   changes the store, and needs no running node.
 */
#ifndef GATEWAY_CMD_CHECK_H
#define GATEWAY_CMD_CHECK_H

#include "gateway/cmd.h"

struct config;

/* CMD_DONE if the store is whole, CMD_NO if something in it is damaged, CMD_FAILED if it cannot be read. */
int	cmd_check_store(const struct args *a, const struct config *conf);

#endif
