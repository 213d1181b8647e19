/*
 * clock.h -- the one door to time, and the forms it is written in.
 *
 * Owns:    a replaceable source of wall time and of steady time (tests run on a fake one).
 * Called:  by gateway/ and adapters/; formats/ never asks what time it is.
 * Never:   sleeps.
 *
 * Two kinds of time. Our own times are int64_t microseconds since 1970 (`_us`). Times in objects
 * are text with any number of fraction digits, kept as written and compared as instants: by their
 * *instant key*, "2024-02-03T04:05:06.789" without Z and without trailing zeros of the fraction,
 * so that bytewise order of keys is order of instants.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/slice.h"

struct arena;

int64_t	clock_wall_us(void);		/* microseconds since 1970-01-01T00:00:00Z */
int64_t	clock_mono_us(void);		/* steady, for durations and deadlines */
/* Tests: freeze both clocks at `wall_us`, move them with clock_fake_add, thaw with clock_real. */
void	clock_fake(int64_t wall_us);
void	clock_fake_add(int64_t us);
void	clock_real(void);
/* Tests: processes that are forked from now on run on the fake clock of this one. */
void	clock_fake_share(void);

enum { STAMP_TEXT = 27 };		/* 2024-02-03T04:05:06.123456Z */
/* TAXII form: always six fraction digits and Z (TAXII 2.1 section 2). */
void	stamp_text(int64_t us, char out[STAMP_TEXT + 1]);
/* "Sat, 03 Feb 2024 04:05:06 GMT" (RFC 7231 section 7.1.1.1); out holds 30 bytes. */
void	stamp_http(int64_t us, char out[30]);
/* RFC 3339 in UTC: date 'T' time, optional fraction of any length, 'Z'. Real dates only, second 60
 * allowed, years 0001-9999. *us is cut to microseconds (NULL is fine). */
bool	stamp_parse(struct slice s, int64_t *us);
/* RFC 3339 or xs:dateTime with any offset (or none = UTC, *had_zone false). */
bool	stamp_parse_any(struct slice s, int64_t *us, bool *had_zone);
/* The UTC form of an RFC 3339 / xs:dateTime text, keeping the fraction digits of the source:
 * "2024-03-01T10:00:00.50+01:00" -> "2024-03-01T09:00:00.50Z". false if it is no date. */
bool	stamp_to_utc(struct arena *mem, struct slice s, struct slice *out);
/* The instant key (see above) of a UTC timestamp; false if it is no date. */
bool	stamp_key(struct arena *mem, struct slice s, struct slice *out);

#endif
