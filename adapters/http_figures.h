/*
 * http_figures.h -- a server's counters as rows of the table of figures.
 *
 * Owns:    which counter is which row.
 * Called:  when somebody asks for this process's figures (figures_source.look).
 * Never:   counts anything itself.
 */
#ifndef ADAPTERS_HTTP_FIGURES_H
#define ADAPTERS_HTTP_FIGURES_H

#include "adapters/http_server.h"
#include "gateway/stats.h"

void	http_figures(const struct http_server *server, struct stats *s);

#endif
