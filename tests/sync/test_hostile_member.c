/* sync: a member with a valid key that says what it must not. It is refused by name, and two
 * honest offices go on as if it had said nothing.
 * ctest: timeout=300 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/limits.h"
#include "core/trust.h"
#include "core/wire.h"
#include "proto/message.h"
#include "sync/link.h"
#include "tests/support/forge.h"
#include "tests/sync/revoke.h"
#include "tests/sync/world.h"

enum { MINUTE_MS = 60 * 1000, REGISTER_COUNT = 8 /* that a flood fills */ };

#define DAY_MS (UINT64_C(24) * 3600 * 1000)

/* What the hostile member says, over one connection at a time. */
struct mouth {
	struct port port;
	struct conn_id conn;
	struct noise_keypair key;
	struct dice dice;
	struct link link;
	const uint8_t *org;
	struct message_tell tell; /* the answer to every question, if there is one */
	bool has_tell;
	unsigned asked_count;
	bool is_open, is_closed;
};

/* Shanghai and Frankfurt are in touch and honest. New York is a member, too, with its own
 * replica, but no engine runs there. */
struct scene {
	struct world world;
	struct site *a, *b, *eve;
	struct space_id directory;
	struct space_id shared;   /* by all, New York an editor */
	struct space_id readable; /* by all, New York a reader */
	struct space_id private;  /* New York has no part in it */
	struct record_id record;  /* in `shared`, by Shanghai */
	struct forge forge;       /* New York's feed in `shared` */
	struct mouth mouth;
};

/* ---- The mouth ----------------------------------------------------------------- */

static void mouth_flush(struct mouth *m)
{
	if (m->link.out.size && !m->is_closed)
		m->port.send(m->port.ctx, m->conn, buf_bytes(&m->link.out));
	buf_clear(&m->link.out);
}

static void mouth_queue(struct mouth *m, const struct message *message)
{
	struct buf encoded = BUF_EMPTY;

	message_encode(&encoded, message);
	OFFICE_MUST(link_send(&m->link, buf_bytes(&encoded)));
	buf_release(&encoded);
}

static void mouth_connected(void *ctx, struct conn_id conn)
{
	struct mouth *m = ctx;

	m->conn = conn;
	OFFICE_MUST(link_init(&m->link, &(struct link_config){ .is_dialler = true,
							       .org = m->org,
							       .static_key = &m->key,
							       .dice = &m->dice,
							       .purpose = PREAMBLE_SYNC }));
	m->is_open = true;
	mouth_flush(m);
}

static void mouth_hears(struct mouth *m, struct bytes heard)
{
	struct message answer = { .type = MESSAGE_TELL };
	enum message_type type;

	if (message_peek(heard, &type) != OK || type != MESSAGE_ASK)
		return;
	m->asked_count++;
	answer.u.tell = m->tell;
	if (m->has_tell)
		mouth_queue(m, &answer);
}

static void mouth_received(void *ctx, struct conn_id conn, struct bytes data)
{
	struct mouth *m = ctx;
	enum link_event event = LINK_NEEDS_INPUT;
	struct bytes heard;

	do {
		OFFICE_MUST(link_read(&m->link, &data, &event, &heard, &msg));
		if (event == LINK_KEY)
			OFFICE_MUST(link_accept(&m->link));
		if (event == LINK_MESSAGE)
			mouth_hears(m, heard);
	} while (event != LINK_NEEDS_INPUT && event != LINK_END);
	mouth_flush(m);
}

static void mouth_sent(void *ctx, struct conn_id conn, size_t bytes)
{
}

static void mouth_closed(void *ctx, struct conn_id conn, const char *reason)
{
	struct mouth *m = ctx;

	m->is_closed = true;
}

static void mouth_init(struct mouth *m, struct site *of)
{
	*m = (struct mouth){ .org = replica_org(of->office.replica), .dice = prng_dice(&of->dice) };
	noise_keypair_from_secret(&m->key, of->noise_secret);
	m->port = loopnet_port(
		of->world->net,
		loopnet_add(of->world->net,
			    &(struct loopnet_events){ m, NULL, mouth_connected, mouth_received,
						      mouth_sent, mouth_closed }));
}

static void mouth_shut(struct mouth *m)
{
	if (m->is_open && !m->is_closed)
		m->port.close(m->port.ctx, m->conn, true);
	if (m->is_open)
		link_release(&m->link);
	m->is_open = m->is_closed = false;
}

/* ---- The scene ----------------------------------------------------------------- */

static void eve_joins(struct scene *s)
{
	struct admission admission = { .office_code = "NYC",
				       .office_name = "NYC",
				       .zone = "America/New_York",
				       .node = s->eve->office.identity };
	struct office *a = &s->a->office;

	OFFICE_MUST(replica_admit(a->replica, &admission, a->now_ms++, &msg));
	OFFICE_MUST(replica_join(s->eve->office.replica, replica_org(a->replica), &msg));
	office_grant(a, &s->shared, "NYC", ROLE_EDITOR);
	office_grant(a, &s->readable, "NYC", ROLE_READER);
}

