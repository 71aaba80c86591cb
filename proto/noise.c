#include "proto/noise.h"

#include <assert.h>
#include <sodium.h>

#include "proto/limits.h"

enum { MESSAGE_COUNT_MAX = 3, TOKEN_COUNT_MAX = 5, HMAC_BLOCK_BYTES = 128 };

enum token { TOKEN_END, TOKEN_E, TOKEN_S, TOKEN_EE, TOKEN_ES, TOKEN_SE, TOKEN_SS, TOKEN_PSK };

struct pattern {
	const char *name;
	bool has_known_responder; /* the pre-message "<- s" */
	bool has_psk;
	unsigned message_count;
	enum token messages[MESSAGE_COUNT_MAX][TOKEN_COUNT_MAX]; /* each ends in TOKEN_END */
};

#define PROTOCOL(pattern) "Noise_" pattern "_25519_ChaChaPoly_BLAKE2b"

/* clang-format off */
static const struct pattern patterns[NOISE_PATTERN_COUNT] = {
	[NOISE_XX] = { PROTOCOL("XX"), false, false, 3, {
		{ TOKEN_E },                                /* -> e */
		{ TOKEN_E, TOKEN_EE, TOKEN_S, TOKEN_ES },   /* <- e, ee, s, es */
		{ TOKEN_S, TOKEN_SE } } },                  /* -> s, se */
	[NOISE_XXPSK3] = { PROTOCOL("XXpsk3"), false, true, 3, {
		{ TOKEN_E },                                /* -> e */
		{ TOKEN_E, TOKEN_EE, TOKEN_S, TOKEN_ES },   /* <- e, ee, s, es */
		{ TOKEN_S, TOKEN_SE, TOKEN_PSK } } },       /* -> s, se, psk */
	[NOISE_XK] = { PROTOCOL("XK"), true, false, 3, {
		{ TOKEN_E, TOKEN_ES },                      /* -> e, es */
		{ TOKEN_E, TOKEN_EE },                      /* <- e, ee */
		{ TOKEN_S, TOKEN_SE } } },                  /* -> s, se */
	[NOISE_IK] = { PROTOCOL("IK"), true, false, 2, {
		{ TOKEN_E, TOKEN_ES, TOKEN_S, TOKEN_SS },   /* -> e, es, s, ss */
		{ TOKEN_E, TOKEN_EE, TOKEN_SE } } },        /* <- e, ee, se */
	[NOISE_IKPSK2] = { PROTOCOL("IKpsk2"), true, true, 2, {
		{ TOKEN_E, TOKEN_ES, TOKEN_S, TOKEN_SS },   /* -> e, es, s, ss */
		{ TOKEN_E, TOKEN_EE, TOKEN_SE, TOKEN_PSK } } }, /* <- e, ee, se, psk */
};
/* clang-format on */

/* Which key of either side a Diffie-Hellman token takes: "es" is the initiator's
 * ephemeral key with the responder's static key. */
static const struct {
	bool initiator_static;
	bool responder_static;
} dh_tokens[] = {
	[TOKEN_EE] = { false, false },
	[TOKEN_ES] = { false, true },
	[TOKEN_SE] = { true, false },
	[TOKEN_SS] = { true, true },
};

/* --- HMAC and HKDF over BLAKE2b (sections 4.3 and 12.8) ---
 *
 * RFC 2104 written out: the keyed mode of BLAKE2b is another function. */

static void hash_two(uint8_t out[NOISE_HASH_BYTES], struct bytes first, struct bytes second)
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, NOISE_HASH_BYTES);
	crypto_generichash_update(&state, first.data, first.size);
	crypto_generichash_update(&state, second.data, second.size);
	crypto_generichash_final(&state, out, NOISE_HASH_BYTES);
	sodium_memzero(&state, sizeof(state));
}

static void hmac(uint8_t out[NOISE_HASH_BYTES], const uint8_t key[NOISE_HASH_BYTES],
		 struct bytes data)
{
	uint8_t inner_pad[HMAC_BLOCK_BYTES];
	uint8_t outer_pad[HMAC_BLOCK_BYTES];
	uint8_t inner[NOISE_HASH_BYTES];

