/* A session with a member that says anything, after a real handshake.
 *
 * The input is a list of steps, each a letter and its arguments, of one byte each unless
 * said otherwise. Messages are valid and sealed, in any order:
 *   h                        that it knows us, by our statements, and hello
 *   T known is-right count   whom it knows; and ids, ours and others, if count is not 0
 *   S from count how         statements that it holds, spoiled if `how` is odd
 *   d round flags count { space is-right }      digests
 *   v space flags count { replica seq:2 }       a vector; sorted here, its tags ours
 *                                               or, with flag 4, others
 *   k space                  the vector that the peer really holds, as an acknowledgement
 *   W                        the peer's office writes something
 *   g space from count how   changesets of the peer's log, spoiled as `spoil` says
 *   l space replica          a feed is held
 *   a space replica seq:2    ask for a changeset
 *   e how                    what was asked for last: 0 as it is, 1 not here, else spoiled
 *   i nonce, o nonce         ping, pong
 *   b which                  bye
 * What is not valid:
 *   x place:2 mask           the message said last, damaged there, again
 *   m size:2 bytes           any bytes, sealed
 *   r size:2 bytes           any bytes, sealed by nobody
 * And on our side:
 *   t seconds:2   w (we write)   c (compare)   p (push)
 * Numbers are big-endian; whatever is no step ends the list. An upper-case D in front: the
 * session dials. The keys, ids and clocks of both are always the same. */
#include "tests/fuzz/target.h"
#include "tests/sync/talk.h"

enum { ENTRIES_MAX = 8, LIST_MAX = 16, LOG_MAX = 32 };

static struct talk talk;
static struct buf said;   /* the last valid message of the peer, encoded */
static bool has_question; /* the session asked: */
static struct message_ask question;

/* Making replicas takes long: they serve until their logs have grown, or their statements
 * are no longer the same. */
static void renew(void)
{
	const struct vv *vv = replica_vv(talk.ours.office.replica, &talk.space);
	const struct vv *of_peer = replica_vv(talk.theirs.office.replica, &talk.space);
	const struct replica_id *ours = replica_id(talk.ours.office.replica);
	const struct replica_id *theirs = replica_id(talk.theirs.office.replica);

	if (vv_get(vv, theirs) > 0 || vv_get(vv, ours) > LOG_MAX ||
	    vv_get(of_peer, theirs) > LOG_MAX ||
	    replica_trust(talk.ours.office.replica)->statement_count !=
		    replica_trust(talk.theirs.office.replica)->statement_count) {
		talk_release(&talk);
		talk_init(&talk);
	}
}

/* ---- The input ------------------------------------------------------------------ */

static uint8_t take_byte(struct bytes *input)
{
	uint8_t value = 0;

	if (input->size) {
		value = *input->data;
		*input = bytes_of(input->data + 1, input->size - 1);
	}
	return value;
}

static uint16_t take_u16(struct bytes *input)
{
	uint16_t high = take_byte(input);

	return (uint16_t)(high << 8 | take_byte(input));
}

static struct bytes take_bytes(struct bytes *input)
{
	size_t claimed = take_u16(input);
	struct bytes taken = bytes_of(input->data, claimed < input->size ? claimed : input->size);

	*input = bytes_of(input->data + taken.size, input->size - taken.size);
	return taken;
}

/* The directory, what both take part in, and one that nobody knows. */
static struct space_id take_space(struct bytes *input)
{
	static const struct space_id unknown = { { 0x77 } };
	const struct space_id spaces[] = { talk.directory, talk.space, unknown };

	return spaces[take_byte(input) % 3];
}

static struct replica_id take_replica(struct bytes *input)
{
	static const struct replica_id unknown = { { 0x99 } };
	const struct replica_id replicas[] = { *replica_id(talk.ours.office.replica),
					       *replica_id(talk.theirs.office.replica), unknown };

	return replicas[take_byte(input) % 3];
}

/* ---- What the peer says ----------------------------------------------------------- */

static void say(const struct message *m)
{
	buf_clear(&said);
	message_encode(&said, m);
	OFFICE_MUST(buf_check(&said));
	peer_says_bytes(&talk, buf_bytes(&said));
}

