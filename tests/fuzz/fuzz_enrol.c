/* A newcomer whose issuer says anything, after a real handshake with the ticket's secret: it is
 * enrolled by what holds, or told in words what was wrong.
 *
 * The input is a list of steps, each a letter and its arguments, of one byte each unless said
 * otherwise. Messages are valid and sealed, in any order:
 *   e                  that it is enrolled
 *   s from count how   statements that the issuer holds, spoiled if `how` is odd
 *   z                  that these were all
 *   b which            bye
 *   m size bytes       any bytes, sealed
 *   r size bytes       any bytes, sealed by nobody
 *   t seconds          time passes
 *   c                  the link is cut
 * Whatever is no step ends the list. The keys, ids and clocks of both are always the same. */
#include <string.h>

#include "proto/message.h"
#include "proto/proof.h"
#include "sync/enrol.h"
#include "sync/link.h"
#include "tests/fuzz/target.h"
#include "tests/support/office.h"

static struct {
	struct office issuer;
	struct noise_keypair key; /* its */
	struct dice dice;
	struct ticket ticket;
	struct office newcomer;
	bool is_used; /* the newcomer: it has taken an organisation */
} world;

/* One run. */
static struct {
	struct link link; /* the issuer's end */
	struct enrol *enrol;
	struct conn_id conn;
	struct buf said; /* by the newcomer */
	struct now now;
	bool is_cut;
} run;

static const uint8_t newcomer_secret[32] = { 9 };

/* The same each time. */
static void make_newcomer(void)
{
	if (world.newcomer.replica)
		office_close(&world.newcomer);
	office_open(&world.newcomer, NULL, 2);
	world.is_used = false;
}

/* So that there is a statement that names it. */
static void admit_newcomer(void)
{
	struct admission a = { .office_code = "NYC",
			       .office_name = "New York",
			       .zone = "America/New_York" };
	struct noise_keypair key;

	noise_keypair_from_secret(&key, newcomer_secret);
	a.node = replica_identity(world.newcomer.replica, key.public_key);
	OFFICE_MUST(replica_admit(world.issuer.replica, &a, OFFICE_NOW_MS, &msg));
}

static void make_world(void)
{
	static const uint8_t secret[32] = { 7 };
	static struct prng prng;

	office_open(&world.issuer, NULL, 1);
	office_found(&world.issuer, "SHA");
	noise_keypair_from_secret(&world.key, secret);
	prng_init(&prng, 1);
	world.dice = prng_dice(&prng);
	world.ticket = (struct ticket){ .office_code = "NYC",
					.zone = "America/New_York",
					.expires_s = OFFICE_NOW_MS / 1000 + 3600,
					.address_count = 1,
					.addresses = { "host:1" } };
	memcpy(world.ticket.issuer_key, world.key.public_key, NOISE_KEY_BYTES);
	OFFICE_MUST(ticket_issue(world.issuer.replica, &world.ticket, false, &world.dice, &msg));
	make_newcomer();
	admit_newcomer();
}

/* ---- The net --------------------------------------------------------------------- */

static enum err net_dial(void *ctx, const char *address, struct conn_id *out, struct errmsg *msg)
{
	run.conn.id++;
	*out = run.conn;
	return OK;
}

static void net_send(void *ctx, struct conn_id conn, struct bytes data)
{
	buf_append(&run.said, data.data, data.size);
}

static void net_close(void *ctx, struct conn_id conn, bool flush)
{
	run.is_cut = true;
}

/* It proves that it has the key that it names. */
static void hear(struct bytes encoded)
{
	struct arena arena = ARENA_EMPTY;
	struct message m;

	OFFICE_MUST(message_decode(&m, encoded, &arena, &msg));
	require(m.type == MESSAGE_ENROL || m.type == MESSAGE_BYE);
	if (m.type == MESSAGE_ENROL)
		require(proof_is_valid(m.u.enrol.proof, link_handshake_hash(&run.link),
				       m.u.enrol.sign_key));
	arena_release(&arena);
}

static void read_said(void)
{
	struct bytes input = buf_bytes(&run.said), message;
	enum link_event event = LINK_MESSAGE;

	while (event != LINK_NEEDS_INPUT) {
		OFFICE_MUST(link_read(&run.link, &input, &event, &message, &msg));
		if (event == LINK_TICKET)
			OFFICE_MUST(link_use_psk(&run.link, world.ticket.secret));
		if (event == LINK_MESSAGE)
			hear(message);
	}
	buf_clear(&run.said);
}

/* Bytes that the newcomer gets, in a block of their own: to read beyond shows. */
static void arrive(struct bytes data)
{
	uint8_t *copy = malloc(data.size + 1);

	require(copy != NULL);
	memcpy(copy, data.size ? data.data : copy, data.size);
	enrol_received(run.enrol, run.now, run.conn, bytes_of(copy, data.size));
	free(copy);
}

static void exchange(void)
{
	do {
		read_said();
		arrive(buf_bytes(&run.link.out));
		buf_clear(&run.link.out);
	} while (run.said.size && !run.is_cut);
}

/* ---- Steps -------------------------------------------------------------------------- */

static uint8_t take_byte(struct bytes *input)
{
	uint8_t value = 0;

	if (input->size) {
		value = *input->data;
		*input = bytes_of(input->data + 1, input->size - 1);
	}
	return value;
}

