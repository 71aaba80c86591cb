#include "tests/sim/rest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/limits.h"
#include "tests/sim/fate.h"
#include "tests/sim/invariants.h"
#include "tests/sim/lies.h"
#include "tests/sim/node.h"

static void *must(void *memory)
{
	if (!memory) {
		perror("rest");
		abort();
	}
	return memory;
}

/* Who holds what. */

bool audit_is_reader(const struct node *n, uint32_t space)
{
	return node_is_member(n) && node_may(n, space, ROLE_READER);
}

static bool takes_part(const struct world *w, const struct node *n, uint32_t space)
{
	if (world_is_contested(w))
		return audit_is_reader(n, space);
	for (unsigned i = 0; i < w->space_count; i++)
		if (w->spaces[i].space == space)
			return w->spaces[i].has[n->index];
	return true; /* the directory */
}

static bool holds_all(const struct world *w, const struct node *n, uint32_t space,
		      struct errmsg *why_not)
{
	for (uint32_t author = 0; author < w->ledger.author_count; author++) {
		uint32_t written = ledger_top(&w->ledger, space, author);
		uint32_t held = n->held[space] ? n->held[space][author] : 0;

		if (held == written)
			continue;
		errmsg_set(why_not, ERR_NOT_FOUND, "%s holds %u of %u changesets of %s in space %u",
			   n->code, held, written, w->nodes[w->ledger.authors[author].owner].code,
			   space);
		return false;
	}
	return true;
}

/* NULL is a frontier of nothing. */
static bool same_frontier(const struct world *w, const struct node *a, const struct node *b,
			  uint32_t space)
{
	for (uint32_t i = 0; i < w->ledger.author_count; i++)
		if ((a->held[space] ? a->held[space][i] : 0) !=
		    (b->held[space] ? b->held[space][i] : 0))
			return false;
	return true;
}

static bool knows(const struct node *a, const struct node *b)
{
	return trust_node_by_noise_key(a->view->trust, b->identity.noise_key) != NULL;
}

/* A statement names the key, and it is no member's, or no more: nothing that it says is
 * heard, and it is told why only if it was one once. */
static bool refuses(const struct node *a, const struct node *b)
{
	const struct trust *t = a->view->trust;

	for (size_t i = 0; i < t->epoch_count && !knows(a, b); i++)
		if (memcmp(t->epochs[i].identity.noise_key, b->identity.noise_key,
			   NOISE_KEY_BYTES) == 0)
			return true;
	return false;
}

/* The keys by which `b` knows the node of `a` lead to those that it has now. */
static bool can_show(const struct node *a, const struct node *b)
{
	const struct trust *ours = a->view->trust;
	const struct trust_node *self = trust_node_by_noise_key(ours, a->identity.noise_key);
	const struct trust_node *there = self ? trust_node(b->view->trust, &self->node) : NULL;
	const struct trust_epoch *then = there ? trust_epoch(ours, &there->current) : NULL;

	return then && !then->is_void && !there->is_revoked;
}

static bool is_twin(const struct node *a, const struct node *b)
{
	return memcmp(a->identity.noise_key, b->identity.noise_key, NOISE_KEY_BYTES) == 0;
}

/* The directory says where the other is, and no copy of that answers for it. */
static bool has_address(const struct world *w, const struct node *n, const struct node *of)
{
	static const char sql[] = "SELECT 1 FROM node_addresses WHERE id = ? AND value = ?";
	const struct trust_node *there =
		trust_node_by_noise_key(n->view->trust, of->identity.noise_key);
	struct errmsg msg = { 0 };
	struct value args[2];
	struct rows *rows;
	bool found = false;

	for (unsigned i = 0; i < w->node_count; i++)
		if (i != of->index && node_is_running(&w->nodes[i]) && is_twin(&w->nodes[i], of))
			return false;
	if (!there)
		return false;
	args[0] = value_ref(&there->node);
	args[1] = value_str(of->address);
	if (rows_open(&rows, n->replica, sql, args, 2, &msg) != OK)
		return true;
	found = rows_next(rows);
	return rows_close(rows, &msg) != OK || found;
}

