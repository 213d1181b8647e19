/*
 * log.h -- one structured line an event.
 *
 *	t=2026-11-21T10:00:00.120000Z level=info ev=relay.sent peer=cert-b objects=3 ms=12
 *
 * Owns:    the output stream and the form (logfmt, or one JSON object a line).
 * Called:  by gateway/ and adapters/, never by gateway/base/ itself or formats/.
 * Never:   writes content of advisories, secrets, or raw control characters (values are quoted and
 *          escaped when needed, and cut at 512 bytes with "..."), or stops its caller: a line that
 *          the stream does not take is counted, and the next one that gets through says lost=N.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/slice.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };

/* Where and how; fd stays the caller's. Default: stderr, logfmt, info. */
void	log_setup(int fd, bool as_json, enum log_level least);
/* Lines since the process began; what the stream did not take is in `lost`, not in `lines`. */
struct log_figures { uint64_t lines[LOG_OFF], lost; };
void	log_figures(struct log_figures *out);
bool	log_level_parse(struct slice word, enum log_level *out);

/* One key and value. Build with the LF_ macros. */
struct log_field {
	const char	*key;
	enum { LF_TEXT, LF_NUM, LF_REAL } kind;
	struct slice	 text;
	int64_t		 num;
	double		 real;
};
#define LF_S(k, s)	{ .key = (k), .kind = LF_TEXT, .text = slice_of(s) }
#define LF_SL(k, s)	{ .key = (k), .kind = LF_TEXT, .text = (s) }
#define LF_I(k, v)	{ .key = (k), .kind = LF_NUM, .num = (int64_t)(v) }
#define LF_D(k, v)	{ .key = (k), .kind = LF_REAL, .real = (v) }

/* log_event(LOG_INFO, "relay.sent", LF_S("peer", p->name), LF_I("objects", n)); */
void	log_fields(enum log_level level, const char *event, const struct log_field *f, size_t n);
#define log_event(level, event, ...) do {					\
	const struct log_field log_f_[] = { __VA_ARGS__ };			\
	log_fields((level), (event), log_f_, sizeof(log_f_) / sizeof(*log_f_));	\
} while (0)

#endif
