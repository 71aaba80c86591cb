/* M-11: verdicts from the past forward, then what waited for others, then circles. */
#include <assert.h>
#include <stdlib.h>

#include "core/trust_impl.h"

/* Nothing waits for one of a later round. */
enum round { ROUND_ROOTS, ROUND_MEMBERS, ROUND_ADOPTIONS, ROUND_COUNT };

struct settle {
	struct fold *f;
	enum round round;
	bool *is_queued;
	uint32_t *queue; /* a ring: each statement is in it once at most */
	uint32_t first, queued;
};

static bool is_of_round(const struct settle *s, uint32_t x)
{
	switch (s->f->list[x]->type) {
	case STATEMENT_ROOTS: return s->round == ROUND_ROOTS;
	case STATEMENT_ADOPT: return s->round == ROUND_ADOPTIONS;
	default: return s->round == ROUND_MEMBERS;
	}
}

/* ---- Who is to be looked at again ------------------------------------------ */

static void enqueue(struct settle *s, uint32_t x)
{
	if (s->is_queued[x] || s->f->standing[x] != UNDECIDED || !is_of_round(s, x))
		return;
	s->is_queued[x] = true;
	s->queue[(s->first + s->queued++) % s->f->count] = x;
}

static uint32_t dequeue(struct settle *s)
{
	uint32_t x = s->queue[s->first];

	s->first = (s->first + 1) % s->f->count;
	s->queued--;
	s->is_queued[x] = false;
	return x;
}

static void enqueue_span(struct settle *s, uint32_t subject)
{
	struct span span = fold_span(s->f, subject);

	for (uint32_t i = 0; i < span.count; i++)
		enqueue(s, span.at[i]);
}

/* Whoever may have waited for x: what is about the same, and what was signed by the
 * keys of the node that it is about. */
static void wake(struct settle *s, uint32_t x)
{
	const struct about *about = &s->f->about[x];
	struct span of_node = fold_span(s->f, about->node);

	enqueue_span(s, about->node);
	enqueue_span(s, about->sign_key);
	enqueue_span(s, about->noise_key);
	enqueue_span(s, about->replica);
	enqueue_span(s, about->roots);
	enqueue_span(s, about->grants);
	for (uint32_t i = 0; i < of_node.count; i++)
		enqueue_span(s, s->f->about[of_node.at[i]].signed_by);
}

static void settle_as(struct settle *s, uint32_t x, enum standing standing)
{
	assert(s->f->standing[x] == UNDECIDED);
	s->f->standing[x] = (uint8_t)standing;
}

/* Whether x could be decided. */
static bool decide(struct settle *s, uint32_t x)
{
	enum opposition opposition = OPPOSITION_STANDING;
	enum footing footing = FOOTING_GONE;

	if (peer_is_named(s->f, x))
		footing = ground_footing(s->f, x);
	if (footing != FOOTING_GONE) /* most of what falls has no ground: look no further */
		opposition = peer_opposition(s->f, x);
	if (opposition == OPPOSITION_STANDING)
		settle_as(s, x, FALLEN);
	else if (footing == FOOTING_FIRM && opposition == OPPOSITION_NONE)
		settle_as(s, x, STANDING);
	return s->f->standing[x] != UNDECIDED;
}

/* Look at all that are undecided, and again at what may have waited for those that
 * could be decided. False: none could. */
static bool decide_some(struct settle *s)
{
	bool has_decided = false;

	for (uint32_t x = 0; x < s->f->count; x++)
		enqueue(s, x);
	while (s->queued) {
		uint32_t x = dequeue(s);

		if (s->f->standing[x] == UNDECIDED && decide(s, x)) {
			wake(s, x);
			has_decided = true;
		}
	}
	return has_decided;
}

/* ---- Circles --------------------------------------------------------------- */