/* One of them dials the other. */
static bool have_line(const struct world *w, const struct node *a, const struct node *b)
{
	if (w->config.dial_members)
		return has_address(w, a, b) || has_address(w, b, a);
	for (unsigned i = 0; i < w->edge_count; i++)
		if ((w->edges[i].a == a->index && w->edges[i].b == b->index) ||
		    (w->edges[i].a == b->index && w->edges[i].b == a->index))
			return true;
	return false;
}

/* One of them knows the other's key for a member's, or each had one that the other knows; and
 * neither refuses the other's, or takes it for its own. */
static bool are_acquainted(const struct node *a, const struct node *b)
{
	bool can_meet = knows(a, b) || knows(b, a) || (can_show(a, b) && can_show(b, a));

	return !is_twin(a, b) && can_meet && !refuses(a, b) && !refuses(b, a);
}

void audit_acquaintance(const struct world *w, const struct node *n, uint32_t space, bool *part)
{
	bool grows = true;

	memset(part, 0, NET_NODES_MAX * sizeof(*part));
	part[n->index] = true;
	while (grows) {
		grows = false;
		for (unsigned i = 0; i < w->node_count; i++)
			for (unsigned k = 0; k < w->node_count && !part[i]; k++)
				if (part[k] && audit_is_reader(&w->nodes[i], space) &&
				    have_line(w, &w->nodes[i], &w->nodes[k]) &&
				    are_acquainted(&w->nodes[i], &w->nodes[k]))
					grows = part[i] = true;
	}
}

static bool is_with_reader(const struct world *w, const struct trust_cut *cut, uint32_t space)
{
	uint32_t root = ledger_author(&w->ledger, &cut->replica);

	for (unsigned i = 0; i < w->node_count && root != LEDGER_NONE; i++) {
		const struct node *n = &w->nodes[i];
		const struct ledger_entry *tip =
			audit_is_reader(n, space) && n->held[space]
				? ledger_tip(&w->ledger, space, n->held[space], root)
				: NULL;

		if (tip && tip->seq >= cut->seq)
			return true;
	}
	return false;
}

bool audit_waits_in_vain(const struct world *w, const struct node *n, uint32_t space)
{
	const struct trust *t = n->view->trust;

	for (size_t i = 0; i < t->cut_count; i++)
		if (t->cuts[i].has_link &&
		    space_id_cmp(&t->cuts[i].space, &w->ledger.spaces[space]) == 0 &&
		    !is_with_reader(w, &t->cuts[i], space))
			return true;
	return false;
}

static bool are_together(const struct world *w, const struct node *a, const struct node *b,
			 uint32_t space)
{
	bool part[NET_NODES_MAX];

	audit_acquaintance(w, a, space, part);
	return part[b->index];
}

static bool two_agree(const struct world *w, const struct node *a, const struct node *b,
		      struct errmsg *why_not)
{
	if (a->view != b->view && are_together(w, a, b, 0)) {
		errmsg_set(why_not, ERR_NOT_FOUND, "%s and %s hold other statements", a->code,
			   b->code);
		return false;
	}
	for (uint32_t s = 0; s < w->ledger.space_count; s++) {
		if (!takes_part(w, a, s) || !takes_part(w, b, s) || same_frontier(w, a, b, s) ||
		    !are_together(w, a, b, s) || audit_waits_in_vain(w, a, s))
			continue;
		errmsg_set(why_not, ERR_NOT_FOUND, "%s and %s differ in space %u", a->code, b->code,
			   s);
		return false;
	}
	return true;
}

/* All members know the same, and hold the same of what both may read; but for such as
 * nobody brings together any more: two have removed each other, and the others have heard of one
 * only; or it was let in by somebody who was removed at the same time; or all that it dials
 * are no members; or nobody who may read the space stands between two copies of one node; or what
 * a cut names is lost, with which all waits that has seen it. */
