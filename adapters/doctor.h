/*
 * doctor.h -- why does calling this peer not work: step by step, with the likely fix in words.
 *
 * Owns:    the steps from the configuration to the rights on a collection, and the words for what each of
 *          them saw. They stop at the first that fails; what comes after it is skipped.
 * Called:  by `tocsin peer doctor`, on a command's own time: it waits, a limited time for each step.
 * Never:   shows a secret, sends one before chain, name and pin are right, writes anything to the peer,
 *          or asks the running node.
 */
#ifndef ADAPTERS_DOCTOR_H
#define ADAPTERS_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/json.h"

struct arena;
struct config;
struct credentials;
struct peer;

enum doctor_state { DOCTOR_OK, DOCTOR_WARNED, DOCTOR_FAILED, DOCTOR_SKIPPED };
enum { DOCTOR_NOTES = 16 };

struct doctor_finding {		/* texts may hold what a peer said: show them with care */
	const char		*step;		/* stable: "tls" */
	enum doctor_state	 state;
	const char		*cause;		/* stable: "expired"; NULL unless warned or failed */
	const char		*found;		/* what was seen; NULL if there is nothing to say */
	const char		*notes[DOCTOR_NOTES];	/* more lines of it */
	size_t			 nnotes;
	const char		*fix;		/* what to do; NULL: nothing */
	json			*detail;	/* the facts, for programs */
	int64_t			 took_us;
};
typedef void doctor_finding_fn(void *ctx, const struct doctor_finding *f);

struct doctor_conf {
	const struct config		*config;
	const struct credentials	*credentials;	/* NULL: none */
	const struct peer		*peer;
	int64_t				 timeout_us;	/* for one answer */
	doctor_finding_fn		*tell;		/* after each step */
	void				*ctx;
};

/* Walk all steps; true if none failed and none warned. */
bool		 doctor_run(const struct doctor_conf *conf, struct arena *mem);
/* "ok", "warned", "failed", "skipped". */
const char	*doctor_state_word(enum doctor_state s);
/* The commands that do by hand what the steps do, one a line; $NAME where a secret belongs. */
const char	*doctor_curl(const struct doctor_conf *conf, struct arena *mem);

#endif
