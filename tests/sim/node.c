#include "tests/sim/node.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/invariants.h"
#include "tests/sim/mouth.h"
#include "tests/support/statement_list.h"

enum {
	HAND_OVER_BYTES = 256 * 1024,
	HAND_OVER_COUNT = 500,
	IDLE_TICKS_MAX = 1000, /* of an engine whose deadline stays in the past */
	TICKET_DAYS = 7,
	INVITE_TRIES = 20,
	LIE_SECONDS = 20,
};

static const char database[] = "replica.db";

struct now node_now(const struct node *n)
{
	int64_t now = (int64_t)n->world->timeline.now_ms;
	int64_t drift = now / 1000 * n->clock_drift_ppm / 1000;

	return (struct now){
		.wall_ms = WORLD_EPOCH_MS + (uint64_t)(now + n->clock_offset_ms + drift),
		.mono_ms = (uint64_t)now + n->mono_base_ms,
	};
}

enum err node_open_replica(struct node *n, bool create, struct replica **out, struct errmsg *msg)
{
	struct replica_config config = {
		.path = database,
		.vfs = memdisk_vfs(n->disk),
		.create = create,
		.sign_secret = n->sign_secret,
		.dice = prng_dice(&n->dice),
		.now_ms = node_now(n).wall_ms,
		.mark = world_is_contested(n->world) && !n->ignores_mark ? &n->mark.port : NULL,
	};

	return replica_open(out, &config, msg);
}

/* Beside the database. */

static enum err load_mark(void *ctx, struct mark *out)
{
	const struct mark_file *f = ctx;

	*out = f->mark;
	return f->is_there ? OK : ERR_NOT_FOUND;
}

static void save_mark(void *ctx, const struct mark *mark)
{
	struct mark_file *f = ctx;

	f->mark = *mark;
	f->is_there = true;
}

/* Standing. */

bool node_is_member(const struct node *n)
{
	return node_is_running(n) && replica_check_member(n->replica, NULL) == OK;
}

bool node_may(const struct node *n, uint32_t space, enum role role)
{
	const struct member *self = replica_self(n->replica);

	return space == 0 ||
	       (self && replica_role(n->replica, self, &n->world->ledger.spaces[space]) >= role);
}

/* Keys. */

void node_draw_keys(struct node *n)
{
	uint8_t seed[crypto_sign_SEEDBYTES], public_key[SIGN_PUBLIC_BYTES];

	prng_fill(&n->dice, seed, sizeof(seed));
	crypto_sign_seed_keypair(public_key, n->next_sign_secret, seed);
	prng_fill(&n->dice, n->next_noise_secret, sizeof(n->next_noise_secret));
	n->has_next_keys = true;
}

void node_take_keys(struct node *n)
{
	memcpy(n->sign_secret, n->next_sign_secret, SIGN_SECRET_BYTES);
	memcpy(n->noise_secret, n->next_noise_secret, NOISE_KEY_BYTES);
	node_public_noise_key(n->noise_secret, n->identity.noise_key);
	n->has_next_keys = false;
}

void node_public_noise_key(const uint8_t secret[NOISE_KEY_BYTES], uint8_t out[NOISE_KEY_BYTES])
{
	crypto_scalarmult_base(out, secret);
}

/* The replica goes on with keys that its process had no time to take. */
static bool lacks_keys(const struct node *n)
{
	const struct member *self = n->has_next_keys ? replica_self(n->replica) : NULL;

	return self && memcmp(self->identity.sign_key,
			      n->next_sign_secret + SIGN_SECRET_BYTES - SIGN_PUBLIC_BYTES,
			      SIGN_PUBLIC_BYTES) == 0;
}

static bool is_error(const char *detail, enum err rc)
{
	static const char by_peer[] = "the peer says ";
	const char *name = err_name(rc);

	if (strncmp(detail, by_peer, sizeof(by_peer) - 1) == 0)
		detail += sizeof(by_peer) - 1;
	return strcspn(detail, ":") == strlen(name) && memcmp(name, detail, strlen(name)) == 0;
}

/* What only a wrong peer or spoilt bytes may cause. */
static bool is_quarrel(const char *detail)
{
	static const enum err quarrels[] = { ERR_FORMAT, ERR_LIMIT,     ERR_VERSION, ERR_INVALID,
					     ERR_ORG,    ERR_SIGNATURE, ERR_CHAIN,   ERR_CAUSAL,
					     ERR_FORK,   ERR_GRANT,     ERR_REPLICA, ERR_PROTOCOL,
					     ERR_CORRUPT };

	for (size_t i = 0; i < sizeof(quarrels) / sizeof(quarrels[0]); i++)
		if (is_error(detail, quarrels[i]))
			return true;
	return false;
}