/* The undecided and what they wait for; Tarjan's strongly connected components. */
struct circles {
	struct settle *s;
	uint32_t *members; /* statements, ascending */
	uint32_t count;
	uint32_t *number_of; /* of a statement among the members */
	uint64_t *waits;     /* a row of bits for each member */
	size_t words;
	uint32_t row;                 /* being filled */
	uint32_t *index, *low, *next; /* by member; index 0: not visited yet */
	bool *is_open;
	uint32_t *stack, *path;
	uint32_t stacked, depth, visited;
};

static void note_wait(void *ctx, uint32_t y)
{
	struct circles *c = ctx;
	uint32_t number = c->number_of[y];

	c->waits[c->row * c->words + number / 64] |= UINT64_C(1) << (number % 64);
}

static uint32_t next_wait(const struct circles *c, uint32_t member, uint32_t from)
{
	const uint64_t *row = c->waits + member * c->words;

	for (size_t word = from / 64; word < c->words; word++) {
		uint64_t bits = row[word];

		if (word == from / 64)
			bits &= UINT64_MAX << (from % 64);
		if (bits)
			return (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(bits);
	}
	return c->count;
}

static bool goes_before(const struct fold *f, uint32_t x, uint32_t y)
{
	bool a = statement_is_removal(f->list[x]), b = statement_is_removal(f->list[y]);

	if (a != b)
		return a;
	if (f->is_root[x] != f->is_root[y])
		return f->is_root[x];
	return statement_id_cmp(&f->list[x]->id, &f->list[y]->id) < 0;
}

static void fell(void *ctx, uint32_t y)
{
	struct settle *s = ctx;

	if (s->f->standing[y] == UNDECIDED) {
		settle_as(s, y, FALLEN);
		wake(s, y);
	}
}

/* The members of a circle, on top of the stack from `bottom`, wait for nothing else. */
static void break_circle(struct circles *c, uint32_t bottom)
{
	struct settle *s = c->s;
	uint32_t best = NO_STATEMENT;

	for (uint32_t i = bottom; i < c->stacked; i++) {
		uint32_t x = c->members[c->stack[i]];

		if ((best == NO_STATEMENT || goes_before(s->f, x, best)) &&
		    ground_footing(s->f, x) >= FOOTING_DISPUTED && !peer_may_clash(s->f, x))
			best = x;
	}
	assert(best != NO_STATEMENT); /* whoever has seen none of the others is one */
	peer_victims(s->f, best, fell, s);
	ground_victims(s->f, best, fell, s);
	settle_as(s, best, STANDING);
	wake(s, best);
}

/* All that they wait for is among them. */
static bool is_closed(const struct circles *c, uint32_t bottom)
{
	for (uint32_t i = bottom; i < c->stacked; i++) {
		uint32_t member = c->stack[i];

		for (uint32_t y = next_wait(c, member, 0); y < c->count;
		     y = next_wait(c, member, y + 1))
			if (!c->is_open[y] || c->index[y] < c->index[c->stack[bottom]])
				return false;
	}
	return true;
}

static void enter(struct circles *c, uint32_t member)
{
	c->index[member] = c->low[member] = ++c->visited;
	c->is_open[member] = true;
	c->stack[c->stacked++] = member;
	c->path[c->depth++] = member;
}

/* The component whose first member is this one is complete. */
static void close_component(struct circles *c, uint32_t member)
{
	uint32_t bottom = c->stacked;

	while (c->stack[--bottom] != member)
		;
	if (is_closed(c, bottom))
		break_circle(c, bottom);
	while (c->stacked > bottom)
		c->is_open[c->stack[--c->stacked]] = false;
}

static void visit_from(struct circles *c, uint32_t start)
{
	enter(c, start);
	while (c->depth) {
		uint32_t member = c->path[c->depth - 1];
		uint32_t y = next_wait(c, member, c->next[member]);

		c->next[member] = y + 1;
		if (y < c->count && c->index[y] == 0) {
			enter(c, y);
		} else if (y < c->count) {
			if (c->is_open[y] && c->index[y] < c->low[member])
				c->low[member] = c->index[y];
		} else {
			if (c->low[member] == c->index[member])
				close_component(c, member);
			c->depth--;
			if (c->depth && c->low[member] < c->low[c->path[c->depth - 1]])
				c->low[c->path[c->depth - 1]] = c->low[member];
		}
	}
}

static void circles_release(struct circles *c)
{
	free(c->members);
	free(c->number_of);
	free(c->waits);
	free(c->index);
	free(c->is_open);
}

/* The undecided of the round. */
static enum err circles_init(struct circles *c, struct settle *s)
{
	uint32_t *numbers;

	*c = (struct circles){ .s = s };
	c->members = malloc(s->f->count * sizeof(*c->members));
	c->number_of = malloc(s->f->count * sizeof(*c->number_of));
	if (!c->members || !c->number_of)
		return ERR_NOMEM;
	for (uint32_t x = 0; x < s->f->count; x++)
		if (s->f->standing[x] == UNDECIDED && is_of_round(s, x)) {
			c->number_of[x] = c->count;
			c->members[c->count++] = x;
		}
	if (c->count == 0)
		return OK;
	c->words = (c->count + 63) / 64;
	c->waits = calloc(c->count * c->words, sizeof(*c->waits));
	numbers = c->index = calloc(c->count, 5 * sizeof(*c->index));
	c->is_open = calloc(c->count, sizeof(*c->is_open));
	if (!c->waits || !numbers || !c->is_open)
		return ERR_NOMEM;
	c->low = numbers + c->count;
	c->next = numbers + 2 * c->count;
	c->stack = numbers + 3 * c->count;
	c->path = numbers + 4 * c->count;
	return OK;
}

/* Break the circles that nothing outside of them can settle; they don't concern each
 * other. `is_done`: nothing was undecided. */
static enum err break_circles(struct settle *s, bool *is_done)
{
	struct circles c;
	enum err rc = circles_init(&c, s);

	if (rc == OK) {
		for (c.row = 0; c.row < c.count; c.row++) {
			ground_waits(s->f, c.members[c.row], note_wait, &c);
			peer_waits(s->f, c.members[c.row], note_wait, &c);
		}
		for (uint32_t member = 0; member < c.count; member++)
			if (c.index[member] == 0)
				visit_from(&c, member);
		*is_done = c.count == 0;
	}
	circles_release(&c);
	return rc;
}

/* ---- All ------------------------------------------------------------------- */

static enum err settle_round(struct settle *s)
{
	bool is_done = false;
	enum err rc = OK;

	for (uint32_t x = 0; x < s->f->count; x++)
		if (s->f->standing[x] == UNDECIDED && is_of_round(s, x))
			decide(s, x);
	while (rc == OK && !is_done) {
		while (decide_some(s))
			;
		rc = break_circles(s, &is_done);
	}
	return rc;
}

enum err fold_settle(struct fold *f)
{
	struct settle s = { .f = f };
	enum err rc = OK;

	s.is_queued = arena_array(&f->arena, f->count, sizeof(*s.is_queued));
	s.queue = arena_array(&f->arena, f->count, sizeof(*s.queue));
	if (!s.is_queued || !s.queue)
		return ERR_NOMEM;
	for (uint32_t x = 0; x < f->count; x++)
		if (f->list[x]->type == STATEMENT_GENESIS || f->list[x]->type == STATEMENT_FORK)
			f->standing[x] = STANDING;
	for (s.round = ROUND_ROOTS; s.round < ROUND_COUNT && rc == OK; s.round++) {
		if (s.round == ROUND_MEMBERS)
			for (uint32_t x = 0; x < f->count; x++)
				f->is_root[x] = ground_is_root(f, x);
		rc = settle_round(&s);
	}
	return rc;
}
