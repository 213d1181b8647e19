/* If this fails, a translation that partners already receive has changed.
 *
 * Walks tests/golden; each folder with a file `cmd` is one case (tests/golden/README.md). With
 * GOLDEN_UPDATE=1 the expected files are rewritten instead of compared; GOLDEN=text runs the cases
 * whose path holds that text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/format.h"
#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/base/lines.h"
#include "gateway/base/strbuf.h"

#if __has_include("formats/mapped.h")
#include "formats/mapped.h"
#endif

enum { FILE_MAX = 64 << 20, STEPS_MAX = 8, PATH_LEN = 1024 };

/* One case: what `cmd` says. */
struct golden {
	const char			*dir;
	struct arena			*mem;
	const struct format_ops		*step[STEPS_MAX];	/* from, via ..., to */
	size_t				 nsteps;
	struct read_job			 rj;
	struct write_job		 wj;
	bool				 with_loss;
	struct strbuf			 in, out, verdicts, error;
	struct loss			 loss;
};

static bool
is_updating(void)
{
	return getenv("GOLDEN_UPDATE") != NULL;
}

/* Fail the test with the reason in *e. */
static void
fail_with(const char *where, const struct err *e)
{
	char text[1024];

	fail_msg("%s: %s", where, err_text(e, text, sizeof(text)));
}

/* Find DIR/PREFIX or DIR/PREFIX.*; false if there is none. */
static bool
find_file(const char *dir, const char *prefix, char path[PATH_LEN], char name[256])
{
	DIR *d = opendir(dir);
	size_t n = strlen(prefix);
	struct dirent *de;
	bool found = false;

	assert_non_null(d);
	while (!found && (de = readdir(d)) != NULL) {
		if (strncmp(de->d_name, prefix, n) != 0 ||
		    (de->d_name[n] != '.' && de->d_name[n] != '\0'))
			continue;
		snprintf(path, PATH_LEN, "%s/%s", dir, de->d_name);
		snprintf(name, 256, "%s", de->d_name);
		found = true;
	}
	closedir(d);
	return found;
}

static bool
is_yes(struct slice v)
{
	return slice_is(v, "yes");
}

static const struct format_ops *
format_or_fail(struct golden *g, struct slice name)
{
	const struct format_ops *f = format_find_writer(name);

	if (f == NULL)
		fail_msg("%s/cmd: no format \"%.*s\"", g->dir, SLICE_ARG(name));
	return f;
}

/* Load the mapping file that `cmd` names (from the top of the repository, or in the case). */
static void
load_mapping(struct golden *g, struct slice value)
{
#if __has_include("formats/mapped.h")
	struct complaints c = { .mem = g->mem };
	char *path = arena_str(g->mem, value);
	struct mapping *m;

	if (memchr(value.p, '/', value.n) == NULL)
		path = arena_fmt(g->mem, "%s/%.*s", g->dir, SLICE_ARG(value));
	m = mapping_load(path, g->mem, &c);
	if (m == NULL)
		fail_msg("%s: %s", path, c.n > 0 ? c.text[0] : "no mapping");
	g->rj.mapping = g->wj.mapping = m;
#else
	fail_msg("%s/cmd: mapping %.*s: there are no mappings yet", g->dir, SLICE_ARG(value));
#endif
}

