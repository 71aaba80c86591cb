/* sync: whoever sits on the wire, or once did, gets nothing and changes nothing.
 * ctest: timeout=600 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sync/admission.h"
#include "tests/sync/wire.h"

/* So far into each direction every bit is flipped, later one mask a byte: up to here go the
 * preambles, the handshake and the hellos. */
enum { THOROUGH_BYTES = 400 };

static const struct flip no_flip = { 0 };

static void assert_in_step(const struct wire *w)
{
	assert_int_equal(session_end(w->ends[DIALLER].session)->code, OK);
	assert_int_equal(session_end(w->ends[LISTENER].session)->code, OK);
	assert_int_equal(wire_held(w, DIALLER), wire_held(w, LISTENER));
}

/* ---- A man in the middle --------------------------------------------------------- */

/* False when the conversation has no such byte. */
static bool survives(struct wire *w, struct flip flip)
{
	const struct session_end *end;

	uint64_t began_ms = w->now.mono_ms;

	wire_write(w);
	wire_talk(w, flip);
	if (!w->is_hit)
		return false;
	assert_in_range(w->now.mono_ms - began_ms, 0, DIAL_MS_MAX + DEAD_AFTER_MS);
	end = session_end(w->ends[!flip.from].session);
	if (end->code == OK || !end->name[0] || !end->text[0])
		fail_msg("byte %zu from %u, mask %02x: ended with '%s'", flip.at, flip.from,
			 flip.mask, end->name);
	if (wire_held(w, !flip.from) != w->held_at_hit)
		fail_msg("byte %zu from %u, mask %02x: something was taken", flip.at, flip.from,
			 flip.mask);
	wire_talk(w, no_flip);
	assert_in_step(w);
	return true;
}

static void flip_every_byte(unsigned from)
{
	struct prng prng;
	struct wire w;
	size_t at = 0, count = 0;
	bool goes_on = true;

	prng_init(&prng, 1);
	wire_init(&w);
	for (; goes_on; at++) {
		struct flip flip = { from, at, (uint8_t)(1 + prng_below(&prng, 255)) };

		for (unsigned bit = 0; goes_on && at < THOROUGH_BYTES && bit < 7; bit++, count++)
			goes_on = survives(&w, (struct flip){ from, at, (uint8_t)(1 << bit) });
		if (at < THOROUGH_BYTES)
			flip.mask = 1 << 7;
		goes_on = goes_on && survives(&w, flip);
		count++;
	}
	print_message("%zu bytes, %zu conversations\n", at - 1, count);
	assert_true(at > THOROUGH_BYTES);
	assert_true(office_agrees(&w.ends[DIALLER].party.office, &w.ends[LISTENER].party.office));
	wire_release(&w);
}

static void any_byte_flipped_on_the_way_to_the_listener_ends_the_session(void **state)
{
	flip_every_byte(DIALLER);
}

static void any_byte_flipped_on_the_way_to_the_dialler_ends_the_session(void **state)
{
	flip_every_byte(LISTENER);
}

/* ---- Captures --------------------------------------------------------------------- */

/* Rows that this replica has ever written: nothing can change without it. */
static int64_t writes(struct wire *w, unsigned end)
{
	return office_count(&w->ends[end].party.office, "SELECT total_changes()");
}

/* What one end said in an earlier conversation is said again to the other; all at once, or each
 * unit when the answer to the one before has come. */
static void replay(struct wire *w, unsigned from, struct bytes capture, bool is_patient)
{
	struct wire_end replayed = { 0 }, *reader = &w->ends[!from];

	wire_open(w, !from);
	buf_append(&replayed.queue, capture.data, capture.size);
	while (replayed.queue.size && !wire_is_over(w, !from)) {
		size_t size = is_patient ? wire_unit_bytes(&replayed) : replayed.queue.size;

		wire_read(w, !from, bytes_of(replayed.queue.data, size));
		wire_collect(reader);
		buf_consume(&replayed.queue, size);
		replayed.carried += size;
	}
	buf_release(&replayed.queue);
}

