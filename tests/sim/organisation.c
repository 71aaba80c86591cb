#include "tests/sim/organisation.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim/invariants.h"
#include "tests/sim/node.h"

static void add_edge(struct world *w, unsigned a, unsigned b)
{
	bool turn = prng_chance(&w->dice, 50);

	w->edges[w->edge_count++] = turn ? (struct edge){ b, a } : (struct edge){ a, b };
}

void organisation_connect(struct world *w)
{
	for (unsigned i = 1; i < w->node_count; i++)
		switch (w->config.topology) {
		case TOPOLOGY_MESH:
			for (unsigned k = 0; k < i; k++)
				add_edge(w, i, k);
			break;
		case TOPOLOGY_STAR: add_edge(w, i, 0); break;
		case TOPOLOGY_TREE: add_edge(w, i, (unsigned)prng_below(&w->dice, i)); break;
		default: add_edge(w, i, i - 1);
		}
	if (w->config.topology == TOPOLOGY_RING && w->node_count > 2)
		add_edge(w, w->node_count - 1, 0);
}

/* Those who are there from the beginning. */
static unsigned founder_count(const struct world *w)
{
	return w->config.nodes - w->config.newcomers;
}

static void check(struct world *w, enum err rc, const struct errmsg *msg)
{
	if (rc != OK)
		world_fail(w, "W-15", "the organisation can't be founded: %s", msg->text);
}

/* The organisation's, which is kept apart from all nodes. */
static void draw_root(struct world *w)
{
	uint8_t seed[crypto_sign_SEEDBYTES];
	struct prng dice;

	prng_init(&dice, w->config.seed + UINT64_C(0x726f6f74));
	prng_fill(&dice, seed, sizeof(seed));
	crypto_sign_seed_keypair(w->root.key.bytes, w->root_secret, seed);
	w->root.secret = w->root_secret;
}

static void found(struct world *w)
{
	struct node *n = &w->nodes[0];
	struct errmsg msg = { 0 };
	struct space_id directory;
	struct founding f = {
		.org_name = "Huitong",
		.office_code = n->code,
		.office_name = n->code,
		.zone = "Asia/Shanghai",
		.person_name = "founder",
		.address = w->config.dial_members ? n->address : NULL,
		.roots = { 1, &w->root.key, 1 },
		.node = n->identity,
	};

	draw_root(w);
	check(w, replica_found(n->replica, &f, node_now(n).wall_ms, &msg), &msg);
	directory = replica_directory(n->replica);
	ledger_add_space(&w->ledger, &directory);
	audit_node(n);
}

static void admit(struct world *w, struct node *n)
{
	struct node *founder = &w->nodes[0];
	struct errmsg msg = { 0 };
	struct admission a = {
		.office_code = n->code,
		.office_name = n->code,
		.zone = "Europe/Berlin",
		.person_name = n->code,
		.address = w->config.dial_members ? n->address : NULL,
		.is_admin = true,
		.node = n->identity,
	};

	check(w, replica_admit(founder->replica, &a, node_now(founder).wall_ms, &msg), &msg);
	check(w, replica_join(n->replica, replica_org(founder->replica), &msg), &msg);
	audit_node(founder);
}

/* A connected part of the topology of at least two. */
static void draw_members(struct world *w, struct collaboration *c)
{
	unsigned wanted = 2 + (unsigned)prng_below(&w->dice, w->node_count);
	unsigned count = 1, founders = founder_count(w);

	c->has[prng_below(&w->dice, founders)] = true;
	for (unsigned tries = 0; tries < 20 * w->node_count && count < wanted; tries++) {
		const struct edge *e;

		if (w->edge_count == 0)
			return;
		e = &w->edges[prng_below(&w->dice, w->edge_count)];
		if (c->has[e->a] == c->has[e->b] || e->a >= founders || e->b >= founders)
			continue;
		c->has[e->a] = c->has[e->b] = true;
		count++;
	}
}

static void make_space(struct world *w, struct collaboration *c)
{
	struct node *n = &w->nodes[0];
	struct statement s = { .type = STATEMENT_SPACE };
	struct office_role offices[SPACE_OFFICES_MAX] = { 0 };
	struct errmsg msg = { 0 };
	size_t count = 0;

	draw_members(w, c);
	for (unsigned i = 0; i < founder_count(w); i++) {
		c->has[i] |= w->config.all_granted;
		if (!c->has[i])
			continue;
		snprintf(offices[count].office_code, sizeof(offices[count].office_code), "%s",
			 w->nodes[i].code);
		offices[count++].role = ROLE_MANAGER;
	}
	prng_fill(&w->dice, s.u.space.nonce, ID_BYTES);
	s.u.space.offices = offices;
	s.u.space.office_count = count;
	check(w, replica_state(n->replica, &s, NULL, 0, node_now(n).wall_ms, &msg), &msg);
	c->id = statement_space(&s.id);
	c->space = ledger_add_space(&w->ledger, &c->id);
	audit_node(n);
}

void organisation_found(struct world *w)
{
	found(w);
	for (unsigned i = 1; i < founder_count(w) && !w->rule; i++)
		admit(w, &w->nodes[i]);
	for (unsigned i = 0; i < w->space_count && !w->rule; i++)
		make_space(w, &w->spaces[i]);
	for (unsigned i = 1; i < founder_count(w) && !w->rule; i++) {
		node_hand_over(&w->nodes[0], &w->nodes[i]);
		audit_node(&w->nodes[i]);
	}
}