static bool members_agree(const struct world *w, struct errmsg *why_not)
{
	for (unsigned i = 0; i < w->node_count && !world_removes(w); i++)
		if (w->nodes[i].is_there && !node_is_member(&w->nodes[i])) {
			errmsg_set(why_not, ERR_NOT_FOUND, "%s has to enrol anew",
				   w->nodes[i].code);
			return false;
		}
	for (unsigned i = 0; i < w->node_count; i++)
		for (unsigned k = 0; k < i && node_is_member(&w->nodes[i]); k++)
			if (node_is_member(&w->nodes[k]) &&
			    !two_agree(w, &w->nodes[i], &w->nodes[k], why_not))
				return false;
	return true;
}

bool audit_has_converged(struct world *w, struct errmsg *why_not)
{
	if (world_is_contested(w))
		return members_agree(w, why_not);
	for (unsigned i = 0; i < w->node_count; i++)
		for (uint32_t space = 0; space < w->ledger.space_count; space++)
			if (takes_part(w, &w->nodes[i], space) &&
			    !holds_all(w, &w->nodes[i], space, why_not))
				return false;
	return true;
}

static bool agree(const struct world *w, const struct node *a, const struct node *b,
		  struct errmsg *why_not)
{
	size_t bytes = w->ledger.author_max * sizeof(uint32_t);

	for (uint32_t s = 0; s < w->ledger.space_count; s++) {
		if (!takes_part(w, a, s) || !takes_part(w, b, s) || !a->held[s] || !b->held[s])
			continue;
		if (memcmp(a->held[s], b->held[s], bytes) != 0) {
			errmsg_set(why_not, ERR_NOT_FOUND, "%s and %s differ in space %u", a->code,
				   b->code, s);
			return false;
		}
	}
	return true;
}

bool audit_agrees(struct world *w, const bool *part, struct errmsg *why_not)
{
	for (unsigned i = 0; i < w->node_count; i++)
		for (unsigned k = 0; k < i; k++)
			if (part[i] && part[k] && !agree(w, &w->nodes[i], &w->nodes[k], why_not))
				return false;
	return true;
}

/* The conflict inbox. */

/* A row of it is one of those that must be there. */
static void check_conflict(struct node *n, uint32_t *const *counted, struct rows *rows)
{
	struct world *w = n->world;
	struct record_id space_id = rows_id(rows, 0), id = rows_id(rows, 1);
	uint8_t field = (uint8_t)rows_int(rows, 3);
	const struct subject *s;
	struct space_id key;
	uint32_t space;

	memcpy(key.bytes, space_id.bytes, ID_BYTES);
	space = ledger_space(&w->ledger, &key);
	s = space == LEDGER_NONE ? NULL
				 : oracle_find(&w->oracle, space, (uint16_t)rows_int(rows, 2), &id);
	if (!s || !counted[space] || !oracle_has_conflict(&w->oracle, s, counted[space], field))
		world_fail(w, "W-11", "%s has a conflict in its inbox that is none, field %u",
			   n->code, field);
}

/* W-11: the inbox has every conflict and nothing else. */
static void check_inbox(struct node *n, uint32_t *const *counted, uint64_t conflicts)
{
	static const char sql[] = "SELECT s.id, c.record, c.kind, c.field FROM conflict c "
				  "JOIN space_index s ON s.idx = c.space";
	struct errmsg msg = { 0 };
	struct rows *rows;
	uint64_t count = 0;
	enum err rc = rows_open(&rows, n->replica, sql, NULL, 0, &msg);

	if (rc == OK) {
		for (; rows_next(rows) && !n->world->rule; count++)
			check_conflict(n, counted, rows);
		rc = rows_close(rows, &msg);
	}
	if (rc != OK)
		world_fail(n->world, "W-15", "%s: %s", n->code, msg.text);
	else if (count != conflicts)
		world_fail(n->world, "W-11",
			   "%s has %" PRIu64 " conflicts in its inbox, must be %" PRIu64, n->code,
			   count, conflicts);
}