/* Until a fork is proved, what names one of its branches does not fit who holds the
 * other; and two copies that meet are one replica. */
static bool is_of_fork(const struct world *w, const char *detail)
{
	bool may_fork = false;

	for (uint32_t i = 0; i < w->ledger.author_count; i++)
		may_fork |= w->ledger.authors[i].may_fork;
	return may_fork && (is_error(detail, ERR_INVALID) || is_error(detail, ERR_REPLICA));
}

void node_refuses(struct node *n, const char *why)
{
	world_note(n->world, n, "refuses a lie: %s", why);
	n->world->stats.refusals++;
}

/* What is said of a lie. */
static bool is_rebuff(const char *detail)
{
	return strncmp(detail, "the peer says ", 14) != 0 &&
	       (is_quarrel(detail) || is_error(detail, ERR_AUTHORITY) ||
		is_error(detail, ERR_REVOKED) || strncmp(detail, "held back: ", 11) == 0);
}

/* By the hostile member, or it is that itself. */
static bool is_lied_to(const struct node *n, const char *peer)
{
	const struct node *liar = world_liar(n->world);

	return liar && (n->owner == liar->owner || strcmp(peer, liar->office) == 0 ||
			strcmp(peer, liar->address) == 0);
}

/* W-16; strangers have sessions of their own, without a peer. */
static void check_peace(struct node *n, const char *event, const char *peer, const char *detail)
{
	bool is_end = strcmp(event, "session-refused") == 0 || strcmp(event, "session-lost") == 0;

	if (is_lied_to(n, peer)) {
		if (n->owner != world_liar(n->world)->owner && is_rebuff(detail))
			node_refuses(n, detail);
		return;
	}
	if (is_end && is_quarrel(detail) && net_stats(n->world->net)->damaged == 0 &&
	    !is_of_fork(n->world, detail))
		world_fail(n->world, "W-16", "%s and %s quarrel: %s", n->code, peer, detail);
}

/* The engine's log goes into the trace. */
static void on_log(void *ctx, enum log_level level, const char *event, const char *peer,
		   const char *detail)
{
	struct node *n = ctx;

	check_peace(n, event, peer, detail);
	if (level > LOG_DEBUG || n->world->config.verbose)
		world_note(n->world, n, "%s %s %s: %s", level >= LOG_WARN ? "!" : "-", event, peer,
			   detail);
}

/* The addresses that the node is configured with. */
static unsigned list_peers(const struct node *n, char text[][16], const char **peers)
{
	const struct world *w = n->world;
	unsigned count = 0;

	for (unsigned i = 0; i < w->edge_count && !w->config.dial_members; i++) {
		const struct edge *e = &w->edges[i];

		if (e->a == n->index || (w->config.both_dial && e->b == n->index)) {
			net_address(e->a == n->index ? e->b : e->a, text[count]);
			peers[count] = text[count];
			count++;
		}
	}
	peers[count] = NULL;
	return count;
}

/* Its disk stood in the way: the process has ended, and a supervisor starts it again. */
static void on_no_engine(void *ctx, uint64_t arg)
{
	struct node *n = ctx;

	if (!node_is_running(n) || n->engine || n->enrol || n->mouth)
		return;
	node_stop(n, ENDING_KILL);
	node_restart_in(n, MINUTE_MS);
}

static void start_engine(struct node *n)
{
	static const struct errmsg no_error;
	struct errmsg msg = no_error;
	char text[NET_NODES_MAX][16];
	const char *peers[NET_NODES_MAX + 1];
	struct engine_config config = {
		.replica = n->replica,
		.port = net_port(n->world->net, n->index),
		.dice = prng_dice(&n->dice),
		.noise_secret = n->noise_secret,
		.sign_secret = n->sign_secret,
		.peers = peers,
		.dial_members = n->world->config.dial_members,
		.log = on_log,
		.log_ctx = n,
	};

	list_peers(n, text, peers);
	if (engine_new(&n->engine, &config, node_now(n).mono_ms, &msg) == OK)
		return;
	if (node_disk_is_good(n))
		world_fail(n->world, "W-15", "%s: no engine: %s", n->code, msg.text);
	n->engine = NULL;
	timeline_at(&n->world->timeline, n->world->timeline.now_ms + SECOND_MS, on_no_engine, n, 0);
}

