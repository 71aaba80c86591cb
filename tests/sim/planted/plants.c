#include "tests/sim/planted/plants.h"

#include <stdlib.h>

#include "core/store.h"
#include "tests/sim/invariants.h"
#include "tests/sim/rest.h"

static struct {
	enum plant plant;
	bool receiving; /* inside replica_receive() */
	bool auditing;  /* the simulator's own calls get the truth */
	const struct vv *past;
} planted;

void plant_choose(enum plant plant)
{
	planted.plant = plant;
}

static bool is_active(enum plant plant)
{
	return planted.plant == plant && !planted.auditing;
}

/* -Wl,--wrap=NAME: calls of NAME come to __wrap_NAME, __real_NAME is the original. */

void __real_audit_node(struct node *n);
void __wrap_audit_node(struct node *n);
void __wrap_audit_node(struct node *n)
{
	planted.auditing = true;
	__real_audit_node(n);
	planted.auditing = false;
}

void __real_audit_rest(struct world *w, unsigned verify_count);
void __wrap_audit_rest(struct world *w, unsigned verify_count);
void __wrap_audit_rest(struct world *w, unsigned verify_count)
{
	planted.auditing = true;
	__real_audit_rest(w, verify_count);
	planted.auditing = false;
}

enum err __real_replica_receive(struct replica *r, const struct space_id *space,
				const struct sealed *list, size_t count, uint64_t now_ms,
				struct receipt *out, struct errmsg *msg);
enum err __wrap_replica_receive(struct replica *r, const struct space_id *space,
				const struct sealed *list, size_t count, uint64_t now_ms,
				struct receipt *out, struct errmsg *msg);
enum err __wrap_replica_receive(struct replica *r, const struct space_id *space,
				const struct sealed *list, size_t count, uint64_t now_ms,
				struct receipt *out, struct errmsg *msg)
{
	enum err rc;

	if (is_active(PLANTED_DEAF_RECEIPT) && count > 1) {
		*out = (struct receipt){ .applied = count };
		return OK;
	}
	planted.receiving = true;
	rc = __real_replica_receive(r, space, list, count, now_ms, out, msg);
	planted.receiving = false;
	return rc;
}

static int compare_feeds(const void *a, const void *b)
{
	const struct sealed *x = a, *y = b;
	int order = replica_id_cmp(&x->replica, &y->replica);

	return order ? order : (x->seq > y->seq) - (x->seq < y->seq);
}

enum err __real_replica_missing(struct replica *r, const struct space_id *space,
				const struct vv *has, size_t bytes_max, size_t count_max,
				struct arena *arena, struct sealed **out, size_t *count, bool *more,
				struct errmsg *msg);
enum err __wrap_replica_missing(struct replica *r, const struct space_id *space,
				const struct vv *has, size_t bytes_max, size_t count_max,
				struct arena *arena, struct sealed **out, size_t *count, bool *more,
				struct errmsg *msg);
/* Feed by feed instead of in causal order. */
enum err __wrap_replica_missing(struct replica *r, const struct space_id *space,
				const struct vv *has, size_t bytes_max, size_t count_max,
				struct arena *arena, struct sealed **out, size_t *count, bool *more,
				struct errmsg *msg)
{
	enum err rc = __real_replica_missing(r, space, has, bytes_max, count_max, arena, out, count,
					     more, msg);

	if (rc == OK && *count && is_active(PLANTED_DISORDER))
		qsort(*out, *count, sizeof(**out), compare_feeds);
	return rc;
}

void __real_vv_clear(struct vv *vv);
void __wrap_vv_clear(struct vv *vv);
void __wrap_vv_clear(struct vv *vv)
{
	/* Only the past of a changeset is cleared while receiving (core/receive.c). */
	if (planted.receiving)
		planted.past = vv;
	__real_vv_clear(vv);
}

enum err __real_vv_raise(struct vv *vv, const struct replica_id *replica, uint64_t seq);
enum err __wrap_vv_raise(struct vv *vv, const struct replica_id *replica, uint64_t seq);
/* Whoever sees no past does not wait for it. */
enum err __wrap_vv_raise(struct vv *vv, const struct replica_id *replica, uint64_t seq)
{
	if (is_active(PLANTED_DISORDER) && planted.receiving && vv == planted.past)
		return OK;
	return __real_vv_raise(vv, replica, seq);
}

/* The value that was written last comes first, whatever its stamp. */
static void show_newest(struct record *rec, const struct stamp *stamp, uint8_t field)
{
	size_t first = 0, at;
	struct entry kept;

	while (first < rec->count && rec->entries[first].field != field)
		first++;
	for (at = first; at < rec->count && rec->entries[at].field == field; at++)
		if (stamp_cmp(&rec->entries[at].stamp, stamp) == 0)
			break;
	if (at == rec->count || rec->entries[at].field != field)
		return;
	kept = rec->entries[at];
	for (; at > first; at--)
		rec->entries[at] = rec->entries[at - 1];
	rec->entries[first] = kept;
}

/* The values that the op does not replace go all the same. */
static void overwrite(struct record *rec, const struct stamp *stamp, uint8_t field)
{
	size_t kept = 0;

	for (size_t i = 0; i < rec->count; i++)
		if (rec->entries[i].field != field || stamp_cmp(&rec->entries[i].stamp, stamp) == 0)
			rec->entries[kept++] = rec->entries[i];
	rec->count = kept;
}

enum err __real_record_apply(struct record *rec, const struct stamp *stamp, const struct op *op);
enum err __wrap_record_apply(struct record *rec, const struct stamp *stamp, const struct op *op);
enum err __wrap_record_apply(struct record *rec, const struct stamp *stamp, const struct op *op)
{
	enum err rc = __real_record_apply(rec, stamp, op);

	if (rc != OK || op->verb > VERB_REPLACE)
		return rc;
	if (is_active(PLANTED_ARRIVAL_TIE))
		show_newest(rec, stamp, op->field);
	if (is_active(PLANTED_LOST_VALUE))
		overwrite(rec, stamp, op->field);
	return rc;
}

enum err __real_store_element_remove(struct store *s, uint32_t space, const struct op *op,
				     struct errmsg *msg);
enum err __wrap_store_element_remove(struct store *s, uint32_t space, const struct op *op,
				     struct errmsg *msg);
enum err __wrap_store_element_remove(struct store *s, uint32_t space, const struct op *op,
				     struct errmsg *msg)
{
	if (planted.receiving && is_active(PLANTED_RESURRECTION))
		return OK;
	return __real_store_element_remove(s, space, op, msg);
}

struct hlc_stamp __real_hlc_now(struct hlc *clock, uint64_t wall_ms);
struct hlc_stamp __wrap_hlc_now(struct hlc *clock, uint64_t wall_ms);
struct hlc_stamp __wrap_hlc_now(struct hlc *clock, uint64_t wall_ms)
{
	struct hlc_stamp wall = { wall_ms << 16 };

	return is_active(PLANTED_WALL_CLOCK) ? wall : __real_hlc_now(clock, wall_ms);
}

enum role __real_replica_role(const struct replica *r, const struct member *member,
			      const struct space_id *space);
enum role __wrap_replica_role(const struct replica *r, const struct member *member,
			      const struct space_id *space);
enum role __wrap_replica_role(const struct replica *r, const struct member *member,
			      const struct space_id *space)
{
	enum role role = __real_replica_role(r, member, space);

	return role == ROLE_NONE && is_active(PLANTED_NO_GRANTS) ? ROLE_READER : role;
}
