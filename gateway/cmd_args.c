/* cmd_args.c -- arguments and help of the verbs. Part of cmd.h. */
#include "gateway/cmd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/arena.h"

enum { OPTIONS_SHOWN = 64, OPTION_COLUMN = 26, WIDTH = 80 };

static const char default_config[] = "/etc/tocsin/tocsin.conf";

/* ---- messages ---- */

__attribute__((format(printf, 1, 0))) static void
say(const char *fmt, va_list ap)
{
	fputs("tocsin: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int
cmd_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	return CMD_FAILED;
}

int
cmd_complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	return -1;
}

int
cmd_fail_err(const struct err *e)
{
	char text[sizeof(*e) + 64];

	err_text(e, text, sizeof(text));
	fputs("tocsin: ", stderr);
	print_safe(stderr, slice_of(text));
	fputc('\n', stderr);
	return CMD_FAILED;
}

int
cmd_complaints(const struct complaints *c)
{
	for (size_t i = 0; i < c->n; i++) {
		print_safe(stderr, slice_of(c->text[i]));
		fputc('\n', stderr);
	}
	if (c->dropped > 0)
		fprintf(stderr, "... and %zu more\n", c->dropped);
	return CMD_FAILED;
}

int
cmd_print(struct slice text)
{
	if (fwrite(text.p, 1, text.n, stdout) != text.n || fflush(stdout) != 0)
		return cmd_fail("standard output: %s", strerror(errno));
	return CMD_DONE;
}

/* ---- help ---- */

/* Print text behind `column` blanks, broken at blanks; the cursor stands at `at`. */
static void
print_wrapped(FILE *out, const char *text, size_t at, size_t column)
{
	struct slice rest = slice_of(text);

	while (rest.n > 0) {
		struct slice word = slice_cut(&rest, ' ');

		if (at > column && at + 1 + word.n > WIDTH) {
			fputc('\n', out);
			at = 0;
		}
		if (at < column)
			at += (size_t)fprintf(out, "%*s", (int)(column - at), "");
		else if (at > column)
			at += (size_t)fprintf(out, " ");
		at += (size_t)fprintf(out, "%.*s", SLICE_ARG(word));
	}
	fputc('\n', out);
}

static void
print_option(FILE *out, const struct cmd_option *o)
{
	int n = fprintf(out, "    ");

	if (o->letter != 0)
		n += fprintf(out, "-%c, ", o->letter);
	n += fprintf(out, "--%s", o->name);
	if (o->value != NULL)
		n += fprintf(out, " %s", o->value);
	if (n >= OPTION_COLUMN) {
		fputc('\n', out);
		n = 0;
	}
	print_wrapped(out, o->help, (size_t)n, OPTION_COLUMN);
}

void
cmd_help(FILE *out, const struct command *c)
{
	struct slice rest = slice_of(c->help);

	fprintf(out, "usage: tocsin %s%s%s%s\n", c->name, c->options != NULL ? " [options]" : "",
	    c->operands[0] != '\0' ? " " : "", c->operands);
	while (rest.n > 0) {
		struct slice paragraph = slice_cut(&rest, '\n');
		char *text = xstrndup(paragraph.p, paragraph.n);

		fputc('\n', out);
		print_wrapped(out, text, 0, 0);
		free(text);
	}
	if (c->options == NULL)
		return;
	fputs("\noptions:\n", out);
	for (const struct cmd_option *o = c->options; o->name != NULL; o++)
		print_option(out, o);
}

/* ---- reading ---- */

static int
usage_error(const struct command *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int
usage_error(const struct command *c, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "tocsin %s: ", c->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nusage: tocsin %s%s%s%s   (tocsin %s --help says more)\n", c->name,
	    c->options != NULL ? " [options]" : "", c->operands[0] != '\0' ? " " : "", c->operands,
	    c->name);
	return -1;
}

static const struct cmd_option *
find_option(const struct command *c, struct slice name, bool is_long)
{
	for (const struct cmd_option *o = c->options; o != NULL && o->name != NULL; o++)
		if (is_long ? slice_is(name, o->name) : name.n > 0 && o->letter == name.p[0])
			return o;
	return NULL;
}

static int
unknown_option(const struct command *c, const char *word)
{
	const char *names[OPTIONS_SHOWN] = { NULL };
	const char *near;
	size_t n = 0;

	for (const struct cmd_option *o = c->options; o != NULL && o->name != NULL; o++)
		if (n + 1 < OPTIONS_SHOWN)
			names[n++] = o->name;
	near = nearest_word(slice_of(word + strspn(word, "-")), names);
	if (near == NULL)
		return usage_error(c, "there is no option %s", word);
	return usage_error(c, "there is no option %s, did you mean --%s?", word, near);
}

/* Take the option at argv[*i] (and its value behind it). */
static int
take_option(struct args *a, int argc, char **argv, int *i)
{
	const char *word = argv[*i], *value = NULL;
	bool is_long = word[1] == '-';
	struct slice rest = slice_of(word + (is_long ? 2 : 1)), name = rest;
	const struct cmd_option *o;

	if (is_long) {
		name = slice_cut(&rest, '=');
		if (name.p[name.n] == '=')
			value = rest.p;
	} else if (rest.n > 1) {
		value = rest.p + 1;
	}
	o = find_option(a->command, name, is_long);
	if (o == NULL)
		return unknown_option(a->command, word);
	if (o->value == NULL && value != NULL)
		return usage_error(a->command, "--%s takes no value", o->name);
	if (o->value != NULL && value == NULL) {
		if (*i + 1 >= argc)
			return usage_error(a->command, "--%s needs %s", o->name, o->value);
		value = argv[++*i];
	}
	a->given[a->ngiven].option = o;
	a->given[a->ngiven++].value = value == NULL ? "" : value;
	return 0;
}

int
args_parse(struct args *a, const struct command *c, int argc, char **argv)
{
	bool only_operands = false;

	*a = (struct args){ .command = c };
	a->given = xcalloc((size_t)argc + 1, sizeof(*a->given));
	a->v = xcalloc((size_t)argc + 1, sizeof(*a->v));
	for (int i = 0; i < argc; i++) {
		if (!only_operands && strcmp(argv[i], "--") == 0)
			only_operands = true;
		else if (only_operands || argv[i][0] != '-' || argv[i][1] == '\0')
			a->v[a->n++] = argv[i];
		else if (take_option(a, argc, argv, &i) < 0)
			return -1;
	}
	if (a->n < c->least)
		return usage_error(c, "%s missing", a->n == 0 && c->least == 1 ? "something is" :
		    "operands are");
	if (a->n > c->most)
		return usage_error(c, "'%s' is one too many", a->v[c->most]);
	return 0;
}

void
args_fini(struct args *a)
{
	free(a->given);
	free(a->v);
}

const char *
args_get(const struct args *a, const char *name)
{
	for (size_t i = a->ngiven; i > 0; i--)
		if (strcmp(a->given[i - 1].option->name, name) == 0)
			return a->given[i - 1].value;
	return NULL;
}

const char *
args_each(const struct args *a, const char *name, size_t *i)
{
	while (*i < a->ngiven) {
		size_t at = (*i)++;

		if (strcmp(a->given[at].option->name, name) == 0)
			return a->given[at].value;
	}
	return NULL;
}

const char *
cmd_config_path(const struct args *a)
{
	const char *path = args_get(a, "config");

	if (path != NULL)
		return path;
	return access("tocsin.conf", F_OK) == 0 || access(default_config, F_OK) != 0 ?
	    "tocsin.conf" : default_config;
}
