/* core without memory: whichever allocation fails, the call says so, changes
 * nothing and leaves nothing behind, and works when there is memory again.
 *
 * ctest: timeout=120 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <unistd.h>

#include "core/limits.h"
#include "core/scrub.h"
#include "core/text_pack.h"
#include "core/text_reread.h"
#include "tests/support/editor.h"
#include "tests/support/office.h"
#include "tests/support/shortage.h"
#include "tests/support/tempdir.h"

/* What a replica is, as far as others can tell. */
struct snapshot {
	uint8_t state[STATE_HASH_BYTES];
	uint8_t directory[VV_DIGEST_BYTES], shared[VV_DIGEST_BYTES];
};

struct world {
	char folder[TEMPDIR_BYTES_MAX];
	struct office a, b; /* a in a file, b in memory */
	struct space_id space;
	struct record_id action, voided, block, person;
	struct arena arena;
	struct sealed *log;
	size_t log_count;
	struct snapshot before;
	unsigned number; /* of the attempt */
	long blocks;     /* before all */
	struct statement_list statements;
	bool has_no_statements; /* renew_b() leaves them out */
};

static char *world_path(const struct world *w, const char *name)
{
	static char path[256];

	return tempdir_path(path, sizeof(path), w->folder, name);
}

static struct snapshot snapshot_of(const struct world *w, const struct office *o)
{
	struct space_id directory = replica_directory(o->replica);
	struct snapshot s;

	OFFICE_MUST(replica_state_hash(o->replica, s.state, &msg));
	replica_digest(o->replica, &directory, s.directory);
	replica_digest(o->replica, &w->space, s.shared);
	return s;
}

/* A text that is stored and sent packed, and lies in pieces once it is edited. */
static struct value long_text(void)
{
	static char text[6000];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 23);
	return value_text(bytes_of(text, sizeof(text)));
}

static int set_up(void **state)
{
	struct world *w;
	struct value title = value_str("Review the contract");
	struct value text = long_text();
	struct space_id directory;
	long blocks = shortage_blocks();

	w = calloc(1, sizeof(*w));
	w->blocks = blocks;
	tempdir_new(w->folder, sizeof(w->folder));
	office_open(&w->a, world_path(w, "a.db"), 1);
	office_open(&w->b, NULL, 2);
	w->space = UNITE(&w->a, &w->b);
	directory = replica_directory(w->a.replica);
	w->person = office_create(&w->a, &directory, KIND_PERSON, PERSON_NAME, &title);
	w->action = office_create(&w->a, &w->space, KIND_ACTION, ACTION_TITLE, &title);
	w->voided = office_create(&w->a, &w->space, KIND_ACTION, ACTION_TITLE, &title);
	w->block = office_create(&w->a, &w->space, KIND_BLOCK, BLOCK_TEXT, &text);
	office_sync(&w->a, &w->b);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	long blocks = w->blocks;

	office_close(&w->a);
	office_close(&w->b);
	arena_release(&w->arena);
	statement_list_release(&w->statements);
	tempdir_remove(w->folder);
	free(w);
	assert_int_equal(shortage_blocks(), blocks);
	return 0;
}

static void expect_same(const struct world *w, const struct office *o)
{
	struct snapshot now;
	bool changed;

	/* What could not be read for lack of memory is read now. */
	OFFICE_MUST(replica_refresh(o->replica, &changed, &msg));
	now = snapshot_of(w, o);
	assert_memory_equal(&now, &w->before, sizeof(now));
}

static void expect_agreement(struct world *w)
{
	office_sync(&w->a, &w->b);
	assert_true(office_agrees(&w->a, &w->b));
}

/* Other attempts than writing leave what they found. */
static void check_unchanged(void *ctx, enum err rc)
{
	struct world *w = ctx;

	expect_same(w, &w->a);
}

static long try_reading(struct world *w, enum err (*attempt)(void *ctx))
{
	const struct shortage_trial trial = { attempt, check_unchanged, w, 300 };

	w->before = snapshot_of(w, &w->a);
	return shortage_try(&trial);
}

/* ---- Editing -------------------------------------------------------------------- */