static void forge_as(struct forge *f, const struct site *site, const struct space_id *space)
{
	*f = (struct forge){ .identity = site->office.identity, .space = *space };
	memcpy(f->sign_secret, site->office.sign_secret, SIGN_SECRET_BYTES);
}

static void scene_init(struct scene *s)
{
	*s = (struct scene){ 0 };
	world_init(&s->world);
	s->a = world_add_office(&s->world, "SHA");
	s->b = world_add_office(&s->world, "FRA");
	s->eve = world_add(&s->world);
	s->directory = replica_directory(s->a->office.replica);
	s->shared = office_share(&s->a->office);
	s->readable = office_share(&s->a->office);
	s->private = office_share(&s->a->office);
	eve_joins(s);
	s->record = office_item(&s->a->office, &s->shared, "季度回顾");
	office_item(&s->a->office, &s->private, "季度回顾");
	office_pull(&s->b->office, &s->a->office);
	office_item(&s->b->office, &s->shared, "季度回顾");
	office_sync(&s->a->office, &s->b->office);
	office_pull(&s->eve->office, &s->a->office);
	forge_as(&s->forge, s->eve, &s->shared);
	mouth_init(&s->mouth, s->eve);
	site_dials(s->b, s->a);
	site_start(s->a);
	site_start(s->b);
	world_run(&s->world);
}

static void scene_release(struct scene *s)
{
	mouth_shut(&s->mouth);
	forge_close(&s->forge);
	world_release(&s->world);
}

/* ---- What New York says ----------------------------------------------------------- */

static void eve_says(struct scene *s, const struct message *message)
{
	mouth_queue(&s->mouth, message);
	mouth_flush(&s->mouth);
	world_run(&s->world);
}

static void eve_greets(struct scene *s)
{
	struct office *eve = &s->eve->office;
	struct message trust = { .type = MESSAGE_TRUST }, hello = { .type = MESSAGE_HELLO };

	trust.u.trust.is_known = true;
	memcpy(trust.u.trust.digest, replica_trust(eve->replica)->digest, STATEMENT_ID_BYTES);
	eve_says(s, &trust);
	hello.u.hello = (struct message_hello){ .version = PROTOCOL_VERSION,
						.replica = *replica_id(eve->replica),
						.wall_ms = site_now(s->eve).wall_ms,
						.program = bytes_of_str("evil") };
	memcpy(hello.u.hello.org, replica_org(eve->replica), ORG_ID_BYTES);
	eve_says(s, &hello);
}

/* An open session with this site. */
static void eve_calls(struct scene *s, const struct site *site)
{
	char address[LOOPNET_ADDRESS_BYTES];
	struct conn_id conn;

	mouth_shut(&s->mouth);
	loopnet_address(site->host, address);
	OFFICE_MUST(s->mouth.port.dial(s->mouth.port.ctx, address, &conn, &msg));
	world_run(&s->world);
	eve_greets(s);
	assert_false(s->mouth.is_closed);
	assert_int_equal(site_logged(site, "INFO session-open NYC"), 1);
}

/* A run of one feed; the tag of what it continues is what Shanghai has there. */
static void eve_sends(struct scene *s, const struct space_id *space, const struct sealed *list,
		      size_t count)
{
	struct message m = { .type = MESSAGE_CHANGES };
	struct run run = { .list = list, .count = count };
	struct dot before = { list[0].replica, list[0].seq - 1 };

	if (replica_tag(s->a->office.replica, space, &before, run.tag_before, NULL) != OK)
		memset(run.tag_before, 0, TAG_BYTES);
	m.u.changes = (struct message_changes){ *space, &run, 1 };
	eve_says(s, &m);
}

static struct op title_op(const struct scene *s, struct value value)
{
	return (struct op){ .record = s->record,
			    .kind = KIND_ACTION,
			    .field = ACTION_TITLE,
			    .verb = VERB_SET,
			    .value = value };
}

static struct sealed seal_op_at(struct scene *s, struct op op, uint64_t wall_ms)
{
	return forge_ops(&s->forge, wall_ms, NULL, 0, &op, 1);
}

static struct sealed seal_op(struct scene *s, struct op op)
{
	return seal_op_at(s, op, site_now(s->eve).wall_ms + s->forge.head.seq);
}

static void eve_sends_op(struct scene *s, struct op op)
{
	struct sealed sealed = seal_op(s, op);

	eve_sends(s, &s->forge.space, &sealed, 1);
}

/* ---- Kinds of hostility: changesets ------------------------------------------------- */

