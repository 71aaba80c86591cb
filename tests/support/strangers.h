/* Strangers at a node's door: connections over loopback that never prove who they
 * are, of every kind that costs the node something (strangers.c has the table).
 *
 * Who was closed comes back after a while, so the pressure stays. They know nothing
 * of the node but its port: the organisation's tag they learn from its answer.
 *
 * What they take for granted ends the program when it fails. */
#ifndef HT_TESTS_SUPPORT_STRANGERS_H
#define HT_TESTS_SUPPORT_STRANGERS_H

#include <stddef.h>
#include <stdint.h>

struct strangers;

struct strangers_config {
	uint16_t port;    /* of the node, on 127.0.0.1 */
	size_t count;     /* connections at a time, as far as the node lets them */
	unsigned back_ms; /* until one that was closed comes back */
	uint64_t seed;
};

/* What they did so far. */
struct strangers_tally {
	uint64_t opened, closed; /* by the node */
	uint64_t bytes_sent, bytes_received;
	size_t standing; /* connections that are open now */
};

struct strangers *strangers_new(const struct strangers_config *config);
void strangers_free(struct strangers *s); /* closes all; NULL-safe */

/* Do what is due, then wait for the node for `wait_ms` at most. */
void strangers_turn(struct strangers *s, int wait_ms);

struct strangers_tally strangers_tally(const struct strangers *s);

#endif
