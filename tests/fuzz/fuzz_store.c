/* A database of which cells are damaged, as by a disk or by somebody with a SQLite client: it is
 * refused in words, or serves as far as it is whole, but never takes the program with it.
 *
 *   byte 0   what is done with it: it is read and written to, verified, scrubbed, saved, or a
 *            backup takes its place
 * then damages (tests/support/spoil.h)
 *
 * ctest: timeout=600 */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/pack.h"
#include "core/scrub.h"
#include "core/store_impl.h"
#include "core/text_doc.h"
#include "core/text_reread.h"
#include "sync/ticket.h"
#include "tests/fuzz/target.h"
#include "tests/support/office.h"
#include "tests/support/spoil.h"
#include "tests/support/tempdir.h"

enum { SLICES_MAX = 1000, SLICE_ROWS = 50, PATH_BYTES = TEMPDIR_BYTES_MAX + 16 };
enum { ITEMS = 2, LONG_TEXT_BYTES = 9000 };

static const struct spoil_column columns[] = {
	{ "setting", "value", "key" },      { "setting", "key", "key" },
	{ "counter", "next", "name" },      { "space_index", "idx", "idx" },
	{ "space_index", "id", "idx" },     { "replica_index", "idx", "idx" },
	{ "replica_index", "id", "idx" },   { "feed", "space", "idx" },
	{ "feed", "replica", "idx" },       { "feed", "dep_seq", "idx" },
	{ "feed", "named_seq", "idx" },     { "changeset", "key", "key" },
	{ "changeset", "body", "key" },     { "changeset", "signature", "key" },
	{ "changeset", "link", "key" },     { "branch", "feed", "link" },
	{ "branch", "seq", "link" },        { "branch", "link", "link" },
	{ "branch", "body", "link" },       { "branch", "signature", "link" },
	{ "statement", "id", "idx" },       { "statement", "bytes", "idx" },
	{ "statement", "verdict", "idx" },  { "r_action_item", "id", "id" },
	{ "r_action_item", "space", "id" }, { "r_action_item", "life", "id" },
	{ "r_action_item", "title", "id" }, { "r_action_item", "state", "id" },
	{ "r_action_item", "meta", "id" },  { "r_node", "meta", "id" },
	{ "r_node", "office", "id" },       { "element", "record", "seq" },
	{ "element", "replica", "seq" },    { "element", "seq", "seq" },
	{ "element", "author", "seq" },     { "element", "value", "seq" },
	{ "conflict", "record", "record" }, { "conflict", "kind", "record" },
	{ "conflict", "field", "record" },  { "r_action_item", "deliverable", "id" },
	{ "text_edit", "record", "seq" },   { "text_edit", "at", "seq" },
	{ "text_edit", "replica", "seq" },  { "text_edit", "seq", "seq" },
	{ "text_edit", "flags", "seq" },    { "text_edit", "reach", "seq" },
	{ "text_edit", "before", "seq" },   { "text_edit", "after", "seq" },
	{ "text_edit", "parents", "seq" },  { "text_edit", "edit", "seq" },
	{ "text_edit", "text", "seq" },     { "text_piece", "key", "key" },
	{ "text_piece", "points", "key" },  { "text_piece", "text", "key" },
	{ "text_pack", "record", "last" },  { "text_pack", "last", "last" },
	{ "text_pack", "first", "last" },   { "text_pack", "hash", "last" },
	{ "text_pack", "pack", "last" },
};

static struct {
	char dir[TEMPDIR_BYTES_MAX];
	char damaged[PATH_BYTES], saved[PATH_BYTES];
	struct buf sound_file;
	struct office a; /* whose it is */
	struct space_id space;
	struct record_id
		items[ITEMS]; /* their texts: edited beside each other, in pieces, in packs */
	struct sealed *late;  /* by the other office, beside what is there */
	size_t late_count;
	struct arena arena;
} world;

/* ---- A sound one ----------------------------------------------------------------- */

static void write_text(struct office *o, size_t item, const char *text)
{
	struct value value = value_str(text);

	office_set(o, &world.space, KIND_ACTION, &world.items[item], ACTION_DELIVERABLE, &value);
}