/* Lying. */

/* What it said has arrived, or never will. */
static void on_silence(void *ctx, uint64_t count)
{
	struct node *n = ctx;

	if (!n->mouth || n->mouth_count != count)
		return;
	mouth_free(n->mouth);
	n->mouth = NULL;
	start_engine(n);
	node_touch(n);
}

void node_lie(struct node *n, const struct mouth_config *config)
{
	engine_free(n->engine);
	n->engine = NULL;
	n->mouth = mouth_new(config);
	timeline_at(&n->world->timeline, n->world->timeline.now_ms + LIE_SECONDS * SECOND_MS,
		    on_silence, n, ++n->mouth_count);
}

/* Joining. */

static void on_invitation(void *ctx, uint64_t arg)
{
	node_invite(ctx);
}

static void invite_later(struct node *n)
{
	timeline_at(&n->world->timeline,
		    n->world->timeline.now_ms + prng_below(&n->world->dice, 2 * MINUTE_MS),
		    on_invitation, n, 0);
}

static void start_enrol(struct node *n)
{
	struct errmsg msg = { 0 };
	struct enrol_config config = {
		.port = net_port(n->world->net, n->index),
		.dice = prng_dice(&n->dice),
		.ticket = &n->ticket,
		.noise_secret = n->noise_secret,
		.sign_secret = n->sign_secret,
		.replica = n->replica,
		.office_name = n->office,
		.person_name = n->code,
		.address = n->world->config.dial_members ? n->address : NULL,
	};

	if (n->has_ticket && enrol_new(&n->enrol, &config, node_now(n), &msg) != OK)
		world_fail(n->world, "W-15", "%s can't use its ticket: %s", n->code, msg.text);
}

static struct node *draw_issuer(struct world *w)
{
	for (int i = 0; i < INVITE_TRIES; i++) {
		struct node *n = &w->nodes[prng_below(&w->dice, w->node_count)];

		if (n->engine && node_is_member(n) && replica_self(n->replica)->is_admin &&
		    node_disk_is_good(n))
			return n;
	}
	return NULL;
}

static bool issue(struct node *issuer, struct node *n)
{
	struct ticket *t = &n->ticket;
	struct dice dice = prng_dice(&issuer->dice);
	struct errmsg msg = { 0 };

	*t = (struct ticket){ .address_count = 1 };
	memcpy(t->issuer_key, issuer->identity.noise_key, NOISE_KEY_BYTES);
	snprintf(t->office_code, sizeof(t->office_code), "%s", n->office);
	snprintf(t->zone, sizeof(t->zone), "Europe/Berlin");
	snprintf(t->addresses[0], sizeof(t->addresses[0]), "%s", issuer->address);
	t->expires_s = (node_now(issuer).wall_ms + TICKET_DAYS * DAY_MS) / 1000;
	n->has_ticket = ticket_issue(issuer->replica, t, true, &dice, &msg) == OK;
	if (!n->has_ticket && node_disk_is_good(issuer))
		world_fail(n->world, "W-15", "%s can't issue a ticket: %s", issuer->code, msg.text);
	return n->has_ticket;
}

/* It belongs to nobody, or not any more. */
static bool is_outside(const struct node *n)
{
	return replica_check_member(n->replica, NULL) == ERR_ORG && !n->engine;
}

void node_invite(struct node *n)
{
	struct node *issuer = draw_issuer(n->world);

	if (!node_is_running(n) || n->world->config.direct || !is_outside(n) || n->enrol ||
	    n->world->rule)
		return;
	if (!issuer || !issue(issuer, n)) {
		invite_later(n);
		return;
	}
	world_note(n->world, n, "is invited by %s", issuer->code);
	start_enrol(n);
	node_touch(n);
	node_touch(issuer);
}

/* Who comes back belongs to the organisation all the time, and is no member of it. */
static bool has_joined(const struct node *n)
{
	return replica_has_org(n->replica) &&
	       !(n->is_coming_back && replica_check_member(n->replica, NULL) == ERR_ORG);
}

