/* cmd_completion.c -- `tocsin completion`: what a shell needs to finish a word, from the tables that --help
 * prints. */
#include <stdio.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/strbuf.h"
#include "gateway/cmd.h"

/* The first word of a verb of two; empty for the others. */
static struct slice
family_of(const struct command *c)
{
	struct slice rest = slice_of(c->name), first = slice_cut(&rest, ' ');

	return rest.n > 0 ? first : SLICE_EMPTY;
}

/* True if no verb before this one begins with the same word. */
static bool
is_first_of(const struct command *const *commands, size_t i)
{
	struct slice word = slice_of(commands[i]->name);

	word = slice_cut(&word, ' ');
	for (size_t k = 0; k < i; k++) {
		struct slice other = slice_of(commands[k]->name);

		if (slice_eq(slice_cut(&other, ' '), word))
			return false;
	}
	return true;
}

/* The options of one verb; one of two words comes before one of its first word alone. */
static void
add_verb(struct strbuf *out, const struct command *c)
{
	strbuf_addf(out, "\t\"%s\"|\"%s \"*) words=\"", c->name, c->name);
	for (const struct cmd_option *o = c->options; o != NULL && o->name != NULL; o++)
		strbuf_addf(out, "--%s ", o->name);
	strbuf_adds(out, "--help\" ;;\n");
}

/* The second words of a family. */
static void
add_family(struct strbuf *out, const struct command *const *commands, struct slice family)
{
	strbuf_addf(out, "\t\"%.*s\") words=\"", SLICE_ARG(family));
	for (size_t i = 0; commands[i] != NULL; i++)
		if (slice_eq(family_of(commands[i]), family))
			strbuf_addf(out, "%s ", commands[i]->name + family.n + 1);
	strbuf_adds(out, "--help\" ;;\n");
}

static void
add_first_words(struct strbuf *out, const struct command *const *commands)
{
	strbuf_adds(out, "\t\"\") words=\"");
	for (size_t i = 0; commands[i] != NULL; i++) {
		struct slice rest = slice_of(commands[i]->name), word = slice_cut(&rest, ' ');

		if (is_first_of(commands, i))
			strbuf_addf(out, "%.*s ", SLICE_ARG(word));
	}
	strbuf_adds(out, "--help --version\" ;;\n");
}

/* bash, and zsh that plays bash. */
static void
add_script(struct strbuf *out, const struct command *const *commands)
{
	strbuf_adds(out, "_tocsin()\n{\n"
	    "\tlocal cur=\"${COMP_WORDS[COMP_CWORD]}\" words=\"\" IFS=$' \\t\\n'\n"
	    "\tcase \"${COMP_WORDS[*]:1:COMP_CWORD-1}\" in\n");
	for (int two = 1; two >= 0; two--)
		for (size_t i = 0; commands[i] != NULL; i++)
			if ((family_of(commands[i]).n > 0) == (two == 1))
				add_verb(out, commands[i]);
	for (size_t i = 0; commands[i] != NULL; i++)
		if (family_of(commands[i]).n > 0 && is_first_of(commands, i))
			add_family(out, commands, family_of(commands[i]));
	add_first_words(out, commands);
	/* Behind a verb a word that is no option may be a file: the shell finishes it as it always does. */
	strbuf_adds(out, "\tesac\n"
	    "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n"
	    "complete -o default -F _tocsin tocsin\n");
}

static int
run(const struct args *a)
{
	struct strbuf out = STRBUF_INIT;
	int status = CMD_FAILED;

	if (strcmp(a->v[0], "zsh") == 0)
		strbuf_adds(&out, "autoload -U +X bashcompinit && bashcompinit\n");
	else if (strcmp(a->v[0], "bash") != 0)
		return cmd_fail("completion is there for bash and zsh, not for '%s'", a->v[0]);
	add_script(&out, cmd_commands);
	status = cmd_print(strbuf_slice(&out));
	strbuf_fini(&out);
	return status;
}

const struct command command_completion = {
	"completion", "SHELL", 1, 1, "a script that lets bash or zsh finish words",
	"Prints what the shell has to read, for instance in ~/.bashrc: source <(tocsin completion bash). "
	"SHELL is bash or zsh.",
	NULL, run
};
