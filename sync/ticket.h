/* Tickets: how a new node gets in. One line of text that the issuer prints and
 * somebody carries to the newcomer:
 *
 *   huitong1:<base64url of [org, issuer's noise key, id, secret, office code,
 *                           zone, expires_s, [address ...]]>
 *
 * Whoever holds the line may join once, as this office, until it expires. The
 * issuer keeps its half in the replica's settings (not replicated) under
 * "ticket:<id in hex>". */
#ifndef HT_SYNC_TICKET_H
#define HT_SYNC_TICKET_H

#include "core/replica.h"

enum {
	TICKET_ID_BYTES = 8,
	TICKET_SECRET_BYTES = 32,
	TICKET_ZONE_MAX = 64,
	TICKET_ADDRESSES_MAX = 8,
	TICKET_TEXT_MAX = 4096, /* of the whole line */
	TICKET_LIFE_S_MAX = 72 * 3600,
	/* Beginnings of an enrolment that one ticket allows: enough for bad links. */
	TICKET_TRIES_MAX = 100,
	TICKET_WRONG_MAX = 5, /* of them by somebody who has not got the secret */
};

struct ticket {
	uint8_t org[ORG_ID_BYTES];
	uint8_t issuer_key[NOISE_KEY_BYTES];
	uint8_t id[TICKET_ID_BYTES];
	uint8_t secret[TICKET_SECRET_BYTES];
	char office_code[OFFICE_CODE_MAX + 1];
	char zone[TICKET_ZONE_MAX + 1];
	uint64_t expires_s; /* Unix time */
	char addresses[TICKET_ADDRESSES_MAX][ADDRESS_TEXT_MAX + 1];
	size_t address_count;
};

void ticket_wipe(struct ticket *t);

/* Append the line, without an end. ERR_INVALID for an office code, zone or
 * address that is not acceptable, or none; ERR_NOMEM. */
MUST_CHECK enum err ticket_encode(struct buf *out, const struct ticket *t, struct errmsg *msg);

/* Read a line; blanks around it are ignored. ERR_FORMAT: not a whole ticket;
 * ERR_VERSION: a ticket of a newer program; ERR_LIMIT; ERR_INVALID. */
MUST_CHECK enum err ticket_decode(struct ticket *out, const char *text, struct errmsg *msg);

/* ---- The issuer's half --------------------------------------------------- */

/* Draw id and secret, fill in the organisation, and remember the ticket. The
 * caller has filled in issuer key, office code, zone, expiry and addresses.
 * is_admin: who joins by it becomes an admin. */
MUST_CHECK enum err ticket_issue(struct replica *r, struct ticket *t, bool is_admin,
				 const struct dice *dice, struct errmsg *msg);

/* What the issuer remembers. */
struct ticket_stub {
	uint8_t id[TICKET_ID_BYTES];
	uint8_t secret[TICKET_SECRET_BYTES];
	char office_code[OFFICE_CODE_MAX + 1];
	char zone[TICKET_ZONE_MAX + 1];
	uint64_t expires_s;
	bool is_admin; /* who joins by it becomes an admin */
	bool is_used;
	uint8_t used_by[NOISE_KEY_BYTES];
	bool is_taken_back; /* by people */
	uint64_t tries;
	uint64_t wrong_tries;
};

void ticket_stub_wipe(struct ticket_stub *stub);

/* What became of a ticket. */
enum ticket_state {
	TICKET_OPEN,
	TICKET_USED,
	TICKET_EXPIRED,
	TICKET_TAKEN_BACK,
	TICKET_BURNED, /* too many tries, or too many wrong ones */
};

bool ticket_stub_is_burned(const struct ticket_stub *stub);
enum ticket_state ticket_stub_state(const struct ticket_stub *stub, uint64_t now_ms);

/* ERR_NOT_FOUND: not issued by this replica; ERR_CORRUPT. */
MUST_CHECK enum err ticket_stub_load(struct replica *r, const uint8_t id[TICKET_ID_BYTES],
				     struct ticket_stub *out, struct errmsg *msg);
MUST_CHECK enum err ticket_stub_store(struct replica *r, const struct ticket_stub *stub,
				      struct errmsg *msg);

/* All that were issued here and not forgotten, by id, until `each` returns false;
 * `stub` is wiped after the call. */
MUST_CHECK enum err ticket_stub_each(struct replica *r,
				     bool (*each)(void *ctx, const struct ticket_stub *stub),
				     void *ctx, struct errmsg *msg);

/* Whether the node with this key may join by it now: ERR_TIMEOUT (expired),
 * ERR_EXISTS (used by another node; the same one may repeat what it did, in case
 * it missed the answer), ERR_LIMIT (too many tries), ERR_INVALID (taken back). */
MUST_CHECK enum err ticket_stub_check(const struct ticket_stub *stub,
				      const uint8_t noise_key[NOISE_KEY_BYTES], uint64_t now_ms,
				      struct errmsg *msg);

#endif
