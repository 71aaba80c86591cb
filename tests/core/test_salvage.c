/* core/verify, core/scrub, core/salvage: bit rot. A byte of a database is changed at random: it is
 * found, never spread, and healed from a peer, in place or in what was saved. HUITONG_ROT=1000 for
 * a thousand (docs/RELIABILITY.md). ctest: timeout=120 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/scrub.h"
#include "tests/support/office.h"
#include "tests/support/tempdir.h"

enum {
	ROT_COUNT = 60,
	EDITS = 240,
	SLICE_ROWS = 64,
	SLICES_MAX = 1000,
	SEEDS_OF_OFFICES = 100, /* they throw their own dice; the same would make the same ids */
};

/* SHA in memory; FRA in a file, of which damaged copies are made. */
struct world {
	struct office a, b, rotten, saved;
	struct space_id space;
	char dir[128], path[200], copy[200], fresh[200];
	uint8_t *image;
	size_t size;
	uint8_t before[STATE_HASH_BYTES];
	struct prng prng;
};

static void write_some(struct world *w, struct office *o, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char text[240];
		struct value value;

		snprintf(text, sizeof(text), "item %u %0*u", i, (int)prng_below(&w->prng, 150), i);
		value = value_str(text);
		office_create(o, &w->space, KIND_ACTION, i % 3 ? ACTION_DELIVERABLE : ACTION_TITLE,
			      &value);
	}
}

/* A text that has a history, side by side. */
static void write_on(struct world *w, struct office *o, const struct record_id *block)
{
	char text[240];
	struct value value;

	snprintf(text, sizeof(text), "written %0*u", (int)prng_below(&w->prng, 150), 1);
	value = value_str(text);
	office_set(o, &w->space, KIND_BLOCK, block, BLOCK_TEXT, &value);
}

static void read_image(struct world *w)
{
	FILE *file;
	long size;

	unlink(w->copy);
	OFFICE_MUST(replica_backup(w->b.replica, w->copy, NULL, NULL, &msg));
	file = fopen(w->copy, "rb");
	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	assert_true(size > 0);
	w->size = (size_t)size;
	w->image = malloc(w->size);
	assert_non_null(w->image);
	rewind(file);
	assert_int_equal(fread(w->image, 1, w->size, file), w->size);
	fclose(file);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct value begin = value_str("what we agreed on");
	struct record_id block;

	prng_init(&w->prng, prng_seed_from_environment() + SEEDS_OF_OFFICES);
	tempdir_new(w->dir, sizeof(w->dir));
	tempdir_path(w->path, sizeof(w->path), w->dir, "replica.db");
	tempdir_path(w->copy, sizeof(w->copy), w->dir, "rotten.db");
	tempdir_path(w->fresh, sizeof(w->fresh), w->dir, "saved.db");
	office_open(&w->a, NULL, 1);
	office_open(&w->b, w->path, 2);
	w->space = UNITE(&w->a, &w->b);
	block = office_create(&w->b, &w->space, KIND_BLOCK, BLOCK_TEXT, &begin);
	office_sync(&w->a, &w->b);
	for (unsigned i = 0; i < 4; i++) {
		struct value name = value_str("somebody");
		struct space_id directory = replica_directory(w->b.replica);

		write_some(w, i % 2 ? &w->a : &w->b, EDITS / 4);
		for (unsigned k = 0; k < 6; k++)
			write_on(w, k % 2 ? &w->a : &w->b, &block);
		office_create(&w->b, &directory, KIND_PERSON, PERSON_NAME, &name);
		office_sync(&w->a, &w->b);
	}
	OFFICE_MUST(replica_state_hash(w->a.replica, w->before, &msg));
	read_image(w);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	office_close(&w->a);
	office_close(&w->b);
	free(w->image);
	tempdir_remove(w->dir);
	free(w);
	return 0;
}

static void remove_database(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char name[210];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
}

static void write_copy(struct world *w, size_t at, uint8_t other)
{
	FILE *file;

	remove_database(w->copy);
	remove_database(w->fresh);
	file = fopen(w->copy, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(w->image, 1, w->size, file), w->size);
	fseek(file, (long)at, SEEK_SET);
	fputc(other, file);
	fclose(file);
}

static struct replica_config config_of(struct world *w, const char *path)
{
	return (struct replica_config){ .path = path,
					.sign_secret = w->b.sign_secret,
					.dice = prng_dice(&w->prng),
					.now_ms = w->b.now_ms };
}