/* W-11 for every record of every space that the node holds. */
static void check_all_records(struct node *n, uint32_t *const *counted)
{
	struct world *w = n->world;
	struct errmsg msg = { 0 };
	uint64_t conflicts = 0;

	for (uint32_t i = 0; i < w->oracle.subject_count && !w->rule; i++) {
		const struct subject *s = &w->oracle.subjects[i];
		const uint32_t *held = counted[s->space];

		if (!held || !schema_kind(s->kind))
			continue;
		conflicts += oracle_conflicts(&w->oracle, s, held);
		if (oracle_compare(&w->oracle, s, held, n->replica, &msg) != OK)
			world_fail(w, "W-11", "%s: %s", n->code, msg.text);
	}
	if (!w->rule)
		check_inbox(n, counted, conflicts);
}

/* The views for people. */

/* A value as a view shows it; false for NULL. */
static bool readable(const struct field *f, const struct value *v, struct buf *out)
{
	char hex[2 * NAME_BYTES_MAX + 1];

	buf_clear(out);
	if (f->format == FORMAT_STATE)
		buf_append_str(out, f->machine->states[v ? v->number & 0xff : 0]);
	else if (!v || v->type == VALUE_NIL)
		return false;
	else if (f->format == FORMAT_CHOICE)
		buf_append_str(out, f->choices[v->number]);
	else if (v->type == VALUE_INT)
		buf_printf(out, "%" PRId64, v->number);
	else if (v->type == VALUE_TEXT)
		buf_append(out, v->bytes.data, v->bytes.size);
	else {
		hex_encode(hex, v->type == VALUE_REF ? bytes_of(v->ref.bytes, ID_BYTES) : v->bytes);
		buf_append_str(out, hex);
	}
	return true;
}

static const struct subject *subject_of_row(const struct world *w, const struct kind *kind,
					    struct rows *rows)
{
	struct record_id id;
	struct space_id space;

	if (hex_decode(id.bytes, ID_BYTES, rows_text(rows, 0)) != OK ||
	    hex_decode(space.bytes, ID_BYTES, rows_text(rows, 1)) != OK ||
	    ledger_space(&w->ledger, &space) == LEDGER_NONE)
		return NULL;
	return oracle_find(&w->oracle, ledger_space(&w->ledger, &space), kind->number, &id);
}

/* W-18: one row of the view of a kind; the columns are its registers in order. */
static void check_row(struct node *n, uint32_t *const *counted, const struct kind *kind,
		      struct rows *rows)
{
	struct world *w = n->world;
	const struct subject *s = subject_of_row(w, kind, rows);
	struct buf text = BUF_EMPTY;
	int column = 2;

	if (!s || !counted[s->space]) {
		world_fail(w, "W-18", "%s shows a %s that nobody wrote", n->code, kind->name);
		return;
	}
	for (size_t i = 0; i < kind->field_count; i++) {
		const struct field *f = &kind->fields[i];
		struct buf merged = BUF_EMPTY;
		struct value value;
		bool was_written;

		if (!merge_is_register(f->merge))
			continue;
		was_written = oracle_shown(&w->oracle, s, counted[s->space], f, &merged, &value);
		if (rows_is_null(rows, column) == readable(f, was_written ? &value : NULL, &text) ||
		    !bytes_equal(bytes_of_str(rows_text(rows, column)), buf_bytes(&text)))
			world_fail(w, "W-18", "%s shows %s.%s as '%.40s', must be '%.*s'", n->code,
				   kind->name, f->name, rows_text(rows, column),
				   (int)(text.size < 40 ? text.size : 40), (const char *)text.data);
		buf_release(&merged);
		column++;
	}
	buf_release(&text);
}

static void view_query(const struct kind *kind, struct buf *sql)
{
	buf_append_str(sql, "SELECT id, space");
	for (size_t i = 0; i < kind->field_count; i++)
		if (merge_is_register(kind->fields[i].merge))
			buf_printf(sql, ", \"%s\"", kind->fields[i].name);
	buf_printf(sql, " FROM \"%s\"", kind->name);
	buf_append_byte(sql, 0);
}