	for (int i = 0; i < HMAC_BLOCK_BYTES; i++) {
		uint8_t byte = i < NOISE_HASH_BYTES ? key[i] : 0;

		inner_pad[i] = byte ^ 0x36;
		outer_pad[i] = byte ^ 0x5c;
	}
	hash_two(inner, bytes_of(inner_pad, sizeof(inner_pad)), data);
	hash_two(out, bytes_of(outer_pad, sizeof(outer_pad)), bytes_of(inner, sizeof(inner)));
	sodium_memzero(inner_pad, sizeof(inner_pad));
	sodium_memzero(outer_pad, sizeof(outer_pad));
	sodium_memzero(inner, sizeof(inner));
}

static void hkdf(const uint8_t chaining_key[NOISE_HASH_BYTES], struct bytes input,
		 uint8_t (*out)[NOISE_HASH_BYTES], int out_count)
{
	uint8_t temp_key[NOISE_HASH_BYTES];
	uint8_t block[NOISE_HASH_BYTES + 1]; /* the output before, and its number */
	size_t before = 0;

	hmac(temp_key, chaining_key, input);
	for (int i = 0; i < out_count; i++) {
		block[before] = (uint8_t)(i + 1);
		hmac(out[i], temp_key, bytes_of(block, before + 1));
		memcpy(block, out[i], NOISE_HASH_BYTES);
		before = NOISE_HASH_BYTES;
	}
	sodium_memzero(temp_key, sizeof(temp_key));
	sodium_memzero(block, sizeof(block));
}

/* --- SymmetricState (section 5.2) --- */

static void mix_hash(struct noise *n, struct bytes data)
{
	hash_two(n->hash, bytes_of(n->hash, sizeof(n->hash)), data);
}

static void mix_key(struct noise *n, struct bytes input)
{
	uint8_t out[2][NOISE_HASH_BYTES];

	hkdf(n->chaining_key, input, out, 2);
	memcpy(n->chaining_key, out[0], NOISE_HASH_BYTES);
	noise_cipher_init(&n->cipher, out[1]);
	n->has_key = true;
	sodium_memzero(out, sizeof(out));
}

static void mix_key_and_hash(struct noise *n, struct bytes input)
{
	uint8_t out[3][NOISE_HASH_BYTES];

	hkdf(n->chaining_key, input, out, 3);
	memcpy(n->chaining_key, out[0], NOISE_HASH_BYTES);
	mix_hash(n, bytes_of(out[1], NOISE_HASH_BYTES));
	noise_cipher_init(&n->cipher, out[2]);
	n->has_key = true;
	sodium_memzero(out, sizeof(out));
}

static size_t tag_bytes(const struct noise *n)
{
	return n->has_key ? NOISE_TAG_BYTES : 0;
}

static enum err encrypt_and_hash(struct noise *n, struct bytes plain, struct buf *out)
{
	size_t size = plain.size + NOISE_TAG_BYTES;
	uint8_t *at;
	enum err rc;

	if (!n->has_key) {
		buf_append(out, plain.data, plain.size);
		mix_hash(n, plain);
		return buf_check(out);
	}
	at = buf_grow(out, size);
	if (!at)
		return ERR_NOMEM;
	rc = noise_cipher_seal(&n->cipher, bytes_of(n->hash, sizeof(n->hash)), plain, at);
	if (rc)
		return rc;
	mix_hash(n, bytes_of(at, size));
	return OK;
}

/* `out` has room for sealed.size - tag_bytes(n). */
static enum err decrypt_and_hash(struct noise *n, struct bytes sealed, uint8_t *out)
{
	if (!n->has_key) {
		if (sealed.size)
			memcpy(out, sealed.data, sealed.size);
	} else if (noise_cipher_open(&n->cipher, bytes_of(n->hash, sizeof(n->hash)), sealed, out)) {
		return ERR_HANDSHAKE;
	}
	mix_hash(n, sealed);
	return OK;
}

/* --- Tokens (section 5.3) --- */

static const struct pattern *pattern_of(const struct noise *n)
{
	return &patterns[n->pattern];
}

static enum err mix_dh(struct noise *n, enum token token)
{
	bool initiator_static = dh_tokens[token].initiator_static;
	bool responder_static = dh_tokens[token].responder_static;
	bool local_static = n->is_initiator ? initiator_static : responder_static;
	bool remote_static = n->is_initiator ? responder_static : initiator_static;
	const struct noise_keypair *local = local_static ? &n->local_static : &n->local_ephemeral;
	const uint8_t *remote = remote_static ? n->remote_static : n->remote_ephemeral;
	uint8_t shared[NOISE_DH_BYTES];

