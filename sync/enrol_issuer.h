/* Enrolment, the issuer's side (sync/enrol.h has the newcomer's). */
#ifndef HT_SYNC_ENROL_ISSUER_H
#define HT_SYNC_ENROL_ISSUER_H

#include "proto/message.h"
#include "sync/ticket.h"

/* A newcomer with this key names a ticket: count the try and load our half.
 * ERR_NOT_FOUND: none of ours; ERR_LIMIT: too many tries. Else *verdict says if
 * the newcomer may join by it, which it is told once it has proved that it holds
 * the ticket: ERR_TIMEOUT, ERR_EXISTS (ticket_stub_check()). */
MUST_CHECK enum err enrol_look_up(struct replica *r, struct bytes ticket_id,
				  const uint8_t noise_key[NOISE_KEY_BYTES], uint64_t now_ms,
				  struct ticket_stub *out, enum err *verdict, struct errmsg *msg);

/* Who named this ticket does not have its secret, or repeats what somebody said who
 * had it: its first words don't open. Too many, and the ticket is burned, unless it was
 * used; a new one costs its people less than a doubt. */
MUST_CHECK enum err enrol_count_wrong(struct replica *r, const struct ticket_stub *stub,
				      struct errmsg *msg);

/* Check what the newcomer says of itself, mark the ticket as used by it and
 * admit its node; nothing new if it is a member. ERR_SIGNATURE,
 * ERR_HANDSHAKE (not the key of the handshake), ERR_INVALID, as
 * ticket_stub_check() if the ticket is no longer good, and the store's. */
MUST_CHECK enum err enrol_admit(struct replica *r, struct ticket_stub *stub,
				const struct message_enrol *m, const uint8_t *handshake_hash,
				const uint8_t noise_key[NOISE_KEY_BYTES], uint64_t now_ms,
				struct errmsg *msg);

#endif
