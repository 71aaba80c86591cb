#include "tests/support/rot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/scrub.h"

enum {
	SLICE_ROWS = 64,
	SLICES_MAX = 1000,
	ROUNDS_MAX = 16, /* what is put back stays as it was put */
	ASK_COUNT = 10000,
	NEWCOMER_SEED = 9, /* offices throw their own dice; the same would make the same ids */
	PEER_SEED = 10,
	SEEDS_OF_OFFICES = 100,
};

/* ---- Life -------------------------------------------------------------------- */

void rot_open(struct rot *w, uint64_t seed)
{
	*w = (struct rot){ 0 };
	prng_init(&w->prng, seed + SEEDS_OF_OFFICES);
	tempdir_new(w->dir, sizeof(w->dir));
	tempdir_path(w->path, sizeof(w->path), w->dir, "replica.db");
	tempdir_path(w->copy, sizeof(w->copy), w->dir, "rotten.db");
	tempdir_path(w->fresh, sizeof(w->fresh), w->dir, "saved.db");
	office_open(&w->a, NULL, 1);
	office_open(&w->b, w->path, 2);
	w->space = UNITE(&w->a, &w->b);
}

void rot_close(struct rot *w)
{
	office_close(&w->a);
	office_close(&w->b);
	free(w->image);
	tempdir_remove(w->dir);
}

static void read_image(struct rot *w)
{
	FILE *file = fopen(w->copy, "rb");
	long size;

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	assert_true(size > 0);
	free(w->image);
	w->size = (size_t)size;
	w->image = malloc(w->size);
	assert_non_null(w->image);
	rewind(file);
	assert_int_equal(fread(w->image, 1, w->size, file), w->size);
	fclose(file);
}

void rot_take_image(struct rot *w)
{
	OFFICE_MUST(replica_state_hash(w->a.replica, w->before, &msg));
	unlink(w->copy);
	OFFICE_MUST(replica_backup(w->b.replica, w->copy, NULL, NULL, &msg));
	read_image(w);
}

static void remove_database(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	char name[TEMPDIR_BYTES_MAX + 32];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
}

void rot_write_copy(struct rot *w)
{
	FILE *file;

	remove_database(w->copy);
	remove_database(w->fresh);
	file = fopen(w->copy, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(w->image, 1, w->size, file), w->size);
	fclose(file);
}

struct replica_config rot_config(struct rot *w, const char *path)
{
	return (struct replica_config){ .path = path,
					.sign_secret = w->b.sign_secret,
					.dice = prng_dice(&w->prng),
					.now_ms = w->b.now_ms };
}

void rot_open_newcomer(struct rot *w, struct office *o, uint64_t seed)
{
	office_open(o, NULL, seed);
	OFFICE_MUST(replica_join(o->replica, replica_org(w->a.replica), &msg));
}

/* ---- Found, and not spread --------------------------------------------------- */

enum err rot_verify(struct rot *w, uint8_t hash[STATE_HASH_BYTES])
{
	struct replica_config config = rot_config(w, w->copy);
	struct verify_report report;
	struct errmsg why = { .text = "" };
	struct replica *r = NULL;
	enum err rc;

	config.read_only = true;
	rc = replica_open(&r, &config, &why);
	if (rc == OK)
		rc = replica_verify(r, &report, NULL, NULL, &why);
	if (rc == OK)
		memcpy(hash, report.stored_hash, STATE_HASH_BYTES);
	else
		assert_true(why.text[0] != '\0');
	replica_close(r);
	return rc;
}

void rot_assert_not_spread(struct rot *w)
{
	struct replica_config config = rot_config(w, w->copy);
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
	rot_open_newcomer(w, &c, NEWCOMER_SEED);
	office_pull_statements(&c, &w->a);
	for (int i = 0; i < 2; i++) {
		struct space_id space = i ? w->space : replica_directory(w->a.replica);

		if (replica_missing(r, &space, replica_vv(c.replica, &space), SIZE_MAX, ASK_COUNT,
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

/* ---- Healed in place --------------------------------------------------------- */

static void take_statements(struct rot *w, struct replica *r)
{
	struct statements_receipt ignored;
	struct statement_list l;

	OFFICE_MUST(statement_list_read(&l, w->a.replica, &msg));
	if (replica_take_statements(r, l.list, l.count, w->b.now_ms, &ignored, NULL) != OK)
		assert_false(replica_lacks_statement(r)); /* beyond now */
	statement_list_release(&l);
}

/* As a session does with what the peer tells. */
static void mend_from_peer(struct rot *w, struct replica *r)
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
static bool scrub_all(struct rot *w, struct replica *r, struct scrub *s)
{
	uint64_t mended;
	unsigned rounds = 0;
	bool can = true;

	do {
		unsigned slices = 0;

		assert_true(rounds++ < ROUNDS_MAX);
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

bool rot_is_healed_in_place(struct rot *w, bool is_damaged)
{
	struct replica_config config = rot_config(w, w->copy);
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
	assert_int_equal(rot_verify(w, hash), OK);
	assert_memory_equal(hash, w->before, sizeof(hash));
	return true;
}

/* ---- Healed in what was saved ------------------------------------------------ */

bool rot_is_healed(struct rot *w)
{
	struct replica_config config = rot_config(w, w->copy);
	struct verify_report report;
	struct salvage result;
	struct errmsg why = { .text = "" };
	struct office peer, saved = w->b;
	uint8_t after[STATE_HASH_BYTES];

	if (replica_salvage(&config, w->fresh, &result, NULL, NULL, &why) != OK) {
		assert_true(why.text[0] != '\0');
		if (getenv("HUITONG_VERBOSE"))
			printf("%s\n", why.text);
		return false;
	}
	config.path = w->fresh;
	OFFICE_MUST(replica_open(&saved.replica, &config, &msg));
	rot_open_newcomer(w, &peer, PEER_SEED);
	office_pull(&peer, &w->a);
	office_sync(&peer, &saved);
	office_sync(&peer, &saved); /* what was written again since */
	OFFICE_MUST(replica_verify(saved.replica, &report, NULL, NULL, &msg));
	OFFICE_MUST(replica_state_hash(peer.replica, after, &msg));
	assert_memory_equal(after, report.stored_hash, sizeof(after));
	assert_true(office_items(&saved) >= office_items(&w->a));
	office_close(&peer);
	office_close(&saved);
	return true;
}