/* Every verb, on records new and old, small and large. */
static enum err write_first(struct world *w, struct edit *e)
{
	struct value title = value_str("edited"), text = long_text();
	struct value helper = value_ref(&w->person);
	struct record_id id = edit_create(e);
	enum err rc = edit_set(e, KIND_ACTION, &id, ACTION_TITLE, &title, NULL);

	if (rc == OK)
		rc = edit_step(e, KIND_ACTION, &id, ACTION_STATE, ACTION_DOING, NULL);
	if (rc == OK)
		rc = edit_set(e, KIND_ACTION, &w->action, ACTION_TITLE, &title, NULL);
	if (rc == OK)
		rc = edit_add(e, KIND_ACTION, &w->action, ACTION_HELPERS, &helper, NULL);
	if (rc == OK)
		rc = edit_set(e, KIND_BLOCK, &w->block, BLOCK_TEXT, &text, NULL);
	return rc == OK ? edit_void(e, KIND_ACTION, &w->voided, NULL) : rc;
}

static enum err write_second(struct world *w, struct edit *e)
{
	struct value helper = value_ref(&w->person), entry = value_str("entry");
	enum err rc = edit_remove(e, KIND_ACTION, &w->action, ACTION_HELPERS, &helper, NULL);

	if (rc == OK)
		rc = edit_add(e, KIND_ACTION, &w->action, ACTION_PROGRESS, &entry, NULL);
	return rc == OK ? edit_revive(e, KIND_ACTION, &w->voided, NULL) : rc;
}

static enum err write_changeset(struct world *w, enum err (*write)(struct world *w, struct edit *e))
{
	struct edit *e;
	enum err rc = edit_open(&e, w->a.replica, &w->space, NULL, w->a.now_ms++, NULL);

	if (rc != OK)
		return rc;
	rc = write(w, e);
	if (rc == OK)
		return edit_seal(e, NULL);
	edit_drop(e);
	return rc;
}

static enum err edit_once(void *ctx)
{
	struct world *w = ctx;
	struct replica *r = w->a.replica;
	char number[NUMBER_TEXT_MAX];
	enum err rc = replica_begin(r, NULL);

	if (rc == OK)
		rc = replica_number(r, KIND_ACTION, 2027, number, NULL);
	if (rc == OK)
		rc = write_changeset(w, write_first);
	if (rc == OK)
		rc = write_changeset(w, write_second);
	if (rc == OK)
		return replica_commit(r, NULL);
	replica_rollback(r);
	return rc;
}

/* In the other office, without what is new here; it comes over. */
static void write_elsewhere(struct world *w)
{
	struct arena arena = ARENA_EMPTY;
	struct record rec;
	struct value text;

	OFFICE_MUST(replica_record(w->b.replica, KIND_BLOCK, &w->block, &arena, &rec, NULL, &msg));
	text = record_shown(&rec, BLOCK_TEXT)->value;
	text.bytes.size -= text.bytes.size > 100; /* each time a character less */
	office_set(&w->b, &w->space, KIND_BLOCK, &w->block, BLOCK_TEXT, &text);
	office_sync(&w->a, &w->b);
	arena_release(&arena);
}

/* What failed left no trace; what did not is there. */
static void check_edit(void *ctx, enum err rc)
{
	struct world *w = ctx;
	bool changed;
	struct snapshot now;

	OFFICE_MUST(replica_refresh(w->a.replica, &changed, &msg));
	now = snapshot_of(w, &w->a);
	assert_int_equal(memcmp(&now, &w->before, sizeof(now)) == 0, rc != OK);
	w->before = now;
}

static void edits_fail_whole(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { edit_once, check_edit, w };

	OFFICE_MUST(edit_once(w));
	w->before = snapshot_of(w, &w->a);
	assert_true(shortage_try(&trial) > 20);
	expect_agreement(w);
}

/* ---- A text that an editor has open ---------------------------------------------- */

struct open_text {
	struct world *w;
	struct text_doc *doc;
	struct editor editor;
};

/* Another office writes, the editor hands in what was typed, and looks. */
static enum err edit_open_text(void *ctx)
{
	struct open_text *o = ctx;
	bool changed;
	enum err rc = text_doc_refresh(o->doc, &changed, NULL);

