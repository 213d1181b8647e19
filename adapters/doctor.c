#include "adapters/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "adapters/doctor_parts.h"
#include "adapters/tls.h"
#include "gateway/base/clock.h"

/* ---- what a step says ---- */

__attribute__((format(printf, 2, 0))) static const char *
say(struct doctor *d, const char *fmt, va_list ap)
{
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	return arena_str(d->mem, slice_of(text));
}

void
doctor_ok(struct doctor *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	d->now->found = say(d, fmt, ap);
	va_end(ap);
	d->now->state = DOCTOR_OK;
	d->now->cause = d->now->fix = NULL;
}

void
doctor_skip(struct doctor *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	d->now->found = say(d, fmt, ap);
	va_end(ap);
	d->now->state = DOCTOR_SKIPPED;
}

void
doctor_warn(struct doctor *d, const char *cause, const char *fix, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	d->now->found = say(d, fmt, ap);
	va_end(ap);
	d->now->state = DOCTOR_WARNED;
	d->now->cause = cause;
	d->now->fix = fix;
}

void
doctor_fail(struct doctor *d, const char *cause, const char *fix, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	d->now->found = say(d, fmt, ap);
	va_end(ap);
	d->now->state = DOCTOR_FAILED;
	d->now->cause = cause;
	d->now->fix = fix;
}

void
doctor_note(struct doctor *d, const char *fmt, ...)
{
	va_list ap;

	if (d->now->nnotes == DOCTOR_NOTES)
		return;
	va_start(ap, fmt);
	d->now->notes[d->now->nnotes++] = say(d, fmt, ap);
	va_end(ap);
}

void
doctor_detail(struct doctor *d, const char *name, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_put_str(d->mem, d->now->detail, name, slice_of(text));
}

bool
doctor_failed(const struct doctor *d)
{
	return d->now->state == DOCTOR_FAILED;
}

const char *
doctor_time(struct arena *mem, int64_t us)
{
	char text[STAMP_TEXT + 1];

	if (us == 0)
		return "no date";
	stamp_text(us, text);
	return arena_fmt(mem, "%.10s %.8s UTC", text, text + 11);
}

const char *
doctor_section(const struct doctor *d)
{
	return arena_fmt(d->mem, "%s:%u", d->peer->file, d->peer->line);
}

const char *
doctor_state_word(enum doctor_state s)
{
	static const char *const words[] = { [DOCTOR_OK] = "ok", [DOCTOR_WARNED] = "warned",
	    [DOCTOR_FAILED] = "failed", [DOCTOR_SKIPPED] = "skipped" };

	return words[s];
}

/* ---- the walk ---- */

/* The step that asked first had the answer on behalf of the one that judges it. */
static int64_t
own_time(const struct doctor *d, const char *step, int64_t took_us)
{
	if (strcmp(step, "certificate") == 0)
		return took_us - d->answer_us;
	return strcmp(step, "http") == 0 ? took_us + d->answer_us : took_us;
}

/* In the order of a call. `late`: taken even behind a failure, if there was an answer at all. */
static const struct {
	const char	*name;
	void		(*run)(struct doctor *d);
	bool		 late;
} steps[] = {
	{ "configuration", doctor_configuration, false },
	{ "name", doctor_name, false },
	{ "tcp", doctor_tcp, false },
	{ "proxy", doctor_proxy, false },
	{ "tls", doctor_tls, false },
	{ "certificate", doctor_certificate, false },
	{ "http", doctor_http, false },
	{ "version", doctor_version, false },
	{ "auth", doctor_auth, false },
	{ "root", doctor_root, false },
	{ "collection", doctor_collection, false },
	{ "rights", doctor_rights, false },
	{ "clock", doctor_clock, true },
};

static void
walk(struct doctor *d, bool *well)
{
	const char *failed = NULL;

	for (size_t i = 0; i < COUNTOF(steps); i++) {
		struct doctor_finding *f = arena_alloc(d->mem, sizeof(*f));
		int64_t from_us = clock_mono_us();

		f->step = steps[i].name;
		f->detail = json_object(d->mem);
		d->now = f;
		if (i > 0 && d->peer->folder != NULL)
			doctor_skip(d, "nobody is called: it is a folder");
		else if (failed == NULL || (steps[i].late && d->first.status != 0))
			steps[i].run(d);
		else
			doctor_skip(d, "after %s failed", failed);
		f->took_us = own_time(d, f->step, clock_mono_us() - from_us);
		if (f->state == DOCTOR_FAILED && failed == NULL)
			failed = f->step;
		if (f->state == DOCTOR_FAILED || f->state == DOCTOR_WARNED)
			*well = false;
		d->conf->tell(d->conf->ctx, f);
	}
}

static void
hang_up(struct doctor *d)
{
	tls_probe_free(d->probe);
	if (d->fd >= 0)
		close(d->fd);
	d->probe = NULL;
	d->fd = -1;
}

bool
doctor_run(const struct doctor_conf *conf, struct arena *mem)
{
	struct doctor *d = arena_alloc(mem, sizeof(*d));
	bool well = true;

	d->conf = conf;
	d->config = conf->config;
	d->peer = conf->peer;
	d->mem = mem;
	d->fd = -1;
	credentials_login(conf->credentials, conf->peer->name, &d->login);
	credentials_proxy_login(conf->credentials, conf->peer->name, &d->proxy_login);
	walk(d, &well);
	hang_up(d);
	doctor_answer_fini(&d->first);
	tls_free(d->tls);
	return well;
}
