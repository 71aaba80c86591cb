/* core/verify, core/scrub, core/salvage: bit rot. A byte of a database is changed at random: it is
 * found, never spread, and healed from a peer, in place or in what was saved. HUITONG_ROT=1000 for
 * a thousand (docs/RELIABILITY.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/rot.h"

enum { ROT_COUNT = 60, EDITS = 240 };

static void write_some(struct rot *w, struct office *o, unsigned count)
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
static void write_on(struct rot *w, struct office *o, const struct record_id *block)
{
	char text[240];
	struct value value;

	snprintf(text, sizeof(text), "written %0*u", (int)prng_below(&w->prng, 150), 1);
	value = value_str(text);
	office_set(o, &w->space, KIND_BLOCK, block, BLOCK_TEXT, &value);
}

static int set_up(void **state)
{
	struct rot *w = calloc(1, sizeof(*w));
	struct value begin = value_str("what we agreed on");
	struct record_id block;

	rot_open(w, prng_seed_from_environment());
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
	rot_take_image(w);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct rot *w = *state;

	rot_close(w);
	free(w);
	return 0;
}

static void write_damaged(struct rot *w, size_t at, uint8_t other)
{
	uint8_t sound = w->image[at];

	w->image[at] = other;
	rot_write_copy(w);
	w->image[at] = sound;
}

static void changed_byte_is_found_and_healed(void **state)
{
	struct rot *w = *state;
	const char *wanted = getenv("HUITONG_ROT");
	long count = wanted ? strtol(wanted, NULL, 10) : ROT_COUNT;
	long harmless = 0, in_place = 0, repaired = 0, named = 0;

	for (long i = 0; i < count; i++) {
		size_t at = (size_t)prng_below(&w->prng, w->size);
		uint8_t other = (uint8_t)(w->image[at] ^ (1 + prng_below(&w->prng, 255)));
		uint8_t hash[STATE_HASH_BYTES];
		bool is_damaged;

		write_damaged(w, at, other);
		is_damaged = rot_verify(w, hash) != OK;
		if (is_damaged)
			rot_assert_not_spread(w);
		else /* unused space: what it holds is what it held */
			assert_memory_equal(hash, w->before, sizeof(hash));
		if (rot_is_healed_in_place(w, is_damaged)) {
			harmless += !is_damaged;
			in_place += is_damaged;
			continue;
		}
		write_damaged(w, at, other);
		if (rot_is_healed(w))
			repaired++;
		else
			named++;
	}
	printf("%ld bytes of %zu: %ld in unused space, %ld found; of these %ld healed in place, "
	       "%ld by repair, %ld named as beyond it\n",
	       count, w->size, harmless, count - harmless, in_place, repaired, named);
	assert_true(in_place + repaired > 0);
}

static void assert_can_be_healed_or_not(struct rot *w, size_t at, uint8_t other)
{
	write_damaged(w, at, other);
	rot_is_healed_in_place(w, true);
	write_damaged(w, at, other);
	rot_is_healed(w);
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
	struct rot *w = *state;
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
	struct rot *w = *state;
	struct replica_config config = rot_config(w, w->path);
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
static void change_text(struct rot *w, const char *text)
{
	size_t size = strlen(text), changed = 0;

	for (uint8_t *at = w->image;
	     (at = memmem(at, w->size - (size_t)(at - w->image), text, size)); at++, changed++)
		*at ^= 1;
	assert_true(changed > 0);
	rot_write_copy(w);
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
	struct rot *w = *state;
	struct replica_config config = rot_config(w, w->copy);
	struct salvage saved;
	struct office office;

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		struct value title = value_str(titles[i]);

		if (i == 2)
			begin_epoch(&w->b);
		office_create(&w->b, &w->space, KIND_ACTION, ACTION_TITLE, &title);
	}
	rot_take_image(w);
	change_text(w, titles[0]);
	OFFICE_MUST(replica_salvage(&config, w->fresh, &saved, NULL, NULL, &msg));
	assert_int_equal(saved.left_behind, 4);
	config.path = w->fresh;
	office = w->b;
	OFFICE_MUST(replica_open(&office.replica, &config, &msg));
	must_have(&office, titles[0], 0);
	for (size_t i = 1; i < sizeof(titles) / sizeof(titles[0]); i++)
		must_have(&office, titles[i], 1);
	office_close(&office);
}

/* It names what was lost with the damage and comes back from a peer: every office ends in
 * the same state, and has both. */
static void what_speaks_of_what_was_lost_stands_beside_it(void **state)
{
	struct value lost = value_str("damaged-one"), later = value_str("behind-it");
	struct rot *w = *state;
	struct record_id record;

	record = office_create(&w->a, &w->space, KIND_ACTION, ACTION_TITLE, &lost);
	office_sync(&w->a, &w->b);
	office_set(&w->b, &w->space, KIND_ACTION, &record, ACTION_TITLE, &later);
	rot_take_image(w);
	change_text(w, "damaged-one");
	assert_true(rot_is_healed(w));
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