	if (rc == OK)
		rc = editor_push(&o->editor, o->doc, o->w->a.now_ms++, NULL);
	return rc == OK ? editor_pull(&o->editor, o->doc, NULL) : rc;
}

static void check_open_text(void *ctx, enum err rc)
{
	enum { ROOM = EDITOR_CELLS_MAX / 2 };
	struct open_text *o = ctx;
	struct buf text = BUF_EMPTY;
	bool changed;

	OFFICE_MUST(replica_refresh(o->w->a.replica, &changed, &msg));
	OFFICE_MUST(edit_open_text(o)); /* what was handed in is not again */
	OFFICE_MUST(text_doc_read(o->doc, &text, &msg));
	assert_true(editor_shows(&o->editor, buf_bytes(&text)));
	buf_release(&text);
	write_elsewhere(o->w);
	editor_type(&o->editor, 2, 0, "é");
	editor_type(&o->editor, 0, o->editor.count > ROOM ? ROOM / 2 : 1, "");
}

static void an_open_text_is_whole(void **state)
{
	struct open_text o = { .w = *state };
	const struct shortage_trial trial = { edit_open_text, check_open_text, &o, 0 };

	OFFICE_MUST(
		text_doc_open(&o.doc, o.w->a.replica, KIND_BLOCK, &o.w->block, BLOCK_TEXT, &msg));
	editor_open(&o.editor, o.doc, ROPE_UTF16);
	check_open_text(&o, OK);
	assert_true(shortage_try(&trial) > 50);
	editor_close(&o.editor);
	text_doc_close(o.doc);
	expect_agreement(o.w);
}

/* ---- A sentence into which two have written ---------------------------------------- */

static bool count_note(void *ctx, const struct reread_note *note)
{
	unsigned *count = ctx;

	*count += note->touch_count == 2;
	return true;
}

static enum err find_notes(void *ctx)
{
	struct world *w = ctx;
	unsigned count = 0;
	struct text t;
	enum err rc = replica_text_tail(w->a.replica, KIND_BLOCK, &w->block, BLOCK_TEXT, &t, NULL);

	if (rc != OK)
		return rc;
	rc = text_reread(&t, count_note, &count);
	text_release(&t);
	assert_true(rc != OK || count == 1);
	return rc;
}

static void sentences_to_reread_are_all_found_or_none(void **state)
{
	struct world *w = *state;
	struct value left = long_text(), right = long_text();

	left.bytes.size--;
	right.bytes.data++;
	right.bytes.size--;
	office_set(&w->a, &w->space, KIND_BLOCK, &w->block, BLOCK_TEXT, &left);
	office_set(&w->b, &w->space, KIND_BLOCK, &w->block, BLOCK_TEXT, &right);
	office_sync(&w->a, &w->b);
	assert_true(try_reading(w, find_notes) > 20);
}

static enum err put_setting(void *ctx)
{
	struct world *w = ctx;
	struct buf value = BUF_EMPTY;
	enum err rc = replica_setting_put(w->a.replica, "key", "value", NULL);

	if (rc == OK)
		rc = replica_setting(w->a.replica, "key", &value, NULL);
	if (rc == OK)
		assert_int_equal(value.size, 5);
	buf_release(&value);
	return rc == OK ? replica_setting_put(w->a.replica, "key", NULL, NULL) : rc;
}

static void settings_fail_whole(void **state)
{
	assert_true(try_reading(*state, put_setting) > 0);
}

/* ---- Receiving ------------------------------------------------------------------ */

/* A replica of its own each time, so that it is always the same work. */
static void renew_b(struct world *w)
{
	office_close(&w->b);
	office_open(&w->b, NULL, 20); /* not the one that wrote: that would need a new epoch */
	OFFICE_MUST(replica_join(w->b.replica, replica_org(w->a.replica), &msg));
	if (!w->has_no_statements)
		office_pull_statements(&w->b, &w->a);
}

/* ---- Statements ------------------------------------------------------------------- */

static enum err take_statements(void *ctx)
{
	struct world *w = ctx;
	struct statements_receipt receipt;

