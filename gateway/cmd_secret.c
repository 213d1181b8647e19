/* cmd_secret.c -- a secret typed by a person or handed over by a program; never an argument, which every
 * user of the machine could read. Part of cmd.h. */
#include "gateway/cmd.h"

#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "gateway/base/digest.h"

/* One line from stdin, without echo if that is a terminal. -1 after a message. */
static int
read_line(const char *prompt, const char *what, char *out, size_t cap)
{
	struct termios old, quiet;
	bool terminal = tcgetattr(STDIN_FILENO, &old) == 0;
	char *line;

	if (terminal) {
		quiet = old;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
		fprintf(stderr, "%s: ", prompt);	/* now: the flush takes what was typed before */
	}
	line = fgets(out, (int)cap, stdin);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
		fputc('\n', stderr);
	}
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
