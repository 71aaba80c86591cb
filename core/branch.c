#include "core/branch.h"

const struct stored *branch_before(const struct stored *rows, size_t count,
				   const struct space_id *space, const struct feed *feed,
				   const struct stored *next)
{
	for (size_t i = 0; i < count; i++) {
		struct feed_head head = { .seq = rows[i].seq };
		uint8_t link[LINK_BYTES];

		memcpy(head.link, rows[i].link, LINK_BYTES);
		memcpy(head.signature, rows[i].signature, SIGNATURE_BYTES);
		changeset_link(link, space, &feed->replica, &head, next->body);
		if (memcmp(link, next->link, LINK_BYTES) == 0)
			return &rows[i];
	}
	return NULL;
}

/* What it may continue, of the log and of the branches. */
static enum err read_before(struct replica *r, const struct feed *feed, uint64_t seq,
			    struct arena *arena, struct stored out[BRANCHES_MAX + 1], size_t *count,
			    struct errmsg *msg)
{
	static const uint8_t zeros[SIGNATURE_BYTES];
	size_t got = 0, more = 0;
	enum err rc;

	if (seq <= 1) {
		out[0] = (struct stored){ .signature = zeros, .link = zeros };
		*count = 1;
		return OK;
	}
	rc = store_read_branch_at(r->store, feed->idx, seq - 1, BRANCHES_MAX, arena, out, &got,
				  msg);
	if (rc == OK)
		rc = store_read(r->store, feed->idx, seq - 1, 1, SIZE_MAX, arena, &out[got], &more,
				NULL);
	if (rc != OK && rc != ERR_CORRUPT)
		return rc;
	*count = got + (rc == OK && more && out[got].seq == seq - 1);
	return OK;
}

/* All that can be told of a row without the one before it. */
static enum err is_plausible(struct replica *r, const struct feed *feed, const struct stored *row,
			     struct arena *arena, bool *out)
{
	struct changeset cs;
	enum err rc = OK;

	*out = feed_is_signed(r, feed, row->signature, row->link);
	if (*out)
		rc = changeset_decode(&cs, row->body, &feed->replica, arena, NULL);
	*out &= rc == OK;
	return rc == ERR_NOMEM ? rc : OK;
}

enum err branch_is_sound(struct replica *r, const struct feed *feed, const struct stored *row,
			 bool *out, struct errmsg *msg)
{
	const struct space_id *space = &r->spaces[feed->space].id;
	struct stored before[BRANCHES_MAX + 1];
	struct arena arena = ARENA_EMPTY;
	bool is_sound = false;
	size_t count = 0;
	enum err rc = read_before(r, feed, row->seq, &arena, before, &count, msg);

	if (rc == OK && count)
		is_sound = branch_before(before, count, space, feed, row);
	else if (rc == OK)
		rc = is_plausible(r, feed, row, &arena, &is_sound);
	arena_release(&arena);
	if (rc == OK)
		*out = is_sound;
	return rc;
}

enum err branch_check(struct replica *r, const struct feed *feed, uint64_t seq, bool *is_sound,
		      struct errmsg *msg)
{
	struct stored rows[BRANCHES_MAX];
	struct arena arena = ARENA_EMPTY;
	uint64_t there = 0;
	size_t count = 0;
	bool all = true;
	enum err rc = store_read_branch_at(r->store, feed->idx, seq, BRANCHES_MAX, &arena, rows,
					   &count, msg);

	for (size_t i = 0; rc == OK && all && i < count; i++)
		rc = branch_is_sound(r, feed, &rows[i], &all, msg);
	if (rc == OK)
		rc = store_branch_count(r->store, feed->idx, seq, &there, msg);
	arena_release(&arena);
	if (rc == OK)
		*is_sound = all && (count == there || count == BRANCHES_MAX);
	return rc;
}

void branch_note_damage(struct replica *r, const struct feed *feed, uint64_t seq)
{
	struct damage d = { .kind = DAMAGE_BRANCH,
			    .space = r->spaces[feed->space].id,
			    .dot = { feed->replica, seq },
			    .is_beyond = true };

	damage_note(r, &d);
}
