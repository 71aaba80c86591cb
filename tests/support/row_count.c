#include "tests/support/row_count.h"

#include <sqlite3.h>
#include <string.h>

static const char *counted;
static unsigned rows;

static int on_row(unsigned event, void *ctx, void *statement, void *ns)
{
	const char *sql = sqlite3_sql(statement);

	(void)event, (void)ctx, (void)ns;
	rows += sql && strstr(sql, counted);
	return 0;
}

static int trace(sqlite3 *db, char **message, const struct sqlite3_api_routines *api)
{
	(void)message, (void)api;
	return sqlite3_trace_v2(db, SQLITE_TRACE_ROW, on_row, NULL);
}

void row_count_reopen(struct office *o, const char *part)
{
	void (*extension)(void) = (void (*)(void))trace;

	office_close(o);
	counted = part;
	sqlite3_auto_extension(extension);
	office_reopen(o);
	sqlite3_cancel_auto_extension(extension);
	rows = 0;
}

unsigned row_count(void)
{
	return rows;
}
