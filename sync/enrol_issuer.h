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

/* Who named this ticket proved not to have its secret. What goes wrong on the way
 * must not count: it is no newcomer's doing. Too many, and the ticket is burned. */
MUST_CHECK enum err enrol_count_wrong(struct replica *r, const struct ticket_stub *stub,
				      struct errmsg *msg);

/* Check what the newcomer says of itself, mark the ticket as used by it and
 * write it into the directory; nothing new if it stands there. ERR_SIGNATURE,
 * ERR_HANDSHAKE (not the key of the handshake), ERR_INVALID, as
 * ticket_stub_check() if the ticket is no longer good, and the store's. */
MUST_CHECK enum err enrol_admit(struct replica *r, struct ticket_stub *stub,
				const struct message_enrol *m, const uint8_t *handshake_hash,
				const uint8_t noise_key[NOISE_KEY_BYTES], uint64_t now_ms,
				struct errmsg *msg);

#endif
