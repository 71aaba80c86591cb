/* Writing again what is ours and counts no more: after a fork, a void epoch, or a branch that
 * was moved out of the log (M-19). The ops stay as they were; what they say of
 * re-authored writes names the new ones. */
#include <stdlib.h>

#include "core/branch.h"
#include "core/limits.h"
#include "core/rewritten.h"
#include "core/wire.h"

enum { PIECE_COUNT = 64, PIECE_BYTES = 1 << 20 };

/* Which feed of the past our epoch goes on with, and how many changesets it had then. */
#define SETTING_REAUTHORING "reauthoring"

struct reauthor {
	struct replica *r;
	uint64_t now_ms;
	struct space_id space;
	struct replica_id *epochs; /* whose feeds may have to be: those of this copy first */
	size_t epoch_count, former_count;
	struct rewritten *map; /* of the epochs in this space, in their order */
	struct rewritten *source;
	struct arena arena; /* one changeset's */
	struct arena rows;
	struct arena state; /* what is there of the records of one */
	size_t done;
	struct errmsg *msg;
};

/* ---- Dots -------------------------------------------------------------------- */

static const struct rewritten *map_of(const struct reauthor *a, const struct replica_id *replica)
{
	for (size_t i = 0; i < a->epoch_count; i++)
		if (replica_id_cmp(&a->epochs[i], replica) == 0)
			return &a->map[i];
	return NULL;
}

/* So much of a feed is held. */
static uint64_t held_to(const struct reauthor *a, const struct replica_id *replica)
{
	const struct space_state *space = replica_space(a->r, &a->space);
	const struct feed *feed = space ? replica_feed(a->r, space, replica) : NULL;

	return feed ? feed->head.seq : 0;
}

/* What was lost here with the damage, and is still to come from others, can't be named: nothing
 * is written before what it speaks of is held (I-4). It stands beside it then. */
static enum err translate_targets(struct reauthor *a, struct op *op)
{
	struct target *out = arena_array(&a->arena, op->target_count, sizeof(*out));
	size_t got = 0;

	if (!out)
		return ERR_NOMEM;
	for (size_t i = 0; i < op->target_count; i++) {
		const struct rewritten *w = map_of(a, &op->targets[i].dot.replica);

		out[got] = op->targets[i];
		if (w)
			rewritten_find(w, out[got].dot.seq, &out[got].dot);
		got += out[got].dot.seq <= held_to(a, &out[got].dot.replica);
	}
	op->targets = out;
	op->target_count = got;
	return OK;
}

/* What a void has seen of a replica is all before a seq: of what was written again it has
 * seen the new dots, and of the rest still the old ones, as far as they are held. More than an
 * op can say is left out: then people are asked. */
static enum err translate_observed(struct reauthor *a, struct op *op)
{
	struct target *out = arena_array(&a->arena, OP_REPLACED_MAX, sizeof(*out));
	size_t got = 0;

	if (!out)
		return ERR_NOMEM;
	for (size_t i = 0; i < op->observed_count; i++) {
		const struct dot *dot = &op->observed[i].dot;
		const struct rewritten *w = map_of(a, &dot->replica);
		struct dot *seen = arena_array(&a->arena, w ? w->count + 1 : 1, sizeof(*seen));
		size_t count = 1;

		if (!seen)
			return ERR_NOMEM;
		seen[0] = *dot;
		if (w)
			count = rewritten_seen(w, dot->seq, seen);
		for (size_t k = 0; k < count && got < OP_REPLACED_MAX; k++) {
			uint64_t held = held_to(a, &seen[k].replica);

			out[got] = (struct target){ seen[k], 0 };
			if (out[got].dot.seq > held)
				out[got].dot.seq = held;
			got += out[got].dot.seq > 0;
		}
	}
	op->observed = out;
	op->observed_count = got;
	return OK;
}

static enum err translate_ops(struct reauthor *a, struct changeset *cs)
{
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < cs->op_count; i++) {
		struct op *op = &cs->ops[i];

		if (op->target_count)
			rc = translate_targets(a, op);
		if (rc == OK && op->observed_count)
			rc = translate_observed(a, op);
	}
	return rc;
}

/* ---- What is there already ---------------------------------------------------- */

/* A changeset to be written again, and what of it the state says as another one. */
struct draft {
	struct changeset cs;
	struct dot as;
	bool has_as, is_mixed;
};

