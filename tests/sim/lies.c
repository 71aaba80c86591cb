#include "tests/sim/lies.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/limits.h"
#include "core/wire.h"
#include "proto/message.h"
#include "tests/sim/invariants.h"
#include "tests/sim/mouth.h"
#include "tests/sim/node.h"
#include "tests/support/forge.h"

enum { TRIES = 8 };

static void *must(void *memory)
{
	if (!memory) {
		perror("lies");
		abort();
	}
	return memory;
}

/* One lie in the making: changesets of `forge.space`, or a statement. */
struct lie {
	struct node *from, *to;
	struct world *w;
	struct prng *dice;
	uint64_t wall_ms; /* later than what it goes on from */
	struct forge forge;
	struct sealed list[2];
	size_t count;
	struct buf statement;
};

static const struct trust *trust_of(const struct lie *l)
{
	return replica_trust(l->to->replica);
}

/* ---- Changesets --------------------------------------------------------------------- */

/* Go on from what the peer holds of that feed. */
static void go_on_from(struct lie *l, uint32_t space, uint32_t author)
{
	const struct ledger *ledger = &l->w->ledger;
	const uint32_t *held = l->to->held[space];
	const struct ledger_entry *e = held ? ledger_tip(ledger, space, held, author) : NULL;

	l->wall_ms = node_now(l->from).wall_ms;
	l->forge.space = ledger->spaces[space];
	l->forge.identity.replica = ledger->authors[author].id;
	l->forge.head = (struct feed_head){ 0 };
	if (!e)
		return;
	l->forge.head.seq = e->seq;
	memcpy(l->forge.head.link, e->link, LINK_BYTES);
	memcpy(l->forge.head.signature, e->signature, SIGNATURE_BYTES);
	if (l->wall_ms <= hlc_wall_ms(e->cs.hlc))
		l->wall_ms = hlc_wall_ms(e->cs.hlc) + 1;
}

static struct op title_op(struct lie *l, struct value value)
{
	struct op op = {
		.kind = KIND_ACTION, .field = ACTION_TITLE, .verb = VERB_SET, .value = value
	};

	prng_fill(l->dice, op.record.bytes, ID_BYTES);
	return op;
}

static void seal(struct lie *l, struct op op, uint64_t wall_ms)
{
	l->list[l->count++] = forge_ops(&l->forge, wall_ms, NULL, 0, &op, 1);
}

static void seal_title(struct lie *l, const char *title)
{
	seal(l, title_op(l, value_str(title)), l->wall_ms + l->count);
}

static void oversized(struct lie *l)
{
	static const uint8_t bytes[CHANGESET_BYTES_MAX + 1];

	l->list[l->count++] = forge_seal(&l->forge, bytes_of(bytes, sizeof(bytes)));
}

static void no_msgpack(struct lie *l)
{
	l->list[l->count++] = forge_seal(&l->forge, bytes_of_str("\x97\x01 nonsense"));
}

static void long_title(struct lie *l)
{
	char title[NAME_BYTES_MAX + 2];

	memset(title, 'x', sizeof(title));
	title[sizeof(title) - 1] = '\0';
	seal_title(l, title);
}

static void too_deep(struct lie *l)
{
	uint8_t raw[NESTING_MAX + 2];
	struct op op =
		title_op(l, (struct value){ .type = VALUE_RAW, .bytes = { raw, sizeof(raw) } });

	memset(raw, 0x91, sizeof(raw)); /* an array of one */
	raw[sizeof(raw) - 1] = 1;
	op.field = 200; /* a newer schema's */
	seal(l, op, l->wall_ms);
}

static void ill_typed(struct lie *l)
{
	seal(l, title_op(l, value_int(7)), l->wall_ms);
}

static void wrong_verb(struct lie *l)
{
	struct op op = title_op(l, value_str("x"));

	op.verb = VERB_ADD;
	seal(l, op, l->wall_ms);
}

static void person_in_a_collaboration(struct lie *l)
{
	struct op op = title_op(l, value_str("Mallory"));

	op.kind = KIND_PERSON;
	op.field = PERSON_NAME;
	seal(l, op, l->wall_ms);
}

static void years_ahead(struct lie *l)
{
	seal(l, title_op(l, value_str("tomorrow's news")), l->wall_ms + 10 * YEAR_MS);
}

static void stamp_goes_back(struct lie *l)
{
	seal(l, title_op(l, value_str("later")), l->wall_ms);
	seal(l, title_op(l, value_str("sooner")), l->wall_ms - 1);
}

static void target_of_nobody(struct lie *l)
{
	struct target target = { .dot = { { { 66 } }, 1 } };
	struct op op = title_op(l, value_str("in place of that"));

	op.verb = VERB_REPLACE;
	op.targets = &target;
	op.target_count = 1;
	seal(l, op, l->wall_ms);
}

