#include "core/membership_check.h"

#include <stdlib.h>

#include "core/membership_impl.h"

/* The stored result is what the statements say. */
static enum err compare_fold(const struct replica *r, const struct trust *fold, struct errmsg *msg)
{
	struct buf stored = BUF_EMPTY, anew = BUF_EMPTY;
	enum err rc = store_setting_get(r->store, SETTING_TRUST, &stored, msg);

	trust_encode(&anew, fold);
	if (rc == OK)
		rc = buf_check(&anew);
	if (rc == ERR_NOT_FOUND || (rc == OK && !bytes_equal(buf_bytes(&stored), buf_bytes(&anew))))
		rc = errmsg_set(msg, ERR_CORRUPT,
				"the stored membership differs from what the statements say");
	buf_release(&stored);
	buf_release(&anew);
	return rc;
}

enum err membership_check_begin(struct membership_check *c, struct replica *r, struct errmsg *msg)
{
	enum err rc = statement_set_load(&c->set, r->store, msg);

	if (rc == OK && c->set.count == 0 && r->trust)
		rc = errmsg_set(msg, ERR_CORRUPT, "there are no statements");
	return rc;
}

void membership_check_release(struct membership_check *c)
{
	statement_set_release(&c->set);
	c->at = 0;
}

/* *out: NULL of no statements. */
static enum err fold_set(struct trust **out, const struct statement_set *set, struct errmsg *msg)
{
	uint8_t *verdicts = calloc(set->count + !set->count, 1);
	enum err rc = verdicts ? OK : ERR_NOMEM;

	*out = NULL;
	if (rc == OK && set->count)
		rc = trust_fold(out, (const struct statement *const *)set->list, set->count,
				verdicts, msg);
	free(verdicts);
	return rc;
}

static enum err check_fold(const struct replica *r, const struct statement_set *set,
			   struct errmsg *msg)
{
	struct trust *fold;
	enum err rc = fold_set(&fold, set, msg);

	if (rc == OK && fold)
		rc = compare_fold(r, fold, msg);
	trust_free(fold);
	return rc;
}

static enum err verify_some(struct membership_check *c, size_t count, struct errmsg *msg)
{
	enum err rc = OK;

	for (; rc == OK && count-- && c->at < c->set.count; c->at++)
		rc = statement_verify(c->set.list[c->at], c->set.encoded[c->at], msg);
	return rc;
}

enum err membership_check_step(struct membership_check *c, const struct replica *r, size_t count,
			       bool *is_done, struct errmsg *msg)
{
	*is_done = c->at == c->set.count;
	return *is_done ? check_fold(r, &c->set, msg) : verify_some(c, count, msg);
}

enum err membership_fold(struct trust **out, struct replica *r, struct errmsg *msg)
{
	struct membership_check c = { .set = { .arena = ARENA_EMPTY } };
	enum err rc = membership_check_begin(&c, r, msg);

	*out = NULL;
	if (rc == OK)
		rc = verify_some(&c, SIZE_MAX, msg);
	if (rc == OK)
		rc = fold_set(out, &c.set, msg);
	if (rc == OK && !*out)
		rc = errmsg_set(msg, ERR_CORRUPT, "there are no statements");
	membership_check_release(&c);
	return rc;
}

enum err membership_verify(struct replica *r, struct errmsg *msg)
{
	struct membership_check c = { .set = { .arena = ARENA_EMPTY } };
	bool is_done = false;
	enum err rc = membership_check_begin(&c, r, msg);

	while (rc == OK && !is_done)
		rc = membership_check_step(&c, r, SIZE_MAX, &is_done, msg);
	membership_check_release(&c);
	return rc;
}

static enum err fold_anew(struct replica *r, struct errmsg *msg)
{
	struct intake in = { .r = r, .msg = msg };
	struct statements_receipt ignored = { 0 };
	bool changed;
	enum err rc = replica_refresh(r, &changed, msg);

	in.serial = r->trust_serial;
	r->trust_serial = SERIAL_NONE; /* as in intake_fold() */
	if (rc == OK)
		rc = intake_fold_all(&in);
	if (rc == OK)
		rc = intake_store(&in);
	if (rc == OK)
		rc = intake_settle(r, false, &ignored, msg);
	intake_release(&in);
	return rc;
}

enum err membership_refold(struct replica *r, struct errmsg *msg)
{
	enum err rc = store_begin(r->store, msg);

	if (rc == OK)
		rc = fold_anew(r, msg);
	if (rc == OK)
		return replica_commit(r, msg);
	replica_rollback(r);
	return rc;
}