	/* A point of low order makes a secret that anybody knows. */
	if (crypto_scalarmult(shared, local->secret_key, remote))
		return ERR_HANDSHAKE;
	mix_key(n, bytes_of(shared, sizeof(shared)));
	sodium_memzero(shared, sizeof(shared));
	return OK;
}

static enum err mix_secret(struct noise *n, enum token token)
{
	if (token != TOKEN_PSK)
		return mix_dh(n, token);
	assert(n->has_psk);
	mix_key_and_hash(n, bytes_of(n->psk, sizeof(n->psk)));
	return OK;
}

/* With a pre-shared key the ephemeral keys also go into the key (section 9.2):
 * the cipher must not start from the pre-shared key alone. */
static void mix_ephemeral(struct noise *n, struct bytes public_key)
{
	mix_hash(n, public_key);
	if (pattern_of(n)->has_psk)
		mix_key(n, public_key);
}

static enum err write_token(struct noise *n, enum token token, struct buf *out)
{
	struct bytes ephemeral = bytes_of(n->local_ephemeral.public_key, NOISE_DH_BYTES);

	switch (token) {
	case TOKEN_E:
		buf_append(out, ephemeral.data, ephemeral.size);
		mix_ephemeral(n, ephemeral);
		return buf_check(out);
	case TOKEN_S:
		return encrypt_and_hash(n, bytes_of(n->local_static.public_key, NOISE_DH_BYTES),
					out);
	default: return mix_secret(n, token);
	}
}

/* Takes the token's bytes from the front of `message`. */
static enum err read_token(struct noise *n, enum token token, struct bytes *message)
{
	struct bytes field = *message;
	enum err rc = OK;

	if (token != TOKEN_E && token != TOKEN_S)
		return mix_secret(n, token);

	field.size = NOISE_DH_BYTES + (token == TOKEN_S ? tag_bytes(n) : 0);
	if (message->size < field.size)
		return ERR_HANDSHAKE;
	*message = bytes_of(message->data + field.size, message->size - field.size);

	if (token == TOKEN_E) {
		memcpy(n->remote_ephemeral, field.data, NOISE_DH_BYTES);
		mix_ephemeral(n, field);
	} else {
		rc = decrypt_and_hash(n, field, n->remote_static);
		n->has_remote_static = rc == OK;
	}
	return rc;
}

/* --- HandshakeState (section 5.3) --- */

const char *noise_pattern_name(enum noise_pattern pattern)
{
	assert((unsigned)pattern < NOISE_PATTERN_COUNT);
	return patterns[pattern].name;
}

void noise_keypair_from_secret(struct noise_keypair *pair, const uint8_t secret_key[NOISE_DH_BYTES])
{
	memcpy(pair->secret_key, secret_key, NOISE_DH_BYTES);
	crypto_scalarmult_base(pair->public_key, secret_key);
}

void noise_init(struct noise *n, const struct noise_config *config)
{
	const struct pattern *pattern = &patterns[config->pattern];
	size_t name_size = strlen(pattern->name);

	assert(name_size <= NOISE_HASH_BYTES); /* else the specification wants its hash */
	assert(!config->psk || pattern->has_psk);
	assert((config->remote_static != NULL) ==
	       (pattern->has_known_responder && config->is_initiator));

	*n = (struct noise){ .pattern = config->pattern, .is_initiator = config->is_initiator };
	memcpy(n->hash, pattern->name, name_size);
	memcpy(n->chaining_key, n->hash, NOISE_HASH_BYTES);
	mix_hash(n, config->prologue);

	n->local_static = *config->static_key;
	noise_keypair_from_secret(&n->local_ephemeral, config->ephemeral_secret);
	if (config->psk)
		noise_set_psk(n, config->psk);
	if (config->remote_static) {
		memcpy(n->remote_static, config->remote_static, NOISE_DH_BYTES);
		n->has_remote_static = true;
	}
	if (pattern->has_known_responder)
		mix_hash(n,
			 bytes_of(n->is_initiator ? n->remote_static : n->local_static.public_key,
				  NOISE_DH_BYTES));
}