/* Joined: an engine takes over. Refused: another ticket, later. */
static void look_at_enrol(struct node *n)
{
	enum enrol_state state = n->enrol ? enrol_state(n->enrol) : ENROL_RUNNING;
	struct errmsg msg = { 0 };
	enum err rc = OK;

	if (state == ENROL_RUNNING)
		return;
	if (state == ENROL_DONE)
		rc = enrol_finish(n->enrol, n->replica, node_now(n).wall_ms, &msg);
	else
		world_note(n->world, n, "! not let in: %s", enrol_error(n->enrol)->text);
	enrol_free(n->enrol);
	n->enrol = NULL;
	if (rc != OK && node_disk_is_good(n))
		world_fail(n->world, "W-15", "%s can't join: %s", n->code, msg.text);
	/* It belongs to the organisation even if its disk had no room for more. */
	if (has_joined(n)) {
		world_note(n->world, n, "has joined");
		n->is_coming_back = false;
		start_engine(n);
	} else {
		invite_later(n);
	}
}

void node_start(struct node *n)
{
	struct errmsg msg = { 0 };
	enum err rc;

	n->restart_planned = false;
	if (node_is_running(n) || !n->is_there || n->world->rule)
		return;
	n->mono_base_ms = prng_below(&n->dice, 1000000000);
	n->tick_due_ms = UINT64_MAX;
	memdisk_on(n->disk);
	rc = node_open_replica(n, false, &n->replica, &msg);
	if (rc != OK && !node_disk_is_good(n)) {
		memdisk_kill(n->disk);
		node_restart_in(n, MINUTE_MS);
		return;
	}
	if (rc != OK) {
		world_fail(n->world, "W-1", "%s does not open any more: %s", n->code, msg.text);
		return;
	}
	if (lacks_keys(n)) {
		replica_close(n->replica);
		n->replica = NULL;
		node_take_keys(n);
		node_start(n);
		return;
	}
	world_note(n->world, n, "started");
	net_listen(n->world->net, n->index, true);
	if (!has_joined(n))
		start_enrol(n);
	else if (!n->world->config.direct)
		start_engine(n);
	node_touch(n);
}

static void end_process(struct node *n)
{
	engine_free(n->engine);
	enrol_free(n->enrol);
	mouth_free(n->mouth);
	replica_close(n->replica);
	n->engine = NULL;
	n->enrol = NULL;
	n->mouth = NULL;
	n->replica = NULL;
	n->is_touched = false;
	n->died_wall_ms = n->touched_wall_ms;
}

void node_restart(struct node *n)
{
	if (!node_is_running(n))
		return;
	net_drop_node(n->world->net, n->index, false);
	end_process(n);
	node_start(n);
}

void node_stop(struct node *n, enum ending how)
{
	struct world *w = n->world;

	if (!node_is_running(n))
		return;
	world_note(w, n, how == ENDING_POWER ? "loses power" : "is killed");
	/* The disk first: the dying process can't reach it any more. */
	if (how == ENDING_POWER)
		memdisk_crash(n->disk, &w->dice);
	else
		memdisk_kill(n->disk);
	net_drop_node(w->net, n->index, how == ENDING_POWER);
	end_process(n);
	w->stats.crashes += how == ENDING_POWER;
	w->stats.kills += how == ENDING_KILL;
}

static void on_restart(void *ctx, uint64_t arg)
{
	node_start(ctx);
}

void node_restart_in(struct node *n, uint64_t in_ms)
{
	if (n->restart_planned)
		return;
	n->restart_planned = true;
	timeline_at(&n->world->timeline, n->world->timeline.now_ms + in_ms, on_restart, n, 0);
}

/* The disk failed under the process: a supervisor ends and restarts it. */
static void on_disk_failure(void *ctx, uint64_t arg)
{
	struct node *n = ctx;

	if (!node_is_running(n) || !memdisk_has_failed(n->disk))
		return;
	node_stop(n, prng_chance(&n->world->dice, 50) ? ENDING_POWER : ENDING_KILL);
	node_restart_in(n, SECOND_MS + prng_below(&n->world->dice, MINUTE_MS));
}

/* Ticks. */

static uint64_t deadline(const struct node *n)
{
	if (n->engine)
		return engine_deadline(n->engine);
	return n->enrol ? enrol_deadline(n->enrol) : UINT64_MAX;
}

static void on_tick(void *ctx, uint64_t arg)
{
	struct node *n = ctx;
	struct now now = node_now(n);

	if (n->tick_due_ms != n->world->timeline.now_ms)
		return;
	n->tick_due_ms = UINT64_MAX;
	if (n->engine)
		engine_tick(n->engine, now);
	else if (n->enrol)
		enrol_tick(n->enrol, now);
	node_touch(n);
	n->idle_ticks = deadline(n) <= now.mono_ms ? n->idle_ticks + 1 : 0;
	if (n->idle_ticks > IDLE_TICKS_MAX)
		world_fail(n->world, "W-15", "%s: its deadline stays in the past", n->code);
}