static void oversized(struct scene *s)
{
	static uint8_t bytes[CHANGESET_BYTES_MAX + 1];
	struct sealed sealed = forge_seal(&s->forge, bytes_of(bytes, sizeof(bytes)));

	eve_sends(s, &s->shared, &sealed, 1);
}

static void long_title(struct scene *s)
{
	char title[NAME_BYTES_MAX + 2];

	memset(title, 'x', sizeof(title));
	title[sizeof(title) - 1] = '\0';
	eve_sends_op(s, title_op(s, value_str(title)));
}

static void too_many_ops(struct scene *s)
{
	struct sealed sealed;
	struct buf body = BUF_EMPTY;

	wire_put_array(&body, 7);
	wire_put_uint(&body, CHANGESET_VERSION);
	wire_put_uint(&body, site_now(s->eve).wall_ms << 16);
	wire_put_uint(&body, 0);
	wire_put_array(&body, 0);
	wire_put_array(&body, 0);
	wire_put_array(&body, 1);
	wire_put_bin(&body, bytes_of(s->record.bytes, ID_BYTES));
	wire_put_array(&body, 1);
	wire_put_array(&body, 2 + 2 * (CHANGESET_OPS_MAX + 1));
	wire_put_uint(&body, 0);
	wire_put_uint(&body, KIND_ACTION);
	for (int i = 0; i <= CHANGESET_OPS_MAX; i++) {
		wire_put_uint(&body, ACTION_PROGRESS << 3 | VERB_ADD);
		wire_put_str(&body, bytes_of_str("."));
	}
	sealed = forge_seal(&s->forge, buf_bytes(&body));
	eve_sends(s, &s->shared, &sealed, 1);
	buf_release(&body);
}

static void too_deep(struct scene *s)
{
	uint8_t raw[NESTING_MAX + 2];
	struct op op =
		title_op(s, (struct value){ .type = VALUE_RAW, .bytes = { raw, sizeof(raw) } });

	memset(raw, 0x91, sizeof(raw)); /* an array of one */
	raw[sizeof(raw) - 1] = 1;
	op.field = 200; /* a newer schema's */
	eve_sends_op(s, op);
}

static void no_msgpack(struct scene *s)
{
	struct sealed sealed = forge_seal(&s->forge, bytes_of_str("\x97\x01 nonsense"));

	eve_sends(s, &s->shared, &sealed, 1);
}

static void ill_typed(struct scene *s)
{
	eve_sends_op(s, title_op(s, value_int(7)));
}

static void wrong_verb(struct scene *s)
{
	struct op op = title_op(s, value_str("x"));

	op.verb = VERB_ADD;
	eve_sends_op(s, op);
}

/* More of what can be said of a text: core/test_text_hostile. */
static void splice_past_the_end(struct scene *s)
{
	struct op op = title_op(s, value_str("x"));

	op.field = ACTION_DELIVERABLE;
	op.verb = VERB_SPLICE;
	op.edit = bytes_of("\x93\x04\x04\x05", 4); /* of a text of 4, insert 1 at 5 */
	eve_sends_op(s, op);
}

static void person_in_a_collaboration(struct scene *s)
{
	struct op op = title_op(s, value_str("Mallory"));

	op.kind = KIND_PERSON;
	op.field = PERSON_NAME;
	eve_sends_op(s, op);
}

static void action_in_the_directory(struct scene *s)
{
	s->forge.space = s->directory;
	eve_sends_op(s, title_op(s, value_str("x")));
}

static void foreign_space(struct scene *s)
{
	s->forge.space = s->private;
	eve_sends_op(s, title_op(s, value_str("x")));
}

static void space_of_nobody(struct scene *s)
{
	memset(s->forge.space.bytes, 9, ID_BYTES);
	eve_sends_op(s, title_op(s, value_str("x")));
}

static void read_only_space(struct scene *s)
{
	s->forge.space = s->readable;
	eve_sends_op(s, title_op(s, value_str("x")));
}

static void years_ahead(struct scene *s)
{
	struct sealed sealed = seal_op_at(s, title_op(s, value_str("tomorrow's news")),
					  site_now(s->eve).wall_ms + 3650 * DAY_MS);

	eve_sends(s, &s->shared, &sealed, 1);
}

static void stamp_goes_back(struct scene *s)
{
	uint64_t wall_ms = site_now(s->eve).wall_ms;
	struct sealed list[2];

	list[0] = seal_op_at(s, title_op(s, value_str("later")), wall_ms);
	list[1] = seal_op_at(s, title_op(s, value_str("sooner")), wall_ms - 1);
	eve_sends(s, &s->shared, list, 2);
}

static void stamp_before_its_past(struct scene *s)
{
	struct dot dep = { *replica_id(s->b->office.replica), 1 };
	struct op op = title_op(s, value_str("I saw that, years ago"));
	struct sealed sealed = forge_ops(&s->forge, OFFICE_NOW_MS - 3650 * DAY_MS, &dep, 1, &op, 1);

	eve_sends(s, &s->shared, &sealed, 1);
}