/* What huitong verify says of the copy. */
static enum err verify(struct world *w, uint8_t hash[STATE_HASH_BYTES])
{
	struct replica_config config = config_of(w, w->copy);
	struct verify_report report;
	struct replica *r;
	struct errmsg why;
	enum err rc;

	config.read_only = true;
	rc = replica_open(&r, &config, &why);
	if (rc != OK)
		return rc;
	rc = replica_verify(r, &report, NULL, NULL, &why);
	memcpy(hash, report.stored_hash, STATE_HASH_BYTES);
	replica_close(r);
	return rc;
}

/* A peer asks the rotten copy for everything: it takes nothing that is not true. */
static void assert_not_spread(struct world *w)
{
	struct replica_config config = config_of(w, w->copy);
	uint8_t after[STATE_HASH_BYTES];
	struct arena arena = ARENA_EMPTY;
	struct office c;
	struct replica *r;
	struct receipt receipt;
	struct sealed *list;
	struct errmsg why;
	size_t count;
	bool more;

	config.read_only = true;
	if (replica_open(&r, &config, &why) != OK)
		return;
	office_open(&c, NULL, 9);
	OFFICE_MUST(replica_join(c.replica, replica_org(w->a.replica), &msg));
	office_pull_statements(&c, &w->a);
	for (int i = 0; i < 2; i++) {
		struct space_id space = i ? w->space : replica_directory(w->a.replica);

		if (replica_missing(r, &space, replica_vv(c.replica, &space), SIZE_MAX, 10000,
				    &arena, &list, &count, &more, &why) == OK &&
		    replica_receive(c.replica, &space, list, count, c.now_ms, &receipt, &why) != OK)
			break;
	}
	office_pull(&c, &w->a);
	OFFICE_MUST(replica_state_hash(c.replica, after, &msg));
	assert_memory_equal(after, w->before, sizeof(after));
	arena_release(&arena);
	office_close(&c);
	replica_close(r);
}

static void take_statements(struct world *w, struct replica *r)
{
	struct statements_receipt ignored;
	struct statement_list l;

	OFFICE_MUST(statement_list_read(&l, w->a.replica, &msg));
	if (replica_take_statements(r, l.list, l.count, w->b.now_ms, &ignored, NULL) != OK)
		assert_false(replica_lacks_statement(r)); /* beyond now */
	statement_list_release(&l);
}

/* As a session does with what the peer tells. */
static void mend_from_peer(struct world *w, struct replica *r)
{
	struct arena arena = ARENA_EMPTY;

	if (replica_lacks_statement(r))
		take_statements(w, r);
	for (size_t i = replica_damage(r)->count; i-- > 0;) {
		struct damage d = replica_damage(r)->list[i];
		struct told told;
		bool ignored;

		if (d.kind == DAMAGE_CHANGESET && !d.is_beyond &&
		    replica_tell(w->a.replica, &d.space, &d.dot, &arena, &told, NULL) == OK &&
		    replica_mend(r, &d.space, &d.dot, &told, &ignored, NULL) != OK)
			break; /* beyond now */
	}
	arena_release(&arena);
}

/* A round of the scrub, and another one if something was put back. False: it can't go on. */
static bool scrub_all(struct world *w, struct replica *r, struct scrub *s)
{
	uint64_t mended;
	bool can = true;

	do {
		unsigned slices = 0;

		mended = replica_damage(r)->mended;
		do
			can = scrub_slice(s, w->b.now_ms, SLICE_ROWS, NULL) == OK;
		while (can && scrub_is_due(s, w->b.now_ms, UINT64_MAX) && slices++ < SLICES_MAX);
		assert_true(slices < SLICES_MAX);
		mend_from_peer(w, r);
	} while (can &&
		 (replica_damage(r)->mended > mended || scrub_is_due(s, w->b.now_ms, UINT64_MAX)));
	return can;
}

/* By the daemon alone: its scrub finds the same as verify, and what it puts back is whole. */
static bool is_healed_in_place(struct world *w, bool is_damaged)
{
	struct replica_config config = config_of(w, w->copy);
	uint8_t hash[STATE_HASH_BYTES];
	struct replica *r;
	struct scrub *s;
	struct errmsg why;
	size_t left;
	bool can;

	if (replica_open(&r, &config, &why) != OK)
		return false;
	OFFICE_MUST(scrub_new(&s, r, &msg));
	can = scrub_all(w, r, s);
	left = replica_damage(r)->count;
	assert_true(is_damaged || (can && left + replica_damage(r)->mended == 0));
	scrub_free(s);
	replica_close(r);
	if (!can || left)
		return false;
	assert_int_equal(verify(w, hash), OK);
	assert_memory_equal(hash, w->before, sizeof(hash));
	return true;
}

