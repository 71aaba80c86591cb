#include "core/scrub.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/branch.h"
#include "core/membership_check.h"
#include "core/shadow.h"
#include "core/wire.h"

#define SETTING_SCRUB "scrub"

enum {
	STATE_VERSION = 2,
	SLICE_ROWS_MAX = 256,
	SLICE_BYTES = 256 << 10,
	KEEP_MS = 60000, /* so much of a round is done again after a crash */
};

enum phase {
	PHASE_RESTING,
	PHASE_STRUCTURE,
	PHASE_STATEMENTS,
	PHASE_LOG,
	PHASE_BRANCHES,
	PHASE_STATE,
	PHASE_COUNT
};

/* Where a round stands, as far as it is kept. */
struct place {
	enum phase phase;
	uint64_t began_ms, ended_ms;
	uint64_t mended;
	bool is_partial; /* some could not be looked at for what was damaged before it */
	uint64_t at;     /* STRUCTURE: of the tables; LOG, BRANCHES: the feed's number */
	uint64_t seq;    /* LOG, BRANCHES: looked at up to here */
};

struct scrub {
	struct replica *r;
	struct place place;
	struct place kept; /* as in the settings */
	uint64_t kept_serial, kept_mended, kept_ms;
	size_t kept_count;
	uint64_t mended_before; /* when the round began */
	struct membership_check statements;
	bool has_statements;
	struct shadow *shadow;
	bool is_second_look;
	struct arena arena;
};

/* ---- What is kept ------------------------------------------------------------ */

static void put_damage(struct buf *out, const struct damage *d)
{
	wire_put_array(out, 6);
	wire_put_uint(out, d->kind);
	wire_put_bool(out, d->is_beyond);
	wire_put_bin(out, bytes_of(d->space.bytes, ID_BYTES));
	wire_put_bin(out, bytes_of(d->dot.replica.bytes, ID_BYTES));
	wire_put_uint(out, d->dot.seq);
	wire_put_bin(out, bytes_of_str(d->words));
}

static void put_state(struct buf *out, const struct place *p, const struct damage_list *l)
{
	wire_put_array(out, 10);
	wire_put_uint(out, STATE_VERSION);
	wire_put_uint(out, p->phase);
	wire_put_uint(out, p->began_ms);
	wire_put_uint(out, p->ended_ms);
	wire_put_uint(out, p->mended);
	wire_put_bool(out, p->is_partial);
	wire_put_uint(out, p->at);
	wire_put_uint(out, p->seq);
	wire_put_bool(out, l->has_more);
	wire_put_array(out, (uint32_t)l->count);
	for (size_t i = 0; i < l->count; i++)
		put_damage(out, &l->list[i]);
}

static void read_damage(struct wire_reader *in, struct damage *d)
{
	struct bytes words;

	*d = (struct damage){ .is_seen = true };
	if (wire_array(in, 6) != 6)
		wire_fail(in, ERR_FORMAT);
	d->kind = (enum damage_kind)wire_uint(in, DAMAGE_KIND_COUNT - 1);
	d->is_beyond = wire_bool(in);
	wire_bin_exact(in, d->space.bytes, ID_BYTES);
	wire_bin_exact(in, d->dot.replica.bytes, ID_BYTES);
	d->dot.seq = wire_uint(in, UINT64_MAX);
	words = wire_bin(in, DAMAGE_TEXT_BYTES - 1);
	if (words.size)
		memcpy(d->words, words.data, words.size);
}

/* ERR_FORMAT: by another version, or damaged itself. */
static enum err read_state(struct bytes kept, struct place *p, struct damage_list *l)
{
	struct wire_reader in = wire_reader_of(kept);

	if (wire_array(&in, 10) != 10 || wire_uint(&in, UINT64_MAX) != STATE_VERSION)
		wire_fail(&in, ERR_FORMAT);
	p->phase = (enum phase)wire_uint(&in, PHASE_COUNT - 1);
	p->began_ms = wire_uint(&in, UINT64_MAX);
	p->ended_ms = wire_uint(&in, UINT64_MAX);
	p->mended = wire_uint(&in, UINT64_MAX);
	p->is_partial = wire_bool(&in);
	p->at = wire_uint(&in, UINT64_MAX);
	p->seq = wire_uint(&in, UINT64_MAX);
	l->has_more = wire_bool(&in);
	l->count = wire_array(&in, DAMAGE_MAX);
	for (size_t i = 0; i < l->count && wire_is_ok(&in); i++)
		read_damage(&in, &l->list[i]);
	return wire_end(&in);
}