void node_plan_tick(struct node *n)
{
	uint64_t at = deadline(n), due, now_ms = n->world->timeline.now_ms;

	if (at == UINT64_MAX)
		return;
	due = at > now_ms + n->mono_base_ms ? at - n->mono_base_ms : now_ms;
	if (due >= n->tick_due_ms)
		return;
	n->tick_due_ms = due;
	timeline_at(&n->world->timeline, due, on_tick, n, 0);
}

void node_touch(struct node *n)
{
	n->is_touched = true;
	n->touched_wall_ms = node_now(n).wall_ms;
	look_at_enrol(n);
	if (memdisk_has_failed(n->disk))
		timeline_at(&n->world->timeline,
			    n->world->timeline.now_ms + prng_below(&n->world->dice, 5 * SECOND_MS),
			    on_disk_failure, n, 0);
}

void node_changed(struct node *n)
{
	if (n->engine)
		engine_changed(n->engine, node_now(n));
	node_touch(n);
}

bool node_enrol_anew(struct node *n)
{
	struct errmsg msg = { 0 };
	bool done;

	/* The keys first: under those it takes a new id. */
	net_drop_node(n->world->net, n->index, false);
	end_process(n);
	node_draw_keys(n);
	node_take_keys(n);
	n->is_coming_back = true;
	if (node_open_replica(n, false, &n->replica, &msg) != OK) {
		n->replica = NULL;
		return false;
	}
	done = replica_enrol_anew(n->replica, &msg) == OK;
	audit_node(n);
	end_process(n);
	n->has_ticket = false;
	node_start(n);
	return done;
}

/* The network's events: an engine's, or a newcomer's. */

static struct node *node_of(void *ctx, unsigned index)
{
	struct world *w = ctx;
	struct node *n = &w->nodes[index];

	return (n->engine || n->enrol || n->mouth) && !w->rule ? n : NULL;
}

static void up_accepted(void *ctx, unsigned index, struct conn_id conn, const char *from)
{
	struct node *n = node_of(ctx, index);

	if (!n)
		return;
	if (n->engine)
		engine_accepted(n->engine, node_now(n), conn, from);
	node_touch(n);
}

static void up_connected(void *ctx, unsigned index, struct conn_id conn)
{
	struct node *n = node_of(ctx, index);

	if (!n)
		return;
	if (n->engine)
		engine_connected(n->engine, node_now(n), conn);
	else if (n->mouth)
		mouth_connected(n->mouth, conn);
	else
		enrol_connected(n->enrol, node_now(n), conn);
	node_touch(n);
}

static void up_received(void *ctx, unsigned index, struct conn_id conn, struct bytes data)
{
	struct node *n = node_of(ctx, index);

	if (!n)
		return;
	if (n->engine)
		engine_received(n->engine, node_now(n), conn, data);
	else if (n->mouth)
		mouth_received(n->mouth, conn, data);
	else
		enrol_received(n->enrol, node_now(n), conn, data);
	node_touch(n);
}

static void up_sent(void *ctx, unsigned index, struct conn_id conn, size_t bytes)
{
	struct node *n = node_of(ctx, index);

	if (!n)
		return;
	if (n->engine)
		engine_sent(n->engine, node_now(n), conn, bytes);
	node_touch(n);
}

static void up_closed(void *ctx, unsigned index, struct conn_id conn, const char *reason)
{
	struct node *n = node_of(ctx, index);

	if (!n)
		return;
	if (n->engine)
		engine_closed(n->engine, node_now(n), conn, reason);
	else if (n->mouth)
		mouth_closed(n->mouth, conn);
	else
		enrol_closed(n->enrol, node_now(n), conn, reason);
	node_touch(n);
}

struct net_up node_net_up(struct world *w)
{
	return (struct net_up){ w, up_accepted, up_connected, up_received, up_sent, up_closed };
}

/* Creation. */

static void begin(struct world *w, unsigned index)
{
	struct node *n = &w->nodes[index];

	n->world = w;
	n->index = n->owner = index;
	n->tick_due_ms = UINT64_MAX;
	snprintf(n->code, sizeof(n->code), "N%02u", index);
	snprintf(n->office, sizeof(n->office), "N%02u", index);
	net_address(index, n->address);
	n->dice = prng_split(&w->dice);
	n->mark.port = (struct mark_port){ &n->mark, load_mark, save_mark };
	n->disk = memdisk_new();
}

