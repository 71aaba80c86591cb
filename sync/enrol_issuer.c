#include "sync/enrol_issuer.h"

#include "core/limits.h"
#include "proto/proof.h"

/* A message 1 can be replayed by whoever saw it, so it must not cost more than this,
 * and not for ever; of a ticket that was used nothing is written. */
static enum err count_try(struct replica *r, struct ticket_stub *stub, bool is_wrong,
			  struct errmsg *msg)
{
	if (stub->is_used || ticket_stub_is_burned(stub))
		return OK;
	stub->tries++;
	stub->wrong_tries += is_wrong;
	return ticket_stub_store(r, stub, msg);
}

enum err enrol_look_up(struct replica *r, struct bytes shown,
		       const uint8_t noise_key[NOISE_KEY_BYTES], uint64_t now_ms,
		       struct ticket_stub *out, enum err *verdict, struct errmsg *msg)
{
	struct ticket_stub stub;
	bool has_secret;
	enum err rc;

	if (shown.size != TICKET_ID_BYTES + PROOF_SECRET_BYTES)
		return errmsg_set(msg, ERR_FORMAT, "a newcomer names no ticket");
	rc = ticket_stub_load(r, shown.data, &stub, msg);
	if (rc)
		return rc;
	has_secret = proof_shows_secret(shown.data + TICKET_ID_BYTES, stub.secret, noise_key);
	rc = count_try(r, &stub, !has_secret, msg);
	if (rc == OK && !has_secret) {
		rc = errmsg_set(msg, ERR_HANDSHAKE, "a newcomer has not got its ticket's secret");
	} else if (rc == OK) {
		*verdict = ticket_stub_check(&stub, noise_key, now_ms, msg);
		*out = stub;
	}
	ticket_stub_wipe(&stub);
	return rc;
}

static enum err check_claims(const struct message_enrol *m, const uint8_t *handshake_hash,
			     const uint8_t *noise_key, struct errmsg *msg)
{
	if (memcmp(m->noise_key, noise_key, NOISE_KEY_BYTES) != 0)
		return errmsg_set(msg, ERR_HANDSHAKE, "the newcomer names another key than it has");
	if (!proof_is_valid(m->proof, handshake_hash, m->sign_key))
		return errmsg_set(msg, ERR_SIGNATURE,
				  "the newcomer does not prove that it holds its signing key");
	return OK;
}

/* Terminated copies of what the message borrows. */
struct claims {
	char office_name[NAME_BYTES_MAX + 1];
	char person_name[NAME_BYTES_MAX + 1];
	char address[ADDRESS_TEXT_MAX + 1];
};

static const char *copy_or_null(char *out, struct bytes text)
{
	if (!text.data)
		return NULL;
	memcpy(out, text.data, text.size);
	out[text.size] = '\0';
	return out;
}

static enum err admit(struct replica *r, const struct ticket_stub *stub,
		      const struct message_enrol *m, uint64_t now_ms, struct errmsg *msg)
{
	struct claims c;
	struct admission a = {
		.office_code = stub->office_code,
		.office_name = copy_or_null(c.office_name, m->office_name),
		.zone = stub->zone,
		.person_name = copy_or_null(c.person_name, m->person_name),
		.address = copy_or_null(c.address, m->address),
		.is_admin = stub->is_admin,
	};

	memcpy(a.node.sign_key, m->sign_key, SIGN_PUBLIC_BYTES);
	memcpy(a.node.noise_key, m->noise_key, NOISE_KEY_BYTES);
	memcpy(a.node.nonce, m->nonce, ID_BYTES);
	a.node.replica = epoch_replica(m->sign_key, m->nonce);
	return replica_admit(r, &a, now_ms, msg);
}

enum err enrol_admit(struct replica *r, struct ticket_stub *stub, const struct message_enrol *m,
		     const uint8_t *handshake_hash, const uint8_t noise_key[NOISE_KEY_BYTES],
		     uint64_t now_ms, struct errmsg *msg)
{
	struct replica_id replica = epoch_replica(m->sign_key, m->nonce);
	const struct member *known;
	bool changed;
	enum err rc = check_claims(m, handshake_hash, noise_key, msg);

	if (rc)
		return rc;
	/* The same node may ask twice: an answer can get lost. */
	rc = replica_refresh(r, &changed, msg);
	if (rc)
		return rc;
	known = replica_member_by_noise_key(r, noise_key);
	if (known && replica_id_cmp(&known->identity.replica, &replica) == 0)
		return OK;
	/* Another newcomer may have used it since this one's session began. */
	rc = ticket_stub_load(r, stub->id, stub, msg);
	if (rc == OK)
		rc = ticket_stub_check(stub, noise_key, now_ms, msg);
	if (rc)
		return rc;
	/* First the mark: what follows may fail and be repeated by this node only. */
	stub->is_used = true;
	memcpy(stub->used_by, noise_key, NOISE_KEY_BYTES);
	rc = ticket_stub_store(r, stub, msg);
	return rc == OK ? admit(r, stub, m, now_ms, msg) : rc;
}