static enum err load(struct replica *r, struct place *p, struct damage_list *l, struct errmsg *msg)
{
	struct buf kept = BUF_EMPTY;
	enum err rc = store_setting_get(r->store, SETTING_SCRUB, &kept, msg);

	if (rc == OK)
		rc = read_state(buf_bytes(&kept), p, l);
	buf_release(&kept);
	return rc;
}

enum err scrub_look(struct replica *r, struct scrub_state *out, struct errmsg *msg)
{
	struct place place = { .phase = PHASE_RESTING };
	struct scrub_state state = { 0 };
	enum err rc = load(r, &place, &state.damage, msg);

	if (rc != OK)
		return rc;
	state.began_ms = place.began_ms;
	state.ended_ms = place.ended_ms;
	state.mended = place.mended;
	state.is_at_work = place.phase != PHASE_RESTING;
	*out = state;
	return OK;
}

static bool is_news(const struct scrub *s, uint64_t now_ms)
{
	const struct damage_list *l = &s->r->damage;

	return s->place.phase != s->kept.phase || l->serial != s->kept_serial ||
	       l->mended != s->kept_mended || l->count != s->kept_count ||
	       (s->place.phase != PHASE_RESTING && now_ms - s->kept_ms >= KEEP_MS);
}

static enum err keep(struct scrub *s, uint64_t now_ms)
{
	const struct damage_list *l = &s->r->damage;
	struct buf out = BUF_EMPTY;
	struct bytes value;
	enum err rc;

	s->place.mended = l->mended - s->mended_before;
	put_state(&out, &s->place, l);
	value = buf_bytes(&out);
	rc = buf_check(&out);
	if (rc == OK)
		rc = store_setting_put(s->r->store, SETTING_SCRUB, &value, NULL);
	buf_release(&out);
	if (rc != OK)
		return rc;
	s->kept = s->place;
	s->kept_ms = now_ms;
	s->kept_serial = l->serial;
	s->kept_mended = l->mended;
	s->kept_count = l->count;
	return OK;
}

/* ---- Beginning and end ------------------------------------------------------- */

enum err scrub_new(struct scrub **out, struct replica *r, struct errmsg *msg)
{
	struct damage_list *l = calloc(1, sizeof(*l));
	struct scrub *s = calloc(1, sizeof(*s));

	if (!s || !l) {
		free(l);
		free(s);
		return errmsg_set(msg, ERR_NOMEM, "%s", err_name(ERR_NOMEM));
	}
	s->r = r;
	/* What can't be read is looked for anew. */
	if (load(r, &s->place, l, NULL) != OK)
		s->place = (struct place){ .phase = PHASE_RESTING };
	else
		for (size_t i = 0; i < l->count; i++)
			damage_note(r, &l->list[i]);
	s->mended_before = r->damage.mended - s->place.mended;
	s->kept = s->place;
	s->kept_serial = r->damage.serial;
	s->kept_mended = r->damage.mended;
	s->kept_count = r->damage.count;
	free(l);
	*out = s;
	return OK;
}

/* What a phase works with. */
static void put_away(struct scrub *s)
{
	if (s->has_statements)
		membership_check_release(&s->statements);
	s->has_statements = false;
	shadow_free(s->shadow);
	s->shadow = NULL;
}

void scrub_free(struct scrub *s)
{
	if (!s)
		return;
	if (s->place.phase != PHASE_RESTING)
		scrub_keep(s, UINT64_MAX); /* or else what was done since is done again */
	put_away(s);
	arena_release(&s->arena);
	free(s);
}

static bool has_damage(const struct scrub *s, enum damage_kind kind)
{
	for (size_t i = 0; i < s->r->damage.count; i++)
		if (s->r->damage.list[i].kind == kind)
			return true;
	return false;
}

