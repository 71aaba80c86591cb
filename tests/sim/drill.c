#include "tests/sim/drill.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
	CHUNK_BYTES = 256 * 1024,
	CHUNK_COUNT = 500,
	PEER_EDITS_MAX = 6,
	LONG_TEXT_MAX = 20000,
	OUR_SEED = 1,
	PEER_SEED = 2,
};

static const char database[] = "replica.db";

static struct replica_config config_of(const struct drill *d, const struct memdisk *disk,
				       struct prng *dice)
{
	return (struct replica_config){ .path = database,
					.vfs = memdisk_vfs(disk),
					.create = !d->is_ready,
					.sign_secret = d->ours.sign_secret,
					.dice = prng_dice(dice),
					.now_ms = d->ours.now_ms };
}

/* ---- Beginning and end ----------------------------------------------------------- */

void drill_init(struct drill *d, uint64_t seed)
{
	*d = (struct drill){ .disk = memdisk_new() };
	prng_init(&d->dice, seed);
}

/* Everything that is held counts as acknowledged. */
static enum err acknowledge(struct drill *d)
{
	enum err rc = OK;

	for (int i = 0; rc == OK && i < 2; i++)
		rc = vv_merge(&d->acked[i], replica_vv(d->ours.replica, &d->spaces[i]));
	return rc;
}

void drill_prepare(struct drill *d)
{
	uint64_t seed = prng_next(&d->dice);

	office_open(&d->peer, NULL, seed + PEER_SEED);
	office_found(&d->peer, "SHA");
	office_open_on(&d->ours, memdisk_vfs(d->disk), database, seed + OUR_SEED);
	office_join(&d->ours, &d->peer, "FRA");
	d->spaces[0] = replica_directory(d->ours.replica);
	d->spaces[1] = office_share(&d->peer);
	office_sync(&d->ours, &d->peer);
	OFFICE_MUST(acknowledge(d));
	d->is_ready = true;
}

void drill_release(struct drill *d)
{
	office_close(&d->ours);
	office_close(&d->peer);
	memdisk_free(d->disk);
	vv_release(&d->acked[0]);
	vv_release(&d->acked[1]);
}

enum err drill_open(struct drill *d, struct errmsg *msg)
{
	struct replica_config config = config_of(d, d->disk, &d->ours.prng);

	return replica_open(&d->ours.replica, &config, msg);
}

/* ---- Pieces of work -------------------------------------------------------------- */

static enum err write_action(struct edit *e, struct prng *dice, size_t text_bytes,
			     struct errmsg *msg)
{
	char text[DRILL_TEXT_MAX];
	struct record_id id = edit_create(e);
	struct value value;
	enum err rc;

	assert(text_bytes <= sizeof(text));
	for (size_t i = 0; i < text_bytes; i++)
		text[i] = (char)('a' + prng_below(dice, 26));
	value = value_text(bytes_of(text, DRILL_TITLE_BYTES));
	rc = edit_set(e, KIND_ACTION, &id, ACTION_TITLE, &value, msg);
	value = value_text(bytes_of(text, text_bytes));
	if (rc == OK && text_bytes > DRILL_TITLE_BYTES)
		rc = edit_set(e, KIND_ACTION, &id, ACTION_DELIVERABLE, &value, msg);
	return rc;
}

static enum err edit_in_transaction(struct office *o, const struct space_id *space,
				    struct prng *dice, size_t text_bytes, struct errmsg *msg)
{
	struct edit *e;
	unsigned count = 1 + (unsigned)prng_below(dice, 3);
	enum err rc = edit_open(&e, o->replica, space, NULL, o->now_ms++, msg);

	for (unsigned i = 0; rc == OK && i < count; i++) {
		rc = write_action(e, dice, text_bytes, msg);
		if (rc != OK)
			edit_drop(e);
	}
	return rc == OK ? edit_seal(e, msg) : rc;
}

static enum err edit(struct office *o, const struct space_id *space, struct prng *dice,
		     size_t text_bytes, struct errmsg *msg)
{
	enum err rc = replica_begin(o->replica, msg);

	if (rc != OK)
		return rc;
	rc = edit_in_transaction(o, space, dice, text_bytes, msg);
	if (rc != OK) {
		replica_rollback(o->replica);
		return rc;
	}
	return replica_commit(o->replica, msg);
}

enum err drill_edit(struct drill *d, size_t text_bytes, struct errmsg *msg)
{
	enum err rc = edit(&d->ours, &d->spaces[1], &d->dice, text_bytes, msg);

	if (rc != OK)
		return rc;
	d->acknowledged++;
	return acknowledge(d);
}

