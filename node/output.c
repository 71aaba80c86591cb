#include "node/output.h"

#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "node/i18n.h"
#include "node/sys_error.h"
#include "node/width.h"

void output_bytes(FILE *out, struct bytes text)
{
	if (text.size) /* nothing may be nowhere, which fwrite() does not take */
		fwrite(text.data, 1, text.size, out);
}

void output_lines(FILE *out, int indent, struct bytes text)
{
	struct buf line = BUF_EMPTY;
	size_t at = 0;

	do {
		const uint8_t *end =
			at < text.size ? memchr(text.data + at, '\n', text.size - at) : NULL;
		size_t size = end ? (size_t)(end - text.data) - at : text.size - at;

		buf_clear(&line);
		width_append(&line, bytes_of(text.data + at, size), WIDTH_UNLIMITED);
		if (line.size)
			fprintf(out, "%*s", indent, "");
		output_bytes(out, buf_bytes(&line));
		fputc('\n', out);
		at += size + 1;
	} while (at < text.size);
	buf_release(&line);
}

void output_line(FILE *out, const char *fmt, ...)
{
	struct buf line = BUF_EMPTY;
	char *text = NULL;
	va_list args;
	int size;

	va_start(args, fmt);
	size = vasprintf(&text, fmt, args);
	va_end(args);
	if (size < 0)
		return;
	width_append(&line, bytes_of(text, (size_t)size), WIDTH_UNLIMITED);
	output_bytes(out, buf_bytes(&line));
	fputc('\n', out);
	buf_release(&line);
	free(text);
}

/* Of the terminal, else as $COLUMNS says: who shows our output can ask for a width. */
static size_t columns_of(FILE *out)
{
	const char *said = getenv("COLUMNS");
	struct winsize size;
	long columns;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	columns = said ? strtol(said, NULL, 10) : 0;
	return columns > 0 ? (size_t)columns : WIDTH_UNLIMITED;
}

bool output_has_colour(FILE *out)
{
	const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(fileno(out)) && !(refused && *refused) && terminal &&
	       strcmp(terminal, "dumb") != 0;
}

enum err output_table(FILE *out, const struct table *t, struct errmsg *msg)
{
	struct buf text = BUF_EMPTY;
	enum err rc = table_render(t, columns_of(out), &text);

	if (rc == OK)
		output_bytes(out, buf_bytes(&text));
	else
		no_memory(msg);
	buf_release(&text);
	return rc;
}

enum err output_json(FILE *out, json_t *value, struct errmsg *msg)
{
	int failed = value ? json_dumpf(value, out, JSON_ENCODE_ANY | JSON_INDENT(2)) : -1;

	json_decref(value);
	if (failed)
		return errmsg_set(msg, ERR_NOMEM, _("the JSON can't be written"));
	fputc('\n', out);
	return OK;
}
