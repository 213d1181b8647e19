/* cmd_secret.c -- a secret typed by a person or handed over by a program; never an argument, which every
 * user of the machine could read. Part of cmd.h. */
#include "gateway/cmd.h"

#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "gateway/base/digest.h"

static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
enum { ENDS = sizeof(ends) / sizeof(*ends) };

/* A signal that would have ended us while the terminal was quiet; 0. */
static volatile sig_atomic_t caught;

static void
on_end(int number)
{
	caught = number;
}

/* Turn the echo off, and see to it that it comes back whatever ends the question. */
static void
hush(const struct termios *old, struct sigaction was[ENDS])
{
	struct sigaction end = { .sa_handler = on_end };	/* no SA_RESTART: the reading ends */
	struct termios quiet = *old;

	caught = 0;
	for (int i = 0; i < ENDS; i++)
		sigaction(ends[i], &end, &was[i]);
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
}

static void
restore(const struct termios *old, const struct sigaction was[ENDS])
{
	tcsetattr(STDIN_FILENO, TCSAFLUSH, old);
	fputc('\n', stderr);
	for (int i = 0; i < ENDS; i++)
		sigaction(ends[i], &was[i], NULL);
	if (caught != 0)
		raise(caught);
}

/* One line from stdin, without echo if that is a terminal. -1 after a message. */
static int
read_line(const char *prompt, const char *what, char *out, size_t cap)
{
	struct sigaction was[ENDS];
	struct termios old;
	bool terminal = tcgetattr(STDIN_FILENO, &old) == 0;
	char *line;

	if (terminal) {
		hush(&old, was);
		fprintf(stderr, "%s: ", prompt);	/* now: the flush takes what was typed before */
	}
	line = fgets(out, (int)cap, stdin);
	if (terminal)
		restore(&old, was);
	if (line == NULL)
		return cmd_complain("no %s came on standard input", what);
	if (strchr(line, '\n') == NULL && strlen(line) + 1 == cap)
		return cmd_complain("the %s is longer than %zu bytes", what, cap - 2);
	out[strcspn(out, "\r\n")] = '\0';
	return 0;
}

int
cmd_read_secret(const char *what, bool twice, char out[CMD_SECRET_MAX + 2])
{
	char again[CMD_SECRET_MAX + 2], prompt[64];
	int rc = -1;

	snprintf(prompt, sizeof(prompt), "%c%s", what[0] - ('a' - 'A'), what + 1);
	if (read_line(prompt, what, out, CMD_SECRET_MAX + 2) < 0) {
		secret_wipe(out, CMD_SECRET_MAX + 2);
	} else if (!twice || !isatty(STDIN_FILENO)) {
		rc = 0;
	} else {
		if (read_line("Once more", what, again, sizeof(again)) == 0)
			rc = strcmp(out, again) == 0 ? 0 :
			    cmd_complain("these were two different %ss; nothing is changed", what);
		secret_wipe(again, sizeof(again));
	}
	return rc;
}