static void note_equal(struct draft *d, const struct dot *dot, bool has_same_number)
{
	d->is_mixed |= !has_same_number || (d->has_as && dot_cmp(&d->as, dot) != 0);
	d->as = *dot;
	d->has_as = true;
}

static bool is_by_this_copy(const struct reauthor *a, const struct replica_id *replica)
{
	for (size_t i = 0; i < a->former_count; i++)
		if (replica_id_cmp(&a->epochs[i], replica) == 0)
			return true;
	return replica_id_cmp(&a->r->id, replica) == 0;
}

/* Another copy has added it again. Equal ones that were there before, or that this copy has
 * written, are others: people do say a thing twice. */
static bool is_added(const struct reauthor *a, const struct draft *d, const struct op *op,
		     const struct element *there)
{
	return value_equal(&there->value, &op->value) &&
	       record_id_cmp(&there->author, &d->cs.author) == 0 &&
	       hlc_cmp(there->stamp.hlc, d->cs.hlc) > 0 &&
	       !is_by_this_copy(a, &there->stamp.dot.replica);
}

static bool is_target(const struct op *op, const struct element *there)
{
	for (size_t i = 0; i < op->target_count; i++)
		if (there->n == op->targets[i].n &&
		    dot_cmp(&there->stamp.dot, &op->targets[i].dot) == 0)
			return true;
	return false;
}

static enum err elements_are_done(struct reauthor *a, struct draft *d, const struct op *op,
				  const struct kind *kind, uint32_t space, bool *out)
{
	const struct field *field = kind_field(kind, op->field);
	struct element *list = NULL;
	size_t count = 0;
	bool found = false;
	enum err rc = OK;

	if (field)
		rc = store_elements(a->r->store, space, kind, &op->record, field, &a->state, &list,
				    &count, a->msg);
	for (size_t i = 0; rc == OK && i < count && !found; i++) {
		found = op->verb == VERB_ADD ? is_added(a, d, op, &list[i])
					     : is_target(op, &list[i]);
		if (found && op->verb == VERB_ADD)
			note_equal(d, &list[i].stamp.dot, list[i].n == op->n);
	}
	*out = field && found == (op->verb == VERB_ADD);
	return rc;
}

static bool record_says(struct draft *d, const struct record *rec, const struct op *op)
{
	const struct entry *values;
	size_t count;

	if (op->verb == VERB_VOID)
		return record_life(rec) == RECORD_VOID;
	if (op->verb == VERB_REVIVE)
		return rec->void_count == 0;
	values = record_values(rec, op->field, &count);
	for (size_t i = 0; i < count; i++)
		if (value_equal(&values[i].value, &op->value)) {
			note_equal(d, &values[i].stamp.dot, true);
			return true;
		}
	return false;
}

static bool is_on_text(const struct kind *kind, const struct op *op)
{
	const struct field *field = kind_field(kind, op->field);

	return field && field->merge == MERGE_TEXT;
}

static enum err text_says(struct reauthor *a, struct draft *d, const struct record *rec,
			  const struct op *op, uint32_t space, bool *out)
{
	struct dot dot;
	enum err rc = text_find_twin(a->r->store, space, rec, op, &a->state, &dot, out, a->msg);

	if (rc == OK && *out)
		note_equal(d, &dot, true);
	return rc;
}

