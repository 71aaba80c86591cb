/* The Noise handshake (Noise Protocol Framework, revision 34), with Curve25519,
 * ChaCha20-Poly1305 and BLAKE2b: two peers turn their static keys into two cipher
 * states, one for each direction, and each learns the other's static key.
 *
 *   initiator                                 responder
 *   noise_init                                noise_init
 *   noise_write ------- message 1 ----------> noise_read
 *   noise_read <------- message 2 ----------- noise_write
 *   ...                as the pattern says            ...
 *   noise_is_done                             noise_is_done
 *   noise_split                               noise_split
 *
 * Deterministic and without I/O: the caller brings the random bytes and carries
 * the messages. A message that does not verify ends the handshake: the keys are
 * wiped and every later read fails. */
#ifndef HT_PROTO_NOISE_H
#define HT_PROTO_NOISE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"
#include "proto/noise_cipher.h"

enum { NOISE_DH_BYTES = 32, NOISE_HASH_BYTES = 64, NOISE_PSK_BYTES = 32 };

/* Sessions speak XX, enrolment IKpsk2; the others come free with the table. */
enum noise_pattern {
	NOISE_XX,
	NOISE_XXPSK3,
	NOISE_XK,
	NOISE_IK,
	NOISE_IKPSK2,
	NOISE_PATTERN_COUNT
};

/* The full protocol name ("Noise_XX_25519_ChaChaPoly_BLAKE2b"). */
const char *noise_pattern_name(enum noise_pattern pattern);

/* An X25519 key pair. */
struct noise_keypair {
	uint8_t public_key[NOISE_DH_BYTES];
	uint8_t secret_key[NOISE_DH_BYTES];
};

/* The key pair of 32 secret bytes, any of which make a valid key. */
void noise_keypair_from_secret(struct noise_keypair *pair,
			       const uint8_t secret_key[NOISE_DH_BYTES]);

/* What a handshake starts from; all is copied. */
struct noise_config {
	enum noise_pattern pattern;
	bool is_initiator;
	struct bytes prologue; /* what both sides must agree on; not sent */
	const struct noise_keypair *static_key;
	/* The responder's public key: given to the initiator of XK and IK, else NULL. */
	const uint8_t *remote_static;
	/* NOISE_PSK_BYTES, or NULL: the pattern has none or noise_set_psk() follows. */
	const uint8_t *psk;
	/* NOISE_DH_BYTES fresh random bytes: used in one handshake and never again. */
	const uint8_t *ephemeral_secret;
};

enum noise_stage {
	NOISE_HANDSHAKE, /* messages are left to exchange */
	NOISE_DONE,      /* all exchanged; the cipher states wait to be taken */
	NOISE_SPLIT,     /* taken; only handshake hash and remote key are left */
	NOISE_FAILED,    /* only noise_wipe() is left to do */
};

struct noise {
	enum noise_pattern pattern;
	enum noise_stage stage;
	bool is_initiator;
	unsigned message_count; /* written and read so far */

	/* SymmetricState */
	struct noise_cipher cipher;
	bool has_key; /* of `cipher`; before it, handshake messages are clear text */
	uint8_t chaining_key[NOISE_HASH_BYTES];
	uint8_t hash[NOISE_HASH_BYTES];

	/* HandshakeState */
	struct noise_keypair local_static;
	struct noise_keypair local_ephemeral;
	bool has_remote_static;
	uint8_t remote_static[NOISE_DH_BYTES];
	uint8_t remote_ephemeral[NOISE_DH_BYTES];
	bool has_psk;
	uint8_t psk[NOISE_PSK_BYTES];
};

/* Begin a handshake. Cannot fail; asserts that the keys fit the pattern. */
void noise_init(struct noise *n, const struct noise_config *config);

/* Give the pre-shared key when message 1 has told which: after it was read and
 * before message 2 is written. */
void noise_set_psk(struct noise *n, const uint8_t psk[NOISE_PSK_BYTES]);

/* Whether the next message is ours to write. */
bool noise_writes_next(const struct noise *n);

/* Append the next handshake message, carrying `payload`, to `out`. Asserts that
 * it is our turn and that a pre-shared key is there when the pattern mixes it in.
 * ERR_LIMIT over FRAME_BYTES_MAX, ERR_HANDSHAKE if the remote key is a point of
 * low order, ERR_NOMEM: the handshake has failed and `out` is as it was.
 * How well a payload is protected depends on the pattern: in XX the first is
 * clear text, and the second can be read by anyone who poses as the initiator. */
MUST_CHECK enum err noise_write(struct noise *n, struct bytes payload, struct buf *out);

/* Check the next handshake message and append what it carries to `payload`.
 * ERR_PROTOCOL out of turn (also after a failure), ERR_HANDSHAKE if it does not
 * verify, ERR_NOMEM: the handshake has failed and `payload` is as it was. */
MUST_CHECK enum err noise_read(struct noise *n, struct bytes message, struct buf *payload);

bool noise_is_done(const struct noise *n);

/* The remote static public key, or NULL before it is known. Verified as the
 * pattern says: in XX, the initiator may trust it from message 2 on, the
 * responder after message 3. Borrowed until noise_wipe(). */
const uint8_t *noise_remote_static(const struct noise *n);

/* NOISE_HASH_BYTES that name this handshake, for channel binding. Asserts that it
 * is done. Borrowed until noise_wipe(). */
const uint8_t *noise_handshake_hash(const struct noise *n);

/* Take the two cipher states, once, and wipe what made them. */
void noise_split(struct noise *n, struct noise_cipher *send, struct noise_cipher *recv);

void noise_wipe(struct noise *n);

#endif