static void eve_sends_targets(struct scene *s, struct target target)
{
	struct op op = title_op(s, value_str("in place of that"));

	op.verb = VERB_REPLACE;
	op.targets = &target;
	op.target_count = 1;
	eve_sends_op(s, op);
}

static void target_not_written_yet(struct scene *s)
{
	eve_sends_targets(s, (struct target){ .dot = { *replica_id(s->b->office.replica), 99 } });
}

static void target_of_nobody(struct scene *s)
{
	eve_sends_targets(s, (struct target){ .dot = { { { 66 } }, 1 } });
}

/* It is in the log, but not what the op takes it for. */
static void target_of_another_record(struct scene *s)
{
	eve_sends_targets(s, (struct target){ .dot = { *replica_id(s->b->office.replica), 1 } });
}

static void gap(struct scene *s)
{
	struct sealed list[2];

	list[0] = seal_op(s, title_op(s, value_str("one")));
	list[1] = seal_op(s, title_op(s, value_str("two")));
	eve_sends(s, &s->shared, &list[1], 1);
}

static void broken_chain(struct scene *s)
{
	struct sealed list[2];

	list[0] = seal_op(s, title_op(s, value_str("one")));
	s->forge.head.link[0] ^= 1;
	list[1] = seal_op(s, title_op(s, value_str("two")));
	eve_sends(s, &s->shared, list, 2);
}

static void bad_signature(struct scene *s)
{
	static const uint8_t zeros[SIGNATURE_BYTES];
	struct sealed sealed = seal_op(s, title_op(s, value_str("unsigned")));

	sealed.signature = zeros;
	eve_sends(s, &s->shared, &sealed, 1);
}

/* Frankfurt's feed, signed by New York; goes on after `head`. */
static struct sealed seal_as_b(struct scene *s, struct feed_head head)
{
	s->forge.identity.replica = *replica_id(s->b->office.replica);
	s->forge.head = head;
	return seal_op_at(s, title_op(s, value_str("said Frankfurt")),
			  site_now(s->b).wall_ms + MINUTE_MS);
}

static void anothers_feed_goes_on(struct scene *s)
{
	struct arena arena = ARENA_EMPTY;
	struct sealed forged, *log;
	struct feed_head head = { 0 };
	size_t count;

	log = office_log(&s->b->office, &s->shared, &arena, &count);
	for (size_t i = 0; i < count; i++) {
		if (replica_id_cmp(&log[i].replica, replica_id(s->b->office.replica)) != 0)
			continue;
		changeset_link(head.link, &s->shared, &log[i].replica, &head, log[i].body);
		memcpy(head.signature, log[i].signature, SIGNATURE_BYTES);
		head.seq++;
	}
	assert_int_not_equal(head.seq, 0);
	forged = seal_as_b(s, head);
	eve_sends(s, &s->shared, &forged, 1);
	arena_release(&arena);
}

/* Shanghai holds another one with that number, asks for the proof, and gets none. */
static void anothers_feed_told_differently(struct scene *s)
{
	struct sealed forged = seal_as_b(s, (struct feed_head){ 0 });

	s->mouth.has_tell = true;
	s->mouth.tell = (struct message_tell){ .space = s->shared,
					       .dot = { forged.replica, 1 },
					       .told = { .body = forged.body } };
	memcpy(s->mouth.tell.told.signature, forged.signature, SIGNATURE_BYTES);
	eve_sends(s, &s->shared, &forged, 1);
	assert_int_equal(s->mouth.asked_count, 1);
}

static void feed_of_a_stranger(struct scene *s)
{
	s->forge.identity.replica.bytes[0] ^= 1;
	eve_sends_op(s, title_op(s, value_str("who am I")));
}

/* ---- Kinds of hostility: statements --------------------------------------------------- */

static void eve_states_bytes(struct scene *s, struct bytes encoded)
{
	struct message m = { .type = MESSAGE_STATEMENTS };

	m.u.statements = (struct message_statements){ &encoded, 1 };
	eve_says(s, &m);
}

/* With all she knows as its past, signed by this key or (NULL) her own. */
static void eve_states(struct scene *s, struct statement *st, const uint8_t *secret,
		       const uint8_t *key)
{
	const struct trust *trust = replica_trust(s->eve->office.replica);
	struct signer signer = { .secret = secret ? secret : s->forge.sign_secret };
	struct buf encoded = BUF_EMPTY;

	memcpy(signer.key.bytes, key ? key : s->forge.identity.sign_key, SIGN_PUBLIC_BYTES);
	st->parents = trust->heads;
	st->parent_count = trust->head_count;
	st->wall_ms = site_now(s->eve).wall_ms;
	OFFICE_MUST(statement_sign(&encoded, st, &signer, 1, &msg));
	eve_states_bytes(s, buf_bytes(&encoded));
	buf_release(&encoded);
}