static void capture_is_refused(unsigned from, bool is_patient)
{
	struct buf capture = BUF_EMPTY;
	uint64_t held;
	int64_t before;
	struct wire w;

	wire_init(&w);
	wire_write(&w);
	wire_talk(&w, no_flip);
	assert_in_step(&w);
	buf_append(&capture, w.ends[from].capture.data, w.ends[from].capture.size);
	before = writes(&w, !from);
	held = wire_held(&w, !from);
	for (int i = 0; i < 3; i++) {
		replay(&w, from, buf_bytes(&capture), is_patient);
		assert_true(wire_is_over(&w, !from));
		assert_int_equal(session_end(w.ends[!from].session)->code, ERR_HANDSHAKE);
		assert_null(session_remote_key(w.ends[!from].session));
		assert_int_equal(wire_held(&w, !from), held);
		assert_int_equal(writes(&w, !from), before);
	}
	buf_release(&capture);
	wire_hang_up(&w);
	wire_write(&w);
	wire_talk(&w, no_flip);
	assert_in_step(&w);
	wire_release(&w);
}

static void capture_of_the_dialler_is_refused(void **state)
{
	capture_is_refused(DIALLER, false);
	capture_is_refused(DIALLER, true);
}

static void capture_of_the_listener_is_refused(void **state)
{
	capture_is_refused(LISTENER, false);
	capture_is_refused(LISTENER, true);
}

/* ---- Enrolment --------------------------------------------------------------------- */

/* Sits before the issuer: keeps what passes each way, and may flip a byte of it. */
struct eavesdropper {
	struct site *newcomer;
	unsigned issuer_host;
	struct flip flip;
	bool is_hit;
	struct buf captures[ENDS];
};

/* Where ENROLLED ends in what the issuer says: a newcomer hangs up there. */
static size_t answer_end(struct bytes capture)
{
	size_t at = PREAMBLE_BYTES;

	for (int frame = 0; frame < 2 && at + FRAME_HEADER_BYTES <= capture.size; frame++)
		at += FRAME_HEADER_BYTES + ((size_t)capture.data[at] << 8 | capture.data[at + 1]);
	return at;
}

static void eavesdrop(void *ctx, unsigned to, struct buf *data)
{
	struct eavesdropper *x = ctx;
	unsigned from = to == x->issuer_host ? DIALLER : LISTENER;
	size_t begin = x->captures[from].size;

	buf_append(&x->captures[from], data->data, data->size);
	if (!x->flip.mask || x->flip.from != from || x->flip.at < begin ||
	    x->flip.at >= begin + data->size)
		return;
	data->data[x->flip.at - begin] ^= x->flip.mask;
	x->is_hit = from == DIALLER || x->flip.at < answer_end(buf_bytes(&x->captures[from]));
}

static void eavesdropper_init(struct eavesdropper *x, struct admission_world *a)
{
	*x = (struct eavesdropper){ .newcomer = a->fra, .issuer_host = a->sha->host };
	loopnet_tap(a->world.net, eavesdrop, x);
}

static void eavesdropper_release(struct eavesdropper *x)
{
	buf_release(&x->captures[DIALLER]);
	buf_release(&x->captures[LISTENER]);
}

/* False when the conversation has no such byte. */
static bool enrolment_survives(struct flip flip)
{
	struct admission_world a;
	struct eavesdropper x;
	bool is_hit;

	aw_init(&a);
	eavesdropper_init(&x, &a);
	x.flip = flip;
	enrol_begin(a.fra, &a.ticket);
	world_pass(&a.world, DIAL_MS_MAX);
	is_hit = x.is_hit;
	if (is_hit) {
		if (enrol_state(a.fra->enrol) != ENROL_FAILED || !enrol_error(a.fra->enrol)->code)
			fail_msg("byte %zu from %u: joined", flip.at, flip.from);
		assert_true(enrol_error(a.fra->enrol)->text[0]);
		assert_false(replica_has_org(a.fra->office.replica));
		/* What the newcomer never hears of may have been done. */
		assert_in_range(member_count(a.sha), 1, flip.from == DIALLER ? 1 : 2);
		x.flip = no_flip;
		if (enrol_with(a.fra, &a.ticket) != ENROL_DONE)
			fail_msg("byte %zu from %u: then %s", flip.at, flip.from,
				 enrol_error(a.fra->enrol)->text);
		assert_int_equal(member_count(a.sha), 2);
	}
	eavesdropper_release(&x);
	world_release(&a.world);
	return is_hit;
}

