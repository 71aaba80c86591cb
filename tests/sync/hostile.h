/* A member with a valid key that says what it must not, and two honest offices that are to go on
 * as if it had said nothing. Include it after cmocka.h. */
#ifndef HT_TESTS_SYNC_HOSTILE_H
#define HT_TESTS_SYNC_HOSTILE_H

#include "core/trust.h"
#include "tests/support/forge.h"
#include "tests/sync/mouth.h"

enum { MINUTE_MS = 60 * 1000 };

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

static inline void eve_joins(struct scene *s)
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

static inline void forge_as(struct forge *f, const struct site *site, const struct space_id *space)
{
	*f = (struct forge){ .identity = site->office.identity, .space = *space };
	memcpy(f->sign_secret, site->office.sign_secret, SIGN_SECRET_BYTES);
}

static inline void scene_init(struct scene *s)
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

static inline void scene_release(struct scene *s)
{
	mouth_shut(&s->mouth);
	forge_close(&s->forge);
	world_release(&s->world);
}

/* ---- What New York says ----------------------------------------------------------- */

static inline void eve_says(struct scene *s, const struct message *message)
{
	mouth_queue(&s->mouth, message);
	mouth_flush(&s->mouth);
	world_run(&s->world);
}

static inline void eve_greets(struct scene *s)
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
static inline void eve_calls(struct scene *s, const struct site *site)
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
static inline void eve_sends(struct scene *s, const struct space_id *space,
			     const struct sealed *list, size_t count)
{
	struct message m = { .type = MESSAGE_CHANGES };
	struct run run = { .list = list, .count = count };
	struct dot before = { list[0].replica, list[0].seq - 1 };

	if (replica_tag(s->a->office.replica, space, &before, run.tag_before, NULL) != OK)
		memset(run.tag_before, 0, TAG_BYTES);
	m.u.changes = (struct message_changes){ *space, &run, 1 };
	eve_says(s, &m);
}

static inline struct op title_op(const struct scene *s, struct value value)
{
	return (struct op){ .record = s->record,
			    .kind = KIND_ACTION,
			    .field = ACTION_TITLE,
			    .verb = VERB_SET,
			    .value = value };
}

static inline struct sealed seal_op_at(struct scene *s, struct op op, uint64_t wall_ms)
{
	return forge_ops(&s->forge, wall_ms, NULL, 0, &op, 1);
}

static inline struct sealed seal_op(struct scene *s, struct op op)
{
	return seal_op_at(s, op, site_now(s->eve).wall_ms + s->forge.head.seq);
}

static inline void eve_sends_op(struct scene *s, struct op op)
{
	struct sealed sealed = seal_op(s, op);

	eve_sends(s, &s->forge.space, &sealed, 1);
}

static inline void eve_states_bytes(struct scene *s, struct bytes encoded)
{
	struct message m = { .type = MESSAGE_STATEMENTS };

	m.u.statements = (struct message_statements){ &encoded, 1 };
	eve_says(s, &m);
}

/* With all she knows as its past, signed by this key or (NULL) her own. */
static inline void eve_states(struct scene *s, struct statement *st, const uint8_t *secret,
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

static inline struct standing standing_of(struct site *site)
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

static inline void assert_same_standing(const struct standing *a, const struct standing *b)
{
	assert_memory_equal(a->state, b->state, STATE_HASH_BYTES);
	assert_int_equal(a->shown, b->shown);
	assert_int_equal(a->members, b->members);
	assert_int_equal(a->grant_count, b->grant_count);
	assert_memory_equal(&a->root, &b->root, sizeof(a->root));
}

/* Two honest sites are in touch, write to all they share, and agree. */
static inline void assert_go_on(struct scene *s)
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
static inline void assert_honest_go_on(struct scene *s)
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

static inline void assert_refused(const struct hostility *h)
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

/* A line of a table of hostilities: its name is the function's. */
#define CASE(f, ...)               \
	{                          \
#f, f, __VA_ARGS__ \
	}

#endif