static void say_hello(struct bytes *input)
{
	struct message hello = peer_hello(&talk);

	peer_says_trust(&talk);
	if (session_state(talk.session) != SESSION_CLOSED)
		say(&hello);
}

static void say_trust(struct bytes *input)
{
	struct message m = trust_of(&talk.theirs.office);
	struct statement_list l = office_statements(&talk.theirs.office);

	m.u.trust.is_known = take_byte(input) & 1;
	m.u.trust.digest[0] ^= !(take_byte(input) & 1);
	m.u.trust.ids = short_ids_of(&l);
	m.u.trust.count = take_byte(input) % (l.count + 1);
	say(&m);
	statement_list_release(&l);
}

static void say_statements(struct bytes *input)
{
	struct message m = { .type = MESSAGE_STATEMENTS };
	struct statement_list l = office_statements(&talk.theirs.office);
	size_t from, count;
	uint8_t how;

	from = take_byte(input) % l.count;
	count = take_byte(input) % (l.count - from + 1);
	how = take_byte(input);
	if (how & 1 && count)
		((uint8_t *)l.list[from].data)[how % l.list[from].size] ^= how;
	m.u.statements = (struct message_statements){ l.list + from, count };
	say(&m);
	statement_list_release(&l);
}

static void say_digests(struct bytes *input)
{
	struct message m = { .type = MESSAGE_DIGESTS };
	struct space_digest entries[ENTRIES_MAX];

	m.u.digests.round = take_byte(input);
	m.u.digests.is_reply = take_byte(input) & 1;
	m.u.digests.entries = entries;
	m.u.digests.count = take_byte(input) % (ENTRIES_MAX + 1);
	for (size_t i = 0; i < m.u.digests.count; i++) {
		entries[i].space = take_space(input);
		replica_digest(talk.ours.office.replica, &entries[i].space, entries[i].digest);
		entries[i].digest[0] ^= !(take_byte(input) & 1);
	}
	say(&m);
}

enum { FLAG_OTHER_TAGS = 4 };

static void say_have(const struct space_id *space, uint8_t flags, const struct vv *vv)
{
	struct message m = { .type = MESSAGE_HAVE };
	struct tip tips[ENTRIES_MAX] = { { { { 0 } } } };

	for (size_t i = 0; i < vv->count; i++) {
		tips[i].replica = vv->entries[i].replica;
		tips[i].seq = vv->entries[i].seq;
		if (replica_tag(talk.ours.office.replica, space, &vv->entries[i], tips[i].tag,
				NULL) == OK)
			tips[i].tag[0] ^= flags & FLAG_OTHER_TAGS;
	}
	m.u.have = (struct message_have){ *space, flags & 1, flags & 2, tips, vv->count };
	say(&m);
}

static void say_vector(struct bytes *input)
{
	struct space_id space = take_space(input);
	uint8_t flags = take_byte(input);
	size_t count = take_byte(input) % (ENTRIES_MAX + 1);
	struct vv vv = VV_EMPTY;

	while (count--) {
		struct replica_id replica = take_replica(input);

		OFFICE_MUST(vv_raise(&vv, &replica, 1 + (uint64_t)take_u16(input)));
	}
	say_have(&space, flags, &vv);
	vv_release(&vv);
}

static void say_ack(struct bytes *input)
{
	struct space_id space = take_space(input);

	say_have(&space, 3, replica_vv(talk.ours.office.replica, &space));
}

enum spoil {
	SPOIL_NOTHING,
	SPOIL_BODY,
	SPOIL_SIGNATURE,
	SPOIL_SEQ,
	SPOIL_REPLICA,
	SPOIL_ORDER,
	SPOIL_GAP,
	SPOIL_TWICE,
	SPOIL_LENGTH,
	SPOIL_COUNT
};

/* One changeset of the list, or its place; `at` chooses which, and where in it. */
static void spoil(struct sealed *list, size_t *count, enum spoil how, uint8_t at,
		  struct arena *arena)
{
	struct sealed *one = &list[at % *count];
	uint8_t *body = (uint8_t *)arena_copy(arena, one->body).data;
	uint8_t *signature =
		(uint8_t *)arena_copy(arena, bytes_of(one->signature, SIGNATURE_BYTES)).data;

