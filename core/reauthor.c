/* Writing again what is ours and counts no more: after a fork, a void epoch, or a branch that
 * was moved out of the log (M-19). The ops stay as they were; what they say of
 * re-authored writes names the new ones. */
#include <stdio.h>
#include <stdlib.h>

#include "core/replica_impl.h"

enum { PIECE_COUNT = 64, PIECE_BYTES = 1 << 20 };

/* In a space, changesets `first` .. `last` of `replica` were written again as those of `to`
 * from `to_first` on. */
struct rewritten {
	struct space_id space;
	struct replica_id replica, to;
	uint64_t first, last, to_first;
};

struct reauthor {
	struct replica *r;
	uint64_t now_ms;
	struct space_id space;
	struct rewritten *map;
	size_t map_count;
	struct arena arena; /* one changeset's */
	struct arena rows;
	struct arena state; /* what is there of the records of one */
	size_t done;
	struct errmsg *msg;
};

/* ---- Dots -------------------------------------------------------------------- */

static const struct rewritten *find(const struct reauthor *a, const struct dot *dot)
{
	for (size_t i = 0; i < a->map_count; i++)
		if (space_id_cmp(&a->map[i].space, &a->space) == 0 &&
		    replica_id_cmp(&a->map[i].replica, &dot->replica) == 0 &&
		    a->map[i].first <= dot->seq && dot->seq <= a->map[i].last)
			return &a->map[i];
	return NULL;
}

/* `seq` of the replica became `to`. */
static enum err note(struct reauthor *a, const struct replica_id *replica, uint64_t seq,
		     uint64_t to)
{
	struct rewritten *last = a->map_count ? &a->map[a->map_count - 1] : NULL;
	struct rewritten *map;

	if (last && space_id_cmp(&last->space, &a->space) == 0 &&
	    replica_id_cmp(&last->replica, replica) == 0 &&
	    replica_id_cmp(&last->to, &a->r->id) == 0 && seq == last->last + 1 &&
	    to == last->to_first + (seq - last->first)) {
		last->last = seq;
		return OK;
	}
	map = realloc(a->map, (a->map_count + 1) * sizeof(*map));
	if (!map)
		return ERR_NOMEM;
	a->map = map;
	a->map[a->map_count++] = (struct rewritten){ a->space, *replica, a->r->id, seq, seq, to };
	return OK;
}

static bool translate(const struct reauthor *a, struct dot *dot)
{
	const struct rewritten *to = find(a, dot);

	if (to)
		*dot = (struct dot){ to->to, to->to_first + (dot->seq - to->first) };
	return to != NULL;
}

/* What a void has seen of a replica is all before a seq: of what was written again it has
 * seen the new dots, and of the rest still the old ones. */
static enum err translate_all(struct reauthor *a, const struct target **list, size_t *count,
			      bool is_observed)
{
	struct target *out = arena_array(&a->arena, 2 * *count, sizeof(*out));
	size_t got = 0;

	if (!out)
		return ERR_NOMEM;
	for (size_t i = 0; i < *count; i++) {
		struct target t = (*list)[i];
		const struct rewritten *to = find(a, &t.dot);

		if (to && is_observed && to->first > 1)
			out[got++] = (struct target){ { t.dot.replica, to->first - 1 }, 0 };
		translate(a, &t.dot);
		out[got++] = t;
	}
	*list = out;
	*count = got;
	return OK;
}

static enum err translate_ops(struct reauthor *a, struct changeset *cs)
{
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < cs->op_count; i++) {
		struct op *op = &cs->ops[i];

		rc = translate_all(a, &op->targets, &op->target_count, false);
		if (rc == OK)
			rc = translate_all(a, &op->observed, &op->observed_count, true);
	}
	return rc;
}

/* ---- Feeds ------------------------------------------------------------------- */

static uint64_t own_head(const struct reauthor *a)
{
	const struct space_state *space = replica_space(a->r, &a->space);
	const struct feed *feed = space ? replica_feed(a->r, space, &a->r->id) : NULL;

	return feed ? feed->head.seq : 0;
}

/* ---- What is there already ---------------------------------------------------- */

static enum err element_is_there(struct reauthor *a, const struct op *op,
				 const struct changeset *cs, uint32_t space, bool *out)
{
	const struct kind *kind = schema_kind(op->kind);
	const struct field *field = kind ? kind_field(kind, op->field) : NULL;
	struct element *list = NULL;
	size_t count = 0;
	enum err rc = OK;

	*out = false;
	if (field)
		rc = store_elements(a->r->store, space, kind, &op->record, field, &a->state, &list,
				    &count, a->msg);
	for (size_t i = 0; rc == OK && i < count && !*out; i++)
		if (op->verb == VERB_ADD)
			*out = value_equal(&list[i].value, &op->value) &&
			       record_id_cmp(&list[i].author, &cs->author) == 0;
		else
			for (size_t t = 0; t < op->target_count; t++)
				*out |= list[i].n == op->targets[t].n &&
					dot_cmp(&list[i].stamp.dot, &op->targets[t].dot) == 0;
	return rc;
}

