/* Enrolment, the issuer's side (sync/enrol.h has the newcomer's). */
#ifndef HT_SYNC_ENROL_ISSUER_H
#define HT_SYNC_ENROL_ISSUER_H

#include "proto/message.h"
#include "sync/ticket.h"

/* A newcomer with this key names a ticket and proves that it has its secret: count the
 * try and load our half. ERR_FORMAT; ERR_NOT_FOUND: none of ours; ERR_HANDSHAKE: it has
 * another secret, and too many such tries burn the ticket. Else *verdict says if the
 * newcomer may join by it, which it is told: ERR_TIMEOUT, ERR_EXISTS, ERR_LIMIT,
 * ERR_INVALID (ticket_stub_check()). */
MUST_CHECK enum err enrol_look_up(struct replica *r, struct bytes shown,
				  const uint8_t noise_key[NOISE_KEY_BYTES], uint64_t now_ms,
				  struct ticket_stub *out, enum err *verdict, struct errmsg *msg);

/* Check what the newcomer says of itself, mark the ticket as used by it and
 * admit its node; nothing new if it is a member. ERR_SIGNATURE,
 * ERR_HANDSHAKE (not the key of the handshake), ERR_INVALID, as
 * ticket_stub_check() if the ticket is no longer good, and the store's. */
MUST_CHECK enum err enrol_admit(struct replica *r, struct ticket_stub *stub,
				const struct message_enrol *m, const uint8_t *handshake_hash,
				const uint8_t noise_key[NOISE_KEY_BYTES], uint64_t now_ms,
				struct errmsg *msg);

#endif