void node_create(struct world *w, unsigned index)
{
	struct node *n = &w->nodes[index];
	struct errmsg msg = { 0 };

	begin(w, index);
	if (index >= w->config.nodes)
		return; /* a place for a copy */
	n->is_there = true;
	node_draw_keys(n);
	node_take_keys(n);
	if (node_open_replica(n, true, &n->replica, &msg) != OK) {
		world_fail(w, "W-15", "%s: no replica: %s", n->code, msg.text);
		return;
	}
	n->identity = replica_identity(n->replica, n->identity.noise_key);
	n->author = ledger_add_author(&w->ledger, replica_id(n->replica), index);
}

void node_become_copy(struct node *n, const struct node *of)
{
	assert(!n->is_there);
	n->is_there = true;
	n->owner = of->owner;
	memcpy(n->office, of->office, sizeof(n->office));
	memcpy(n->sign_secret, of->sign_secret, sizeof(n->sign_secret));
	memcpy(n->noise_secret, of->noise_secret, sizeof(n->noise_secret));
	n->identity = of->identity;
	n->author = of->author;
	n->mark.mark = of->mark.mark;
	n->mark.is_there = of->mark.is_there;
	n->clock_offset_ms = of->clock_offset_ms;
	n->greatest_hlc_ms = of->greatest_hlc_ms;
}

void node_destroy(struct node *n)
{
	engine_free(n->engine);
	enrol_free(n->enrol);
	mouth_free(n->mouth);
	replica_close(n->replica);
	memdisk_free(n->disk);
	for (unsigned s = 0; s < LEDGER_SPACES_MAX; s++) {
		free(n->held[s]);
		free(n->limits[s]);
		free(n->limits_before[s]);
	}
}

/* Without engines. */

static bool hand_over_some(struct node *from, struct node *to, const struct space_id *space)
{
	struct world *w = from->world;
	struct arena arena = ARENA_EMPTY;
	struct errmsg msg = { 0 };
	struct receipt receipt = { 0 };
	struct sealed *list;
	size_t count = 0;
	bool more = false;
	enum err rc = replica_missing(from->replica, space, replica_vv(to->replica, space),
				      HAND_OVER_BYTES, HAND_OVER_COUNT, &arena, &list, &count,
				      &more, &msg);

	if (rc == OK && count)
		rc = replica_receive(to->replica, space, list, count, node_now(to).wall_ms,
				     &receipt, &msg);
	if (rc != OK && node_disk_is_good(from) && node_disk_is_good(to))
		world_fail(w, "W-16", "%s to %s: %s", from->code, to->code, msg.text);
	w->stats.held_back += receipt.held_back;
	arena_release(&arena);
	return rc == OK && more && receipt.held_back == 0;
}

bool node_hand_over_statements(struct node *from, struct node *to, size_t *added)
{
	struct statement_list l = { 0 };
	struct statements_receipt receipt = { 0 };
	struct errmsg msg = { 0 };
	enum err rc = statement_list_read(&l, from->replica, &msg);

	if (rc == OK)
		rc = replica_take_statements(to->replica, l.list, l.count, node_now(to).wall_ms,
					     &receipt, &msg);
	if (rc != OK && node_disk_is_good(from) && node_disk_is_good(to))
		world_fail(from->world, "W-16", "%s to %s: %s", from->code, to->code, msg.text);
	statement_list_release(&l);
	*added = rc == OK ? receipt.added : 0;
	return rc == OK;
}

void node_hand_over(struct node *from, struct node *to)
{
	size_t count, added;
	struct errmsg msg;
	bool changed;

	if (!node_is_running(from) || !node_is_running(to) ||
	    replica_refresh(from->replica, &changed, &msg) != OK ||
	    replica_refresh(to->replica, &changed, &msg) != OK)
		return;
	/* As a session ends that can't store them: membership travels first. */
	if (replica_trust(from->replica) && replica_has_org(to->replica) &&
	    !node_hand_over_statements(from, to, &added))
		return;
	replica_spaces(from->replica, &count);
	for (size_t i = 0; i < count && !from->world->rule; i++) {
		struct space_id space = replica_spaces(from->replica, &count)[i];
		const struct member *self = replica_self(to->replica);

		if (i > 0 && (!self || replica_role(to->replica, self, &space) == ROLE_NONE))
			continue;
		while (hand_over_some(from, to, &space) && !from->world->rule)
			continue;
	}
	node_touch(from);
	node_touch(to);
}
