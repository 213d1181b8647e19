/*
 * cmd_convert_each.c -- `tocsin convert --out DIR`: a document for each input, under its name.
 *
 * No input is ever written over, and no two inputs give one document: the first keeps the name.
 */
#include <stdlib.h>
#include <string.h>

#include "formats/flat.h"
#include "gateway/base/arena.h"
#include "gateway/base/file.h"
#include "gateway/cmd_convert.h"

struct batching {
	const struct args	*args;
	const struct format_ops	*to;
	const struct files	*files;
	struct arena		*mem;
	const char		*folder, *ending, *loss_ending;
	const char		**outputs;	/* by number of the input */
	bool			*taken;		/* another input has that name */
	size_t			 done, partly, failed, lost, objects, refused;
};

/* ".ip.txt" for txt:ip, else what the format says. */
static const char *
ending_of(const struct args *a, const struct format_ops *to, struct arena *mem)
{
	const struct flat_output *flat =
	    to->read == NULL ? flat_output_find(slice_of(args_get(a, "to"))) : NULL;

	return flat != NULL ? arena_fmt(mem, ".%s", flat->ending) : to->file_ending;
}

/* "DIR/sub/a.json" of "sub/a.xml". */
static const char *
output_of(const struct batching *b, const char *name)
{
	const char *slash = strrchr(name, '/'), *file = slash == NULL ? name : slash + 1;
	const char *dot = strrchr(file, '.');
	size_t n = dot == NULL || dot == file ? strlen(name) : (size_t)(dot - name);

	return arena_fmt(b->mem, "%s/%.*s%s", b->folder, (int)n, name, b->ending);
}

static int
compare_names(const void *x, const void *y, void *arg)
{
	const struct batching *b = arg;
	size_t i = *(const size_t *)x, k = *(const size_t *)y;
	int c = strcmp(b->outputs[i], b->outputs[k]);

	return c != 0 ? c : (i > k) - (i < k);
}

/* Fill outputs and taken. */
static void
name_outputs(struct batching *b)
{
	size_t n = b->files->n, *order = xcalloc(n + 1, sizeof(*order));

	b->outputs = arena_alloc(b->mem, (n + 1) * sizeof(*b->outputs));
	b->taken = arena_alloc(b->mem, (n + 1) * sizeof(*b->taken));
	for (size_t i = 0; i < n; i++) {
		b->outputs[i] = output_of(b, b->files->names[i]);
		order[i] = i;
	}
	qsort_r(order, n, sizeof(*order), compare_names, b);
	for (size_t i = 1; i < n; i++)
		b->taken[order[i]] = strcmp(b->outputs[order[i]], b->outputs[order[i - 1]]) == 0;
	free(order);
}

struct identity {
	uint64_t	id[2];
};

static int
compare_identities(const void *x, const void *y)
{
	const struct identity *a = x, *b = y;

	return memcmp(a, b, sizeof(*a));
}

/* The files that are read, to be found by what they are. */
static struct identity *
identify_inputs(const struct batching *b, size_t *n)
{
	struct identity *v = xcalloc(b->files->n + 1, sizeof(*v));

	*n = 0;
	for (size_t i = 0; i < b->files->n; i++)
		*n += file_identity(b->files->paths[i], v[*n].id);
	qsort(v, *n, sizeof(*v), compare_identities);
	return v;
}

/* Why this input gets no document, after saying so; true if it does. */
static bool
may_write(const struct batching *b, size_t i, const struct identity *inputs, size_t n)
{
	struct slice folder = file_folder(b->outputs[i]);
	struct identity out;
	struct err e = ERR_INIT;

	if (b->taken[i])
		return cmd_complain("%s: another input gives %s already", b->files->paths[i],
		    b->outputs[i]) == 0;
	if (file_identity(b->outputs[i], out.id) &&
	    bsearch(&out, inputs, n, sizeof(out), compare_identities) != NULL)
		return cmd_complain("%s: %s would be written over an input", b->files->paths[i],
		    b->outputs[i]) == 0;
	if (dir_make(arena_str(b->mem, folder), 0755, &e) == 0)
		return true;
	cmd_fail_err(&e);
	return false;
}

static void
convert_file(struct batching *b, size_t i, struct work_bar *bar)
{
	struct conversion c = { .args = b->args, .to = b->to, .output = b->outputs[i], .bar = bar };
	int status;

	convert_limit(b->args, &c.limit);
	if (b->loss_ending != NULL)
		c.loss = arena_fmt(b->mem, "%s%s", b->outputs[i], b->loss_ending);
	status = convert_one(&c, &b->files->paths[i], 1);
	b->objects += c.objects;
	b->refused += c.refused;
	b->done += status == CMD_DONE;
	b->partly += status == CMD_NO && !c.lost;
	b->lost += c.lost;
	b->failed += status == CMD_FAILED || c.lost;
}

static int
set_loss(struct batching *b)
{
	const char *loss = args_get(b->args, "loss");

	if (loss == NULL)
		return 0;
	if (strcmp(loss, "text") == 0)
		b->loss_ending = ".loss.txt";
	else if (strcmp(loss, "json") == 0)
		b->loss_ending = ".loss.json";
	else
		return cmd_complain("convert: with --out, --loss is `text` or `json`: the accounts "
		    "stand beside the documents");
	return 0;
}

int
convert_each(const struct args *a, const struct format_ops *to, const struct files *f,
    struct work_bar *bar)
{
	struct batching b = { .args = a, .to = to, .files = f, .mem = arena_new(),
	    .folder = args_get(a, "out") };
	struct identity *inputs;
	size_t n;

	if (set_loss(&b) < 0) {
		arena_free(b.mem);
		return CMD_FAILED;
	}
	b.ending = ending_of(a, to, b.mem);
	name_outputs(&b);
	inputs = identify_inputs(&b, &n);
	for (size_t i = 0; i < f->n; i++) {
		if (may_write(&b, i, inputs, n))
			convert_file(&b, i, bar);
		else
			b.failed++;
	}
	free(inputs);
	fprintf(stderr, "%zu of %zu inputs converted, %zu of them in part, %zu not; %zu objects, %zu "
	    "refused\n", b.done + b.partly, f->n, b.partly, b.failed, b.objects, b.refused);
	arena_free(b.mem);
	if (b.partly + b.failed == 0 && f->n > 0)
		return CMD_DONE;
	return b.done + b.partly + b.lost > 0 ? CMD_NO : CMD_FAILED;
}