static enum err edit_shortly(struct drill *d, struct errmsg *msg)
{
	return drill_edit(d, DRILL_TITLE_BYTES, msg);
}

static enum err edit_at_length(struct drill *d, struct errmsg *msg)
{
	return drill_edit(d, DRILL_TITLE_BYTES + prng_below(&d->dice, LONG_TEXT_MAX), msg);
}

static enum err edit_hugely(struct drill *d, struct errmsg *msg)
{
	return drill_edit(d, DRILL_TEXT_MAX, msg);
}

/* As a command does it while the daemon is running. */
static enum err edit_elsewhere(struct drill *d, struct errmsg *msg)
{
	struct office command = { .now_ms = d->ours.now_ms++ };
	struct replica_config config = config_of(d, d->disk, &command.prng);
	bool changed;
	enum err rc;

	command.prng = prng_split(&d->ours.prng);
	rc = replica_open(&command.replica, &config, msg);
	if (rc != OK)
		return rc;
	rc = edit(&command, &d->spaces[1], &d->dice, DRILL_TITLE_BYTES, msg);
	replica_close(command.replica);
	if (rc == OK)
		rc = replica_refresh(d->ours.replica, &changed, msg);
	if (rc != OK)
		return rc;
	d->acknowledged++;
	return acknowledge(d);
}

static enum err hand_over(struct office *from, struct office *to, const struct space_id *space,
			  size_t *applied, struct errmsg *msg)
{
	struct arena arena = ARENA_EMPTY;
	struct receipt receipt = { 0 };
	struct sealed *list;
	size_t count = 0;
	bool more;
	enum err rc = replica_missing(from->replica, space, replica_vv(to->replica, space),
				      CHUNK_BYTES, CHUNK_COUNT, &arena, &list, &count, &more, msg);

	if (rc == OK && count)
		rc = replica_receive(to->replica, space, list, count, to->now_ms, &receipt, msg);
	*applied += receipt.applied;
	arena_release(&arena);
	return rc;
}

static void peer_works(struct drill *d)
{
	unsigned count = 1 + (unsigned)prng_below(&d->dice, PEER_EDITS_MAX);
	size_t text_bytes = DRILL_TITLE_BYTES + prng_below(&d->dice, 2000);

	for (unsigned i = 0; i < count; i++)
		OFFICE_MUST(edit(&d->peer, &d->spaces[1], &d->dice, text_bytes, &msg));
}

static enum err take_from_peer(struct drill *d, struct errmsg *msg)
{
	size_t applied = 0;
	enum err rc;

	peer_works(d);
	rc = hand_over(&d->peer, &d->ours, &d->spaces[1], &applied, msg);
	if (rc != OK)
		return rc;
	d->acknowledged += applied;
	return acknowledge(d);
}

/* What the peer has of our own must never be given to it again as something else. */
static enum err give_to_peer(struct drill *d, struct errmsg *msg)
{
	const struct replica_id *id = replica_id(d->ours.replica);
	size_t applied = 0;
	enum err rc = hand_over(&d->ours, &d->peer, &d->spaces[1], &applied, msg);

	if (rc != OK)
		return rc;
	for (int i = 0; rc == OK && i < 2; i++)
		rc = vv_raise(&d->acked[i], id,
			      vv_get(replica_vv(d->peer.replica, &d->spaces[i]), id));
	return rc;
}

static enum err close_and_open(struct drill *d, struct errmsg *msg)
{
	office_close(&d->ours);
	return drill_open(d, msg);
}

static enum err note_setting(struct drill *d, struct errmsg *msg)
{
	return replica_setting_put(d->ours.replica, "drill", "kept", msg);
}

static const struct {
	unsigned weight;
	enum err (*play)(struct drill *d, struct errmsg *msg);
} pieces[] = {
	{ 39, edit_shortly },   { 8, edit_at_length },  { 1, edit_hugely },
	{ 12, edit_elsewhere }, { 16, take_from_peer }, { 10, give_to_peer },
	{ 10, close_and_open }, { 4, note_setting },
};

enum err drill_work(struct drill *d, struct errmsg *msg)
{
	uint64_t draw = prng_below(&d->dice, 100);
	size_t i = 0;

	while (draw >= pieces[i].weight)
		draw -= pieces[i++].weight;
	assert(i < sizeof(pieces) / sizeof(pieces[0]));
	return pieces[i].play(d, msg);
}

/* ---- Looking --------------------------------------------------------------------- */

static enum finding missing(const struct drill *d, const struct replica *r, struct errmsg *why)
{
	for (int i = 0; i < 2; i++) {
		if (vv_dominates(replica_vv(r, &d->spaces[i]), &d->acked[i]))
			continue;
		errmsg_set(why, ERR_CORRUPT, "acknowledged changesets of space %d are gone", i);
		return FOUND_LOSS;
	}
	return FOUND_WHOLE;
}