void noise_set_psk(struct noise *n, const uint8_t psk[NOISE_PSK_BYTES])
{
	assert(n->stage == NOISE_HANDSHAKE && pattern_of(n)->has_psk);
	memcpy(n->psk, psk, NOISE_PSK_BYTES);
	n->has_psk = true;
}

bool noise_writes_next(const struct noise *n)
{
	return n->stage == NOISE_HANDSHAKE && n->is_initiator == (n->message_count % 2 == 0);
}

/* Publish the state after a message, or none. */
static void finish_message(struct noise *n, struct noise *next, enum err rc)
{
	if (rc) {
		noise_wipe(n);
		n->stage = NOISE_FAILED;
	} else {
		next->message_count++;
		if (next->message_count == pattern_of(next)->message_count)
			next->stage = NOISE_DONE;
		*n = *next;
	}
	noise_wipe(next);
}

static enum err write_message(struct noise *n, struct bytes payload, struct buf *out)
{
	const enum token *token = pattern_of(n)->messages[n->message_count];
	enum err rc;

	for (; *token != TOKEN_END; token++) {
		rc = write_token(n, *token, out);
		if (rc)
			return rc;
	}
	return encrypt_and_hash(n, payload, out);
}

enum err noise_write(struct noise *n, struct bytes payload, struct buf *out)
{
	struct noise next = *n;
	size_t start = out->size;
	enum err rc;

	assert(noise_writes_next(n));
	rc = write_message(&next, payload, out);
	if (rc == OK && out->size - start > FRAME_BYTES_MAX)
		rc = ERR_LIMIT;
	if (rc)
		out->size = start;
	finish_message(n, &next, rc);
	return rc;
}

static enum err read_payload(struct noise *n, struct bytes sealed, struct buf *payload)
{
	size_t start = payload->size;
	uint8_t *at = NULL;
	enum err rc;

	if (sealed.size > tag_bytes(n)) {
		at = buf_grow(payload, sealed.size - tag_bytes(n));
		if (!at)
			return ERR_NOMEM;
	}
	rc = decrypt_and_hash(n, sealed, at);
	if (rc)
		payload->size = start;
	return rc;
}

static enum err read_message(struct noise *n, struct bytes message, struct buf *payload)
{
	const enum token *token = pattern_of(n)->messages[n->message_count];
	enum err rc;

	for (; *token != TOKEN_END; token++) {
		rc = read_token(n, *token, &message);
		if (rc)
			return rc;
	}
	return read_payload(n, message, payload);
}

enum err noise_read(struct noise *n, struct bytes message, struct buf *payload)
{
	struct noise next = *n;
	enum err rc;

	if (n->stage != NOISE_HANDSHAKE || noise_writes_next(n))
		rc = ERR_PROTOCOL;
	else
		rc = read_message(&next, message, payload);
	finish_message(n, &next, rc);
	return rc;
}

bool noise_is_done(const struct noise *n)
{
	return n->stage == NOISE_DONE || n->stage == NOISE_SPLIT;
}

const uint8_t *noise_remote_static(const struct noise *n)
{
	return n->has_remote_static ? n->remote_static : NULL;
}

const uint8_t *noise_handshake_hash(const struct noise *n)
{
	assert(noise_is_done(n));
	return n->hash;
}

void noise_split(struct noise *n, struct noise_cipher *send, struct noise_cipher *recv)
{
	uint8_t out[2][NOISE_HASH_BYTES]; /* initiator to responder, and back */
	struct noise left = { .pattern = n->pattern,
			      .stage = NOISE_SPLIT,
			      .is_initiator = n->is_initiator,
			      .message_count = n->message_count,
			      .has_remote_static = n->has_remote_static };

	assert(n->stage == NOISE_DONE);
	hkdf(n->chaining_key, bytes_of(NULL, 0), out, 2);
	noise_cipher_init(send, out[n->is_initiator ? 0 : 1]);
	noise_cipher_init(recv, out[n->is_initiator ? 1 : 0]);
	sodium_memzero(out, sizeof(out));

	memcpy(left.hash, n->hash, sizeof(left.hash));
	memcpy(left.remote_static, n->remote_static, sizeof(left.remote_static));
	noise_wipe(n);
	*n = left;
}

void noise_wipe(struct noise *n)
{
	sodium_memzero(n, sizeof(*n));
}
