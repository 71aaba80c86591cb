/* Who this node is: two secrets, in one file that only its owner can read.
 *
 * The Ed25519 key signs changesets, the X25519 key opens Noise sessions; two
 * keys, never converted into one another. The file is text:
 *
 *     huitong-identity-1
 *     sign <64 hex digits: the Ed25519 seed>
 *     noise <64 hex digits: the X25519 secret>
 *
 * Secrets are wiped from memory on every way out. */
#ifndef HT_NODE_IDENTITY_H
#define HT_NODE_IDENTITY_H

#include "core/changeset.h"
#include "core/replica.h"

enum { NOISE_SECRET_BYTES = 32 };

struct identity {
	uint8_t sign_public[SIGN_PUBLIC_BYTES];
	uint8_t sign_secret[SIGN_SECRET_BYTES];
	uint8_t noise_public[NOISE_KEY_BYTES];
	uint8_t noise_secret[NOISE_SECRET_BYTES];
};

/* Draw both from the system's dice. sodium_init() must have been called. */
void identity_generate(struct identity *out);

/* Write a new file, mode 0600, durable on return. ERR_EXISTS rather than
 * overwrite: a lost key can't be made again. ERR_READONLY, ERR_FULL, ERR_IO. */
MUST_CHECK enum err identity_save(const struct identity *id, const char *path, struct errmsg *msg);

/* ERR_KEY when it is missing, not ours, readable by others, or not such a
 * file; ERR_IO. */
MUST_CHECK enum err identity_load(struct identity *out, const char *path, struct errmsg *msg);

/* Let the file take another name, durably, in place of what has it. */
MUST_CHECK enum err identity_rename(const char *from, const char *to, struct errmsg *msg);

void identity_clear(struct identity *id); /* wipes; harmless on an empty one */

#endif