static bool record_says(const struct record *rec, const struct op *op)
{
	const struct entry *values;
	size_t count;

	if (op->verb == VERB_VOID)
		return record_life(rec) == RECORD_VOID;
	if (op->verb == VERB_REVIVE)
		return rec->void_count == 0;
	values = record_values(rec, op->field, &count);
	for (size_t i = 0; i < count; i++)
		if (value_equal(&values[i].value, &op->value))
			return true;
	return false;
}

/* The state is as the op would have it: somebody else has written it again, too. */
static enum err is_done(struct reauthor *a, const struct op *op, const struct changeset *cs,
			uint32_t space, bool *out)
{
	const struct kind *kind = schema_kind(op->kind);
	struct record rec;
	enum err rc;

	*out = false;
	if (!kind)
		return OK;
	if (verb_is_on_elements(op->verb)) {
		rc = element_is_there(a, op, cs, space, out);
		*out = *out == (op->verb == VERB_ADD);
		return rc;
	}
	rc = store_record_load(a->r->store, space, kind, &op->record, &a->state, &rec, a->msg);
	if (rc == OK)
		*out = record_says(&rec, op);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

static enum err all_is_done(struct reauthor *a, const struct changeset *cs, bool *out)
{
	const struct space_state *space = replica_space(a->r, &a->space);
	enum err rc = OK;

	*out = true;
	arena_reset(&a->state);
	for (size_t i = 0; rc == OK && *out && i < cs->op_count; i++)
		rc = is_done(a, &cs->ops[i], cs, space->idx, out);
	return rc;
}

/* ---- Writing ------------------------------------------------------------------ */

static enum err write_again(struct reauthor *a, const struct replica_id *replica,
			    const struct stored *row)
{
	struct changeset cs;
	bool done = false;
	enum err rc;

	arena_reset(&a->arena);
	rc = changeset_decode(&cs, row->body, replica, &a->arena, a->msg);
	if (rc == OK)
		rc = translate_ops(a, &cs);
	if (rc == OK)
		rc = all_is_done(a, &cs, &done);
	if (rc != OK || done)
		return rc;
	cs.deps = NULL;
	cs.dep_count = 0;
	rc = replica_write(a->r, &a->space, &cs, a->now_ms, &a->arena, a->msg);
	if (rc == OK)
		rc = note(a, replica, row->seq, own_head(a));
	a->done += rc == OK;
	return rc;
}

static void progress_key(char out[96], const struct replica_id *replica,
			 const struct space_id *space)
{
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];

	snprintf(out, 96, "reauthored:%s:%s", id_text(replica->bytes, a), id_text(space->bytes, b));
}

static enum err read_progress(struct reauthor *a, const char *key, uint64_t *out)
{
	struct buf text = BUF_EMPTY;
	enum err rc = store_setting_get(a->r->store, key, &text, NULL);

	*out = 0;
	buf_append_byte(&text, 0);
	if (rc == OK)
		rc = buf_check(&text);
	if (rc == OK)
		*out = strtoull((const char *)text.data, NULL, 10);
	buf_release(&text);
	return rc == ERR_NOT_FOUND ? OK : rc;
}

static enum err note_progress(struct reauthor *a, const char *key, uint64_t seq)
{
	char text[24];
	struct bytes value;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)seq);
	value = bytes_of_str(text);
	return store_setting_put(a->r->store, key, &value, a->msg);
}

enum err reauthor_note_moved(struct replica *r, const struct feed *feed, struct errmsg *msg)
{
	struct reauthor a = { .r = r, .msg = msg };
	char key[96];
	uint64_t seq;
	enum err rc;

	progress_key(key, &feed->replica, &r->spaces[feed->space].id);
	rc = read_progress(&a, key, &seq);
	return rc == OK && seq ? store_branch_done(r->store, feed->idx, seq, msg) : rc;
}

/* What is in the log and does not count. */
static enum err write_tail(struct reauthor *a, const struct feed *feed)
{
	const struct feed of = *feed; /* the caches may move */
	char key[96];
	uint64_t seq;
	enum err rc;

	progress_key(key, &of.replica, &a->space);
	rc = read_progress(a, key, &seq);
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
			rc = write_again(a, &of.replica, &rows[i]);
		if (rc == OK)
			rc = note_progress(a, key, seq = rows[count - 1].seq);
	}
	return rc;
}

