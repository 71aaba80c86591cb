/* A session with a member that says anything, after a real handshake.
 *
 * The input is a list of steps, each a letter and what belongs to it:
 *   m u16 bytes   the peer says this message
 *   r u16 bytes   these bytes arrive, sealed by nobody
 *   h             the peer says hello
 *   t u16         that many seconds pass
 *   w             we write something
 *   c             we ask for a comparison
 *   p             we send a chunk, if there is one
 * Numbers are big-endian; whatever is no step ends the list. The keys, ids and
 * changesets of both are always the same, so that a corpus can name them. */
#include <stdlib.h>

#include "tests/sync/talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct talk talk;

/* Making replicas takes long: they serve until the peer's changesets were taken,
 * or many of ours are there. */
static void renew(void)
{
	enum { OWN_COUNT_MAX = 200 };
	const struct vv *vv = replica_vv(talk.ours.office.replica, &talk.space);

	bool is_worn = vv_get(vv, replica_id(talk.theirs.office.replica)) > 0 ||
		       vv_get(vv, replica_id(talk.ours.office.replica)) > OWN_COUNT_MAX;

	if (is_worn) {
		talk_release(&talk);
		talk_init(&talk);
	}
}

static uint16_t take_u16(struct bytes *input)
{
	uint16_t value = 0;

	if (input->size >= 2) {
		value = (uint16_t)(input->data[0] << 8 | input->data[1]);
		*input = bytes_of(input->data + 2, input->size - 2);
	}
	return value;
}

static struct bytes take_bytes(struct bytes *input)
{
	size_t claimed = take_u16(input);
	struct bytes taken = bytes_of(input->data, claimed < input->size ? claimed : input->size);

	*input = bytes_of(input->data + taken.size, input->size - taken.size);
	return taken;
}

static void write_one(void)
{
	struct value title = value_str("t");

	office_create(&talk.ours.office, &talk.space, KIND_ACTION, ACTION_TITLE, &title);
	session_wake(talk.session, talk.now, &talk.space);
}

static void say_hello(void)
{
	struct message hello = peer_hello(&talk);

	peer_says(&talk, &hello);
}

static void pass(uint16_t seconds)
{
	talk.now.wall_ms += seconds * 1000;
	talk.now.mono_ms += seconds * 1000;
	session_tick(talk.session, talk.now);
}

static bool step(struct bytes *input)
{
	uint8_t letter = *input->data;
	struct bytes bytes;

	*input = bytes_of(input->data + 1, input->size - 1);
	switch (letter) {
	case 'm':
		bytes = take_bytes(input);
		if (bytes.size)
			peer_says_bytes(&talk, bytes);
		return true;
	case 'r': session_receive(talk.session, talk.now, take_bytes(input)); return true;
	case 'h': say_hello(); return true;
	case 't': pass(take_u16(input)); return true;
	case 'w': write_one(); return true;
	case 'c': session_compare(talk.session, talk.now); return true;
	case 'p':
		if (session_has_work(talk.session))
			session_push(talk.session, talk.now);
		return true;
	default: return false;
	}
}

/* What the session said is of no interest. */
static void empty_inbox(void)
{
	for (size_t i = 0; i < talk.inbox_count; i++)
		buf_release(&talk.inbox[i]);
	talk.inbox_count = 0;
}

static void end_talk(void)
{
	empty_inbox();
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

	if (!talk.ours.office.replica)
		talk_init(&talk);
	talk_open(&talk, false, NULL);
	talk_run(&talk);
	while (input.size && step(&input)) {
		talk_run(&talk);
		empty_inbox();
		if (session_state(talk.session) == SESSION_CLOSED)
			break;
		if (session_deadline(talk.session) == UINT64_MAX)
			abort();
	}
	end_talk();
	return 0;
}