static bool has_hope(const struct scrub *s, enum damage_kind kind)
{
	for (size_t i = 0; i < s->r->damage.count; i++)
		if (s->r->damage.list[i].kind == kind && !s->r->damage.list[i].is_beyond)
			return true;
	return false;
}

/* The state is made anew only of a log that was looked at, and is sound. */
static bool can_refill(const struct scrub *s)
{
	bool is_looked_at = s->place.phase == PHASE_RESTING || s->place.phase == PHASE_STATE;

	return is_looked_at && has_hope(s, DAMAGE_STATE) && !has_damage(s, DAMAGE_CHANGESET);
}

static bool can_refold(const struct scrub *s)
{
	return has_hope(s, DAMAGE_FOLD) && !has_damage(s, DAMAGE_STATEMENT);
}

static bool can_mend(const struct scrub *s)
{
	return can_refold(s) || can_refill(s);
}

bool scrub_is_due(const struct scrub *s, uint64_t now_ms, uint64_t period_ms)
{
	const struct place *p = &s->place;

	if (p->phase != PHASE_RESTING || p->began_ms == 0 || can_mend(s))
		return true;
	if (p->is_partial && !has_damage(s, DAMAGE_CHANGESET) && !has_damage(s, DAMAGE_STATEMENT))
		return true;
	return now_ms < p->began_ms || now_ms - p->began_ms >= period_ms;
}

static void begin(struct scrub *s, uint64_t now_ms)
{
	for (size_t i = 0; i < s->r->damage.count; i++)
		s->r->damage.list[i].is_seen = false;
	s->r->damage.has_more = false;
	s->mended_before = s->r->damage.mended;
	s->place = (struct place){ .phase = PHASE_STRUCTURE,
				   .began_ms = now_ms,
				   .ended_ms = s->place.ended_ms };
}

/* What was not seen again is no more. */
static void end(struct scrub *s, uint64_t now_ms)
{
	for (size_t i = s->r->damage.count; i-- > 0;)
		if (!s->r->damage.list[i].is_seen)
			damage_forget(s->r, i);
	s->place.phase = PHASE_RESTING;
	s->place.ended_ms = now_ms;
}

static void next_phase(struct scrub *s)
{
	put_away(s);
	s->place.phase++;
	s->place.at = s->place.seq = 0;
	s->is_second_look = false;
}

/* ---- Slices ------------------------------------------------------------------ */

/* Bytes that are not what they were show as any of these. */
static bool is_damage(enum err rc)
{
	return rc == ERR_CORRUPT || rc == ERR_SIGNATURE || rc == ERR_FORMAT || rc == ERR_LIMIT ||
	       rc == ERR_VERSION || rc == ERR_CHAIN || rc == ERR_REPLICA || rc == ERR_INVALID;
}

static void note_beyond(struct scrub *s, enum damage_kind kind, const char *words)
{
	damage_note_words(s->r, kind, words);
	for (size_t i = 0; i < s->r->damage.count; i++)
		if (s->r->damage.list[i].kind == kind &&
		    strncmp(s->r->damage.list[i].words, words, DAMAGE_TEXT_BYTES - 1) == 0)
			s->r->damage.list[i].is_beyond = true;
}

static enum err check_table(struct scrub *s, size_t row_count, struct errmsg *msg)
{
	char table[TABLE_NAME_BYTES];
	bool is_state = false;
	enum err rc = store_table(s->r->store, s->place.at, table, &is_state, msg);

	if (rc == ERR_NOT_FOUND) {
		next_phase(s);
		return OK;
	}
	if (rc == OK)
		rc = store_check_table(s->r->store, table, msg);
	if (rc == ERR_CORRUPT && is_state)
		damage_note_words(s->r, DAMAGE_STATE, msg->text);
	else if (rc == ERR_CORRUPT)
		note_beyond(s, DAMAGE_STRUCTURE, msg->text);
	else if (rc != OK)
		return rc;
	s->place.at++;
	return OK;
}

static enum err check_statements(struct scrub *s, size_t row_count, struct errmsg *msg)
{
	bool is_done = false;
	enum err rc = OK;