static void gap(struct lie *l)
{
	seal_title(l, "one");
	seal_title(l, "two");
	l->list[0] = l->list[--l->count];
}

static void broken_chain(struct lie *l)
{
	l->forge.head.link[0] ^= 1;
	seal_title(l, "after something else");
}

static void bad_signature(struct lie *l)
{
	static const uint8_t zeros[SIGNATURE_BYTES];

	seal_title(l, "unsigned");
	l->list[0].signature = zeros;
}

/* The feed of somebody else, the peer's own for instance. */
static void anothers_feed(struct lie *l)
{
	const struct node *victim = &l->w->nodes[prng_below(l->dice, l->w->node_count)];
	uint32_t space = ledger_space(&l->w->ledger, &l->forge.space);

	go_on_from(l, space, victim->owner == l->from->owner ? l->to->author : victim->author);
	seal_title(l, "said the other one");
}

static void feed_of_a_stranger(struct lie *l)
{
	l->forge.identity.replica.bytes[0] ^= 1;
	l->forge.head = (struct feed_head){ 0 };
	seal_title(l, "who am I");
}

static void space_of_nobody(struct lie *l)
{
	memset(l->forge.space.bytes, 9, ID_BYTES);
	l->forge.head = (struct feed_head){ 0 };
	seal_title(l, "x");
}

/* Nothing is wrong with it but that its author has no part in the space. Where grants
 * come and go it might have one when that arrives. */
static void foreign_space(struct lie *l)
{
	const struct trust_node *self =
		trust_node_by_noise_key(trust_of(l), l->from->identity.noise_key);

	for (unsigned i = 0; self && !l->w->config.act_mean_ms && i < l->w->space_count; i++) {
		const struct collaboration *c = &l->w->spaces[i];

		if (trust_role(trust_of(l), &c->id, self->office_code) != ROLE_NONE)
			continue;
		go_on_from(l, c->space, l->from->author);
		seal_title(l, "let me in");
		return;
	}
}

/* ---- Statements ---------------------------------------------------------------------- */

static void note_forged(struct world *w, const struct statement_id *id)
{
	w->forged = must(realloc(w->forged, (w->forged_count + 1) * sizeof(*w->forged)));
	w->forged[w->forged_count++] = *id;
}

void lie_check(struct world *w)
{
	for (size_t i = 0; i < w->forged_count; i++)
		for (size_t k = 0; k < w->views.id_count; k++)
			if (memcmp(&w->forged[i], &w->views.ids[k], sizeof(*w->forged)) == 0)
				world_fail(w, "W-3", "a statement is held that nobody made");
}

/* With all that the peer knows as its past, signed by the hostile member in the name of
 * this key (NULL: its own). */
static void state(struct lie *l, struct statement *s, const uint8_t *key)
{
	struct signer signer = { .secret = l->from->sign_secret };
	struct errmsg msg;

	memcpy(signer.key.bytes, key ? key : l->from->identity.sign_key, SIGN_PUBLIC_BYTES);
	s->parents = trust_of(l)->heads;
	s->parent_count = trust_of(l)->head_count;
	s->wall_ms = l->wall_ms;
	if (statement_sign(&l->statement, s, &signer, 1, &msg) != OK)
		world_fail(l->w, "W-15", "a lie can't be told: %s", msg.text);
	if (key)
		note_forged(l->w, &s->id);
}

static const struct trust_node *draw_victim(struct lie *l)
{
	return &trust_of(l)->nodes[prng_below(l->dice, trust_of(l)->node_count)];
}

static void statement_of_no_msgpack(struct lie *l)
{
	buf_append_str(&l->statement, "\x92\xc4\x02hi");
}

static void revokes_in_anothers_name(struct lie *l)
{
	struct statement s = { .type = STATEMENT_REVOKE };

	s.u.revoke.node = draw_victim(l)->node;
	state(l, &s, l->to->identity.sign_key);
}

static void revokes_as_the_root(struct lie *l)
{
	struct statement s = { .type = STATEMENT_REVOKE };

	s.u.revoke.node = draw_victim(l)->node;
	state(l, &s, l->w->root.key.bytes);
}

/* Everybody keeps the following, for all see the same set, and they say nothing; unless
 * it is an admin. */
static bool is_admin(const struct lie *l)
{
	const struct trust_node *self =
		trust_node_by_noise_key(trust_of(l), l->from->identity.noise_key);

	return !self || self->is_admin;
}

static void revokes_another(struct lie *l)
{
	struct statement s = { .type = STATEMENT_REVOKE };

	s.u.revoke.node = draw_victim(l)->node;
	if (!is_admin(l))
		state(l, &s, NULL);
}

