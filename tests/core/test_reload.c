/* core/replica: what another process commits in the very moment in which the caches are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <string.h>

#include "tests/support/office.h"
#include "tests/support/tempdir.h"

/* Commits once, as soon as a connection opened later has run a statement that says `after`. */
static struct {
	struct office *writer;
	const char *after;
	bool has_committed;
} meanwhile;

static void edit(struct office *o)
{
	struct space_id directory = replica_directory(o->replica);
	struct value name = value_str("李雷");

	office_create(o, &directory, KIND_PERSON, PERSON_NAME, &name);
}

static int on_statement(unsigned event, void *ctx, void *statement, void *ns)
{
	const char *sql = sqlite3_sql(statement);

	if (meanwhile.has_committed || !sql || !strstr(sql, meanwhile.after))
		return 0;
	meanwhile.has_committed = true;
	edit(meanwhile.writer);
	return 0;
}

static int trace_new_connection(sqlite3 *db, char **message, const struct sqlite3_api_routines *api)
{
	return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, on_statement, NULL);
}

static void what_is_committed_while_the_caches_are_read_is_not_overlooked(void **state)
{
	static const char *const moments[] = { "FROM replica_index", "FROM space_index",
					       "FROM feed", "FROM changeset", "data_version" };

	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		void (*extension)(void) = (void (*)(void))trace_new_connection;
		struct office writer, other;
		char folder[TEMPDIR_BYTES_MAX], path[TEMPDIR_BYTES_MAX];

		tempdir_new(folder, sizeof(folder));
		office_open(&writer, tempdir_path(path, sizeof(path), folder, "a.db"), 1);
		office_found(&writer, "SHA");
		meanwhile.writer = &writer;
		meanwhile.after = moments[i];
		meanwhile.has_committed = false;
		sqlite3_auto_extension(extension);
		office_open_again(&other, &writer);
		sqlite3_cancel_auto_extension(extension);
		if (!meanwhile.has_committed)
			fail_msg("nothing says \"%s\" any more", moments[i]);
		edit(&other);
		edit(&writer);
		assert_int_equal(office_count(&other, "SELECT count(*) FROM person"), 4);
		office_close(&other);
		office_close(&writer);
		tempdir_remove(folder);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_committed_while_the_caches_are_read_is_not_overlooked),
	};

	return cmocka_run_group_tests_name("core/reload", tests, NULL, NULL);
}
