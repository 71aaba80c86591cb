/* The mouth of a hostile member: with its keys, over the real handshake, it says some
 * messages to one peer, whatever they are, and hears nothing. */
#ifndef HT_TESTS_SIM_MOUTH_H
#define HT_TESTS_SIM_MOUTH_H

#include "core/dice.h"
#include "sync/port.h"

enum { MOUTH_MESSAGES_MAX = 3 };

struct mouth;

struct mouth_config {
	struct port port;
	const char *address;         /* of the peer, which is dialled at once */
	const uint8_t *org;          /* ORG_ID_BYTES */
	const uint8_t *noise_secret; /* 32 bytes */
	struct dice dice;
	struct bytes messages[MOUTH_MESSAGES_MAX]; /* encoded; copied */
	size_t message_count;
};

struct mouth *mouth_new(const struct mouth_config *config); /* never NULL */
void mouth_free(struct mouth *m);                           /* NULL-safe; hangs up */

/* Events of the network. */
void mouth_connected(struct mouth *m, struct conn_id conn);
void mouth_received(struct mouth *m, struct conn_id conn, struct bytes data);
void mouth_closed(struct mouth *m, struct conn_id conn);

#endif