static struct record_id node_of(const struct scene *s, const struct site *site)
{
	return replica_member_by_noise_key(s->a->office.replica, site->office.identity.noise_key)
		->node;
}

/* New keys, of nobody. */
static struct node_identity fresh_identity(struct scene *s)
{
	struct node_identity identity = s->eve->office.identity;

	prng_fill(&s->eve->dice, identity.noise_key, NOISE_KEY_BYTES);
	prng_fill(&s->eve->dice, identity.nonce, ID_BYTES);
	identity.replica = epoch_replica(identity.sign_key, identity.nonce);
	return identity;
}

static void admits(struct scene *s)
{
	struct statement st = { .type = STATEMENT_ADMIT };
	struct office friend;

	office_open(&friend, NULL, 77);
	st.u.admit = (struct node_entry){ .office_code = "EVL",
					  .is_admin = true,
					  .identity = friend.identity };
	prng_fill(&s->eve->dice, st.u.admit.node.bytes, ID_BYTES);
	eve_states(s, &st, NULL, NULL);
	office_close(&friend);
}

static void makes_itself_admin(struct scene *s)
{
	struct statement st = { .type = STATEMENT_ADMIN };

	st.u.admin.node = node_of(s, s->eve);
	st.u.admin.is_admin = true;
	eve_states(s, &st, NULL, NULL);
}

static void revokes_another(struct scene *s)
{
	struct statement st = { .type = STATEMENT_REVOKE };

	st.u.revoke.node = node_of(s, s->b);
	eve_states(s, &st, NULL, NULL);
}

static void grants_itself_a_space(struct scene *s)
{
	struct statement st = { .type = STATEMENT_GRANT };

	st.u.grant.space = s->private;
	memcpy(st.u.grant.office_code, "NYC", 4);
	st.u.grant.role = ROLE_MANAGER;
	eve_states(s, &st, NULL, NULL);
}

static void takes_a_space_from_another(struct scene *s)
{
	struct statement st = { .type = STATEMENT_GRANT };

	st.u.grant.space = s->shared;
	memcpy(st.u.grant.office_code, "FRA", 4);
	st.u.grant.role = ROLE_READER;
	eve_states(s, &st, NULL, NULL);
}

static void replaces_the_roots(struct scene *s)
{
	struct statement st = { .type = STATEMENT_ROOTS };
	struct sign_key key;

	memcpy(key.bytes, s->forge.identity.sign_key, SIGN_PUBLIC_BYTES);
	st.u.roots = (struct roots){ 1, &key, 1 };
	eve_states(s, &st, NULL, NULL);
}

static void begins_anothers_epoch(struct scene *s)
{
	struct statement st = { .type = STATEMENT_EPOCH };

	st.u.epoch.node = node_of(s, s->b);
	st.u.epoch.identity = fresh_identity(s);
	st.u.epoch.reason = EPOCH_RESTORED;
	eve_states(s, &st, NULL, NULL);
}

static void signs_with_a_key_of_nobody(struct scene *s)
{
	struct statement st = { .type = STATEMENT_REVOKE };
	struct office nobody;

	office_open(&nobody, NULL, 78);
	st.u.revoke.node = node_of(s, s->b);
	eve_states(s, &st, nobody.sign_secret, nobody.identity.sign_key);
	office_close(&nobody);
}

static void signs_with_anothers_key(struct scene *s)
{
	struct statement st = { .type = STATEMENT_REVOKE };

	st.u.revoke.node = node_of(s, s->b);
	eve_states(s, &st, NULL, s->a->office.identity.sign_key);
}

static struct witness made_up_witness(struct scene *s, uint8_t link[LINK_BYTES], uint64_t seq)
{
	struct witness w;

	prng_fill(&s->eve->dice, (uint8_t *)&w, sizeof(w));
	witness_link(link, &w, &s->shared, replica_id(s->b->office.replica), seq);
	changeset_sign(w.signature, link, s->forge.sign_secret);
	return w;
}

/* Two changesets of Frankfurt's that Frankfurt never signed. */
static void fork_that_proves_nothing(struct scene *s)
{
	const struct node_identity *b = &s->b->office.identity;
	struct statement st = { .type = STATEMENT_FORK };
	struct buf encoded = BUF_EMPTY;
	uint8_t links[2][LINK_BYTES];
	struct witness first = made_up_witness(s, links[0], 1);
	struct witness second = made_up_witness(s, links[1], 1);
	bool is_ascending = memcmp(links[0], links[1], LINK_BYTES) < 0;

	st.u.fork.space = s->shared;
	memcpy(st.u.fork.sign_key, b->sign_key, SIGN_PUBLIC_BYTES);
	memcpy(st.u.fork.nonce, b->nonce, ID_BYTES);
	st.u.fork.seq = 1;
	st.u.fork.witnesses[0] = is_ascending ? first : second;
	st.u.fork.witnesses[1] = is_ascending ? second : first;
	OFFICE_MUST(statement_sign(&encoded, &st, NULL, 0, &msg));
	eve_states_bytes(s, buf_bytes(&encoded));
	buf_release(&encoded);
}

