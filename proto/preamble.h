/* The preamble: the first bytes of a connection, in clear, from either side.
 *
 *   0  magic        4   e4 bc 9a 00 ("会" and a zero)
 *   4  version      1   1
 *   5  purpose      1   1 sync, 2 enrolment
 *   6  org tag     10   of the organisation's id
 *
 * The dialer sends its own with the first handshake message; the listener answers
 * with its own, same purpose, before anything else, even when it then refuses.
 * So each side can name a wrong version or organisation, which a handshake would
 * only fail on. Nothing here is believed: both sides mix the preamble and the
 * organisation id into the handshake as its prologue, and a forged preamble makes
 * that fail. */
#ifndef HT_PROTO_PREAMBLE_H
#define HT_PROTO_PREAMBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/err.h"
#include "core/id.h"

enum {
	PROTOCOL_VERSION = 1,
	/* Long enough that two organisations don't meet by chance, and a hash, so that
	 * the wire does not show the id itself. */
	ORG_TAG_BYTES = 10,
	PREAMBLE_BYTES = 16,
	PROLOGUE_BYTES = PREAMBLE_BYTES + ORG_ID_BYTES,
};

enum preamble_purpose { PREAMBLE_SYNC = 1, PREAMBLE_ENROL = 2 };

struct preamble {
	enum preamble_purpose purpose;
	uint8_t org_tag[ORG_TAG_BYTES];
};

/* Ours, for this organisation. */
void preamble_init(struct preamble *p, enum preamble_purpose purpose,
		   const uint8_t org_id[ORG_ID_BYTES]);

void preamble_encode(const struct preamble *p, uint8_t out[PREAMBLE_BYTES]);

/* Collects a preamble that comes in pieces. */
struct preamble_reader {
	uint8_t bytes[PREAMBLE_BYTES];
	size_t size;
};

void preamble_reader_init(struct preamble_reader *r);

/* Move `input` past what belongs to the preamble; once that is whole, set
 * *is_whole and *out. Refused at the first byte that shows it: ERR_FORMAT (not
 * this protocol, or no known purpose), ERR_VERSION. */
MUST_CHECK enum err preamble_read(struct preamble_reader *r, struct bytes *input, bool *is_whole,
				  struct preamble *out);

/* Whether the two sides can go on: ERR_ORG, or ERR_PROTOCOL if the purposes
 * differ. */
MUST_CHECK enum err preamble_match(const struct preamble *ours, const struct preamble *theirs);

/* The prologue of the handshake: the preamble and the whole organisation id. */
void preamble_prologue(const struct preamble *p, const uint8_t org_id[ORG_ID_BYTES],
		       uint8_t out[PROLOGUE_BYTES]);

#endif