	if (!s->has_statements) {
		s->has_statements = true;
		rc = membership_check_begin(&s->statements, s->r, msg);
	} else {
		rc = membership_check_step(&s->statements, s->r, row_count, &is_done, msg);
	}
	/* All of them verify, but what was made of them differs: that can be made again. */
	if (is_damage(rc) && is_done)
		damage_note_words(s->r, DAMAGE_FOLD, msg->text);
	else if (is_damage(rc))
		damage_note_words(s->r, DAMAGE_STATEMENT, msg->text);
	else if (rc != OK)
		return rc;
	if (rc != OK || is_done)
		next_phase(s);
	return OK;
}

/* The one with the lowest number that is not less. */
static const struct feed *feed_from(const struct replica *r, uint64_t idx)
{
	const struct feed *best = NULL;

	for (uint32_t i = 0; i < r->feed_count; i++)
		if (r->feeds[i].idx >= idx && (!best || r->feeds[i].idx < best->idx))
			best = &r->feeds[i];
	return best;
}

/* One that is not signed is vouched for by the next one of the feed that is (I-6). */
static enum err check_signatures(struct scrub *s, const struct feed *feed,
				 const struct stored *rows, size_t count, struct errmsg *msg)
{
	bool is_vouched = false;
	enum err rc = OK;

	for (size_t i = count; rc == OK && i-- > 0;) {
		if (feed_is_signed(s->r, feed, rows[i].signature, rows[i].link))
			is_vouched = true;
		else if (i == count - 1)
			rc = damage_find_vouched(s->r, feed, rows[i].seq, &is_vouched, msg);
		if (rc == OK && !is_vouched)
			damage_note_changeset(s->r, feed, rows[i].seq);
	}
	return rc;
}

/* As many are noted as there is room for: on to the next one that is there, however far away a
 * damaged number says that is. */
static enum err skip_gap(struct scrub *s, const struct feed *feed, struct errmsg *msg)
{
	struct stored next;
	size_t count = 0;
	enum err rc = store_read(s->r->store, feed->idx, s->place.seq + 1, 1, SIZE_MAX, &s->arena,
				 &next, &count, msg);

	if (rc == OK)
		s->place.seq = count ? next.seq - 1 : feed->head.seq;
	return rc == ERR_CORRUPT ? OK : rc;
}

static enum err check_rows(struct scrub *s, const struct feed *feed, size_t row_count,
			   struct errmsg *msg)
{
	struct stored rows[SLICE_ROWS_MAX];
	size_t count = 0;
	bool is_cut = false;
	enum err rc;

	arena_reset(&s->arena);
	rc = damage_read(s->r, feed, s->place.seq + 1,
			 row_count < SLICE_ROWS_MAX ? row_count : SLICE_ROWS_MAX, SLICE_BYTES,
			 &s->arena, rows, &count, &is_cut, msg);
	if (rc != OK)
		return rc;
	rc = check_signatures(s, feed, rows, count, msg);
	if (rc != OK)
		return rc;
	/* After damage it goes on by what the damaged one says of itself. */
	s->place.seq += count + is_cut;
	return is_cut && s->r->damage.has_more ? skip_gap(s, feed, msg) : OK;
}

static enum err check_log(struct scrub *s, size_t row_count, struct errmsg *msg)
{
	const struct feed *feed = feed_from(s->r, s->place.at);
	char text[ID_TEXT_SIZE], words[DAMAGE_TEXT_BYTES];

	if (!feed) {
		next_phase(s);
		s->place.is_partial =
			has_damage(s, DAMAGE_CHANGESET) || has_damage(s, DAMAGE_STATEMENT);
		return OK;
	}
	if (feed->idx != s->place.at)
		s->place.seq = 0;
	s->place.at = feed->idx;
	if (feed->head.seq && !(s->r->trust && trust_epoch(s->r->trust, &feed->replica))) {
		snprintf(words, sizeof(words), "no statement names the replica %s",
			 id_text(feed->replica.bytes, text));
		note_beyond(s, DAMAGE_STRUCTURE, words);
		s->place.seq = feed->head.seq;
	}
	if (s->place.seq >= feed->head.seq) {
		s->place.at++;
		s->place.seq = 0;
		return OK;
	}
	return check_rows(s, feed, row_count, msg);
}

static enum err check_branches(struct scrub *s, size_t row_count, struct errmsg *msg)
{
	const struct feed *feed = feed_from(s->r, s->place.at);
	enum err rc = OK;

