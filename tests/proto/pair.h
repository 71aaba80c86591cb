/* Two ends of a handshake or of a channel, from fixed keys, for tests. */
#ifndef HT_TESTS_PROTO_PAIR_H
#define HT_TESTS_PROTO_PAIR_H

#include <assert.h>

#include "proto/channel.h"
#include "proto/noise.h"

struct noise_pair {
	struct noise initiator;
	struct noise responder;
};

struct channel_pair {
	struct channel initiator;
	struct channel responder;
};

/* 32 bytes that stand for a secret key; another `number`, other bytes. */
static inline void pair_secret(uint8_t out[32], uint8_t number)
{
	for (int i = 0; i < 32; i++)
		out[i] = (uint8_t)(7 * i + 31 * number + 1);
}

static inline struct noise_keypair pair_static_key(bool is_initiator)
{
	struct noise_keypair pair;
	uint8_t secret[32];

	pair_secret(secret, is_initiator ? 1 : 2);
	noise_keypair_from_secret(&pair, secret);
	return pair;
}

/* One side of `pattern` with empty prologue; the psk of both is pair_secret(5). */
static inline void pair_init_side(struct noise *n, enum noise_pattern pattern, bool is_initiator)
{
	struct noise_keypair own = pair_static_key(is_initiator);
	struct noise_keypair other = pair_static_key(!is_initiator);
	bool is_told = pattern == NOISE_XK || pattern == NOISE_IK || pattern == NOISE_IKPSK2;
	bool has_psk = pattern == NOISE_XXPSK3 || pattern == NOISE_IKPSK2;
	uint8_t ephemeral[32], psk[32];

	pair_secret(ephemeral, is_initiator ? 3 : 4);
	pair_secret(psk, 5);
	noise_init(n, &(struct noise_config){
			      .pattern = pattern,
			      .is_initiator = is_initiator,
			      .static_key = &own,
			      .remote_static = is_told && is_initiator ? other.public_key : NULL,
			      .psk = has_psk ? psk : NULL,
			      .ephemeral_secret = ephemeral,
		      });
}

static inline void pair_init(struct noise_pair *pair, enum noise_pattern pattern)
{
	pair_init_side(&pair->initiator, pattern, true);
	pair_init_side(&pair->responder, pattern, false);
}

static inline struct noise *pair_writer(struct noise_pair *pair)
{
	return noise_writes_next(&pair->initiator) ? &pair->initiator : &pair->responder;
}

static inline struct noise *pair_reader(struct noise_pair *pair)
{
	return noise_writes_next(&pair->initiator) ? &pair->responder : &pair->initiator;
}

/* Exchange the messages that are left, with empty payloads. */
static inline void pair_run(struct noise_pair *pair)
{
	while (!noise_is_done(&pair->initiator) || !noise_is_done(&pair->responder)) {
		struct noise *writer = pair_writer(pair);
		struct noise *reader = pair_reader(pair);
		struct buf message = BUF_EMPTY, payload = BUF_EMPTY;
		enum err rc = noise_write(writer, bytes_of(NULL, 0), &message);

		if (rc == OK)
			rc = noise_read(reader, buf_bytes(&message), &payload);
		assert(rc == OK);
		buf_release(&message);
		buf_release(&payload);
	}
}

static inline void pair_init_channels(struct channel_pair *channels)
{
	struct noise_pair pair;

	pair_init(&pair, NOISE_XX);
	pair_run(&pair);
	channel_init(&channels->initiator, &pair.initiator);
	channel_init(&channels->responder, &pair.responder);
}

static inline void pair_release_channels(struct channel_pair *channels)
{
	channel_release(&channels->initiator);
	channel_release(&channels->responder);
}

#endif
