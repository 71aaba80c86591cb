/* sync: a member with a valid key that says too much: epochs, values, statements without end. It
 * stops nobody, and two honest offices go on as if it had said nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/limits.h"
#include "tests/sync/hostile.h"
#include "tests/sync/revoke.h"

/* ---- Epochs, and the values they write ------------------------------------------------- */

enum { REGISTER_COUNT = 8 };

/* One more epoch of the node, which leaves those before it open; said to `to`. */
static void begins_an_epoch(struct scene *s, struct forge *f, struct office *to)
{
	const struct trust *trust = replica_trust(to->replica);
	struct signer signer = { .secret = f->sign_secret };
	struct statement st = { .type = STATEMENT_EPOCH };
	struct statements_receipt receipt;
	struct buf encoded = BUF_EMPTY;
	struct bytes list;

	st.u.epoch.node = trust_epoch(trust, &f->identity.replica)->node;
	st.u.epoch.identity = f->identity;
	prng_fill(&s->eve->dice, st.u.epoch.identity.nonce, ID_BYTES);
	st.u.epoch.identity.replica =
		epoch_replica(st.u.epoch.identity.sign_key, st.u.epoch.identity.nonce);
	st.u.epoch.reason = EPOCH_RESTORED;
	st.parents = trust->heads;
	st.parent_count = trust->head_count;
	st.wall_ms = OFFICE_NOW_MS;
	memcpy(signer.key.bytes, f->identity.sign_key, SIGN_PUBLIC_BYTES);
	OFFICE_MUST(statement_sign(&encoded, &st, &signer, 1, &msg));
	list = buf_bytes(&encoded);
	OFFICE_MUST(replica_take_statements(to->replica, &list, 1, OFFICE_NOW_MS, &receipt, &msg));
	buf_release(&encoded);
	f->identity = st.u.epoch.identity;
	f->head = (struct feed_head){ 0 };
}

/* A value of each of so many registers, none of which replaces any. */
static struct sealed seal_registers(struct scene *s, struct forge *f, size_t count)
{
	struct op ops[REGISTER_COUNT] = {
		{ .field = ACTION_NUMBER, .value = value_str("AI-1") },
		{ .field = ACTION_TITLE, .value = value_str("mine") },
		{ .field = ACTION_OWNER, .value = { .type = VALUE_NIL } },
		{ .field = ACTION_DUE, .value = { .type = VALUE_NIL } },
		{ .field = ACTION_DELIVERABLE, .value = value_str("x") },
		{ .field = ACTION_PRIORITY, .value = value_int(1) },
		{ .field = ACTION_MEETING, .value = { .type = VALUE_NIL } },
		{ .field = ACTION_TOPIC, .value = { .type = VALUE_NIL } },
	};

	for (size_t i = 0; i < REGISTER_COUNT; i++) {
		ops[i].record = s->record;
		ops[i].kind = KIND_ACTION;
	}
	return forge_ops(f, OFFICE_NOW_MS + MINUTE_MS, NULL, 0, ops, count);
}

/* A changeset of the node with so many values, and Shanghai is given it. */
static bool writes_registers(struct scene *s, struct forge *f, size_t count)
{
	struct sealed sealed = seal_registers(s, f, count);
	struct receipt receipt;

	OFFICE_MUST(replica_receive(s->a->office.replica, &s->shared, &sealed, 1,
				    site_now(s->a).wall_ms, &receipt, &msg));
	assert_int_equal(receipt.applied, !receipt.lacks_room);
	return receipt.applied;
}

static void flood_of_epochs(struct scene *s, struct forge *f, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		begins_an_epoch(s, f, &s->a->office);
		writes_registers(s, f, REGISTER_COUNT);
	}
	engine_changed(s->a->engine, site_now(s->a));
}

/* Of more epochs than count, of more feeds than a changeset can name, and of more values than
 * a record can hold. */
static void flood_of_epochs_of_one_node_stops_nobody(void **state)
{
	enum { EPOCHS = CHANGESET_DEPS_MAX + 10 };
	struct value title = value_str("what Frankfurt wrote meanwhile");
	struct scene s;

	scene_init(&s);
	loopnet_cut(s.world.net, s.a->host, s.b->host, true);
	world_run(&s.world);
	office_set(&s.b->office, &s.shared, KIND_ACTION, &s.record, ACTION_DELIVERABLE, &title);
	flood_of_epochs(&s, &s.forge, EPOCHS);
	loopnet_cut(s.world.net, s.a->host, s.b->host, false);
	world_pass(&s.world, 10 * MINUTE_MS);
	assert_honest_go_on(&s);
	office_void(&s.a->office, &s.shared, KIND_ACTION, &s.record);
	office_revive(&s.a->office, &s.shared, KIND_ACTION, &s.record);
	revoke(&s.a->office, s.eve->office.identity.noise_key);
	engine_changed(s.a->engine, site_now(s.a));
	world_pass(&s.world, 10 * MINUTE_MS);
	assert_honest_go_on(&s);
	scene_release(&s);
}