	return replica_take_statements(w->b.replica, w->statements.list, w->statements.count,
				       w->b.now_ms, &receipt, NULL);
}

static void check_statements(void *ctx, enum err rc)
{
	struct world *w = ctx;
	bool changed;

	OFFICE_MUST(replica_refresh(w->b.replica, &changed, &msg));
	assert_int_equal(replica_trust(w->b.replica) != NULL, rc == OK);
	if (rc != OK)
		OFFICE_MUST(take_statements(w));
	assert_memory_equal(replica_trust(w->b.replica)->digest,
			    replica_trust(w->a.replica)->digest, STATEMENT_ID_BYTES);
	renew_b(w);
}

static void taking_statements_fails_whole(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { take_statements, check_statements, w };

	w->statements = office_statements(&w->a);
	w->has_no_statements = true;
	renew_b(w);
	assert_true(shortage_try(&trial) > 30);
}

static enum err receive_space(struct world *w, const struct space_id *space)
{
	struct arena arena = ARENA_EMPTY;
	struct receipt receipt;
	struct sealed *list;
	size_t count;
	bool more;
	enum err rc = replica_missing(w->a.replica, space, replica_vv(w->b.replica, space),
				      SIZE_MAX, 1000, &arena, &list, &count, &more, NULL);

	if (rc == OK && count)
		rc = replica_receive(w->b.replica, space, list, count, w->b.now_ms, &receipt, NULL);
	arena_release(&arena);
	return rc;
}

static enum err receive_all(void *ctx)
{
	struct world *w = ctx;
	struct space_id directory = replica_directory(w->a.replica);
	enum err rc = receive_space(w, &directory);

	return rc == OK ? receive_space(w, &w->space) : rc;
}

/* It is whole as it stands, and takes the rest. */
static void check_received(void *ctx, enum err rc)
{
	struct world *w = ctx;
	struct verify_report report;
	struct snapshot after;

	OFFICE_MUST(replica_verify(w->b.replica, &report, NULL, NULL, &msg));
	OFFICE_MUST(receive_all(w));
	after = snapshot_of(w, &w->b);
	assert_memory_equal(&after, &w->before, sizeof(after));
	renew_b(w);
}

static void receiving_fails_whole(void **state)
{
	struct world *w = *state;
	struct value value = value_str("concurrent");
	const struct shortage_trial trial = { receive_all, check_received, w, 100 };

	office_set(&w->b, &w->space, KIND_ACTION, &w->action, ACTION_TITLE, &value);
	office_set(&w->a, &w->space, KIND_ACTION, &w->action, ACTION_TITLE, &value);
	office_set(&w->b, &w->space, KIND_BLOCK, &w->block, BLOCK_TEXT, &value);
	office_void(&w->a, &w->space, KIND_ACTION, &w->action);
	OFFICE_MUST(edit_once(w));
	office_sync(&w->a, &w->b);
	w->before = snapshot_of(w, &w->a);
	renew_b(w);
	assert_true(shortage_try(&trial) > 100);
}

static enum err receive_the_future(void *ctx)
{
	struct world *w = ctx;
	struct receipt receipt;

	return replica_receive(w->b.replica, &w->space, w->log, w->log_count,
			       w->a.now_ms - 2 * HLC_AHEAD_MS_MAX, &receipt, NULL);
}

static void check_held_back(void *ctx, enum err rc)
{
	struct world *w = ctx;

	expect_same(w, &w->b);
}

static void holding_back_fails_whole(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { receive_the_future, check_held_back, w };

	w->a.now_ms += 2 * HLC_AHEAD_MS_MAX;
	OFFICE_MUST(edit_once(w));
	w->log = office_log(&w->a, &w->space, &w->arena, &w->log_count);
	w->before = snapshot_of(w, &w->b);
	assert_true(shortage_try(&trial) > 5);
	w->b.now_ms = w->a.now_ms;
	expect_agreement(w);
}

/* ---- Reading --------------------------------------------------------------------- */

static bool count_item(void *ctx, const struct space_id *space, const struct history_item *item)
{
	++*(size_t *)ctx;
	return true;
}

