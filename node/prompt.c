#include "node/prompt.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "node/i18n.h"

enum { ANSWER_MAX = 16 };

/* Byte by byte, past stdio: no copy of a secret stays in its buffer. */
static enum err read_line(char *out, size_t size, struct errmsg *msg)
{
	size_t used = 0;
	ssize_t got;
	char c;

	while ((got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
		if (used + 1 == size) {
			sodium_memzero(out, size);
			return errmsg_set(msg, ERR_LIMIT, _("the line is over %zu bytes"),
					  size - 1);
		}
		out[used++] = c;
	}
	out[used] = '\0';
	if (got != 1 && used == 0)
		return errmsg_set(msg, ERR_INVALID, _("the input ended before an answer"));
	return OK;
}

enum err prompt_secret(const char *question, char *out, size_t size, struct errmsg *msg)
{
	struct termios shown, hidden;
	bool is_terminal = tcgetattr(STDIN_FILENO, &shown) == 0;
	enum err rc;

	/* What was typed or pasted ahead stays: a list of words may have several lines. */
	if (is_terminal) {
		fprintf(stderr, "%s ", question);
		hidden = shown;
		hidden.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSADRAIN, &hidden);
	}
	rc = read_line(out, size, msg);
	if (is_terminal) {
		tcsetattr(STDIN_FILENO, TCSADRAIN, &shown);
		fputc('\n', stderr);
	}
	return rc;
}

enum err prompt_confirm(const char *question, struct errmsg *msg)
{
	char answer[ANSWER_MAX];
	enum err rc;

	if (!isatty(STDIN_FILENO))
		return errmsg_set(msg, ERR_INVALID,
				  _("nobody is here to confirm it: say --yes to have it done"));
	fprintf(stderr, "%s [y/N] ", question);
	rc = read_line(answer, sizeof(answer), msg);
	if (rc != OK)
		return rc;
	if (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0 ||
	    strcasecmp(answer, _("yes")) == 0)
		return OK;
	return errmsg_set(msg, ERR_INVALID, _("nothing was changed"));
}
