/*
 * admin_json.h -- answers of the control socket as JSON text, beside audit_text and audit_number.
 *
 * Owns:    nothing: it appends to a buffer, with a comma where one is due.
 * Called:  by admin_commands.c and admin_status.c.
 * Never:   parses.
 */
#ifndef GATEWAY_ADMIN_JSON_H
#define GATEWAY_ADMIN_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/strbuf.h"

/* Nothing is added for a time that is none: 0, or INT64_MAX. */
void	admin_add_time(struct strbuf *b, const char *name, int64_t us);
void	admin_add_bool(struct strbuf *b, const char *name, bool v);
/* A whole number as one, anything else with what a double holds of it. */
void	admin_add_real(struct strbuf *b, const char *name, double v);
/* Put the members in `inner` as one object of a list; `inner` is empty afterwards. */
void	admin_add_item(struct strbuf *list, struct strbuf *inner);
/* "name":[list], "name":{members}; what is put in is empty afterwards. */
void	admin_add_list(struct strbuf *b, const char *name, struct strbuf *list);
void	admin_add_object(struct strbuf *b, const char *name, struct strbuf *members);

#endif