static void makes_itself_admin(struct lie *l)
{
	struct statement s = { .type = STATEMENT_ADMIN };

	if (is_admin(l))
		return;
	s.u.admin.node = trust_node_by_noise_key(trust_of(l), l->from->identity.noise_key)->node;
	s.u.admin.is_admin = true;
	state(l, &s, NULL);
}

static void replaces_the_roots(struct lie *l)
{
	struct statement s = { .type = STATEMENT_ROOTS };
	struct sign_key key;

	memcpy(key.bytes, l->from->identity.sign_key, SIGN_PUBLIC_BYTES);
	s.u.roots = (struct roots){ 1, &key, 1 };
	if (!is_admin(l))
		state(l, &s, NULL);
}

static const struct {
	const char *name;
	void (*tell)(struct lie *l);
	bool is_of_spaces; /* a replica does not look at it, an engine does */
} lies[] = {
	{ "an oversized changeset", oversized, false },
	{ "a changeset of nonsense", no_msgpack, false },
	{ "a long title", long_title, false },
	{ "a deep value", too_deep, false },
	{ "a title that is a number", ill_typed, false },
	{ "a verb that does not fit", wrong_verb, false },
	{ "a person in a collaboration", person_in_a_collaboration, false },
	{ "news of the far future", years_ahead, false },
	{ "a stamp that goes back", stamp_goes_back, false },
	{ "a target of nobody", target_of_nobody, false },
	{ "a gap", gap, false },
	{ "a broken chain", broken_chain, false },
	{ "a bad signature", bad_signature, false },
	{ "a changeset in another's name", anothers_feed, false },
	{ "a stranger's changeset", feed_of_a_stranger, false },
	{ "a space of nobody", space_of_nobody, true },
	{ "a foreign space", foreign_space, true },
	{ "a statement of nonsense", statement_of_no_msgpack, false },
	{ "a revocation in another's name", revokes_in_anothers_name, false },
	{ "a revocation in the root's name", revokes_as_the_root, false },
	{ "that another is revoked", revokes_another, false },
	{ "that it is an admin", makes_itself_admin, false },
	{ "that it has the root key", replaces_the_roots, false },
};

/* ---- Telling ----------------------------------------------------------------------------- */

static struct node *draw_peer(struct world *w, const struct node *liar)
{
	for (int i = 0; i < TRIES; i++) {
		struct node *n = &w->nodes[prng_below(&w->dice, w->node_count)];

		if (n->owner != liar->owner && node_is_member(n) && n->view &&
		    node_disk_is_good(n) && (n->engine || w->config.direct))
			return n;
	}
	return NULL;
}

/* One where it may write, if there is any. */
static uint32_t draw_space(const struct lie *l)
{
	const struct trust_node *self =
		trust_node_by_noise_key(trust_of(l), l->from->identity.noise_key);
	const struct collaboration *c = NULL;

	for (int i = 0; i < TRIES; i++) {
		c = &l->w->spaces[prng_below(l->dice, l->w->space_count)];
		if (self && trust_role(trust_of(l), &c->id, self->office_code) >= ROLE_EDITOR)
			break;
	}
	return c->space;
}

/* Another content of a dot that is in use would be a fork, and no lie; but that of somebody
 * who is removed is not even looked at. */
static bool can_be_told(const struct lie *l, uint32_t space)
{
	uint32_t author = l->from->author;
	const uint32_t *held = l->to->held[space];

	if (!l->w->config.direct &&
	    !trust_node_by_noise_key(trust_of(l), l->from->identity.noise_key))
		return true;
	return !l->w->ledger.feeds[space][author].fork &&
	       (held ? held[author] : 0) == ledger_top(&l->w->ledger, space, author);
}

/* Who speaks, holding the statements that the peer holds, so that it is heard out. */
static void greet(const struct lie *l, struct buf *trust, struct buf *hello)
{
	struct message t = { .type = MESSAGE_TRUST }, h = { .type = MESSAGE_HELLO };

	t.u.trust.is_known = true;
	memcpy(t.u.trust.digest, trust_of(l)->digest, STATEMENT_ID_BYTES);
	message_encode(trust, &t);
	h.u.hello = (struct message_hello){ .version = PROTOCOL_VERSION,
					    .replica = *replica_id(l->from->replica),
					    .wall_ms = node_now(l->from).wall_ms,
					    .program = bytes_of_str("evil") };
	memcpy(h.u.hello.org, replica_org(l->from->replica), ORG_ID_BYTES);
	message_encode(hello, &h);
}