	switch (how) {
	case SPOIL_BODY:
		body[at % one->body.size] ^= (uint8_t)(1 + at);
		one->body.data = body;
		break;
	case SPOIL_SIGNATURE:
		signature[at % SIGNATURE_BYTES] ^= 1;
		one->signature = signature;
		break;
	case SPOIL_SEQ: one->seq += at; break;
	case SPOIL_REPLICA: one->replica.bytes[at % ID_BYTES] ^= 1; break;
	case SPOIL_ORDER:
		if (*count > 1) {
			struct sealed first = list[0];

			list[0] = list[*count - 1];
			list[*count - 1] = first;
		}
		break;
	case SPOIL_GAP:
		if (*count > 1)
			*one = list[--*count];
		break;
	case SPOIL_TWICE:
		if (*count < LIST_MAX)
			list[(*count)++] = *one;
		break;
	case SPOIL_LENGTH: one->body.size = 1 + at % one->body.size; break;
	case SPOIL_NOTHING:
	case SPOIL_COUNT: break;
	}
}

static void say_runs(const struct space_id *space, const struct sealed *list, size_t count)
{
	struct message m = { .type = MESSAGE_CHANGES };
	struct run runs[LIST_MAX + 1];

	m.u.changes.space = *space;
	m.u.changes.runs = runs;
	m.u.changes.run_count = make_runs(&talk.theirs.office, space, list, count, runs);
	say(&m);
}

static void say_changes(struct bytes *input)
{
	struct sealed list[LIST_MAX + 1], *log;
	struct space_id space = take_space(input);
	size_t from = take_byte(input), count, log_count;
	struct arena arena = ARENA_EMPTY;

	log = office_log(&talk.theirs.office, &space, &arena, &log_count);
	count = 1 + take_byte(input) % LIST_MAX;
	from = log_count ? from % log_count : 0;
	count = count < log_count - from ? count : log_count - from;
	if (count) {
		uint8_t how = take_byte(input);

		memcpy(list, log + from, count * sizeof(*list));
		spoil(list, &count, (enum spoil)(how % SPOIL_COUNT), how / SPOIL_COUNT, &arena);
		say_runs(&space, list, count);
	}
	arena_release(&arena);
}

static void say_held(struct bytes *input)
{
	struct message m = { .type = MESSAGE_HELD };
	struct space_id space = take_space(input);
	struct replica_id replica = take_replica(input);

	m.u.held = (struct message_held){ space, &replica, 1 };
	say(&m);
}

static void ask(struct bytes *input)
{
	struct message m = { .type = MESSAGE_ASK };

	m.u.ask.space = take_space(input);
	m.u.ask.dot.replica = take_replica(input);
	m.u.ask.dot.seq = 1 + (uint64_t)take_u16(input);
	say(&m);
}

static void answer(struct bytes *input)
{
	struct message m = { .type = MESSAGE_TELL };
	struct message_tell *t = &m.u.tell;
	struct arena arena = ARENA_EMPTY;
	uint8_t how = take_byte(input);
	enum err rc;

	if (!has_question)
		return;
	t->space = question.space;
	t->dot = question.dot;
	rc = replica_tell(talk.theirs.office.replica, &t->space, &t->dot, &arena, &t->told, NULL);
	if (how == 1 || rc != OK)
		t->told.body = bytes_of(NULL, 0);
	else if (how > 1)
		t->told.link_before[how % LINK_BYTES] ^= how;
	say(&m);
	arena_release(&arena);
}

static void say_ping(struct bytes *input)
{
	struct message m = { .type = MESSAGE_PING };

	m.u.ping.nonce = take_byte(input);
	say(&m);
}

static void say_pong(struct bytes *input)
{
	struct message m = { .type = MESSAGE_PONG };

	m.u.pong.nonce = take_byte(input);
	say(&m);
}

