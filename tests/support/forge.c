#include "tests/support/forge.h"

#include <sodium.h>

void forge_open(struct forge *f, struct office *host, const struct space_id *space,
		const char *code, uint64_t seed)
{
	struct admission admission = { .office_code = code, .office_name = code, .zone = "UTC" };
	uint8_t key_seed[crypto_sign_SEEDBYTES];
	struct space_id directory = replica_directory(host->replica);
	struct prng prng;

	*f = (struct forge){ .space = *space };
	prng_init(&prng, seed);
	prng_fill(&prng, key_seed, sizeof(key_seed));
	prng_fill(&prng, f->identity.noise_key, NOISE_KEY_BYTES);
	prng_fill(&prng, f->identity.nonce, ID_BYTES);
	crypto_sign_seed_keypair(f->identity.sign_key, f->sign_secret, key_seed);
	f->identity.replica = epoch_replica(f->identity.sign_key, f->identity.nonce);
	admission.node = f->identity;
	OFFICE_MUST(replica_admit(host->replica, &admission, host->now_ms++, &msg));
	if (space_id_cmp(space, &directory) != 0)
		office_grant(host, space, code, ROLE_EDITOR);
}

void forge_close(struct forge *f)
{
	arena_release(&f->arena);
}

struct sealed forge_seal(struct forge *f, struct bytes body)
{
	struct sealed sealed = { .replica = f->identity.replica, .seq = f->head.seq + 1 };
	uint8_t link[LINK_BYTES], signature[SIGNATURE_BYTES];

	changeset_link(link, &f->space, &f->identity.replica, &f->head, body);
	changeset_sign(signature, link, f->sign_secret);
	f->head.seq++;
	memcpy(f->head.link, link, LINK_BYTES);
	memcpy(f->head.signature, signature, SIGNATURE_BYTES);
	sealed.body = arena_copy(&f->arena, body);
	sealed.signature = arena_copy(&f->arena, bytes_of(signature, SIGNATURE_BYTES)).data;
	return sealed;
}

struct sealed forge_ops(struct forge *f, uint64_t wall_ms, const struct dot *deps, size_t dep_count,
			struct op *ops, size_t op_count)
{
	struct changeset cs = { .hlc = { wall_ms << 16 },
				.deps = deps,
				.dep_count = dep_count,
				.ops = ops,
				.op_count = op_count };
	struct buf body = BUF_EMPTY;
	struct sealed sealed;

	OFFICE_MUST(changeset_encode(&body, &cs, &f->identity.replica, &f->arena, &msg));
	sealed = forge_seal(f, buf_bytes(&body));
	buf_release(&body);
	return sealed;
}
