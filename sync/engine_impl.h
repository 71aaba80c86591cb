/* What the engine's own files share. */
#ifndef HT_SYNC_ENGINE_IMPL_H
#define HT_SYNC_ENGINE_IMPL_H

#include "proto/message.h"
#include "sync/engine.h"
#include "sync/peer.h"
#include "sync/session.h"

enum engine_limit {
	HALF_OPEN_MAX = 128,          /* connections of strangers at a time; of them so many */
	PRESENTING_MAX = 16,          /* that have a key and may present statements */
	QUEUE_BYTES_HIGH = 512 << 10, /* of one connection's port; no new chunk above */
	STRANGERS_MAX = 16,           /* reasons remembered, so that each is logged once; */
	STRANGERS_MS = 60000,         /* so many in this time, the rest is for the debug log */
	GOOD_AFTER_MS = 5000,         /* a session that lasted so long was a good one */
	SETTLED_AFTER_MS = 10000,     /* both sides know of each other's connection by then */
	RENEW_WAIT_MS = 5000,         /* for the dialler to come back */
};

/* One connection. */
struct conn {
	struct conn_id id;
	struct session *session; /* NULL while dialling */
	struct peer *peer;       /* NULL until an inbound one has proved who it is */
	bool is_inbound;
	bool is_established; /* the peer has proved who it is */
	bool is_gone;        /* the port has closed it */
	char from[ADDRESS_TEXT_MAX + 1];
	uint64_t source;               /* of an inbound one: the host, or the network, of `from` */
	char warned[ERRMSG_BYTES_MAX]; /* the session's warning that was logged */
	uint64_t dial_deadline_ms;
	uint64_t established_ms;
	size_t queue_bytes; /* given to the port, not sent yet */
	uint64_t changesets_sent, changesets_received;
	uint64_t bytes_sent, bytes_received;
};

struct engine {
	struct replica *replica;
	struct port port;
	struct dice dice;
	struct noise_keypair key;
	uint8_t sign_key[SIGN_PUBLIC_BYTES];
	bool dial_members;
	bool is_paused;
	bool takes_nothing; /* engine_take() */
	bool is_out;        /* our own membership has ended: no peer, any more */
	char *tzdata;
	void (*log)(void *ctx, enum log_level level, const char *event, const char *peer,
		    const char *detail);
	void *log_ctx;

	struct conn **conns;
	size_t conn_count, conn_cap;
	struct peer_list peers;
	struct arena arena;                        /* one message's worth, shared by all sessions */
	struct pack pack;                          /* likewise */
	uint64_t now_ms;                           /* mono, of the turn at hand or the last one */
	uint8_t directory_digest[VV_DIGEST_BYTES]; /* when the peers were listed */
	uint64_t reloads;                          /* of the replica, likewise */
	uint8_t trust_digest[STATEMENT_ID_BYTES];  /* likewise */

	struct {
		uint64_t hash; /* of who and why; 0: none */
		uint64_t said_ms;
	} strangers[STRANGERS_MAX]; /* a ring */
	size_t stranger_at;
};

/* engine_conn.c: connections from their beginning to their end. */
struct conn *conn_find(const struct engine *e, struct conn_id id);
struct conn *conn_add(struct engine *e, struct conn_id id, struct now now); /* NULL: memory */
void conn_set_peer(struct conn *c, struct peer *p);                         /* or NULL */
/* The bytes can flow: begin the session. */
void conn_start(struct engine *e, struct conn *c, struct now now);
/* Hand the session's bytes to the port. */
void conn_flush(struct engine *e, struct conn *c);
bool conn_has_work(const struct conn *c);
/* Close and forget. Plans nothing. */
void conn_drop(struct engine *e, struct conn *c);
/* The same when its session has closed or dialling failed: tells people, plans
 * the next attempt. */
void conn_ended(struct engine *e, struct conn *c, struct now now);
void conn_dial_failed(struct engine *e, struct conn *c, struct now now, enum err rc,
		      const char *reason);
void engine_peer_failed(struct engine *e, struct peer *p, struct now now, enum err rc,
			const char *text);

/* engine_stranger.c: connections whose peer has not proved who it is. */
bool conn_is_stranger(const struct conn *c);
uint64_t engine_source(const char *from);
/* Somebody new comes from there: if too many wait already, one of them is closed. */
void engine_make_room(struct engine *e, uint64_t source, struct now now);
/* The same of those who may send large messages. */
void engine_limit_presenting(struct engine *e, struct now now);
void engine_log_stranger(struct engine *e, const struct conn *c, const struct session_end *end,
			 struct now now);

/* engine_turn.c: what follows from any event: news are passed on, one chunk a
 * session is made, bytes go to the port, what has ended is cleared away. */
void engine_turn(struct engine *e, struct now now);
/* The replica holds more of this space, or of any (NULL). */
void engine_wake(struct engine *e, struct now now, const struct space_id *space);
void engine_note_members(struct engine *e);

void engine_log(const struct engine *e, enum log_level level, const char *event, const char *peer,
		const char *detail);

#endif