/* Saved, and whole again with what the peer has. False: it said that it can't be. */
static bool is_healed(struct world *w)
{
	struct replica_config config = config_of(w, w->copy);
	struct verify_report report;
	struct salvage saved;
	struct errmsg why;
	struct office peer;
	uint8_t after[STATE_HASH_BYTES];

	if (replica_salvage(&config, w->fresh, &saved, NULL, NULL, &why) != OK) {
		assert_true(why.text[0] != '\0');
		if (getenv("HUITONG_VERBOSE"))
			printf("%s\n", why.text);
		return false;
	}
	config.path = w->fresh;
	w->saved = w->b;
	OFFICE_MUST(replica_open(&w->saved.replica, &config, &msg));
	office_open(&peer, NULL, 10);
	OFFICE_MUST(replica_join(peer.replica, replica_org(w->a.replica), &msg));
	office_pull(&peer, &w->a);
	office_sync(&peer, &w->saved);
	office_sync(&peer, &w->saved); /* what was written again since */
	OFFICE_MUST(replica_verify(w->saved.replica, &report, NULL, NULL, &msg));
	OFFICE_MUST(replica_state_hash(peer.replica, after, &msg));
	assert_memory_equal(after, report.stored_hash, sizeof(after));
	assert_true(office_items(&w->saved) >= office_items(&w->a));
	office_close(&peer);
	office_close(&w->saved);
	return true;
}

static void changed_byte_is_found_and_healed(void **state)
{
	struct world *w = *state;
	const char *wanted = getenv("HUITONG_ROT");
	long count = wanted ? strtol(wanted, NULL, 10) : ROT_COUNT;
	long harmless = 0, in_place = 0, repaired = 0, named = 0;

	for (long i = 0; i < count; i++) {
		size_t at = (size_t)prng_below(&w->prng, w->size);
		uint8_t other = (uint8_t)(w->image[at] ^ (1 + prng_below(&w->prng, 255)));
		uint8_t hash[STATE_HASH_BYTES];
		bool is_damaged;

		write_copy(w, at, other);
		is_damaged = verify(w, hash) != OK;
		if (is_damaged)
			assert_not_spread(w);
		else /* unused space: what it holds is what it held */
			assert_memory_equal(hash, w->before, sizeof(hash));
		if (is_healed_in_place(w, is_damaged)) {
			harmless += !is_damaged;
			in_place += is_damaged;
			continue;
		}
		write_copy(w, at, other);
		if (is_healed(w))
			repaired++;
		else
			named++;
	}
	printf("%ld bytes of %zu: %ld in unused space, %ld found; of these %ld healed in place, "
	       "%ld by repair, %ld named as beyond it\n",
	       count, w->size, harmless, count - harmless, in_place, repaired, named);
	assert_true(in_place > 0 && repaired > 0);
}

static void assert_can_be_healed_or_not(struct world *w, size_t at, uint8_t other)
{
	write_copy(w, at, other);
	is_healed_in_place(w, true);
	write_copy(w, at, other);
	is_healed(w);
}

/* Where a cell of an inner page has its key: some middle digit of a rowid, the first byte of a
 * WITHOUT ROWID table's. (SQLite's "Database File Format", 1.6 and 2.1.) */
static size_t inner_key(const uint8_t *page, size_t cell)
{
	enum { INNER_TABLE = 5, CHILD = 4, MIDDLE = 3 };
	const uint8_t *header = page + cell + CHILD; /* behind its size */

	if (page[0] == INNER_TABLE)
		return cell + CHILD + MIDDLE;
	while (*header++ & 0x80)
		;
	return (size_t)(header + header[0] - page);
}

/* In an inner page of SQLite's trees a key is greater than it was, or a child is there twice: a
 * search for what follows a row ends before it. Found by seed 11188951189138695987. */