static void write_long_text(struct office *o, const char *end)
{
	char text[LONG_TEXT_BYTES + 64];

	for (size_t i = 0; i < LONG_TEXT_BYTES; i++)
		text[i] = "a word. "[i % 8];
	snprintf(text + LONG_TEXT_BYTES, sizeof(text) - LONG_TEXT_BYTES, "%s", end);
	write_text(o, 1, text);
}

/* Both offices write in both, more than once before they hear of each other. */
static void write_texts(struct office *a, struct office *b)
{
	write_text(a, 0, "One sentence. Another one.");
	write_long_text(a, "");
	office_sync(a, b);
	write_text(a, 0, "One long sentence. Another one.");
	write_long_text(a, "of a");
	write_text(b, 0, "One good sentence. Another one, 也 。");
	write_long_text(b, "of b");
	write_text(b, 0, "One good sentence.");
	office_sync(a, b);
	write_text(a, 0, "Two sentences.");
	write_long_text(a, "of both");
}

/* A round of the scrub that is not over, and an id that was written under before. */
static void leave_settings(struct office *a)
{
	struct scrub *s;

	OFFICE_MUST(scrub_new(&s, a->replica, &msg));
	for (uint64_t i = 1; i <= 3; i++)
		OFFICE_MUST(scrub_slice(s, a->now_ms + i * 3600000, 1, &msg));
	scrub_free(s);
	OFFICE_MUST(replica_new_epoch(a->replica, EPOCH_MOVED, NULL, NULL, a->now_ms, &msg));
}

static void write_history(struct office *a, struct office *b)
{
	struct space_id space = UNITE(a, b);
	struct value value;
	struct ticket_stub stub = { .office_code = "NYC", .zone = "America/New_York" };
	struct record_id id, other;

	id = office_item(a, &space, "Review the contract");
	other = office_item(a, &space, "another one");
	office_sync(a, b);
	value = value_str("title of b");
	office_set(b, &space, KIND_ACTION, &id, ACTION_TITLE, &value);
	value = value_str("title of a");
	office_set(a, &space, KIND_ACTION, &id, ACTION_TITLE, &value);
	value = value_ref(&other);
	office_add(a, &space, KIND_ACTION, &id, ACTION_CC, &value);
	value = value_str("half done");
	office_add(b, &space, KIND_ACTION, &id, ACTION_PROGRESS, &value);
	office_void(a, &space, KIND_ACTION, &other);
	office_sync(a, b);
	world.space = space;
	world.items[0] = id;
	world.items[1] = office_item(a, &space, "with a long text");
	write_texts(a, b);
	OFFICE_MUST(ticket_stub_store(a->replica, &stub, &msg));
	leave_settings(a);
}

/* Beside what the first office has written last. */
static void write_late(struct office *b)
{
	const struct vv *held = replica_vv(world.a.replica, &world.space);
	bool more;

	write_text(b, 0, "One late sentence.");
	write_long_text(b, "late");
	OFFICE_MUST(replica_missing(b->replica, &world.space, held, SIZE_MAX, 1000, &world.arena,
				    &world.late, &world.late_count, &more, &msg));
	require(world.late_count == 2);
}

static void read_file(struct buf *out, const char *path)
{
	FILE *file = fopen(path, "rb");
	long size;

	require(file && fseek(file, 0, SEEK_END) == 0);
	size = ftell(file);
	rewind(file);
	require(buf_grow(out, (size_t)size) && fread(out->data, (size_t)size, 1, file) == 1);
	out->size = (size_t)size;
	fclose(file);
}

static void write_file(const char *path, struct bytes content)
{
	FILE *file = fopen(path, "wb");

	require(file && fwrite(content.data, content.size, 1, file) == 1);
	require(fclose(file) == 0);
}

static void remove_database(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char name[PATH_BYTES + 16];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
}