/* A run of one feed, with the tag of what it continues at the peer; or a statement. */
static void encode(const struct lie *l, struct buf *out)
{
	struct message m = { .type = MESSAGE_STATEMENTS };
	struct run run = { .list = l->list, .count = l->count };
	struct bytes statement = buf_bytes(&l->statement);

	m.u.statements = (struct message_statements){ &statement, 1 };
	if (l->count) {
		struct dot before = { l->list[0].replica, l->list[0].seq - 1 };

		if (replica_tag(l->to->replica, &l->forge.space, &before, run.tag_before, NULL) !=
		    OK)
			memset(run.tag_before, 0, TAG_BYTES);
		m.type = MESSAGE_CHANGES;
		m.u.changes = (struct message_changes){ l->forge.space, &run, 1 };
	}
	message_encode(out, &m);
}

static void speak(struct lie *l)
{
	struct buf said[MOUTH_MESSAGES_MAX] = { BUF_EMPTY, BUF_EMPTY, BUF_EMPTY };
	struct mouth_config config = {
		.port = net_port(l->w->net, l->from->index),
		.address = l->to->address,
		.org = replica_org(l->from->replica),
		.noise_secret = l->from->noise_secret,
		.dice = prng_dice(&l->from->dice),
		.message_count = MOUTH_MESSAGES_MAX,
	};

	greet(l, &said[0], &said[1]);
	encode(l, &said[2]);
	for (size_t i = 0; i < MOUTH_MESSAGES_MAX; i++)
		config.messages[i] = buf_bytes(&said[i]);
	node_lie(l->from, &config);
	for (size_t i = 0; i < MOUTH_MESSAGES_MAX; i++)
		buf_release(&said[i]);
}

/* Without engines. */
static void hand_over(struct lie *l)
{
	uint64_t now_ms = node_now(l->to).wall_ms;
	struct statements_receipt statements = { 0 };
	struct receipt receipt = { 0 };
	struct bytes statement = buf_bytes(&l->statement);
	struct errmsg msg = { 0 };
	enum err rc;

	if (l->count)
		rc = replica_receive(l->to->replica, &l->forge.space, l->list, l->count, now_ms,
				     &receipt, &msg);
	else
		rc = replica_take_statements(l->to->replica, &statement, 1, now_ms, &statements,
					     &msg);
	if (rc != OK || receipt.held_back)
		node_refuses(l->to, rc == OK ? "held back" : msg.text);
	node_changed(l->to);
}

void lie_strike(struct world *w)
{
	struct lie l = { .from = world_liar(w), .w = w, .dice = &w->dice };
	size_t pick = prng_below(&w->dice, sizeof(lies) / sizeof(lies[0]));
	uint32_t space;

	l.to = draw_peer(w, l.from);
	if (!l.to || !node_is_running(l.from) || !replica_has_org(l.from->replica) ||
	    l.from->mouth || l.from->enrol || (w->config.direct && lies[pick].is_of_spaces))
		return;
	audit_node(l.from);
	audit_node(l.to);
	space = draw_space(&l);
	if (w->rule || !can_be_told(&l, space))
		return;
	l.forge.identity = l.from->identity;
	memcpy(l.forge.sign_secret, l.from->sign_secret, SIGN_SECRET_BYTES);
	go_on_from(&l, space, l.from->author);
	lies[pick].tell(&l);
	if (l.count || l.statement.size) {
		world_note(w, l.from, "tells %s %s", l.to->code, lies[pick].name);
		w->stats.lies++;
		if (w->config.direct)
			hand_over(&l);
		else
			speak(&l);
	}
	forge_close(&l.forge);
	buf_release(&l.statement);
}

/* ---- What others do about it ------------------------------------------------------------- */

static void state_of_liar(struct world *w, enum statement_type type)
{
	struct node *n = &w->nodes[0];
	const struct trust_node *liar = NULL;
	struct statement s = { .type = type };
	struct arena arena = ARENA_EMPTY;
	struct errmsg msg = { 0 };
	struct cut *cuts = NULL;
	enum err rc = OK;

	node_start(n);
	if (w->rule || !node_is_member(n))
		return;
	liar = trust_node_by_noise_key(replica_trust(n->replica),
				       world_liar(w)->identity.noise_key);
	if (!liar)
		return;
	if (type == STATEMENT_REVOKE) {
		s.u.revoke.node = liar->node;
		rc = replica_cuts_of(n->replica, &liar->node, NULL, &arena, &cuts,
				     &s.u.revoke.cut_count, &msg);
		s.u.revoke.cuts = cuts;
	} else {
		s.u.admin.node = liar->node;
	}
	if (rc == OK)
		rc = replica_state(n->replica, &s, NULL, 0, node_now(n).wall_ms, &msg);
	if (rc != OK)
		world_fail(w, "W-15", "%s can't act against %s: %s", n->code, world_liar(w)->code,
			   msg.text);
	node_changed(n);
	audit_node(n);
	arena_release(&arena);
}

void lie_demote(struct world *w)
{
	state_of_liar(w, STATEMENT_ADMIN);
}

void lie_expel(struct world *w)
{
	state_of_liar(w, STATEMENT_REVOKE);
}
