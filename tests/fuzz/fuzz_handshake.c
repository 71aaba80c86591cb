/* A session and whoever connects, up to the end of the handshake: the true bytes of a member, of
 * a stranger or of a newcomer with a ticket, spoiled on their way.
 *
 *   byte 0   bit 0: the session dials
 *            bits 1-2: who the other side is: a member, a stranger, a newcomer with the ticket,
 *            one with a wrong secret
 * then steps, each a letter and its arguments, of one byte each:
 *   g count    so many of the other side's next bytes arrive
 *   f mask     the next byte arrives, changed by xor
 *   d count    so many are lost
 *   i byte     this byte comes in between
 *   s count    the next so many arrive twice
 *   a          the other side reads and answers
 *   t seconds  time passes
 * Whatever is no step ends the list.
 *
 * Whoever's handshake was not carried as it was is never taken for anybody, and a stranger never;
 * nothing is stored but the tries of a ticket. */
#include <stdlib.h>

#include "proto/preamble.h"
#include "sync/ticket.h"
#include "tests/fuzz/target.h"
#include "tests/sync/talk.h"

enum who { MEMBER, STRANGER, NEWCOMER, WRONG_SECRET };

static struct talk talk;
static struct noise_keypair stranger;
static struct ticket ticket;

static struct {
	enum who who;
	bool session_dials;
	bool is_spoiled;  /* a byte was changed, lost, made up or repeated */
	struct buf queue; /* said by the other side, not arrived */
} run;

static void make_world(void)
{
	uint8_t secret[32] = { 7 };

	talk_init(&talk);
	noise_keypair_from_secret(&stranger, secret);
	ticket = (struct ticket){ .office_code = "NYC",
				  .zone = "America/New_York",
				  .expires_s = OFFICE_NOW_MS / 1000 + 3600,
				  .address_count = 1,
				  .addresses = { "host:1" } };
	memcpy(ticket.issuer_key, talk.ours.key.public_key, NOISE_KEY_BYTES);
}

/* A new ticket for each run: tries wear it out. */
static void open_both(void)
{
	bool enrols = run.who == NEWCOMER || run.who == WRONG_SECRET;
	struct link_config theirs = { .is_dialler = true,
				      .org = replica_org(talk.ours.office.replica),
				      .static_key = &stranger,
				      .dice = &talk.theirs.dice,
				      .purpose = PREAMBLE_ENROL,
				      .remote_key = ticket.issuer_key,
				      .psk = ticket.secret };

	talk_open(&talk, run.session_dials, NULL);
	if (run.who == MEMBER)
		return;
	link_release(&talk.peer);
	if (enrols) {
		OFFICE_MUST(ticket_issue(talk.ours.office.replica, &ticket, false, &talk.ours.dice,
					 &msg));
		if (run.who == WRONG_SECRET)
			ticket.secret[0] ^= 1;
		theirs.ticket_id = bytes_of(ticket.id, TICKET_ID_BYTES);
	} else {
		theirs = (struct link_config){ .is_dialler = !run.session_dials,
					       .org = theirs.org,
					       .static_key = &stranger,
					       .dice = theirs.dice,
					       .purpose = PREAMBLE_SYNC };
	}
	OFFICE_MUST(link_init(&talk.peer, &theirs));
}

static bool is_taken_for_somebody(void)
{
	return session_remote_key(talk.session) || session_state(talk.session) == SESSION_OPEN;
}

/* ---- Steps ------------------------------------------------------------------------ */

static uint8_t take_byte(struct bytes *input)
{
	uint8_t value = 0;

	if (input->size) {
		value = *input->data;
		*input = bytes_of(input->data + 1, input->size - 1);
	}
	return value;
}

static void collect(void)
{
	buf_append(&run.queue, talk.peer.out.data, talk.peer.out.size);
	buf_clear(&talk.peer.out);
}

/* At most as many as have been said. */
static size_t take_count(struct bytes *input)
{
	size_t count = take_byte(input);

	collect();
	return count < run.queue.size ? count : run.queue.size;
}