/* SQL function first_link(space, replica, body): of the body as the first of its feed. */
static void first_link(sqlite3_context *ctx, int count, sqlite3_value **values)
{
	struct feed_head nothing = { 0 };
	struct space_id space;
	struct replica_id replica;
	uint8_t link[LINK_BYTES];
	const void *data = sqlite3_value_blob(values[2]);
	struct bytes body = bytes_of(data, (size_t)sqlite3_value_bytes(values[2]));

	if (pack_is_frame(body))
		return;
	memcpy(space.bytes, sqlite3_value_blob(values[0]), ID_BYTES);
	memcpy(replica.bytes, sqlite3_value_blob(values[1]), ID_BYTES);
	changeset_link(link, &space, &replica, &nothing, body);
	sqlite3_result_blob(ctx, link, sizeof(link), SQLITE_TRANSIENT);
}

/* Each feed has another first changeset beside the log. */
static void add_branches(void)
{
	static const char sql[] =
		"INSERT INTO branch SELECT f.idx, 1, first_link(p.id, r.id, c.body), c.body, "
		"c.signature, 0 FROM changeset c JOIN feed f ON f.idx = c.key >> 40 JOIN "
		"space_index p ON p.idx = f.space JOIN replica_index r ON r.idx = f.replica "
		"WHERE c.key & 0xffffffffff = 2 AND first_link(p.id, r.id, c.body) IS NOT NULL";
	sqlite3 *db;

	require(sqlite3_open(world.damaged, &db) == SQLITE_OK);
	require(sqlite3_create_function(db, "first_link", 3, SQLITE_UTF8, NULL, first_link, NULL,
					NULL) == SQLITE_OK);
	require(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
	require(sqlite3_changes(db) > 0);
	require(sqlite3_close(db) == SQLITE_OK);
}

static void remove_world(void)
{
	tempdir_remove(world.dir);
}

static void make_world(void)
{
	struct office b;

	/* Nothing here is worth waiting for a disk. */
	if (access("/dev/shm", W_OK) == 0)
		setenv("TMPDIR", "/dev/shm", 0);
	tempdir_new(world.dir, sizeof(world.dir));
	atexit(remove_world);
	tempdir_path(world.damaged, PATH_BYTES, world.dir, "damaged.db");
	tempdir_path(world.saved, PATH_BYTES, world.dir, "saved.db");
	office_open(&world.a, NULL, 1);
	office_open(&b, NULL, 2);
	write_history(&world.a, &b);
	OFFICE_MUST(replica_backup(world.a.replica, world.damaged, NULL, NULL, &msg));
	add_branches();
	read_file(&world.sound_file, world.damaged);
	write_late(&b);
	office_close(&world.a);
	office_close(&b);
}

/* ---- Damage ---------------------------------------------------------------------- */

static const char mending_sql[] =
	"SELECT 'UPDATE ' || t.name || ' SET sum = row_sum(' || group_concat('\"' || c.name || "
	"'\"') || ')' FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table' AND "
	"c.name <> 'sum' AND EXISTS (SELECT 1 FROM pragma_table_info(t.name) WHERE name = 'sum') "
	"GROUP BY t.name";

static int run_line(void *db, int count, char **values, char **names)
{
	sqlite3_exec(db, values[0], NULL, NULL, NULL);
	return 0;
}

/* By somebody who knows of them: or else they are all that is ever looked at. */
static void mend_sums(sqlite3 *db)
{
	struct store s = { .db = db, .path = world.damaged };

	require(store_know_sums(&s, NULL) == OK);
	require(sqlite3_exec(db, mending_sql, run_line, db, NULL) == SQLITE_OK);
}

static void damage(struct bytes input)
{
	sqlite3 *db;

	write_file(world.damaged, buf_bytes(&world.sound_file));
	require(sqlite3_open(world.damaged, &db) == SQLITE_OK);
	require(sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL) == SQLITE_OK);
	spoil_cells(db, columns, sizeof(columns) / sizeof(columns[0]), input);
	mend_sums(db);
	require(sqlite3_close(db) == SQLITE_OK);
}

/* ---- Whatever a program does with it --------------------------------------------- */

static bool note_statement(void *ctx, const struct statement *s, struct bytes encoded,
			   enum verdict verdict)
{
	require(s->type < STATEMENT_TYPE_COUNT && encoded.size > 0 && verdict < VERDICT_COUNT);
	return true;
}