/* Obey one line of `cmd`. */
static void
take_option(struct golden *g, struct slice key, struct slice value)
{
	char *text = arena_str(g->mem, value);

	if (slice_is(key, "from") || slice_is(key, "via") || slice_is(key, "to")) {
		assert_true(g->nsteps < STEPS_MAX);
		g->step[g->nsteps++] = format_or_fail(g, value);
	} else if (slice_is(key, "received")) {
		g->rj.received = g->wj.received = slice_of(text);
	} else if (slice_is(key, "strict")) {
		g->rj.strict = is_yes(value);
	} else if (slice_is(key, "iodef-amber-strict")) {
		g->rj.iodef_amber_strict = is_yes(value);
	} else if (slice_is(key, "misp-groups")) {
		g->rj.misp_groups = text;
	} else if (slice_is(key, "pretty")) {
		g->wj.pretty = is_yes(value);
	} else if (slice_is(key, "no-residue")) {
		g->wj.no_residue = is_yes(value);
	} else if (slice_is(key, "loss")) {
		g->with_loss = is_yes(value);
	} else if (slice_is(key, "csirt")) {
		g->wj.csirt = text;
	} else if (slice_is(key, "contact")) {
		g->wj.csirt_contact = text;
	} else if (slice_is(key, "mapping")) {
		load_mapping(g, value);
	} else {
		fail_msg("%s/cmd: no option \"%.*s\"", g->dir, SLICE_ARG(key));
	}
}

/* Read `cmd` and the input. */
static void
load_case(struct golden *g)
{
	char path[PATH_LEN], name[256];
	struct strbuf cmd = STRBUF_INIT;
	struct err e = ERR_INIT;
	struct slice rest;

	g->rj.received = g->wj.received = SLICE_LIT("2026-01-01T00:00:00Z");
	g->wj.csirt = "cert.example";
	g->wj.csirt_contact = "cert@cert.example";
	snprintf(path, sizeof(path), "%s/cmd", g->dir);
	if (file_read(path, FILE_MAX, &cmd, &e) < 0)
		fail_with(g->dir, &e);
	rest = strbuf_slice(&cmd);
	while (rest.n > 0) {
		struct slice line = slice_trim(slice_cut(&rest, '\n')), key;

		if (line.n == 0 || line.p[0] == '#')
			continue;
		key = slice_cut(&line, '=');
		take_option(g, slice_trim(key), slice_trim(line));
	}
	strbuf_fini(&cmd);
	if (g->nsteps < 2)
		fail_msg("%s/cmd: from= and to= are needed", g->dir);
	if (!find_file(g->dir, "input", path, name))
		fail_msg("%s: no input.*", g->dir);
	if (file_read(path, FILE_MAX, &g->in, &e) < 0)
		fail_with(path, &e);
	g->rj.input = arena_str(g->mem, slice_of(name));
}

/* Append one line for each verdict: "warned CODE place: path: reason". */
static void
print_verdicts(struct golden *g, const struct advisory *adv)
{
	for (size_t i = 0; i < adv->nverdicts; i++) {
		const struct verdict *v = &adv->verdicts[i];
		char text[1024];

		strbuf_addf(&g->verdicts, "%s %s %s\n", v->kind == VERDICT_WARNED ? "warned" :
		    "refused", v->code, err_text(&v->err, text, sizeof(text)));
	}
}

/* Read with one format and write with the next; false when it failed (g->error says why). */
static bool
convert_step(struct golden *g, const struct format_ops *from, const struct format_ops *to)
{
	struct advisory *adv = arena_alloc(g->mem, sizeof(*adv));
	struct err e = ERR_INIT;
	char text[1024];

	g->rj.in = strbuf_slice(&g->in);
	g->wj.adv = adv;
	strbuf_reset(&g->out);
	if (from->read(&g->rj, g->mem, adv, &e) < 0)
		goto fail;
	print_verdicts(g, adv);
	if (to->write(&g->wj, g->mem, &g->out, &e) == 0)
		return true;
fail:
	strbuf_addf(&g->error, "%s\n", err_text(&e, text, sizeof(text)));
	strbuf_reset(&g->out);
	return false;
}

/* Run all steps; output, verdicts, error and loss are left in *g. */
static void
convert(struct golden *g)
{
	loss_init(&g->loss, g->mem);
	if (g->with_loss)
		g->rj.loss = g->wj.loss = &g->loss;
	for (size_t i = 0; i + 1 < g->nsteps; i++) {
		if (i > 0) {
			strbuf_reset(&g->in);
			strbuf_addsl(&g->in, strbuf_slice(&g->out));
			g->rj.input = g->step[i]->name;
		}
		if (!convert_step(g, g->step[i], g->step[i + 1]))
			return;
	}
}