static void damaged_inner_page_leads_nobody_in_circles(void **state)
{
	enum { LEAF = 8, HEADER = 12, CHILD_END = 3, ANY_DIGIT = 0x7f };
	struct world *w = *state;
	size_t page_size = (size_t)w->image[16] << 8 | w->image[17], damaged = 0;

	for (size_t at = page_size; at + page_size <= w->size; at += page_size) {
		const uint8_t *page = w->image + at, *cells = page + HEADER;
		uint8_t child = 0;

		for (int i = 0; page[0] < LEAF && i < (page[3] << 8 | page[4]); i++) {
			size_t cell = (size_t)cells[2 * i] << 8 | cells[2 * i + 1];
			size_t key = inner_key(page, cell);

			assert_can_be_healed_or_not(w, at + key, page[key] | ANY_DIGIT);
			if (i > 0)
				assert_can_be_healed_or_not(w, at + cell + CHILD_END, child);
			child = page[cell + CHILD_END];
			damaged++;
		}
	}
	printf("%zu inner cells\n", damaged);
	assert_true(damaged > 0);
}

static void sound_database_is_saved_whole(void **state)
{
	struct world *w = *state;
	struct replica_config config = config_of(w, w->path);
	struct salvage saved;
	struct errmsg why;

	OFFICE_MUST(replica_salvage(&config, w->fresh, &saved, NULL, NULL, &msg));
	assert_int_equal(saved.left_behind, 0);
	assert_int_equal(saved.statements_lost, 0);
	assert_int_equal(saved.settings_lost, 0);
	assert_true(saved.is_member);
	assert_int_equal(replica_salvage(&config, w->fresh, &saved, NULL, NULL, &why), ERR_EXISTS);
}

/* Every occurrence of the text becomes another one. */
static void change_text(struct world *w, const char *text)
{
	size_t size = strlen(text), changed = 0;
	FILE *file;

	for (uint8_t *at = w->image;
	     (at = memmem(at, w->size - (size_t)(at - w->image), text, size)); at++, changed++)
		*at ^= 1;
	assert_true(changed > 0);
	remove_database(w->copy);
	remove_database(w->fresh);
	file = fopen(w->copy, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(w->image, 1, w->size, file), w->size);
	fclose(file);
}

static void begin_epoch(struct office *o)
{
	OFFICE_MUST(replica_begin(o->replica, &msg));
	OFFICE_MUST(replica_new_epoch(o->replica, EPOCH_MOVED, NULL, NULL, o->now_ms++, &msg));
	OFFICE_MUST(replica_commit(o->replica, &msg));
}

static void must_have(struct office *o, const char *title, unsigned count)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM action_item WHERE title = '%s'", title);
	assert_int_equal(office_count(o, sql), count);
}

/* Behind the damage in the same feed, and in a later epoch which depends on it. */
static void what_nobody_else_has_is_written_again(void **state)
{
	static const char *const titles[] = { "damaged-one", "behind-it", "later", "last" };
	struct world *w = *state;
	struct replica_config config = config_of(w, w->copy);
	struct salvage saved;

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		struct value title = value_str(titles[i]);

		if (i == 2)
			begin_epoch(&w->b);
		office_create(&w->b, &w->space, KIND_ACTION, ACTION_TITLE, &title);
	}
	free(w->image);
	read_image(w);
	change_text(w, titles[0]);
	OFFICE_MUST(replica_salvage(&config, w->fresh, &saved, NULL, NULL, &msg));
	assert_int_equal(saved.left_behind, 4);
	config.path = w->fresh;
	w->saved = w->b;
	OFFICE_MUST(replica_open(&w->saved.replica, &config, &msg));
	must_have(&w->saved, titles[0], 0);
	for (size_t i = 1; i < sizeof(titles) / sizeof(titles[0]); i++)
		must_have(&w->saved, titles[i], 1);
	office_close(&w->saved);
}

/* It names what was lost with the damage and comes back from a peer: every office ends in
 * the same state, and has both. */
static void what_speaks_of_what_was_lost_stands_beside_it(void **state)
{
	struct value lost = value_str("damaged-one"), later = value_str("behind-it");
	struct world *w = *state;
	struct record_id record;

	record = office_create(&w->a, &w->space, KIND_ACTION, ACTION_TITLE, &lost);
	office_sync(&w->a, &w->b);
	office_set(&w->b, &w->space, KIND_ACTION, &record, ACTION_TITLE, &later);
	free(w->image);
	read_image(w);
	change_text(w, "damaged-one");
	assert_true(is_healed(w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(changed_byte_is_found_and_healed, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(damaged_inner_page_leads_nobody_in_circles, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(sound_database_is_saved_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_nobody_else_has_is_written_again, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_speaks_of_what_was_lost_stands_beside_it,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