static bool note_ticket(void *ctx, const struct ticket_stub *stub)
{
	require(ticket_stub_state(stub, world.a.now_ms) <= TICKET_BURNED);
	return true;
}

static bool note_quarantined(void *ctx, const struct quarantined *q)
{
	require(q->first <= q->last);
	return true;
}

static void tell_all(struct replica *r, const struct space_id *space)
{
	struct arena arena = ARENA_EMPTY;
	struct vv nothing = { 0 };
	struct sealed *list;
	struct tip *tips;
	size_t count;
	bool more;
	enum err rc;

	rc = replica_missing(r, space, &nothing, SIZE_MAX, 1000, &arena, &list, &count, &more,
			     NULL);
	if (rc == OK)
		rc = replica_tips(r, space, &arena, &tips, &count);
	arena_release(&arena);
	(void)rc;
}

/* Refused, or sealed. */
static void try_edit(struct replica *r, const struct space_id *space)
{
	struct value title = value_str("a title");
	struct errmsg msg = { .text = "" };
	struct record_id id;
	struct edit *e;
	enum err rc = replica_begin(r, &msg);

	if (rc != OK)
		return;
	rc = edit_open(&e, r, space, NULL, world.a.now_ms, &msg);
	if (rc == OK) {
		id = edit_create(e);
		rc = edit_set(e, KIND_ACTION, &id, ACTION_TITLE, &title, &msg);
		if (rc == OK)
			rc = edit_seal(e, &msg);
		else
			edit_drop(e);
	}
	if (rc == OK)
		rc = replica_commit(r, &msg);
	replica_rollback(r);
	require(rc == OK || rc == ERR_NOMEM || msg.text[0]);
}

static bool note_sentence(void *ctx, const struct reread_note *note)
{
	require(note->from < note->to && note->text.size > 0);
	return true;
}

static bool note_stretch(void *ctx, uint32_t count, uint32_t edit)
{
	uint64_t *points = ctx;

	*points += count;
	return true;
}

static enum err note_inserted(void *ctx, uint32_t pos, struct bytes text, uint32_t count)
{
	require(text.size >= count);
	return OK;
}

static enum err note_removed(void *ctx, uint32_t pos, uint32_t count)
{
	return OK;
}

/* All that is told of a text whose edits were read. */
static void tell_text(struct text_doc *d)
{
	struct text_sink sink = { note_inserted, note_removed, NULL };
	struct text_splice change = { 0, 0, bytes_of_str("x") };
	struct errmsg msg = { .text = "" };
	struct buf version = BUF_EMPTY, text = BUF_EMPTY;
	struct text *t;
	uint64_t points = 0;
	enum err rc = text_doc_version(d, &version, &msg);

	if (rc == OK)
		rc = text_doc_text(d, &t, &msg);
	if (rc == OK)
		rc = text_reread(t, note_sentence, NULL);
	for (uint32_t i = 0; rc == OK && i < t->history.count; i++)
		rc = text_at(t, &i, 1, &text);
	if (rc == OK)
		rc = text_blame(t, note_stretch, &points);
	if (rc == OK)
		rc = text_doc_since(d, bytes_of(NULL, 0), ROPE_UTF16, &sink, &msg);
	if (rc == OK)
		rc = text_doc_splice(d, buf_bytes(&version), ROPE_POINTS, &change, 1, NULL,
				     world.a.now_ms, &version, &msg);
	buf_release(&version);
	buf_release(&text);
}

static void use_texts(struct replica *r)
{
	struct errmsg msg = { .text = "" };
	struct receipt receipt;
	enum err rc = replica_receive(r, &world.space, world.late, world.late_count,
				      world.a.now_ms + 60000, &receipt, &msg);

	require(rc == OK || rc == ERR_NOMEM || msg.text[0]);
	for (size_t i = 0; i < ITEMS; i++) {
		struct text_doc *d;

		msg.text[0] = 0;
		rc = text_doc_open(&d, r, KIND_ACTION, &world.items[i], ACTION_DELIVERABLE, &msg);
		require(rc == OK || rc == ERR_NOMEM || msg.text[0]);
		if (rc == OK) {
			tell_text(d);
			text_doc_close(d);
		}
	}
}