static enum err read_records(struct world *w, struct arena *arena)
{
	struct replica *r = w->a.replica;
	struct space_id space;
	struct element *elements;
	struct sealed *list;
	struct record rec;
	size_t count, seen = 0;
	bool more;
	enum err rc = replica_missing(r, &w->space, &VV_EMPTY, SIZE_MAX, 100, arena, &list, &count,
				      &more, NULL);

	if (rc == OK)
		rc = replica_record(r, KIND_BLOCK, &w->block, arena, &rec, &space, NULL);
	if (rc == OK)
		rc = replica_elements(r, KIND_ACTION, &w->action, ACTION_HELPERS, arena, &elements,
				      &count, NULL);
	if (rc == OK)
		rc = replica_history(r, &w->action, 100, count_item, &seen, NULL);
	if (rc == OK)
		assert_true(seen > 0);
	return rc;
}

static enum err read_rows(struct world *w)
{
	struct rows *rows;
	size_t size = 0;
	enum err rc = rows_open(&rows, w->a.replica, "SELECT text, kind FROM block", NULL, 0, NULL);

	if (rc != OK)
		return rc;
	while (rows_next(rows))
		size += strlen(rows_text(rows, 0)) + strlen(rows_text(rows, 1));
	rc = rows_close(rows, NULL);
	if (rc == OK)
		assert_true(size >= 4000);
	return rc;
}

static enum err read_all(void *ctx)
{
	struct world *w = ctx;
	struct arena arena = ARENA_EMPTY;
	enum err rc = read_records(w, &arena);

	if (rc == OK)
		rc = read_rows(w);
	arena_release(&arena);
	return rc;
}

static void reading_says_so(void **state)
{
	struct world *w = *state;

	OFFICE_MUST(edit_once(w));
	assert_true(try_reading(w, read_all) > 20);
}

static enum err check_all(void *ctx)
{
	struct world *w = ctx;
	struct replica *r = w->a.replica;
	uint8_t hash[STATE_HASH_BYTES];
	struct replica_stats stats;
	enum err rc = replica_state_hash(r, hash, NULL);

	if (rc == OK)
		assert_memory_equal(hash, w->before.state, sizeof(hash));
	if (rc == OK)
		rc = replica_stats(r, &stats, NULL);
	return rc == OK ? replica_quick_check(r, NULL) : rc;
}

static void checks_and_figures_say_so(void **state)
{
	struct world *w = *state;

	OFFICE_MUST(edit_once(w));
	assert_true(try_reading(w, check_all) > 20);
}

static enum err verify_once(void *ctx)
{
	struct world *w = ctx;
	struct verify_report report;

	return replica_verify(w->a.replica, &report, NULL, NULL, NULL);
}

/* A round of the scrub, from its beginning or from where it was left. */
static enum err scrub_once(void *ctx)
{
	struct world *w = ctx;
	struct scrub *s;
	enum err rc = scrub_new(&s, w->a.replica, NULL);

	if (rc != OK)
		return rc;
	do
		rc = scrub_slice(s, w->a.now_ms, 64, NULL);
	while (rc == OK && scrub_is_due(s, w->a.now_ms, UINT64_MAX));
	scrub_free(s);
	return rc;
}

static void check_no_damage(void *ctx, enum err rc)
{
	struct world *w = ctx;

	assert_int_equal(replica_damage(w->a.replica)->serial, 0);
	check_unchanged(ctx, rc);
}

static void scrubbing_takes_no_shortage_for_damage(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { scrub_once, check_no_damage, w, 100 };

	OFFICE_MUST(edit_once(w));
	w->before = snapshot_of(w, &w->a);
	assert_true(shortage_try(&trial) > 100);
}

static void verifying_says_so(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { verify_once, check_unchanged, w, 100 };

	OFFICE_MUST(edit_once(w));
	w->before = snapshot_of(w, &w->a);
	assert_true(shortage_try(&trial) > 100);
}

/* A backup is whole or is not there. */
static enum err back_up(void *ctx)
{
	struct world *w = ctx;

	return replica_backup(w->a.replica, world_path(w, "backup.db"), NULL, NULL, NULL);
}

