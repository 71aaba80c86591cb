/* Enrolment: a newcomer with a ticket, and the issuer's answer. Sans-I/O.
 *
 *   newcomer                                  issuer
 *     message 1 with the ticket's id  ----->    looks the ticket up
 *           <----- message 2, which needs its secret
 *     ENROL: keys, names, proof       ----->    admits the node
 *           <---------  ENROLLED, STATEMENTS ..., BYE
 *
 * The issuer's side is part of every engine; this is the newcomer's, which runs
 * before there is an organisation to sync with. It repeats safely: the issuer
 * answers the same node twice. */
#ifndef HT_SYNC_ENROL_H
#define HT_SYNC_ENROL_H

#include "sync/now.h"
#include "sync/port.h"
#include "sync/ticket.h"

struct enrol;

struct enrol_config {
	struct port port;
	struct dice dice;
	const struct ticket *ticket;   /* copied */
	const uint8_t *noise_secret;   /* 32 bytes, copied */
	const uint8_t *sign_secret;    /* SIGN_SECRET_BYTES, copied */
	const struct replica *replica; /* its epoch is; not kept */
	const char *office_name;       /* copied, as are the next */
	const char *person_name;       /* NULL: none */
	const char *address;           /* where this node can be dialled; NULL: nowhere */
};

/* Dials the ticket's addresses, one after the other, until one answers. */
MUST_CHECK enum err enrol_new(struct enrol **out, const struct enrol_config *config, struct now now,
			      struct errmsg *msg);
void enrol_free(struct enrol *e); /* NULL-safe; closes and wipes */

/* Events from the port, and time, as the engine's. */
void enrol_connected(struct enrol *e, struct now now, struct conn_id conn);
void enrol_received(struct enrol *e, struct now now, struct conn_id conn, struct bytes data);
void enrol_closed(struct enrol *e, struct now now, struct conn_id conn, const char *reason);
void enrol_tick(struct enrol *e, struct now now);
uint64_t enrol_deadline(const struct enrol *e); /* mono_ms; UINT64_MAX = none */

enum enrol_state { ENROL_RUNNING, ENROL_DONE, ENROL_FAILED };
enum enrol_state enrol_state(const struct enrol *e);

/* Why it failed, in words; of the address that came furthest. ERR_NOT_FOUND
 * (unknown ticket), ERR_TIMEOUT (expired, or no answer), ERR_EXISTS (used),
 * ERR_HANDSHAKE, ERR_ORG, ERR_IO (nobody there), ... */
const struct errmsg *enrol_error(const struct enrol *e);

/* After ENROL_DONE: make the replica part of the organisation by the statements that the
 * issuer gave, and remember where it was found. Then run an engine until it is idle:
 * the directory comes first. As replica_take_statements(). */
MUST_CHECK enum err enrol_finish(const struct enrol *e, struct replica *r, uint64_t now_ms,
				 struct errmsg *msg);

/* A setting that the engine reads: where to dial the issuer. */
#define SETTING_BOOTSTRAP_ADDRESS "bootstrap_address"

#endif
