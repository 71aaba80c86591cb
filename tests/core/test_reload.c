/* core/replica: what another process commits in the very moment in which the caches are read, and
 * after it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <string.h>

#include "core/text.h"
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

static void assert_record_of_a_new_space_is_read(struct office *here, struct office *other)
{
	struct space_id space = office_share(here), found;
	struct record_id id = office_item(here, &space, "new");
	struct arena arena = ARENA_EMPTY;
	struct record rec;

	OFFICE_MUST(replica_record(other->replica, KIND_ACTION, &id, &arena, &rec, &found, &msg));
	assert_int_equal(space_id_cmp(&found, &space), 0);
	arena_release(&arena);
}

/* Whoever only reads need not look first whether anything has changed. */
static void what_a_new_office_has_written_is_read_at_once(void **state)
{
	struct value note = value_str("half done"), goal = value_str("a goal");
	struct value other_goal = value_str("another goal");
	char folder[TEMPDIR_BYTES_MAX], path[TEMPDIR_BYTES_MAX];
	struct office here, other, fresh;
	struct arena arena = ARENA_EMPTY;
	struct space_id space, found;
	struct element *notes;
	struct record_id id;
	struct record rec;
	struct text text;
	size_t count;

	tempdir_new(folder, sizeof(folder));
	office_open(&here, tempdir_path(path, sizeof(path), folder, "a.db"), 1);
	office_open(&fresh, NULL, 2);
	space = UNITE(&here, &fresh);
	id = office_create(&here, &space, KIND_ACTION, ACTION_DELIVERABLE, &goal);
	office_sync(&here, &fresh);
	office_open_again(&other, &here);
	office_set(&fresh, &space, KIND_ACTION, &id, ACTION_DELIVERABLE, &other_goal);
	office_add(&fresh, &space, KIND_ACTION, &id, ACTION_PROGRESS, &note);
	office_pull(&here, &fresh);
	OFFICE_MUST(replica_elements(other.replica, KIND_ACTION, &id, ACTION_PROGRESS, &arena,
				     &notes, &count, &msg));
	assert_int_equal(count, 1);
	OFFICE_MUST(replica_record(other.replica, KIND_ACTION, &id, &arena, &rec, &found, &msg));
	assert_true(
		bytes_equal(record_shown(&rec, ACTION_DELIVERABLE)->value.bytes, other_goal.bytes));
	OFFICE_MUST(replica_text(other.replica, KIND_ACTION, &id, ACTION_DELIVERABLE, &text, &msg));
	text_release(&text);
	assert_record_of_a_new_space_is_read(&here, &other);
	arena_release(&arena);
	office_close(&other);
	office_close(&here);
	office_close(&fresh);
	tempdir_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_committed_while_the_caches_are_read_is_not_overlooked),
		cmocka_unit_test(what_a_new_office_has_written_is_read_at_once),
	};

	return cmocka_run_group_tests_name("core/reload", tests, NULL, NULL);
}