	if (!feed) {
		next_phase(s);
		return OK;
	}
	if (feed->idx != s->place.at)
		s->place.seq = 0;
	s->place.at = feed->idx;
	for (size_t i = 0; rc == OK && i < row_count; i++) {
		uint64_t seq = 0;
		bool is_sound = true;

		rc = store_branch_next(s->r->store, feed->idx, s->place.seq, &seq, msg);
		if (rc == OK && seq == 0) {
			s->place.at++;
			s->place.seq = 0;
			break;
		}
		if (rc == OK)
			rc = branch_check(s->r, feed, seq, &is_sound, msg);
		if (!is_sound)
			branch_note_damage(s->r, feed, seq);
		if (rc == OK)
			s->place.seq = seq;
	}
	return rc;
}

/* What came out of causal order is applied otherwise by a whole replay (M-21): before anything is
 * said to be wrong, the replay is done from its beginning. */
static void look_again(struct scrub *s, struct errmsg *msg)
{
	shadow_free(s->shadow);
	s->shadow = NULL;
	if (s->is_second_look) {
		damage_note_words(s->r, DAMAGE_STATE, msg->text);
		next_phase(s);
	}
	s->is_second_look = true;
}

static enum err check_state(struct scrub *s, size_t row_count, struct errmsg *msg)
{
	bool is_done = false, is_void = false;
	enum err rc = OK;

	if (s->place.is_partial) {
		next_phase(s);
		return OK;
	}
	if (!s->shadow)
		return shadow_new(&s->shadow, s->r, msg);
	rc = shadow_step(s->shadow, row_count, &is_done, &is_void, msg);
	if (is_damage(rc)) {
		look_again(s, msg);
		return OK;
	}
	if (rc == OK && is_void) {
		shadow_free(s->shadow);
		s->shadow = NULL;
	}
	if (rc == OK && is_done)
		next_phase(s);
	return rc;
}

static enum err (*const phases[PHASE_COUNT])(struct scrub *s, size_t row_count,
					     struct errmsg *msg) = {
	[PHASE_STRUCTURE] = check_table, [PHASE_STATEMENTS] = check_statements,
	[PHASE_LOG] = check_log,         [PHASE_BRANCHES] = check_branches,
	[PHASE_STATE] = check_state,
};

static enum err look(struct scrub *s, uint64_t now_ms, size_t row_count, struct errmsg *msg)
{
	bool changed;
	enum err rc;

	store_forget_pages(s->r->store); /* it is the disk that forgets */
	rc = store_begin_read(s->r->store, msg);
	if (rc != OK)
		return rc;
	rc = replica_refresh(s->r, &changed, msg);
	if (rc == OK)
		rc = phases[s->place.phase](s, row_count, msg);
	store_rollback(s->r->store);
	if (rc == OK && s->place.phase == PHASE_COUNT)
		end(s, now_ms);
	return rc;
}

/* ---- Making anew ------------------------------------------------------------- */

static enum err mend(struct scrub *s, struct errmsg *msg)
{
	enum damage_kind kind = can_refold(s) ? DAMAGE_FOLD : DAMAGE_STATE;
	enum err rc =
		kind == DAMAGE_FOLD ? membership_refold(s->r, msg) : replica_refill(s->r, msg);

	if (rc == OK || is_damage(rc))
		damage_settle(s->r, kind, rc == OK);
	return is_damage(rc) ? OK : rc;
}

enum err scrub_slice(struct scrub *s, uint64_t now_ms, size_t row_count, struct errmsg *msg)
{
	struct errmsg why = { 0 };
	enum err rc;

	if (can_mend(s)) {
		rc = mend(s, &why);
	} else {
		if (s->place.phase == PHASE_RESTING)
			begin(s, now_ms);
		rc = look(s, now_ms, row_count, &why);
	}
	if (rc != OK && msg)
		*msg = why;
	if (rc == OK && is_news(s, now_ms))
		rc = keep(s, now_ms);
	return rc;
}

void scrub_keep(struct scrub *s, uint64_t now_ms)
{
	if (is_news(s, now_ms) && keep(s, now_ms) != OK)
		s->kept_ms = 0;
}