/* What was moved out of it. */
static enum err write_branch(struct reauthor *a, const struct feed *feed)
{
	const struct feed of = *feed;
	size_t count = 1;
	enum err rc = OK;

	while (rc == OK && count) {
		struct stored rows[PIECE_COUNT];

		arena_reset(&a->rows);
		rc = store_read_branch(a->r->store, of.idx, PIECE_COUNT, &a->rows, rows, &count,
				       a->msg);
		for (size_t i = 0; rc == OK && i < count; i++)
			rc = write_again(a, &of.replica, &rows[i]);
		if (rc == OK && count)
			rc = store_branch_done(a->r->store, of.idx, rows[count - 1].seq, a->msg);
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

/* Something of the feed waits to be written again: its tail, or its branch. */
static enum err look(struct reauthor *a, const struct feed *feed, bool is_branch, bool *waits)
{
	struct stored row;
	char key[96];
	uint64_t seq = 0;
	size_t count = 0;
	enum err rc = OK;

	if (is_branch) {
		arena_reset(&a->rows);
		rc = store_read_branch(a->r->store, feed->idx, 1, &a->rows, &row, &count, a->msg);
	} else if (has_void_tail(a, feed)) {
		progress_key(key, &feed->replica, &a->space);
		rc = read_progress(a, key, &seq);
		count = seq < feed->head.seq;
	}
	*waits = count > 0;
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
	return replica_role(a->r, replica_self(a->r), &a->space) >= ROLE_EDITOR;
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
	if (rc != OK || only_look || !waits_here)
		return rc;
	return is_branch ? write_branch(a, feed) : write_tail(a, feed);
}

static enum err reauthor_feeds(struct reauthor *a, const struct replica_id *epoch, bool is_branch,
			       bool only_look, bool *waits)
{
	enum err rc = OK;

	if (replica_id_cmp(epoch, &a->r->id) == 0 || is_revoked(a, epoch))
		return OK;
	for (uint32_t i = 0; rc == OK && i < a->r->space_count; i++) {
		a->space = a->r->spaces[i].id;
		rc = reauthor_feed(a, epoch, is_branch, only_look, waits);
	}
	return rc;
}

/* What one feed of the past has said, in all spaces, in one transaction. Under an id of its own:
 * what we wrote meanwhile did not know of it, so neither may replace the other. */
static enum err reauthor_source(struct reauthor *a, const struct replica_id *epoch, bool is_branch)
{
	struct replica *r = a->r;
	bool waits = false;
	enum err rc = reauthor_feeds(a, epoch, is_branch, true, &waits);

	if (rc != OK || !waits)
		return rc;
	rc = replica_begin(r, a->msg);
	if (rc == OK && r->own_count > 0)
		rc = replica_new_epoch(r, EPOCH_FORKED, NULL, NULL, a->now_ms, a->msg);
	if (rc == OK && replica_check_member(r, NULL) != OK) /* the epochs are used up */
		return replica_commit(r, a->msg);
	if (rc == OK)
		rc = reauthor_feeds(a, epoch, is_branch, false, &waits);
	if (rc == OK)
		return replica_commit(r, a->msg);
	replica_rollback(r);
	return rc;
}

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
			    size_t *count, struct errmsg *msg)
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
	struct replica_id *epochs;
	size_t epoch_count = 0;
	enum err rc = list_epochs(r, &arena, &epochs, &epoch_count, msg);

	*count = 0;
	if (rc == OK && epoch_count && r->may_edit && replica_check_member(r, NULL) == OK)
		for (size_t i = 0; rc == OK && i < 2 * epoch_count; i++)
			rc = reauthor_source(&a, &epochs[i / 2], i % 2);
	*count = a.done;
	free(a.map);
	arena_release(&a.arena);
	arena_release(&a.rows);
	arena_release(&a.state);
	arena_release(&arena);
	return rc;
}

/* ---- Healing ----------------------------------------------------------------- */

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

static bool is_ours(struct replica *r, const struct replica_id *replica, struct errmsg *msg)
{
	struct arena arena = ARENA_EMPTY;
	struct replica_id *epochs;
	size_t count = 0;
	bool found = replica_id_cmp(replica, &r->id) == 0;

	if (!found && list_epochs(r, &arena, &epochs, &count, msg) == OK)
		for (size_t i = 0; i < count; i++)
			found |= replica_id_cmp(replica, &epochs[i]) == 0;
	arena_release(&arena);
	return found;
}

