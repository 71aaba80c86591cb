/* Who the peer is, and what it may see. */
#include "core/trust.h"
#include "sync/session_impl.h"

/* ---- Who ------------------------------------------------------------------------- */

/* An epoch of which this was the key, whatever became of it; NULL: nobody's. */
static const struct trust_epoch *epoch_by_key(const struct trust *t,
					      const uint8_t key[NOISE_KEY_BYTES])
{
	for (size_t i = 0; t && i < t->epoch_count; i++)
		if (!t->epochs[i].is_void &&
		    memcmp(t->epochs[i].identity.noise_key, key, NOISE_KEY_BYTES) == 0)
			return &t->epochs[i];
	return NULL;
}

static bool is_member(const struct trust *t, const struct trust_epoch *epoch)
{
	const struct trust_node *node = trust_node(t, &epoch->node);

	return node && !node->is_revoked;
}

/* The key that was dialled: the node's own, or one that it had or may have by now. Who was
 * removed may come back as another node, and answers where it has always been. */
static bool is_expected(const struct session *s, const uint8_t *key)
{
	const struct trust *t = replica_trust(s->config.replica);
	const struct trust_node *node = t ? trust_node_by_noise_key(t, key) : NULL;
	const struct trust_epoch *expected;

	if (!s->config.expected_key || !node || memcmp(key, s->expected_key, NOISE_KEY_BYTES) == 0)
		return true;
	expected = epoch_by_key(t, s->expected_key);
	return expected &&
	       (!is_member(t, expected) || record_id_cmp(&expected->node, &node->node) == 0);
}

bool session_is_told(enum err rc)
{
	return rc == ERR_REVOKED || rc == ERR_SUPERSEDED;
}

const struct trust_node *session_former(const struct session *s)
{
	const struct trust *t = replica_trust(s->config.replica);
	const struct trust_epoch *epoch = epoch_by_key(t, link_remote_key(&s->link));

	return epoch ? trust_node(t, &epoch->node) : NULL;
}

enum err session_judge(struct session *s, bool *is_member, struct errmsg *msg)
{
	const struct trust *t = replica_trust(s->config.replica);
	const uint8_t *key = link_remote_key(&s->link);
	const struct trust_node *node;

	if (!is_expected(s, key))
		return errmsg_set(msg, ERR_HANDSHAKE,
				  "who answers has another key than the node that was dialled");
	*is_member = t && trust_node_by_noise_key(t, key);
	if (*is_member)
		return OK;
	node = session_former(s);
	if (!node)
		return OK;
	if (node->is_revoked)
		return errmsg_set(msg, ERR_REVOKED, "a node of %s is no longer a member",
				  node->office_code);
	return errmsg_set(msg, ERR_SUPERSEDED, "the node of %s has other keys by now",
			  node->office_code);
}

enum err session_check_key(struct session *s, struct errmsg *msg)
{
	const uint8_t *key = link_remote_key(&s->link);
	enum err rc;

	s->end.is_self = memcmp(key, s->config.key->public_key, NOISE_KEY_BYTES) == 0;
	if (s->end.is_self)
		return errmsg_set(msg, ERR_HANDSHAKE, "that is this node itself");
	/* What the peer is told of itself is not told of us. */
	rc = replica_check_member(s->config.replica, msg);
	if (rc && rc != ERR_ORG) /* who is no member yet may be shown to be one */
		return ERR_HANDSHAKE;
	return session_judge(s, &s->who.knows, msg);
}

enum err session_check_replica(const struct session *s, const struct replica_id *replica,
			       struct errmsg *msg)
{
	const struct trust *t = replica_trust(s->config.replica);
	const struct trust_node *node = trust_node_by_noise_key(t, link_remote_key(&s->link));
	const struct trust_epoch *epoch = trust_epoch(t, replica);
	char text[ID_TEXT_SIZE];

	if (node && replica_id_cmp(&node->current, replica) == 0)
		return OK;
	if (node && epoch && record_id_cmp(&epoch->node, &node->node) == 0)
		return errmsg_set(msg, ERR_SUPERSEDED,
				  "the node of %s goes on under another replica id than %.8s",
				  node->office_code, id_text(replica->bytes, text));
	return errmsg_set(msg, ERR_REPLICA, "%.8s is no replica of the other side's node",
			  id_text(replica->bytes, text));
}

/* ---- What ------------------------------------------------------------------------- */

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
	return parts->peer && parts->self && replica_role(r, parts->peer, space) != ROLE_NONE &&
	       replica_role(r, parts->self, space) != ROLE_NONE;
}

struct space_sync *session_directory(const struct session *s)
{
	return &s->spaces.entries[0];
}

enum err session_check_shared(const struct session *s, const struct space_id *space, bool *shared,
			      struct errmsg *msg)
{
	struct parts parts = session_parts(s);
	char text[ID_TEXT_SIZE];

	*shared = session_shares(s, &parts, space);
	/* Who holds all our statements knows who takes part; and we, if we hold all of theirs. */
	if (!*shared && !s->who.is_settling && (!s->aside || aside_is_empty(s->aside)))
		return errmsg_set(msg, ERR_GRANT, "space %.8s is not shared between us",
				  id_text(space->bytes, text));
	return OK;
}