static struct bytes take_bytes(struct bytes *input)
{
	size_t claimed = take_byte(input);
	struct bytes taken = bytes_of(input->data, claimed < input->size ? claimed : input->size);

	*input = bytes_of(input->data + taken.size, input->size - taken.size);
	return taken;
}

static void say_bytes(struct bytes bytes)
{
	if (link_is_open(&run.link) && bytes.size)
		OFFICE_MUST(link_send(&run.link, bytes));
}

static void say(const struct message *m)
{
	struct buf encoded = BUF_EMPTY;

	message_encode(&encoded, m);
	OFFICE_MUST(buf_check(&encoded));
	say_bytes(buf_bytes(&encoded));
	buf_release(&encoded);
}

static void say_enrolled(struct bytes *input)
{
	struct message m = { .type = MESSAGE_ENROLLED };

	memcpy(m.u.enrolled.sign_key, world.issuer.identity.sign_key, SIGN_PUBLIC_BYTES);
	m.u.enrolled.replica = world.issuer.identity.replica;
	say(&m);
}

static void say_statements(struct bytes *input)
{
	struct message m = { .type = MESSAGE_STATEMENTS };
	struct statement_list l = office_statements(&world.issuer);
	size_t from = take_byte(input) % l.count, count = take_byte(input) % (l.count - from + 1);
	uint8_t how = take_byte(input);

	if (how & 1 && count)
		((uint8_t *)l.list[from].data)[how % l.list[from].size] ^= how;
	m.u.statements = (struct message_statements){ l.list + from, count };
	say(&m);
	statement_list_release(&l);
}

static void say_all(struct bytes *input)
{
	struct message m = { .type = MESSAGE_STATEMENTS };

	say(&m);
}

static void say_bye(struct bytes *input)
{
	static const char *const words[] = { BYE_STOPPED, "exists", "timeout", "nonsense", "" };
	struct message m = { .type = MESSAGE_BYE };

	m.u.bye.name = bytes_of_str(words[take_byte(input) % 5]);
	m.u.bye.text = bytes_of_str("text");
	say(&m);
}

static void say_any(struct bytes *input)
{
	say_bytes(take_bytes(input));
}

static void send_raw(struct bytes *input)
{
	arrive(take_bytes(input));
}

static void pass(struct bytes *input)
{
	run.now.mono_ms += take_byte(input) * UINT64_C(1000);
	enrol_tick(run.enrol, run.now);
}

static void cut(struct bytes *input)
{
	run.is_cut = true;
	enrol_closed(run.enrol, run.now, run.conn, "cut");
}

static void (*const steps[256])(struct bytes *input) = {
	['e'] = say_enrolled, ['s'] = say_statements, ['z'] = say_all, ['b'] = say_bye,
	['m'] = say_any,      ['r'] = send_raw,       ['t'] = pass,    ['c'] = cut,
};

/* ---- A run --------------------------------------------------------------------------- */

static void begin(void)
{
	struct enrol_config config = { .port = { NULL, net_dial, net_send, net_close },
				       .dice = world.dice,
				       .ticket = &world.ticket,
				       .noise_secret = newcomer_secret,
				       .sign_secret = world.newcomer.sign_secret,
				       .replica = world.newcomer.replica,
				       .office_name = "New York",
				       .address = "host:2" };

	run.now = (struct now){ OFFICE_NOW_MS, 1000 };
	run.is_cut = false;
	OFFICE_MUST(link_init(&run.link, &(struct link_config){ .org = world.ticket.org,
								.static_key = &world.key,
								.dice = &world.dice }));
	OFFICE_MUST(enrol_new(&run.enrol, &config, run.now, &msg));
	enrol_connected(run.enrol, run.now, run.conn);
	exchange();
}

static void require_sound(void)
{
	enum enrol_state state = enrol_state(run.enrol);

	require((state == ENROL_RUNNING) == (enrol_deadline(run.enrol) != UINT64_MAX));
	require(state != ENROL_FAILED ||
		(enrol_error(run.enrol)->code && enrol_error(run.enrol)->text[0]));
}

/* What it was given makes it part of the organisation, or it says what is wrong with it. */
static void finish(void)
{
	struct errmsg why = { .text = "" };
	enum err rc = enrol_finish(run.enrol, world.newcomer.replica, run.now.wall_ms, &why);

	world.is_used = true;
	require(rc == OK || why.text[0]);
	rc = replica_check_member(world.newcomer.replica, &why);
	require(rc == OK ? replica_self(world.newcomer.replica) != NULL : why.text[0] != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = bytes_of(data, size);

	if (!world.issuer.replica)
		make_world();
	if (world.is_used)
		make_newcomer();
	begin();
	while (input.size && !run.is_cut && enrol_state(run.enrol) == ENROL_RUNNING) {
		void (*step)(struct bytes * input) = steps[take_byte(&input)];

		if (!step)
			break;
		step(&input);
		arrive(buf_bytes(&run.link.out));
		buf_clear(&run.link.out);
		require_sound();
	}
	if (enrol_state(run.enrol) == ENROL_DONE)
		finish();
	enrol_free(run.enrol);
	link_release(&run.link);
	buf_release(&run.said);
	return 0;
}