static void any_byte_flipped_ends_an_enrolment(void **state)
{
	for (unsigned from = 0; from < ENDS; from++) {
		size_t at = 0;

		while (enrolment_survives((struct flip){ from, at, (uint8_t)(1 << at % 8) }))
			at++;
		print_message("%zu bytes\n", at);
		assert_true(at > 100);
	}
}

/* Says the same to whoever dials it, and to whom it dials. */
struct parrot {
	struct port port;
	unsigned host;
	struct bytes words;
	size_t heard;
};

static void parrot_speaks(void *ctx, struct conn_id conn)
{
	struct parrot *p = ctx;

	p->port.send(p->port.ctx, conn, p->words);
}

static void parrot_accepted(void *ctx, struct conn_id conn, const char *from)
{
	parrot_speaks(ctx, conn);
}

static void parrot_received(void *ctx, struct conn_id conn, struct bytes data)
{
	struct parrot *p = ctx;

	p->heard += data.size;
}

static void parrot_sent(void *ctx, struct conn_id conn, size_t bytes)
{
}

static void parrot_closed(void *ctx, struct conn_id conn, const char *reason)
{
}

static void parrot_init(struct parrot *p, struct world *w, const struct buf *capture)
{
	*p = (struct parrot){ .words = buf_bytes(capture) };
	p->host = loopnet_add(w->net, &(struct loopnet_events){ p, parrot_accepted, parrot_speaks,
								parrot_received, parrot_sent,
								parrot_closed });
	p->port = loopnet_port(w->net, p->host);
}

static void capture_of_a_newcomer_admits_nobody(void **state)
{
	struct admission_world a;
	struct eavesdropper x;
	struct parrot parrot;
	struct conn_id id;
	int64_t before;

	aw_init(&a);
	eavesdropper_init(&x, &a);
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_DONE);
	loopnet_tap(a.world.net, NULL, NULL);
	before = office_count(&a.sha->office, "SELECT total_changes()");
	parrot_init(&parrot, &a.world, &x.captures[DIALLER]);
	for (int i = 0; i < 3; i++) {
		OFFICE_MUST(parrot.port.dial(parrot.port.ctx, a.ticket.addresses[0], &id, &msg));
		world_run(&a.world);
	}
	assert_int_equal(loopnet_conn_count(a.world.net, a.sha->host, parrot.host), 0);
	/* A preamble, message 2 and a sealed goodbye each. */
	assert_in_range(parrot.heard, 3 * PREAMBLE_BYTES, 3 * 128);
	assert_int_equal(member_count(a.sha), 2);
	assert_int_equal(office_count(&a.sha->office, "SELECT total_changes()"), before);
	eavesdropper_release(&x);
	world_release(&a.world);
}

static void capture_of_an_issuer_deceives_nobody(void **state)
{
	struct admission_world a;
	struct eavesdropper x;
	struct parrot parrot;

	aw_init(&a);
	eavesdropper_init(&x, &a);
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_DONE);
	loopnet_tap(a.world.net, NULL, NULL);
	parrot_init(&parrot, &a.world, &x.captures[LISTENER]);
	loopnet_address(parrot.host, a.ticket.addresses[0]);
	assert_int_equal(enrol_with(a.fra, &a.ticket), ENROL_FAILED);
	assert_int_equal(enrol_error(a.fra->enrol)->code, ERR_HANDSHAKE);
	assert_false(replica_has_org(a.fra->office.replica));
	eavesdropper_release(&x);
	world_release(&a.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_byte_flipped_on_the_way_to_the_listener_ends_the_session),
		cmocka_unit_test(any_byte_flipped_on_the_way_to_the_dialler_ends_the_session),
		cmocka_unit_test(capture_of_the_dialler_is_refused),
		cmocka_unit_test(capture_of_the_listener_is_refused),
		cmocka_unit_test(any_byte_flipped_ends_an_enrolment),
		cmocka_unit_test(capture_of_a_newcomer_admits_nobody),
		cmocka_unit_test(capture_of_an_issuer_deceives_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