static void check_backup(void *ctx, enum err rc)
{
	struct world *w = ctx;
	struct office copy = w->a;

	assert_int_equal(access(world_path(w, "backup.db"), F_OK) == 0, rc == OK);
	if (rc != OK)
		return;
	copy.replica = NULL;
	snprintf(copy.path, sizeof(copy.path), "%s", world_path(w, "backup.db"));
	office_reopen(&copy);
	expect_same(w, &copy);
	office_close(&copy);
	unlink(world_path(w, "backup.db"));
}

static void a_backup_is_whole_or_absent(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { back_up, check_backup, w, 100 };

	w->before = snapshot_of(w, &w->a);
	assert_true(shortage_try(&trial) > 20);
}

/* ---- Opening --------------------------------------------------------------------- */

static enum err open_and_close(const char *path, struct office *o)
{
	struct replica_config config = { .path = path,
					 .create = true,
					 .sign_secret = o->sign_secret,
					 .dice = prng_dice(&o->prng),
					 .now_ms = o->now_ms };
	struct replica *r = NULL;
	enum err rc = replica_open(&r, &config, NULL);

	replica_close(r);
	return rc;
}

static enum err create_once(void *ctx)
{
	struct world *w = ctx;

	return open_and_close(":memory:", &w->b);
}

static void check_blocks(void *ctx, enum err rc)
{
	struct world *w = ctx;
	static long before;

	if (w->number++ > 0)
		assert_int_equal(shortage_blocks(), before);
	before = shortage_blocks();
}

static void creating_leaves_nothing(void **state)
{
	const struct shortage_trial trial = { create_once, check_blocks, *state, 500 };

	assert_true(shortage_try(&trial) > 100);
}

static enum err open_once(void *ctx)
{
	struct world *w = ctx;

	return open_and_close(w->a.path, &w->a);
}

static void opening_leaves_nothing(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { open_once, check_blocks, w, 500 };

	w->before = snapshot_of(w, &w->a);
	office_close(&w->a); /* two handles on a file share blocks */
	assert_true(shortage_try(&trial) > 50);
	office_reopen(&w->a);
	expect_same(w, &w->a);
}

/* Another process writes, and this one looks. */
static enum err look_again(void *ctx)
{
	struct world *w = ctx;
	bool changed;

	return replica_refresh(w->a.replica, &changed, NULL);
}

static void check_look(void *ctx, enum err rc)
{
	struct world *w = ctx;
	struct value title = value_str("written beside it");
	struct office beside;

	OFFICE_MUST(look_again(w));
	office_open_again(&beside, &w->a);
	w->before = snapshot_of(w, &beside);
	expect_same(w, &w->a);
	office_set(&beside, &w->space, KIND_ACTION, &w->action, ACTION_TITLE, &title);
	w->a.now_ms = beside.now_ms;
	office_close(&beside);
}

static void looking_again_finds_all(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { look_again, check_look, w };

	check_look(w, OK);
	assert_true(shortage_try(&trial) > 10);
}

/* ---- Packs of a text's history ------------------------------------------------ */

static enum err pack_once(void *ctx)
{
	struct text_run run = { 0, 1000, TEXT_INSERT };
	uint8_t text[1000];
	struct text_event e = { .dot = { .seq = 1 },
				.edit = { 0, &run, 1, bytes_of(text, sizeof(text)) } };
	const struct text_event *back;
	struct arena arena = ARENA_EMPTY;
	struct buf packed = BUF_EMPTY;
	size_t count;
	enum err rc;

	(void)ctx;
	memset(text, 'x', sizeof(text));
	rc = text_pack_encode(&packed, 0, &e, 1);
	if (rc)
		assert_int_equal(packed.size, 0);
	if (rc == OK)
		rc = text_pack_decode(buf_bytes(&packed), 0, &arena, &back, &count, NULL);
	if (rc == OK)
		assert_true(count == 1 && bytes_equal(back->edit.text, e.edit.text));
	buf_release(&packed);
	arena_release(&arena);
	return rc;
}

static void packing_leaves_nothing(void **state)
{
	const struct shortage_trial trial = { pack_once, check_blocks, *state, 500 };

	assert_true(shortage_try(&trial) > 10);
}

/* ---- Founding and joining --------------------------------------------------------- */