static uint64_t count_subjects(const struct node *n, uint32_t *const *counted,
			       const struct kind *kind)
{
	const struct oracle *o = &n->world->oracle;
	uint64_t count = 0;

	for (uint32_t i = 0; i < o->subject_count; i++)
		count += o->subjects[i].kind == kind->number && counted[o->subjects[i].space] &&
			 subject_exists(&o->subjects[i], counted[o->subjects[i].space]);
	return count;
}

/* W-18: the view has every record and nothing else. */
static void check_view(struct node *n, uint32_t *const *counted, const struct kind *kind)
{
	struct errmsg msg = { 0 };
	struct buf sql = BUF_EMPTY;
	uint64_t count = 0, must_be = count_subjects(n, counted, kind);
	struct rows *rows;
	enum err rc;

	view_query(kind, &sql);
	rc = rows_open(&rows, n->replica, (const char *)sql.data, NULL, 0, &msg);
	if (rc == OK) {
		for (; rows_next(rows) && !n->world->rule; count++)
			check_row(n, counted, kind, rows);
		rc = rows_close(rows, &msg);
	}
	if (rc != OK)
		world_fail(n->world, "W-15", "%s: %s", n->code, msg.text);
	else if (count != must_be)
		world_fail(n->world, "W-18", "%s shows %" PRIu64 " of %s, must be %" PRIu64,
			   n->code, count, kind->name, must_be);
	buf_release(&sql);
}

static void check_views(struct node *n, uint32_t *const *counted)
{
	size_t count;
	const struct kind *kinds = schema_kinds(&count);

	for (size_t i = 0; i < count && !n->world->rule; i++)
		check_view(n, counted, &kinds[i]);
}

/* Readable numbers. */

static int compare_numbers(const void *a, const void *b)
{
	return bytes_cmp(*(const struct bytes *)a, *(const struct bytes *)b);
}

/* W-17. The workload gives action items real numbers, and others made-up ones. */
static void check_numbers(struct world *w)
{
	static const char prefix[] = "AI-";
	struct bytes *numbers = must(calloc(w->oracle.subject_count + 1, sizeof(*numbers)));
	size_t count = 0;

	for (uint32_t i = 0; i < w->oracle.subject_count; i++) {
		const struct subject *s = &w->oracle.subjects[i];

		for (uint32_t k = 0; k < s->fact_count; k++) {
			const struct op *op = s->facts[k].op;

			if (s->kind == KIND_ACTION && op->field == ACTION_NUMBER &&
			    op->verb == VERB_SET && op->value.type == VALUE_TEXT &&
			    op->value.bytes.size > sizeof(prefix) &&
			    memcmp(op->value.bytes.data, prefix, sizeof(prefix) - 1) == 0) {
				numbers[count++] = op->value.bytes;
				break;
			}
		}
	}
	qsort(numbers, count, sizeof(*numbers), compare_numbers);
	for (size_t i = 1; i < count; i++)
		if (bytes_equal(numbers[i - 1], numbers[i]))
			world_fail(w, "W-17", "%.*s was issued twice", (int)numbers[i].size,
				   (const char *)numbers[i].data);
	free(numbers);
}

/* Engines. */

/* Per edge, both ways: what the back-off comes to, with much room; and what
 * each fault may cause. */
enum { DIALS_AT_FIRST = 50, DIALS_AN_HOUR = 150, DIALS_A_FAULT = 40, IDLE_MINUTES_MAX = 90 };

/* W-19 */
static void check_dials(struct world *w)
{
	uint64_t hours = w->timeline.now_ms / HOUR_MS + 1;
	uint64_t troubles = w->stats.faults + w->stats.crashes + w->stats.kills;
	uint64_t most = 2 * w->edge_count * (DIALS_AT_FIRST + DIALS_AN_HOUR * hours) +
			DIALS_A_FAULT * troubles;

	if (net_stats(w->net)->dials > most)
		world_fail(w, "W-19", "%" PRIu64 " dials, more than %" PRIu64,
			   net_stats(w->net)->dials, most);
}

