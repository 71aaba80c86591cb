#include "tests/sim/organisation.h"

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
	return w->node_count - w->config.newcomers;
}

static void check(struct world *w, enum err rc, const struct errmsg *msg)
{
	if (rc != OK)
		world_fail(w, "W-15", "the organisation can't be founded: %s", msg->text);
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
		.node = n->identity,
	};

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

static enum err write_space(struct world *w, struct collaboration *c, struct edit *edit,
			    struct errmsg *msg)
{
	struct value value = value_str("collaboration");
	enum err rc;

	c->record = edit_create(edit);
	rc = edit_set(edit, KIND_SPACE, &c->record, SPACE_NAME, &value, msg);
	value = value_bytes(bytes_of(c->id.bytes, ID_BYTES));
	if (rc == OK)
		rc = edit_set(edit, KIND_SPACE, &c->record, SPACE_ID, &value, msg);
	for (unsigned i = 0; rc == OK && i < w->node_count; i++) {
		value = value_ref(&w->offices[i]);
		if (c->has[i])
			rc = edit_add(edit, KIND_SPACE, &c->record, SPACE_OFFICES, &value, msg);
	}
	return rc;
}

static void make_space(struct world *w, struct collaboration *c)
{
	struct node *n = &w->nodes[0];
	struct space_id directory = replica_directory(n->replica);
	struct errmsg msg = { 0 };
	struct edit *edit;
	enum err rc = replica_begin(n->replica, &msg);

	prng_fill(&w->dice, c->id.bytes, ID_BYTES);
	c->space = ledger_add_space(&w->ledger, &c->id);
	draw_members(w, c);
	for (unsigned i = 0; w->config.all_granted && i < founder_count(w); i++)
		c->has[i] = true;
	if (rc == OK)
		rc = edit_open(&edit, n->replica, &directory, NULL, node_now(n).wall_ms, &msg);
	if (rc == OK) {
		rc = write_space(w, c, edit, &msg);
		if (rc == OK)
			rc = edit_seal(edit, &msg);
		else
			edit_drop(edit);
	}
	if (rc == OK)
		rc = replica_commit(n->replica, &msg);
	check(w, rc, &msg);
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