static void statement_of_no_msgpack(struct scene *s)
{
	eve_states_bytes(s, bytes_of_str("\x92\xc4\x02hi"));
}

/* ---- What comes of it -------------------------------------------------------------------- */

/* All that counts at one site. */
struct standing {
	uint8_t state[STATE_HASH_BYTES];
	int64_t shown; /* records */
	size_t members;
	struct trust_grant grants[8];
	size_t grant_count;
	struct sign_key root;
};

static struct standing standing_of(struct site *site)
{
	struct office *o = &site->office;
	const struct trust *t = replica_trust(o->replica);
	struct standing st;

	memset(&st, 0, sizeof(st));
	OFFICE_MUST(replica_state_hash(o->replica, st.state, &msg));
	st.shown = office_items(o);
	replica_members(o->replica, &st.members);
	for (size_t i = 0; i < t->node_count; i++)
		st.members += 100 * t->nodes[i].is_admin;
	st.grant_count = t->grant_count;
	st.root = t->roots[0];
	return st;
}

static void assert_same_standing(const struct standing *a, const struct standing *b)
{
	assert_memory_equal(a->state, b->state, STATE_HASH_BYTES);
	assert_int_equal(a->shown, b->shown);
	assert_int_equal(a->members, b->members);
	assert_int_equal(a->grant_count, b->grant_count);
	assert_memory_equal(&a->root, &b->root, sizeof(a->root));
}

/* Two honest sites are in touch, write to all they share, and agree. */
static void assert_go_on(struct scene *s)
{
	const struct space_id spaces[] = { s->shared, s->readable, s->private };
	struct value title = value_str("照常进行");

	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		site_write(s->a, &spaces[i], 1);
		site_write(s->b, &spaces[i], 1);
	}
	world_pass(&s->world, MINUTE_MS);
	office_set(&s->b->office, &s->shared, KIND_ACTION, &s->record, ACTION_TITLE, &title);
	engine_changed(s->b->engine, site_now(s->b));
	world_pass(&s->world, MINUTE_MS);
	assert_int_equal(site_peer(s->a, "FRA").state, PEER_IN_SYNC);
	assert_int_equal(site_peer(s->b, "SHA").state, PEER_IN_SYNC);
	assert_true(office_agrees(&s->a->office, &s->b->office));
	assert_int_equal(office_count(&s->a->office,
				      "SELECT count(*) FROM action_item WHERE title = '照常进行'"),
			 1);
}

/* ... and never refused each other. */
static void assert_honest_go_on(struct scene *s)
{
	assert_go_on(s);
	assert_int_equal(site_logged(s->a, "session-refused FRA"), 0);
	assert_int_equal(site_logged(s->b, "session-refused SHA"), 0);
}

struct hostility {
	const char *name;
	void (*commit)(struct scene *s);
	const char *logged, *why; /* by Shanghai, once */
};

/* Which error, and why; between them stands a replica's id, if any. */
#define REFUSED(name, why)    "WARN session-refused NYC: " name ": " why, ""
#define REFUSED_AT(name, why) "WARN session-refused NYC: " name ": changeset ", why

static void assert_refused(const struct hostility *h)
{
	struct standing before, after;
	struct scene s;

	scene_init(&s);
	before = standing_of(s.a);
	eve_calls(&s, s.a);
	h->commit(&s);
	if (site_logged(s.a, h->logged) != 1 || (h->why[0] && site_logged(s.a, h->why) != 1))
		fail_msg("%s: expected '%s...%s' in\n%.*s", h->name, h->logged, h->why,
			 (int)s.a->log.size, (const char *)s.a->log.data);
	after = standing_of(s.a);
	assert_same_standing(&before, &after);
	assert_honest_go_on(&s);
	scene_release(&s);
}