static void arrive(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1); /* reading beyond shall show */

	require(copy != NULL);
	if (size)
		memcpy(copy, data, size);
	session_receive(talk.session, talk.now, bytes_of(copy, size));
	free(copy);
}

static void arrive_true(struct bytes *input)
{
	size_t count = take_count(input);

	arrive(run.queue.data, count);
	buf_consume(&run.queue, count);
}

static void arrive_flipped(struct bytes *input)
{
	uint8_t mask = take_byte(input), byte;

	collect();
	if (!run.queue.size)
		return;
	byte = run.queue.data[0] ^ mask;
	run.is_spoiled |= mask != 0;
	arrive(&byte, 1);
	buf_consume(&run.queue, 1);
}

static void lose(struct bytes *input)
{
	size_t count = take_count(input);

	run.is_spoiled |= count > 0;
	buf_consume(&run.queue, count);
}

static void insert(struct bytes *input)
{
	uint8_t byte = take_byte(input);

	run.is_spoiled = true;
	arrive(&byte, 1);
}

static void arrive_twice(struct bytes *input)
{
	size_t count = take_count(input);

	arrive(run.queue.data, count);
	run.is_spoiled |= count > 0 && !is_taken_for_somebody();
	arrive(run.queue.data, count);
	buf_consume(&run.queue, count);
}

static void answer(struct bytes *input)
{
	struct bytes out = session_outgoing(talk.session);
	struct buf copy = BUF_EMPTY;

	buf_append(&copy, out.data, out.size);
	session_sent(talk.session, out.size);
	if (copy.size && !talk.has_ended && peer_read(&talk, buf_bytes(&copy)) != OK)
		talk.has_ended = true;
	buf_release(&copy);
}

static void pass(struct bytes *input)
{
	talk.now.mono_ms += take_byte(input) * 1000;
	session_tick(talk.session, talk.now);
}

static void (*const steps[256])(struct bytes *input) = {
	['g'] = arrive_true,  ['f'] = arrive_flipped, ['d'] = lose, ['i'] = insert,
	['s'] = arrive_twice, ['a'] = answer,         ['t'] = pass,
};

/* ---- A run -------------------------------------------------------------------------- */

static void require_sound(bool was_taken)
{
	bool is_closed = session_state(talk.session) == SESSION_CLOSED;

	session_check(talk.session);
	require(is_closed == (session_deadline(talk.session) == UINT64_MAX));
	/* What was spoiled after the handshake ends the session, no more. */
	if (run.who != MEMBER || (run.is_spoiled && !was_taken))
		require(!is_taken_for_somebody());
}

static void end_run(void)
{
	for (size_t i = 0; i < talk.inbox_count; i++)
		buf_release(&talk.inbox[i]);
	talk.inbox_count = 0;
	buf_release(&run.queue);
	session_free(talk.session);
	link_release(&talk.peer);
	talk.session = NULL;
	talk.has_ended = false;
	talk.now = (struct now){ OFFICE_NOW_MS, 1000 };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = bytes_of(data, size);
	uint8_t form = take_byte(&input);
	uint64_t held;

	if (!talk.ours.office.replica)
		make_world();
	held = vv_get(replica_vv(talk.ours.office.replica, &talk.directory),
		      replica_id(talk.ours.office.replica));
	run.session_dials = form & 1;
	run.who = (enum who)(form >> 1 & 3);
	run.is_spoiled = false;
	if (run.session_dials && run.who > STRANGER)
		run.who = STRANGER; /* newcomers dial */
	open_both();
	while (input.size && session_state(talk.session) != SESSION_CLOSED) {
		void (*step)(struct bytes * input) = steps[take_byte(&input)];
		bool was_taken = is_taken_for_somebody();

		if (!step)
			break;
		step(&input);
		require_sound(was_taken);
	}
	require(held == vv_get(replica_vv(talk.ours.office.replica, &talk.directory),
			       replica_id(talk.ours.office.replica)));
	end_run();
	return 0;
}
