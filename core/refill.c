/* Refilling: the state made from the log anew, unless the state knows of more than the log. */
#include "core/replica_impl.h"

/* ---- Whether the log is all there -------------------------------------------- */

struct survey {
	struct replica *r;
	struct errmsg *msg;
};

static enum err check_dot(struct survey *v, uint32_t space_idx, const struct dot *dot)
{
	char text[ID_TEXT_SIZE];

	for (uint32_t i = 0; i < v->r->space_count; i++)
		if (v->r->spaces[i].idx == space_idx && vv_covers(&v->r->spaces[i].vv, dot))
			return OK;
	return errmsg_set(v->msg, ERR_CORRUPT, "the feed of %s ends before changeset %llu",
			  id_text(dot->replica.bytes, text), (unsigned long long)dot->seq);
}

static enum err survey_record(void *ctx, uint32_t space, const struct record *rec)
{
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < rec->count; i++)
		rc = check_dot(ctx, space, &rec->entries[i].stamp.dot);
	for (size_t i = 0; rc == OK && i < rec->void_count; i++)
		rc = check_dot(ctx, space, &rec->voids[i].stamp.dot);
	return rc;
}

static enum err survey_element(void *ctx, uint32_t space, const struct dot *newest)
{
	return check_dot(ctx, space, newest);
}

/* A changeset that is gone from the end of a feed leaves no gap, but what it said is in the
 * state. Refilled, that would be gone, too; huitong repair keeps it aside. */
static enum err check_log(struct replica *r, struct errmsg *msg)
{
	struct survey v = { r, msg };
	struct arena arena = ARENA_EMPTY;
	size_t count;
	const struct kind *kinds = schema_kinds(&count);
	enum err rc = OK;

	for (size_t i = 0; rc == OK && i < count; i++)
		rc = store_each_readable_record(r->store, &kinds[i], &arena, survey_record, &v,
						msg);
	if (rc == OK)
		rc = store_each_newest_element(r->store, survey_element, &v, msg);
	arena_release(&arena);
	return rc;
}

/* ---- Filling ------------------------------------------------------------------- */

static enum err refill(struct replica *r, struct errmsg *msg)
{
	struct verify_report ignored = { 0 };
	bool changed;
	enum err rc = replica_refresh(r, &changed, msg);

	if (rc == OK)
		rc = check_log(r, msg);
	if (rc == OK)
		rc = store_empty_state(r->store, msg);
	if (rc == OK)
		rc = replica_replay(r, r->store, &ignored, NULL, NULL, msg);
	return rc == OK ? store_integrity_check(r->store, msg) : rc;
}

enum err replica_refill(struct replica *r, struct errmsg *msg)
{
	enum err rc = store_begin(r->store, msg);

	if (rc == OK)
		rc = refill(r, msg);
	if (rc == OK)
		rc = store_commit(r->store, msg);
	if (rc != OK)
		replica_rollback(r);
	else
		r->stale = true;
	return rc;
}
