#include "sync/link.h"

#include <assert.h>

#include "proto/limits.h"
#include "proto/proof.h"
#include "proto/secret.h"

static void start_noise(struct link *l, const struct link_config *config)
{
	bool is_enrolment = l->preamble.purpose == PREAMBLE_ENROL;
	uint8_t prologue[PROLOGUE_BYTES], ephemeral[NOISE_DH_BYTES];

	preamble_prologue(&l->preamble, l->org, prologue);
	dice_fill(l->dice, ephemeral, sizeof(ephemeral));
	noise_init(&l->noise, &(struct noise_config){
				      .pattern = is_enrolment ? NOISE_IKPSK2 : NOISE_XX,
				      .is_initiator = l->is_dialler,
				      .prologue = bytes_of(prologue, sizeof(prologue)),
				      .static_key = l->static_key,
				      .remote_static = config ? config->remote_key : NULL,
				      .psk = config ? config->psk : NULL,
				      .ephemeral_secret = ephemeral,
			      });
	secret_wipe(ephemeral, sizeof(ephemeral));
}

static enum err send_preamble(struct link *l)
{
	uint8_t bytes[PREAMBLE_BYTES];

	preamble_encode(&l->preamble, bytes);
	buf_append(&l->out, bytes, sizeof(bytes));
	return buf_check(&l->out);
}

static enum err send_handshake(struct link *l, struct bytes payload)
{
	struct buf frame = BUF_EMPTY;
	enum err rc = noise_write(&l->noise, payload, &frame);

	if (rc == OK)
		rc = frame_write(&l->out, buf_bytes(&frame));
	buf_release(&frame);
	return rc;
}

/* A newcomer's says which ticket it has, and that it has it. */
static enum err send_first(struct link *l, const struct link_config *config)
{
	struct buf payload = BUF_EMPTY;
	uint8_t proof[PROOF_SECRET_BYTES];
	enum err rc;

	if (config->purpose == PREAMBLE_ENROL) {
		proof_of_secret(proof, config->psk, config->static_key->public_key);
		buf_append(&payload, config->ticket_id.data, config->ticket_id.size);
		buf_append(&payload, proof, sizeof(proof));
	}
	rc = buf_check(&payload);
	if (rc == OK)
		rc = send_handshake(l, buf_bytes(&payload));
	buf_release(&payload);
	return rc;
}

enum err link_init(struct link *l, const struct link_config *config)
{
	enum err rc = OK;

	*l = (struct link){ .is_dialler = config->is_dialler,
			    .static_key = config->static_key,
			    .dice = config->dice };
	memcpy(l->org, config->org, ORG_ID_BYTES);
	preamble_init(&l->preamble, config->is_dialler ? config->purpose : PREAMBLE_SYNC, l->org);
	preamble_reader_init(&l->preamble_reader);
	frame_reader_init(&l->frames, HANDSHAKE_FRAME_BYTES_MAX);
	if (config->is_dialler) {
		start_noise(l, config);
		rc = send_preamble(l);
		if (rc == OK)
			rc = send_first(l, config);
	}
	if (rc)
		link_release(l);
	return rc;
}

void link_release(struct link *l)
{
	if (l->stage == LINK_CHANNEL)
		channel_release(&l->channel);
	noise_wipe(&l->noise);
	frame_reader_release(&l->frames);
	buf_wipe(&l->payload);
	buf_release(&l->out);
	*l = (struct link){ 0 };
}

static void open_channel(struct link *l)
{
	channel_init(&l->channel, &l->noise);
	l->stage = LINK_CHANNEL;
}

/* ---- Preamble -------------------------------------------------------------- */

/* The listener follows the dialler's purpose, and answers even when it then
 * refuses, so that the dialler can name the reason too. */
static enum err answer_preamble(struct link *l, const struct preamble *theirs)
{
	enum err rc;

	l->preamble.purpose = theirs->purpose;
	rc = send_preamble(l);
	if (rc == OK)
		rc = preamble_match(&l->preamble, theirs);
	if (rc == OK)
		start_noise(l, NULL);
	return rc;
}

static enum err read_preamble(struct link *l, struct bytes *input, struct errmsg *msg)
{
	bool is_whole = false;
	struct preamble theirs;
	enum err rc = preamble_read(&l->preamble_reader, input, &is_whole, &theirs);

	if (rc == ERR_VERSION && !l->is_dialler && send_preamble(l) == ERR_NOMEM)
		return ERR_NOMEM;
	if (rc == ERR_VERSION)
		return errmsg_set(msg, rc, "the other side speaks another version of the protocol");
	if (rc)
		return errmsg_set(msg, rc, "what answers does not speak this protocol");
	if (!is_whole)
		return OK;
	rc = l->is_dialler ? preamble_match(&l->preamble, &theirs) : answer_preamble(l, &theirs);
	if (rc == ERR_ORG)
		return errmsg_set(msg, rc, "the other side belongs to another organisation");
	l->stage = LINK_HANDSHAKE;
	return rc;
}