static void read_all(struct replica *r)
{
	struct replica_stats stats;
	struct errmsg msg = { .text = "" };
	size_t count, written;
	const struct space_id *spaces = replica_spaces(r, &count);
	struct space_id space = count ? spaces[count - 1] : replica_directory(r);
	enum err rc;

	rc = replica_each_statement(r, note_statement, NULL, &msg);
	rc = ticket_stub_each(r, note_ticket, NULL, &msg);
	rc = replica_each_quarantined(r, note_quarantined, NULL, &msg);
	rc = replica_reauthor(r, world.a.now_ms, &written, &msg);
	rc = replica_stats(r, &stats, &msg);
	tell_all(r, &space);
	use_texts(r);
	try_edit(r, &space);
	tell_all(r, &space);
	(void)rc;
}

static void require_verified(struct replica *r)
{
	struct verify_report report;

	OFFICE_MUST(replica_verify(r, &report, NULL, NULL, &msg));
}

static void verify(struct replica *r)
{
	struct verify_report report;
	struct errmsg msg = { .text = "" };
	enum err rc = replica_verify(r, &report, NULL, NULL, &msg);

	require(rc == OK || msg.text[0]);
}

/* One round. What it has not found or has put back, verifying does not find. */
static void scrub(struct replica *r)
{
	struct scrub_state state = { 0 };
	struct errmsg msg = { .text = "" };
	uint64_t now_ms = world.a.now_ms;
	struct scrub *s;
	enum err rc = scrub_new(&s, r, &msg);

	require(rc == OK || msg.text[0]);
	if (rc != OK)
		return;
	for (int i = 0; rc == OK && scrub_is_due(s, now_ms, UINT64_MAX); i++) {
		require(i < SLICES_MAX);
		rc = scrub_slice(s, now_ms += 50, SLICE_ROWS, &msg);
	}
	if (rc == OK)
		rc = scrub_look(r, &state, &msg);
	scrub_free(s);
	if (rc == OK && state.damage.count == 0)
		require_verified(r);
}

static void open_and(void (*use)(struct replica *r), const struct replica_config *config)
{
	struct errmsg msg = { .text = "" };
	struct replica *r;

	if (replica_open(&r, config, &msg) == OK) {
		use(r);
		replica_close(r);
	} else {
		require(msg.text[0]);
	}
}

static void require_sound(struct replica_config config, const char *path)
{
	struct replica *r;

	config.path = path;
	OFFICE_MUST(replica_open(&r, &config, &msg));
	require_verified(r);
	replica_close(r);
}

static void save(const struct replica_config *config)
{
	struct errmsg msg = { .text = "" };
	struct salvage saved;
	enum err rc = replica_salvage(config, world.saved, &saved, NULL, NULL, &msg);

	require(rc == OK || msg.text[0]);
	if (rc == OK)
		require_sound(*config, world.saved);
}

/* A sound backup takes the place of the damaged one. */
static void restore(const struct replica_config *damaged)
{
	struct replica_config config = *damaged;
	struct takeover taken;
	struct replica *r;

	write_file(world.saved, buf_bytes(&world.sound_file));
	config.path = world.saved;
	OFFICE_MUST(replica_open(&r, &config, &msg));
	OFFICE_MUST(replica_restore(r, damaged->path, config.now_ms, &taken, &msg));
	require(!taken.is_unread || taken.why.text[0]);
	replica_close(r);
	require_sound(config, world.saved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct replica_config config;
	struct prng prng;

	if (size == 0)
		return 0;
	if (!world.dir[0])
		make_world();
	damage(bytes_of(data + 1, size - 1));
	prng = world.a.prng;
	config = (struct replica_config){ .path = world.damaged,
					  .sign_secret = world.a.sign_secret,
					  .dice = prng_dice(&prng),
					  .now_ms = world.a.now_ms };
	switch (data[0] % 5) {
	case 0: open_and(read_all, &config); break;
	case 1: open_and(verify, &config); break;
	case 2: open_and(scrub, &config); break;
	case 3: save(&config); break;
	case 4: restore(&config); break;
	}
	remove_database(world.damaged);
	remove_database(world.saved);
	return 0;
}