static void bad_changesets_are_refused_by_name(void **state)
{
#define CASE(f, ...)               \
	{                          \
#f, f, __VA_ARGS__ \
	}
	static const struct hostility cases[] = {
		CASE(oversized, REFUSED("limit", "message changes: limit")),
		CASE(too_many_ops, REFUSED("limit", "changeset: a malformed body of 30042 bytes")),
		CASE(long_title,
		     REFUSED("limit", "action_item.title: 257 bytes, the limit is 256")),
		CASE(too_deep, REFUSED("limit", "changeset: a malformed body of 58 bytes")),
		CASE(no_msgpack, REFUSED("format", "changeset: a malformed body of 11 bytes")),
		CASE(ill_typed, REFUSED("invalid", "action_item.title: a value of the wrong type")),
		CASE(wrong_verb, REFUSED("invalid", "action_item.title: a verb that does not fit")),
		CASE(splice_past_the_end,
		     REFUSED("invalid", "action_item.deliverable: run 0 of a text's edit, 1 at 5")),
		CASE(person_in_a_collaboration,
		     REFUSED("invalid", "person: a record of this kind")),
		CASE(action_in_the_directory, REFUSED("invalid", "action_item: a record of this")),
		CASE(foreign_space, REFUSED("grant", "space ")),
		CASE(space_of_nobody, REFUSED("grant", "space 09090909 is not shared between us")),
		CASE(years_ahead, "WARN warning NYC: held back: changes of replica ",
		     ": they are dated too far in the future"),
		CASE(stamp_goes_back, REFUSED_AT("invalid", "/2: its stamp does not grow")),
		CASE(stamp_before_its_past,
		     REFUSED_AT("invalid", "/1: its stamp is not after its dependency's")),
		CASE(target_not_written_yet,
		     REFUSED_AT("causal-gap", "/1: what it depends on is missing: ")),
		CASE(target_of_nobody,
		     REFUSED_AT("causal-gap", "/1: what it depends on is missing: 42000000/1")),
		CASE(gap, REFUSED_AT("chain", "/2: it does not continue its feed")),
		CASE(broken_chain, REFUSED_AT("signature", "/2: its signature does not verify")),
		CASE(bad_signature, REFUSED_AT("signature", "/1: its signature does not verify")),
		CASE(anothers_feed_goes_on,
		     REFUSED_AT("signature", "/2: its signature does not verify")),
		CASE(anothers_feed_told_differently,
		     REFUSED_AT("signature", "/1 was told with other bytes")),
		CASE(feed_of_a_stranger,
		     REFUSED_AT("unknown-replica", "/1: no statement names its replica")),
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(&cases[i]);
}

static void bad_statements_are_refused_by_name(void **state)
{
	static const struct hostility cases[] = {
		CASE(signs_with_a_key_of_nobody, REFUSED("authority", "statement ")),
		CASE(signs_with_anothers_key,
		     REFUSED("signature", "statement: a revoke whose signatures do not verify")),
		CASE(fork_that_proves_nothing,
		     REFUSED("signature", "statement: a fork whose signatures do not verify")),
		CASE(statement_of_no_msgpack,
		     REFUSED("format", "statement: a malformed one of 5 bytes")),
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(&cases[i]);
}

/* The verdict of the statement that came last. */
static bool note_verdict(void *ctx, const struct statement *s, struct bytes encoded,
			 enum verdict verdict)
{
	enum verdict *last = ctx;

	*last = verdict;
	return true;
}

/* It is kept, for all see the same set, and says nothing. */
static void statements_without_authority_count_nowhere(void **state)
{
	static const struct hostility cases[] = {
		CASE(admits, "", ""),
		CASE(makes_itself_admin, "", ""),
		CASE(revokes_another, "", ""),
		CASE(grants_itself_a_space, "", ""),
		CASE(takes_a_space_from_another, "", ""),
		CASE(replaces_the_roots, "", ""),
		CASE(begins_anothers_epoch, "", ""),
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum verdict verdicts[2] = { VERDICT_STANDS, VERDICT_STANDS };
		struct standing before, after;
		struct scene s;

		scene_init(&s);
		before = standing_of(s.a);
		eve_calls(&s, s.a);
		cases[i].commit(&s);
		world_pass(&s.world, MINUTE_MS);
		OFFICE_MUST(replica_each_statement(s.a->office.replica, note_verdict, &verdicts[0],
						   &msg));
		OFFICE_MUST(replica_each_statement(s.b->office.replica, note_verdict, &verdicts[1],
						   &msg));
		if (verdicts[0] != VERDICT_NO_AUTHORITY || verdicts[1] != VERDICT_NO_AUTHORITY)
			fail_msg("%s: %s, %s", cases[i].name, verdict_name(verdicts[0]),
				 verdict_name(verdicts[1]));
		after = standing_of(s.a);
		assert_same_standing(&before, &after);
		after = standing_of(s.b);
		assert_same_standing(&before, &after);
		assert_honest_go_on(&s);
		scene_release(&s);
	}
}

/* A reader's are kept and passed on, since a peer may know of a grant that we don't. */
static void changesets_of_a_reader_count_nowhere(void **state)
{
	struct standing before, after;
	struct scene s;

	scene_init(&s);
	before = standing_of(s.a);
	eve_calls(&s, s.a);
	read_only_space(&s);
	after = standing_of(s.a);
	assert_same_standing(&before, &after);
	after = standing_of(s.b);
	assert_same_standing(&before, &after);
	assert_honest_go_on(&s);
	scene_release(&s);
}

static void target_of_another_kind_replaces_nothing(void **state)
{
	struct scene s;

	scene_init(&s);
	eve_calls(&s, s.a);
	target_of_another_record(&s);
	assert_honest_go_on(&s);
	scene_release(&s);
}

/* ---- Equivocation ---------------------------------------------------------------------------- */

static uint64_t held_of(const struct scene *s, const struct site *site)
{
	return vv_get(replica_vv(site->office.replica, &s->shared),
		      &s->eve->office.identity.replica);
}

/* One dot, one content for Shanghai and another for Frankfurt. */
static void equivocate(struct scene *s)
{
	struct sealed sealed;

	loopnet_cut(s->world.net, s->a->host, s->b->host, true);
	world_run(&s->world);
	sealed = seal_op(s, title_op(s, value_str("we agreed on ten")));
	eve_calls(s, s->a);
	eve_sends(s, &s->shared, &sealed, 1);
	s->forge.head = (struct feed_head){ 0 };
	sealed = seal_op(s, title_op(s, value_str("we agreed on two")));
	eve_calls(s, s->b);
	eve_sends(s, &s->shared, &sealed, 1);
	assert_int_equal(held_of(s, s->a), 1);
	assert_int_equal(held_of(s, s->b), 1);
	mouth_shut(&s->mouth);
	loopnet_cut(s->world.net, s->a->host, s->b->host, false);
}

static void two_contents_of_one_dot_are_proved_and_neither_counts(void **state)
{
	const struct replica_id *eve;
	struct scene s;

	scene_init(&s);
	eve = &s.eve->office.identity.replica;
	equivocate(&s);
	world_pass(&s.world, 10 * MINUTE_MS);
	assert_int_equal(trust_cut(replica_trust(s.a->office.replica), eve, &s.shared).cause,
			 CUT_FORKED);
	assert_int_equal(trust_cut(replica_trust(s.b->office.replica), eve, &s.shared).cause,
			 CUT_FORKED);
	assert_int_equal(trust_cut(replica_trust(s.a->office.replica), eve, &s.shared).seq, 0);
	assert_int_equal(office_count(&s.a->office, "SELECT count(*) FROM action_item WHERE title "
						    "LIKE 'we agreed%'"),
			 0);
	assert_honest_go_on(&s);
	scene_release(&s);
}

/* ---- A flood -----------------------------------------------------------------------------------
 */

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

/* ---- Rubbish in place of signatures ------------------------------------------------------------
 */

enum { RUN = 5, LONG_TEXT = 200 << 10 /* two of them close a message */ };

/* The last one is signed, and vouches for those before it (I-6): Shanghai takes them all. What it
 * sends to Frankfurt must not end before, or else Frankfurt blames Shanghai. */
static void rubbish_signatures_part_no_honest_offices(void **state)
{
	static char text[LONG_TEXT + 1];
	uint8_t rubbish[SIGNATURE_BYTES] = { 7 };
	struct sealed list[RUN];
	struct op op;
	struct scene s;

	memset(text, 'x', LONG_TEXT);
	scene_init(&s);
	loopnet_cut(s.world.net, s.a->host, s.b->host, true);
	world_run(&s.world);
	op = title_op(&s, value_str(text));
	op.field = 200; /* a newer schema's */
	for (size_t i = 0; i < RUN; i++) {
		list[i] = seal_op(&s, op);
		if (i == RUN - 1)
			break;
		list[i].signature = rubbish;
		memcpy(s.forge.head.signature, rubbish, SIGNATURE_BYTES);
	}
	eve_calls(&s, s.a);
	eve_sends(&s, &s.shared, list, RUN);
	assert_false(s.mouth.is_closed);
	loopnet_cut(s.world.net, s.a->host, s.b->host, false);
	world_pass(&s.world, 2 * MINUTE_MS);
	assert_int_equal(vv_get(replica_vv(s.b->office.replica, &s.shared), &list[0].replica), RUN);
	assert_true(office_agrees(&s.a->office, &s.b->office));
	assert_honest_go_on(&s);
	scene_release(&s);
}

/* ---- A flood of statements ------------------------------------------------------------------- */

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
		cmocka_unit_test(bad_changesets_are_refused_by_name),
		cmocka_unit_test(bad_statements_are_refused_by_name),
		cmocka_unit_test(statements_without_authority_count_nowhere),
		cmocka_unit_test(changesets_of_a_reader_count_nowhere),
		cmocka_unit_test(target_of_another_kind_replaces_nothing),
		cmocka_unit_test(flood_of_epochs_of_one_node_stops_nobody),
		cmocka_unit_test(feed_waits_while_a_record_is_full),
		cmocka_unit_test(rubbish_signatures_part_no_honest_offices),
		cmocka_unit_test(flood_of_statements_stops_nobody),
		cmocka_unit_test(feed_of_who_was_set_aside_waits),
		cmocka_unit_test(honest_statement_beside_a_bad_one_is_taken),
		cmocka_unit_test(two_contents_of_one_dot_are_proved_and_neither_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