/* Compare text with a file of the case, or rewrite the file. A file that should not be there counts
 * as a difference, and so does one that is missing. */
static void
check_file(const struct golden *g, const char *prefix, const char *ending, struct slice text)
{
	char path[PATH_LEN], name[256];
	bool there = find_file(g->dir, prefix, path, name);
	struct strbuf want = STRBUF_INIT;
	struct err e = ERR_INIT;
	size_t i = 0;

	if (!there)
		snprintf(path, sizeof(path), "%s/%s%s", g->dir, prefix, ending);
	if (is_updating()) {
		if (text.n == 0)
			unlink(path);
		else if (file_write(path, text, 0644, &e) < 0)
			fail_with(path, &e);
		return;
	}
	if (there && file_read(path, FILE_MAX, &want, &e) < 0)
		fail_with(path, &e);
	while (i < want.n && i < text.n && want.p[i] == text.p[i])
		i++;
	if (i < want.n || i < text.n) {
		struct pos at = pos_of(text.p, text.n, i);

		fail_msg("%s: differs from what we make at line %u, column %u (byte %zu):\n"
		    "  wanted ...%.80s\n  made   ...%.80s", path, at.line, at.column, i,
		    want.p + i, text.p + i);
	}
	strbuf_fini(&want);
}

/* One case, from its folder to the verdict. */
static void
run_case(void **state)
{
	struct golden g = {
		.dir = *state, .mem = arena_new(), .in = STRBUF_INIT, .out = STRBUF_INIT,
		.verdicts = STRBUF_INIT, .error = STRBUF_INIT,
	};
	struct strbuf loss = STRBUF_INIT;

	load_case(&g);
	convert(&g);
	if (g.with_loss)
		loss_print(&loss, &g.loss);
	check_file(&g, "expected", g.step[g.nsteps - 1]->file_ending, strbuf_slice(&g.out));
	check_file(&g, "error", "", strbuf_slice(&g.error));
	check_file(&g, "verdicts", "", strbuf_slice(&g.verdicts));
	check_file(&g, "loss", "", strbuf_slice(&loss));
	strbuf_fini(&g.in);
	strbuf_fini(&g.out);
	strbuf_fini(&g.verdicts);
	strbuf_fini(&g.error);
	strbuf_fini(&loss);
	arena_free(g.mem);
}

struct cases {
	struct CMUnitTest	*v;
	size_t			 n;
};

/* Add the case in `dir`, and those in its folders, in order of names. */
static void
collect(struct cases *all, const char *dir)
{
	const char *only = getenv("GOLDEN");
	struct dirent **names;
	char path[PATH_LEN];
	int n;

	snprintf(path, sizeof(path), "%s/cmd", dir);
	if (file_exists(path) && (only == NULL || strstr(dir, only) != NULL)) {
		char *name = xstrdup(dir);

		all->v = xrealloc(all->v, (all->n + 1) * sizeof(*all->v));
		all->v[all->n++] = (struct CMUnitTest){ name, run_case, NULL, NULL, name };
	}
	n = scandir(dir, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
			collect(all, path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

int
main(void)
{
	const char *dir = getenv("GOLDEN_DIR");
	struct cases all = { NULL, 0 };
	int failed;

	collect(&all, dir != NULL ? dir : "tests/golden");
	if (all.n == 0) {
		fprintf(stderr, "no golden cases found: run from the top of the repository\n");
		return 1;
	}
	failed = _cmocka_run_group_tests("golden", all.v, all.n, NULL, NULL);
	for (size_t i = 0; i < all.n; i++)
		free((char *)(uintptr_t)all.v[i].name);
	free(all.v);
	return failed;
}