static enum err names(const struct sealed *s, const struct replica_id *replica, uint64_t seq,
		      struct arena *arena, struct vv *past, bool *out, struct errmsg *msg)
{
	struct changeset cs;
	enum err rc;

	if (replica_id_cmp(&s->replica, replica) == 0)
		return OK;
	arena_reset(arena);
	rc = changeset_decode(&cs, s->body, &s->replica, arena, msg);
	if (rc == OK)
		rc = changeset_past(past, &cs);
	*out = rc == OK && vv_get(past, replica) >= seq;
	return rc;
}

/* Somebody has seen the feed from `seq` on as it is here, and has written since. */
static enum err is_named(struct replica *r, const struct space_id *space,
			 const struct replica_id *replica, uint64_t seq, bool *out,
			 struct errmsg *msg)
{
	struct arena rows = ARENA_EMPTY, decoding = ARENA_EMPTY;
	struct vv done = VV_EMPTY, past = VV_EMPTY;
	struct sealed *list;
	size_t count = 1;
	bool more = true;
	enum err rc = OK;

	while (rc == OK && more && !*out) {
		arena_reset(&rows);
		rc = missing_read(r, space, &done, false, PIECE_BYTES, PIECE_COUNT, &rows, &list,
				  &count, &more, msg);
		for (size_t i = 0; rc == OK && i < count && !*out; i++) {
			rc = names(&list[i], replica, seq, &decoding, &past, out, msg);
			if (rc == OK)
				rc = vv_raise(&done, &list[i].replica, list[i].seq);
		}
	}
	vv_release(&done);
	vv_release(&past);
	arena_release(&rows);
	arena_release(&decoding);
	return rc;
}

/* Others have our branch, too: it was healed before, or they have gone on from it. */
static enum err is_shared(struct replica *r, const struct space_id *space_id,
			  const struct replica_id *replica, uint64_t fork_seq, bool *out,
			  struct errmsg *msg)
{
	const struct space_state *space = replica_space(r, space_id);
	const struct feed *feed = space ? replica_feed(r, space, replica) : NULL;
	struct arena arena = ARENA_EMPTY;
	struct stored row;
	size_t count = 0;
	enum err rc = OK;

	*out = false;
	if (!feed || feed->head.seq < fork_seq)
		return OK;
	rc = store_read_branch_from(r->store, feed->idx, 1, 1, &arena, &row, &count, msg);
	arena_release(&arena);
	*out = count > 0;
	return rc == OK && !*out ? is_named(r, space_id, replica, fork_seq, out, msg) : rc;
}

/* Begin anew and move our branch out, in the open transaction. */
static enum err part(struct replica *r, const struct space_id *space_id,
		     const struct replica_id *replica, uint64_t fork_seq, uint64_t now_ms,
		     struct errmsg *msg)
{
	const struct space_state *space;
	struct feed *feed;
	enum err rc = OK;

	if (replica_id_cmp(replica, &r->id) == 0)
		rc = replica_new_epoch(r, fork_seq ? EPOCH_FORKED : EPOCH_BEHIND, NULL, NULL,
				       now_ms, msg);
	space = replica_space(r, space_id);
	feed = space ? replica_feed(r, space, replica) : NULL;
	if (rc == OK && fork_seq && feed && feed->head.seq >= fork_seq)
		rc = quarantine_branch_off(r, feed, fork_seq, msg);
	return rc;
}

enum err replica_heal_own(struct replica *r, const struct space_id *space,
			  const struct replica_id *replica, uint64_t fork_seq,
			  const struct witness *theirs, uint64_t now_ms, struct errmsg *msg)
{
	const struct replica_id id = *replica; /* it may be ours, which changes */
	const struct trust_epoch *epoch = r->trust ? trust_epoch(r->trust, &id) : NULL;
	bool shared = false;
	enum err rc;

	if (!epoch || !is_ours(r, &id, msg))
		return errmsg_set(msg, ERR_REPLICA, "the feed is not one of ours");
	if (fork_seq && !witness_is_valid(theirs, space, &id, fork_seq, epoch->identity.sign_key))
		return errmsg_set(msg, ERR_SIGNATURE, "what is said to be ours is a forgery");
	rc = replica_begin(r, msg);
	if (rc != OK)
		return rc;
	if (fork_seq)
		rc = is_shared(r, space, &id, fork_seq, &shared, msg);
	if (rc == OK)
		rc = shared ? fork_prove(r, space, &(struct dot){ id, fork_seq }, theirs, now_ms,
					 msg)
			    : part(r, space, &id, fork_seq, now_ms, msg);
	if (rc == OK)
		rc = replica_commit(r, msg);
	else
		replica_rollback(r);
	return rc == OK ? reauthor_after_change(r, now_ms, msg) : rc;
}