/* In the middle of a comparison an engine is not idle; between two it must be. A
 * session that has held something back lets it wait to its end, within the hour. */
static void wait_for_idle(struct node *n)
{
	struct world *w = n->world;

	for (uint32_t s = 0; world_is_contested(w) && s < w->ledger.space_count; s++)
		if (audit_waits_in_vain(w, n, s))
			return;
	for (int i = 0; i < IDLE_MINUTES_MAX && !w->rule; i++) {
		if (!n->engine || engine_is_idle(n->engine))
			return;
		world_run(w, i ? MINUTE_MS : SECOND_MS, 0);
	}
	world_fail(w, "W-19", "%s has everything and is never idle", n->code);
}

/* Everything. */

static bool hold_the_same(const struct world *w, const struct node *a, const struct node *b)
{
	if (a->view != b->view)
		return false;
	for (uint32_t space = 0; space < w->ledger.space_count; space++)
		if (!same_frontier(w, a, b, space))
			return false;
	return true;
}

static void check_verify(struct node *n)
{
	struct verify_report report;
	struct errmsg msg = { 0 };

	if (replica_verify(n->replica, &report, NULL, NULL, &msg) != OK)
		world_fail(n->world, "W-13", "%s does not verify: %s", n->code, msg.text);
}

/* All of one node: records, views, the log replayed. */
static void check_node(struct node *n)
{
	struct world *w = n->world;
	uint32_t *counted[LEDGER_SPACES_MAX] = { NULL };

	for (uint32_t s = 0; s < w->ledger.space_count; s++) {
		if (!n->held[s])
			continue;
		counted[s] = must(calloc(w->ledger.author_max, sizeof(**counted)));
		audit_counted(n, s, counted[s]);
	}
	check_all_records(n, counted);
	check_views(n, counted);
	check_verify(n);
	for (uint32_t s = 0; s < w->ledger.space_count; s++)
		free(counted[s]);
}

/* Equal holdings, equal hashes. */
static void check_hashes(struct world *w)
{
	uint8_t(*hashes)[STATE_HASH_BYTES] = must(calloc(w->node_count, sizeof(*hashes)));
	struct errmsg msg = { 0 };

	for (unsigned i = 0; i < w->node_count && !w->rule; i++) {
		if (!node_is_running(&w->nodes[i]))
			continue;
		if (replica_state_hash(w->nodes[i].replica, hashes[i], &msg) != OK)
			world_fail(w, "W-13", "%s: %s", w->nodes[i].code, msg.text);
		for (unsigned k = 0; k < i && !w->rule; k++)
			if (node_is_running(&w->nodes[k]) &&
			    hold_the_same(w, &w->nodes[i], &w->nodes[k]) &&
			    memcmp(hashes[i], hashes[k], STATE_HASH_BYTES) != 0)
				world_fail(w, "W-13", "%s and %s hold the same and differ",
					   w->nodes[k].code, w->nodes[i].code);
	}
	free(hashes);
}

void audit_rest(struct world *w, unsigned verify_count)
{
	struct errmsg msg = { 0 };

	if (w->rule)
		return;
	if (!audit_has_converged(w, &msg))
		world_fail(w, "W-12", "%s", msg.text);
	/* Of nodes with equal hashes one stands for all. */
	check_hashes(w);
	/* Copies issue the same ones, and so does who comes back as another node. */
	if (!world_is_contested(w))
		check_numbers(w);
	check_dials(w);
	lie_check(w);
	if (world_is_contested(w))
		fate_check(w);
	for (unsigned i = 0; i < w->node_count; i++)
		if (!world_is_contested(w) || node_is_member(&w->nodes[i]))
			wait_for_idle(&w->nodes[i]);
	for (unsigned i = 0; i < verify_count && !w->rule; i++) {
		struct node *n = &w->nodes[prng_below(&w->dice, w->node_count)];

		if (node_is_running(n))
			check_node(n);
	}
}
