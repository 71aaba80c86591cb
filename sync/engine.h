/* The engine: everything a node does with its peers. Sans-I/O.
 *
 * Owns the sessions, the schedule (who is dialled when, back-off, jitter), the
 * choice between two connections to one peer, and enrolment. Events and the
 * time go in, calls on the port and the next deadline come out; the replica is
 * changed only inside replica_receive(), which is durable when it returns, so
 * whatever the engine sends is durable.
 *
 * One engine per replica, one thread. Nothing here reads a clock or draws dice
 * but through its arguments. */
#ifndef HT_SYNC_ENGINE_H
#define HT_SYNC_ENGINE_H

#include "core/replica.h"
#include "sync/now.h"
#include "sync/port.h"

struct engine;

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct engine_config {
	struct replica *replica; /* borrowed */
	struct port port;
	struct dice dice;
	const uint8_t *noise_secret; /* 32 bytes, copied */
	const uint8_t *sign_secret;  /* SIGN_SECRET_BYTES, copied */
	const char *const
		*peers;    /* extra addresses to dial, NULL-terminated, copied; may be NULL */
	bool dial_members; /* dial every address that the directory has */
	/* One structured line: event is a stable word ("session-closed"), detail
	 * is text for people. peer is an office code or address, or "". */
	void (*log)(void *ctx, enum log_level level, const char *event, const char *peer,
		    const char *detail);
	void *log_ctx;
	const char *tzdata; /* its version, told to peers; copied; may be NULL */
};

MUST_CHECK enum err engine_new(struct engine **out, const struct engine_config *config,
			       uint64_t now_ms, struct errmsg *msg);
void engine_free(struct engine *e); /* NULL-safe; closes all connections */

/* Events from the port. */
void engine_accepted(struct engine *e, struct now now, struct conn_id conn, const char *from);
void engine_connected(struct engine *e, struct now now, struct conn_id conn);
void engine_received(struct engine *e, struct now now, struct conn_id conn, struct bytes data);
void engine_sent(struct engine *e, struct now now, struct conn_id conn, size_t bytes);
void engine_closed(struct engine *e, struct now now, struct conn_id conn, const char *reason);

/* Time passed. Call when engine_deadline() is reached; early calls are harmless. */
void engine_tick(struct engine *e, struct now now);
uint64_t engine_deadline(const struct engine *e); /* mono_ms; UINT64_MAX = none */

/* The replica has new local changesets (committed by this or another process). */
void engine_changed(struct engine *e, struct now now);

/* People's wishes. */
void engine_sync_now(struct engine *e, struct now now); /* dial all, compare all */
void engine_pause(struct engine *e,
		  struct now now); /* close sessions, dial nobody, accept nobody */
void engine_resume(struct engine *e, struct now now);
bool engine_is_paused(const struct engine *e);

/* Whether what peers send is taken (as it is in the beginning). If not, it waits
 * there, while what is recorded here goes out to them as always. */
void engine_take(struct engine *e, struct now now, bool takes);

/* Every session is open, compared, and neither side lacks anything. Who has not
 * proved who it is does not count. */
bool engine_is_idle(const struct engine *e);

/* Asserts the invariants of the engine and of its sessions (sync/session.h). For
 * tests: it looks at everything. */
void engine_check(const struct engine *e);

/* Peers for people: one entry a known member or address. */
enum peer_state {
	PEER_DOWN,
	PEER_DIALLING,
	PEER_HANDSHAKE,
	PEER_SYNCING,
	PEER_IN_SYNC,
	PEER_REFUSED
};

struct peer_status {
	char office_code[OFFICE_CODE_MAX + 1]; /* "" until known */
	char address[ADDRESS_TEXT_MAX + 1];
	enum peer_state state;
	bool inbound; /* they dialled us */
	uint64_t changesets_sent, changesets_received;
	uint64_t bytes_sent, bytes_received;
	uint64_t to_send;                  /* changesets that the peer is known to lack */
	bool knows_to_send;                /* false: no session since the start told what it has */
	uint64_t last_seen_wall_ms;        /* 0 = never */
	int64_t skew_ms;                   /* their wall clock minus ours, at the last hello */
	uint64_t next_dial_mono_ms;        /* 0 = none planned */
	char last_error[ERRMSG_BYTES_MAX]; /* "" if the last session ended well */
};

size_t engine_peer_count(const struct engine *e);
void engine_peer_status(const struct engine *e, size_t index, struct peer_status *out);

#endif