/* The state is as the op would have it: somebody else has written it again, too. */
static enum err is_done(struct reauthor *a, struct draft *d, const struct op *op, uint32_t space,
			bool *out)
{
	const struct kind *kind = schema_kind(op->kind);
	struct record rec;
	enum err rc;

	*out = false;
	if (!kind)
		return OK;
	if (verb_is_on_elements(op->verb))
		return elements_are_done(a, d, op, kind, space, out);
	rc = store_record_load(a->r->store, space, kind, &op->record, &a->state, &rec, a->msg);
	if (rc == OK && is_on_text(kind, op))
		rc = text_says(a, d, &rec, op, space, out);
	else if (rc == OK)
		*out = record_says(d, &rec, op);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

static enum err all_is_done(struct reauthor *a, struct draft *d, bool *out)
{
	const struct space_state *space = replica_space(a->r, &a->space);
	enum err rc = OK;

	*out = true;
	arena_reset(&a->state);
	for (size_t i = 0; rc == OK && *out && i < d->cs.op_count; i++)
		rc = is_done(a, d, &d->cs.ops[i], space->idx, out);
	return rc;
}

/* ---- Writing ------------------------------------------------------------------ */

/* What names it from now on names what it became, by whomever. */
static enum err note(struct reauthor *a, const struct draft *d, uint64_t seq, bool is_written)
{
	struct dot own = { a->r->id, held_to(a, &a->r->id) };

	if (is_written)
		return rewritten_note(a->source, seq, &own);
	return d->has_as && !d->is_mixed ? rewritten_note(a->source, seq, &d->as) : OK;
}

static enum err write_again(struct reauthor *a, const struct stored *row)
{
	struct draft d = { .has_as = false };
	bool done = false;
	enum err rc;

	arena_reset(&a->arena);
	rewritten_see(a->source, row->seq);
	rc = changeset_decode(&d.cs, row->body, &a->source->replica, &a->arena, a->msg);
	if (rc == OK)
		rc = translate_ops(a, &d.cs);
	if (rc == OK)
		rc = all_is_done(a, &d, &done);
	d.cs.deps = NULL;
	d.cs.dep_count = 0;
	if (rc == OK && !done)
		rc = replica_write(a->r, &a->space, &d.cs, a->now_ms, &a->arena, a->msg);
	a->done += rc == OK && !done;
	return rc == OK ? note(a, &d, row->seq, !done) : rc;
}

enum err reauthor_done_to(struct replica *r, const struct feed *feed, uint64_t *out,
			  struct errmsg *msg)
{
	struct rewritten w;
	enum err rc = rewritten_load(&w, r->store, &feed->replica, &r->spaces[feed->space].id, msg);

	if (rc != OK)
		return rc;
	*out = w.log_seq;
	rewritten_release(&w);
	return OK;
}

/* What is in the log and does not count. */
static enum err write_tail(struct reauthor *a, const struct feed *feed)
{
	const struct feed of = *feed; /* the caches may move */
	uint64_t seq = a->source->log_seq;
	enum err rc = OK;

	if (seq < of.counts_to)
		seq = of.counts_to;
	while (rc == OK && seq < of.head.seq) {
		struct stored rows[PIECE_COUNT];
		size_t count = 0;

		arena_reset(&a->rows);
		rc = store_read(a->r->store, of.idx, seq + 1, PIECE_COUNT, PIECE_BYTES, &a->rows,
				rows, &count, a->msg);
		if (rc == OK && count == 0)
			rc = errmsg_set(a->msg, ERR_CORRUPT, "the log has a gap at seq %llu",
					(unsigned long long)seq + 1);
		for (size_t i = 0; rc == OK && i < count; i++)
			rc = write_again(a, &rows[i]);
		if (rc == OK)
			seq = rows[count - 1].seq;
	}
	a->source->log_seq = seq;
	return rc;
}

/* One that is damaged would say under our name what nobody has said. */
static enum err write_branched(struct reauthor *a, const struct feed *of, const struct stored *row)
{
	bool is_sound = false;
	enum err rc = branch_is_sound(a->r, of, row, &is_sound, a->msg);

	if (rc == OK && is_sound)
		rc = write_again(a, row);
	else if (rc == OK)
		branch_note_damage(a->r, of, row->seq);
	return rc == OK ? store_branch_done(a->r->store, of->idx, row, a->msg) : rc;
}

/* What was moved out of it. */
static enum err write_branch(struct reauthor *a, const struct feed *feed)
{
	const struct feed of = *feed;
	uint64_t seq = 0;
	enum err rc = store_branch_waiting(a->r->store, of.idx, &seq, a->msg);

	while (rc == OK && seq) {
		struct stored rows[BRANCHES_MAX];
		size_t count = 0;

		arena_reset(&a->rows);
		rc = store_read_branch(a->r->store, of.idx, seq, BRANCHES_MAX, &a->rows, rows,
				       &count, a->msg);
		for (size_t i = 0; rc == OK && i < count; i++)
			rc = write_branched(a, &of, &rows[i]);
		if (rc == OK && count == 0) {
			branch_note_damage(a->r, &of, seq);
			rc = store_branch_pass(a->r->store, of.idx, seq, a->msg);
		}
		if (rc == OK)
			rc = store_branch_waiting(a->r->store, of.idx, &seq, a->msg);
	}
	return rc;
}

/* What somebody cut off stays off: only an accident is made good. A fork is one, too, but
 * what lies beyond it is in a branch. */
static bool has_void_tail(const struct reauthor *a, const struct feed *feed)
{
	enum cut_cause cause = trust_cut(a->r->trust, &feed->replica, &a->space).cause;

	return (cause == CUT_VOID || cause == CUT_SURPLUS) && feed->counts_to < feed->head.seq;
}

/* What a cut names is still to come (M-16). Before that nobody can say what of our branch is in it,
 * too, and what the rest speaks of may not be here. */
static bool is_to_be_filled(const struct reauthor *a, const struct feed *feed)
{
	struct trust_cut cut = trust_cut(a->r->trust, &feed->replica, &a->space);

	return cut.has_link && feed->head.seq < cut.seq;
}

/* Something of the feed waits to be written again, and can be: its tail, or its branch. */
static enum err look(struct reauthor *a, const struct feed *feed, bool is_branch, bool *waits)
{
	uint64_t seq = 0;
	enum err rc = OK;

	*waits = false;
	if (is_branch && is_to_be_filled(a, feed))
		return OK;
	if (is_branch) {
		rc = store_branch_waiting(a->r->store, feed->idx, &seq, a->msg);
		*waits = rc == OK && seq > 0;
	} else if (has_void_tail(a, feed)) {
		rc = reauthor_done_to(a->r, feed, &seq, a->msg);
		*waits = rc == OK && seq < feed->head.seq;
	}
	return rc;
}

/* A node that was revoked wrote under this id: whether it counts an admin says. */
static bool is_revoked(const struct reauthor *a, const struct replica_id *replica)
{
	const struct trust_epoch *epoch = trust_epoch(a->r->trust, replica);
	const struct trust_node *node = epoch ? trust_node(a->r->trust, &epoch->node) : NULL;

	return node && node->is_revoked;
}

/* Until its office may write there again, it would count no more than before. */
static bool may_write(const struct reauthor *a)
{
	const struct member *self = replica_self(a->r);

	return self && replica_role(a->r, self, &a->space) >= ROLE_EDITOR;
}

/* ---- One feed of the past ------------------------------------------------------- */

static void release_map(struct reauthor *a)
{
	for (size_t i = 0; a->map && i < a->epoch_count; i++)
		rewritten_release(&a->map[i]);
	free(a->map);
	a->map = NULL;
}

static enum err load_map(struct reauthor *a, const struct replica_id *epoch)
{
	enum err rc = OK;

	a->map = calloc(a->epoch_count, sizeof(*a->map));
	if (!a->map)
		return ERR_NOMEM;
	for (size_t i = 0; rc == OK && i < a->epoch_count; i++) {
		rc = rewritten_load(&a->map[i], a->r->store, &a->epochs[i], &a->space, a->msg);
		if (replica_id_cmp(&a->epochs[i], epoch) == 0)
			a->source = &a->map[i];
	}
	return rc;
}

static enum err write_feed(struct reauthor *a, const struct feed *feed, bool is_branch)
{
	enum err rc = load_map(a, &feed->replica);

	if (rc == OK)
		rc = is_branch ? write_branch(a, feed) : write_tail(a, feed);
	if (rc == OK)
		rc = rewritten_save(a->source, a->r->store, a->msg);
	release_map(a);
	return rc;
}

/* In one space. */
static enum err reauthor_feed(struct reauthor *a, const struct replica_id *epoch, bool is_branch,
			      bool only_look, bool *waits)
{
	const struct feed *feed = replica_feed(a->r, replica_space(a->r, &a->space), epoch);
	bool waits_here = false;
	enum err rc = OK;

	if (feed && may_write(a))
		rc = look(a, feed, is_branch, &waits_here);
	*waits |= waits_here;
	return rc == OK && waits_here && !only_look ? write_feed(a, feed, is_branch) : rc;
}

static enum err reauthor_feeds(struct reauthor *a, const struct replica_id *epoch, bool is_branch,
			       bool only_look, bool *waits)
{
	enum err rc = OK;

	*waits = false;
	if (replica_id_cmp(epoch, &a->r->id) == 0 || is_revoked(a, epoch))
		return OK;
	for (uint32_t i = 0; rc == OK && i < a->r->space_count; i++) {
		a->space = a->r->spaces[i].id;
		rc = reauthor_feed(a, epoch, is_branch, only_look, waits);
	}
	return rc;
}

/* Since our epoch wrote of this feed last, it has written nothing. */
static enum err goes_on(struct reauthor *a, const struct replica_id *epoch, bool is_branch,
			bool *out)
{
	struct replica_id id = { 0 }, of = { 0 };
	struct buf stored = BUF_EMPTY;
	enum err rc = store_setting_get(a->r->store, SETTING_REAUTHORING, &stored, NULL);
	struct wire_reader r = wire_reader_of(buf_bytes(&stored));

	*out = false;
	if (rc == OK) {
		wire_array(&r, 4);
		wire_bin_exact(&r, id.bytes, ID_BYTES);
		wire_bin_exact(&r, of.bytes, ID_BYTES);
		*out = wire_bool(&r) == is_branch;
		*out &= wire_uint(&r, UINT64_MAX) == a->r->own_count && wire_end(&r) == OK &&
			replica_id_cmp(&id, &a->r->id) == 0 && replica_id_cmp(&of, epoch) == 0;
	}
	buf_release(&stored);
	if (rc == OK || rc == ERR_NOT_FOUND)
		return OK;
	return errmsg_set(a->msg, rc, "read the setting %s", SETTING_REAUTHORING);
}

static enum err note_going_on(struct reauthor *a, const struct replica_id *epoch, bool is_branch)
{
	struct buf out = BUF_EMPTY;
	struct bytes value;
	enum err rc;

	wire_put_array(&out, 4);
	wire_put_bin(&out, bytes_of(a->r->id.bytes, ID_BYTES));
	wire_put_bin(&out, bytes_of(epoch->bytes, ID_BYTES));
	wire_put_bool(&out, is_branch);
	wire_put_uint(&out, a->r->own_count);
	rc = buf_check(&out);
	value = buf_bytes(&out);
	if (rc == OK)
		rc = store_setting_put(a->r->store, SETTING_REAUTHORING, &value, a->msg);
	buf_release(&out);
	return rc;
}

/* A fork was proved earlier in the feed than before: under our id stands already what came after
 * what waits, and would be replaced by it. */
static enum err is_late_in(struct reauthor *a, const struct feed *feed, bool *out)
{
	struct rewritten w;
	uint64_t seq = 0;
	enum err rc = rewritten_load(&w, a->r->store, &feed->replica, &a->space, a->msg);

	if (rc != OK)
		return rc;
	rc = store_branch_waiting(a->r->store, feed->idx, &seq, a->msg);
	*out |= rc == OK && seq && seq <= rewritten_last(&w, &a->r->id);
	rewritten_release(&w);
	return rc;
}

static enum err is_late(struct reauthor *a, const struct replica_id *epoch, bool *out)
{
	enum err rc = OK;

	*out = false;
	for (uint32_t i = 0; rc == OK && i < a->r->space_count; i++) {
		const struct feed *feed = replica_feed(a->r, &a->r->spaces[i], epoch);

		a->space = a->r->spaces[i].id;
		if (feed)
			rc = is_late_in(a, feed, out);
	}
	return rc;
}

/* Under an id of its own: what we wrote meanwhile did not know of it, so neither may replace the
 * other. */
static enum err write_source(struct reauthor *a, const struct replica_id *epoch, bool is_branch)
{
	bool waits, same, late = false;
	enum err rc = goes_on(a, epoch, is_branch, &same);

	if (rc == OK && same && is_branch)
		rc = is_late(a, epoch, &late);
	same &= !late;
	if (rc == OK && a->r->own_count > 0 && !same)
		rc = replica_new_epoch(a->r, EPOCH_FORKED, NULL, NULL, a->now_ms, a->msg);
	if (rc != OK || replica_check_member(a->r, NULL) != OK)
		return rc; /* the epochs are used up */
	rc = reauthor_feeds(a, epoch, is_branch, false, &waits);
	return rc == OK ? note_going_on(a, epoch, is_branch) : rc;
}

/* What one feed of the past has said, in all spaces, in one transaction. */
static enum err reauthor_source(struct reauthor *a, const struct replica_id *epoch, bool is_branch)
{
	bool waits = false;
	enum err rc = reauthor_feeds(a, epoch, is_branch, true, &waits);

	if (rc != OK || !waits)
		return rc;
	rc = replica_begin(a->r, a->msg);
	/* Another process may have been faster. */
	if (rc == OK)
		rc = reauthor_feeds(a, epoch, is_branch, true, &waits);
	if (rc == OK && waits)
		rc = write_source(a, epoch, is_branch);
	if (rc == OK && waits)
		return replica_commit(a->r, a->msg);
	replica_rollback(a->r);
	return rc;
}

/* ---- Whose feeds ---------------------------------------------------------------- */

static bool is_same_node(const struct replica *r, const struct replica_id *a,
			 const struct trust_epoch *b)
{
	const struct trust_epoch *epoch = trust_epoch(r->trust, a);

	return epoch && record_id_cmp(&epoch->node, &b->node) == 0;
}

/* Of the node that we are, or that we were before we enrolled anew. */
static bool is_of_ours(const struct replica *r, const struct replica_id *former, size_t count,
		       const struct trust_epoch *epoch)
{
	bool is_ours = is_same_node(r, &r->id, epoch);

	for (size_t i = 0; i < count && !is_ours; i++)
		is_ours = is_same_node(r, &former[i], epoch);
	return is_ours;
}

/* Those under which this copy has written, in order, and the others of its nodes: of a copy
 * that is gone there may be nobody else to write again what it has shared. */
static enum err list_epochs(struct replica *r, struct arena *arena, struct replica_id **out,
			    size_t *former_count, size_t *count, struct errmsg *msg)
{
	size_t known = 0, got, others = r->trust ? r->trust->epoch_count : 0;
	struct replica_id *former, *list;
	enum err rc = epoch_former(r, arena, &former, &known, msg);

	if (rc != OK)
		return rc;
	list = arena_array(arena, known + others, sizeof(*list));
	if (!list)
		return ERR_NOMEM;
	if (known)
		memcpy(list, former, known * sizeof(*list));
	got = known;
	for (size_t i = 0; i < others; i++) {
		const struct trust_epoch *epoch = &r->trust->epochs[i];
		bool is_listed = !is_of_ours(r, former, known, epoch);

		for (size_t k = 0; k < known; k++)
			is_listed |= replica_id_cmp(&former[k], &epoch->replica) == 0;
		if (!is_listed)
			list[got++] = epoch->replica;
	}
	*out = list;
	*former_count = known;
	*count = got;
	return OK;
}

enum err reauthor_concerns(struct replica *r, const struct replica_id *replica, bool *out,
			   struct errmsg *msg)
{
	const struct trust_epoch *epoch = trust_epoch(r->trust, replica);
	struct arena arena = ARENA_EMPTY;
	struct replica_id *former;
	size_t count = 0;
	enum err rc = epoch_former(r, &arena, &former, &count, msg);

	*out = rc == OK && epoch && is_of_ours(r, former, count, epoch);
	arena_release(&arena);
	return rc;
}

enum err replica_reauthor(struct replica *r, uint64_t now_ms, size_t *count, struct errmsg *msg)
{
	struct reauthor a = { .r = r, .now_ms = now_ms, .msg = msg };
	struct arena arena = ARENA_EMPTY;
	enum err rc = list_epochs(r, &arena, &a.epochs, &a.former_count, &a.epoch_count, msg);

	*count = 0;
	if (rc == OK && r->may_edit && replica_check_member(r, NULL) == OK)
		for (size_t i = 0; rc == OK && i < 2 * a.epoch_count; i++)
			rc = reauthor_source(&a, &a.epochs[i / 2], i % 2);
	*count = a.done;
	arena_release(&a.arena);
	arena_release(&a.rows);
	arena_release(&a.state);
	arena_release(&arena);
	return rc;
}

enum err reauthor_after_change(struct replica *r, uint64_t now_ms, struct errmsg *msg)
{
	size_t count;
	enum err rc = OK;

	if (!r->may_edit || replica_check_member(r, NULL) != OK)
		return OK;
	if (epoch_is_forked(r))
		rc = replica_new_epoch(r, EPOCH_FORKED, NULL, NULL, now_ms, msg);
	return rc == OK ? replica_reauthor(r, now_ms, &count, msg) : rc;
}