/* Four nodes and all their epochs fill it up. */
static void fill_the_record(struct scene *s, struct forge crowd[3])
{
	static const char *const codes[] = { "EV2", "EV3", "EV4" };

	writes_registers(s, &s->forge, REGISTER_COUNT);
	flood_of_epochs(s, &s->forge, EPOCHS_MAX - 1);
	for (unsigned i = 0; i < 3; i++) {
		forge_open(&crowd[i], &s->a->office, &s->shared, codes[i], 80 + i);
		writes_registers(s, &crowd[i], REGISTER_COUNT);
		flood_of_epochs(s, &crowd[i], EPOCHS_MAX - 2);
		begins_an_epoch(s, &crowd[i], &s->a->office);
		if (writes_registers(s, &crowd[i], REGISTER_COUNT))
			continue;
		crowd[i].head = (struct feed_head){ 0 };
		assert_true(writes_registers(s, &crowd[i], REGISTER_COUNT - 1));
	}
}

/* What does not fit waits, and is said to wait, until a revocation makes room; all else goes
 * on, without a restart. */
static void feed_waits_while_a_record_is_full(void **state)
{
	struct value text = value_str("what Frankfurt wrote meanwhile");
	struct forge crowd[3];
	struct scene s;

	scene_init(&s);
	loopnet_cut(s.world.net, s.a->host, s.b->host, true);
	world_run(&s.world);
	office_set(&s.b->office, &s.shared, KIND_ACTION, &s.record, ACTION_DELIVERABLE, &text);
	fill_the_record(&s, crowd);
	loopnet_cut(s.world.net, s.a->host, s.b->host, false);
	world_pass(&s.world, 2 * MINUTE_MS);
	site_write(s.a, &s.private, 1);
	site_write(s.b, &s.readable, 1);
	world_pass(&s.world, MINUTE_MS);
	assert_int_equal(office_count(&s.a->office, "SELECT count(*) FROM action_item"), 5);
	assert_int_equal(office_count(&s.b->office, "SELECT count(*) FROM action_item"), 5);
	assert_int_equal(site_logged(s.a, "WARN warning FRA: held back: changes of replica"), 1);
	assert_int_equal(site_logged(s.a, ": a record would have too many concurrent values"), 1);
	assert_false(office_agrees(&s.a->office, &s.b->office));
	revoke(&s.a->office, s.eve->office.identity.noise_key);
	engine_changed(s.a->engine, site_now(s.a));
	world_pass(&s.world, 2 * MINUTE_MS);
	assert_true(office_agrees(&s.a->office, &s.b->office));
	assert_honest_go_on(&s);
	for (unsigned i = 0; i < 3; i++)
		forge_close(&crowd[i]);
	scene_release(&s);
}

/* ---- Statements --------------------------------------------------------------------------- */

enum { FLOOD = 10000, FLOOD_AT_ONCE = 100 };

/* One more space of hers; the bytes live in the forge. */
static struct bytes sign_space(struct scene *s, uint64_t number, struct statement_id *parent)
{
	static const struct office_role offices[] = { { "NYC", ROLE_MANAGER } };
	struct signer signer = { .secret = s->forge.sign_secret };
	struct statement st = { .type = STATEMENT_SPACE, .wall_ms = number };
	struct buf encoded = BUF_EMPTY;
	struct bytes copy;

	st.parents = parent;
	st.parent_count = 1;
	st.u.space.offices = offices;
	st.u.space.office_count = 1;
	memcpy(signer.key.bytes, s->eve->office.identity.sign_key, SIGN_PUBLIC_BYTES);
	OFFICE_MUST(statement_sign(&encoded, &st, &signer, 1, &msg));
	copy = arena_copy(&s->forge.arena, buf_bytes(&encoded));
	buf_release(&encoded);
	*parent = st.id;
	return copy;
}

/* In a row, or all beside each other, in an open session. */
static void flood_of_spaces(struct scene *s, uint64_t from, bool is_row)
{
	struct statement_id parent = replica_trust(s->eve->office.replica)->heads[0];

	for (uint64_t done = 0; done < FLOOD; done += FLOOD_AT_ONCE) {
		struct message m = { .type = MESSAGE_STATEMENTS };
		struct bytes list[FLOOD_AT_ONCE];

		for (uint64_t i = 0; i < FLOOD_AT_ONCE; i++) {
			struct statement_id id = parent;

			list[i] = sign_space(s, from + done + i, &id);
			parent = is_row ? id : parent;
		}
		m.u.statements = (struct message_statements){ list, FLOOD_AT_ONCE };
		eve_says(s, &m);
	}
}

static size_t statements_of(const struct site *site)
{
	return replica_trust(site->office.replica)->statement_count;
}

static bool is_revoked(const struct scene *s, const struct site *site)
{
	const struct trust *t = replica_trust(site->office.replica);
	const struct trust_epoch *epoch = trust_epoch(t, &s->eve->office.identity.replica);

	return trust_node(t, &epoch->node)->is_revoked;
}

/* Each of the honest is given another flood while they don't hear each other. What is over the
 * quota is set aside; they go on, and agree that she is out, though each had seen another
 * part. */