/* ---- Handshake ------------------------------------------------------------- */

/* What a handshake message that was read brings about. */
static enum err after_handshake(struct link *l, enum link_event *event, struct bytes *message)
{
	bool is_enrolment = l->preamble.purpose == PREAMBLE_ENROL;

	if (is_enrolment && l->is_dialler) {
		open_channel(l);
		*event = LINK_OPEN;
		return OK;
	}
	if (is_enrolment) {
		l->stage = LINK_DECIDE;
		*event = LINK_TICKET;
		*message = buf_bytes(&l->payload);
		return OK;
	}
	if (!noise_remote_static(&l->noise)) /* XX, message 1 */
		return send_handshake(l, bytes_of(NULL, 0));
	l->stage = LINK_DECIDE;
	*event = LINK_KEY;
	return OK;
}

static enum err read_handshake(struct link *l, struct bytes *input, enum link_event *event,
			       struct bytes *message, struct errmsg *msg)
{
	struct bytes frame = bytes_of(NULL, 0);
	enum err rc = frame_read(&l->frames, input, &frame);

	if (rc)
		return errmsg_set(msg, rc, "the handshake is not framed as it must be");
	if (frame.size == 0)
		return OK;
	buf_clear(&l->payload);
	rc = noise_read(&l->noise, frame, &l->payload);
	if (rc)
		return errmsg_set(msg, rc, "the handshake does not verify");
	return after_handshake(l, event, message);
}

enum err link_accept(struct link *l)
{
	enum err rc = OK;

	assert(l->stage == LINK_DECIDE);
	if (noise_writes_next(&l->noise)) /* the dialler's message 3 */
		rc = send_handshake(l, bytes_of(NULL, 0));
	if (rc == OK)
		open_channel(l);
	return rc;
}

enum err link_use_psk(struct link *l, const uint8_t psk[NOISE_PSK_BYTES])
{
	noise_set_psk(&l->noise, psk);
	return link_accept(l);
}

/* ---- All stages ------------------------------------------------------------ */

static enum err read_channel(struct link *l, struct bytes *input, enum link_event *event,
			     struct bytes *message, struct errmsg *msg)
{
	static const enum link_event events[] = {
		[CHANNEL_NEEDS_INPUT] = LINK_NEEDS_INPUT,
		[CHANNEL_MESSAGE] = LINK_MESSAGE,
		[CHANNEL_END] = LINK_END,
	};
	enum channel_event found;
	enum err rc = channel_open(&l->channel, input, &found, message);

	/* No peer does that: it happened on the way, and another connection may do. */
	if (rc == ERR_FORMAT)
		return errmsg_set(msg, ERR_IO, "a frame is damaged, repeated or out of its order");
	if (rc)
		return errmsg_set(msg, rc, "a message of the channel: %s", err_name(rc));
	*event = events[found];
	return OK;
}

enum err link_read(struct link *l, struct bytes *input, enum link_event *event,
		   struct bytes *message, struct errmsg *msg)
{
	enum err rc = OK;

	*event = LINK_NEEDS_INPUT;
	while (rc == OK && *event == LINK_NEEDS_INPUT && input->size > 0) {
		assert(l->stage != LINK_DECIDE);
		switch (l->stage) {
		case LINK_PREAMBLE: rc = read_preamble(l, input, msg); break;
		case LINK_HANDSHAKE: rc = read_handshake(l, input, event, message, msg); break;
		case LINK_DECIDE: break;
		case LINK_CHANNEL: rc = read_channel(l, input, event, message, msg); break;
		}
	}
	return rc;
}

bool link_is_open(const struct link *l)
{
	return l->stage == LINK_CHANNEL;
}

const uint8_t *link_remote_key(const struct link *l)
{
	return l->stage >= LINK_DECIDE ? noise_remote_static(&l->noise) : NULL;
}

const uint8_t *link_handshake_hash(const struct link *l)
{
	assert(link_is_open(l));
	return noise_handshake_hash(&l->noise);
}

uint64_t link_frames_opened(const struct link *l)
{
	return link_is_open(l) ? l->channel.recv.cipher.nonce : 0;
}

void link_limit(struct link *l, size_t message_bytes_max)
{
	assert(link_is_open(l));
	channel_limit(&l->channel, message_bytes_max);
}

enum err link_send(struct link *l, struct bytes message)
{
	assert(link_is_open(l));
	return channel_seal(&l->channel, message, &l->out);
}

enum err link_end(struct link *l)
{
	assert(link_is_open(l));
	return channel_seal_end(&l->channel, &l->out);
}