static enum err found_once(void *ctx)
{
	struct world *w = ctx;
	struct founding founding = { .org_name = "Acme",
				     .office_code = "SHA",
				     .office_name = "Shanghai",
				     .zone = "Asia/Shanghai",
				     .person_name = "李雷",
				     .address = "sha.example:7411",
				     .roots = { 1, &w->b.root.key, 1 },
				     .node = w->b.identity };

	return replica_found(w->b.replica, &founding, w->b.now_ms++, NULL);
}

static void check_founded(void *ctx, enum err rc)
{
	struct world *w = ctx;
	struct office *o = &w->b;
	bool changed;

	OFFICE_MUST(replica_refresh(o->replica, &changed, &msg));
	assert_int_equal(replica_has_org(o->replica), rc == OK);
	if (rc != OK)
		OFFICE_MUST(found_once(w));
	assert_true(replica_self(o->replica) != NULL);
	office_close(o);
	office_open(o, NULL, 2);
}

static void a_founding_is_whole_or_has_not_happened(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { found_once, check_founded, w, 300 };

	office_close(&w->b);
	office_open(&w->b, NULL, 2);
	assert_true(shortage_try(&trial) > 100);
}

static void keep_a(struct world *w)
{
	OFFICE_MUST(replica_backup(w->a.replica, world_path(w, "kept.db"), NULL, NULL, &msg));
}

/* As it was kept, so that it is always the same work. */
static void put_back_a(struct world *w)
{
	struct office kept = w->a;

	snprintf(kept.path, sizeof(kept.path), "%s", world_path(w, "kept.db"));
	office_close(&w->a);
	unlink(world_path(w, "a.db-wal"));
	unlink(world_path(w, "a.db-shm"));
	unlink(world_path(w, "a.db"));
	kept.replica = NULL;
	office_reopen(&kept);
	OFFICE_MUST(replica_backup(kept.replica, world_path(w, "a.db"), NULL, NULL, &msg));
	office_close(&kept);
	office_reopen(&w->a);
}

/* The third office. */
static enum err admit_once(void *ctx)
{
	struct world *w = ctx;
	struct admission admission = { .office_code = "NBO",
				       .office_name = "Nairobi",
				       .zone = "Africa/Nairobi",
				       .person_name = "Wanjiku",
				       .address = "nbo.example:7411",
				       .node = w->b.identity };

	admission.node.sign_key[2] ^= 0x5a;
	admission.node.noise_key[2] ^= 0x5a;
	admission.node.replica = epoch_replica(admission.node.sign_key, admission.node.nonce);
	return replica_admit(w->a.replica, &admission, w->a.now_ms++, NULL);
}

static void check_admitted(void *ctx, enum err rc)
{
	struct world *w = ctx;

	check_edit(w, rc);
	if (rc != OK)
		return;
	put_back_a(w);
	w->before = snapshot_of(w, &w->a);
}

static void an_admission_is_whole_or_has_not_happened(void **state)
{
	struct world *w = *state;
	const struct shortage_trial trial = { admit_once, check_admitted, w, 100 };

	keep_a(w);
	put_back_a(w);
	w->before = snapshot_of(w, &w->a);
	assert_true(shortage_try(&trial) > 50);
	OFFICE_MUST(admit_once(w));
	expect_agreement(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
		TEST(edits_fail_whole),
		TEST(an_open_text_is_whole),
		TEST(sentences_to_reread_are_all_found_or_none),
		TEST(settings_fail_whole),
		TEST(taking_statements_fails_whole),
		TEST(receiving_fails_whole),
		TEST(holding_back_fails_whole),
		TEST(reading_says_so),
		TEST(checks_and_figures_say_so),
		TEST(verifying_says_so),
		TEST(scrubbing_takes_no_shortage_for_damage),
		TEST(a_backup_is_whole_or_absent),
		TEST(creating_leaves_nothing),
		TEST(opening_leaves_nothing),
		TEST(packing_leaves_nothing),
		TEST(looking_again_finds_all),
		TEST(a_founding_is_whole_or_has_not_happened),
		TEST(an_admission_is_whole_or_has_not_happened),
	};

	shortage_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
