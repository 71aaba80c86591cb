/* Who the peer is, and what it may see. */
#include "sync/enrol.h"
#include "sync/session_impl.h"

struct parts session_parts(const struct session *s)
{
	return (struct parts){
		.peer = replica_member_by_noise_key(s->config.replica, link_remote_key(&s->link)),
		.self = replica_self(s->config.replica),
	};
}

bool session_shares(const struct session *s, const struct parts *parts,
		    const struct space_id *space)
{
	const struct replica *r = s->config.replica;
	struct space_id directory = replica_directory(r);

	if (space_id_cmp(space, &directory) == 0)
		return true;
	return parts->peer && parts->self && replica_is_granted(r, parts->peer, space) &&
	       replica_is_granted(r, parts->self, space);
}

struct space_sync *session_directory(const struct session *s)
{
	return &s->spaces.entries[0];
}

enum err session_check_shared(const struct session *s, const struct space_id *space, bool *shared,
			      struct errmsg *msg)
{
	struct parts parts = session_parts(s);
	const struct space_sync *directory = session_directory(s);
	char text[ID_TEXT_SIZE];

	*shared = session_shares(s, &parts, space);
	/* Whoever holds our whole directory knows who takes part. */
	if (!*shared &&
	    vv_dominates(&directory->peer, replica_vv(s->config.replica, &directory->id)))
		return errmsg_set(msg, ERR_GRANT, "space %.8s is not shared between us",
				  id_text(space->bytes, text));
	return OK;
}

/* A newcomer's directory is empty: it trusts whoever let it in. */
static bool is_bootstrap_key(struct replica *r, const uint8_t key[NOISE_KEY_BYTES])
{
	struct buf setting = BUF_EMPTY;
	char text[2 * NOISE_KEY_BYTES + 1];
	bool is_it = false;

	if (replica_self(r))
		return false;
	hex_encode(text, bytes_of(key, NOISE_KEY_BYTES));
	if (replica_setting(r, SETTING_BOOTSTRAP_KEY, &setting, NULL) == OK)
		is_it = bytes_equal(buf_bytes(&setting), bytes_of_str(text));
	buf_release(&setting);
	return is_it;
}

bool session_is_trusted(const struct session *s)
{
	struct replica *r = s->config.replica;
	const uint8_t *key = link_remote_key(&s->link);

	return replica_member_by_noise_key(r, key) || is_bootstrap_key(r, key);
}

enum err session_check_key(struct session *s, struct errmsg *msg)
{
	const uint8_t *key = link_remote_key(&s->link);

	s->end.is_self = memcmp(key, s->config.key->public_key, NOISE_KEY_BYTES) == 0;
	if (s->end.is_self)
		return errmsg_set(msg, ERR_HANDSHAKE, "that is this node itself");
	if (s->config.expected_key && memcmp(key, s->expected_key, NOISE_KEY_BYTES) != 0)
		return errmsg_set(msg, ERR_HANDSHAKE,
				  "who answers has another key than the node that was dialled");
	if (!session_is_trusted(s))
		return errmsg_set(msg, ERR_HANDSHAKE, "the other side's key is not a member's");
	return OK;
}
