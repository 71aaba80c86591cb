/* The peers that an engine knows: members of the organisation and addresses from
 * the configuration, brought together when they turn out to be the same node. */
#ifndef HT_SYNC_PEER_H
#define HT_SYNC_PEER_H

#include "core/replica.h"
#include "sync/engine.h"
#include "sync/schedule.h"
#include "sync/space_table.h"

enum { PEERS_MAX = 500, PEER_ADDRESSES_MAX = 4 };

struct conn;

struct peer {
	bool has_key;
	bool is_self;                 /* an address of our own: not dialled again */
	struct record_id node;        /* of a member; else nil */
	uint8_t key[NOISE_KEY_BYTES]; /* its current one */
	char office_code[OFFICE_CODE_MAX + 1];
	char member_address[ADDRESS_TEXT_MAX + 1];                /* from the directory, or "" */
	char addresses[PEER_ADDRESSES_MAX][ADDRESS_TEXT_MAX + 1]; /* from elsewhere */
	size_t address_count;
	size_t dial_count; /* attempts: addresses take turns */
	struct schedule schedule;
	struct conn *conn;         /* dialling, or the session; the engine's */
	unsigned conn_count;       /* that name this peer; `conn` and such as are ending */
	bool hopes_for_statements; /* refused for its key or ours: new statements may help */

	struct space_table spaces; /* what it held when the last session ended; empty: unknown */

	/* Of all sessions that have ended, but for the last three. */
	uint64_t changesets_sent, changesets_received;
	uint64_t bytes_sent, bytes_received;
	uint64_t last_seen_wall_ms;
	int64_t skew_ms;
	bool is_refused;
	char last_error[ERRMSG_BYTES_MAX];
	char logged_error[ERRMSG_BYTES_MAX]; /* said once, until something else happens */
};

struct peer_list {
	struct peer **peers;
	size_t count, cap;
};

void peer_list_release(struct peer_list *l);

/* NULL when absent. Borrowed until the peer is removed. */
struct peer *peer_by_key(const struct peer_list *l, const uint8_t key[NOISE_KEY_BYTES]);
struct peer *peer_by_address(const struct peer_list *l, const char *address);

/* An address to dial, whoever answers; nothing new if a peer has it. ERR_LIMIT
 * (PEERS_MAX, or the length), ERR_NOMEM. */
MUST_CHECK enum err peer_add_address(struct peer_list *l, const char *address, struct errmsg *msg);

/* A node with this key; finds or adds. ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK enum err peer_add_key(struct peer_list *l, const uint8_t key[NOISE_KEY_BYTES],
				 struct peer **out, struct errmsg *msg);

/* Take over what the statements and the directory say: new members, their keys and
 * addresses; who is no longer one. `own_key` is not a peer. ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK enum err peer_list_refresh(struct peer_list *l, const struct replica *r,
				      const uint8_t own_key[NOISE_KEY_BYTES], struct errmsg *msg);

/* Who answered at `p`'s address has this key: the peer that stands for the node
 * from now on. `p` is gone if another one does. */
struct peer *peer_identify(struct peer_list *l, struct peer *p, const uint8_t key[NOISE_KEY_BYTES]);

/* The address to dial next, or NULL. */
const char *peer_next_address(const struct peer *p, bool dial_members);
/* What to call it in a log: its office, else its address. */
const char *peer_name(const struct peer *p);
const char *peer_address(const struct peer *p);

#endif