static void flood_of_statements_stops_nobody(void **state)
{
	struct space_id space;
	struct scene s;

	scene_init(&s);
	loopnet_cut(s.world.net, s.a->host, s.b->host, true);
	world_run(&s.world);
	eve_calls(&s, s.a);
	flood_of_spaces(&s, 0, false);
	assert_false(s.mouth.is_closed);
	eve_calls(&s, s.b);
	flood_of_spaces(&s, FLOOD, true);
	assert_false(s.mouth.is_closed);
	mouth_shut(&s.mouth);
	assert_int_equal(site_logged(s.a, "WARN warning NYC: statements were set aside: "), 1);
	assert_int_equal(site_logged(s.a, "a node of NYC has said as many as are taken"), 1);
	assert_true(statements_of(s.a) < NODE_STATEMENTS_MAX + 50);
	assert_true(statements_of(s.b) < NODE_STATEMENTS_MAX + 50);
	loopnet_cut(s.world.net, s.a->host, s.b->host, false);
	world_pass(&s.world, 2 * MINUTE_MS);
	assert_honest_go_on(&s);
	space = office_share(&s.a->office);
	engine_changed(s.a->engine, site_now(s.a));
	world_pass(&s.world, MINUTE_MS);
	site_write(s.b, &space, 1);
	world_pass(&s.world, MINUTE_MS);
	assert_true(office_agrees(&s.a->office, &s.b->office));
	revoke(&s.b->office, s.eve->office.identity.noise_key);
	engine_changed(s.b->engine, site_now(s.b));
	world_pass(&s.world, MINUTE_MS);
	assert_true(is_revoked(&s, s.a));
	assert_true(is_revoked(&s, s.b));
	assert_honest_go_on(&s);
	scene_release(&s);
}

/* A replica that Shanghai has heard of, and Frankfurt has set aside: its feed waits, and no
 * honest office is refused for it. */
static void feed_of_who_was_set_aside_waits(void **state)
{
	struct statement st = { .type = STATEMENT_ADMIT };
	struct office friend;
	struct scene s;

	scene_init(&s);
	office_open(&friend, NULL, 77);
	loopnet_cut(s.world.net, s.a->host, s.b->host, true);
	world_run(&s.world);
	eve_calls(&s, s.b);
	flood_of_spaces(&s, 0, true);
	eve_calls(&s, s.a);
	st.u.admit = (struct node_entry){ .office_code = "EVL", .identity = friend.identity };
	prng_fill(&s.eve->dice, st.u.admit.node.bytes, ID_BYTES);
	eve_states(&s, &st, NULL, NULL);
	s.forge.identity = friend.identity;
	memcpy(s.forge.sign_secret, friend.sign_secret, SIGN_SECRET_BYTES);
	eve_sends_op(&s, title_op(&s, value_str("of nobody")));
	assert_int_equal(
		vv_get(replica_vv(s.a->office.replica, &s.shared), &friend.identity.replica), 1);
	mouth_shut(&s.mouth);
	loopnet_cut(s.world.net, s.a->host, s.b->host, false);
	world_pass(&s.world, 2 * MINUTE_MS);
	assert_int_equal(site_logged(s.b, ": the statement that names it was set aside"), 1);
	site_write(s.a, &s.shared, 1);
	site_write(s.b, &s.private, 1);
	world_pass(&s.world, MINUTE_MS);
	assert_true(office_agrees(&s.a->office, &s.b->office));
	assert_int_equal(site_logged(s.b, "session-refused SHA"), 0);
	assert_int_equal(site_logged(s.a, "session-refused FRA"), 0);
	office_close(&friend);
	scene_release(&s);
}

/* What comes with a bad one is taken, and passed on. */
static void honest_statement_beside_a_bad_one_is_taken(void **state)
{
	struct message m = { .type = MESSAGE_STATEMENTS };
	struct statement_id parent, id;
	struct bytes list[2];
	struct scene s;
	size_t before;

	scene_init(&s);
	parent = id = replica_trust(s.eve->office.replica)->heads[0];
	before = statements_of(s.b);
	list[0] = sign_space(&s, 1, &id);
	list[1] = sign_space(&s, 2, &parent);
	((uint8_t *)list[0].data)[list[0].size - 1] ^= 1;
	eve_calls(&s, s.a);
	m.u.statements = (struct message_statements){ list, 2 };
	eve_says(&s, &m);
	assert_int_equal(site_logged(s.a, "WARN session-refused NYC: signature: statement: a space "
					  "whose signatures do not verify"),
			 1);
	world_pass(&s.world, MINUTE_MS);
	assert_int_equal(statements_of(s.b), before + 1);
	assert_honest_go_on(&s);
	scene_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flood_of_epochs_of_one_node_stops_nobody),
		cmocka_unit_test(feed_waits_while_a_record_is_full),
		cmocka_unit_test(flood_of_statements_stops_nobody),
		cmocka_unit_test(feed_of_who_was_set_aside_waits),
		cmocka_unit_test(honest_statement_beside_a_bad_one_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