static enum err digest_log(struct replica *r, crypto_generichash_state *hash, struct errmsg *why)
{
	struct rows *rows;
	enum err rc =
		rows_open(&rows, r, "SELECT key, body, signature, link FROM changeset ORDER BY key",
			  NULL, 0, why);

	if (rc != OK)
		return rc;
	while (rows_next(rows)) {
		int64_t key = rows_int(rows, 0);

		crypto_generichash_update(hash, (const uint8_t *)&key, sizeof(key));
		for (int i = 1; i < 4; i++) {
			struct bytes data = rows_bytes(rows, i);

			crypto_generichash_update(hash, data.data, data.size);
		}
	}
	return rows_close(rows, why);
}

static enum err digest_of(struct replica *r, uint8_t out[DRILL_DIGEST_BYTES], struct errmsg *why)
{
	uint8_t state[STATE_HASH_BYTES];
	crypto_generichash_state hash;
	enum err rc = replica_state_hash(r, state, why);

	crypto_generichash_init(&hash, NULL, 0, DRILL_DIGEST_BYTES);
	crypto_generichash_update(&hash, state, sizeof(state));
	if (rc == OK)
		rc = digest_log(r, &hash, why);
	crypto_generichash_final(&hash, out, DRILL_DIGEST_BYTES);
	return rc;
}

static enum err verify(struct drill *d, struct replica *r, struct errmsg *why)
{
	struct verify_report report;
	uint8_t digest[DRILL_DIGEST_BYTES];
	enum err rc = digest_of(r, digest, why);

	if (rc != OK)
		return rc;
	for (unsigned i = 0; i < DRILL_VERIFIED_MAX; i++)
		if (memcmp(d->verified[i], digest, DRILL_DIGEST_BYTES) == 0)
			return OK;
	rc = replica_verify(r, &report, NULL, NULL, why);
	if (rc == OK)
		memcpy(d->verified[d->verified_at++ % DRILL_VERIFIED_MAX], digest,
		       DRILL_DIGEST_BYTES);
	return rc;
}

static enum finding look_inside(struct drill *d, struct replica *r, struct errmsg *why)
{
	if (!d->is_ready)
		return FOUND_WHOLE; /* it opens: that is all that was promised so far */
	if (verify(d, r, why) != OK || replica_quick_check(r, why) != OK)
		return FOUND_DAMAGE;
	return missing(d, r, why);
}

/* Our office on another disk; `dice` stay with the caller. */
static enum err open_on(const struct drill *d, struct memdisk *disk, struct prng *dice,
			struct office *out, struct errmsg *why)
{
	struct replica_config config = config_of(d, disk, dice);

	*out = (struct office){ .now_ms = d->ours.now_ms };
	return replica_open(&out->replica, &config, why);
}

enum finding drill_inspect(struct drill *d, struct memdisk *disk, struct errmsg *why)
{
	struct prng dice = d->dice;
	struct office found;
	enum finding finding;

	if (open_on(d, disk, &dice, &found, why) != OK)
		return FOUND_DAMAGE;
	finding = look_inside(d, found.replica, why);
	replica_close(found.replica);
	return finding;
}

/* Somebody works on there until the power fails again. */
static enum finding edit_and_cut(struct drill *d, struct memdisk *disk, struct prng *dice,
				 struct vv *acked, struct errmsg *why)
{
	struct office found;
	enum finding finding;

	if (open_on(d, disk, dice, &found, why) != OK)
		return FOUND_DAMAGE;
	finding = look_inside(d, found.replica, why);
	if (finding == FOUND_WHOLE &&
	    (edit(&found, &d->spaces[1], dice, DRILL_TITLE_BYTES, why) != OK ||
	     vv_copy(acked, replica_vv(found.replica, &d->spaces[1])) != OK))
		finding = FOUND_DAMAGE;
	memdisk_crash(disk, dice);
	replica_close(found.replica);
	memdisk_on(disk);
	return finding;
}

enum finding drill_inspect_twice(struct drill *d, struct memdisk *disk, struct prng *dice,
				 struct errmsg *why)
{
	struct drill later = *d;
	enum finding finding;

	if (!d->is_ready)
		return drill_inspect(d, disk, why);
	later.acked[1] = VV_EMPTY;
	finding = edit_and_cut(d, disk, dice, &later.acked[1], why);
	if (finding == FOUND_WHOLE)
		finding = drill_inspect(&later, disk, why);
	vv_release(&later.acked[1]);
	return finding;
}