static void say_bye(struct bytes *input)
{
	static const char *const words[] = { BYE_RENEW,    BYE_DUPLICATE, BYE_PAUSED, BYE_STOPPED,
					     BYE_ENROLLED, "signature",   "nonsense", "" };
	struct message m = { .type = MESSAGE_BYE };

	m.u.bye.name = bytes_of_str(words[take_byte(input) % 8]);
	m.u.bye.text = bytes_of_str("text");
	say(&m);
}

static void say_damaged(struct bytes *input)
{
	size_t place = take_u16(input);
	uint8_t mask = take_byte(input);

	if (!said.size)
		return;
	said.data[place % said.size] ^= mask;
	peer_says_bytes(&talk, buf_bytes(&said));
}

static void say_bytes(struct bytes *input)
{
	struct bytes bytes = take_bytes(input);

	if (bytes.size)
		peer_says_bytes(&talk, bytes);
}

/* ---- The other steps --------------------------------------------------------------- */

static void receive_raw(struct bytes *input)
{
	session_receive(talk.session, talk.now, take_bytes(input));
}

static void pass(struct bytes *input)
{
	uint16_t seconds = take_u16(input);

	talk.now.wall_ms += seconds * 1000;
	talk.now.mono_ms += seconds * 1000;
	session_tick(talk.session, talk.now);
}

static void write_one(struct office *o)
{
	office_item(o, &talk.space, "t");
}

static void write_ours(struct bytes *input)
{
	write_one(&talk.ours.office);
	session_wake(talk.session, talk.now, &talk.space);
}

static void write_theirs(struct bytes *input)
{
	write_one(&talk.theirs.office);
}

static void compare(struct bytes *input)
{
	session_compare(talk.session, talk.now);
}

static void push(struct bytes *input)
{
	if (session_has_work(talk.session))
		session_push(talk.session, talk.now);
}

static void (*const steps[256])(struct bytes *input) = {
	['h'] = say_hello,   ['T'] = say_trust,   ['S'] = say_statements, ['a'] = ask,
	['e'] = answer,      ['d'] = say_digests, ['v'] = say_vector,     ['k'] = say_ack,
	['g'] = say_changes, ['l'] = say_held,    ['i'] = say_ping,       ['o'] = say_pong,
	['b'] = say_bye,     ['x'] = say_damaged, ['m'] = say_bytes,      ['r'] = receive_raw,
	['t'] = pass,        ['w'] = write_ours,  ['W'] = write_theirs,   ['c'] = compare,
	['p'] = push,
};

/* ---- A run --------------------------------------------------------------------------- */

/* Of what the session said only its questions are of interest. */
static void empty_inbox(void)
{
	for (size_t i = 0; i < talk.inbox_count; i++) {
		struct arena arena = ARENA_EMPTY;
		struct message m;

		OFFICE_MUST(message_decode(&m, buf_bytes(&talk.inbox[i]), &arena, &msg));
		if (m.type == MESSAGE_ASK) {
			question = m.u.ask;
			has_question = true;
		}
		arena_release(&arena);
		buf_release(&talk.inbox[i]);
	}
	talk.inbox_count = 0;
}

static void require_sound(void)
{
	bool is_closed = session_state(talk.session) == SESSION_CLOSED;

	session_check(talk.session);
	require(is_closed == (session_deadline(talk.session) == UINT64_MAX));
	require(!is_closed || session_end(talk.session)->by_peer ||
		session_end(talk.session)->name[0]);
}

static void end_talk(void)
{
	empty_inbox();
	has_question = false;
	buf_release(&said);
	session_free(talk.session);
	link_release(&talk.peer);
	talk.session = NULL;
	talk.has_ended = false;
	talk.now = (struct now){ OFFICE_NOW_MS, 1000 };
	renew();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = bytes_of(data, size);
	bool session_dials = size && data[0] == 'D';

	if (session_dials)
		take_byte(&input);
	if (!talk.ours.office.replica)
		talk_init(&talk);
	talk_open(&talk, session_dials, NULL);
	talk_run(&talk);
	while (input.size && session_state(talk.session) != SESSION_CLOSED) {
		void (*step)(struct bytes * input) = steps[take_byte(&input)];

		if (!step)
			break;
		step(&input);
		talk_run(&talk);
		empty_inbox();
		require_sound();
	}
	end_talk();
	return 0;
}
